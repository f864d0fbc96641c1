"""Rows, chunks and claims for the tests of the ledger in PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

import psycopg

from ippanel_edge.bulk import Chunk, Kind, Ledger, LoadReport, Method, Settlement, State, Terms
from ippanel_edge.bulk.ledger import Claimed
from ippanel_edge.bulk.records import LedgerRow
from ippanel_edge.sandbox.defaults import FROM_NUMBER

TERMS: Final = Terms(from_number=FROM_NUMBER, kind=Kind.ONE_TEXT, message="hello")
ENDS_WITHIN: Final = 30.0


def sent(*ids: int) -> Settlement:
    return Settlement(state=State.SENT, message_outbox_ids=ids)


async def load(ledger: Ledger, rows: int, *, size: int = 1) -> LoadReport:
    number = await ledger.begin_load("rows")
    given = [(line, f"+98912{line:07}", None, line) for line in range(1, rows + 1)]
    await ledger.add(number, given, ())
    return await ledger.finish_load(number, lambda _: (Method.WEBSERVICE, size))


def build(chunk: Chunk, rows: Sequence[LedgerRow]) -> int:
    del rows
    return chunk.id


async def claim(ledger: Ledger, chunk_id: int | None = None) -> Claimed[int]:
    claimed = await ledger.claim(build, chunk_id)
    assert claimed is not None
    return claimed


def execute(database: str, statement: str, *values: object) -> list[tuple[object, ...]]:
    """Run a statement beside the ledger, and return its rows."""
    with psycopg.connect(database, autocommit=True) as connection:
        cursor = connection.execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description else []


def wait_until(database: str, query: str, *values: object) -> None:
    """Wait until a query returns true."""
    ends = time.monotonic() + ENDS_WITHIN
    with psycopg.connect(database, autocommit=True) as connection:
        while connection.execute(query.encode(), values).fetchone() != (True,):
            assert time.monotonic() < ends, query
            time.sleep(0.002)


def workers(database: str) -> list[int]:
    """Return the ids of the processes of the server that hold the locks of workers."""
    found = execute(
        database,
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    return [int(str(pid)) for (pid,) in found]


def end_connections(database: str, *, but: Sequence[int] = (), only: Sequence[int] | None = None) -> None:
    """End connections to a database as a broken network does, and wait until the server has noticed."""
    execute(
        database,
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND NOT pid = ANY (%s) AND (%s::integer[] IS NULL OR pid = ANY (%s))",
        list(but),
        only,
        only,
    )
