"""Helpers of the connection pool tests: clients over the pool, and concurrent calls."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx
import trustme

from ippanel_edge._async.fast import AsyncFastTransport
from ippanel_edge._async.pool import AsyncPoolTransport
from ippanel_edge._sync.fast import FastTransport
from ippanel_edge._sync.pool import PoolTransport
from tests.client.loopback import TIMEOUT
from tests.client.sides import result


class _ServerSocket(ssl.SSLSocket):
    """A server's socket that is closed if the client has gone: `SSLContext.wrap_socket` would leave it open."""

    def getpeername(self) -> Any:
        try:
            return super().getpeername()
        except OSError as error:
            self.close()
            raise ConnectionResetError("the client has closed the connection") from error


def server_context(authority: trustme.CA) -> ssl.SSLContext:
    """Return a server's TLS context with a certificate for 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslsocket_class = _ServerSocket
    authority.issue_cert("127.0.0.1").configure_cert(context)  # pyright: ignore[reportUnknownMemberType] - it may name pyOpenSSL
    return context


def is_fast() -> bool:
    """Return whether the tests run over the fast transport (`pytest --transport=fast`)."""
    return os.environ.get("IPPANEL_TRANSPORT") == "fast"


def make_transport(side: str, **options: Any) -> Any:
    """Return a transport of the SDK; `side` is "sync", or anything else for the async side."""
    if is_fast():
        return FastTransport(**options) if side == "sync" else AsyncFastTransport(**options)
    return PoolTransport(**options) if side == "sync" else AsyncPoolTransport(**options)


@asynccontextmanager
async def open_client(side: str, verify: ssl.SSLContext | None = None, **options: Any) -> AsyncGenerator[Any]:
    """Open an httpx client over the pool; `side` is "sync", or anything else for the async pool."""
    client: Any
    transport = make_transport(side, verify=verify or False, **options)
    if side == "sync":
        client = httpx.Client(transport=transport, timeout=TIMEOUT)
    else:
        client = httpx.AsyncClient(transport=transport, timeout=TIMEOUT)
    try:
        yield client
    finally:
        await result(client.close() if side == "sync" else client.aclose())


async def call_concurrently(side: str, count: int, call: Callable[[int], Any]) -> list[Any]:
    """Make `count` concurrent calls, in tasks or threads; return their results and exceptions."""
    outcomes: list[Any] = [None] * count
    if side == "sync":
        with ThreadPoolExecutor(count) as threads:
            futures = [threads.submit(call, number) for number in range(count)]
        return [future.exception() or future.result() for future in futures]

    async def run(number: int) -> None:
        try:
            outcomes[number] = await call(number)
        except Exception as error:  # noqa: BLE001 - the test asserts on it
            outcomes[number] = error

    async with anyio.create_task_group() as tasks:
        for number in range(count):
            tasks.start_soon(run, number)
    return outcomes


@asynccontextmanager
async def hold_connection(side: str, client: Any, url: str) -> AsyncGenerator[None]:
    """Keep a connection in use by leaving its response open; the fast transport reads each response at once."""
    if is_fast() and side != "trio":
        await result(client.get(url))
        lease = await result(client._transport.pool.lease(None))
        try:
            yield
        finally:
            lease.slots.release()
    elif side == "sync":
        with client.stream("GET", url):
            yield
    else:
        async with client.stream("GET", url):
            yield


async def get_texts(client: Any, url: str, *paths: str) -> list[str]:
    return [(await result(client.get(f"{url}/{path}"))).text for path in paths]
