"""A sandbox that accepts the same message again, so that duplicates can be counted, after random delays."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from ippanel_edge.sandbox import Sandbox

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MANY: Final = 10**9
_IDLE_WITHIN: Final = 10.0


class Service:
    """The sandbox and what it accepted.

    Attributes:
        sandbox: the running sandbox.
        options: the arguments of a client.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.options: dict[str, Any] = {
            "api_key": sandbox.api_key,
            "base_url": sandbox.base_url,
            "from_number": sandbox.from_number,
        }
        self._active = 0
        self._lock = threading.Lock()

    def change(self, by: int) -> None:
        """Count the requests that are being executed."""
        with self._lock:
            self._active += by

    def accepted(self) -> Counter[tuple[str, str]]:
        """Return how often each text was accepted for each number, when no request is being executed any more."""
        ends = time.monotonic() + _IDLE_WITHIN
        while self._active:
            assert time.monotonic() < ends, f"{self._active} requests are being executed"
            time.sleep(0.002)
        with self.sandbox.state.lock:
            messages = list(self.sandbox.state.outbox.values())
        return Counter((row.number, row.text) for message in messages for row in message.recipients)


def _never(*_: object) -> bool:
    return False


@contextmanager
def running(*, delay: float = 0.0, seed: int = 0) -> Generator[Service]:
    """Run a service.

    Args:
        delay: the maximum of seconds before a request is executed, and again before its response.
        seed: the seed of the delays.
    """
    sandbox = Sandbox()
    state: Any = sandbox.state
    state.review_above = _MANY
    state.recent_messages.has_any = _never
    for user in state.users.values():
        user.credit = float(_MANY) * _MANY
    services: list[Service] = []
    sandbox.app.add_middleware(_Delays, services=services, delay=delay, seed=seed)
    with sandbox:
        services.append(Service(sandbox))
        yield services[0]


class _Delays:
    """Middleware that delays a request before it is executed, and its response."""

    def __init__(self, app: ASGIApp, *, services: list[Service], delay: float, seed: int) -> None:
        self._app = app
        self._services = services
        self._delay = delay
        self._random = random.Random(seed)  # noqa: S311 - no secret

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def pause() -> None:
            await asyncio.sleep(self._random.uniform(0, self._delay))

        async def delayed(message: Message) -> None:
            if message["type"] == "http.response.start":
                await pause()
            await send(message)

        service = self._services[0]
        service.change(1)
        try:
            await pause()
            await self._app(scope, receive, delayed)
        finally:
            service.change(-1)
