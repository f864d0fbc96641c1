"""Where a secret could come to light: log records, an exception and all that hangs on it. It only finds."""

from __future__ import annotations

import logging
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator

LOGGERS: Final = ("ippanel_edge", "httpx", "httpcore", "h11", "hpack", "asyncio")


class Eavesdropper(logging.Handler):
    """Keeps each log record as text, with everything that a formatter could take out of it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(f"{record.name}: {record.getMessage()} {record.__dict__!r}")

    def hearing(self, *secrets: str) -> list[str]:
        """The records that hold one of the secrets."""
        return [said for said in self.heard if any(secret in said for secret in secrets)]


@contextmanager
def eavesdropping() -> Generator[Eavesdropper]:
    """Listen to all that this package and its libraries log, at DEBUG."""
    ear = Eavesdropper()
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [(logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.addHandler(ear)
        logger.setLevel(logging.DEBUG)
        logger.propagate = False  # nobody else needs to write all of it down
    try:
        yield ear
    finally:
        for logger, (level, propagate) in zip(loggers, before, strict=True):
            logger.removeHandler(ear)
            logger.setLevel(level)
            logger.propagate = propagate


def family(error: BaseException) -> list[BaseException]:
    """An exception with its causes, its contexts, also suppressed ones, and the members of its groups."""
    found: list[BaseException] = []
    open_ends: list[BaseException | None] = [error]
    while open_ends:
        each = open_ends.pop()
        if each is None or any(each is known for known in found):
            continue
        found.append(each)
        open_ends += [each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):
            open_ends += list(each.exceptions)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    return found


def shown_by(error: BaseException) -> dict[str, str]:
    """All the ways in which an exception shows itself: the way's name to its text."""
    shown: dict[str, str] = {}
    for number, each in enumerate(family(error)):
        name = f"{type(each).__name__} {number}"
        report = traceback.TracebackException(type(each), each, each.__traceback__, capture_locals=True)
        shown[f"{name}: str"] = str(each)
        shown[f"{name}: repr"] = repr(each)
        shown[f"{name}: vars"] = repr(vars(each))
        shown[f"{name}: traceback with locals"] = "".join(report.format(chain=False))
    return shown


def leaks(error: BaseException, *secrets: str) -> list[str]:
    """The ways in which an exception shows one of the secrets, each with the lines that hold it."""
    return [
        f"{way} shows {secret!r} in {line.strip()[:300]!r}"
        for way, text in shown_by(error).items()
        for secret in secrets
        for line in text.splitlines()
        if secret in line
    ]
