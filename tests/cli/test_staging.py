"""A new ledger gets its path when sending begins, and never takes the place of another one."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ippanel_edge.bulk.records import CampaignError, LedgerError
from ippanel_edge.cli.staging import staged


def make_database(path: Path, value: str = "new") -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (value TEXT)")
        connection.execute("INSERT INTO t VALUES (?)", (value,))
        connection.commit()


def value_of(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("SELECT value FROM t").fetchone()[0])


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "a.ledger.db"


@pytest.fixture(params=["hard links", "no hard links"])
def _file_system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: Path, target: Path) -> None:
        del source, target
        raise PermissionError(1, "Operation not permitted")

    if request.param == "no hard links":
        monkeypatch.setattr(os, "link", refuse)


@pytest.mark.usefixtures("_file_system")
def test_a_kept_ledger_is_moved(ledger: Path) -> None:
    with staged(ledger, dry_run=False) as stage:
        make_database(stage.path)
        assert not ledger.exists()
        stage.keep()
    assert value_of(ledger) == "new"
    assert list(ledger.parent.iterdir()) == [ledger]


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_ledger_that_is_not_kept_leaves_nothing(ledger: Path, dry_run: bool) -> None:  # noqa: FBT001 - a parameter
    with staged(ledger, dry_run=dry_run) as stage:
        make_database(stage.path)
    assert list(ledger.parent.iterdir()) == []


@pytest.mark.usefixtures("_file_system")
def test_a_ledger_that_another_process_created_meanwhile_is_not_replaced(ledger: Path) -> None:
    with staged(ledger, dry_run=False) as stage:
        make_database(stage.path)
        make_database(ledger, "of another process")
        with pytest.raises(CampaignError, match="created by another process meanwhile"):
            stage.keep()
    assert value_of(ledger) == "of another process"


def test_an_existing_ledger_is_used_as_it_is(ledger: Path) -> None:
    make_database(ledger, "old")
    with staged(ledger, dry_run=False) as stage:
        assert stage.path == ledger
        stage.keep()
    assert value_of(ledger) == "old"


def test_a_dry_run_uses_a_copy_with_what_is_in_the_journal(ledger: Path) -> None:
    with closing(sqlite3.connect(ledger)) as owner:
        owner.execute("PRAGMA journal_mode=WAL")
        make_database(ledger, "in the journal")
        with staged(ledger, dry_run=True) as stage:
            assert stage.path != ledger
            assert value_of(stage.path) == "in the journal"


def test_a_journal_of_a_deleted_ledger_is_refused(ledger: Path) -> None:
    journal = Path(f"{ledger}-wal")
    journal.write_bytes(b"pages")
    with pytest.raises(CampaignError, match="is left of a ledger that was deleted"), staged(ledger, dry_run=False):
        pytest.fail("SQLite would apply the journal to the new ledger")


def test_a_ledger_whose_journal_could_not_be_applied_is_not_moved(ledger: Path) -> None:
    with staged(ledger, dry_run=False) as stage:
        make_database(stage.path)
        Path(f"{stage.path}-wal").write_bytes(b"pages")
        with pytest.raises(LedgerError, match="free the disk"):
            stage.keep()
    assert not ledger.exists()


def test_a_ledger_that_cannot_be_moved_is_an_error(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(Path, "replace", refuse)
    with staged(ledger, dry_run=False) as stage:
        make_database(stage.path)
        with pytest.raises(CampaignError, match=r"cannot create the ledger '.*': Read-only file system"):
            stage.keep()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    ledger = tmp_path / "missing" / "a.db"
    with pytest.raises(CampaignError, match=r"cannot create the ledger '.*a\.db': No such file"):
        staged(ledger, dry_run=False).__enter__()


def test_a_file_that_is_no_database_cannot_be_copied(ledger: Path) -> None:
    ledger.write_text("mobile,name\n" * 100, "utf-8")
    with pytest.raises(CampaignError, match="file is not a database"):
        staged(ledger, dry_run=True).__enter__()
