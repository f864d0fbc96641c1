"""The sandbox as a local HTTP server that runs the ASGI app in a background thread."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import socket
import threading
from typing import TYPE_CHECKING, Any, Final, Self

import anyio.to_thread
import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from ippanel_edge.sandbox.app import BASE, create_app, endpoints_by_path, names_by_call
from ippanel_edge.sandbox.clock import SandboxClock
from ippanel_edge.sandbox.connections import CONNECTION, Connection, StopCallbacks
from ippanel_edge.sandbox.defaults import default_state, main_account, set_main_account
from ippanel_edge.sandbox.faults import Fault, Faults, PlannedFault
from ippanel_edge.sandbox.hosts import AllowedHosts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

    from starlette.types import ASGIApp

    from ippanel_edge.sandbox.events import EventFeed
    from ippanel_edge.sandbox.state import SandboxState
    from ippanel_edge.sandbox.storage import Storage


class Sandbox:
    """A local simulation of the IPPanel Edge service.

    Use it as a sync or async context manager to run an HTTP server on 127.0.0.1. To work without a server, pass its
    `app` to `httpx.ASGITransport`. Both use the same state.

    Args:
        clock: the clock of the sandbox; a clock that shows the system time by default.
        state: the initial state; the state of `defaults` by default. It includes a clock, so pass either `clock` or
            `state`.
        host: the address to listen on.
        port: the port; 0 selects a free one.
        allow_hosts: further host names that the server answers to, such as the name of its container. Names of this
            machine (localhost, 127.0.0.1, ::1) and `host` are always allowed.
        api_key: the API key of the main account; "sandbox-key" by default.
        from_number: the first sender line of the main account, E.164; "+983000100200" by default.
        max_messages: `SandboxState.max_messages`; 100,000 by default.
        db: an SQLite file that keeps the state; it is created if it does not exist. Each request is saved before its
            response is sent, and `stop` saves and closes the file. None: the state is lost at the end.

    Raises:
        ValueError: arguments contradict each other, or `db` is not a file of the sandbox, has another version, or is
            used by another sandbox.

    Attributes:
        state: the state of the sandbox; tests may read and change it.
        clock: the clock of the state.
        faults: the errors to inject into upcoming requests.
        events: the feed of what happens: messages, status changes, requests and so on.
        app: the ASGI app.
        api_key: the API key of the main account.
        from_number: a sender line of the main account.
    """

    def __init__(
        self,
        clock: SandboxClock | None = None,
        *,
        state: SandboxState | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        allow_hosts: Iterable[str] = (),
        api_key: str | None = None,
        from_number: str | None = None,
        max_messages: int | None = None,
        db: str | os.PathLike[str] | None = None,
    ) -> None:
        if clock is not None and state is not None:
            raise ValueError("expected either clock or state, got both; a state includes its own clock")
        if db is not None and state is not None:
            raise ValueError("expected either db or state, got both; the file contains a state")
        self._storage = None if db is None else _open_storage(db)
        if self._storage is not None:
            state = self._storage.open_state(clock or SandboxClock(), default_state)
        self.state: SandboxState = default_state(clock or SandboxClock()) if state is None else state
        try:
            set_main_account(self.state, api_key, from_number)
        except ValueError:
            if self._storage is not None:
                self._storage.close()
            raise
        if max_messages is not None:
            self.state.max_messages = max_messages
        self.clock: SandboxClock = self.state.clock
        self.faults: Faults = Faults(endpoints_by_path().keys(), names_by_call())
        self.events: EventFeed = self.state.events
        self.state.progress.watch_existing(self.state)
        self.app: ASGIApp = create_app(self.state, self.faults)
        if self._storage is not None:
            self.app = self._storage.wrap(self.app)
        key, line = main_account(self.state)
        self.api_key: str = key
        self.from_number: str = line
        self._host = host
        self._port = port
        self._allowed_hosts = frozenset(name.lower() for name in (host, *allow_hosts))
        self._server_thread: _ServerThread | None = None

    def fail(
        self,
        call: str | None = None,
        *,
        with_: Fault = Fault.STATUS,
        times: int = 1,
        path: str | None = None,
        status: int | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        delay: float = 0.0,
        executed: bool | None = None,
        cut: int | None = None,
    ) -> PlannedFault:
        """Let the next `times` requests of a call fail, such as `fail("send", with_=Fault.RESET_AFTER_ACCEPT)`.

        The arguments are those of `Faults.fail`.

        Raises:
            ValueError: there is no such call, an argument does not belong to the fault, or a number is out of range.
        """
        return self.faults.fail(
            call,
            with_=with_,
            times=times,
            path=path,
            status=status,
            body=body,
            headers=headers,
            delay=delay,
            executed=executed,
            cut=cut,
        )

    @property
    def base_url(self) -> str:
        """The base URL for a client, such as http://127.0.0.1:41234/v1; it has no port until the server runs."""
        return f"{self.origin}{BASE}"

    @property
    def origin(self) -> str:
        """The URL of the server without a path; for a server that listens on every address, its loopback address."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104 - compared, not bound
        port = f":{self._server_thread.port}" if self._server_thread else ""
        return f"http://[{host}]{port}" if ":" in host else f"http://{host}{port}"

    def start(self) -> Self:
        """Start the server and return when it accepts requests.

        Raises:
            RuntimeError: the server is already running, or could not start.
            OSError: the address is already in use.
        """
        if self._server_thread is not None:
            raise RuntimeError("the sandbox is already running")
        if self._storage is not None and self._storage.is_closed:
            raise RuntimeError("the db file of a stopped sandbox is closed; create a new Sandbox with it")
        self._server_thread = _ServerThread(AllowedHosts(self.app, self._allowed_hosts), self._host, self._port)
        return self

    def stop(self) -> None:
        """Stop the server and release its socket, thread and db file; pending requests are aborted after one second."""
        server_thread, self._server_thread = self._server_thread, None
        if server_thread is not None:
            server_thread.stop()
        if self._storage is not None:
            self._storage.close()

    def __enter__(self) -> Self:
        """Start the server."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        self.stop()

    async def __aenter__(self) -> Self:
        """Start the server without blocking the event loop."""
        return await anyio.to_thread.run_sync(self.start)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server without blocking the event loop."""
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self.stop)


def _open_storage(db: str | os.PathLike[str]) -> Storage:
    from ippanel_edge.sandbox.storage import Storage  # noqa: PLC0415 - its imports take as long as all others

    return Storage(db)


_TICK: Final = 0.1
"""Seconds between two turns of the main loop of uvicorn."""
_CLOSING_STEPS: Final = 3
"""Turns of the event loop in which a closed idle connection disappears."""


def _protocol_class(on_stop: StopCallbacks) -> type[asyncio.Protocol]:
    """Return uvicorn's protocol class, extended so that each request knows its connection."""

    class WithConnection(asyncio.Protocol):
        app_state: Mapping[str, Any]  # uvicorn copies it into the scope of each request

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            if isinstance(transport, asyncio.Transport):
                self.app_state = {**self.app_state, CONNECTION: Connection(transport, on_stop)}
            super().connection_made(transport)

    return type("SandboxProtocol", (WithConnection, AutoHTTPProtocol), {})


class _Server(uvicorn.Server):
    """A uvicorn server that sets `ready` when it has started, and ends endless responses when it stops."""

    def __init__(self, config: uvicorn.Config, on_stop: StopCallbacks) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._on_stop = on_stop
        self._loop: asyncio.AbstractEventLoop | None = None
        self._exit: asyncio.Event | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        # uvicorn would notice that it should exit after up to 0.1 s, which each test with a server would wait.
        self._loop, self._exit = asyncio.get_running_loop(), asyncio.Event()
        for tick in itertools.count():
            if await self.on_tick(tick):
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._exit.wait(), _TICK)

    def exit(self) -> None:
        """Stop the server soon; any thread may call it."""
        self.should_exit = True
        if self._loop is not None and self._exit is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the server has stopped
                self._loop.call_soon_threadsafe(self._exit.set)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_stop.call()
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for _ in range(_CLOSING_STEPS):
            await asyncio.sleep(0)
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)  # it waits for them, in steps of 0.1 s


class _ServerThread:
    """A running server with its thread and socket."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self._socket = _listen(host, port)
        self.port: int = self._socket.getsockname()[1]
        on_stop = StopCallbacks()
        config = uvicorn.Config(
            app,
            http=_protocol_class(on_stop),
            loop="asyncio",
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,  # the app sends its own
            timeout_keep_alive=60,
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config, on_stop)
        self._thread = threading.Thread(target=self._serve, name=f"ippanel-sandbox-{self.port}", daemon=True)
        self._log = logging.getLogger("uvicorn.error")
        self._log.addFilter(self._should_keep)
        self._thread.start()
        self._server.ready.wait()
        if not self._server.started:
            self.stop()
            raise RuntimeError("the server of the sandbox could not start")

    def _serve(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._server.ready.set()

    def _should_keep(self, record: logging.LogRecord) -> bool:
        """Filter out the uvicorn records of this thread, except warnings and errors before the server stops."""
        is_from_thread = record.thread == self._thread.ident
        return not is_from_thread or (record.levelno >= logging.WARNING and not self._server.should_exit)

    def stop(self) -> None:
        """Stop the thread and close the socket."""
        self._server.exit()
        self._thread.join()
        self._socket.close()
        self._log.removeFilter(self._should_keep)


def _listen(host: str, port: int) -> socket.socket:
    """Open the listening socket; connections are queued from this moment on.

    The protocol is passed explicitly: asyncio disables Nagle's algorithm only on sockets whose protocol is
    IPPROTO_TCP, and with the algorithm each response takes 40 ms.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(2048)
    except OSError:
        listening.close()
        raise
    return listening
