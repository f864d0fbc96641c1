"""A valid call of each method, as its arguments by name, and the calls that a client would make, without a request."""

from __future__ import annotations

import functools
import inspect
import ssl
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NoReturn, cast

import attrs
import httpx

from ippanel_edge import EdgeClient, normalize_phone, sms_parts
from ippanel_edge.wire.call import Call
from ippanel_edge.wire.request import build
from tests.contract.catalogue import SAMPLES
from tests.contract.sample import BASE, KEY, LINE

SIDE: Final[dict[str, Any]] = {
    "base_url": BASE,
    "from_number": LINE,
    "verify": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
}


class Sent(BaseException):
    """Raised in place of a request: the arguments were accepted."""

    def __init__(self, call: Call[Any]) -> None:
        super().__init__()
        self.call = call


class Recorder(EdgeClient):
    """A client that raises each call instead of sending it."""

    def _run(self, call: Call[Any]) -> NoReturn:
        build(call, base_url=BASE, timeout=httpx.Timeout(1))
        raise Sent(call)


@attrs.frozen
class Method:
    """A public callable with the arguments of a valid call.

    Attributes:
        name: the path of the method from its client, such as ``send.webservice``.
        function: the bound method or the function.
        arguments: the arguments of a valid call.
    """

    name: str
    function: Callable[..., Any] = attrs.field(repr=False)
    arguments: Mapping[str, Any]

    @property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """The parameters of the function by name."""
        return inspect.signature(self.function).parameters

    def __call__(self, **changes: Any) -> Call[Any] | None:
        """Call it with changed arguments. Return what would be sent, or None if it sends nothing."""
        try:
            result = self.function(**{**self.arguments, **changes})
            if isinstance(result, Iterator):
                next(cast("Iterator[object]", result))
        except Sent as sent:
            return sent.call
        return None


class _Spy:
    """Records the path and the arguments of the first call below it."""

    def __init__(self, path: tuple[str, ...] = ()) -> None:
        self.path = path
        self.called: tuple[str, tuple[Any, ...], dict[str, Any]] | None = None
        self.children: list[_Spy] = []

    def __getattr__(self, name: str) -> _Spy:
        self.children.append(_Spy((*self.path, name)))
        return self.children[-1]

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise _Called(".".join(self.path), args, kwargs)


class _Called(BaseException):
    pass


def _found(client: EdgeClient, name: str) -> Callable[..., Any]:
    return cast("Callable[..., Any]", functools.reduce(getattr, name.split("."), cast("Any", client)))


def _of_samples(client: EdgeClient) -> dict[str, dict[str, Any]]:
    """Return the arguments of each method in the samples; the sample with the most arguments counts."""
    found: dict[str, dict[str, Any]] = {}
    for sample in SAMPLES:
        try:
            sample.call(_Spy())
        except _Called as called:
            name, args, kwargs = called.args
        else:
            raise AssertionError(f"the sample {sample} calls nothing")
        bound = inspect.signature(_found(client, name)).bind(*args, **kwargs).arguments
        if len(bound) >= len(found.get(name, {})):
            found[name] = {argument: _reusable(value) for argument, value in bound.items()}
    return found


def _reusable(value: Any) -> Any:
    """Return an argument that is not used up by the first call."""
    if not hasattr(value, "read") and isinstance(value, Iterator):  # not a file
        return list(cast("Iterator[object]", value))
    return cast("object", value)


_HELPERS: Final[dict[str, dict[str, Any]]] = {
    "reports.iter_recipients": {"message_outbox_id": 1},
    "reports.wait_delivered": {"message_outbox_id": 1},
    "request": {"method": "POST", "path": "/api/x"},
}
"""The required arguments of methods that are not an endpoint's."""


def _public(client: EdgeClient) -> Iterator[str]:
    """Yield the name of each public method of the sections."""
    pending = [name for name in vars(client) if not name.startswith("_")]
    while pending:
        path = pending.pop()
        section: object = functools.reduce(getattr, path.split("."), cast("Any", client))
        for name in [name for name in vars(type(section)) if not name.startswith("_")]:
            if inspect.ismethod(getattr(section, name)):
                yield f"{path}.{name}"
            else:
                pending.append(f"{path}.{name}")


@functools.cache
def methods() -> tuple[Method, ...]:
    """Return each public method of a client, `request`, and the public functions."""
    client = Recorder(KEY, **SIDE)
    sampled = _of_samples(client)
    names = [*sorted(_public(client)), "request"]
    of_client = [Method(name, _found(client, name), sampled.get(name, _HELPERS.get(name, {}))) for name in names]
    return (
        *of_client,
        Method("normalize_phone", normalize_phone, {"value": "09121234567"}),
        Method("sms_parts", sms_parts, {"text": "x"}),
    )
