"""Interrupted calls over the fast transport: nothing is leaked, no slot is lost, and an interrupted send is reported.

On the async side each suspension of a call is cancelled, while it waits and as that for which it waits is done.
On the sync side each operation of the socket is interrupted by KeyboardInterrupt, before and after it. An unclosed
socket would be a ResourceWarning, which is an error here.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import socket
import ssl
import threading
import time
from collections.abc import Callable, Generator
from typing import Any, cast

import anyio
import httpx
import pytest
import trustme

from ippanel_edge import EdgeError, Outcome
from ippanel_edge._sync import _socket as sync_socket
from tests.client.fast import MOBILE, Events, close, ends_of, make_client, open_client, respond, send, sent
from tests.client.loopback import TIMEOUT, Loopback, ReceivedRequest
from tests.client.pools import server_context

pytestmark = pytest.mark.anyio

ONE_CONNECTION = httpx.Limits(max_connections=1)
"""A pool of one connection: if its slot is lost, the next call cannot get one."""
MAX_STEPS = 60


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["plain", "tls", "proxy", "tunnel"])
def path(request: pytest.FixtureRequest) -> str:
    """Return how the server is reached."""
    return str(request.param)


def server_of(path: str, authority: trustme.CA, handler: Callable[[ReceivedRequest], None] = respond) -> Loopback:
    return Loopback(handler, tls=server_context(authority) if path in {"tls", "tunnel"} else None)


def options_of(path: str, server: Loopback, trust: ssl.SSLContext, events: Events) -> dict[str, Any]:
    proxy = f"http://{server.host}" if path in {"proxy", "tunnel"} else None
    return {"proxy": proxy, "verify": trust, "limits": ONE_CONNECTION, "listeners": [ends_of(events)]}


# The async side.


class Cancelled:
    """Runs a call and cancels its task at one of its suspensions.

    Args:
        call: the call.
        at: the number of the suspension, from 1.
        is_done: whether the cancellation comes when that for which it waits is done.
    """

    def __init__(self, call: Any, at: int, *, is_done: bool) -> None:
        self.steps = 0
        self._call = call
        self._at = at
        self._is_done = is_done

    def __await__(self) -> Generator[Any, Any, Any]:
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        inner = self._call.__await__()
        failure: BaseException | None = None
        while True:
            try:
                future = inner.send(None) if failure is None else inner.throw(failure)
            except StopIteration as end:
                return end.value
            self.steps += 1
            if self.steps == self._at:
                if self._is_done and future is not None:

                    def cancel(_: object) -> None:
                        task.cancel()

                    future.add_done_callback(cancel)
                else:
                    task.cancel()
            failure = None
            try:
                yield future
            except BaseException as error:  # noqa: BLE001 - the call receives it
                failure = error


def respond_and_close(request: ReceivedRequest) -> None:
    """Respond, and let the client close the connection."""
    request.send(sent(request.connection).replace(b"\r\n", b"\r\nConnection: close\r\n", 1))


@pytest.mark.parametrize("is_done", [False, True], ids=["waiting", "done"])
@pytest.mark.parametrize("call", ["read", "send"])
@pytest.mark.parametrize("handler", [respond, respond_and_close], ids=["keep", "close"])
async def test_a_cancellation_at_any_suspension_leaks_nothing_and_loses_no_id(
    path: str,
    call: str,
    handler: Callable[[ReceivedRequest], None],
    *,
    is_done: bool,
    authority: trustme.CA,
    trust: ssl.SSLContext,
) -> None:
    for at in range(1, MAX_STEPS):
        events: Events = []
        received: list[int] = []

        def record(request: ReceivedRequest, received: list[int] = received) -> None:
            received.append(request.connection)
            handler(request)

        with server_of(path, authority, record) as server:
            client = make_client("asyncio", server.url, **options_of(path, server, trust, events))
            run = client.payment.credit() if call == "read" else client.send.webservice(MOBILE, "hello")
            cancelled = Cancelled(run, at, is_done=is_done)

            async def work(cancelled: Cancelled = cancelled) -> None:
                await cancelled

            task = asyncio.ensure_future(work())
            await asyncio.wait([task])
            is_cancelled = task.cancelled()
            if is_cancelled:
                ids = events[-1].message_outbox_ids
                assert ids == (tuple(received) if call == "send" else ())
                assert events[-1].interrupted is (call == "send" and bool(ids)), "the server responds at once"
                if not ids:
                    assert server.wait_for_open(0)
            else:
                task.exception()
            assert await send(client) > 0
            await close(client)
            assert server.wait_for_open(0)
        if not is_cancelled:
            break
    else:
        pytest.fail("the call has too many suspensions")
    assert at > 2
    gc.collect()


@pytest.mark.parametrize("method", ["task", "scope"])
async def test_a_cancelled_send_that_began_may_finish_and_its_ids_are_reported(method: str) -> None:
    arrived, may_respond = threading.Event(), threading.Event()
    events: Events = []
    errors: list[BaseException] = []
    cancelling: list[asyncio.Future[None]] = []

    def handler(request: ReceivedRequest) -> None:
        arrived.set()
        may_respond.wait(TIMEOUT)
        request.send(sent(77))

    async def run() -> None:
        try:
            await client.send.webservice(MOBILE, "hello")
        except BaseException as error:
            errors.append(error)
            raise

    with Loopback(handler) as server:
        async with open_client("asyncio", server.url, listeners=[ends_of(events)], limits=ONE_CONNECTION) as client:
            with anyio.CancelScope() as scope:
                task = asyncio.ensure_future(run()) if method == "task" else None
                waiting = asyncio.ensure_future(anyio.to_thread.run_sync(arrived.wait, TIMEOUT))

                async def cancel() -> None:
                    assert await waiting
                    for _ in range(3):  # a caller may cancel more than once
                        if task is None:
                            scope.cancel()
                        else:
                            task.cancel()
                        await asyncio.sleep(0)
                    assert not errors, "the send may finish"
                    may_respond.set()

                cancelling.append(asyncio.ensure_future(cancel()))
                if task is None:
                    await run()
                else:
                    await asyncio.wait([task])
            await cancelling[0]
            assert await send(client) == 77
    (event, _) = events
    assert (event.interrupted, event.message_outbox_ids, event.outcome) == (True, (77,), None)
    assert isinstance(errors[0], asyncio.CancelledError)
    assert any("message_outbox_ids 77" in note for note in errors[0].__notes__)


async def test_a_cancelled_send_without_a_response_is_given_up_after_its_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ippanel_edge._async.exchange.CANCEL_GRACE", 0.05)
    arrived = threading.Event()
    events: Events = []

    def handler(request: ReceivedRequest) -> None:
        if request.connection > 1:
            respond(request)
            return
        arrived.set()
        request.sock.recv(1)  # until the client closes the connection

    with Loopback(handler) as server:
        async with open_client("asyncio", server.url, listeners=[ends_of(events)], limits=ONE_CONNECTION) as client:
            task = asyncio.ensure_future(client.send.webservice(MOBILE, "hello"))
            assert await anyio.to_thread.run_sync(arrived.wait, TIMEOUT)
            began = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert 0.04 < time.monotonic() - began < TIMEOUT / 2
            assert server.wait_for_open(0)
            assert await send(client) == 2
    assert (events[0].interrupted, events[0].message_outbox_ids) == (True, ())


async def test_a_cancelled_read_closes_its_connection_at_once() -> None:
    arrived = threading.Event()

    def handler(request: ReceivedRequest) -> None:
        arrived.set()
        request.sock.recv(1)  # until the client closes the connection

    with Loopback(handler) as server:
        async with open_client("asyncio", server.url, limits=ONE_CONNECTION) as client:
            task = asyncio.ensure_future(client.payment.credit())
            assert await anyio.to_thread.run_sync(arrived.wait, TIMEOUT)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert server.wait_for_open(0)


# The sync side.


def interrupt(patch: pytest.MonkeyPatch, at: int, *, is_done: bool) -> None:
    """Raise KeyboardInterrupt before or after one of the operations of sockets: connect, handshake, write, receive."""
    steps = itertools.count(1)

    def interrupted(operation: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            if next(steps) != at:
                return operation(*arguments)
            if is_done:
                operation(*arguments)
            raise KeyboardInterrupt

        return run

    owners: list[tuple[Any, str]] = [
        (sync_socket, "_limited"),
        (sync_socket.Connection, "_write"),
        (sync_socket.Connection, "_received"),
    ]
    for owner, name in owners:
        patch.setattr(owner, name, interrupted(getattr(owner, name)))


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
def test_an_interrupt_at_any_operation_of_the_socket_leaks_nothing(
    path: str, *, is_done: bool, authority: trustme.CA, trust: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[bool] = []
    for at in range(1, MAX_STEPS):
        events: Events = []
        with server_of(path, authority) as server:
            client = make_client("sync", server.url, **options_of(path, server, trust, events))
            with monkeypatch.context() as patch:
                interrupt(patch, at, is_done=is_done)
                try:
                    client.send.webservice(MOBILE, "hello")
                except KeyboardInterrupt:
                    assert server.wait_for_open(0)
                    reported.append(events[-1].interrupted)
                else:
                    client.close()
                    break
            assert client.send.webservice(MOBILE, "hello").id > 0
            client.close()
    steps = {"plain": 3, "proxy": 3, "tls": 4, "tunnel": 6}[path]
    assert reported == [False] * (steps - 2) + [True] * 2, "only writing and reading may interrupt a send"
    gc.collect()


def test_an_interrupted_tls_handshake_leaks_nothing(
    authority: trustme.CA, trust: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    handshake = ssl.SSLSocket.do_handshake

    def interrupted(sock: ssl.SSLSocket, *arguments: Any) -> None:
        if not sock.server_side:
            raise KeyboardInterrupt
        handshake(sock, *arguments)

    with Loopback(respond, tls=server_context(authority)) as server:
        client = make_client("sync", server.url, verify=trust, limits=ONE_CONNECTION)
        with monkeypatch.context() as patch:
            patch.setattr(ssl.SSLSocket, "do_handshake", interrupted)
            with pytest.raises(KeyboardInterrupt) as caught:
                client.send.webservice(MOBILE, "hello")
            assert server.wait_for_open(0), caught.traceback  # it refers to the socket, which nothing collects yet
        assert client.send.webservice(MOBILE, "hello").id > 0
        client.close()


# Closing while connecting.


class Stalling(Loopback):
    """A server that stalls before the response to CONNECT, or before the TLS handshake."""

    def __init__(self, step: str, context: ssl.SSLContext, handler: Callable[[ReceivedRequest], None]) -> None:
        self.arrived, self.may_go_on = threading.Event(), threading.Event()
        self._context = context
        self._step = step
        super().__init__(handler, tls=cast("ssl.SSLContext", self))  # for wrap_socket()

    def wrap_socket(self, sock: socket.socket, *, server_side: bool) -> socket.socket:
        if self._step != "connect":
            self._stall()
        return self._context.wrap_socket(sock, server_side=server_side)

    def _serve_requests(self, sock: socket.socket, number: int, stack: contextlib.ExitStack) -> None:
        if self._step == "connect":
            self._stall()
        super()._serve_requests(sock, number, stack)

    def _stall(self) -> None:
        self.arrived.set()
        self.may_go_on.wait(TIMEOUT)


@pytest.mark.parametrize("kind", ["asyncio", "sync"])
@pytest.mark.parametrize("step", ["tls", "connect", "tunnel"])
@pytest.mark.parametrize("transport", ["httpx", "fast"])
async def test_closing_a_client_while_it_connects_sends_nothing(
    kind: str, step: str, transport: str, authority: trustme.CA, trust: ssl.SSLContext
) -> None:
    requests: list[str] = []
    failures: list[EdgeError] = []

    def record(request: ReceivedRequest) -> None:
        requests.append(request.target)
        respond(request)

    with Stalling(step, server_context(authority), record) as server:
        proxy = None if step == "tls" else f"http://{server.host}"
        client = make_client(kind, server.url, verify=trust, proxy=proxy, retry=0, timeout=60, transport=transport)

        async def run() -> None:
            try:
                await send(client)
            except EdgeError as error:
                failures.append(error)

        def go_on() -> None:
            if transport == "httpx":  # which does not interrupt a handshake, but sends nothing after it
                server.may_go_on.set()

        if kind == "sync":
            thread = threading.Thread(target=lambda: anyio.run(run))
            thread.start()
            assert server.arrived.wait(TIMEOUT)
            client.close()
            go_on()
            thread.join(TIMEOUT)
            assert not thread.is_alive()
        else:
            task = asyncio.ensure_future(run())
            assert await anyio.to_thread.run_sync(server.arrived.wait, TIMEOUT)
            await client.aclose()
            go_on()
            await asyncio.wait_for(task, TIMEOUT)
        server.may_go_on.set()
        assert server.wait_for_open(0)
    assert requests == []
    assert [failure.outcome for failure in failures] == [Outcome.NOT_SENT]
