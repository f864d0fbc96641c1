"""The pool over real sockets, on three sides: what is used again, what never is, and that nobody is lost."""

from __future__ import annotations

import asyncio
import contextlib
import gc
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
from ippanel_edge._async.pool import AsyncPoolTransport
from ippanel_edge._sync.pool import PoolTransport
from tests.client.loopback import PATIENCE, Asked, Loopback, echo, reply
from tests.client.pools import at_once, client_of, held, shown, texts
from tests.client.sides import result

pytestmark = pytest.mark.anyio


# httpx leaves its own generators to the garbage collector, to which trio objects.
unfinished = pytest.mark.filterwarnings(
    "ignore:Async generator:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture
def io(side: str) -> Any:
    return ippanel_edge._sync._io if side == "sync" else ippanel_edge._async._io


# What is used again. The private names that this takes are checked in test_httpcore.py.


async def test_one_connection_serves_requests_in_turn(side: str, tls: ssl.SSLContext | None, trust: Any) -> None:
    with Loopback(tls=tls) as server:
        async with client_of(side, trust) as client:
            assert await texts(client, server.url, "a", "b", "c") == ["a", "b", "c"]
        assert server.connections == 1


async def test_one_connection_through_a_proxy_serves_requests_in_turn(
    side: str, tls: ssl.SSLContext | None, trust: Any
) -> None:
    with Loopback(tls=tls) as server:
        async with client_of(side, trust, proxy=f"http://{server.host}") as client:
            assert await texts(client, server.url, "a", "b") == ["a", "b"]
        assert server.connections == 1


async def test_a_chunked_reply_leaves_its_connection_usable(side: str) -> None:
    def answer(asked: Asked) -> None:
        asked.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", b"0\r\n\r\n")

    with Loopback(answer) as server:
        async with client_of(side) as client:
            assert await texts(client, server.url, "a", "b") == ["hi", "hi"]
        assert server.connections == 1


async def test_the_connection_used_last_is_used_first(side: str) -> None:
    both_are_there = threading.Barrier(2)
    served: list[int] = []

    def answer(asked: Asked) -> None:
        served.append(asked.connection)
        if "at-once" in asked.target:
            both_are_there.wait(PATIENCE)
        echo(asked)

    with Loopback(answer) as server:
        async with client_of(side) as client:
            await at_once(side, 2, lambda _: client.get(f"{server.url}/at-once"))
            await texts(client, server.url, "a", "b", "c")
        assert len(set(served[2:])) == 1
        assert server.connections == 2


# What never is.


@pytest.mark.parametrize("size", [1, 40_000], ids=["short", "long"])
async def test_a_second_answer_in_the_same_segment_is_nobody_elses(
    side: str, tls: ssl.SSLContext | None, trust: Any, size: int
) -> None:
    def answer(asked: Asked) -> None:
        if asked.connection == 1:
            asked.send(reply("1" * size), reply("stray"))
        else:
            echo(asked)

    with Loopback(answer, tls=tls) as server:
        async with client_of(side, trust) as client:
            assert await texts(client, server.url, "first", "second", "third") == ["1" * size, "second", "third"]
        assert server.connections == 2


async def test_a_second_answer_in_a_segment_of_its_own_is_nobody_elses(
    side: str, tls: ssl.SSLContext | None, trust: Any
) -> None:
    first_is_read, stray_is_sent = threading.Event(), threading.Event()

    def answer(asked: Asked) -> None:
        echo(asked)
        if asked.connection == 1:
            first_is_read.wait(PATIENCE)
            asked.send(reply("stray"))
            stray_is_sent.set()

    with Loopback(answer, tls=tls) as server:
        async with client_of(side, trust) as client:
            assert await texts(client, server.url, "first") == ["first"]
            first_is_read.set()
            assert stray_is_sent.wait(PATIENCE)
            assert await texts(client, server.url, "second") == ["second"]
        assert server.connections == 2


async def test_a_second_answer_through_a_proxy_is_nobody_elses(
    side: str, tls: ssl.SSLContext | None, trust: Any
) -> None:
    def answer(asked: Asked) -> None:
        asked.send(reply("first"), reply("stray")) if asked.connection == 1 else echo(asked)

    with Loopback(answer, tls=tls) as server:
        async with client_of(side, trust, proxy=f"http://{server.host}") as client:
            assert await texts(client, server.url, "first", "second") == ["first", "second"]


async def test_a_connection_to_a_proxy_that_speaks_tls_is_used_once(
    side: str, authority: trustme.CA, trust: Any
) -> None:
    with Loopback(tls=shown(authority)) as server:
        proxy = httpx.Proxy(server.url, ssl_context=trust)
        async with client_of(side, trust, proxy=proxy) as client:
            assert await texts(client, "http://service.test", "a", "b") == ["a", "b"]
        assert server.connections == 2


async def test_a_connection_is_not_used_after_two_idle_seconds(
    side: str, io: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(io, "monotonic", lambda: now)
    with Loopback() as server:
        async with client_of(side) as client:
            await texts(client, server.url, "a")
            now += 1.9
            await texts(client, server.url, "b")
            assert server.connections == 1
            now += 2.1
            await texts(client, server.url, "c")
            assert server.connections == 2
            assert server.comes_to(open=1)


async def test_a_connection_that_the_server_closed_is_not_used(side: str) -> None:
    def answer(asked: Asked) -> None:
        echo(asked)
        asked.wire.close()

    with Loopback(answer) as server:
        async with client_of(side) as client:
            assert await texts(client, server.url, "a") == ["a"]
            assert server.comes_to(open=0)
            assert await texts(client, server.url, "b") == ["b"]


async def test_surplus_idle_connections_are_closed(side: str) -> None:
    all_are_there = threading.Barrier(3)

    def answer(asked: Asked) -> None:
        all_are_there.wait(PATIENCE)
        echo(asked)

    with Loopback(answer) as server:
        async with client_of(side, max_keepalive_connections=1) as client:
            await at_once(side, 3, lambda _: client.get(server.url))
            assert server.connections == 3
            assert server.comes_to(open=1)


async def test_another_host_takes_the_place_of_an_idle_connection(side: str) -> None:
    with Loopback() as one, Loopback() as other:
        async with client_of(side, max_connections=1) as client:
            assert await texts(client, one.url, "a") == ["a"]
            assert await texts(client, other.url, "b") == ["b"]
            assert one.comes_to(open=0)
            assert other.open == 1


# How many at once.


async def test_a_burst_of_a_thousand_loses_nobody(side: str) -> None:
    count = 200 if side == "sync" else 1000  # a thousand threads are another matter
    with Loopback() as server:
        async with client_of(side) as client:
            given = await at_once(side, count, lambda number: client.get(f"{server.url}/{number}"))
        assert [getattr(each, "text", each) for each in given] == [str(number) for number in range(count)]
        assert server.connections <= 100


async def test_a_request_waits_for_a_connection_as_long_as_its_pool_timeout_says(side: str) -> None:
    asked_for: list[str] = []

    def answer(asked: Asked) -> None:
        asked_for.append(asked.target)
        echo(asked)

    with Loopback(answer) as server:
        async with client_of(side, max_connections=1) as client, held(side, client, f"{server.url}/held"):
            with pytest.raises(httpx.PoolTimeout) as caught:
                await result(client.get(f"{server.url}/late", timeout=httpx.Timeout(PATIENCE, pool=0.05)))
        assert caught.value.request.url.path == "/late"
        assert asked_for == ["/held"]


# Every slot comes back. With one connection in all, the next request tells.


async def test_a_refused_connection_gives_its_slot_back(side: str) -> None:
    with Loopback() as gone:
        nowhere = gone.url
    with Loopback() as server:
        async with client_of(side, max_connections=1) as client:
            for _ in range(3):
                with pytest.raises(httpx.ConnectError):
                    await result(client.get(nowhere))
            assert await texts(client, server.url, "a") == ["a"]


@unfinished
async def test_a_reply_left_half_read_gives_its_slot_back_and_ends_its_connection(side: str) -> None:
    with Loopback(lambda asked: asked.send(reply("x" * 300_000))) as server:
        async with client_of(side, max_connections=1) as client:
            if side == "sync":
                with client.stream("GET", server.url) as response:
                    next(response.iter_bytes())
            else:
                async with client.stream("GET", server.url) as response:
                    await anext(response.aiter_bytes())
            assert server.comes_to(open=0)
            assert len((await result(client.get(server.url))).content) == 300_000


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_request_cancelled_while_it_waits_for_its_answer_gives_its_slot_back() -> None:
    arrived = threading.Event()

    def answer(asked: Asked) -> None:
        if asked.connection == 1:
            arrived.set()
            asked.wire.recv(1)  # until the client has gone
        else:
            echo(asked)

    with Loopback(answer) as server:
        async with client_of("either", max_connections=1) as client, anyio.create_task_group() as tasks:
            tasks.start_soon(client.get, server.url)
            assert await anyio.to_thread.run_sync(arrived.wait, PATIENCE)
            tasks.cancel_scope.cancel()
        assert server.comes_to(open=0)


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_closing_a_reply_in_a_cancelled_scope_gives_its_slot_back() -> None:
    with Loopback() as server:
        async with client_of("either", max_connections=1) as client:
            with anyio.CancelScope() as scope:
                async with client.stream("GET", server.url + "/a"):
                    scope.cancel()
            assert await texts(client, server.url, "b") == ["b"]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("turns", range(12))
# Older releases of anyio leave the socket to the garbage collector, cancelled in the very turn in which it connects.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_task_cancelled_by_the_event_loop_itself_gives_its_slot_back(turns: int) -> None:
    with Loopback() as server:
        async with client_of("asyncio", max_connections=1) as client:
            task = asyncio.ensure_future(client.get(server.url + "/a"))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            assert await texts(client, server.url, "b") == ["b"]


# The end, and other places.


async def test_closing_the_pool_closes_what_is_idle(side: str) -> None:
    with Loopback() as server:
        async with client_of(side) as client:
            await texts(client, server.url, "a")
            assert server.open == 1
        assert server.comes_to(open=0)


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_closing_the_pool_fails_what_is_under_way() -> None:
    arrived = threading.Event()

    def answer(asked: Asked) -> None:
        arrived.set()
        asked.wire.recv(1)  # until the client has gone

    with Loopback(answer) as server:
        transport = AsyncPoolTransport(verify=False)
        client = httpx.AsyncClient(transport=transport)
        failed: list[Exception] = []

        async def ask() -> None:
            try:
                await client.get(server.url)
            except httpx.TransportError as error:
                failed.append(error)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            assert await anyio.to_thread.run_sync(arrived.wait, PATIENCE)
            await transport.aclose()
        assert isinstance(failed[0], httpx.ReadError)
        assert server.comes_to(open=0)
        await client.aclose()


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_pool_goes_on_in_another_event_loop() -> None:
    with Loopback() as server:
        transport = AsyncPoolTransport(verify=False)

        async def ask(path: str) -> list[str]:
            return await texts(httpx.AsyncClient(transport=transport), server.url, path)

        assert [asyncio.run(ask("a")), asyncio.run(ask("b"))] == [["a"], ["b"]]
        assert server.connections == 2
        asyncio.run(transport.aclose())
        gc.collect()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # it warns of threads, which is what is tested
def test_a_child_leaves_its_parents_connections_alone() -> None:
    with Loopback() as server, httpx.Client(transport=PoolTransport(verify=False), timeout=PATIENCE) as client:
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


# A deadline spans a whole call, where a timeout spans one operation of the socket.


async def test_a_reply_that_drips_ends_with_the_deadline(side: str, io: Any, tls: Any, trust: Any) -> None:
    def answer(asked: Asked) -> None:
        asked.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(500):
            asked.send(b".")
            threading.Event().wait(0.02)

    with Loopback(answer, tls=tls) as server:
        async with client_of(side, trust, max_connections=1) as client:
            started = time.monotonic()
            with pytest.raises(io.DeadlinePassed), io.deadline(0.2):
                await result(client.get(server.url))
            assert time.monotonic() - started < 2
            assert server.comes_to(open=0)


@unfinished
@pytest.mark.parametrize("scheme", ["http", "https"], ids=["writing", "handshaking"])
async def test_a_server_that_takes_nothing_is_left_at_the_deadline(side: str, io: Any, trust: Any, scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # the system connects, and nobody reads
        deaf.settimeout(PATIENCE)
        url = f"{scheme}://127.0.0.1:{deaf.getsockname()[1]}"
        async with client_of(side, trust) as client:
            started = time.monotonic()
            with pytest.raises(io.DeadlinePassed), io.deadline(0.1):
                await result(client.post(url, content=b"x" * 20_000_000))
            assert time.monotonic() - started < 2
            await anyio.to_thread.run_sync(read_to_the_end, deaf)


def read_to_the_end(listener: socket.socket) -> None:
    """Read all that the client sent, until it closes."""
    wire, _ = listener.accept()
    with wire:
        wire.settimeout(PATIENCE)
        while wire.recv(1_000_000):
            pass


async def test_a_wait_for_a_connection_ends_with_the_deadline(side: str, io: Any) -> None:
    with Loopback() as server:
        async with client_of(side, max_connections=1) as client, held(side, client, server.url):
            started = time.monotonic()
            with pytest.raises(io.DeadlinePassed), io.deadline(0.05):
                await result(client.get(server.url))
            assert time.monotonic() - started < 2


# Mocks: those of httpcore and those of httpx's transports both see the requests, and no slot is lost to them.


async def test_respx_answers_in_place_of_the_pool(side: str) -> None:
    with respx.mock(base_url="https://edge.example.test") as router:
        router.get("/a").respond(json={"mocked": True})
        async with client_of(side, max_connections=1) as client:
            for _ in range(3):
                assert (await result(client.get("https://edge.example.test/a"))).json() == {"mocked": True}


@pytest.mark.httpx_mock(can_send_already_matched_responses=True)
async def test_pytest_httpx_answers_in_place_of_the_pool(side: str, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(url="https://edge.example.test/a", json={"mocked": True})
    async with client_of(side, max_connections=1) as client:
        for _ in range(3):
            assert (await result(client.get("https://edge.example.test/a"))).json() == {"mocked": True}
