"""Walking reports on all three sides: in order, to the end that the service shows, no page that nobody asked for."""

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
from tests.client.reports_service import Pages, everything, following, take
from tests.client.sides import result

pytestmark = pytest.mark.anyio

ONCE = RetryPolicy(retries=0)
Walk = Callable[[Any], Any]

_WALKS: list[Walk] = [
    lambda client: client.reports.iter_outbox(),
    lambda client: client.reports.iter_recipients(9),
    lambda client: client.reports.iter_inbox(),
]
WALKS = pytest.mark.parametrize("walk", _WALKS, ids=["outbox", "recipients", "inbox"])


def rows(*texts: str) -> list[dict[str, Any]]:
    return [{"message": text} for text in texts]


def walked(service: Pages, walk: Walk, make_client: MakeClient) -> Any:
    return walk(make_client(service, retry=ONCE))


@WALKS
async def test_a_walk_gives_every_row_of_every_page_in_order(walk: Walk, make_client: MakeClient) -> None:
    service = Pages([rows("a", "b"), rows("c", "d"), rows("e")], {"last_page": 3})
    items = await everything(walked(service, walk, make_client))
    assert [item.message for item in items] == ["a", "b", "c", "d", "e"]
    assert service.asked == [1, 2, 3]


async def test_a_walk_asks_for_100_rows_a_page_and_the_same_filters_on_each(make_client: MakeClient) -> None:
    service = Pages([rows("a"), rows("b")], {"last_page": 2})
    reports = make_client(service).reports
    await everything(reports.iter_outbox(filters=OutboxFilters(state_id=6)))
    await everything(reports.iter_inbox(from_id=5, per_page=7))
    await everything(reports.iter_recipients(9, per_page=1000))
    assert service.bodies == [
        {"page": 1, "limit": 100, "filters": {"state_id": "6"}},
        {"page": 2, "limit": 100, "filters": {"state_id": "6"}},
        {"page": 1, "per_page": 7, "filters": {"from_id": 5}},
        {"page": 2, "per_page": 7, "filters": {"from_id": 5}},
        {"page": "1", "per_page": "1000", "bulk_id": "9"},
        {"page": "2", "per_page": "1000", "bulk_id": "9"},
    ]


@WALKS
async def test_nothing_is_fetched_before_it_is_asked_for(walk: Walk, make_client: MakeClient) -> None:
    service = Pages([rows("a", "b"), rows("c")], {"last_page": 2})
    items = walked(service, walk, make_client)
    assert service.asked == []
    await take(items, 2)
    assert service.asked == [1]
    await take(items, 1)
    assert service.asked == [1, 2]


@WALKS
async def test_an_empty_page_ends_it_whatever_the_service_says(walk: Walk, make_client: MakeClient) -> None:
    service = Pages([rows("a"), [], rows("never")], {"last_page": 9, "total": 900})
    assert len(await everything(walked(service, walk, make_client))) == 1
    assert service.asked == [1, 2]


@WALKS
async def test_an_empty_list_is_one_request(walk: Walk, make_client: MakeClient) -> None:
    service = Pages([], {"last_page": 0, "total": 0})
    assert await everything(walked(service, walk, make_client)) == []
    assert service.asked == [1]


@WALKS
async def test_a_list_that_shrinks_on_the_way_ends_with_its_new_last_page(walk: Walk, make_client: MakeClient) -> None:
    service = Pages([rows("a"), rows("b"), rows("never")], {"last_page": 3}, {"last_page": 2})
    assert len(await everything(walked(service, walk, make_client))) == 2
    assert service.asked == [1, 2]


@WALKS
async def test_a_list_that_grows_on_the_way_is_walked_to_its_new_end(walk: Walk, make_client: MakeClient) -> None:
    service = Pages([rows("a"), rows("b"), rows("c")], {"last_page": 2}, {"last_page": 3})
    assert len(await everything(walked(service, walk, make_client))) == 3


@WALKS
async def test_without_a_last_page_a_page_that_is_not_full_is_the_last(walk: Walk, make_client: MakeClient) -> None:
    service = Pages([rows("a", "b"), rows("c"), rows("never")], {"per_page": "2", "last_page": None})
    assert len(await everything(walked(service, walk, make_client))) == 3
    assert service.asked == [1, 2]


@WALKS
async def test_without_any_figures_an_empty_page_is_the_end(walk: Walk, make_client: MakeClient) -> None:
    service = Pages([rows("a", "b"), rows("c")])
    assert len(await everything(walked(service, walk, make_client))) == 3
    assert service.asked == [1, 2, 3]


@WALKS
@pytest.mark.parametrize("said", [{}, {"current_page": 1}, {"current_page": "?"}, {"current_page": 0}])
async def test_a_page_that_is_wrong_about_its_number_does_not_keep_it_going(
    said: dict[str, Any], walk: Walk, make_client: MakeClient
) -> None:
    same = rows("the last page again")
    service = Pages([rows("a"), *[same] * 50], {"last_page": 2, **said})
    assert len(await everything(walked(service, walk, make_client))) == 2
    assert service.asked == [1, 2]


@WALKS
async def test_it_may_be_left_at_any_row_and_leaves_nothing_behind(walk: Walk, make_client: MakeClient) -> None:
    service = Pages([rows("a", "b"), rows("c")], {"last_page": 2})
    client = make_client(service, retry=ONCE)
    items = walk(client)
    if hasattr(items, "__aiter__"):
        async for _ in items:
            break
    else:
        for _ in items:
            break
    del items
    gc.collect()
    await result(client.aclose() if hasattr(client, "aclose") else client.close())
    assert service.asked == [1]


@WALKS
async def test_it_stays_ended(walk: Walk, make_client: MakeClient) -> None:
    service = Pages([rows("a")], {"last_page": 1})
    items = walked(service, walk, make_client)
    assert len(await everything(items)) == 1
    assert await everything(items) == []
    assert await everything(items) == []
    assert service.asked == [1]


@WALKS
async def test_after_an_error_it_goes_on_with_the_same_page(walk: Walk, make_client: MakeClient) -> None:
    service = Pages([rows("a"), rows("b"), rows("c")], {"last_page": 3})
    items = walked(service, walk, make_client)
    await take(items, 1)
    service.faults = [httpx.ReadError("reset"), httpx.Response(422, json={"meta": {"status": False}})]
    with pytest.raises(OutcomeUnknown):
        await following(items)
    with pytest.raises(ValidationFailed):
        await following(items)
    assert [item.message for item in await everything(items)] == ["b", "c"]
    assert service.asked == [1, 2, 2, 2, 3]


figure = st.none() | st.integers(-2, 9)


@given(
    sizes=st.lists(st.integers(1, 4), max_size=6),
    figures=st.lists(st.tuples(figure, figure, figure), min_size=1, max_size=7),
)
def test_any_walk_ends_and_asks_for_no_page_behind_an_empty_one(
    sizes: list[int], figures: list[tuple[int | None, int | None, int | None]]
) -> None:
    asked: list[int] = []

    def fetch(number: int) -> Page[int]:
        asked.append(number)
        current, last, size = figures[min(number, len(figures)) - 1]
        first = sum(sizes[: number - 1])
        items = tuple(range(first, first + sizes[number - 1])) if number <= len(sizes) else ()
        return Page(items=items, current_page=1 if current is None else current, last_page=last, per_page=size)

    items = list(Items(fetch))
    assert items == list(range(len(items)))
    assert asked == list(range(1, len(asked) + 1))
    assert len(asked) <= len(sizes) + 1
