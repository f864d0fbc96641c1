"""The sandbox as a server on this machine: a thread, a socket and a base URL. What it serves is `app`'s."""

from __future__ import annotations

import logging
import socket
import threading
from typing import TYPE_CHECKING, Self

import anyio.to_thread
import uvicorn

from ippanel_edge.sandbox.app import BASE, create_app
from ippanel_edge.sandbox.clock import SandboxClock
from ippanel_edge.sandbox.defaults import API_KEY, FROM_NUMBER, default_world
from ippanel_edge.sandbox.faults import Faults

if TYPE_CHECKING:
    from types import TracebackType

    from starlette.applications import Starlette

    from ippanel_edge.sandbox.store import World


class Sandbox:
    """The IPPanel Edge service on this machine.

    Use it as a context manager, sync or async, for a real server on 127.0.0.1; or, without starting it, hand its
    `app` to `httpx.ASGITransport`: the world is the same.

    Args:
        clock: what time it is; the real time without it.
        world: the state; a new default world without it. It has its own clock, so give only one of the two.
        host: the address to listen on.
        port: the port; 0 takes a free one.

    Attributes:
        world: the whole state; change it as you like.
        clock: the world's clock.
        faults: what is to go wrong.
        app: the ASGI app.
        api_key: a key that is good for everything.
        from_number: a line of the key's account.
    """

    def __init__(
        self,
        clock: SandboxClock | None = None,
        *,
        world: World | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        if clock is not None and world is not None:
            raise ValueError("give a clock or a world, not both: a world has its own clock")
        self.world: World = default_world(clock or SandboxClock()) if world is None else world
        self.clock: SandboxClock = self.world.clock
        self.faults: Faults = Faults()
        self.app: Starlette = create_app(self.world, self.faults)
        self.api_key = API_KEY
        self.from_number = FROM_NUMBER
        self._host = host
        self._port = port
        self._running: _Running | None = None

    @property
    def base_url(self) -> str:
        """The URL for a client, such as http://127.0.0.1:41234/v1; without a port before the server runs."""
        port = f":{self._running.port}" if self._running else ""
        return f"http://{self._host}{port}{BASE}"

    def start(self) -> Self:
        """Start the server and return when it is ready.

        Raises:
            RuntimeError: it runs already, or could not start.
            OSError: the address is taken.
        """
        if self._running is not None:
            raise RuntimeError("the sandbox runs already")
        self._running = _Running(self.app, self._host, self._port)
        return self

    def stop(self) -> None:
        """Stop the server and free its socket and thread. Requests that still wait are cut off after a second."""
        running, self._running = self._running, None
        if running is not None:
            running.stop()

    def __enter__(self) -> Self:
        """Start the server."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        self.stop()

    async def __aenter__(self) -> Self:
        """Start the server without holding the event loop up."""
        return await anyio.to_thread.run_sync(self.start)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server without holding the event loop up."""
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self.stop)


class _Server(uvicorn.Server):
    """uvicorn's server, saying when it is ready."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


class _Running:
    """A server in its thread, with its socket."""

    def __init__(self, app: Starlette, host: str, port: int) -> None:
        self._socket = _listen(host, port)
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            app,
            loop="asyncio",
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._serve, name=f"ippanel-sandbox-{self.port}", daemon=True)
        self._log = logging.getLogger("uvicorn.error")
        self._log.addFilter(self._is_not_chatter)
        self._thread.start()
        self._server.ready.wait()
        if not self._server.started:
            self.stop()
            raise RuntimeError("the sandbox's server could not start")

    def _serve(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._server.ready.set()

    def _is_not_chatter(self, record: logging.LogRecord) -> bool:
        """Keep uvicorn's words of this thread out of the host's log: only what goes wrong before the stop passes."""
        is_ours = record.thread == self._thread.ident
        return not is_ours or (record.levelno >= logging.WARNING and not self._server.should_exit)

    def stop(self) -> None:
        """End the thread and close the socket."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
        self._log.removeFilter(self._is_not_chatter)


def _listen(host: str, port: int) -> socket.socket:
    """Open the listening socket, so that whoever connects from now on is served.

    Its protocol is named: asyncio turns Nagle's delay off only for sockets whose protocol says TCP, and with the
    delay each answer takes 40 ms.
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
