"""The log: one record for an event of a call, on the logger `ippanel_edge`, and its output if IPPANEL_LOG is set."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, Final, cast

import attrs

from ippanel_edge.config import ENV_LOG
from ippanel_edge.errors import ConfigurationError

if TYPE_CHECKING:
    from ippanel_edge.events import CallEnded, Event

LOGGER: Final = logging.getLogger("ippanel_edge")
_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}
_STANDARD: Final = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"})
_LOCK: Final = threading.Lock()


def write(event: Event, level: int) -> None:
    """Write the record of an event: a message, and the extra fields."""
    LOGGER.log(level, "%s: %s", event.endpoint, _described(event), extra=fields(event))


def fields(event: Event) -> dict[str, Any]:
    """Return the extra fields of a record: `event`, the name of the class, and the fields of the event."""
    return {"event": type(event).__name__, **attrs.asdict(event, recurse=False)}


def _described(event: Event) -> str:
    from ippanel_edge import events  # noqa: PLC0415 - a client imports this module, but events only for a record

    match event:
        case events.AttemptEnded():
            result = event.reason or f"HTTP {event.status_code}"
            return f"attempt {event.attempt} ended after {_ms(event.seconds)}: {result}"
        case events.RetryPlanned():
            return f"attempt {event.attempt} failed ({event.reason}); the next begins in {event.delay:.3g} s"
        case events.WaitBegan():
            wait = "for a login" if event.delay is None else f"{event.delay:.3g} s for its turn at the rate limit"
            return f"waits {wait}"
        case events.CallEnded():
            return _result(event)
        case _:
            return type(event).__name__


def _result(event: CallEnded) -> str:
    attempts = f"{event.attempts} attempt{'' if event.attempts == 1 else 's'}"
    ids = f", message_outbox_ids {', '.join(map(str, event.message_outbox_ids))}" if event.message_outbox_ids else ""
    if not event.error:
        return f"returned after {_ms(event.seconds)}, {attempts}{ids}"
    if event.interrupted:
        ended = "its deadline expired" if event.error == "OutcomeUnknown" else "it was cancelled"
        answer = "it may have been executed" if event.status_code is None else f"the service answered {_status(event)}"
        return f"{ended} after sending began; {answer}{ids}"
    outcome = "executed" if event.outcome is None else event.outcome.value
    why = f": {event.reason}" if event.reason else ""
    return f"failed with {event.error} ({outcome}) after {_ms(event.seconds)}, {attempts}{why}{ids}"


def _status(event: CallEnded) -> str:
    return f"HTTP {event.status_code}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


class _Formatter(logging.Formatter):
    """The time, the level, the message, and then the extra fields that have a value."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(name)s %(levelname)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        shown = " ".join(f"{name}={_shown(value)}" for name, value in extra.items() if value not in (None, "", ()))
        return f"{super().format(record)} [{shown}]" if shown else super().format(record)


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple):
        return ",".join(map(str, cast("tuple[object, ...]", value)))
    return str(value)


def configure(level: str | None) -> None:
    """Log to stderr from a level on, unless the logger has a handler already.

    Args:
        level: the value of IPPANEL_LOG: ``debug``, ``info`` or ``warning`` in any letter case; None or empty for no
            change.

    Raises:
        ConfigurationError: the level is not one of these.
    """
    if not level:
        return
    number = _LEVELS.get(level.strip().lower())
    if number is None:
        raise ConfigurationError(f"expected debug, info or warning, got {level!r}", argument=ENV_LOG)
    with _LOCK:
        if LOGGER.handlers:
            return
        handler = logging.StreamHandler()
        handler.setFormatter(_Formatter())
        LOGGER.addHandler(handler)
        LOGGER.setLevel(number)
