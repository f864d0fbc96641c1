"""The statements that change a ledger in PostgreSQL, in the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Final, LiteralString

import attrs
from psycopg import AsyncConnection

from ippanel_edge.bulk.postgres_load import LOCK
from ippanel_edge.bulk.postgres_reads import open_rows
from ippanel_edge.bulk.postgres_schema import ensure_schema
from ippanel_edge.bulk.postgres_worker import settle_ended
from ippanel_edge.bulk.records import CampaignError, Kind, Settlement, State, Terms

_MAY_BECOME: Final = {
    "sending": frozenset(State),
    "unknown": frozenset(State),
    "pending": frozenset({State.SENT, State.REJECTED}),
}
"""The results that replace a state, if the chunk was not claimed again: what its sender knows is proof."""


@attrs.frozen
class Campaign:
    """The campaign of an open ledger: its number and its terms."""

    id: int
    terms: Terms


@attrs.frozen
class Claim:
    """A claim that is not settled.

    Attributes:
        token: identifies it.
        worker: the worker.
        row_ids: the rows that were sent; None if they are not known.
    """

    token: str
    worker: int
    row_ids: Sequence[int] | None


async def begin(connection: AsyncConnection, *, name: str, terms: Terms | None) -> Campaign:
    """Return a campaign, which is created if there is none, and settle what workers left that have ended.

    Raises:
        CampaignError: the terms differ from the recorded ones, or there are neither terms nor the campaign.
    """
    has_tables = await ensure_schema(connection, create=terms is not None)
    found = await _read(connection, name) if has_tables else None
    if terms is not None and (found is None or not await _is_used(connection, found.id)):
        found = Campaign(await _write(connection, name, terms), terms)
    if found is None:
        raise CampaignError(f"there is no campaign {name!r}; use Campaign.open to begin it", argument="ledger")
    if terms is not None:
        found.terms.check_same(terms)
    await settle_ended(connection, found.id)
    return found


async def lock(connection: AsyncConnection, campaign: Campaign) -> None:
    """Wait until no other load of the campaign is being finished, and check that its terms are still the same.

    Raises:
        CampaignError: another worker changed the terms of the campaign, which had no rows yet.
    """
    cursor = await connection.execute(LOCK, (campaign.id,))
    await cursor.fetchall()
    cursor = await connection.execute("SELECT name FROM ippanel_edge.campaigns WHERE id = %s", (campaign.id,))
    for (name,) in await cursor.fetchall():
        found = await _read(connection, name)
        if found is not None:
            found.terms.check_same(campaign.terms)


async def _read(connection: AsyncConnection, name: str) -> Campaign | None:
    cursor = await connection.execute(
        "SELECT id, from_number, kind, message, pattern, params, send_time, one_per_number FROM ippanel_edge.campaigns "
        "WHERE name = %s FOR NO KEY UPDATE",
        (name,),
    )
    found = await cursor.fetchone()
    if found is None:
        return None
    campaign, from_number, kind, message, pattern, params, send_time, one_per_number = found
    terms = Terms(
        from_number=from_number,
        kind=Kind(kind),
        message=message,
        pattern=pattern,
        params=None if params is None else json.loads(params),
        send_time=None if send_time is None else send_time.astimezone(UTC),
        one_per_number=one_per_number,
    )
    return Campaign(campaign, terms)


async def _is_used(connection: AsyncConnection, campaign: int) -> bool:
    cursor = await connection.execute(
        "SELECT EXISTS (SELECT 1 FROM ippanel_edge.loads WHERE campaign = %s)", (campaign,)
    )
    return await cursor.fetchone() == (True,)


_WRITE_TERMS: Final[LiteralString] = """
INSERT INTO ippanel_edge.campaigns (name, from_number, kind, message, pattern, params, send_time, one_per_number)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (name) DO UPDATE SET from_number = excluded.from_number, kind = excluded.kind, message = excluded.message,
pattern = excluded.pattern, params = excluded.params, send_time = excluded.send_time,
one_per_number = excluded.one_per_number
RETURNING id
"""


async def _write(connection: AsyncConnection, name: str, terms: Terms) -> int:
    """Record the terms of a campaign without rows, and return its number."""
    params = None if terms.params is None else json.dumps(dict(terms.params), ensure_ascii=False)
    values = (
        name,
        terms.from_number,
        terms.kind.value,
        terms.message,
        terms.pattern,
        params,
        terms.send_time,
        terms.one_per_number,
    )
    ((campaign,),) = await (await connection.execute(_WRITE_TERMS, values)).fetchall()
    return int(campaign)


async def claim_of(connection: AsyncConnection, campaign: int, chunk_id: int) -> tuple[str, str | None]:
    """Return the state and the token of the last claim of a chunk, and lock it.

    Raises:
        CampaignError: there is no such chunk.
    """
    cursor = await connection.execute(
        "SELECT state, claim FROM ippanel_edge.chunks WHERE campaign = %s AND id = %s FOR UPDATE", (campaign, chunk_id)
    )
    found = await cursor.fetchone()
    if found is None:
        raise CampaignError(f"the ledger has no chunk {chunk_id}", argument="chunk_id")
    state, token = found
    return state, token


async def unclaim(connection: AsyncConnection, *, campaign: int, chunk_id: int, token: str) -> None:
    """Make a chunk pending again that was claimed, but not sent."""
    await connection.execute(
        "UPDATE ippanel_edge.chunks SET state = 'pending', attempts = attempts - 1 "
        "WHERE campaign = %s AND id = %s AND claim = %s AND state IN ('sending', 'unknown')",
        (campaign, chunk_id, token),
    )


async def settle(
    connection: AsyncConnection, *, campaign: int, chunk_id: int, settlement: Settlement, claim: Claim
) -> None:
    """Record the result of a claim, also if the chunk is unknown meanwhile; never over that of a later claim.

    Raises:
        CampaignError: the chunk was released and claimed again.
    """
    state, token = await claim_of(connection, campaign, chunk_id)
    if token != claim.token:
        if settlement.state is State.PENDING:  # so somebody may claim it
            return
        raise CampaignError(
            f"chunk {chunk_id} was released and claimed again while it was being sent; the result of the first attempt "
            f"is {settlement.state}, with the message ids {list(settlement.message_outbox_ids)}",
            argument="chunk_id",
        )
    if settlement.state not in _MAY_BECOME.get(state, ()):
        return
    ids = settlement.message_outbox_ids
    row_ids: Sequence[int] = ()
    if len(ids) > 1:
        row_ids = claim.row_ids or [row_id for row_id, _, _ in await open_rows(connection, campaign, chunk_id)]
    is_own = len(ids) > 1 and len(ids) == len(row_ids)
    await connection.execute(
        "UPDATE ippanel_edge.chunks SET state = %s, message_outbox_id = %s, message_outbox_ids = %s, error = %s, "
        "settled_at = now() WHERE campaign = %s AND id = %s",
        (
            settlement.state.value,
            ids[0] if len(ids) == 1 else None,
            list(ids) if len(ids) > 1 and not is_own else None,
            settlement.error,
            campaign,
            chunk_id,
        ),
    )
    if is_own:
        await connection.execute(
            "UPDATE ippanel_edge.rows SET message_outbox_id = given.message_id "
            "FROM unnest(%s::bigint[], %s::bigint[]) AS given (row_id, message_id) "
            "WHERE campaign = %s AND id = given.row_id AND state IS NULL",
            (list(row_ids), list(ids), campaign),
        )


async def prove_sent(
    connection: AsyncConnection, *, campaign: int, chunk_id: int, message_ids: Mapping[int, int]
) -> int:
    """Record that rows of an unknown chunk were accepted, and return their number; 0 if it is not unknown any more."""
    state, _ = await claim_of(connection, campaign, chunk_id)
    if state != "unknown":
        return 0
    rows = {row_id for row_id, _, _ in await open_rows(connection, campaign, chunk_id)}
    proven = {row_id: message_id for row_id, message_id in message_ids.items() if row_id in rows}
    await connection.execute(
        "UPDATE ippanel_edge.rows SET state = 'sent', message_outbox_id = given.message_id "
        "FROM unnest(%s::bigint[], %s::bigint[]) AS given (row_id, message_id) "
        "WHERE campaign = %s AND id = given.row_id",
        (list(proven), list(proven.values()), campaign),
    )
    if len(proven) == len(rows):
        await connection.execute(
            "UPDATE ippanel_edge.chunks SET state = 'sent', error = NULL, settled_at = now() "
            "WHERE campaign = %s AND id = %s",
            (campaign, chunk_id),
        )
    return len(proven)


_RECIPIENTS: Final[LiteralString] = """
SELECT id, recipient, delivery FROM ippanel_edge.rows
WHERE campaign = %(campaign)s AND message_outbox_id = %(message_id)s
UNION ALL
SELECT rows.id, rows.recipient, rows.delivery FROM ippanel_edge.chunks JOIN ippanel_edge.rows
ON rows.campaign = %(campaign)s AND rows.id BETWEEN chunks.first_row AND chunks.last_row
WHERE chunks.campaign = %(campaign)s AND chunks.message_outbox_id = %(message_id)s AND rows.message_outbox_id IS NULL
"""


async def set_delivery(
    connection: AsyncConnection, *, campaign: int, message_id: int, statuses: Mapping[str, str]
) -> None:
    """Record the delivery status of the recipients of a message."""
    cursor = await connection.execute(_RECIPIENTS, {"campaign": campaign, "message_id": message_id})
    others = statuses.get("")
    changes = [
        (row_id, status)
        for row_id, recipient, delivery in await cursor.fetchall()
        if (status := statuses.get(recipient, others)) not in (None, delivery)
    ]
    await connection.execute(
        "UPDATE ippanel_edge.rows SET delivery = given.status "
        "FROM unnest(%s::bigint[], %s::text[]) AS given (row_id, status) WHERE campaign = %s AND id = given.row_id",
        ([row_id for row_id, _ in changes], [status for _, status in changes], campaign),
    )
