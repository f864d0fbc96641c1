"""A server that injects network faults and counts the requests that it accepted.

One `FaultServer` runs in its own thread, so that sync and async clients can call it. Each `arm()` opens a port for one
fault, independent of all others: a cell. A stall ends when the client disconnects or the cell is settled.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Final, Self, TypeVar

import attrs

from tests.faults import responses
from tests.faults.certificates import SERVICE_HOST, Certificates, make_certificates
from tests.faults.fault import Absence, End, Fault, Where
from tests.faults.wire import CHUNK, Head, RequestReader, Wire, readable

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Coroutine
    from types import TracebackType

T = TypeVar("T")

MAX_STALL: Final = 30.0
"""Seconds after which a stall ends even if the client stays connected."""
_FILLERS: Final = 8
_FILLED_AFTER: Final = 0.02


@attrs.frozen
class Request:
    """A request that the server read.

    Attributes:
        method: the HTTP method.
        path: the target, with its query.
        headers: in the received order, with names in the received case.
        body: the bytes that were read.
        whole: whether head and body were read completely.
        affected: whether the fault was applied to it.
        connection: the number of its connection in the cell, from 1.
        nth: the number of the request on that connection, from 1.
    """

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    whole: bool
    affected: bool
    connection: int
    nth: int


@attrs.frozen
class Counts:
    """The counts of a cell, without the primer.

    Attributes:
        accepted: requests that the service executed, or may have executed.
        seen: requests whose head was read.
        connections: connections made.
        connects: CONNECT requests to the proxy.
        open: connections that the client has not closed.
    """

    accepted: int
    seen: int
    connections: int
    connects: int
    open: int


class Connection:
    """One connection of a cell."""

    def __init__(self, cell: Cell, sock: socket.socket, number: int) -> None:
        self._cell = cell
        self._number = number
        self._wire = Wire(sock, cell.changed.set)
        self._reader = RequestReader(self._wire)
        self._stalled = False

    @property
    def stalled(self) -> bool:
        """Whether the server intentionally sends nothing."""
        return self._stalled

    def idle(self) -> bool:
        """Return whether nothing happens until the client sends bytes or disconnects, or the cell is settled."""
        return self._stalled or self._wire.idle()

    def close_socket(self) -> None:
        """Close the socket."""
        self._wire.close_socket()

    async def run(self) -> None:
        """Serve requests, inject the fault, and close the socket. A client that disconnects early is not an error."""
        try:
            with contextlib.suppress(OSError):
                await self._run()
        finally:
            self._wire.close_socket()

    async def _run(self) -> None:
        cell, fault = self._cell, self._cell.fault
        if fault.where is Where.ACCEPT and cell.affects_connections:
            await self._inject("/")
            return
        if fault.proxy and not await self._open_tunnel():
            return
        if fault.where is Where.TLS:
            await self._wire.receive()
            await self._inject("/")
            return
        if cell.shown is not None:
            await self._wire.start_tls(cell.shown)
        nth = 1
        while await self._reader.begins() and await self._serve(nth):
            nth += 1

    async def _open_tunnel(self) -> bool:
        if await self._reader.head() is None:
            return False
        self._cell.connects += 1
        if self._cell.fault.where is Where.PROXY:
            await self._inject("/")
            return False
        await self._wire.send(responses.head(200))
        return True

    async def _serve(self, nth: int) -> bool:
        """Serve one request; return whether another one may follow."""
        cell, fault = self._cell, self._cell.fault
        primer, affected = cell.next_request()
        if affected and fault.where is Where.ACCEPT:
            return await self._inject("/")
        head = await self._reader.head()
        if head is None:
            return False
        body, whole = await self._reader.body(head, self._body_limit(head) if affected else None)
        request = Request(head.method, head.target, head.headers, body, whole, affected, self._number, nth)
        if primer:
            cell.primer = request
        else:
            cell.seen.append(request)
            if whole and (fault.executes or not affected):
                cell.accepted.append(request)
        path = head.target.partition("?")[0]
        if affected:
            return await self._inject(path)
        await self._wire.send(responses.reply(cell.good(path).body))
        if head.header("connection") == "close":
            await self._wire.close()
            return False
        return True

    def _body_limit(self, head: Head) -> int | None:
        if self._cell.fault.where is Where.HEADERS:
            return 0
        if self._cell.fault.where is Where.MID_BODY:
            return min(int(head.header("content-length") or 2) // 2, CHUNK)
        return None

    async def _inject(self, path: str) -> bool:
        """Inject the fault; return whether the connection can still be used."""
        fault = self._cell.fault
        for step in fault.steps(self._cell.good(path)):
            await self._execute(step)
        if fault.end is End.RESET:
            self._wire.reset()
        elif fault.end is End.CLOSE:
            await self._wire.close()
        elif fault.end is End.STALL:
            await self._pause(MAX_STALL)
            await self._wire.drain()
        elif self._cell.released.is_set():
            await self._wire.drain()
        return fault.end is End.KEEP

    async def _execute(self, step: responses.Step) -> None:
        released = self._cell.released
        if isinstance(step, responses.Send):
            await self._wire.send(step.data)
        elif isinstance(step, responses.AwaitClient):
            await self._reader.more()
        elif isinstance(step, responses.SendSlowly):
            for byte in step.data:
                if released.is_set():
                    return
                await self._wire.send(bytes([byte]))
                await self._pause(step.pause)
        else:
            while not released.is_set():
                await self._wire.send(step.data)
                await asyncio.sleep(0)  # sock_sendall does not yield while the client reads

    async def _pause(self, seconds: float) -> None:
        self._stalled = True
        self._cell.changed.set()
        try:
            async with asyncio.timeout(seconds):
                await self._cell.released.wait()
        except TimeoutError:
            pass
        finally:
            self._stalled = False


class Cell:
    """One fault on its own port, and the recorded requests.

    Attributes:
        fault: the injected fault.
        reused: whether the first request, the primer, succeeds, so that the fault affects a reused connection.
        base_url: the base URL of the client, with ``/v1``.
        proxy: the URL of the proxy that the client must use; None without a proxy.
        trust: the TLS settings of the client; None for plain HTTP.
        primer: the first request, if `reused`.
        accepted: the executed requests, in order, without the primer.
        seen: all requests whose head was read, in order, without the primer.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        certificates: Certificates,
        fault: Fault,
        *,
        reused: bool,
        tls: bool,
        data: Callable[[str, int], object],
    ) -> None:
        self.fault, self.reused = fault, reused
        self.shown: ssl.SSLContext | None = certificates.shown[fault.certificate] if tls else None
        self.trust = certificates.trust if tls else None
        self.primer: Request | None = None
        self.accepted: list[Request] = []
        self.seen: list[Request] = []
        self.connects = 0
        self.released, self.changed = asyncio.Event(), asyncio.Event()
        self._loop, self._data = loop, data
        self._connections = self._requests = self._injections = self._responses = 0
        self._tasks: dict[asyncio.Task[None], Connection] = {}
        self._fillers: list[socket.socket] = []
        self._listening = False
        self._socket = socket.socket()
        self._socket.setblocking(False)
        self._socket.bind(("127.0.0.1", 0))
        self._address: tuple[str, int] = self._socket.getsockname()
        self.base_url, self.proxy = self._urls()
        if fault.absence is Absence.BACKLOG:
            self._fill_backlog()
        elif fault.absence is None:
            self._socket.listen(128)
            self._listening = True
            loop.call_soon_threadsafe(loop.add_reader, self._socket, self._accept)

    def _urls(self) -> tuple[str, str | None]:
        host, port = self._address
        if self.fault.absence is Absence.UNRESOLVED:
            host = "no-such-host.invalid"
        scheme = "https" if self.shown else "http"
        if self.fault.proxy:
            return f"https://{SERVICE_HOST}/v1", f"http://{host}:{port}"
        return f"{scheme}://{host}:{port}/v1", None

    def _fill_backlog(self) -> None:
        """Fill the backlog of a listening socket that accepts no connection, until the next one has to wait."""
        self._socket.listen(0)
        while len(self._fillers) < _FILLERS:
            filler = socket.socket()
            self._fillers.append(filler)
            filler.settimeout(_FILLED_AFTER)
            try:
                filler.connect(self._address)
            except TimeoutError:
                return
        raise RuntimeError("the backlog of this system cannot be filled")

    # Used by the connections.

    @property
    def affects_connections(self) -> bool:
        """Whether the fault affects a connection when it is accepted."""
        return not self.reused

    def next_request(self) -> tuple[bool, bool]:
        """Return whether the next request is the primer, and whether the fault affects it."""
        self._requests += 1
        first = self._requests == 1
        primer = first and self.reused
        affected = (
            first if self.fault.where is Where.IDLE else not primer and not (self.fault.transient and self._injections)
        )
        self._injections += affected
        return primer, affected

    def good(self, path: str) -> responses.Good:
        """Return the valid response of a request for `path`: the ids count from 1001 in each cell."""
        self._responses += 1
        return responses.good(path, 1000 + self._responses, self._data)

    # Called by the tests, from other threads.

    @property
    def stalls(self) -> bool:
        """Whether a connection is stalled."""
        return any(connection.stalled for connection in tuple(self._tasks.values()))

    def quiesce(self, limit: float = 10.0) -> Counts:
        """Wait until the server is idle: all received bytes are read, and all responses are sent.

        Raises:
            TimeoutError: the server was not idle within `limit` seconds.
        """
        return _call(self._loop, self._quiesce(limit, closed=False))

    def settle(self, limit: float = 10.0) -> Counts:
        """End every stall, and wait until the client has closed its connections; `open` counts the remaining ones.

        The counts are final if the client is closed or its pool is empty.
        """
        return _call(self._loop, self._settle(limit))

    def close(self) -> None:
        """Close the port and all its connections."""
        _call(self._loop, self._close())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Called in the thread of the event loop.

    def _accept(self) -> None:
        sock, _ = self._socket.accept()
        self._connections += 1
        connection = Connection(self, sock, self._connections)
        task = self._loop.create_task(connection.run())
        self._tasks[task] = connection
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        self.changed.set()
        if not task.cancelled() and (error := task.exception()):
            self._loop.call_exception_handler({"message": "a cell's connection failed", "exception": error})

    def _is_idle(self, *, closed: bool) -> bool:
        if (self._listening and readable(self._socket)) or (closed and self._tasks):
            return False
        return all(connection.idle() for connection in self._tasks.values())

    async def _quiesce(self, limit: float, *, closed: bool) -> Counts:
        async with asyncio.timeout(limit):
            while not self._is_idle(closed=closed):
                self.changed.clear()
                await self.changed.wait()
        return self._tally()

    async def _settle(self, limit: float) -> Counts:
        self.released.set()
        with contextlib.suppress(TimeoutError):
            return await self._quiesce(limit, closed=True)
        return self._tally()

    def _tally(self) -> Counts:
        return Counts(len(self.accepted), len(self.seen), self._connections, self.connects, len(self._tasks))

    async def _close(self) -> None:
        if self._listening:
            self._loop.remove_reader(self._socket)
            self._listening = False
        tasks = dict(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for connection in tasks.values():
            connection.close_socket()  # a task that was cancelled before it started has not closed it
        for sock in (*self._fillers, self._socket):
            sock.close()


class FaultServer:
    """A thread with an event loop that serves any number of cells. Use it as a context manager."""

    def __init__(self) -> None:
        self.failures: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(self._failed)
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-server", daemon=True)
        self._certificates = make_certificates()
        self._cells: list[Cell] = []

    def _failed(self, _: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        self.failures.append(repr(context.get("exception") or context.get("message")))

    def start(self) -> Self:
        """Start the thread."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close all cells, and stop the thread.

        Raises:
            RuntimeError: the server itself failed.
        """
        for cell in self._cells:
            cell.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        if self.failures:
            raise RuntimeError("; ".join(self.failures))

    def arm(
        self,
        fault: Fault,
        *,
        reused: bool = False,
        tls: bool = False,
        data: Callable[[str, int], object] = responses.good_data,
    ) -> Cell:
        """Open a port that injects this fault.

        Args:
            fault: the fault.
            reused: let the first request succeed; the fault affects the second one, on the same connection.
            tls: use TLS even if the fault does not require it.
            data: returns the ``data`` of a valid response, by path and number.

        Raises:
            ValueError: the fault cannot affect such a connection.
        """
        if not (fault.reused if reused else fault.fresh):
            raise ValueError(f"{fault.name} cannot affect a {'reused' if reused else 'fresh'} connection")
        cell = Cell(self._loop, self._certificates, fault, reused=reused, tls=tls or fault.tls, data=data)
        self._cells.append(cell)
        return cell

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _call(loop: asyncio.AbstractEventLoop, work: Coroutine[object, object, T]) -> T:
    return asyncio.run_coroutine_threadsafe(work, loop).result()
