"""What tests of all three sides share: waiting for what may or may not be awaitable."""

from __future__ import annotations

import inspect
from typing import Any


async def result(value: Any) -> Any:
    """Give what a call of any side gives."""
    return await value if inspect.isawaitable(value) else value
