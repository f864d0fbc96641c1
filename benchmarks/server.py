"""A server for the benchmarks, in a process of its own: it answers every request as a successful send.

    python -m benchmarks.server CORE

It prints the ports on which it answers immediately and after 100 ms, as JSON, and runs until its input ends. It does as
little as possible, so that the client limits the rate.
"""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from typing import Final, cast

from benchmarks.process import loop_factory, pin, reply

IDS: Final = [730011]
BODY: Final = b'{"data":{"message_outbox_ids":[730011]},"meta":{"status":true,"message":"","message_code":"200-1"}}'
ANSWER: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
LATENCY: Final = 0.1
"""The delay of the second port, in seconds."""
_LENGTH: Final = b"\r\ncontent-length:"
_END: Final = b"\r\n\r\n"
_BACKLOG: Final = 1024


class Server(asyncio.Protocol):
    """Answers the requests of one connection in their order, each `delay` seconds after its last byte."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport for the responses."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's class is not a subclass of it

    def data_received(self, data: bytes) -> None:
        """Answer each complete request: headers and body may arrive separately, or several requests at once."""
        self._received += data
        while (end := _end(self._received)) is not None:
            self._received = self._received[end:]
            if self._delay:
                asyncio.get_running_loop().call_later(self._delay, self._transport.write, ANSWER)
            else:
                self._transport.write(ANSWER)


def _end(received: bytes) -> int | None:
    """Return the length of the first request, or None if it is not complete."""
    head = received.find(_END)
    if head < 0:
        return None
    names = received[:head].lower()
    at = names.find(_LENGTH)
    length = 0 if at < 0 else int(names[at + len(_LENGTH) :].split(b"\r\n", 1)[0])
    end = head + len(_END) + length
    return end if len(received) >= end else None


async def serve() -> None:
    """Run until the input of the process ends."""
    loop = asyncio.get_running_loop()
    ports: list[int] = []
    for delay in (0.0, LATENCY):
        server = await loop.create_server(partial(Server, delay), "127.0.0.1", 0, backlog=_BACKLOG)
        ports.append(server.sockets[0].getsockname()[1])
    reply({"ports": ports})
    await loop.run_in_executor(None, sys.stdin.read)


def main() -> None:
    """Run the server."""
    pin(int(sys.argv[1]))
    with asyncio.Runner(loop_factory=loop_factory(uvloop=True)) as runner:
        runner.run(serve())


if __name__ == "__main__":
    main()
