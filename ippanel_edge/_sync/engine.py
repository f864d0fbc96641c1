# Generated from ippanel_edge/_async/engine.py by tests/codegen/generate_sync.py: edit that, not this.
"""The parts of a client's engine, which are loaded with the first client: importing the client's class costs less."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ippanel_edge._sync.exchange import Exchange, Transport
    from ippanel_edge._sync.fast import FastTransport
    from ippanel_edge._sync.limiter import Limiter
    from ippanel_edge._sync.login import Login
    from ippanel_edge._sync.middleware import (
        AttemptMiddleware,
        Authorisation,
        CallMiddleware,
        Deadline,
        Link,
        Rate,
        Retries,
        WholeCall,
    )
    from ippanel_edge._sync.pool import PoolTransport
    from ippanel_edge._sync.uploads import Uploads
    from ippanel_edge.observers import Observers
    from ippanel_edge.wire.attempts import Attempts
    from ippanel_edge.wire.retry import RetryBudget

__all__ = [
    "AttemptMiddleware",
    "Authorisation",
    "CallMiddleware",
    "Deadline",
    "Exchange",
    "FastTransport",
    "Limiter",
    "Link",
    "Login",
    "PoolTransport",
    "Rate",
    "Retries",
    "Transport",
    "Uploads",
    "WholeCall",
    "Attempts",
    "Observers",
    "RetryBudget",
]

_LINKS: Final = "AttemptMiddleware Authorisation CallMiddleware Deadline Link Rate Retries WholeCall"
_PARTS: Final = {
    "_sync.exchange": "Exchange Transport",
    "_sync.fast": "FastTransport",
    "_sync.limiter": "Limiter",
    "_sync.login": "Login",
    "_sync.middleware": _LINKS,
    "_sync.pool": "PoolTransport",
    "_sync.uploads": "Uploads",
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
