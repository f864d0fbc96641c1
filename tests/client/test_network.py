"""The network backend of httpcore on asyncio: what its connections write, read and raise."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import httpcore
import pytest

from ippanel_edge._async._network import Backend
from tests.client.loopback import TIMEOUT, Loopback, http_response
from tests.client.pools import get_texts, open_client, server_context

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@contextmanager
def serving(serve: Callable[[socket.socket], object], *, tls: ssl.SSLContext | None = None) -> Generator[int]:
    """Accept one connection, and call a function with it in a thread. Yields the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            sock, _ = listener.accept()
            sock.settimeout(TIMEOUT)
            with sock if tls is None else tls.wrap_socket(sock, server_side=True) as connection:
                serve(connection)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(TIMEOUT)
        assert not thread.is_alive()


async def connect(port: int) -> Any:
    return await Backend().connect_tcp("127.0.0.1", port, timeout=TIMEOUT)


async def test_the_headers_and_the_body_of_a_request_are_one_write() -> None:
    received: list[bytes] = []

    def serve(sock: socket.socket) -> None:
        for _ in range(2):
            received.append(sock.recv(65536))
            sock.sendall(b"ok")

    with serving(serve) as port:
        stream = await connect(port)
        await stream.write(b"headers ", TIMEOUT)
        await stream.write(b"body", TIMEOUT)
        assert await stream.read(10, TIMEOUT) == b"ok"
        await stream.write(b"headers only", TIMEOUT)  # the read writes them
        assert await stream.read(10, TIMEOUT) == b"ok"
        await stream.aclose()
    assert received == [b"headers body", b"headers only"]


async def test_a_part_of_the_received_bytes_can_be_read() -> None:
    with serving(lambda sock: sock.sendall(b"abcdef")) as port:
        stream = await connect(port)
        assert [await stream.read(4, TIMEOUT), await stream.read(4, TIMEOUT)] == [b"abcd", b"ef"]
        assert await stream.read(4, TIMEOUT) == b""
        assert stream.get_extra_info("is_readable")
        await stream.aclose()


async def test_a_server_that_sends_faster_than_it_is_read_has_to_wait() -> None:
    size = 30_000_000  # more than the buffers of both sides
    sent = threading.Event()

    def serve(sock: socket.socket) -> None:
        sock.sendall(b"x" * size)
        sent.set()

    with serving(serve) as port:
        stream = await connect(port)
        first = await stream.read(1, TIMEOUT)
        while stream._transport.is_reading():  # noqa: ASYNC110 - it stops reading in advance, and no event tells of it
            await asyncio.sleep(0)
        assert not sent.is_set()
        total = len(first)
        while data := await stream.read(65536, TIMEOUT):
            total += len(data)
        await stream.aclose()
    assert total == size


async def test_a_read_and_a_write_have_a_timeout() -> None:
    done = threading.Event()
    with serving(lambda _: done.wait(TIMEOUT)) as port:
        stream = await connect(port)
        with pytest.raises(httpcore.ReadTimeout):
            await stream.read(1, 0.02)
        with pytest.raises(httpcore.WriteTimeout):
            await stream.write(b"x" * 30_000_000, 0.02)
        await stream.aclose()
        done.set()


async def test_a_large_write_ends_when_the_system_has_all_bytes() -> None:
    size = 20_000_000
    received: list[int] = []

    def serve(sock: socket.socket) -> None:
        total = 0
        while data := sock.recv(1_000_000):
            total += len(data)
        received.append(total)

    with serving(serve) as port:
        stream = await connect(port)
        await stream.write(b"x" * size, TIMEOUT)
        await stream.aclose()
    assert received == [size]


def reset(sock: socket.socket) -> None:
    """Close a socket with a reset."""
    sock.recv(1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def test_a_reset_is_a_read_error_and_then_a_write_error() -> None:
    with serving(reset) as port:
        stream = await connect(port)
        await stream.write(b"x", TIMEOUT)
        with pytest.raises(httpcore.ReadError):
            await stream.read(1, TIMEOUT)
        await stream.write(b"y", TIMEOUT)  # waits for the next bytes
        with pytest.raises(httpcore.WriteError):
            await stream.write(b"z", TIMEOUT)
        assert stream.get_extra_info("is_readable")
        await stream.aclose()


async def test_closing_ends_a_read_in_progress() -> None:
    done = threading.Event()
    with serving(lambda _: done.wait(TIMEOUT)) as port:
        stream = await connect(port)
        reading = asyncio.create_task(stream.read(1, TIMEOUT))
        await asyncio.sleep(0)
        await stream.aclose()
        with pytest.raises(httpcore.ReadError):
            await reading
        done.set()


async def test_a_host_without_a_listener_and_an_unknown_host_are_connect_errors() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(httpcore.ConnectError):
            await Backend().connect_tcp("127.0.0.1", bound.getsockname()[1])
    with pytest.raises(httpcore.ConnectError):
        await Backend().connect_tcp("a" * 64 + ".test", 80)


async def test_a_handshake_has_a_timeout_and_its_errors_are_connect_errors(trust: ssl.SSLContext) -> None:
    done = threading.Event()
    with serving(lambda _: done.wait(TIMEOUT)) as port:
        stream = await connect(port)
        with pytest.raises(httpcore.ConnectTimeout):
            await stream.start_tls(trust, "127.0.0.1", 0.05)
        done.set()
    with serving(lambda sock: sock.sendall(b"not TLS")) as port:
        stream = await connect(port)
        with pytest.raises(httpcore.ConnectError):
            await stream.start_tls(trust, "127.0.0.1", TIMEOUT)
        await stream.aclose()


async def test_a_connection_names_its_addresses_and_its_tls_layer(authority: Any, trust: ssl.SSLContext) -> None:
    with serving(lambda sock: sock.sendall(b"hello"), tls=server_context(authority)) as port:
        stream = await connect(port)
        assert stream.get_extra_info("server_addr") == ("127.0.0.1", port)
        assert stream.get_extra_info("client_addr")[0] == "127.0.0.1"
        assert stream.get_extra_info("ssl_object") is None
        secured = await stream.start_tls(trust, "127.0.0.1", TIMEOUT)
        assert isinstance(secured.get_extra_info("ssl_object"), ssl.SSLObject)
        assert await secured.read(10, TIMEOUT) == b"hello"
        await secured.aclose()


async def test_the_default_transport_uses_the_backend_on_asyncio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IPPANEL_TRANSPORT", raising=False)
    opened: list[tuple[str, int]] = []
    connect_tcp = Backend.connect_tcp

    async def recording(self: Backend, host: str, port: int, *rest: Any, **options: Any) -> Any:
        opened.append((host, port))
        return await connect_tcp(self, host, port, *rest, **options)

    monkeypatch.setattr(Backend, "connect_tcp", recording)
    with Loopback(lambda request: request.send(http_response("hi"))) as server:
        async with open_client("asyncio") as client:
            assert await get_texts(client, server.url, "a", "b") == ["hi", "hi"]
    assert len(opened) == 1
