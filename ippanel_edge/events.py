"""The events of a call, which listeners receive. They are built only if there is a listener or a log."""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

from ippanel_edge.errors import Outcome


@attrs.frozen(kw_only=True)
class CallEvent:
    """What all events have. No event contains a key, a token, a text, a phone number or a response.

    Attributes:
        call_id: the number of the call, unique in this process. All events of a call have the same.
        endpoint: the name of the call, such as ``reports.by_id``.
        method: the HTTP method.
        path: the path with the names of its parameters, such as ``/api/patterns/{pattern_code}``; empty for
            `client.request`.
        at: the time of the event: seconds of the monotonic clock.
    """

    call_id: int
    endpoint: str
    method: str
    path: str
    at: float


@attrs.frozen(kw_only=True)
class CallBegan(CallEvent):
    """A call begins, before its middleware.

    Attributes:
        recipients: the number of recipients of a send, if the call lists them all, otherwise None.
    """

    recipients: int | None


@attrs.frozen(kw_only=True)
class WaitBegan(CallEvent):
    """A call has to wait before a request.

    Attributes:
        waits_for: ``rate_limit``, or ``login``: for a login by this call or by another one.
        delay: seconds until the call's turn at the rate limit; None for a login.
    """

    waits_for: Literal["rate_limit", "login"]
    delay: float | None


@attrs.frozen(kw_only=True)
class AttemptBegan(CallEvent):
    """A request begins.

    Attributes:
        attempt: the number of the request, from 1.
    """

    attempt: int


@attrs.frozen(kw_only=True)
class AttemptEnded(CallEvent):
    """A request ended.

    Attributes:
        attempt: the number of the request, from 1.
        seconds: its duration.
        status_code: the HTTP status; None without a response.
        outcome: the outcome of the request; None if the service executed it.
        reason: why it failed, such as ``HTTP 503`` or ``ReadTimeout``; empty if the service executed it.
    """

    attempt: int
    seconds: float
    status_code: int | None
    outcome: Outcome | None
    reason: str


@attrs.frozen(kw_only=True)
class RetryPlanned(CallEvent):
    """A request failed, and another one follows after a delay.

    Attributes:
        attempt: the number of the failed request, from 1.
        delay: seconds until the next request; its turn at the rate limit may take longer.
        reason: why the request failed.
    """

    attempt: int
    delay: float
    reason: str


@attrs.frozen(kw_only=True)
class CallEnded(CallEvent):
    """A call ended: it returned, raised an error, or was cancelled.

    Attributes:
        seconds: its duration, with all waits and middleware.
        attempts: the number of requests.
        status_code: the HTTP status of the last request; None without a response.
        outcome: None if the call returned, or if the service executed it although the call did not return.
        error: the name of the exception that the call raised, such as ``RateLimited``; empty if the call returned.
        reason: why the last request failed; empty if it did not fail.
        recipients: the number of recipients of a send, if the call lists them all, otherwise None.
        message_outbox_ids: the ids of the messages that the service accepted, also if the call was cancelled and the
            response arrived afterwards.
        interrupted: whether the call was cancelled, or its deadline expired, while the request of a send was under way.
    """

    seconds: float
    attempts: int
    status_code: int | None
    outcome: Outcome | None
    error: str
    reason: str
    recipients: int | None
    message_outbox_ids: tuple[int, ...]
    interrupted: bool


Event: TypeAlias = CallBegan | WaitBegan | AttemptBegan | AttemptEnded | RetryPlanned | CallEnded
"""An event of a call, in the order in which they occur."""
