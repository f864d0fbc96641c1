"""What every ledger promises, tested on SQLite and on a real PostgreSQL server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import attrs
import pytest

from ippanel_edge.bulk import (
    BadRow,
    CampaignError,
    Chunk,
    Counts,
    Kind,
    Ledger,
    LoadReport,
    Method,
    PostgresLedger,
    Settlement,
    SqliteLedger,
    State,
    Terms,
)
from ippanel_edge.bulk.ledger import Claimed
from ippanel_edge.bulk.records import LedgerRow, NewRow
from ippanel_edge.bulk.texts import content_hash
from ippanel_edge.errors import ConfigurationError

pytestmark = pytest.mark.anyio

TERMS = Terms(from_number="+983000505", kind=Kind.OWN_TEXT)
STATES = tuple(State)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["sqlite", "postgres"])
def closed(request: pytest.FixtureRequest, tmp_path: Path) -> Ledger:
    if request.param == "sqlite":
        return SqliteLedger(tmp_path / "ledger.db")
    # The campaigns of all tests share a database, and do not see each other.
    return PostgresLedger(request.getfixturevalue("shared_database"), request.node.name)


@pytest.fixture
async def ledger(closed: Ledger) -> AsyncIterator[Ledger]:
    await closed.open(TERMS)
    yield closed
    await closed.aclose()


def row(line: int, text: str | None = None) -> NewRow:
    recipient, content = f"+98912{line:07}", f"hello {line}" if text is None else text
    return line, recipient, content, content_hash(recipient, content)


async def load(
    ledger: Ledger,
    rows: Sequence[NewRow] | range,
    *,
    size: int = 3,
    method: Method = Method.PEER_TO_PEER,
    bad: Sequence[BadRow] = (),
) -> LoadReport:
    given = [row(line) for line in rows] if isinstance(rows, range) else rows
    number = await ledger.begin_load("rows.csv")
    await ledger.add(number, given[:5], bad)
    await ledger.add(number, given[5:], ())
    return await ledger.finish_load(number, lambda _: (method, size))


def build(chunk: Chunk, rows: Sequence[LedgerRow]) -> tuple[int, int]:
    return chunk.id, len(rows)


async def claim(ledger: Ledger, chunk_id: int | None = None) -> Claimed[tuple[int, int]]:
    claimed = await ledger.claim(build, chunk_id)
    assert claimed is not None
    return claimed


async def settle(ledger: Ledger, state: State, *ids: int, error: str | None = None) -> Claimed[tuple[int, int]]:
    """Claim the next chunk and record its result."""
    claimed = await claim(ledger)
    settlement = Settlement(state=state, message_outbox_ids=ids, error=error)
    await ledger.settle(claimed.chunk.id, settlement, token=claimed.token)
    return claimed


async def report(ledger: Ledger, *states: State) -> list[tuple[int, str, str | None, int | None]]:
    """Return (row id, state, error, message id) of each row."""
    found = await ledger.report(after=0, limit=1000, states=states or STATES)
    return [(row_id, each.state.value, each.error, each.message_outbox_id) for row_id, each in found]


# Opening.


async def test_a_ledger_that_does_not_exist_cannot_be_resumed(closed: Ledger) -> None:
    with pytest.raises(CampaignError, match=r"there is no|has no campaign"):
        await closed.open(None)


async def test_the_terms_are_those_of_the_first_load(closed: Ledger) -> None:
    others = Terms(
        from_number="+983000506", kind=Kind.ONE_TEXT, message="hello", send_time=datetime(2030, 1, 2, tzinfo=UTC)
    )
    await closed.open(TERMS)
    await closed.aclose()
    assert await closed.open(others) == others  # nothing was loaded, so nothing was decided
    await load(closed, range(2), method=Method.WEBSERVICE)
    await closed.aclose()
    with pytest.raises(CampaignError, match="from_number"):
        await closed.open(TERMS)
    assert await closed.open(None) == others
    assert closed.terms == others
    await closed.aclose()


async def test_the_terms_of_a_pattern_are_kept(closed: Ledger) -> None:
    terms = Terms(from_number="+983000505", kind=Kind.PATTERN, pattern="abc", params={"name": "نام", "code": "code"})
    await closed.open(terms)
    await closed.aclose()
    assert await closed.open(None) == terms
    await closed.aclose()


async def test_a_closed_ledger_has_no_terms(closed: Ledger) -> None:
    with pytest.raises(CampaignError, match="not open"):
        _ = closed.terms


async def test_a_closed_ledger_can_be_opened_again(ledger: Ledger) -> None:
    await load(ledger, range(3))
    await ledger.aclose()
    await ledger.open(None)
    assert (await ledger.counts()).pending == 3


# Loading.


async def test_a_load_divides_its_rows_into_chunks(ledger: Ledger) -> None:
    found = await load(ledger, range(7))
    assert found == LoadReport(source="rows.csv", rows=7, added=7, set_aside=0, duplicates=0, already_loaded=0)
    chunks = await ledger.chunks(State.PENDING)
    assert [(chunk.id, chunk.rows, chunk.method) for chunk in chunks] == [
        (1, 3, Method.PEER_TO_PEER),
        (2, 3, Method.PEER_TO_PEER),
        (3, 1, Method.PEER_TO_PEER),
    ]
    assert [text for _, _, text in await ledger.rows(2)] == ["hello 3", "hello 4", "hello 5"]
    assert await ledger.pending_chunks() == {Method.PEER_TO_PEER: 3}
    assert await ledger.counts() == Counts(pending=7)


async def test_a_number_gets_one_message_if_the_terms_say_so(closed: Ledger) -> None:
    await closed.open(attrs.evolve(TERMS, one_per_number=True))
    try:
        number = int("989120000001")
        rows: list[NewRow] = [(line, "+989120000001", text, number) for line, text in enumerate("abc", 1)]
        first = await load(closed, rows)
        second = await load(closed, rows[1:])
        assert (first.added, first.duplicates, second.added, second.already_loaded) == (1, 2, 0, 2)
        assert closed.terms.one_per_number
    finally:
        await closed.aclose()


async def test_an_invalid_row_that_is_loaded_again_is_counted_once(ledger: Ledger) -> None:
    bad = [BadRow("rows.csv", 3, "12", "too short"), BadRow("rows.csv", 4, "12", "too short")]
    for _ in range(2):
        assert (await load(ledger, range(1, 3), bad=bad)).set_aside == 2
    await load(ledger, range(1, 3), bad=[*bad, BadRow("rows.csv", 5, "12", "too short")])
    assert (await ledger.counts()).set_aside == 3
    assert [each.line for _, each in await ledger.bad_rows(after=0, limit=10)] == [3, 4, 5]


async def test_duplicates_are_left_out_and_counted(ledger: Ledger) -> None:
    rows = [row(1), row(2), row(1), row(1, "other"), row(3), row(2), row(1)]
    found = await load(ledger, rows)
    assert (found.added, found.duplicates, found.already_loaded) == (4, 3, 0)
    again = await load(ledger, [row(9), row(1), row(9), row(1), row(8)])
    assert (again.rows, again.added, again.duplicates, again.already_loaded) == (5, 2, 1, 2)
    lines = [each.line for _, each in await ledger.report(after=0, limit=100, states=STATES)]
    assert lines == [1, 2, 1, 3, 9, 8]
    assert (await ledger.counts()).duplicates == 4
    assert [chunk.rows for chunk in await ledger.chunks(State.PENDING)] == [3, 1, 2]


async def test_rows_with_equal_hashes_are_compared_in_full(ledger: Ledger) -> None:
    same = 7
    rows = [(1, "+989120000001", "a", same), (2, "+989120000001", "b", same), (3, "+989120000002", "a", same)]
    assert (await load(ledger, rows)).added == 3
    assert (await load(ledger, [(1, "+989120000001", "b", same)])).already_loaded == 1


async def test_rows_of_one_text_are_compared_by_their_number(ledger: Ledger) -> None:
    rows = [(line, number, None, int(number)) for line, number in enumerate(["+98912", "+98913", "+98912"], 1)]
    found = await load(ledger, rows, method=Method.WEBSERVICE)
    assert (found.added, found.duplicates) == (2, 1)
    assert (await load(ledger, rows, method=Method.WEBSERVICE)).already_loaded == 3


async def test_a_load_is_counted_by_its_rows_without_duplicates(ledger: Ledger) -> None:
    seen: list[int] = []

    def cut(rows: int) -> tuple[Method, int]:
        seen.append(rows)
        return Method.PEER_TO_PEER, 10

    number = await ledger.begin_load("rows.csv")
    await ledger.add(number, [row(1), row(1), row(2)], ())
    await ledger.finish_load(number, cut)
    assert seen == [2]


async def test_an_empty_load_adds_no_chunk(ledger: Ledger) -> None:
    assert (await load(ledger, [])).added == 0
    assert await ledger.chunks(State.PENDING) == []


async def test_rows_that_were_set_aside_are_listed(ledger: Ledger) -> None:
    bad = [BadRow("rows.csv", line, "x", "not a number") for line in range(1, 4)]
    found = await load(ledger, range(2), bad=bad)
    assert (found.rows, found.set_aside) == (5, 3)
    listed = await ledger.bad_rows(after=0, limit=2)
    assert [each for _, each in listed] == bad[:2]
    assert [each for _, each in await ledger.bad_rows(after=listed[-1][0], limit=2)] == bad[2:]
    assert (await ledger.counts()).set_aside == 3


async def test_an_abandoned_load_leaves_nothing(ledger: Ledger) -> None:
    number = await ledger.begin_load("rows.csv")
    await ledger.add(number, [row(1)], [BadRow("rows.csv", 2, "x", "bad")])
    assert await ledger.counts() == Counts()  # not part of the campaign yet
    await ledger.abandon_load(number)
    assert await ledger.counts() == Counts()
    assert await ledger.bad_rows(after=0, limit=10) == []
    assert (await load(ledger, [row(1)])).already_loaded == 0


async def test_a_load_that_fails_at_its_end_can_be_abandoned(ledger: Ledger) -> None:
    def cut(_: int) -> tuple[Method, int]:
        raise ConfigurationError("no method")

    number = await ledger.begin_load("rows.csv")
    await ledger.add(number, [row(1)], ())
    with pytest.raises(ConfigurationError, match="no method"):
        await ledger.finish_load(number, cut)
    await ledger.abandon_load(number)
    assert await ledger.counts() == Counts()
    assert (await load(ledger, range(2))).added == 2


# Sending.


async def test_a_claimed_chunk_is_sending(ledger: Ledger) -> None:
    await load(ledger, range(4))
    before = datetime.now(UTC) - timedelta(seconds=1)
    claimed = await claim(ledger)
    assert claimed.built == (1, 3)
    assert [text for _, _, text in claimed.rows] == ["hello 0", "hello 1", "hello 2"]
    (sending,) = await ledger.chunks(State.SENDING)
    assert (sending.id, sending.attempts) == (1, 1)
    assert sending.sending_at is not None
    assert sending.sending_at.tzinfo is UTC
    assert before <= sending.sending_at <= datetime.now(UTC)
    assert await ledger.counts() == Counts(pending=1, sending=3)


async def test_a_chunk_can_be_claimed_by_its_id_once(ledger: Ledger) -> None:
    await load(ledger, range(9))
    assert (await claim(ledger, 2)).chunk.id == 2
    assert await ledger.claim(build, 2) is None
    assert await ledger.claim(build, 99) is None
    assert (await claim(ledger)).chunk.id == 1
    assert (await claim(ledger)).chunk.id == 3
    assert await ledger.claim(build) is None


async def test_a_chunk_that_cannot_be_built_is_pending(ledger: Ledger) -> None:
    def fail(chunk: Chunk, rows: Sequence[LedgerRow]) -> None:
        raise ConfigurationError(f"cannot build {chunk.id} of {len(rows)}")

    await load(ledger, range(2))
    with pytest.raises(ConfigurationError, match="cannot build 1 of 2"):
        await ledger.claim(fail)
    assert await ledger.counts() == Counts(pending=2)
    assert (await claim(ledger)).chunk.attempts == 0


async def test_each_chunk_is_claimed_once_by_eight_tasks(ledger: Ledger) -> None:
    await load(ledger, range(60), size=1)
    claimed: list[int] = []

    async def work() -> None:
        while (found := await ledger.claim(build)) is not None:
            claimed.append(found.chunk.id)
            await ledger.settle(
                found.chunk.id, Settlement(state=State.SENT, message_outbox_ids=(found.chunk.id,)), token=found.token
            )

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(work)
    assert sorted(claimed) == list(range(1, 61))
    assert await ledger.counts() == Counts(sent=60)


async def test_a_cancelled_claim_leaves_the_chunk_pending(ledger: Ledger) -> None:
    await load(ledger, range(2))
    with anyio.CancelScope() as scope:

        def cancel(chunk: Chunk, rows: Sequence[LedgerRow]) -> None:
            del chunk, rows
            anyio.from_thread.run_sync(scope.cancel)

        await ledger.claim(cancel)
    assert scope.cancelled_caught
    assert await ledger.counts() == Counts(pending=2)
    assert (await claim(ledger)).chunk.attempts == 0


@pytest.mark.parametrize("state", [State.SENT, State.REJECTED, State.UNKNOWN])
async def test_a_result_is_recorded_for_all_rows(ledger: Ledger, state: State) -> None:
    await load(ledger, range(2))
    ids, error = ((5,), None) if state is State.SENT else ((), "no")
    await settle(ledger, state, *ids, error=error)
    message = ids[0] if ids else None
    assert await report(ledger) == [(1, state, error, message), (2, state, error, message)]
    assert await ledger.counts() == Counts(**{state.value: 2})
    (chunk,) = await ledger.chunks(state)
    assert (chunk.message_outbox_ids, chunk.error, chunk.attempts) == (ids, error, 1)
    assert await ledger.claim(build) is None


async def test_a_chunk_that_was_not_sent_is_pending_with_the_error(ledger: Ledger) -> None:
    await load(ledger, range(2))
    await settle(ledger, State.PENDING, error="no connection")
    (chunk,) = await ledger.chunks(State.PENDING)
    assert (chunk.error, chunk.attempts) == ("no connection", 1)
    await settle(ledger, State.SENT, 5)
    (chunk,) = await ledger.chunks(State.SENT)
    assert (chunk.error, chunk.attempts) == (None, 2)


async def test_each_row_has_its_own_message_id(ledger: Ledger) -> None:
    await load(ledger, range(3))
    await settle(ledger, State.SENT, 7, 9, 8)
    assert [message for *_, message in await report(ledger)] == [7, 9, 8]
    assert await ledger.known_ids([6, 7, 8, 9, 10]) == {7, 8, 9}


async def test_ids_that_fit_no_rows_are_kept_with_the_chunk(ledger: Ledger) -> None:
    await load(ledger, range(3))
    await settle(ledger, State.SENT, 7, 9)
    (chunk,) = await ledger.chunks(State.SENT)
    assert chunk.message_outbox_ids == (7, 9)
    assert [message for *_, message in await report(ledger)] == [None] * 3
    assert await ledger.known_ids([6, 7, 8, 9]) == {7, 9}


async def test_rows_proven_by_one_message_are_tracked_as_one(ledger: Ledger) -> None:
    await load(ledger, range(3))
    await settle(ledger, State.UNKNOWN, error="timed out")
    await ledger.prove_sent(1, {1: 70, 2: 70, 3: 71})
    assert await ledger.undelivered(after=0, limit=10) == [(70, 2), (71, 1)]
    await ledger.set_delivery(71, {"": "delivered"})
    await ledger.set_delivery(70, {"+989120000000": "delivered"})
    assert await ledger.undelivered(after=0, limit=10) == [(70, 2)]


async def test_only_a_chunk_that_is_being_sent_has_a_result(ledger: Ledger) -> None:
    await load(ledger, range(2))
    sent = Settlement(state=State.SENT, message_outbox_ids=(1,))
    with pytest.raises(CampaignError, match="not being sent"):
        await ledger.settle(1, sent)
    await claim(ledger)
    await ledger.settle(1, sent)
    with pytest.raises(CampaignError, match="not being sent"):
        await ledger.settle(1, Settlement(state=State.UNKNOWN))
    assert await ledger.counts() == Counts(sent=2)


async def test_a_chunk_that_does_not_exist_has_no_rows(ledger: Ledger) -> None:
    with pytest.raises(CampaignError, match="no chunk 7"):
        await ledger.rows(7)


# Afterwards.


async def test_a_chunk_that_was_being_sent_is_unknown_when_the_ledger_is_opened_again(ledger: Ledger) -> None:
    await load(ledger, range(4))
    await claim(ledger)
    await ledger.aclose()
    await ledger.open(None)
    assert await ledger.counts() == Counts(unknown=3, pending=1)
    (chunk,) = await ledger.chunks(State.UNKNOWN)
    assert chunk.error is not None
    assert "while the chunk was being sent" in chunk.error


async def test_rows_of_an_unknown_chunk_can_be_proven(ledger: Ledger) -> None:
    await load(ledger, range(3))
    await settle(ledger, State.UNKNOWN, error="timed out")
    assert await ledger.prove_sent(1, {2: 70, 99: 71}) == 1
    assert await report(ledger) == [
        (1, "unknown", "timed out", None),
        (2, "sent", None, 70),
        (3, "unknown", "timed out", None),
    ]
    assert await ledger.counts() == Counts(sent=1, unknown=2)
    assert [row_id for row_id, _, _ in await ledger.rows(1)] == [1, 3]
    assert await ledger.known_ids([70, 71]) == {70}
    await ledger.prove_sent(1, {1: 72, 3: 73})
    assert await ledger.counts() == Counts(sent=3)
    assert await report(ledger) == [(1, "sent", None, 72), (2, "sent", None, 70), (3, "sent", None, 73)]
    assert await ledger.chunks(State.UNKNOWN) == []


async def test_released_rows_are_sent_again_without_those_that_were_proven(ledger: Ledger) -> None:
    await load(ledger, range(3))
    await settle(ledger, State.UNKNOWN, error="timed out")
    await ledger.prove_sent(1, {2: 70})
    assert await ledger.release(State.REJECTED) == 0
    assert await ledger.release(State.UNKNOWN) == 2
    assert await ledger.counts() == Counts(pending=2, sent=1)
    claimed = await settle(ledger, State.SENT, 80, 81)
    assert [row_id for row_id, _, _ in claimed.rows] == [1, 3]
    assert await report(ledger) == [(1, "sent", None, 80), (2, "sent", None, 70), (3, "sent", None, 81)]
    assert await ledger.counts() == Counts(sent=3)


@pytest.mark.parametrize("state", [State.SENT, State.SENDING, State.PENDING])
async def test_rows_that_may_have_left_cannot_be_released(ledger: Ledger, state: State) -> None:
    await load(ledger, range(3))
    await settle(ledger, State.SENT, 5)
    with pytest.raises(CampaignError, match="only rejected and unknown"):
        await ledger.release(state)
    assert await ledger.counts() == Counts(sent=3)


async def test_rejected_rows_can_be_released(ledger: Ledger) -> None:
    await load(ledger, range(4))
    await settle(ledger, State.REJECTED, error="no")
    await settle(ledger, State.SENT, 5)
    assert await ledger.release(State.REJECTED) == 3
    assert await ledger.counts() == Counts(pending=3, sent=1)


async def test_the_report_is_read_in_pages_and_by_states(ledger: Ledger) -> None:
    await load(ledger, range(7))
    await settle(ledger, State.SENT, 5)
    await settle(ledger, State.UNKNOWN)
    pages: list[list[int]] = []
    after = 0
    while found := await ledger.report(after=after, limit=2, states=STATES):
        pages.append([row_id for row_id, _ in found])
        after = pages[-1][-1]
    assert pages == [[1, 2], [3, 4], [5, 6], [7]]
    assert [row_id for row_id, *_ in await report(ledger, State.UNKNOWN, State.PENDING)] == [4, 5, 6, 7]
    ((_, first),) = await ledger.report(after=3, limit=1, states=STATES)
    assert (first.source, first.line, first.recipient, first.content) == ("rows.csv", 3, "+989120000003", "hello 3")


async def test_chunks_are_read_in_pages(ledger: Ledger) -> None:
    await load(ledger, range(5), size=1)
    assert [chunk.id for chunk in await ledger.chunks(State.PENDING, after=1, limit=3)] == [2, 3, 4]


async def test_delivery_of_a_message_to_all_rows(ledger: Ledger) -> None:
    await load(ledger, range(3))
    await settle(ledger, State.SENT, 5)
    assert await ledger.undelivered(after=0, limit=10) == [(5, 3)]
    await ledger.set_delivery(5, {"+989120000000": "delivered", "+989120000001": "active"})
    assert await ledger.undelivered(after=0, limit=10) == [(5, 3)]
    await ledger.set_delivery(5, {"+989120000001": "blacklisted", "": "failed"})
    found = [each.delivery for _, each in await ledger.report(after=0, limit=10, states=STATES)]
    assert found == ["failed", "blacklisted", "failed"]
    assert await ledger.undelivered(after=0, limit=10) == []
    assert await ledger.counts() == Counts(sent=3, not_delivered=3)


async def test_delivery_of_a_message_to_each_row(ledger: Ledger) -> None:
    await load(ledger, range(3))
    await settle(ledger, State.SENT, 5, 6, 7)
    await ledger.set_delivery(6, {"+989120000001": "delivered"})
    assert await ledger.undelivered(after=0, limit=10) == [(5, 1), (7, 1)]
    assert await ledger.undelivered(after=5, limit=10) == [(7, 1)]
    assert await ledger.undelivered(after=0, limit=1) == [(5, 1)]
    assert await ledger.counts() == Counts(sent=3, delivered=1)


async def test_pages_of_the_report_skip_chunks_without_rows_in_the_states(ledger: Ledger) -> None:
    await load(ledger, range(12))
    for settlement in (Settlement(state=State.UNKNOWN), Settlement(state=State.REJECTED)):
        for claimed in [await claim(ledger), await claim(ledger)]:
            await ledger.settle(claimed.chunk.id, settlement, token=claimed.token)
    await ledger.prove_sent(2, {5: 50})
    found: list[int] = []
    while page := await ledger.report(after=found[-1] if found else 0, limit=2, states=[State.SENT]):
        found += [row_id for row_id, _ in page]
    assert found == [5]
    assert [row_id for row_id, *_ in await report(ledger, State.REJECTED)] == [7, 8, 9, 10, 11, 12]
