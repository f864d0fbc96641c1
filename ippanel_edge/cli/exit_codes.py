"""The exit codes of the command line."""

from __future__ import annotations

from enum import IntEnum

from ippanel_edge.bulk.records import Counts


class ExitCode(IntEnum):
    """What a program that starts the command can decide on."""

    OK = 0
    """Every row was sent, or the command did what it was asked for."""
    ERROR = 1
    """Another error: the service cannot be reached or rejects a read, the disk is full, or the answer was no."""
    USAGE = 2
    """A wrong option, file, setting or ledger. Nothing was sent."""
    REJECTED = 3
    """Every row is settled, and the service rejected some."""
    UNKNOWN = 4
    """Some rows are unknown: perhaps accepted. Others may have been rejected."""
    STOPPED = 5
    """It stopped before the end, so rows are pending. Others may be unknown or rejected."""
    INTERRUPTED = 130
    """Ctrl-C or SIGTERM."""


def of_counts(counts: Counts) -> ExitCode:
    """Return the exit code of a run by the states of its rows."""
    if counts.pending:
        return ExitCode.STOPPED
    if counts.unknown or counts.sending:
        return ExitCode.UNKNOWN
    return ExitCode.REJECTED if counts.rejected else ExitCode.OK
