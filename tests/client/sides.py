"""A helper of tests that run with the asyncio, trio and sync clients: it awaits a value if it is awaitable."""

from __future__ import annotations

import inspect
from typing import Any


async def result(value: Any) -> Any:
    """Return the result of a call of any client."""
    return await value if inspect.isawaitable(value) else value
