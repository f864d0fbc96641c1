"""Opens and prepares TCP connections on asyncio ("happy eyeballs"). Written by hand; the sync side has its own code."""

from __future__ import annotations

import asyncio
import select
import socket
from collections import deque
from typing import Any, Final

_NEXT_ADDRESS: Final = 0.25
"""Seconds after which the next address of a host is tried at the same time."""


async def connected(host: str, port: int) -> socket.socket:
    """Connect to the first address of a host that accepts; after a pause, the next one is tried at the same time.

    asyncio's own function for this may leave a socket open if it is cancelled, and uvloop's tries one after the other.

    Raises:
        OSError: none accepts, or the host is unknown.
    """
    loop = asyncio.get_running_loop()
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:  # a name
        addresses = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if len(addresses) == 1:
        return await _connected_to(loop, addresses[0])
    waiting, pending = deque(addresses), set[asyncio.Task[socket.socket]]()
    failure: BaseException = OSError("the host has no address")
    try:
        while waiting or pending:
            if waiting:
                pending.add(loop.create_task(_connected_to(loop, waiting.popleft())))
            pause = _NEXT_ADDRESS if waiting else None
            done, _ = await asyncio.wait(pending, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                pending.remove(each)
                error = each.exception()
                if error is None:
                    return each.result()
                failure = error
    finally:
        for each in pending:
            each.cancel()
            each.add_done_callback(_close_unused)
    raise failure


async def _connected_to(loop: asyncio.AbstractEventLoop, address: tuple[Any, ...]) -> socket.socket:
    family, kind, protocol, _, place = address
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        await loop.sock_connect(sock, place)
    except BaseException:
        sock.close()
        raise
    return sock


def _close_unused(attempt: asyncio.Task[socket.socket]) -> None:
    """Close the socket of an attempt that succeeded after another one."""
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()


def prepare(transport: asyncio.Transport) -> Any:  # noqa: ANN401 - select.poll is a function, not a type
    """Make a transport report when all bytes left, and return a poll object of its readable socket.

    The poll object is None on Windows: there, only asyncio tells of bytes and of the end.
    """
    # With a high of 0, asyncio's TLS would pause at 0 bytes.
    transport.set_write_buffer_limits(high=1, low=0)
    sock: socket.socket | None = transport.get_extra_info("socket")
    if sock is None or not hasattr(select, "poll"):
        return None
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLIN)
    return poll
