"""What the tests read from ledgers with plain sqlite3, and what must hold of every ledger at every moment."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any, Final

from ippanel_edge.bulk.records import Kind, LoadReport, Method, NewRow, Settlement, State, Terms
from ippanel_edge.bulk.sqlite import SqliteLedger
from ippanel_edge.bulk.texts import content_hash
from tests.bulk.campaigns import MESSAGE, Sample

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable
    from pathlib import Path

    from ippanel_edge.bulk.ledger import Claimed, Ledger

Row = tuple[str, str]
"""A number and a text."""


def query(ledger: Path, sql: str) -> list[Any]:
    """Run a query on a ledger."""
    with closing(sqlite3.connect(f"{ledger.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(sql).fetchall()


def states_of(ledger: Path) -> dict[Row, State]:
    """Return the state of each row. A row that is in the report twice fails the test."""
    found: dict[Row, State] = {}
    for recipient, content, state in query(ledger, "SELECT recipient, content, state FROM report"):
        key = (recipient, _text(content))
        assert key not in found, f"{key} has two states: {found[key]} and {state}"
        found[key] = State(state)
    return found


def _text(content: str | None) -> str:
    if content is None:
        return MESSAGE
    if content.startswith("{"):
        values = json.loads(content)
        return f"{values['name']} عزیز، {values['points']} امتیاز گرفتید."
    return content


def in_state(ledger: Path, *states: State) -> set[Row]:
    """Return the rows in some states."""
    return {row for row, state in states_of(ledger).items() if state in states}


def check_promise(ledger: Path, sample: Sample, accepted: Counter[Row]) -> None:
    """Check what must hold at every moment after the load: no row is lost, and none was accepted twice.

    Args:
        ledger: the ledger.
        sample: its campaign.
        accepted: how often the service accepted each row, of this campaign and of others.
    """
    states = states_of(ledger)
    assert set(states) == set(sample.expected), "rows were lost"
    own = Counter({row: accepted[row] for row in sample.expected if accepted[row]})
    assert {row: count for row, count in own.items() if count > 1} == {}, "rows were accepted twice"
    sent = {row for row, state in states.items() if state is State.SENT}
    assert sent <= set(own), "rows are sent that were not accepted"
    maybe = {row for row, state in states.items() if state in {State.SENT, State.SENDING, State.UNKNOWN}}
    assert set(own) <= maybe, "rows were accepted that are pending or rejected"


TERMS: Final = Terms(from_number="+983000100200", kind=Kind.OWN_TEXT)


@asynccontextmanager
async def opened(path: Path, terms: Terms | None = TERMS) -> AsyncGenerator[SqliteLedger]:
    """Open a ledger, and close it at the end."""
    ledger = SqliteLedger(path)
    await ledger.open(terms)
    try:
        yield ledger
    finally:
        await ledger.aclose()


def new_rows(texts: Iterable[str], *, first: int = 1) -> list[NewRow]:
    """Return a row to load for each text, each with its own number."""
    return [
        (line, f"+98912{line:07}", text, content_hash(f"+98912{line:07}", text))
        for line, text in enumerate(texts, first)
    ]


async def load(ledger: Ledger, texts: Iterable[str], *, size: int = 2, first: int = 1) -> LoadReport:
    """Load rows, in chunks of some size."""
    number = await ledger.begin_load("rows")
    await ledger.add(number, new_rows(texts, first=first), [])
    return await ledger.finish_load(number, lambda _: (Method.PEER_TO_PEER, size))


def nothing(*_: object) -> None:
    """Build nothing for a chunk."""


async def claim(ledger: Ledger, chunk_id: int | None = None) -> Claimed[None]:
    """Claim a chunk that must be pending."""
    claimed = await ledger.claim(nothing, chunk_id)
    assert claimed is not None
    return claimed


def sent(*ids: int) -> Settlement:
    """Return the settlement of a chunk that was accepted."""
    return Settlement(state=State.SENT, message_outbox_ids=ids)
