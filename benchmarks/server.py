"""The other side of the benchmarks: a server that answers every request at once, in a process of its own."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Generator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Final

BODY: Final = b'{"data":{"message_outbox_ids":[730011]},"meta":{"status":true,"message":"","message_code":"200-1"}}'
ANSWER: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
_LENGTH: Final = b"\r\ncontent-length:"


class Server(asyncio.Protocol):
    """Answers each request once it is whole, over one connection after another."""

    def __init__(self) -> None:
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer once the whole request is there: head and body may come apart."""
        self._read += data
        head, found, body = self._read.partition(b"\r\n\r\n")
        if found and len(body) >= _announced(head):
            self._read = b""
            self._transport.write(ANSWER)


def _announced(head: bytes) -> int:
    at = head.lower().find(_LENGTH)
    return 0 if at < 0 else int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0])


def _serve(told: Connection) -> None:
    """Run the server and tell its port."""

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def running() -> Generator[str]:
    """Run the server; gives the base URL for a client."""
    processes = multiprocessing.get_context("spawn")
    here, there = processes.Pipe(duplex=False)
    server = processes.Process(target=_serve, args=(there,), daemon=True)
    server.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}/v1"
    finally:
        server.terminate()
        server.join()
