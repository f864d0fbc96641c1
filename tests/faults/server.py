"""A server that breaks on purpose, and counts what it truly accepted. It asserts nothing: that is the tests' part.

One `FaultServer` runs in a thread of its own, so clients of any kind can call it. Each `arm()` opens a port for one
fault, independent of all others: a cell. Nothing sleeps; a stall ends when the client leaves or the cell is settled.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Final, Self, TypeVar

import attrs

from tests.faults import answers
from tests.faults.certificates import SERVICE_HOST, Certificates, make_certificates
from tests.faults.fault import Absence, End, Fault, Where
from tests.faults.wire import CHUNK, Head, RequestReader, Wire, readable

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Coroutine
    from types import TracebackType

T = TypeVar("T")

LIMIT: Final = 30.0
"""Seconds after which a stall ends by itself, whatever the client does."""
_FILLERS: Final = 8
_FILLED_AFTER: Final = 0.02


@attrs.frozen
class Request:
    """A request as the server read it.

    Attributes:
        method: the HTTP method.
        path: the target, with its query.
        headers: names as they came, in their order.
        body: as much of it as was read.
        whole: whether head and body were read to their end.
        struck: whether the fault was applied to it.
        connection: the number of its connection in the cell, from 1.
        nth: its place on that connection, from 1.
    """

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    whole: bool
    struck: bool
    connection: int
    nth: int


@attrs.frozen
class Tally:
    """A cell's counts, without the request that only made the connection a reused one.

    Attributes:
        accepted: requests that the service carried out, or may have.
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
    """One connection of a cell, from its first byte to its end."""

    def __init__(self, cell: Cell, sock: socket.socket, number: int) -> None:
        self._cell = cell
        self._number = number
        self._wire = Wire(sock, cell.changed.set)
        self._reader = RequestReader(self._wire)
        self._stalled = False

    @property
    def stalled(self) -> bool:
        """Whether the server says nothing, on purpose."""
        return self._stalled

    def quiet(self) -> bool:
        """Whether nothing happens before the client does something, or the cell is settled."""
        return self._stalled or self._wire.quiet()

    def shut(self) -> None:
        """Let its socket go."""
        self._wire.shut()

    async def run(self) -> None:
        """Serve, break, and let go. A client that leaves in the middle is no error here."""
        try:
            with contextlib.suppress(OSError):
                await self._run()
        finally:
            self._wire.shut()

    async def _run(self) -> None:
        cell, fault = self._cell, self._cell.fault
        if fault.where is Where.ACCEPT and cell.strikes_connections:
            await self._strike("/")
            return
        if fault.proxy and not await self._open_tunnel():
            return
        if fault.where is Where.TLS:
            await self._wire.receive()
            await self._strike("/")
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
            await self._strike("/")
            return False
        await self._wire.send(answers.head(200))
        return True

    async def _serve(self, nth: int) -> bool:
        """Serve one request; whether another may follow."""
        cell, fault = self._cell, self._cell.fault
        primer, struck = cell.next_request()
        if struck and fault.where is Where.ACCEPT:
            return await self._strike("/")
        head = await self._reader.head()
        if head is None:
            return False
        body, whole = await self._reader.body(head, self._body_limit(head) if struck else None)
        request = Request(head.method, head.target, head.headers, body, whole, struck, self._number, nth)
        if primer:
            cell.primer = request
        else:
            cell.seen.append(request)
            if whole and (fault.carries_out or not struck):
                cell.accepted.append(request)
        path = head.target.partition("?")[0]
        if struck:
            return await self._strike(path)
        await self._wire.send(answers.reply(cell.good(path).body))
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

    async def _strike(self, path: str) -> bool:
        """Do what the fault says; whether the connection may be used on."""
        fault = self._cell.fault
        for step in fault.say(self._cell.good(path)):
            await self._utter(step)
        if fault.end is End.RESET:
            self._wire.reset()
        elif fault.end is End.CLOSE:
            await self._wire.close()
        elif fault.end is End.STALL:
            await self._pause(LIMIT)
            await self._wire.drain()
        elif self._cell.released.is_set():
            await self._wire.drain()
        return fault.end is End.KEEP

    async def _utter(self, step: answers.Step) -> None:
        released = self._cell.released
        if isinstance(step, answers.Send):
            await self._wire.send(step.data)
        elif isinstance(step, answers.Hush):
            await self._reader.more()
        elif isinstance(step, answers.Drip):
            for byte in step.data:
                if released.is_set():
                    return
                await self._wire.send(bytes([byte]))
                await self._pause(step.pause)
        else:
            while not released.is_set():
                await self._wire.send(step.data)
                await asyncio.sleep(0)  # sock_sendall does not yield while the client listens

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
    """One fault on a port of its own, and what came of it.

    Attributes:
        fault: what goes wrong.
        reused: whether the first request is only there to be answered well, so that the second finds a used connection.
        base_url: where the client calls, with ``/v1``.
        proxy: the proxy's URL that the client must use; None without.
        trust: what the client must trust; None where the cell is plain HTTP.
        primer: the first request of a reused cell.
        accepted: the requests carried out, in their order. The primer is not among them.
        seen: all requests whose head was read, likewise.
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
        self._connections = self._requests = self._strikes = self._answers = 0
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
        """Take the places of a queue that nobody serves, until the system leaves the next one waiting."""
        self._socket.listen(0)
        while len(self._fillers) < _FILLERS:
            filler = socket.socket()
            self._fillers.append(filler)
            filler.settimeout(_FILLED_AFTER)
            try:
                filler.connect(self._address)
            except TimeoutError:
                return
        raise RuntimeError("this system's backlog does not fill")

    # Asked by the connections.

    @property
    def strikes_connections(self) -> bool:
        """Whether a connection is struck as it comes."""
        return not self.reused

    def next_request(self) -> tuple[bool, bool]:
        """Whether the request that now begins is the primer, and whether it is struck."""
        self._requests += 1
        first = self._requests == 1
        primer = first and self.reused
        struck = first if self.fault.where is Where.IDLE else not primer and not (self.fault.heals and self._strikes)
        self._strikes += struck
        return primer, struck

    def good(self, path: str) -> answers.Good:
        """The right answer to a request for `path`: ids count from 1001 in each cell."""
        self._answers += 1
        return answers.good(path, 1000 + self._answers, self._data)

    # Asked by the tests, from their own threads.

    @property
    def stalls(self) -> bool:
        """Whether a connection of it is held by a stall."""
        return any(connection.stalled for connection in tuple(self._tasks.values()))

    def quiesce(self, limit: float = 10.0) -> Tally:
        """Wait until nothing is under way: all that the client sent is read, and all that is to be said is said.

        Raises:
            TimeoutError: something went on for longer than `limit` seconds.
        """
        return _call(self._loop, self._quiesce(limit, closed=False))

    def settle(self, limit: float = 10.0) -> Tally:
        """End every stall, and wait until the client's connections are gone; `open` counts those that stay.

        Call it when the client is closed, or says that its pool is empty: the counts are final then.
        """
        return _call(self._loop, self._settle(limit))

    def close(self) -> None:
        """Close the port and all that hangs on it."""
        _call(self._loop, self._aclose())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # In the loop's thread.

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

    def _is_quiet(self, *, closed: bool) -> bool:
        if (self._listening and readable(self._socket)) or (closed and self._tasks):
            return False
        return all(connection.quiet() for connection in self._tasks.values())

    async def _quiesce(self, limit: float, *, closed: bool) -> Tally:
        async with asyncio.timeout(limit):
            while not self._is_quiet(closed=closed):
                self.changed.clear()
                await self.changed.wait()
        return self._tally()

    async def _settle(self, limit: float) -> Tally:
        self.released.set()
        with contextlib.suppress(TimeoutError):
            return await self._quiesce(limit, closed=True)
        return self._tally()

    def _tally(self) -> Tally:
        return Tally(len(self.accepted), len(self.seen), self._connections, self.connects, len(self._tasks))

    async def _aclose(self) -> None:
        if self._listening:
            self._loop.remove_reader(self._socket)
            self._listening = False
        tasks = dict(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for connection in tasks.values():
            connection.shut()  # also where it was cancelled before it began
        for sock in (*self._fillers, self._socket):
            sock.close()


class FaultServer:
    """A thread with a loop that serves any number of cells. Use it as a context manager."""

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
        """Close every cell, end the thread.

        Raises:
            RuntimeError: the server itself failed on the way.
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
        data: Callable[[str, int], object] = answers.good_data,
    ) -> Cell:
        """Open a port where this goes wrong.

        Args:
            fault: what goes wrong.
            reused: answer one request well first; the fault strikes the second, on the same connection.
            tls: speak TLS also where the fault does not need it.
            data: what a good answer's ``data`` is, by path and number.

        Raises:
            ValueError: the fault cannot strike such a connection.
        """
        if not (fault.reused if reused else fault.fresh):
            raise ValueError(f"{fault.name} cannot strike a {'reused' if reused else 'fresh'} connection")
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
