"""A server for the benchmarks, in its own process, that answers every request immediately."""

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
    """Answers each request when it is complete, one after the other on a connection."""

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport for the responses."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer when the request is complete: headers and body may arrive separately."""
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if found and len(body) >= _content_length(head):
            self._received = b""
            self._transport.write(ANSWER)


def _content_length(head: bytes) -> int:
    at = head.lower().find(_LENGTH)
    return 0 if at < 0 else int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0])


def _serve(parent: Connection) -> None:
    """Run the server and send its port to the parent process."""

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
        parent.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def running() -> Generator[str]:
    """Run the server and yield the base URL for a client."""
    processes = multiprocessing.get_context("spawn")
    receiver, sender = processes.Pipe(duplex=False)
    server = processes.Process(target=_serve, args=(sender,), daemon=True)
    server.start()
    try:
        yield f"http://127.0.0.1:{receiver.recv()}/v1"
    finally:
        server.terminate()
        server.join()
