"""The connection of a request: it can be broken on purpose, and tells when the server stops.

An ASGI app does not see its connection, so the protocol class of the server puts it into the scope of each request. An
app that runs in memory has no connection; there, a broken one is the error that httpx would raise for it.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import attrs

from ippanel_edge.sandbox.faults import Fault

if TYPE_CHECKING:
    import httpx
    from starlette.types import Receive, Scope, Send

CONNECTION: Final = "sandbox_connection"
"""The key of the connection in the state of a scope."""
_GARBAGE: Final = b"\x16\x03\x01 this is not HTTP \xff\xfe\r\n\r\n"
_LINGER: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""The option SO_LINGER with a time of 0: closing the socket sends a reset."""


class StopCallbacks:
    """Functions to call once in the event loop of a server when it begins to stop."""

    def __init__(self) -> None:
        self._callbacks: dict[int, Callable[[], None]] = {}
        self._count = 0

    def add(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Add a function; return a function that removes it."""
        self._count += 1
        number = self._count
        self._callbacks[number] = callback
        return lambda: self._callbacks.pop(number, None) and None

    def call(self) -> None:
        """Call the functions."""
        callbacks, self._callbacks = self._callbacks, {}
        for callback in callbacks.values():
            callback()


@attrs.frozen
class Connection:
    """A connection of the server.

    Attributes:
        transport: the transport of the event loop.
        on_stop: what is called when the server stops.
    """

    transport: asyncio.Transport
    on_stop: StopCallbacks

    def reset(self) -> None:
        """Close the connection with a TCP reset."""
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        self.transport.abort()


def connection_of(scope: Scope) -> Connection | None:
    """Return the connection of a request; None in memory and under another server."""
    connection = scope.get("state", {}).get(CONNECTION)
    return connection if isinstance(connection, Connection) else None


async def break_connection(
    fault: Fault, scope: Scope, receive: Receive, send: Send, *, start: Mapping[str, Any], body: bytes
) -> None:
    """Break the connection of a request instead of responding.

    Args:
        fault: the kind of fault, one of `BROKEN`.
        scope: the scope of the request.
        receive: the ASGI function.
        send: the ASGI function.
        start: the message that starts the response, of which CUT sends the first bytes.
        body: these bytes of the body.

    Raises:
        httpx.TransportError: the request has no connection, as in memory.
    """
    connection = connection_of(scope)
    if connection is None:
        raise _error_of(fault)
    match fault:
        case Fault.STALL:
            forget = connection.on_stop.add(connection.transport.abort)
            await _wait_until_disconnected(receive)
            forget()
            return
        case Fault.CUT:
            await send(dict(start))
            await send({"type": "http.response.body", "body": body, "more_body": True})
            connection.transport.close()
        case Fault.GARBAGE:
            connection.transport.write(_GARBAGE)
            connection.transport.close()
        case _:
            connection.reset()
    await _wait_until_disconnected(receive)  # uvicorn logs an error if the app returns before that


async def _wait_until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _error_of(fault: Fault) -> httpx.TransportError:
    """Return the error that httpx raises for a connection that is broken in this way."""
    import httpx  # noqa: PLC0415 - a server does not need it

    match fault:
        case Fault.STALL:
            return httpx.ReadTimeout("the sandbox does not respond")
        case Fault.CUT:
            return httpx.RemoteProtocolError(
                "peer closed connection without sending complete message body (a fault of the sandbox)"
            )
        case Fault.GARBAGE:
            return httpx.RemoteProtocolError("illegal status line (a fault of the sandbox)")
        case _:
            return httpx.ReadError("connection reset (a fault of the sandbox)")
