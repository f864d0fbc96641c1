"""Connections of the fast transport over real sockets: reuse, proof that nothing left, limits and uploads."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any, Self

import anyio
import httpx
import pytest

from ippanel_edge import (
    ApiError,
    ConnectionFailed,
    DecodeError,
    EdgeClient,
    EdgeError,
    Outcome,
    OutcomeUnknown,
    RetryPolicy,
)
from ippanel_edge._async import _socket as async_socket
from ippanel_edge._async import exchange as async_exchange
from ippanel_edge._async import fast as async_fast
from ippanel_edge._sync import _socket as sync_socket
from ippanel_edge._sync import exchange as sync_exchange
from ippanel_edge._sync import fast as sync_fast
from tests.client.fast import LINE, Events, chunked, ends_of, open_client, respond, send, sent
from tests.client.loopback import TIMEOUT, Loopback, ReceivedRequest
from tests.client.pools import call_concurrently, server_context
from tests.client.sides import result

pytestmark = pytest.mark.anyio

ONCE_ONLY = RetryPolicy(retries=0)
CSV = ("numbers.csv", b"phone_number\n" + b"09121234567\n" * 500_000)
"""A file of 3.6 MB, which does not fit into the buffers of a socket whose other end reads nothing."""


@pytest.fixture(params=["asyncio", "sync"])
def side(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def connection_class(side: str) -> Any:
    return sync_socket.Connection if side == "sync" else async_socket.Connection


# Reuse.


async def test_a_connection_that_the_server_closed_while_idle_is_replaced_without_a_failed_attempt(
    side: str, tls: ssl.SSLContext | None, trust: ssl.SSLContext
) -> None:
    events: Events = []

    def handler(request: ReceivedRequest) -> None:
        respond(request)
        request.sock.close()

    with Loopback(handler, tls=tls) as server:
        async with open_client(side, server.url, verify=trust, listeners=[ends_of(events)]) as client:
            for number in (1, 2, 3):
                assert await send(client) == number
                assert server.wait_for_open(0)
    assert [event.attempts for event in events] == [1, 1, 1]


@pytest.mark.parametrize("when", ["same-segment", "later", "while-the-loop-runs"])
@pytest.mark.parametrize("form", [bytes, chunked], ids=["length", "chunked"])
async def test_a_second_response_is_never_that_of_the_next_send(
    side: str, tls: ssl.SSLContext | None, trust: ssl.SSLContext, form: Callable[[bytes], bytes], when: str
) -> None:
    may_repeat, repeated = threading.Event(), threading.Event()

    def handler(request: ReceivedRequest) -> None:
        if when == "same-segment":
            request.send(form(sent(request.connection)), sent(666))
        else:
            request.send(form(sent(request.connection)))
            may_repeat.wait(TIMEOUT)
            request.send(sent(666))
        repeated.set()

    with Loopback(handler, tls=tls) as server:
        async with open_client(side, server.url, verify=trust) as client:
            for number in (1, 2):
                assert await send(client) == number
                may_repeat.set()
                if when == "while-the-loop-runs":
                    assert await anyio.to_thread.run_sync(repeated.wait, TIMEOUT)
                else:
                    assert repeated.wait(TIMEOUT)  # blocks the event loop, so that only the system knows of the bytes
                repeated.clear()
                may_repeat.clear()
            may_repeat.set()
        assert server.connections == 2


@pytest.mark.parametrize("response", [b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 200 OK\r\nConnection: close\r\n"])
async def test_a_connection_that_the_server_does_not_keep_is_closed(side: str, response: bytes) -> None:
    def handler(request: ReceivedRequest) -> None:
        request.send(sent(request.connection).replace(b"HTTP/1.1 200 OK\r\n", response))

    with Loopback(handler) as server:
        async with open_client(side, server.url) as client:
            for number in (1, 2):
                assert await send(client) == number
                assert server.wait_for_open(0)


async def test_a_response_without_a_length_ends_with_the_connection(side: str) -> None:
    def handler(request: ReceivedRequest) -> None:
        body = sent(request.connection).partition(b"\r\n\r\n")[2]
        request.send(b"HTTP/1.1 200 OK\r\n\r\n", body[:5], body[5:])
        request.sock.shutdown(socket.SHUT_WR)

    with Loopback(handler) as server:
        async with open_client(side, server.url) as client:
            for number in (1, 2):
                assert await send(client) == number
                assert server.wait_for_open(0)


@pytest.mark.parametrize("size", [0, 20, -1], ids=["nothing", "headers", "body"])
async def test_a_connection_that_ends_within_a_response_is_unknown(side: str, size: int) -> None:
    def handler(request: ReceivedRequest) -> None:
        request.send(sent(1)[:size])
        request.sock.shutdown(socket.SHUT_WR)

    with Loopback(handler) as server:
        async with open_client(side, server.url) as client:
            with pytest.raises(OutcomeUnknown, match="RemoteProtocolError") as caught:
                await send(client)
            assert caught.value.attempts == 1
            assert server.wait_for_open(0)


async def test_no_more_idle_connections_are_kept_than_the_limits_allow(side: str) -> None:
    arrived = threading.Barrier(4)

    def handler(request: ReceivedRequest) -> None:
        arrived.wait(TIMEOUT)
        respond(request)

    limits = httpx.Limits(max_connections=4, max_keepalive_connections=1)
    with Loopback(handler) as server:
        async with open_client(side, server.url, limits=limits) as client:
            answers = await call_concurrently(side, 4, lambda _: client.send.webservice("09123456789", "hello"))
            assert sorted(answer.id for answer in answers) == [1, 2, 3, 4]
            assert server.wait_for_open(1)


async def test_each_of_300_concurrent_sends_over_20_connections_gets_its_own_response(side: str) -> None:
    def handler(request: ReceivedRequest) -> None:
        request.send(sent(int(request.target.rpartition("/")[2])))

    count = 300
    with Loopback(handler) as server:
        async with open_client(side, server.url, limits=httpx.Limits(max_connections=20)) as client:
            replies = await call_concurrently(
                side, count, lambda number: client.request("POST", f"/api/send/{number}", json={})
            )
        assert [reply.data["message_outbox_ids"] for reply in replies] == [[number] for number in range(count)]
        assert server.connections <= 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="os.fork is not available")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # the warning is about threads, which this tests
def test_a_forked_child_opens_its_own_connection() -> None:
    with (
        Loopback(respond) as server,
        EdgeClient("key", base_url=f"{server.url}/v1", from_number=LINE, transport="fast") as client,
    ):
        assert client.send.webservice("09123456789", "parent").id == 1
        child = os.fork()
        if child == 0:
            number: int | None = 0
            try:
                number = client.send.webservice("09123456789", "child").id
            finally:
                os._exit(number or 0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
        assert client.send.webservice("09123456789", "parent").id in {1, 3}


# Proof that nothing left.


class Broken:
    """A socket whose connection breaks after some bytes were accepted.

    Args:
        sock: the socket.
        accepted: the number of bytes that the system accepts first.
    """

    def __init__(self, sock: Any, accepted: int) -> None:
        self._sock = sock
        self._accepted = accepted

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def send(self, data: Any) -> int:
        accepted, self._accepted = self._accepted, 0
        if not accepted:
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_RDWR)
            raise ConnectionResetError
        return int(self._sock.send(data[:accepted]))


def break_next_write(side: str, monkeypatch: pytest.MonkeyPatch, accepted: int) -> None:
    """Break the connection of the next request when its headers are written."""
    kind, name = connection_class(side), "_write_first" if side == "sync" else "_start"
    original = getattr(kind, name)

    def write_first(self: Any, sock: Any, *rest: Any) -> bool:
        monkeypatch.setattr(kind, name, original)
        return bool(original(self, Broken(sock, accepted), *rest))

    async def start(self: Any, *arguments: Any) -> Any:
        monkeypatch.setattr(kind, name, original)
        transport = getattr(self._transport, "_ssl_protocol", None)
        inner = self._transport if transport is None else transport._transport
        inner._sock = Broken(inner._sock, accepted)
        return await original(self, *arguments)

    monkeypatch.setattr(kind, name, write_first if side == "sync" else start)


@pytest.mark.parametrize("idle", [False, True], ids=["new", "reused"])
async def test_a_reset_that_is_reported_before_the_first_byte_is_not_sent_and_retried(
    side: str, *, idle: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: Events = []
    with Loopback(respond) as server:
        retry = RetryPolicy(backoff=0.001)
        async with open_client(side, server.url, listeners=[ends_of(events)], retry=retry) as client:
            if idle:
                assert await send(client) == 1
            break_next_write(side, monkeypatch, accepted=0)
            assert await send(client) == 2
            assert events[-1].attempts == 2
            break_next_write(side, monkeypatch, accepted=0)
            with pytest.raises(ConnectionFailed) as caught:
                await send(client.with_options(retry=ONCE_ONLY))
    assert (caught.value.outcome, caught.value.retryable) == (Outcome.NOT_SENT, True)
    assert "WriteError" in str(caught.value)


@pytest.mark.parametrize("accepted", [1, 40])
async def test_a_reset_after_the_first_byte_is_unknown_and_not_retried(
    side: str, accepted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Loopback(respond) as server:
        async with open_client(side, server.url) as client:
            break_next_write(side, monkeypatch, accepted)
            with pytest.raises(OutcomeUnknown) as caught:
                await send(client)
            assert caught.value.attempts == 1
            assert await send(client) == 2


async def test_over_tls_a_failed_write_is_never_proof(
    side: str, authority: Any, trust: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Loopback(respond, tls=server_context(authority)) as server:
        async with open_client(side, server.url, verify=trust) as client:
            assert await send(client) == 1
            break_next_write(side, monkeypatch, accepted=0)
            with pytest.raises(OutcomeUnknown) as caught:
                await send(client)
            assert (caught.value.attempts, server.connections) == (1, 1)


# Limits of a response.


@pytest.mark.parametrize("framing", ["length", "chunked", "end"])
async def test_a_response_beyond_the_limit_is_an_error_with_its_status_and_closes_the_connection(
    side: str, framing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (async_exchange, sync_exchange, async_fast, sync_fast):
        monkeypatch.setattr(module, "MAX_ANSWER_BYTES", 1000)

    def handler(request: ReceivedRequest) -> None:
        if request.connection > 1:
            respond(request)
        elif framing == "length":
            request.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n")
        elif framing == "chunked":
            request.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n")
        else:
            request.send(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001)

    with Loopback(handler) as server:
        async with open_client(side, server.url, limits=httpx.Limits(max_connections=1)) as client:
            with pytest.raises(DecodeError, match="larger than 1,000 bytes") as caught:
                await send(client)
            assert (caught.value.status_code, caught.value.outcome) == (200, Outcome.UNKNOWN)
            assert server.wait_for_open(0)
            assert await send(client) == 2


# Uploads.


class Uploads:
    """A server that reads the headers of one request on each connection, then runs `respond` with the socket."""

    def __init__(self, respond: Callable[[socket.socket], None]) -> None:
        self._respond = respond
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)  # so that few bytes fill it
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self._listener.settimeout(TIMEOUT)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.done = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self._thread.join(TIMEOUT)
        self._listener.close()

    def _serve(self) -> None:
        sock, _ = self._listener.accept()
        with sock:
            sock.settimeout(TIMEOUT)
            received = b""
            while b"\r\n\r\n" not in received:
                received += sock.recv(1024)
            self._respond(sock)


async def upload(client: Any) -> Any:
    return await result(client.send.file(CSV, "hello"))


TOO_LARGE = b'HTTP/1.1 413 Too Large\r\nContent-Length: 29\r\nConnection: close\r\n\r\n{"meta": {"message": "large"}}'


@pytest.mark.parametrize("header", [b"Connection: close\r\n", b""], ids=["close", "keep"])
async def test_a_response_before_the_end_of_an_upload_ends_the_upload_and_its_connection(
    side: str, header: bytes
) -> None:
    def refuse(sock: socket.socket) -> None:
        sock.sendall(TOO_LARGE.replace(b"Connection: close\r\n", header))
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):  # until the client closes the connection
            pass

    with Uploads(refuse) as server:
        async with open_client(side, server.url, retry=ONCE_ONLY) as client:
            with pytest.raises(ApiError) as caught:
                await upload(client)
            assert caught.value.status_code == 413
            assert client._shared.transport.pool.here._idle == []


async def test_a_server_that_refuses_an_upload_and_closes_never_means_not_sent(side: str) -> None:
    def refuse(sock: socket.socket) -> None:
        sock.sendall(TOO_LARGE)  # unread bytes make closing a reset, which may overtake the response

    with Uploads(refuse) as server:
        async with open_client(side, server.url, retry=ONCE_ONLY) as client:
            with pytest.raises(EdgeError) as caught:
                await upload(client)
    assert getattr(caught.value, "status_code", 413) in {413, None}
    assert caught.value.outcome is not Outcome.NOT_SENT


async def test_a_response_of_a_server_that_stops_reading_is_read(side: str) -> None:
    def refuse(sock: socket.socket) -> None:
        sock.sendall(TOO_LARGE)
        server.done.wait(TIMEOUT)

    with Uploads(refuse) as server:
        async with open_client(side, server.url, timeout=httpx.Timeout(TIMEOUT, write=0.2)) as client:
            with pytest.raises(ApiError) as caught:
                await upload(client)
            assert (caught.value.status_code, caught.value.outcome) == (413, Outcome.REJECTED)
            server.done.set()


async def test_a_server_that_stops_reading_is_a_write_timeout_with_an_unknown_outcome(side: str) -> None:
    def stall(_: socket.socket) -> None:
        server.done.wait(TIMEOUT)

    with Uploads(stall) as server:
        timeout = httpx.Timeout(TIMEOUT, write=0.1)
        async with open_client(side, server.url, timeout=timeout) as client:
            with pytest.raises(OutcomeUnknown, match="WriteTimeout") as caught:
                await upload(client)
            assert (caught.value.timed_out, caught.value.attempts) == (True, 1)
            server.done.set()


async def test_a_server_that_stops_reading_a_large_body_is_unknown(side: str) -> None:
    def stall(_: socket.socket) -> None:
        server.done.wait(TIMEOUT)

    with Uploads(stall) as server:
        async with open_client(side, server.url, timeout=httpx.Timeout(TIMEOUT, write=0.1)) as client:
            with pytest.raises(OutcomeUnknown, match="WriteTimeout"):
                await result(client.request("POST", "/api/send", json={"message": "x" * 8_000_000}))
            server.done.set()


async def test_a_connection_that_breaks_during_an_upload_is_unknown(side: str) -> None:
    def reset(sock: socket.socket) -> None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")

    with Uploads(reset) as server:
        async with open_client(side, server.url) as client:
            with pytest.raises(EdgeError) as caught:
                await upload(client)
            assert (caught.value.outcome, caught.value.attempts) == (Outcome.UNKNOWN, 1)
