"""Clients over the pool of each side, and calls made at once: what the tests of the pool share."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx
import trustme

from ippanel_edge._async.pool import AsyncPoolTransport
from ippanel_edge._sync.pool import PoolTransport
from tests.client.loopback import PATIENCE
from tests.client.sides import result


def shown(authority: trustme.CA) -> ssl.SSLContext:
    """Return a server's TLS context with a certificate for 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)  # pyright: ignore[reportUnknownMemberType] - it may name pyOpenSSL
    return context


@asynccontextmanager
async def client_of(side: str, verify: ssl.SSLContext | None = None, **options: Any) -> AsyncGenerator[Any]:
    client: Any
    if side == "sync":
        client = httpx.Client(transport=PoolTransport(verify=verify or False, **options), timeout=PATIENCE)
    else:
        client = httpx.AsyncClient(transport=AsyncPoolTransport(verify=verify or False, **options), timeout=PATIENCE)
    try:
        yield client
    finally:
        await result(client.close() if side == "sync" else client.aclose())


async def at_once(side: str, count: int, call: Callable[[int], Any]) -> list[Any]:
    """Make `count` calls at once, in tasks or in threads. Returns what they gave, exceptions included."""
    given: list[Any] = [None] * count
    if side == "sync":
        with ThreadPoolExecutor(count) as threads:
            futures = [threads.submit(call, number) for number in range(count)]
        return [future.exception() or future.result() for future in futures]

    async def keep(number: int) -> None:
        try:
            given[number] = await call(number)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            given[number] = error

    async with anyio.create_task_group() as tasks:
        for number in range(count):
            tasks.start_soon(keep, number)
    return given


@asynccontextmanager
async def held(side: str, client: Any, url: str) -> AsyncGenerator[None]:
    """Hold a connection: its reply is not closed."""
    if side == "sync":
        with client.stream("GET", url):
            yield
    else:
        async with client.stream("GET", url):
            yield


async def texts(client: Any, url: str, *paths: str) -> list[str]:
    return [(await result(client.get(f"{url}/{path}"))).text for path in paths]
