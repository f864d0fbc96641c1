"""Iterators over reports: every row in order, up to the last page, and no page before it is needed."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippanel_edge import OutcomeUnknown, Page, RetryPolicy, ValidationFailed
from ippanel_edge._sync.pagination import Items
from ippanel_edge.models.reports import OutboxFilters
from tests.client.conftest import MakeClient
from tests.client.reports_service import Pages, collect, next_item, take
from tests.client.sides import result

pytestmark = pytest.mark.anyio

NO_RETRIES = RetryPolicy(retries=0)
IteratorFactory = Callable[[Any], Any]

_ITERATORS: list[IteratorFactory] = [
    lambda client: client.reports.iter_outbox(),
    lambda client: client.reports.iter_recipients(9),
    lambda client: client.reports.iter_inbox(),
]
ITERATORS = pytest.mark.parametrize("make_iterator", _ITERATORS, ids=["outbox", "recipients", "inbox"])


def rows(*messages: str) -> list[dict[str, Any]]:
    return [{"message": message} for message in messages]


def iterate(service: Pages, make_iterator: IteratorFactory, make_client: MakeClient) -> Any:
    return make_iterator(make_client(service, retry=NO_RETRIES))


@ITERATORS
async def test_an_iterator_yields_every_row_of_every_page_in_order(
    make_iterator: IteratorFactory, make_client: MakeClient
) -> None:
    service = Pages([rows("a", "b"), rows("c", "d"), rows("e")], {"last_page": 3})
    items = await collect(iterate(service, make_iterator, make_client))
    assert [item.message for item in items] == ["a", "b", "c", "d", "e"]
    assert service.requested_pages == [1, 2, 3]


async def test_each_page_is_requested_with_100_rows_and_the_same_filters(make_client: MakeClient) -> None:
    service = Pages([rows("a"), rows("b")], {"last_page": 2})
    reports = make_client(service).reports
    await collect(reports.iter_outbox(filters=OutboxFilters(state_id=6)))
    await collect(reports.iter_inbox(from_id=5, per_page=7))
    await collect(reports.iter_recipients(9, per_page=1000))
    assert service.bodies == [
        {"page": 1, "limit": 100, "filters": {"state_id": "6"}},
        {"page": 2, "limit": 100, "filters": {"state_id": "6"}},
        {"page": 1, "per_page": 7, "filters": {"from_id": 5}},
        {"page": 2, "per_page": 7, "filters": {"from_id": 5}},
        {"page": "1", "per_page": "1000", "bulk_id": "9"},
        {"page": "2", "per_page": "1000", "bulk_id": "9"},
    ]


@ITERATORS
async def test_pages_are_fetched_lazily(make_iterator: IteratorFactory, make_client: MakeClient) -> None:
    service = Pages([rows("a", "b"), rows("c")], {"last_page": 2})
    items = iterate(service, make_iterator, make_client)
    assert service.requested_pages == []
    await take(items, 2)
    assert service.requested_pages == [1]
    await take(items, 1)
    assert service.requested_pages == [1, 2]


@ITERATORS
async def test_an_empty_page_ends_the_iteration_whatever_last_page_is(
    make_iterator: IteratorFactory, make_client: MakeClient
) -> None:
    service = Pages([rows("a"), [], rows("never")], {"last_page": 9, "total": 900})
    assert len(await collect(iterate(service, make_iterator, make_client))) == 1
    assert service.requested_pages == [1, 2]


@ITERATORS
async def test_an_empty_list_is_one_request(make_iterator: IteratorFactory, make_client: MakeClient) -> None:
    service = Pages([], {"last_page": 0, "total": 0})
    assert await collect(iterate(service, make_iterator, make_client)) == []
    assert service.requested_pages == [1]


@ITERATORS
async def test_iteration_over_a_shrinking_list_stops_at_its_new_last_page(
    make_iterator: IteratorFactory, make_client: MakeClient
) -> None:
    service = Pages([rows("a"), rows("b"), rows("never")], {"last_page": 3}, {"last_page": 2})
    assert len(await collect(iterate(service, make_iterator, make_client))) == 2
    assert service.requested_pages == [1, 2]


@ITERATORS
async def test_iteration_over_a_growing_list_continues_to_its_new_last_page(
    make_iterator: IteratorFactory, make_client: MakeClient
) -> None:
    service = Pages([rows("a"), rows("b"), rows("c")], {"last_page": 2}, {"last_page": 3})
    assert len(await collect(iterate(service, make_iterator, make_client))) == 3


@ITERATORS
async def test_without_last_page_a_page_that_is_not_full_is_the_last(
    make_iterator: IteratorFactory, make_client: MakeClient
) -> None:
    service = Pages([rows("a", "b"), rows("c"), rows("never")], {"per_page": "2", "last_page": None})
    assert len(await collect(iterate(service, make_iterator, make_client))) == 3
    assert service.requested_pages == [1, 2]


@ITERATORS
async def test_without_pagination_fields_an_empty_page_is_the_last(
    make_iterator: IteratorFactory, make_client: MakeClient
) -> None:
    service = Pages([rows("a", "b"), rows("c")])
    assert len(await collect(iterate(service, make_iterator, make_client))) == 3
    assert service.requested_pages == [1, 2, 3]


@ITERATORS
@pytest.mark.parametrize("meta", [{}, {"current_page": 1}, {"current_page": "?"}, {"current_page": 0}])
async def test_a_wrong_current_page_does_not_prolong_the_iteration(
    meta: dict[str, Any], make_iterator: IteratorFactory, make_client: MakeClient
) -> None:
    same = rows("same page again")
    service = Pages([rows("a"), *[same] * 50], {"last_page": 2, **meta})
    assert len(await collect(iterate(service, make_iterator, make_client))) == 2
    assert service.requested_pages == [1, 2]


@ITERATORS
async def test_breaking_out_of_an_iteration_leaks_nothing(
    make_iterator: IteratorFactory, make_client: MakeClient
) -> None:
    service = Pages([rows("a", "b"), rows("c")], {"last_page": 2})
    client = make_client(service, retry=NO_RETRIES)
    items = make_iterator(client)
    if hasattr(items, "__aiter__"):
        async for _ in items:
            break
    else:
        for _ in items:
            break
    del items
    gc.collect()
    await result(client.aclose() if hasattr(client, "aclose") else client.close())
    assert service.requested_pages == [1]


@ITERATORS
async def test_an_exhausted_iterator_stays_exhausted(make_iterator: IteratorFactory, make_client: MakeClient) -> None:
    service = Pages([rows("a")], {"last_page": 1})
    items = iterate(service, make_iterator, make_client)
    assert len(await collect(items)) == 1
    assert await collect(items) == []
    assert await collect(items) == []
    assert service.requested_pages == [1]


@ITERATORS
async def test_after_an_error_the_iterator_requests_the_same_page_again(
    make_iterator: IteratorFactory, make_client: MakeClient
) -> None:
    service = Pages([rows("a"), rows("b"), rows("c")], {"last_page": 3})
    items = iterate(service, make_iterator, make_client)
    await take(items, 1)
    service.faults = [httpx.ReadError("reset"), httpx.Response(422, json={"meta": {"status": False}})]
    with pytest.raises(OutcomeUnknown):
        await next_item(items)
    with pytest.raises(ValidationFailed):
        await next_item(items)
    assert [item.message for item in await collect(items)] == ["b", "c"]
    assert service.requested_pages == [1, 2, 2, 2, 3]


field = st.none() | st.integers(-2, 9)


@given(
    sizes=st.lists(st.integers(1, 4), max_size=6),
    fields=st.lists(st.tuples(field, field, field), min_size=1, max_size=7),
)
def test_every_iteration_ends_and_requests_no_page_after_an_empty_one(
    sizes: list[int], fields: list[tuple[int | None, int | None, int | None]]
) -> None:
    requested: list[int] = []

    def fetch(number: int) -> Page[int]:
        requested.append(number)
        current, last, size = fields[min(number, len(fields)) - 1]
        first = sum(sizes[: number - 1])
        items = tuple(range(first, first + sizes[number - 1])) if number <= len(sizes) else ()
        return Page(items=items, current_page=1 if current is None else current, last_page=last, per_page=size)

    items = list(Items(fetch))
    assert items == list(range(len(items)))
    assert requested == list(range(1, len(requested) + 1))
    assert len(requested) <= len(sizes) + 1
