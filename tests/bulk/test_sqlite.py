"""The SQLite ledger: its owner, its files and their modes, other files in its place, and what its statements keep."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import anyio
import attrs
import pytest

from ippanel_edge.bulk import sqlite_file
from ippanel_edge.bulk.records import CampaignError, Counts, Kind, LedgerError, Method, Settlement, State, Terms
from ippanel_edge.bulk.sqlite import SqliteLedger
from tests.bulk.ledgers import TERMS, claim, load, new_rows, nothing, opened, query, sent
from tests.bulk.processes import ROOT

pytestmark = pytest.mark.anyio

OPENS: Final = """
import sys, anyio
from ippanel_edge.bulk import sqlite_file
from ippanel_edge.bulk.records import CampaignError
from ippanel_edge.bulk.sqlite import SqliteLedger

async def main():
    try:
        await SqliteLedger(sys.argv[1]).open(None)
    except CampaignError as error:
        print(error)

anyio.run(main)
"""


def opens_elsewhere(path: Path) -> str:
    """Open a ledger in another process, and return the error."""
    command = [sys.executable, "-c", OPENS, str(path)]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S603 - this Python


# The owner.


async def test_a_second_owner_is_rejected_in_this_process_and_in_others(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    async with opened(path):
        assert "another process uses the ledger" in opens_elsewhere(path)
        with pytest.raises(CampaignError, match="another process uses the ledger"):
            await SqliteLedger(path).open(TERMS)
        assert "another process uses the ledger" in opens_elsewhere(path), "the second attempt ended the owner's lock"
    assert opens_elsewhere(path) == ""


async def test_a_link_to_a_ledger_has_the_same_owner(tmp_path: Path) -> None:
    path, link = tmp_path / "ledger.db", tmp_path / "other" / "link.db"
    link.parent.mkdir()
    link.symlink_to(path)
    async with opened(path):
        with pytest.raises(CampaignError, match="another process uses the ledger"):
            await SqliteLedger(link).open(TERMS)


async def test_a_ledger_that_is_open_is_not_opened_again(tmp_path: Path) -> None:
    async with opened(tmp_path / "ledger.db") as ledger:
        with pytest.raises(CampaignError, match="open already"):
            await ledger.open(TERMS)
        assert await ledger.counts() == Counts(), "it is open still"
    await ledger.open(TERMS)
    await ledger.aclose()
    await ledger.aclose()


async def test_a_closed_ledger_says_so(tmp_path: Path) -> None:
    async with opened(tmp_path / "ledger.db") as ledger:
        pass
    for work in (ledger.counts, lambda: ledger.begin_load("rows"), lambda: claim(ledger)):
        with pytest.raises(CampaignError, match="the ledger is closed"):
            await work()
    with pytest.raises(CampaignError, match="not open"):
        _ = ledger.terms


async def test_a_ledger_is_read_while_its_owner_writes(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    async with opened(path) as ledger:
        await load(ledger, ["a", "b"])
        reader = SqliteLedger(path, read_only=True)
        assert await reader.open(None) == TERMS
        await claim(ledger)
        assert (await reader.counts()).sending == 2
        with pytest.raises(LedgerError, match="readonly"):
            await reader.begin_load("rows")
        await reader.aclose()
        assert (await ledger.counts()).sending == 2, "a reader that closes settles nothing"


# The files.


async def test_only_the_user_may_read_the_files(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    before = os.umask(0)
    try:
        async with opened(path) as ledger:
            await load(ledger, ["a"])
            modes = {file.name: file.stat().st_mode & 0o777 for file in sorted(tmp_path.iterdir())}  # noqa: ASYNC240 - quick
    finally:
        os.umask(before)
    names = ["ledger.db", "ledger.db-shm", "ledger.db-wal", "ledger.db.lock"]
    assert modes == dict.fromkeys(names, 0o600)


async def test_commits_are_durable(tmp_path: Path) -> None:
    async with opened(tmp_path / "ledger.db") as ledger:
        connection = ledger._file._connection
        assert connection is not None
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,), "FULL"
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("PRAGMA user_version=2", "has version 2, expected 1"),
        ("PRAGMA application_id=1", "is a database, but not a ledger"),
        ("PRAGMA application_id=0", "is a database, but not a ledger"),
    ],
)
async def test_a_database_of_another_kind_is_rejected(
    sql: str, message: str, *, read_only: bool, tmp_path: Path
) -> None:
    path = tmp_path / "ledger.db"
    async with opened(path):
        pass
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(sql)
    with pytest.raises(CampaignError, match=message):
        await SqliteLedger(path, read_only=read_only).open(TERMS)


async def test_a_file_that_is_no_database_is_rejected_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "numbers.csv"
    path.write_text("mobile\n" + "09121234567\n" * 100)
    before = path.read_bytes()
    with pytest.raises(CampaignError, match="is not a ledger"):
        await SqliteLedger(path).open(TERMS)
    assert path.read_bytes() == before


@pytest.mark.parametrize("terms", [None, TERMS])
async def test_there_is_no_ledger(terms: Terms | None, tmp_path: Path) -> None:
    path = tmp_path / ("ledger.db" if terms is None else "missing/ledger.db")
    with pytest.raises(CampaignError, match="there is no ledger" if terms is None else "No such file"):
        await SqliteLedger(path).open(terms)
    assert not path.exists()


async def test_an_empty_file_becomes_a_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.touch()  # its owner was killed after creating it
    with pytest.raises(CampaignError, match="has no campaign"):
        await SqliteLedger(path).open(None)
    async with opened(path) as ledger:
        assert await ledger.counts() == Counts()


async def test_a_locked_ledger_is_a_ledger_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ippanel_edge.bulk.sqlite_file._BUSY", 0.0)
    path = tmp_path / "ledger.db"
    async with opened(path) as ledger:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(LedgerError, match="database is locked"):
                await load(ledger, ["a"])
        assert (await load(ledger, ["a"])).added == 1


# The campaign.


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"from_number": "+983000100300"}, "from_number"),
        ({"kind": Kind.ONE_TEXT, "message": "a"}, "kind"),
        ({"message": "{a}"}, "message"),
    ],
)
async def test_terms_cannot_change_after_a_load(change: dict[str, Any], name: str, tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    changed = attrs.evolve(TERMS, **change)
    async with opened(path):
        pass
    async with opened(path, changed) as ledger:  # there is no row yet
        assert ledger.terms == changed
    async with opened(path) as ledger:
        await load(ledger, ["a"])
    with pytest.raises(CampaignError) as caught:
        await SqliteLedger(path).open(changed)
    assert caught.value.argument == name
    async with opened(path, None) as ledger:
        assert ledger.terms == TERMS


async def test_two_loads_at_a_time_are_rejected(tmp_path: Path) -> None:
    async with opened(tmp_path / "ledger.db") as ledger:
        first = await ledger.begin_load("first")
        with pytest.raises(CampaignError, match="another load"):
            await ledger.begin_load("second")
        await ledger.abandon_load(first)
        assert (await load(ledger, ["a"])).added == 1
        assert (await load(ledger, ["b"], first=2)).added == 1


async def test_a_load_that_could_not_be_abandoned_leaves_no_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path / "ledger.db") as ledger:
        number = await ledger.begin_load("lost")
        await ledger.add(number, new_rows(["lost"]), [])
        with monkeypatch.context() as patch:
            patch.setattr("ippanel_edge.bulk.sqlite_statements.delete_load", _disk_is_full)
            with pytest.raises(LedgerError):
                await ledger.abandon_load(number)
        assert (await load(ledger, ["a"], first=2)).added == 1
        assert [row.recipient for _, row in await ledger.report(after=0, limit=9, states=list(State))] == [
            "+989120000002"
        ]


def _disk_is_full(*_: object) -> None:
    raise sqlite3.OperationalError("database or disk is full")


async def test_a_finished_load_is_not_abandoned(tmp_path: Path) -> None:
    async with opened(tmp_path / "ledger.db") as ledger:
        await load(ledger, ["a"])
        await ledger.abandon_load(1)  # a cancellation arrived just after the commit
        assert len(await ledger.report(after=0, limit=9, states=list(State))) == 1


async def test_what_is_being_sent_when_the_ledger_closes_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    async with opened(path) as ledger:
        await load(ledger, ["a", "b", "c"])
        await claim(ledger)
    assert query(path, "SELECT state FROM chunks ORDER BY id") == [("unknown",), ("pending",)]


async def test_a_chunk_that_is_not_being_sent_is_not_settled(tmp_path: Path) -> None:
    async with opened(tmp_path / "ledger.db") as ledger:
        await load(ledger, ["a"])
        with pytest.raises(CampaignError, match="chunk 1 is not being sent"):
            await ledger.settle(1, sent(7))
        with pytest.raises(CampaignError, match="no chunk 9"):
            await ledger.settle(9, sent(7))
        await claim(ledger)
        await ledger.settle(1, sent(7))
        for again in (sent(8), Settlement(state=State.PENDING)):
            with pytest.raises(CampaignError, match="chunk 1 is not being sent"):
                await ledger.settle(1, again)
        assert await ledger.claim(nothing, 1) is None


async def test_an_error_of_one_task_is_not_that_of_others_in_the_same_transaction(tmp_path: Path) -> None:
    async with opened(tmp_path / "ledger.db") as ledger:
        await load(ledger, ["a", "b", "c"], size=1)
        errors: list[CampaignError] = []
        for _ in range(3):
            await claim(ledger)

        async def settle(chunk_id: int) -> None:
            try:
                await ledger.settle(chunk_id, sent(chunk_id))
            except CampaignError as error:
                errors.append(error)

        async with anyio.create_task_group() as tasks:
            for chunk_id in (1, 2, 9, 3):
                tasks.start_soon(settle, chunk_id)
        assert [error.argument for error in errors] == ["chunk_id"]
        assert (await ledger.counts()).sent == 3


async def test_tasks_share_a_transaction(tmp_path: Path) -> None:
    async with opened(tmp_path / "ledger.db") as ledger:
        await load(ledger, ["a"] * 20, size=1)
        commits: list[str] = []
        connection = ledger._file._connection
        assert connection is not None
        connection.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
        claimed: list[int] = []

        async def take() -> None:
            claimed.append((await claim(ledger)).chunk.id)

        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(take)
        assert sorted(claimed) == list(range(1, 21)), "each chunk is claimed once"
        assert len(commits) < 5


# The ids of messages.


async def test_ids_of_messages_are_known_however_many_there_are(tmp_path: Path) -> None:
    async with opened(tmp_path / "ledger.db") as ledger:
        await load(ledger, ["a", "b", "c", "d", "e", "f", "g", "h", "i"], size=3)
        for ids in [(1,), (2, 3, 4), (5, 6)]:  # one for all rows, one for each, and neither
            await ledger.settle((await claim(ledger)).chunk.id, sent(*ids))
        assert await ledger.known_ids(range(9)) == {1, 2, 3, 4, 5, 6}
        rows = await ledger.report(after=0, limit=9, states=[State.SENT])
        assert [row.message_outbox_id for _, row in rows] == [1, 1, 1, 2, 3, 4, None, None, None]
        assert [chunk.message_outbox_ids for chunk in await ledger.chunks(State.SENT)] == [(1,), (), (5, 6)]


async def test_a_message_of_many_proven_rows_is_read_once(tmp_path: Path) -> None:
    async with opened(tmp_path / "ledger.db") as ledger:
        await load(ledger, ["a", "b", "c"], size=3)
        claimed = await claim(ledger)
        await ledger.settle(1, Settlement(state=State.UNKNOWN))
        await ledger.prove_sent(1, {row_id: 7 for row_id, _, _ in claimed.rows})
        assert await ledger.undelivered(after=0, limit=9) == [(7, 3)]
        await ledger.set_delivery(7, {"+989120000001": "delivered"})
        assert await ledger.undelivered(after=0, limit=9) == [(7, 3)], "two rows may change still"
        await ledger.set_delivery(7, {"": "failed", "+989120000001": "delivered"})
        assert await ledger.undelivered(after=0, limit=9) == []
        assert (await ledger.counts()).not_delivered == 2


async def test_a_proven_row_is_not_sent_again_with_its_chunk(tmp_path: Path) -> None:
    async with opened(tmp_path / "ledger.db") as ledger:
        await load(ledger, ["a", "b"])
        (first, _, _), (second, _, _) = (await claim(ledger)).rows
        await ledger.settle(1, Settlement(state=State.UNKNOWN, error="broken"))
        await ledger.prove_sent(1, {first: 7})
        assert await ledger.release(State.UNKNOWN) == 1
        assert [row[0] for row in (await claim(ledger)).rows] == [second]
        await ledger.settle(1, sent(8))
        rows = await ledger.report(after=0, limit=9, states=list(State))
        assert [(row.state, row.message_outbox_id) for _, row in rows] == [(State.SENT, 7), (State.SENT, 8)]


async def test_the_report_is_read_with_plain_sqlite_while_the_campaign_runs(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    async with opened(path) as ledger:
        await load(ledger, ["a", "b", "c"])
        await claim(ledger)
        sql = "SELECT line, recipient, content, state FROM report ORDER BY id"
        assert query(path, sql) == [
            (1, "+989120000001", "a", "sending"),
            (2, "+989120000002", "b", "sending"),
            (3, "+989120000003", "c", "pending"),
        ]


async def test_a_claim_whose_content_is_invalid_leaves_the_chunk_pending(tmp_path: Path) -> None:
    async with opened(tmp_path / "ledger.db") as ledger:
        await load(ledger, ["a"])

        def build(*_: object) -> None:
            raise json.JSONDecodeError("bad", "", 0)

        with pytest.raises(json.JSONDecodeError):
            await ledger.claim(build)
        assert await ledger.pending_chunks() == {Method.PEER_TO_PEER: 1}
        assert (await ledger.chunks(State.PENDING))[0].attempts == 0


_CREATING = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size=1")
connection.execute("BEGIN")
connection.execute("CREATE TABLE a (b)")
connection.executemany("INSERT INTO a VALUES (randomblob(5000))", [()] * 50)
os._exit(9)
"""


async def test_a_ledger_whose_creation_was_killed_is_named_to_a_reader(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    await anyio.run_process([sys.executable, "-c", _CREATING, str(path)], check=False)
    assert await anyio.Path(path.with_name("ledger.db-journal")).exists()
    with pytest.raises(CampaignError, match="ended too early; run the campaign again"):
        await SqliteLedger(path, read_only=True).open(None)
    with pytest.raises(CampaignError, match="no campaign"):  # a writer completes it
        await SqliteLedger(path).open(None)


# A folder that cannot be written.


class Refused(sqlite3.Connection):
    """A connection in a folder that cannot be written: root, as which tests may run, can write everywhere."""

    name = "SQLITE_READONLY_DIRECTORY"

    def execute(self, *_: Any) -> sqlite3.Cursor:
        error = sqlite3.OperationalError("attempt to write a readonly database")
        error.sqlite_errorname = self.name
        raise error


@pytest.fixture(params=["SQLITE_READONLY_DIRECTORY", "SQLITE_CANTOPEN"])
def read_only_folder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the error with which SQLite refuses to open a ledger, unless nothing in the folder is needed."""
    monkeypatch.setattr(Refused, "name", request.param)
    connect = sqlite_file._connect

    def connect_in_it(uri: str, *, timeout: float) -> sqlite3.Connection:
        is_blocked = "mode=ro" in uri and "immutable=1" not in uri
        return sqlite3.connect(":memory:", factory=Refused) if is_blocked else connect(uri, timeout=timeout)

    monkeypatch.setattr(sqlite_file, "_connect", connect_in_it)
    return str(request.param)


@pytest.mark.usefixtures("read_only_folder")
async def test_a_finished_ledger_is_read_in_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    async with opened(path) as ledger:
        await load(ledger, ["a", "b"])
    reader = SqliteLedger(path, read_only=True)
    assert await reader.open(None) == TERMS
    assert (await reader.counts()).pending == 2
    await reader.aclose()


async def test_a_journal_in_a_folder_that_cannot_be_written_is_named(tmp_path: Path, read_only_folder: str) -> None:
    path = tmp_path / "ledger.db"
    async with opened(path) as ledger:
        await load(ledger, ["a"])
        with pytest.raises((CampaignError, LedgerError)) as caught:
            await SqliteLedger(path, read_only=True).open(None)
    reason = "a folder that this user may write" if "READONLY" in read_only_folder else "cannot open the ledger"
    assert reason in str(caught.value)
    assert "ended too early" not in str(caught.value)
