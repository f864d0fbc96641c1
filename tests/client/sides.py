"""Helpers of tests that run with the asyncio, trio and sync clients: awaiting, and middleware of either side."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from typing import Any

from ippanel_edge import Call, EdgeError, Reply

Body = Callable[[Call[Any]], Generator[Call[Any], Reply[Any], Reply[Any]]]
"""A middleware of any side: it yields each call to proceed with, and receives the reply or the error."""


async def result(value: Any) -> Any:
    """Return the result of a call of any client."""
    return await value if inspect.isawaitable(value) else value


def middleware(side: str, body: Body) -> Any:
    """Return a middleware of one side."""

    def advance(steps: Any, reply: Any, error: EdgeError | None) -> tuple[Any, Any]:
        """Return the call to proceed with, or the final reply."""
        try:
            return (steps.send(reply) if error is None else steps.throw(error)), None
        except StopIteration as end:
            return None, end.value

    async def run(call: Call[Any], proceed: Any) -> Any:
        steps = body(call)
        current, final = advance(steps, None, None)
        while current is not None:
            reply = failure = None
            try:
                reply = await proceed(current)
            except EdgeError as error:
                failure = error
            current, final = advance(steps, reply, failure)
        return final

    def run_sync(call: Call[Any], proceed: Any) -> Any:
        steps = body(call)
        current, final = advance(steps, None, None)
        while current is not None:
            reply = failure = None
            try:
                reply = proceed(current)
            except EdgeError as error:
                failure = error
            current, final = advance(steps, reply, failure)
        return final

    return run_sync if side == "sync" else run
