"""What a user can plug into a client: middleware around each call or attempt, and listeners of events. Types only.

Every client imports this module, but not `events`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from ippanel_edge.wire.call import Call
from ippanel_edge.wire.reply import Reply

if TYPE_CHECKING:
    from ippanel_edge.events import Event

AsyncProceed: TypeAlias = Callable[[Call[Any]], Awaitable[Reply[Any]]]
"""Continues with a call: the next middleware, or the request itself."""
AsyncMiddleware: TypeAlias = Callable[[Call[Any], AsyncProceed], Awaitable[Reply[Any]]]
"""``async (call, proceed) -> reply``: runs around each call or each attempt. It may change the call or the reply."""

Proceed: TypeAlias = Callable[[Call[Any]], Reply[Any]]
"""Continues with a call: the next middleware, or the request itself."""
Middleware: TypeAlias = Callable[[Call[Any], Proceed], Reply[Any]]
"""``(call, proceed) -> reply``: runs around each call or each attempt. It may change the call or the reply."""


class Listener(Protocol):
    """``(event: Event) -> None``: receives the events of a client. A plain function; it must not block."""

    def __call__(self, event: Event, /) -> None:
        """Receive an event."""
        ...
