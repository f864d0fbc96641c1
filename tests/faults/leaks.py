"""Finds secrets in log records and in exceptions, including related exceptions and local variables."""

from __future__ import annotations

import logging
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator

LOGGERS: Final = ("ippanel_edge", "httpx", "httpcore", "h11", "hpack", "asyncio")


class LogRecorder(logging.Handler):
    """Records each log record as a str, with all attributes that a formatter could use."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(f"{record.name}: {record.getMessage()} {record.__dict__!r}")

    def containing(self, *secrets: str) -> list[str]:
        """Return the records that contain one of the secrets."""
        return [record for record in self.records if any(secret in record for secret in secrets)]


@contextmanager
def recorded_logs() -> Generator[LogRecorder]:
    """Record all log records of this package and its libraries, at level DEBUG."""
    recorder = LogRecorder()
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [(logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.addHandler(recorder)
        logger.setLevel(logging.DEBUG)
        logger.propagate = False  # other handlers do not need the debug records
    try:
        yield recorder
    finally:
        for logger, (level, propagate) in zip(loggers, before, strict=True):
            logger.removeHandler(recorder)
            logger.setLevel(level)
            logger.propagate = propagate


def related_exceptions(error: BaseException) -> list[BaseException]:
    """Return an exception, its causes and contexts, including suppressed ones, and the members of exception groups."""
    found: list[BaseException] = []
    pending: list[BaseException | None] = [error]
    while pending:
        exception = pending.pop()
        if exception is None or any(exception is known for known in found):
            continue
        found.append(exception)
        pending += [exception.__cause__, exception.__context__]
        if isinstance(exception, BaseExceptionGroup):
            pending += list(exception.exceptions)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    return found


def representations(error: BaseException) -> dict[str, str]:
    """Return all representations of an exception, by name."""
    shown: dict[str, str] = {}
    for number, exception in enumerate(related_exceptions(error)):
        name = f"{type(exception).__name__} {number}"
        report = traceback.TracebackException(type(exception), exception, exception.__traceback__, capture_locals=True)
        shown[f"{name}: str"] = str(exception)
        shown[f"{name}: repr"] = repr(exception)
        shown[f"{name}: vars"] = repr(vars(exception))
        shown[f"{name}: traceback with locals"] = "".join(report.format(chain=False))
    return shown


def leaks(error: BaseException, *secrets: str) -> list[str]:
    """Return the representations of an exception that contain a secret, with the lines that contain it."""
    return [
        f"{name} shows {secret!r} in {line.strip()[:300]!r}"
        for name, text in representations(error).items()
        for secret in secrets
        for line in text.splitlines()
        if secret in line
    ]
