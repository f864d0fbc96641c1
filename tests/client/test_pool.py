"""The connection pool over real sockets: which connections are reused, and that no slot is lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import threading
import time
from typing import Any

import anyio
import httpx
import pytest
import respx
import trustme
from pytest_httpx import HTTPXMock

import ippanel_edge._async._io
import ippanel_edge._sync._io
from tests.client.loopback import TIMEOUT, Loopback, ReceivedRequest, echo, http_response
from tests.client.pools import (
    call_concurrently,
    get_texts,
    hold_connection,
    make_transport,
    open_client,
    server_context,
)
from tests.client.sides import result

pytestmark = pytest.mark.anyio


# httpx leaves async generators to the garbage collector, and trio warns about them.
unfinished_generators = pytest.mark.filterwarnings(
    "ignore:Async generator:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture
def io(side: str) -> Any:
    return ippanel_edge._sync._io if side == "sync" else ippanel_edge._async._io


# Reused connections. test_httpcore.py checks the private names that this needs.


async def test_sequential_requests_share_one_connection(side: str, tls: ssl.SSLContext | None, trust: Any) -> None:
    with Loopback(tls=tls) as server:
        async with open_client(side, trust) as client:
            assert await get_texts(client, server.url, "a", "b", "c") == ["a", "b", "c"]
        assert server.connections == 1


async def test_sequential_requests_through_a_proxy_share_one_connection(
    side: str, tls: ssl.SSLContext | None, trust: Any
) -> None:
    with Loopback(tls=tls) as server:
        async with open_client(side, trust, proxy=f"http://{server.host}") as client:
            assert await get_texts(client, server.url, "a", "b") == ["a", "b"]
        assert server.connections == 1


async def test_a_connection_is_reused_after_a_chunked_response(side: str) -> None:
    def handler(request: ReceivedRequest) -> None:
        request.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", b"0\r\n\r\n")

    with Loopback(handler) as server:
        async with open_client(side) as client:
            assert await get_texts(client, server.url, "a", "b") == ["hi", "hi"]
        assert server.connections == 1


async def test_the_most_recently_used_connection_is_reused_first(side: str) -> None:
    both_arrived = threading.Barrier(2)
    connections: list[int] = []

    def handler(request: ReceivedRequest) -> None:
        connections.append(request.connection)
        if "concurrent" in request.target:
            both_arrived.wait(TIMEOUT)
        echo(request)

    with Loopback(handler) as server:
        async with open_client(side) as client:
            await call_concurrently(side, 2, lambda _: client.get(f"{server.url}/concurrent"))
            await get_texts(client, server.url, "a", "b", "c")
        assert len(set(connections[2:])) == 1
        assert server.connections == 2


# Connections that are not reused.


@pytest.mark.parametrize("size", [1, 40_000], ids=["short", "long"])
async def test_an_unexpected_response_in_the_same_segment_is_not_used_for_the_next_request(
    side: str, tls: ssl.SSLContext | None, trust: Any, size: int
) -> None:
    def handler(request: ReceivedRequest) -> None:
        if request.connection == 1:
            request.send(http_response("1" * size), http_response("unexpected"))
        else:
            echo(request)

    with Loopback(handler, tls=tls) as server:
        async with open_client(side, trust) as client:
            assert await get_texts(client, server.url, "first", "second", "third") == ["1" * size, "second", "third"]
        assert server.connections == 2


async def test_an_unexpected_response_in_a_separate_segment_is_not_used_for_the_next_request(
    side: str, tls: ssl.SSLContext | None, trust: Any
) -> None:
    first_is_read, second_is_sent = threading.Event(), threading.Event()

    def handler(request: ReceivedRequest) -> None:
        echo(request)
        if request.connection == 1:
            first_is_read.wait(TIMEOUT)
            request.send(http_response("unexpected"))
            second_is_sent.set()

    with Loopback(handler, tls=tls) as server:
        async with open_client(side, trust) as client:
            assert await get_texts(client, server.url, "first") == ["first"]
            first_is_read.set()
            assert second_is_sent.wait(TIMEOUT)
            assert await get_texts(client, server.url, "second") == ["second"]
        assert server.connections == 2


async def test_an_unexpected_response_through_a_proxy_is_not_used_for_the_next_request(
    side: str, tls: ssl.SSLContext | None, trust: Any
) -> None:
    def handler(request: ReceivedRequest) -> None:
        request.send(http_response("first"), http_response("unexpected")) if request.connection == 1 else echo(request)

    with Loopback(handler, tls=tls) as server:
        async with open_client(side, trust, proxy=f"http://{server.host}") as client:
            assert await get_texts(client, server.url, "first", "second") == ["first", "second"]


@pytest.mark.skipif("config.getoption('transport') == 'fast'", reason="the fast transport rejects such a proxy")
async def test_a_connection_to_an_https_proxy_is_used_once(side: str, authority: trustme.CA, trust: Any) -> None:
    with Loopback(tls=server_context(authority)) as server:
        proxy = httpx.Proxy(server.url, ssl_context=trust)
        async with open_client(side, trust, proxy=proxy) as client:
            assert await get_texts(client, "http://service.test", "a", "b") == ["a", "b"]
        assert server.connections == 2


async def test_a_connection_is_not_reused_after_2_idle_seconds(
    side: str, io: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(io, "monotonic", lambda: now)
    with Loopback() as server:
        async with open_client(side) as client:
            await get_texts(client, server.url, "a")
            now += 1.9
            await get_texts(client, server.url, "b")
            assert server.connections == 1
            now += 2.1
            await get_texts(client, server.url, "c")
            assert server.connections == 2
            assert server.wait_for_open(1)


async def test_a_connection_closed_by_the_server_is_not_reused(side: str) -> None:
    def handler(request: ReceivedRequest) -> None:
        echo(request)
        request.sock.close()

    with Loopback(handler) as server:
        async with open_client(side) as client:
            assert await get_texts(client, server.url, "a") == ["a"]
            assert server.wait_for_open(0)
            assert await get_texts(client, server.url, "b") == ["b"]


async def test_surplus_idle_connections_are_closed(side: str) -> None:
    all_arrived = threading.Barrier(3)

    def handler(request: ReceivedRequest) -> None:
        all_arrived.wait(TIMEOUT)
        echo(request)

    with Loopback(handler) as server:
        async with open_client(side, max_keepalive_connections=1) as client:
            await call_concurrently(side, 3, lambda _: client.get(server.url))
            assert server.connections == 3
            assert server.wait_for_open(1)


async def test_an_idle_connection_is_closed_to_connect_to_another_host(side: str) -> None:
    with Loopback() as one, Loopback() as other:
        async with open_client(side, max_connections=1) as client:
            assert await get_texts(client, one.url, "a") == ["a"]
            assert await get_texts(client, other.url, "b") == ["b"]
            assert one.wait_for_open(0)
            assert other.open == 1


# Concurrent requests.


async def test_every_request_of_a_burst_gets_its_own_response(side: str) -> None:
    count = 200 if side == "sync" else 1000  # 1000 threads would be too many
    with Loopback() as server:
        async with open_client(side) as client:
            outcomes = await call_concurrently(side, count, lambda number: client.get(f"{server.url}/{number}"))
        assert [getattr(outcome, "text", outcome) for outcome in outcomes] == [str(number) for number in range(count)]
        assert server.connections <= 100


async def test_waiting_for_a_connection_ends_with_the_pool_timeout(side: str) -> None:
    targets: list[str] = []

    def handler(request: ReceivedRequest) -> None:
        targets.append(request.target)
        echo(request)

    with Loopback(handler) as server:
        async with open_client(side, max_connections=1) as client, hold_connection(side, client, f"{server.url}/first"):
            with pytest.raises(httpx.PoolTimeout) as caught:
                await result(client.get(f"{server.url}/second", timeout=httpx.Timeout(TIMEOUT, pool=0.05)))
        assert caught.value.request.url.path == "/second"
        assert targets == ["/first"]


# Every slot is released: in a pool of one connection, the next request succeeds.


async def test_a_refused_connection_releases_its_slot(side: str) -> None:
    with Loopback() as closed:
        url = closed.url
    with Loopback() as server:
        async with open_client(side, max_connections=1) as client:
            for _ in range(3):
                with pytest.raises(httpx.ConnectError):
                    await result(client.get(url))
            assert await get_texts(client, server.url, "a") == ["a"]


@unfinished_generators
@pytest.mark.skipif("config.getoption('transport') == 'fast'", reason="the fast transport reads each response at once")
async def test_a_partly_read_response_releases_its_slot_and_closes_its_connection(side: str) -> None:
    with Loopback(lambda request: request.send(http_response("x" * 300_000))) as server:
        async with open_client(side, max_connections=1) as client:
            if side == "sync":
                with client.stream("GET", server.url) as response:
                    next(response.iter_bytes())
            else:
                async with client.stream("GET", server.url) as response:
                    await anext(response.aiter_bytes())
            assert server.wait_for_open(0)
            assert len((await result(client.get(server.url))).content) == 300_000


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_request_cancelled_before_its_response_releases_its_slot() -> None:
    arrived = threading.Event()

    def handler(request: ReceivedRequest) -> None:
        if request.connection == 1:
            arrived.set()
            request.sock.recv(1)  # until the client closes the connection
        else:
            echo(request)

    with Loopback(handler) as server:
        async with open_client("async", max_connections=1) as client, anyio.create_task_group() as tasks:
            tasks.start_soon(client.get, server.url)
            assert await anyio.to_thread.run_sync(arrived.wait, TIMEOUT)
            tasks.cancel_scope.cancel()
        assert server.wait_for_open(0)


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_closing_a_response_in_a_cancelled_scope_releases_its_slot() -> None:
    with Loopback() as server:
        async with open_client("async", max_connections=1) as client:
            with anyio.CancelScope() as scope:
                async with client.stream("GET", server.url + "/a"):
                    scope.cancel()
            assert await get_texts(client, server.url, "b") == ["b"]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("iterations", range(12))
# Older releases of anyio do not close a socket if the task is cancelled in the iteration in which it connects.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_task_cancelled_by_asyncio_releases_its_slot(iterations: int) -> None:
    with Loopback() as server:
        async with open_client("asyncio", max_connections=1) as client:
            task = asyncio.ensure_future(client.get(server.url + "/a"))
            for _ in range(iterations):
                await asyncio.sleep(0)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            assert await get_texts(client, server.url, "b") == ["b"]


# Closing, other event loops and processes.


async def test_closing_the_pool_closes_idle_connections(side: str) -> None:
    with Loopback() as server:
        async with open_client(side) as client:
            await get_texts(client, server.url, "a")
            assert server.open == 1
        assert server.wait_for_open(0)


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_closing_the_pool_fails_requests_in_progress() -> None:
    arrived = threading.Event()

    def handler(request: ReceivedRequest) -> None:
        arrived.set()
        request.sock.recv(1)  # until the client closes the connection

    with Loopback(handler) as server:
        transport = make_transport("asyncio", verify=False)
        client = httpx.AsyncClient(transport=transport)
        failed: list[Exception] = []

        async def send_request() -> None:
            try:
                await client.get(server.url)
            except httpx.TransportError as error:
                failed.append(error)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(send_request)
            assert await anyio.to_thread.run_sync(arrived.wait, TIMEOUT)
            await transport.aclose()
        assert isinstance(failed[0], httpx.ReadError)
        assert server.wait_for_open(0)
        await client.aclose()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="os.fork is not available")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # the warning is about threads, which this tests
def test_a_forked_child_does_not_use_the_connections_of_its_parent() -> None:
    with Loopback() as server, httpx.Client(transport=make_transport("sync", verify=False), timeout=TIMEOUT) as client:
        assert client.get(f"{server.url}/parent").text == "parent"
        child = os.fork()
        if child == 0:
            failed = True
            with contextlib.suppress(BaseException):
                failed = client.get(f"{server.url}/child").text != "child"
            os._exit(failed)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert client.get(f"{server.url}/parent").text == "parent"
        assert server.connections == 2


# A deadline limits a whole call, and a timeout one operation of the socket.


async def test_a_slow_response_is_interrupted_at_the_deadline(side: str, io: Any, tls: Any, trust: Any) -> None:
    def handler(request: ReceivedRequest) -> None:
        request.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(500):
            request.send(b".")
            threading.Event().wait(0.02)

    with Loopback(handler, tls=tls) as server:
        async with open_client(side, trust, max_connections=1) as client:
            started = time.monotonic()
            with pytest.raises(io.DeadlinePassed), io.deadline(0.2):
                await result(client.get(server.url))
            assert time.monotonic() - started < 2
            assert server.wait_for_open(0)


@unfinished_generators
@pytest.mark.parametrize("scheme", ["http", "https"], ids=["writing", "handshaking"])
async def test_a_request_to_a_server_that_does_not_read_is_interrupted_at_the_deadline(
    side: str, io: Any, trust: Any, scheme: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:  # the operating system accepts, and no code reads
        listener.settimeout(TIMEOUT)
        url = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
        content = b"x" * 20_000_000
        async with open_client(side, trust) as client:
            started = time.monotonic()
            with pytest.raises(io.DeadlinePassed), io.deadline(0.5):  # a busy machine must connect in this time
                await result(client.post(url, content=content))
            assert time.monotonic() - started < TIMEOUT / 2
            await anyio.to_thread.run_sync(drain, listener)


def drain(server: socket.socket) -> None:
    """Accept a connection and read until the client closes it."""
    sock, _ = server.accept()
    with sock:
        sock.settimeout(TIMEOUT)
        while sock.recv(1_000_000):
            pass


async def test_waiting_for_a_connection_ends_at_the_deadline(side: str, io: Any) -> None:
    with Loopback() as server:
        async with open_client(side, max_connections=1) as client, hold_connection(side, client, server.url):
            started = time.monotonic()
            with pytest.raises(io.DeadlinePassed), io.deadline(0.05):
                await result(client.get(server.url))
            assert time.monotonic() - started < 2


# Mocks of httpcore and of httpx transports receive the requests, and lose no slot.


async def test_respx_mocks_requests_of_the_pool(side: str) -> None:
    with respx.mock(base_url="https://edge.example.test") as router:
        router.get("/a").respond(json={"mocked": True})
        async with open_client(side, max_connections=1) as client:
            for _ in range(3):
                assert (await result(client.get("https://edge.example.test/a"))).json() == {"mocked": True}


@pytest.mark.httpx_mock(can_send_already_matched_responses=True)
async def test_pytest_httpx_mocks_requests_of_the_pool(side: str, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(url="https://edge.example.test/a", json={"mocked": True})
    async with open_client(side, max_connections=1) as client:
        for _ in range(3):
            assert (await result(client.get("https://edge.example.test/a"))).json() == {"mocked": True}
