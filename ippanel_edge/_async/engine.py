"""The parts of a client's engine, which are loaded with the first client: importing the client's class costs less."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ippanel_edge._async.exchange import AsyncExchange, AsyncTransport
    from ippanel_edge._async.fast import AsyncFastTransport
    from ippanel_edge._async.limiter import AsyncLimiter
    from ippanel_edge._async.login import AsyncLogin
    from ippanel_edge._async.middleware import (
        AsyncAttemptMiddleware,
        AsyncAuthorisation,
        AsyncCallMiddleware,
        AsyncDeadline,
        AsyncLink,
        AsyncRate,
        AsyncRetries,
        AsyncWholeCall,
    )
    from ippanel_edge._async.pool import AsyncPoolTransport
    from ippanel_edge._async.uploads import AsyncUploads
    from ippanel_edge.observers import Observers
    from ippanel_edge.wire.attempts import Attempts
    from ippanel_edge.wire.retry import RetryBudget

__all__ = [
    "AsyncAttemptMiddleware",
    "AsyncAuthorisation",
    "AsyncCallMiddleware",
    "AsyncDeadline",
    "AsyncExchange",
    "AsyncFastTransport",
    "AsyncLimiter",
    "AsyncLink",
    "AsyncLogin",
    "AsyncPoolTransport",
    "AsyncRate",
    "AsyncRetries",
    "AsyncTransport",
    "AsyncUploads",
    "AsyncWholeCall",
    "Attempts",
    "Observers",
    "RetryBudget",
]

_LINKS: Final = (
    "AsyncAttemptMiddleware AsyncAuthorisation AsyncCallMiddleware AsyncDeadline AsyncLink AsyncRate AsyncRetries "
    "AsyncWholeCall"
)
_PARTS: Final = {
    "_async.exchange": "AsyncExchange AsyncTransport",
    "_async.fast": "AsyncFastTransport",
    "_async.limiter": "AsyncLimiter",
    "_async.login": "AsyncLogin",
    "_async.middleware": _LINKS,
    "_async.pool": "AsyncPoolTransport",
    "_async.uploads": "AsyncUploads",
    "observers": "Observers",
    "wire.attempts": "Attempts",
    "wire.retry": "RetryBudget",
}
_MODULE_OF: Final = {name: module for module, names in _PARTS.items() for name in names.split()}


def __getattr__(name: str) -> object:
    """Import a part from its module on first use."""
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"ippanel_edge.{module}"), name)
    globals()[name] = value
    return value
