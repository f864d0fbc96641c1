"""Following an inbox and waiting for a delivery, on all three sides, in time that passes only when somebody waits."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from typing import Any

import anyio
import httpcore
import httpx
import pytest

from ippanel_edge import (
    ApiError,
    AsyncEdgeClient,
    AuthenticationError,
    ConfigurationError,
    ConnectionFailed,
    DeliveryStatus,
    EdgeError,
    NotFound,
    PermissionDenied,
    RetryPolicy,
    ValidationFailed,
)
from tests.client.conftest import FakeClock, MakeClient
from tests.client.reports_service import Answer, Delivery, Inbox, following, take
from tests.client.sides import result

pytestmark = pytest.mark.anyio

ONCE = RetryPolicy(retries=0)


def refusal(status: int, **headers: str) -> httpx.Response:
    body = {"data": None, "meta": {"status": False, "message": "نه", "message_code": "400-1"}}
    return httpx.Response(status, json=body, headers=headers)


def add(*new: int) -> Callable[[Inbox], None]:
    def arrive(inbox: Inbox) -> None:
        inbox.ids.extend(new)

    return arrive


def follower(inbox: Inbox, make_client: MakeClient, **options: Any) -> Any:
    return make_client(inbox, retry=ONCE).reports.follow_inbox(**options)


async def ids(items: Any, count: int) -> list[int]:
    return [message.messages_inbox_id for message in await take(items, count)]


# Following the inbox.


async def test_it_begins_with_what_comes_from_now_on(make_client: MakeClient, clock: FakeClock) -> None:
    inbox = Inbox(1, 2, 3, events=[None, None, None, add(4)])
    assert await ids(follower(inbox, make_client), 1) == [4]
    assert inbox.bodies == [
        {"page": 1, "per_page": 1},
        *[{"page": 1, "per_page": 100, "filters": {"from_id": 3}}] * 3,
    ]
    assert clock.waits == [5.0, 5.0, 5.0]


async def test_an_empty_inbox_is_followed_from_its_first_text(make_client: MakeClient, clock: FakeClock) -> None:
    inbox = Inbox(events=[None, add(8, 7)])
    assert await ids(follower(inbox, make_client, every=0.5), 2) == [7, 8]
    assert clock.waits == [0.5]


async def test_after_an_id_it_gives_what_is_there_at_once_the_oldest_first(
    make_client: MakeClient, clock: FakeClock
) -> None:
    inbox = Inbox(1, 2, 3, 4, 5)
    inbox.most_rows = 2
    assert await ids(follower(inbox, make_client, from_id=1), 4) == [2, 3, 4, 5]
    assert [body["page"] for body in inbox.bodies] == [1, 2]
    assert clock.waits == []


async def test_id_0_means_the_whole_inbox(make_client: MakeClient, clock: FakeClock) -> None:
    assert await ids(follower(Inbox(3, 9), make_client, from_id=0), 2) == [3, 9]
    assert clock.waits == []


async def test_each_text_comes_once_though_pages_shift_while_they_are_read(
    make_client: MakeClient, clock: FakeClock
) -> None:
    inbox = Inbox(1, 2, 3, 4, events=[None, add(5, 6), add(7)])
    inbox.most_rows = 2
    items = follower(inbox, make_client, from_id=0)
    given = await ids(items, 7)
    assert given == sorted(given)
    assert sorted(given) == [1, 2, 3, 4, 5, 6, 7]
    inbox.events.append(add(8))
    assert await ids(items, 1) == [8]
    assert clock.waits == [5.0, 5.0]


@pytest.mark.usefixtures("clock")
async def test_it_may_be_left_at_any_text_and_gone_on_with(make_client: MakeClient) -> None:
    inbox = Inbox(1, 2, 3)
    items = follower(inbox, make_client, from_id=0)
    seen: list[int] = []
    if hasattr(items, "__aiter__"):
        async for message in items:
            seen.append(message.messages_inbox_id)
            break
    else:
        for message in items:
            seen.append(message.messages_inbox_id)
            break
    assert seen == [1]
    assert await ids(items, 2) == [2, 3]
    assert len(inbox.bodies) == 1


@pytest.mark.usefixtures("clock")
async def test_it_asks_after_the_last_text_it_gave(make_client: MakeClient) -> None:
    inbox = Inbox(1, events=[None, add(5), add(6)])
    assert await ids(follower(inbox, make_client, from_id=0), 3) == [1, 5, 6]
    assert [body["filters"]["from_id"] for body in inbox.bodies] == [0, 1, 5]


@pytest.mark.usefixtures("clock")
async def test_it_does_not_read_an_old_inbox_where_from_id_is_not_heeded(make_client: MakeClient) -> None:
    inbox = Inbox(*range(1, 1000), heeds_from_id=False)
    assert await ids(follower(inbox, make_client, from_id=949), 50) == list(range(950, 1000))
    assert [body["page"] for body in inbox.bodies] == [1, 2]


@pytest.mark.usefixtures("clock")
async def test_the_order_of_the_pages_does_not_matter(make_client: MakeClient) -> None:
    inbox = Inbox(*range(1, 8))
    inbox.most_rows = 3
    inbox.newest_first = False
    assert await ids(follower(inbox, make_client, from_id=2), 5) == [3, 4, 5, 6, 7]


@pytest.mark.usefixtures("clock")
async def test_a_text_without_an_id_cannot_be_followed_and_is_left_out(make_client: MakeClient) -> None:
    answers = [[{"messages_inbox_id": None}, {"messages_inbox_id": 2}, {"message": "x"}]]

    def service(request: httpx.Request) -> httpx.Response:
        page = json.loads(request.read())["page"]
        return httpx.Response(200, json={"data": answers[page - 1 :][:1][0], "meta": {"status": True, "last_page": 1}})

    items = make_client(service, retry=ONCE).reports.follow_inbox(from_id=0)
    assert await ids(items, 1) == [2]


FAULTS: list[Answer] = [
    httpx.ConnectError("no route"),
    httpx.ConnectTimeout("late"),
    httpx.ReadError("reset"),
    httpx.ReadTimeout("late"),
    httpx.Response(200, content=b"<html>sorry"),
    httpx.Response(200, content=b'{"data": [{"messa'),
    httpx.Response(200, json={"data": [{"time": "x"}], "meta": {"status": True}}),
    refusal(429),
    refusal(500),
    refusal(503),
    httpx.Response(502, content=b"<html>bad gateway"),
    httpx.Response(408),
    httpx.Response(425),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault!r:.40}")
async def test_a_fault_that_may_pass_is_waited_out(fault: Answer, make_client: MakeClient, clock: FakeClock) -> None:
    inbox = Inbox(1, events=[fault, add(2), fault, add(3)])
    assert await ids(follower(inbox, make_client, from_id=0), 3) == [1, 2, 3]
    assert clock.waits == [10.0, 5.0, 10.0]


@pytest.mark.usefixtures("clock")
async def test_a_fault_on_the_way_through_pages_loses_nothing(make_client: MakeClient) -> None:
    inbox = Inbox(1, 2, 3, 4, 5, events=[None, None, httpx.ReadError("reset")])
    inbox.most_rows = 2
    assert await ids(follower(inbox, make_client, from_id=0), 5) == [1, 2, 3, 4, 5]


async def test_the_waits_grow_to_a_minute_and_shrink_with_the_first_good_look(
    make_client: MakeClient, clock: FakeClock
) -> None:
    inbox = Inbox(events=[*[httpx.ConnectError("down")] * 6, None, add(1)])
    assert await ids(follower(inbox, make_client, from_id=0), 1) == [1]
    assert clock.waits == [10.0, 20.0, 40.0, 60.0, 60.0, 60.0, 5.0]


async def test_looks_rarer_than_a_minute_stay_as_rare(make_client: MakeClient, clock: FakeClock) -> None:
    inbox = Inbox(events=[refusal(500), refusal(500), add(1)])
    assert await ids(follower(inbox, make_client, from_id=0, every=90), 1) == [1]
    assert clock.waits == [90.0, 90.0]


async def test_retry_after_is_heeded_up_to_a_minute(make_client: MakeClient, clock: FakeClock) -> None:
    asked: list[Any] = [refusal(429, **{"Retry-After": "33"}), refusal(503, **{"Retry-After": "99999"}), add(1)]
    assert await ids(follower(Inbox(events=asked), make_client, from_id=0), 1) == [1]
    assert clock.waits == [33.0, 60.0]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal(401), AuthenticationError),
        (httpx.Response(401), AuthenticationError),
        (refusal(403), PermissionDenied),
        (httpx.Response(404, content=b"<html>"), NotFound),
        (refusal(422), ValidationFailed),
        (refusal(200), ApiError),
    ],
)
async def test_a_refusal_is_raised_for_waiting_does_not_help(
    answer: httpx.Response, kind: type[EdgeError], make_client: MakeClient, clock: FakeClock
) -> None:
    items = follower(Inbox(1, events=[None, answer, add(2)]), make_client, from_id=0)
    assert await ids(items, 1) == [1]
    with pytest.raises(kind):
        await following(items)
    assert clock.waits == [5.0]
    assert await ids(items, 1) == [2]


@pytest.mark.usefixtures("clock")
async def test_a_refused_certificate_is_raised(make_client: MakeClient) -> None:
    distrust = httpx.ConnectError("certificate verify failed")
    distrust.__cause__ = httpcore.ConnectError()
    distrust.__cause__.__cause__ = ssl.SSLCertVerificationError("self-signed")
    with pytest.raises(ConnectionFailed):
        await following(follower(Inbox(1, events=[distrust]), make_client, from_id=0))


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("wrong", [{"from_id": -1}, {"from_id": "1"}, {"from_id": True}])
async def test_a_wrong_id_is_raised_when_it_is_first_asked(wrong: dict[str, Any], make_client: MakeClient) -> None:
    inbox = Inbox(1)
    with pytest.raises(ConfigurationError, match=r"^from_id: "):
        await following(follower(inbox, make_client, **wrong))
    assert inbox.bodies == []


WRONG_SECONDS = pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), "5", None, True])


@WRONG_SECONDS
async def test_the_time_between_looks_is_above_0(seconds: Any, make_client: MakeClient) -> None:
    with pytest.raises(ConfigurationError, match=r"^every: expected a number of seconds above 0, got "):
        follower(Inbox(), make_client, every=seconds)


@pytest.mark.parametrize("side", ["asyncio", "trio"], indirect=True)
async def test_a_follower_that_waits_may_be_cancelled(side: str) -> None:
    assert side in {"asyncio", "trio"}
    looked = anyio.Event()
    inbox = Inbox()

    def service(request: httpx.Request) -> httpx.Response:
        looked.set()
        return inbox(request)

    transport = httpx.MockTransport(service)
    async with httpx.AsyncClient(transport=transport) as http, anyio.create_task_group() as tasks:
        client = AsyncEdgeClient("key", http_client=http, base_url="https://edge.example.test/v1")

        async def wait_for_a_text() -> None:
            await anext(client.reports.follow_inbox(every=3600))

        tasks.start_soon(wait_for_a_text)
        await looked.wait()
        tasks.cancel_scope.cancel()
    assert len(inbox.bodies) == 1


# Waiting for a delivery.


def statuses(found: list[Any]) -> list[Any]:
    return [row.message_status for row in found]


async def wait(service: Delivery, make_client: MakeClient, **options: Any) -> list[Any]:
    found: list[Any] = await result(make_client(service, retry=ONCE).reports.wait_delivered(9, **options))
    return found


async def test_it_returns_when_every_recipient_is_final(make_client: MakeClient, clock: FakeClock) -> None:
    service = Delivery([0, 0, 0], [2, 1, "4"], [2, 3, 4])
    assert statuses(await wait(service, make_client)) == [
        DeliveryStatus.DELIVERED,
        DeliveryStatus.NOT_DELIVERED,
        DeliveryStatus.BLACKLISTED,
    ]
    assert clock.waits == [2.0, 2.0]
    asked = service.asked[-1].params
    assert (asked["bulk_id"], asked["per_page"], asked["page"]) == ("9", "1000", "1")


async def test_what_is_final_already_is_not_waited_for(make_client: MakeClient, clock: FakeClock) -> None:
    assert len(await wait(Delivery([2]), make_client)) == 1
    assert clock.waits == []


@pytest.mark.parametrize("state", [3, 4, 7, 8, "9"])
async def test_a_message_that_failed_is_not_waited_for(state: Any, make_client: MakeClient, clock: FakeClock) -> None:
    service = Delivery([0, 0], states=[1, state])
    assert statuses(await wait(service, make_client)) == [DeliveryStatus.HANDED_OVER] * 2
    assert clock.waits == [2.0]


@pytest.mark.parametrize("state", [0, 1, 2, 5, 6, 77, None])
async def test_a_message_in_any_other_state_is_waited_for(
    state: Any, make_client: MakeClient, clock: FakeClock
) -> None:
    service = Delivery([], [0], [2], states=[state])
    assert statuses(await wait(service, make_client)) == [DeliveryStatus.DELIVERED]
    assert clock.waits == [2.0, 2.0]


async def test_when_the_time_is_up_it_gives_what_it_saw_last(make_client: MakeClient, clock: FakeClock) -> None:
    service = Delivery([0], [0], [0], [1])
    assert statuses(await wait(service, make_client, timeout=5)) == [DeliveryStatus.RECEIVED]
    assert clock.waits == [2.0, 2.0, 1.0]


async def test_it_waits_120_seconds_of_itself(make_client: MakeClient, clock: FakeClock) -> None:
    await wait(Delivery([0]), make_client)
    assert sum(clock.waits) == 120.0


async def test_a_status_nobody_knows_is_not_final(make_client: MakeClient, clock: FakeClock) -> None:
    assert statuses(await wait(Delivery([9, None]), make_client, timeout=1, every=9)) == [9, None]
    assert clock.waits == [1.0]


async def test_it_looks_at_every_page_of_recipients(make_client: MakeClient, clock: FakeClock) -> None:
    service = Delivery([2] * 1500 + [0], [2] * 1501)
    assert len(await wait(service, make_client)) == 1501
    assert [url.params["page"] for url in service.asked if "page" in url.params] == ["1", "2", "1", "2"]
    assert clock.waits == [2.0]


async def test_an_error_is_raised(make_client: MakeClient, clock: FakeClock) -> None:
    client = make_client(lambda _: refusal(404), retry=ONCE)
    with pytest.raises(NotFound):
        await result(client.reports.wait_delivered(9))
    assert clock.waits == []


@WRONG_SECONDS
@pytest.mark.parametrize("name", ["timeout", "every"])
async def test_its_times_are_above_0(seconds: Any, name: str, make_client: MakeClient) -> None:
    service = Delivery([2])
    with pytest.raises(ConfigurationError, match=rf"^{name}: expected a number of seconds above 0, got "):
        await wait(service, make_client, **{name: seconds})
    assert service.asked == []
