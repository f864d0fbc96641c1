"""The service of the campaign tests: a sandbox that would accept a message twice, so that duplicates can be counted."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Self

from ippanel_edge.sandbox import Sandbox

if TYPE_CHECKING:
    from types import TracebackType

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from ippanel_edge.sandbox.records import OutboxMessage

SEND: Final = "/v1/api/send"
QUIET_WITHIN: Final = 10.0
"""Seconds that requests of a killed worker may take to end."""
MANY: Final = 10**9


class _Delays:
    """Middleware that delays sends: before they are executed, and again before their responses."""

    def __init__(self, app: ASGIApp, *, service: Service) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") != SEND:
            await self._app(scope, receive, send)
            return
        service = self._service

        async def delayed(message: Message) -> None:
            if message["type"] == "http.response.start":
                await asyncio.sleep(service.random.uniform(0, service.delay) + service.stall)
            await send(message)

        with service.counted():
            service.on_send()
            await asyncio.sleep(service.random.uniform(0, service.delay))
            await self._app(scope, receive, delayed)


def _nothing(*_: object) -> bool:
    return False


class Service:
    """A running sandbox without its own check for duplicates, and with enough credit.

    Args:
        delay: the maximum of seconds before a send is executed, and before its response.
        seed: the seed of the delays.

    Attributes:
        sandbox: the sandbox.
        delay: the argument.
        stall: further seconds between the execution of a send and its response.
        on_send: called in the thread of the service when a send arrives.
        random: the source of the delays.
    """

    def __init__(self, *, delay: float = 0.0, seed: int = 0) -> None:
        self.sandbox = Sandbox()
        self.delay = delay
        self.stall = 0.0
        self.on_send: Callable[[], object] = _nothing
        self.random = random.Random(seed)  # noqa: S311 - no secret
        self._active = 0
        self._lock = threading.Lock()
        state: Any = self.sandbox.state
        state.review_above = MANY
        state.recent_messages.has_any = _nothing
        for user in state.users.values():
            user.credit = float(MANY) * MANY
        self.sandbox.app = _Delays(self.sandbox.app, service=self)

    @contextmanager
    def counted(self) -> Generator[None]:
        """Count a request as active."""
        with self._lock:
            self._active += 1
        try:
            yield
        finally:
            with self._lock:
                self._active -= 1

    def __enter__(self) -> Self:
        self.sandbox.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.sandbox.stop()

    @property
    def options(self) -> dict[str, Any]:
        """The arguments of a client."""
        sandbox = self.sandbox
        return {"api_key": sandbox.api_key, "base_url": sandbox.base_url, "from_number": sandbox.from_number}

    @property
    def outbox(self) -> list[OutboxMessage]:
        """The accepted messages, oldest first."""
        state = self.sandbox.state
        with state.lock:
            return [state.outbox[number] for number in sorted(state.outbox)]

    def accepted(self) -> Counter[tuple[str, str]]:
        """Return how often each text was accepted for each number."""
        return Counter((row.number, row.text) for message in self.outbox for row in message.recipients)

    def accepted_when_idle(self) -> Counter[tuple[str, str]]:
        """Return the same when no send is being executed any more."""
        self.wait_until_idle()
        return self.accepted()

    def wait_until_idle(self) -> None:
        """Wait until no send is being executed.

        Raises:
            TimeoutError: a send did not end in time.
        """
        ends = time.monotonic() + QUIET_WITHIN
        while self._active:
            if time.monotonic() > ends:
                raise TimeoutError(f"{self._active} sends are active")
            time.sleep(0.002)

    def clear(self) -> None:
        """Forget the accepted messages and the faults that are still to come."""
        self.wait_until_idle()
        self.sandbox.faults.clear()
        with self.sandbox.state.lock:
            self.sandbox.state.outbox.clear()

    @contextmanager
    def lagging(self, count: int) -> Generator[None]:
        """Hide the newest messages from all reports, as an outbox that lags behind does."""
        state = self.sandbox.state
        with state.lock:
            hidden = {number: state.outbox.pop(number) for number in sorted(state.outbox, reverse=True)[:count]}
        try:
            yield
        finally:
            with state.lock:
                outbox = {**state.outbox, **hidden}
                state.outbox.clear()
                state.outbox.update(sorted(outbox.items()))
