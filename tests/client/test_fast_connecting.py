"""Connecting over the fast transport: several addresses of one host, event loops one after the other, and uvloop."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
import trustme

from ippanel_edge import ConnectionFailed, Outcome, OutcomeUnknown
from ippanel_edge._async import _dial
from tests.client.fast import MOBILE, make_client, open_client, respond, send, sent
from tests.client.loopback import TIMEOUT, Loopback, ReceivedRequest
from tests.client.pools import server_context

pytestmark = pytest.mark.anyio

HOST = "edge.example.test"
INSECURE = {"allow_insecure_hosts": [HOST], "retry": 0}


@pytest.fixture(params=["asyncio", "sync"])
def side(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# Several addresses of one host.


def resolve(monkeypatch: pytest.MonkeyPatch, *ports: int) -> str:
    """Let a host name have one address for each port of this machine. Return a URL of the host."""

    def look_up(host: str, _: int, *__: Any, flags: int = 0, **___: Any) -> list[Any]:
        if host != HOST or flags & socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return f"http://{HOST}:1"


def port_of(server: Loopback) -> int:
    return int(server.host.rpartition(":")[2])


@pytest.fixture
def refusing() -> int:
    """Return a port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def test_the_second_address_is_tried_after_the_first_refused(
    side: str, refusing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_dial, "_NEXT_ADDRESS", TIMEOUT)  # the failure ends the pause
    with Loopback(respond) as server:
        url = resolve(monkeypatch, refusing, port_of(server))
        began = time.monotonic()
        async with open_client(side, url, **INSECURE) as client:
            assert await send(client) == 1
        assert time.monotonic() - began < TIMEOUT / 2


async def test_if_every_address_refuses_the_error_is_not_sent(
    side: str, refusing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_client(side, resolve(monkeypatch, refusing, refusing), **INSECURE) as client:
        with pytest.raises(ConnectionFailed, match="ConnectError") as caught:
            await send(client)
    assert caught.value.outcome is Outcome.NOT_SENT


async def test_a_host_without_an_address_is_not_sent(side: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve(monkeypatch)
    url = "http://unknown.example.test"
    options = {**INSECURE, "allow_insecure_hosts": ["unknown.example.test"]}
    async with open_client(side, url, **options) as client:
        with pytest.raises(ConnectionFailed, match="Name or service not known") as caught:
            await send(client)
    assert (caught.value.outcome, caught.value.retryable) == (Outcome.NOT_SENT, True)


@pytest.mark.skipif("sys.platform != 'linux'", reason="only Linux leaves a connection waiting if the backlog is full")
async def test_the_sync_side_tries_the_second_address_after_the_connect_timeout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, Loopback(respond) as server:
        filler = socket.create_connection(full.getsockname())
        url = resolve(monkeypatch, full.getsockname()[1], port_of(server))
        timeout = httpx.Timeout(TIMEOUT, connect=0.1)
        began = time.monotonic()
        async with open_client("sync", url, timeout=timeout, **INSECURE) as client:
            assert await send(client) == 1
        assert time.monotonic() - began > 0.09, "the first address does not answer"
        filler.close()


@pytest.mark.skipif(not socket.has_ipv6, reason="IPv6 is not available")
async def test_an_ipv6_address_is_reached(side: str) -> None:
    heads: list[bytes] = []

    def serve() -> None:
        sock, _ = listener.accept()
        with sock:
            heads.append(sock.recv(65536))
            sock.sendall(sent(7))
            sock.recv(1)

    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        port = listener.getsockname()[1]
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        async with open_client(side, f"http://[::1]:{port}") as client:
            assert await send(client) == 7
        thread.join(TIMEOUT)
    assert f"\r\nHost: [::1]:{port}\r\n".encode() in heads[0]


class Attempts:
    """The attempts to connect of the async side, which a test holds and releases by their port."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, held: dict[int, asyncio.Event]) -> None:
        self.opened: list[socket.socket] = []
        self.ports: list[int] = []
        self.second_began, self.one_opened = asyncio.Event(), asyncio.Event()
        original = _dial._connected_to

        async def connected_to(loop: Any, address: Any) -> socket.socket:
            port = address[4][1]
            self.ports.append(port)
            if len(self.ports) == 2:
                self.second_began.set()
            if port in held:
                await held[port].wait()
            sock = await original(loop, address)
            self.opened.append(sock)
            self.one_opened.set()
            return sock

        monkeypatch.setattr(_dial, "_connected_to", connected_to)

    @property
    def open(self) -> int:
        """The number of sockets that are open."""
        return len([sock for sock in self.opened if sock.fileno() >= 0])


@pytest.mark.parametrize("side", ["asyncio"])
async def test_the_second_address_is_tried_after_a_pause(side: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_dial, "_NEXT_ADDRESS", 0.02)
    with Loopback() as silent, Loopback(respond) as server:
        attempts = Attempts(monkeypatch, {port_of(silent): asyncio.Event()})
        async with open_client(side, resolve(monkeypatch, port_of(silent), port_of(server)), **INSECURE) as client:
            assert await send(client) == 1
        await asyncio.sleep(0)
        assert attempts.ports == [port_of(silent), port_of(server)]
        assert (attempts.open, silent.connections) == (0, 0)


@pytest.mark.parametrize("side", ["asyncio"])
async def test_the_first_address_is_used_if_it_accepts_during_the_attempt_at_the_second(
    side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_dial, "_NEXT_ADDRESS", 0.01)
    with Loopback(respond) as server, Loopback() as slow:
        held = {port_of(server): asyncio.Event(), port_of(slow): asyncio.Event()}
        attempts = Attempts(monkeypatch, held)
        async with open_client(side, resolve(monkeypatch, *held), **INSECURE) as client:
            sending = asyncio.ensure_future(send(client))
            await attempts.second_began.wait()
            held[port_of(server)].set()
            assert await sending == 1
        assert attempts.open == 0


@pytest.mark.parametrize("side", ["asyncio"])
async def test_of_two_connections_that_open_at_once_the_unused_one_is_closed(
    side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_dial, "_NEXT_ADDRESS", 0.001)
    original = asyncio.wait

    async def wait_for_all(tasks: Any, **options: Any) -> Any:
        if len(tasks) == 2:
            options["return_when"] = asyncio.ALL_COMPLETED
        return await original(tasks, **options)

    monkeypatch.setattr(asyncio, "wait", wait_for_all)
    with Loopback(respond) as one, Loopback(respond) as other:
        held = {port_of(one): asyncio.Event()}
        attempts = Attempts(monkeypatch, held)
        async with open_client(side, resolve(monkeypatch, port_of(one), port_of(other)), **INSECURE) as client:
            sending = asyncio.ensure_future(send(client))
            await attempts.one_opened.wait()
            held[port_of(one)].set()
            assert await sending == 1
            assert (len(attempts.opened), attempts.open) == (2, 1)
        assert attempts.open == 0


@pytest.mark.parametrize("side", ["asyncio"])
async def test_a_cancellation_while_two_addresses_are_tried_closes_both(
    side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_dial, "_NEXT_ADDRESS", 0.001)
    with Loopback() as one, Loopback() as other:
        never = {port_of(one): asyncio.Event(), port_of(other): asyncio.Event()}
        attempts = Attempts(monkeypatch, never)
        async with open_client(side, resolve(monkeypatch, *never), **INSECURE) as client:
            sending = asyncio.ensure_future(send(client))
            await attempts.second_began.wait()
            for event in never.values():
                event.set()  # they connect in the iteration in which the call is cancelled
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
        await asyncio.sleep(0.01)
        assert attempts.open == 0
    gc.collect()


@pytest.mark.parametrize("side", ["asyncio"])
async def test_the_connect_timeout_covers_all_addresses(side: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_dial, "_NEXT_ADDRESS", 0.001)
    with Loopback() as one, Loopback() as other:
        attempts = Attempts(monkeypatch, {port_of(one): asyncio.Event(), port_of(other): asyncio.Event()})
        timeout = httpx.Timeout(TIMEOUT, connect=0.05)
        url = resolve(monkeypatch, port_of(one), port_of(other))
        async with open_client(side, url, timeout=timeout, **INSECURE) as client:
            with pytest.raises(ConnectionFailed, match="ConnectTimeout") as caught:
                await send(client)
        assert (caught.value.outcome, caught.value.timed_out, len(attempts.ports)) == (Outcome.NOT_SENT, True, 2)


def test_the_sync_side_closes_the_socket_of_a_failed_address(refusing: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[socket.socket] = []
    original = socket.socket

    class Recorded(original):  # type: ignore[misc, valid-type]  # pytest-socket replaces the class, too
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            made.append(self)

    with Loopback(respond) as server:
        url = resolve(monkeypatch, refusing, port_of(server))
        monkeypatch.setattr(socket, "socket", Recorded)
        client = make_client("sync", url, **INSECURE)
        assert client.send.webservice(MOBILE, "hello").id == 1
        client.close()
        monkeypatch.undo()
    mine = [sock for sock in made if sock.proto == 6]
    assert len(mine) >= 2
    assert {sock.fileno() for sock in mine} == {-1}


# Tunnels.


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\nno", "ProxyError"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "ProxyError"),
        (b"HTTP/1.1 200 OK\r\n\r\nmore", "ProxyError"),
        (b"SSH-2.0-OpenSSH_9\r\n", "ProxyError"),
        (b"HTTP/1.1 200 OK\r\n", "ProxyError"),
        (b"", "ProxyError"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "ConnectError"),
    ],
    ids=["407", "502", "more", "not-http", "half", "nothing", "closed-after"],
)
async def test_a_proxy_that_opens_no_tunnel_is_not_sent(side: str, answer: bytes, problem: str) -> None:
    heads: list[bytes] = []

    def serve() -> None:
        sock, _ = listener.accept()
        with sock:
            heads.append(sock.recv(65536))
            sock.sendall(answer)
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        proxy = f"http://user:secret@127.0.0.1:{listener.getsockname()[1]}"
        async with open_client(side, f"https://{HOST}", proxy=proxy, retry=0) as client:
            with pytest.raises(ConnectionFailed, match=problem) as caught:
                await send(client)
        thread.join(TIMEOUT)
    assert caught.value.outcome is Outcome.NOT_SENT
    assert heads[0].startswith(f"CONNECT {HOST}:443 HTTP/1.1\r\n".encode())
    assert b"Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n" in heads[0]


# Event loops.


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Callable[[], Awaitable[Any]]], Any]:
    """Return a function that runs an async function in an event loop of its own."""
    factory = None if request.param == "asyncio" else pytest.importorskip("uvloop").new_event_loop

    def in_a_loop(function: Callable[[], Any]) -> Any:
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(function())

    return in_a_loop


Run = Callable[[Callable[[], Awaitable[Any]]], Any]


def test_a_client_works_in_two_event_loops_one_after_the_other(run: Run) -> None:
    with Loopback(respond) as server:
        client = make_client("async", server.url)
        assert run(lambda: send(client)) == 1
        assert server.wait_for_open(0)
        assert run(lambda: send(client)) == 2
        assert server.wait_for_open(0)
    gc.collect()


@pytest.mark.parametrize("path", ["plain", "tls", "tunnel"])
def test_sends_and_uploads_work_in_each_event_loop(
    run: Run, path: str, authority: trustme.CA, trust: ssl.SSLContext
) -> None:
    rows = b"phone_number\n" + b"09121234567\n" * 100_000

    async def work() -> list[int | None]:
        proxy = f"http://{server.host}" if path == "tunnel" else None
        async with open_client("async", server.url, verify=trust, proxy=proxy) as client:
            first = (await client.send.webservice(MOBILE, "hello")).id
            uploaded = (await client.send.file(("numbers.csv", rows), "hello")).id
            return [first, uploaded, await send(client)]

    with Loopback(respond, tls=None if path == "plain" else server_context(authority)) as server:
        first, uploaded, last = run(work)
        assert (first, uploaded) == (1, 1)
        # A response that arrives before the end of the file is read is one before the end of the request.
        assert last in {1, 2}
        assert server.wait_for_open(0)


def test_a_read_timeout_is_unknown_and_closes_the_connection_in_each_event_loop(run: Run) -> None:
    def handler(request: ReceivedRequest) -> None:
        request.sock.recv(1)  # until the client closes the connection

    async def work() -> None:
        timeout = httpx.Timeout(TIMEOUT, read=0.05)
        async with open_client("async", server.url, timeout=timeout) as client:
            with pytest.raises(OutcomeUnknown, match="ReadTimeout"):
                await send(client)
            assert server.wait_for_open(0)

    with Loopback(handler) as server:
        run(work)


def test_a_refused_connection_is_not_sent_in_each_event_loop(run: Run, refusing: int) -> None:
    async def work() -> None:
        async with open_client("async", f"http://127.0.0.1:{refusing}", retry=0) as client:
            with pytest.raises(ConnectionFailed):
                await send(client)

    run(work)


def test_a_connection_closed_while_idle_is_replaced_in_each_event_loop(run: Run) -> None:
    def handler(request: ReceivedRequest) -> None:
        respond(request)
        request.sock.close()

    async def work() -> None:
        async with open_client("async", server.url, retry=0) as client:
            for number in (1, 2, 3):
                assert await send(client) == number
                assert server.wait_for_open(0)  # blocks the event loop, so that only the system knows of the end

    with Loopback(handler) as server:
        run(work)


def test_a_cancelled_connect_leaves_no_socket_open_in_each_event_loop(run: Run) -> None:
    async def work() -> None:
        async with open_client("async", server.url, limits=httpx.Limits(max_connections=1)) as client:
            for iterations in range(12):
                task = asyncio.ensure_future(client.payment.credit())
                for _ in range(iterations):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.wait([task])
            assert await send(client) > 0

    with Loopback(respond) as server:
        run(work)
        assert server.wait_for_open(0)
    gc.collect()
