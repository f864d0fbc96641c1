"""What a ledger in PostgreSQL refuses: other event loops, wrong arguments, other versions; and what its errors show."""

from __future__ import annotations

import sys

import anyio
import pytest
from psycopg import AsyncConnection

from ippanel_edge import bulk
from ippanel_edge.bulk import BadRow, CampaignError, Counts, Kind, LedgerError, Method, PostgresLedger, Terms
from ippanel_edge.errors import ConfigurationError, InvalidArgument
from tests.bulk.postgres.campaigns import TERMS, build, execute, load, sent
from tests.bulk.postgres.conftest import OpenLedger

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("anyio_backend", ["trio"])
async def test_trio_is_refused(database: str) -> None:
    with pytest.raises(ConfigurationError, match="needs asyncio"):
        await PostgresLedger(database, "spring").open(TERMS)


@pytest.mark.parametrize(
    "conninfo",
    [
        "postgresql://user:pa@sesame@host/name",
        "postgresql://user:p/sesame@host/name",
        "postgres//user:sesame@host/name",
        "sesame",
        b"password=sesame",
    ],
)
def test_a_wrong_connection_string_is_not_repeated(conninfo: str) -> None:
    with pytest.raises(InvalidArgument, match="conninfo") as caught:
        PostgresLedger(conninfo, "spring")
    assert "ame" not in str(caught.value).replace("name", "")


@pytest.mark.parametrize(("campaign", "connections"), [("", 4), ("spring", 0), ("spring", "4")])
def test_wrong_arguments_are_refused(campaign: str, connections: int) -> None:
    with pytest.raises(InvalidArgument):
        PostgresLedger("dbname=x", campaign, connections=connections)


async def test_errors_do_not_contain_the_password() -> None:
    ledger = PostgresLedger("postgresql://user:sesame@localhost:1/name", "spring")
    assert "sesame" not in repr(ledger)
    with pytest.raises(LedgerError, match=r"\(localhost/name\).*check that the server runs") as caught:
        await ledger.open(TERMS)
    error: BaseException | None = caught.value
    while error is not None:
        assert "sesame" not in f"{error} {error!r}"
        error = error.__cause__ or error.__context__


async def test_a_missing_database_has_a_remedy(database: str) -> None:
    ledger = PostgresLedger(database.replace("dbname=", "dbname=no_"), "spring")
    with pytest.raises(LedgerError, match="does not exist"):
        await ledger.open(TERMS)


async def test_missing_rights_have_a_remedy(database: str) -> None:
    execute(database, "DO $$ BEGIN CREATE ROLE guest LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    ledger = PostgresLedger(database.replace("user=postgres", "user=guest"), "spring")
    with pytest.raises(LedgerError, match=r"permission denied.*grant the user CREATE"):
        await ledger.open(TERMS)


async def test_tables_of_another_version_are_refused(open_ledger: OpenLedger, database: str) -> None:
    await open_ledger()
    execute(database, "UPDATE ippanel_edge.version SET version = 2")
    with pytest.raises(CampaignError, match="version 2, expected 1"):
        await open_ledger()


async def test_resuming_creates_no_tables(open_ledger: OpenLedger, database: str) -> None:
    with pytest.raises(CampaignError, match="no campaign 'spring'"):
        await open_ledger(None)
    assert execute(database, "SELECT to_regnamespace('ippanel_edge')") == [(None,)]


async def test_a_load_with_terms_that_were_changed_meanwhile_is_refused(open_ledger: OpenLedger) -> None:
    early, late = await open_ledger(), await open_ledger(Terms(from_number="+983000506", kind=Kind.OWN_TEXT))
    with pytest.raises(CampaignError, match="from_number"):
        await load(early, 1)
    assert (await load(late, 1)).added == 1


async def test_commits_are_durable_though_the_server_is_set_otherwise(open_ledger: OpenLedger, database: str) -> None:
    name = database.rpartition("=")[2]
    execute(database, f"ALTER DATABASE {name} SET synchronous_commit = off")
    ledger = await open_ledger()
    async with ledger._connections.lend() as connection:
        cursor = await connection.execute("SHOW synchronous_commit")
        assert await cursor.fetchone() == ("on",)


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
async def test_workers_begin_a_campaign_at_once_at_any_isolation_level(
    open_ledger: OpenLedger, database: str, isolation: str
) -> None:
    name = database.rpartition("=")[2]
    execute(database, f"ALTER DATABASE {name} SET default_transaction_isolation = '{isolation}'")
    ledgers: list[PostgresLedger] = []

    async def work() -> None:
        ledger = await open_ledger()  # the first one creates the tables
        ledgers.append(ledger)
        await load(ledger, 40)  # the first one adds the rows
        while (claimed := await ledger.claim(build)) is not None:
            await ledger.settle(claimed.chunk.id, sent(claimed.chunk.id), token=claimed.token)

    async with anyio.create_task_group() as tasks:
        for _ in range(6):
            tasks.start_soon(work)
    assert await ledgers[0].counts() == Counts(sent=40)


async def test_a_read_is_a_snapshot(open_ledger: OpenLedger) -> None:
    async def isolation(connection: AsyncConnection) -> object:
        return await (await connection.execute("SHOW transaction_isolation")).fetchone()

    ledger = await open_ledger()
    assert await ledger._connections.read(isolation) == ("repeatable read",)
    assert await ledger._connections.transact(isolation) == ("read committed",)


async def test_the_report_is_a_view(open_ledger: OpenLedger, database: str) -> None:
    await load(await open_ledger(), 2, size=2)
    found = execute(database, "SELECT campaign, id, source, line, recipient, content, state FROM ippanel_edge.report")
    assert found == [
        ("spring", 1, "rows", 1, "+989120000001", "hello", "pending"),
        ("spring", 2, "rows", 2, "+989120000002", "hello", "pending"),
    ]


async def test_what_cannot_be_stored_is_replaced(open_ledger: OpenLedger) -> None:
    ledger = await open_ledger()
    number = await ledger.begin_load("rows\0")
    await ledger.add(number, (), [BadRow("rows", 1, "a\0b\ud800", "not\0a number")])
    await ledger.finish_load(number, lambda _: (Method.WEBSERVICE, 1))
    assert await ledger.bad_rows(after=0, limit=1) == [(1, BadRow("rows\ufffd", 1, "a\ufffdb?", "not\ufffda number"))]


def test_a_missing_driver_has_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("ippanel_edge.bulk.postgres")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delattr("ippanel_edge.bulk.postgres")
    monkeypatch.delattr(bulk, "PostgresLedger", raising=False)  # a name that was imported is kept
    with pytest.raises(ImportError, match=r"PostgresLedger needs the extra postgres: pip install"):
        _ = bulk.PostgresLedger
