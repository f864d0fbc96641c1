"""Walking lists on all three sides: what ends a walk where the service says little of pages, as for numbers."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.client.conftest import MakeClient
from tests.contract.sample import ok

pytestmark = pytest.mark.anyio


class Lines:
    """A list of lines in an envelope that says nothing of pages.

    Args:
        count: lines in all.
        turns: whether it turns pages; else it gives all of them whatever is asked for.
    """

    def __init__(self, count: int, *, turns: bool) -> None:
        self._rows = [{"id": number, "number": f"+983000{number}"} for number in range(1, count + 1)]
        self._turns = turns
        self.pages: list[int] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        page, size = int(request.url.params["page"]), int(request.url.params["per_page"])
        self.pages.append(page)
        rows = self._rows[(page - 1) * size : page * size] if self._turns else self._rows
        return httpx.Response(200, json=ok(rows))


async def walk(client: Any) -> list[int]:
    lines = client.numbers.iter_list(per_page=2)
    return [line.id for line in lines] if hasattr(lines, "__iter__") else [line.id async for line in lines]


async def test_a_walk_goes_on_to_the_empty_page(make_client: MakeClient) -> None:
    lines = Lines(5, turns=True)
    assert await walk(make_client(lines)) == [1, 2, 3, 4, 5]
    assert lines.pages == [1, 2, 3, 4]


async def test_a_list_that_does_not_turn_pages_is_walked_once(make_client: MakeClient) -> None:
    lines = Lines(5, turns=False)
    assert await walk(make_client(lines)) == [1, 2, 3, 4, 5]
    assert lines.pages == [1, 2]


async def test_an_empty_list_is_one_request(make_client: MakeClient) -> None:
    lines = Lines(0, turns=False)
    assert await walk(make_client(lines)) == []
    assert lines.pages == [1]
