"""A new ledger stays in a temporary folder until sending begins, so that a command that sends nothing leaves none."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs

from ippanel_edge.bulk.records import CampaignError, LedgerError
from ippanel_edge.bulk.sqlite_file import connect_to_read


@attrs.frozen
class Staged:
    """The ledger to load into.

    Attributes:
        path: its present path.
        keep: makes it the ledger of the campaign. It must be closed.
    """

    path: Path
    keep: Callable[[], None]


@contextmanager
def staged(ledger: Path, *, dry_run: bool) -> Generator[Staged]:
    """Return the ledger to load into: an existing one itself; a new one, or that of a dry run, in a temporary folder.

    Args:
        ledger: the path of the ledger.
        dry_run: whether to load into a copy, if the ledger exists.

    Raises:
        CampaignError: the folder of the ledger is missing or cannot be written, or the ledger cannot be read.
    """
    exists = ledger.exists()
    if exists and not dry_run:
        yield Staged(ledger, lambda: None)
        return
    if not exists:
        _check_no_journal(ledger)
    try:
        folder = TemporaryDirectory(prefix=f".{ledger.name}." if not dry_run else None, dir=_folder(ledger, dry_run))
    except OSError as error:
        raise CampaignError(f"cannot create the ledger {str(ledger)!r}: {error.strerror}") from error
    with folder as name:
        path = Path(name, ledger.name)
        if exists:
            _copy(ledger, path)
        yield Staged(path, lambda: _move(path, ledger))


def _folder(ledger: Path, dry_run: bool) -> Path | None:  # noqa: FBT001 - private
    """Return the folder of the temporary folder: a ledger can be moved within its file system only."""
    return None if dry_run else ledger.absolute().parent


def _check_no_journal(ledger: Path) -> None:
    """Check that no journal is left of a ledger that was deleted: SQLite would apply it to the new one."""
    journal = Path(f"{ledger}-wal")
    if journal.exists() and journal.stat().st_size:
        raise CampaignError(
            f"{str(journal)!r} is left of a ledger that was deleted; delete it too, or use another ledger"
        )


def _copy(ledger: Path, path: Path) -> None:
    """Copy a ledger, which another process may be using."""
    try:
        with closing(connect_to_read(ledger)) as source, closing(sqlite3.connect(path)) as copy:
            source.backup(copy)
    except sqlite3.Error as error:
        raise CampaignError(f"cannot read the ledger {str(ledger)!r}: {error}") from error


def _move(path: Path, ledger: Path) -> None:
    """Move a closed ledger to its path, where no file may be.

    SQLite itself makes the entry in the folder durable: with the first commit there, before a request is sent.
    """
    _check_no_journal(ledger)
    if Path(f"{path}-wal").exists():  # its last part could not be written
        raise LedgerError(f"cannot write the ledger {str(ledger)!r}; free the disk and begin again")
    try:
        _move_exclusively(path, ledger)
    except FileExistsError as error:
        raise CampaignError(
            f"the ledger {str(ledger)!r} was created by another process meanwhile; nothing was sent"
        ) from error
    except OSError as error:
        raise CampaignError(f"cannot create the ledger {str(ledger)!r}: {error.strerror}") from error


def _move_exclusively(path: Path, ledger: Path) -> None:
    try:
        os.link(path, ledger)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        os.close(os.open(ledger, os.O_CREAT | os.O_EXCL))
        path.replace(ledger)
