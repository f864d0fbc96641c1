"""Looking unknown chunks up in the outbox: what it proves to have been accepted is settled. It never proves absence.

The outbox may lag behind, so a message that it does not list may have been accepted all the same. A message proves that
a row was accepted if its line, its text and its recipients are those of the row, if it was created after the chunk
began to be sent, if it belongs to no other row, and if neither another message nor another unknown row fits too. A
message that was created shortly before that time proves nothing: it may be a test, or that of another program.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

import attrs

from ippanel_edge._async.client import AsyncEdgeClient
from ippanel_edge.bulk.ledger import Ledger
from ippanel_edge.bulk.reads import Reads
from ippanel_edge.bulk.records import Chunk, Kind, Reconciled, State, Terms
from ippanel_edge.bulk.service_clock import SECOND, ServiceClock
from ippanel_edge.bulk.texts import parse_template
from ippanel_edge.models.common import Page
from ippanel_edge.models.reports import OutboxFilters, OutboxMessage

_MARGIN: Final = timedelta(minutes=10)
"""How long before a chunk began to be sent the outbox is read: the clock of this machine may be ahead."""
_ROWS: Final = 1000
_BATCH: Final = 1000
_VARIABLE: Final = re.compile(r"%([^%\s]+)%")


@attrs.define
class _Target:
    """Rows of one chunk that one message can prove.

    Attributes:
        chunk_id: the chunk.
        row_ids: the rows.
        since: when the chunk began to be sent, by the clock of this machine.
        found: the times of the messages with the same text and recipients, by their ids.
    """

    chunk_id: int
    row_ids: Sequence[int]
    since: datetime
    found: dict[int, datetime] = attrs.field(factory=dict[int, datetime])

    def proofs(self, ahead: timedelta) -> list[int]:
        """Return the messages that were created after the chunk began to be sent.

        Args:
            ahead: how far the service's clock is ahead.
        """
        return [message_id for message_id, time in self.found.items() if time > self.since + ahead - SECOND]


@attrs.define
class _Targets:
    """What is looked for.

    Attributes:
        by_key: the targets by text and recipients, several if texts differ only in what a service may change.
        texts: the texts with the numbers of recipients that a message must have to be looked at.
    """

    by_key: dict[bytes, list[_Target]] = attrs.field(factory=dict[bytes, list[_Target]])
    texts: dict[str, set[int]] = attrs.field(factory=dict[str, set[int]])

    def add(self, text: str, recipients: Sequence[str], target: _Target) -> None:
        self.by_key.setdefault(_key(text, recipients), []).append(target)
        self.texts.setdefault(_plain(text), set()).add(len(recipients))

    def match(self, message: OutboxMessage, recipients: Sequence[str]) -> None:
        """Record a message with its recipients at the targets that it fits."""
        for target in self.by_key.get(_key(message.message or "", recipients), ()):
            if message.time is not None and message.time >= target.since - _MARGIN:
                target.found[message.messages_outbox_id or 0] = message.time

    def may_match(self, message: OutboxMessage) -> bool:
        counts = self.texts.get(_plain(message.message or ""))
        return counts is not None and (message.rcpts_count is None or message.rcpts_count in counts)


async def reconcile(ledger: Ledger, client: AsyncEdgeClient) -> Reconciled:
    """Settle the unknown chunks that the outbox proves to have been accepted. Nothing is sent.

    Raises:
        EdgeError: the outbox cannot be read. What was proven before is recorded when it is called again.
    """
    terms = ledger.terms
    chunks = {chunk.id: since async for chunk in _unknown(ledger) if (since := chunk.unknown_since or chunk.sending_at)}
    if not chunks:
        return Reconciled(found=0, unknown=0, ambiguous=0, messages=0)
    clock = ServiceClock()
    client = client.with_options(middleware=[*client._settings.middleware, clock.observe])  # noqa: SLF001 - it keeps its own
    targets = await _targets(ledger, client, terms, chunks)
    looked_at = await _search(ledger, client, terms, min(chunks.values()), targets)
    proven: dict[int, dict[int, int]] = {}
    ambiguous: set[int] = set()
    for same in targets.by_key.values():
        for target in same:
            proofs = target.proofs(clock.ahead)
            if len(proofs) == len(same) == 1:
                proven.setdefault(target.chunk_id, {}).update(dict.fromkeys(target.row_ids, proofs[0]))
            elif target.found:
                ambiguous.add(target.chunk_id)
    found = 0
    for chunk_id, message_ids in proven.items():
        found += await ledger.prove_sent(chunk_id, message_ids)
    counts = await ledger.counts()
    return Reconciled(found=found, unknown=counts.unknown, ambiguous=len(ambiguous), messages=looked_at)


async def _unknown(ledger: Ledger) -> AsyncIterator[Chunk]:
    after = 0
    while found := await ledger.chunks(State.UNKNOWN, after=after, limit=_BATCH):
        for chunk in found:
            yield chunk
        after = found[-1].id


async def _targets(ledger: Ledger, client: AsyncEdgeClient, terms: Terms, chunks: Mapping[int, datetime]) -> _Targets:
    """Return what to look for. Each chunk comes with the time when it began to be sent."""
    pattern = ""
    if terms.kind is Kind.PATTERN and terms.pattern is not None:
        pattern = (await client.patterns.get(terms.pattern)).pattern_message or ""
    targets = _Targets()
    for chunk_id, since in chunks.items():
        rows = await ledger.rows(chunk_id)
        if terms.kind is Kind.ONE_TEXT:
            text = parse_template(terms.message or "").text
            targets.add(text, [row[1] for row in rows], _Target(chunk_id, [row[0] for row in rows], since))
            continue
        for row_id, recipient, content in rows:
            text = content or ""
            if terms.kind is Kind.PATTERN:
                text = fill_pattern(pattern, json.loads(text))
            targets.add(text, [recipient], _Target(chunk_id, [row_id], since))
    return targets


def fill_pattern(message: str, values: Mapping[str, object]) -> str:
    """Return the text of a pattern with its variables replaced."""
    return _VARIABLE.sub(lambda found: str(values.get(found[1], found[0])), message)


async def _search(ledger: Ledger, client: AsyncEdgeClient, terms: Terms, since: datetime, targets: _Targets) -> int:
    """Read the messages since the first unknown chunk, and return their number."""
    filters = OutboxFilters(number=terms.from_number, create_from_date=since - _MARGIN)
    reads = Reads()
    count = 0
    number = 0
    has_next = True
    while has_next:
        number += 1
        page: Page[OutboxMessage] = await reads.read(
            lambda number=number: client.reports.outbox(page=number, limit=_ROWS, filters=filters)  # type: ignore[misc]
        )
        has_next = bool(page.items) and attrs.evolve(page, current_page=number).has_next
        count += len(page.items)
        fitting = [message for message in page if message.messages_outbox_id and targets.may_match(message)]
        known = await ledger.known_ids([message.messages_outbox_id or 0 for message in fitting])
        unclaimed = [message for message in fitting if message.messages_outbox_id not in known]

        async def compare(message: OutboxMessage) -> None:
            message_id = message.messages_outbox_id or 0
            recipients = [
                row.recipient or "" async for row in client.reports.iter_recipients(message_id, per_page=_ROWS)
            ]
            targets.match(message, recipients)

        await reads.each(unclaimed, compare)
    return count


def _plain(text: str) -> str:
    """Return a text without differences that a service may make: line breaks, and spaces at the end."""
    return text.replace("\r\n", "\n").rstrip()


def _key(text: str, recipients: Sequence[str]) -> bytes:
    """Return what identifies a text and its recipients, in any order."""
    return sha256("\0".join([_plain(text), *sorted(recipients)]).encode()).digest()
