"""Polling: follow_inbox() and wait_delivered() with a fake clock."""

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
from tests.client.reports_service import CannedResponse, Delivery, Inbox, next_item, take
from tests.client.sides import result

pytestmark = pytest.mark.anyio

NO_RETRIES = RetryPolicy(retries=0)


def rejected(status: int, **headers: str) -> httpx.Response:
    body = {"data": None, "meta": {"status": False, "message": "نه", "message_code": "400-1"}}
    return httpx.Response(status, json=body, headers=headers)


def add(*new: int) -> Callable[[Inbox], None]:
    def extend(inbox: Inbox) -> None:
        inbox.ids.extend(new)

    return extend


def follower(inbox: Inbox, make_client: MakeClient, **options: Any) -> Any:
    return make_client(inbox, retry=NO_RETRIES).reports.follow_inbox(**options)


async def ids(items: Any, count: int) -> list[int]:
    return [message.messages_inbox_id for message in await take(items, count)]


# follow_inbox().


async def test_follow_inbox_yields_only_new_messages_by_default(make_client: MakeClient, clock: FakeClock) -> None:
    inbox = Inbox(1, 2, 3, events=[None, None, None, add(4)])
    assert await ids(follower(inbox, make_client), 1) == [4]
    assert inbox.bodies == [
        {"page": 1, "per_page": 1},
        *[{"page": 1, "per_page": 100, "filters": {"from_id": 3}}] * 3,
    ]
    assert clock.waits == [5.0, 5.0, 5.0]


async def test_follow_inbox_on_an_empty_inbox_yields_the_first_message(
    make_client: MakeClient, clock: FakeClock
) -> None:
    inbox = Inbox(events=[None, add(8, 7)])
    assert await ids(follower(inbox, make_client, every=0.5), 2) == [7, 8]
    assert clock.waits == [0.5]


async def test_messages_after_from_id_are_yielded_immediately_oldest_first(
    make_client: MakeClient, clock: FakeClock
) -> None:
    inbox = Inbox(1, 2, 3, 4, 5)
    inbox.max_rows = 2
    assert await ids(follower(inbox, make_client, from_id=1), 4) == [2, 3, 4, 5]
    assert [body["page"] for body in inbox.bodies] == [1, 2]
    assert clock.waits == []


async def test_from_id_0_yields_the_whole_inbox(make_client: MakeClient, clock: FakeClock) -> None:
    assert await ids(follower(Inbox(3, 9), make_client, from_id=0), 2) == [3, 9]
    assert clock.waits == []


async def test_each_message_is_yielded_once_even_if_pages_shift_during_the_iteration(
    make_client: MakeClient, clock: FakeClock
) -> None:
    inbox = Inbox(1, 2, 3, 4, events=[None, add(5, 6), add(7)])
    inbox.max_rows = 2
    items = follower(inbox, make_client, from_id=0)
    received = await ids(items, 7)
    assert received == sorted(received)
    assert sorted(received) == [1, 2, 3, 4, 5, 6, 7]
    inbox.events.append(add(8))
    assert await ids(items, 1) == [8]
    assert clock.waits == [5.0, 5.0]


@pytest.mark.usefixtures("clock")
async def test_iteration_continues_after_a_break(make_client: MakeClient) -> None:
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
async def test_each_poll_requests_messages_after_the_last_one_yielded(make_client: MakeClient) -> None:
    inbox = Inbox(1, events=[None, add(5), add(6)])
    assert await ids(follower(inbox, make_client, from_id=0), 3) == [1, 5, 6]
    assert [body["filters"]["from_id"] for body in inbox.bodies] == [0, 1, 5]


@pytest.mark.usefixtures("clock")
async def test_old_pages_are_not_read_if_the_service_ignores_from_id(make_client: MakeClient) -> None:
    inbox = Inbox(*range(1, 1000), honours_from_id=False)
    assert await ids(follower(inbox, make_client, from_id=949), 50) == list(range(950, 1000))
    assert [body["page"] for body in inbox.bodies] == [1, 2]


@pytest.mark.usefixtures("clock")
async def test_messages_are_yielded_oldest_first_in_any_page_order(make_client: MakeClient) -> None:
    inbox = Inbox(*range(1, 8))
    inbox.max_rows = 3
    inbox.newest_first = False
    assert await ids(follower(inbox, make_client, from_id=2), 5) == [3, 4, 5, 6, 7]


@pytest.mark.usefixtures("clock")
async def test_a_message_without_an_id_is_skipped(make_client: MakeClient) -> None:
    pages = [[{"messages_inbox_id": None}, {"messages_inbox_id": 2}, {"message": "x"}]]

    def service(request: httpx.Request) -> httpx.Response:
        page = json.loads(request.read())["page"]
        return httpx.Response(200, json={"data": pages[page - 1 :][:1][0], "meta": {"status": True, "last_page": 1}})

    items = make_client(service, retry=NO_RETRIES).reports.follow_inbox(from_id=0)
    assert await ids(items, 1) == [2]


FAULTS: list[CannedResponse] = [
    httpx.ConnectError("no route"),
    httpx.ConnectTimeout("late"),
    httpx.ReadError("reset"),
    httpx.ReadTimeout("late"),
    httpx.Response(200, content=b"<html>sorry"),
    httpx.Response(200, content=b'{"data": [{"messa'),
    httpx.Response(200, json={"data": [{"time": "x"}], "meta": {"status": True}}),
    rejected(429),
    rejected(500),
    rejected(503),
    httpx.Response(502, content=b"<html>bad gateway"),
    httpx.Response(408),
    httpx.Response(425),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault!r:.40}")
async def test_a_transient_error_is_retried(fault: CannedResponse, make_client: MakeClient, clock: FakeClock) -> None:
    inbox = Inbox(1, events=[fault, add(2), fault, add(3)])
    assert await ids(follower(inbox, make_client, from_id=0), 3) == [1, 2, 3]
    assert clock.waits == [10.0, 5.0, 10.0]


@pytest.mark.usefixtures("clock")
async def test_an_error_between_pages_loses_no_message(make_client: MakeClient) -> None:
    inbox = Inbox(1, 2, 3, 4, 5, events=[None, None, httpx.ReadError("reset")])
    inbox.max_rows = 2
    assert await ids(follower(inbox, make_client, from_id=0), 5) == [1, 2, 3, 4, 5]


async def test_the_backoff_doubles_up_to_60_seconds_and_is_reset_by_a_success(
    make_client: MakeClient, clock: FakeClock
) -> None:
    inbox = Inbox(events=[*[httpx.ConnectError("down")] * 6, None, add(1)])
    assert await ids(follower(inbox, make_client, from_id=0), 1) == [1]
    assert clock.waits == [10.0, 20.0, 40.0, 60.0, 60.0, 60.0, 5.0]


async def test_an_interval_above_60_seconds_is_not_changed_by_errors(make_client: MakeClient, clock: FakeClock) -> None:
    inbox = Inbox(events=[rejected(500), rejected(500), add(1)])
    assert await ids(follower(inbox, make_client, from_id=0, every=90), 1) == [1]
    assert clock.waits == [90.0, 90.0]


async def test_retry_after_is_honoured_up_to_60_seconds(make_client: MakeClient, clock: FakeClock) -> None:
    events: list[Any] = [rejected(429, **{"Retry-After": "33"}), rejected(503, **{"Retry-After": "99999"}), add(1)]
    assert await ids(follower(Inbox(events=events), make_client, from_id=0), 1) == [1]
    assert clock.waits == [33.0, 60.0]


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (rejected(401), AuthenticationError),
        (httpx.Response(401), AuthenticationError),
        (rejected(403), PermissionDenied),
        (httpx.Response(404, content=b"<html>"), NotFound),
        (rejected(422), ValidationFailed),
        (rejected(200), ApiError),
    ],
)
async def test_a_rejection_is_raised_because_a_retry_cannot_succeed(
    response: httpx.Response, kind: type[EdgeError], make_client: MakeClient, clock: FakeClock
) -> None:
    items = follower(Inbox(1, events=[None, response, add(2)]), make_client, from_id=0)
    assert await ids(items, 1) == [1]
    with pytest.raises(kind):
        await next_item(items)
    assert clock.waits == [5.0]
    assert await ids(items, 1) == [2]


@pytest.mark.usefixtures("clock")
async def test_an_invalid_certificate_is_raised(make_client: MakeClient) -> None:
    untrusted = httpx.ConnectError("certificate verify failed")
    untrusted.__cause__ = httpcore.ConnectError()
    untrusted.__cause__.__cause__ = ssl.SSLCertVerificationError("self-signed")
    with pytest.raises(ConnectionFailed):
        await next_item(follower(Inbox(1, events=[untrusted]), make_client, from_id=0))


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("invalid", [{"from_id": -1}, {"from_id": "1"}, {"from_id": True}])
async def test_an_invalid_from_id_is_raised_by_the_first_step(invalid: dict[str, Any], make_client: MakeClient) -> None:
    inbox = Inbox(1)
    with pytest.raises(ConfigurationError, match=r"^from_id: "):
        await next_item(follower(inbox, make_client, **invalid))
    assert inbox.bodies == []


INVALID_SECONDS = pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), "5", None, True])


@INVALID_SECONDS
async def test_every_must_be_above_0(seconds: Any, make_client: MakeClient) -> None:
    with pytest.raises(ConfigurationError, match=r"^every: expected a number of seconds above 0, got "):
        follower(Inbox(), make_client, every=seconds)


@pytest.mark.parametrize("side", ["asyncio", "trio"], indirect=True)
async def test_follow_inbox_can_be_cancelled_between_polls(side: str) -> None:
    assert side in {"asyncio", "trio"}
    requested = anyio.Event()
    inbox = Inbox()

    def service(request: httpx.Request) -> httpx.Response:
        requested.set()
        return inbox(request)

    transport = httpx.MockTransport(service)
    async with httpx.AsyncClient(transport=transport) as http, anyio.create_task_group() as tasks:
        client = AsyncEdgeClient("key", http_client=http, base_url="https://edge.example.test/v1")

        async def wait_for_a_message() -> None:
            await anext(client.reports.follow_inbox(every=3600))

        tasks.start_soon(wait_for_a_message)
        await requested.wait()
        tasks.cancel_scope.cancel()
    assert len(inbox.bodies) == 1


# wait_delivered().


def statuses(found: list[Any]) -> list[Any]:
    return [row.message_status for row in found]


async def wait_delivered(service: Delivery, make_client: MakeClient, **options: Any) -> list[Any]:
    found: list[Any] = await result(make_client(service, retry=NO_RETRIES).reports.wait_delivered(9, **options))
    return found


async def test_wait_delivered_returns_when_every_status_is_final(make_client: MakeClient, clock: FakeClock) -> None:
    service = Delivery([0, 0, 0], [2, 1, "4"], [2, 3, 4])
    assert statuses(await wait_delivered(service, make_client)) == [
        DeliveryStatus.DELIVERED,
        DeliveryStatus.NOT_DELIVERED,
        DeliveryStatus.BLACKLISTED,
    ]
    assert clock.waits == [2.0, 2.0]
    params = service.urls[-1].params
    assert (params["bulk_id"], params["per_page"], params["page"]) == ("9", "1000", "1")


async def test_wait_delivered_returns_immediately_if_every_status_is_final(
    make_client: MakeClient, clock: FakeClock
) -> None:
    assert len(await wait_delivered(Delivery([2]), make_client)) == 1
    assert clock.waits == []


@pytest.mark.parametrize("state", [3, 4, 7, 8, "9"])
async def test_wait_delivered_returns_when_the_message_has_failed(
    state: Any, make_client: MakeClient, clock: FakeClock
) -> None:
    service = Delivery([0, 0], states=[1, state])
    assert statuses(await wait_delivered(service, make_client)) == [DeliveryStatus.HANDED_OVER] * 2
    assert clock.waits == [2.0]


@pytest.mark.parametrize("state", [2, 5, 6, 77, None])
async def test_wait_delivered_waits_for_a_message_in_any_other_state(
    state: Any, make_client: MakeClient, clock: FakeClock
) -> None:
    service = Delivery([], [0], [2], states=[state])
    assert statuses(await wait_delivered(service, make_client)) == [DeliveryStatus.DELIVERED]
    assert clock.waits == [2.0, 2.0]


async def test_after_the_timeout_the_last_statuses_are_returned(make_client: MakeClient, clock: FakeClock) -> None:
    service = Delivery([0], [0], [0], [1])
    assert statuses(await wait_delivered(service, make_client, timeout=5)) == [DeliveryStatus.RECEIVED]
    assert clock.waits == [2.0, 2.0, 1.0]


async def test_the_default_timeout_is_120_seconds(make_client: MakeClient, clock: FakeClock) -> None:
    await wait_delivered(Delivery([0]), make_client)
    assert sum(clock.waits) == 120.0


async def test_an_unknown_status_is_not_final(make_client: MakeClient, clock: FakeClock) -> None:
    assert statuses(await wait_delivered(Delivery([9, None]), make_client, timeout=1, every=9)) == [9, None]
    assert clock.waits == [1.0]


async def test_each_poll_reads_every_page_of_recipients(make_client: MakeClient, clock: FakeClock) -> None:
    service = Delivery([2] * 1500 + [0], [2] * 1501)
    assert len(await wait_delivered(service, make_client)) == 1501
    assert [url.params["page"] for url in service.urls if "page" in url.params] == ["1", "2", "1", "2"]
    assert clock.waits == [2.0]


async def test_an_error_of_wait_delivered_is_raised(make_client: MakeClient, clock: FakeClock) -> None:
    client = make_client(lambda _: rejected(404), retry=NO_RETRIES)
    with pytest.raises(NotFound):
        await result(client.reports.wait_delivered(9))
    assert clock.waits == []


@INVALID_SECONDS
@pytest.mark.parametrize("name", ["timeout", "every"])
async def test_timeout_and_every_must_be_above_0(seconds: Any, name: str, make_client: MakeClient) -> None:
    service = Delivery([2])
    with pytest.raises(ConfigurationError, match=rf"^{name}: expected a number of seconds above 0, got "):
        await wait_delivered(service, make_client, **{name: seconds})
    assert service.urls == []
