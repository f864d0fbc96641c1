"""What a user can plug into a client: middleware around each attempt. Types only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from ippanel_edge.wire.call import Call
from ippanel_edge.wire.reply import Reply

AsyncProceed: TypeAlias = Callable[[Call[Any]], Awaitable[Reply[Any]]]
"""Continues with a call: the next middleware, or the request itself."""
AsyncMiddleware: TypeAlias = Callable[[Call[Any], AsyncProceed], Awaitable[Reply[Any]]]
"""``async (call, proceed) -> reply``: runs around each attempt. It may change the call or the reply, or raise."""

Proceed: TypeAlias = Callable[[Call[Any]], Reply[Any]]
"""Continues with a call: the next middleware, or the request itself."""
Middleware: TypeAlias = Callable[[Call[Any], Proceed], Reply[Any]]
"""``(call, proceed) -> reply``: runs around each attempt. It may change the call or the reply, or raise."""
