"""Iterators over paginated lists, also if the service returns no pagination fields, as for numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.client.conftest import MakeClient
from tests.client.reports_service import Pages, collect
from tests.contract.sample import ok

pytestmark = pytest.mark.anyio


class Lines:
    """A list of sender lines in an envelope without pagination fields.

    Args:
        count: the number of lines.
        paginated: whether it honours `page` and `per_page`; otherwise it returns all lines.
    """

    def __init__(self, count: int, *, paginated: bool) -> None:
        self._rows = [{"id": number, "number": f"+983000{number}"} for number in range(1, count + 1)]
        self._paginated = paginated
        self.requested_pages: list[int] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        page, size = int(request.url.params["page"]), int(request.url.params["per_page"])
        self.requested_pages.append(page)
        rows = self._rows[(page - 1) * size : page * size] if self._paginated else self._rows
        return httpx.Response(200, json=ok(rows))


async def list_numbers(client: Any) -> list[int]:
    lines = client.numbers.iter_list(per_page=2)
    return [line.id for line in lines] if hasattr(lines, "__iter__") else [line.id async for line in lines]


async def test_iteration_stops_at_the_first_empty_page(make_client: MakeClient) -> None:
    lines = Lines(5, paginated=True)
    assert await list_numbers(make_client(lines)) == [1, 2, 3, 4, 5]
    assert lines.requested_pages == [1, 2, 3, 4]


async def test_a_list_that_ignores_page_is_yielded_once(make_client: MakeClient) -> None:
    lines = Lines(5, paginated=False)
    assert await list_numbers(make_client(lines)) == [1, 2, 3, 4, 5]
    assert lines.requested_pages == [1, 2]


async def test_an_empty_list_is_one_request(make_client: MakeClient) -> None:
    lines = Lines(0, paginated=False)
    assert await list_numbers(make_client(lines)) == []
    assert lines.requested_pages == [1]


ITERATORS: dict[str, Callable[[Any], Any]] = {
    "/api/user/draft/list": lambda client: client.drafts.iter_list(),
    "/api/user/draft/group/list": lambda client: client.drafts.groups.iter_list(),
    "/api/number/numbers": lambda client: client.numbers.iter_list(),
    "/api/acl/package/list": lambda client: client.packages.iter_list(),
    "/api/patterns": lambda client: client.patterns.iter_list(),
    "/api/phonebooks/list-new": lambda client: client.phonebooks.iter_list(),
    "/api/phonebooks/numbers/contact-list": lambda client: client.phonebooks.contacts.iter_list(),
    "/api/phonebooks/options/list-new": lambda client: client.phonebooks.options.iter_list(),
    "/api/ticket": lambda client: client.tickets.iter_list(),
    "/api/user/list": lambda client: client.users.iter_list(),
}


@pytest.mark.parametrize("path", ITERATORS)
async def test_an_iterator_of_a_section_yields_the_rows_of_every_page(path: str, make_client: MakeClient) -> None:
    pages = Pages([[_row(1), _row(2)], [_row(3)]], {"last_page": 2})
    paths: list[str] = []

    def service(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path)
        return pages(request)

    items = await collect(ITERATORS[path](make_client(service)))
    assert len(items) == len(set(map(repr, items))) == 3
    assert pages.requested_pages == [1, 2]
    assert paths == [f"/v1{path}"] * 2


def _row(number: int) -> dict[str, Any]:
    """Return a row that the models of all lists can be parsed from."""
    ids = ("id", "draft_id", "draft_group_id", "user_id")
    return {"code": str(number), **dict.fromkeys(ids, number)}
