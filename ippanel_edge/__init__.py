"""The Python SDK for the IPPanel Edge SMS API. Public names are imported lazily, on first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ippanel_edge._version import __version__

if TYPE_CHECKING:
    from ippanel_edge._async.client import AsyncEdgeClient, AsyncOptions
    from ippanel_edge._sync.client import EdgeClient, Options
    from ippanel_edge.config import Credentials, RateLimit, RetryPolicy, StoredToken
    from ippanel_edge.endpoints import Endpoint, Repeat
    from ippanel_edge.errors import (
        ApiError,
        AuthenticationError,
        ConfigurationError,
        Conflict,
        ConnectionFailed,
        DecodeError,
        DuplicateMessage,
        EdgeError,
        InsufficientCredit,
        InvalidArgument,
        NotFound,
        Outcome,
        OutcomeUnknown,
        PermissionDenied,
        RateLimited,
        ServerError,
        ValidationFailed,
    )
    from ippanel_edge.events import (
        AttemptBegan,
        AttemptEnded,
        CallBegan,
        CallEnded,
        CallEvent,
        Event,
        RetryPlanned,
        WaitBegan,
    )
    from ippanel_edge.hooks import AsyncMiddleware, AsyncProceed, Listener, Middleware, Proceed
    from ippanel_edge.models.common import Meta, Page
    from ippanel_edge.models.reports import DeliveryReport, WaitReason
    from ippanel_edge.models.states import DeliveryStatus, MessageState, PatternStatus, TicketState, VariableType
    from ippanel_edge.values.phones import normalize_phone
    from ippanel_edge.values.secrets import Secret
    from ippanel_edge.values.segments import SmsParts, sms_parts
    from ippanel_edge.wire.call import Call
    from ippanel_edge.wire.reply import Reply

__all__ = [
    "ApiError",
    "AsyncEdgeClient",
    "AsyncMiddleware",
    "AsyncOptions",
    "AsyncProceed",
    "AttemptBegan",
    "AttemptEnded",
    "AuthenticationError",
    "Call",
    "CallBegan",
    "CallEnded",
    "CallEvent",
    "ConfigurationError",
    "Conflict",
    "ConnectionFailed",
    "Credentials",
    "DecodeError",
    "DeliveryReport",
    "DeliveryStatus",
    "DuplicateMessage",
    "EdgeClient",
    "EdgeError",
    "Endpoint",
    "Event",
    "InsufficientCredit",
    "InvalidArgument",
    "Listener",
    "MessageState",
    "Meta",
    "Middleware",
    "NotFound",
    "Options",
    "Outcome",
    "OutcomeUnknown",
    "Page",
    "PatternStatus",
    "PermissionDenied",
    "Proceed",
    "RateLimit",
    "RateLimited",
    "Repeat",
    "Reply",
    "RetryPlanned",
    "RetryPolicy",
    "Secret",
    "ServerError",
    "SmsParts",
    "StoredToken",
    "TicketState",
    "ValidationFailed",
    "VariableType",
    "WaitBegan",
    "WaitReason",
    "__version__",
    "normalize_phone",
    "sms_parts",
]

_ERRORS = (
    "ApiError AuthenticationError ConfigurationError Conflict ConnectionFailed DecodeError DuplicateMessage EdgeError "
    "InsufficientCredit InvalidArgument NotFound Outcome OutcomeUnknown PermissionDenied RateLimited ServerError "
    "ValidationFailed"
)
_EVENTS = "AttemptBegan AttemptEnded CallBegan CallEnded CallEvent Event RetryPlanned WaitBegan"
_MODULES = {
    "_async.client": "AsyncEdgeClient AsyncOptions",
    "_sync.client": "EdgeClient Options",
    "config": "Credentials RateLimit RetryPolicy StoredToken",
    "endpoints": "Endpoint Repeat",
    "errors": _ERRORS,
    "events": _EVENTS,
    "hooks": "AsyncMiddleware AsyncProceed Listener Middleware Proceed",
    "models.common": "Meta Page",
    "models.reports": "DeliveryReport WaitReason",
    "models.states": "DeliveryStatus MessageState PatternStatus TicketState VariableType",
    "values.secrets": "Secret",
    "values.segments": "SmsParts sms_parts",
    "values.phones": "normalize_phone",
    "wire.reply": "Reply",
    "wire.call": "Call",
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    """Import a public name on first use."""
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module 'ippanel_edge' has no attribute {name!r}")
    value: object = getattr(import_module(f"ippanel_edge.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
