"""Fixtures of the campaign tests: a sandbox that accepts campaigns, and a client of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Final

import pytest

from ippanel_edge import AsyncEdgeClient
from ippanel_edge.sandbox import Sandbox

MANY: Final = 10**9


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.state.review_above = MANY
        running.state.delivery_seconds = 0.0
        for user in running.state.users.values():
            user.credit = float(MANY)
        yield running


@pytest.fixture
async def client(sandbox: Sandbox, anyio_backend: str) -> AsyncIterator[AsyncEdgeClient]:
    del anyio_backend
    async with AsyncEdgeClient(
        sandbox.api_key, base_url=sandbox.base_url, from_number=sandbox.from_number, retry=0
    ) as opened:
        yield opened
