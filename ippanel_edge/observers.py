"""Delivers the events of calls to the listeners of a client and to the log. It never changes the result of a call."""

from __future__ import annotations

import logging
import traceback
from functools import partial
from typing import Any, Literal

import attrs

from ippanel_edge import logs
from ippanel_edge.endpoints import ONCE
from ippanel_edge.errors import ConfigurationError, EdgeError
from ippanel_edge.events import AttemptBegan, AttemptEnded, CallBegan, CallEnded, Event, RetryPlanned, WaitBegan
from ippanel_edge.hooks import Listener
from ippanel_edge.wire.attempts import Attempts


@attrs.frozen(eq=False, repr=False)
class Observers:
    """The listeners of a client, and the log.

    An event is built only if it has a receiver. `now` is always the time of the monotonic clock.
    """

    listeners: tuple[Listener, ...] = ()

    def call_began(self, attempts: Attempts, now: float) -> None:
        """Report that a call begins. Listeners only."""
        attempts.began = now
        if self.listeners:
            self._listen(CallBegan(**_of(attempts, now), recipients=attempts.call.recipients))

    def wait_began(
        self, attempts: Attempts, now: float, waits_for: Literal["rate_limit", "login"], delay: float | None = None
    ) -> None:
        """Report that a call waits before a request."""
        if self._wanted(logging.INFO):
            self._deliver(WaitBegan(**_of(attempts, now), waits_for=waits_for, delay=delay), logging.INFO)

    def attempt_began(self, attempts: Attempts, now: float) -> None:
        """Report that a request begins. Listeners only."""
        attempts.attempt_began = now
        if self.listeners:
            self._listen(AttemptBegan(**_of(attempts, now), attempt=attempts.count))

    def attempt_ended(self, attempts: Attempts, now: float) -> None:
        """Report that a request ended."""
        if self._wanted(logging.DEBUG):
            event = AttemptEnded(
                **_of(attempts, now),
                attempt=attempts.count,
                seconds=now - attempts.attempt_began,
                status_code=attempts.status_code,
                outcome=attempts.current_outcome,
                reason=attempts.reason or ("ended without a response" if attempts.is_open else ""),
            )
            self._deliver(event, logging.DEBUG)

    def retry_planned(self, attempts: Attempts, now: float, delay: float, failure: EdgeError) -> None:
        """Report that another request follows."""
        if self._wanted(logging.INFO):
            reason = attempts.reason or type(failure).__name__
            event = RetryPlanned(**_of(attempts, now), attempt=attempts.count, delay=delay, reason=reason)
            self._deliver(event, logging.INFO)

    def call_ended(self, attempts: Attempts, now: float, error: BaseException | None = None) -> None:
        """Report that a call ended.

        Args:
            attempts: the record of the call.
            now: the time.
            error: the exception that the call raises; None if it returns.
        """
        level = _level(attempts, error)
        if not self._wanted(level):
            return
        event = CallEnded(
            **_of(attempts, now),
            seconds=now - attempts.began,
            attempts=attempts.count,
            status_code=attempts.status_code,
            outcome=None if error is None else attempts.outcome_of(error),
            error="" if error is None else type(error).__name__,
            reason=attempts.reason,
            recipients=attempts.call.recipients,
            message_outbox_ids=attempts.message_outbox_ids,
            interrupted=error is not None and attempts.interrupted,
        )
        self._deliver(event, level)

    def _wanted(self, level: int) -> bool:
        return bool(self.listeners) or logs.LOGGER.isEnabledFor(level)

    def _deliver(self, event: Event, level: int) -> None:
        self._listen(event)
        if logs.LOGGER.isEnabledFor(level):
            _call(partial(logs.write, level=level), event, "log")

    def _listen(self, event: Event) -> None:
        for listener in self.listeners:
            _call(listener, event, getattr(listener, "__qualname__", type(listener).__name__))


def _of(attempts: Attempts, now: float) -> dict[str, Any]:
    """Return the fields of every event. The path of `client.request` is the caller's and may contain a number."""
    call = attempts.call
    path = "" if call.endpoint.name == "request" else call.endpoint.path
    return {
        "call_id": attempts.number,
        "endpoint": call.endpoint.name,
        "method": call.method,
        "path": path,
        "at": now,
    }


def _level(attempts: Attempts, error: BaseException | None) -> int:
    """Return the level of the record of a call that ended."""
    if error is None:
        return logging.INFO if attempts.message_outbox_ids else logging.DEBUG
    if isinstance(error, ConfigurationError):
        return logging.WARNING if attempts.may_be_executed else logging.DEBUG
    may_be_executed = attempts.may_be_executed or attempts.is_pending
    is_lost = attempts.call.repeat is ONCE and (may_be_executed or attempts.interrupted)
    return logging.WARNING if isinstance(error, EdgeError) or is_lost else logging.DEBUG


def _call(listener: Listener, event: Event, name: str) -> None:
    """Pass an event to a listener. Its exception is logged, and does not reach the call.

    The traceback is logged as text: its frames, and those of related exceptions, may hold the secrets of a call.
    """
    try:
        listener(event)
    except Exception as error:  # noqa: BLE001 - of any kind: the call has its own result
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__, chain=False))
        problem = f"{event.endpoint}: the listener {name} raised {type(error).__name__} at {type(event).__name__}"
    else:
        return
    try:
        logs.LOGGER.error("%s; the call is not affected\n%s", problem, text, extra=logs.fields(event))
    except Exception:  # noqa: BLE001 - a broken filter of the application; like a broken handler of `logging`
        traceback.print_exc(chain=False)
