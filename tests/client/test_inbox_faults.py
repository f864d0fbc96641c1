"""follow_inbox() reports the errors that it retries, and ends when its client is closed."""

from __future__ import annotations

import logging
import threading
from typing import Any

import httpx
import pytest

from ippanel_edge import ApiError, Call, ConfigurationError, EdgeClient, EdgeError, InvalidArgument, OutcomeUnknown
from ippanel_edge._sync import _io as sync_io
from ippanel_edge.hooks import Proceed
from ippanel_edge.sandbox import Sandbox
from tests.client.conftest import FakeClock, MakeClient
from tests.client.reports_service import Inbox, collect, next_item, take
from tests.client.sides import result
from tests.client.test_polling import NO_RETRIES, add, rejected

pytestmark = pytest.mark.anyio

ATTRIBUTES = ("endpoint", "error", "status_code", "failures", "pause")


def attributes(record: logging.LogRecord) -> tuple[Any, ...]:
    return tuple(getattr(record, name) for name in ATTRIBUTES)


def of_polling(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return the records of polling; each failed call has one of its own."""
    return [each for each in caplog.records if each.name == "ippanel_edge" and hasattr(each, "failures")]


async def close(client: Any) -> None:
    await result(client.aclose() if hasattr(client, "aclose") else client.close())


async def test_the_first_error_is_a_warning_and_the_others_and_the_recovery_are_infos(
    make_client: MakeClient, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ippanel_edge")
    events: list[Any] = [rejected(500), httpx.ReadError("reset"), None, rejected(503), add(1)]
    items = make_client(Inbox(events=events), retry=NO_RETRIES).reports.follow_inbox(from_id=0)
    await take(items, 1)
    name = "reports.follow_inbox"
    records = of_polling(caplog)
    assert [(record.levelname, record.getMessage()) for record in records] == [
        ("WARNING", f"{name}: polling failed (ServerError, HTTP 500); the next poll is in 10 s"),
        ("INFO", f"{name}: polling failed (OutcomeUnknown); the next poll is in 20 s"),
        ("INFO", f"{name}: polling works again after 2 failed polls"),
        ("WARNING", f"{name}: polling failed (ServerError, HTTP 503); the next poll is in 10 s"),
        ("INFO", f"{name}: polling works again after 1 failed poll"),
    ]
    assert [attributes(record) for record in records] == [
        (name, "ServerError", 500, 1, 10.0),
        (name, "OutcomeUnknown", None, 2, 20.0),
        (name, None, None, 2, 5.0),
        (name, "ServerError", 503, 1, 10.0),
        (name, None, None, 1, 5.0),
    ]
    assert clock.waits == [10.0, 20.0, 5.0, 10.0]


@pytest.mark.usefixtures("clock")
async def test_the_log_does_not_quote_a_response(make_client: MakeClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ippanel_edge")
    quoted = httpx.Response(200, json={"data": [{"time": "my code is 48213"}], "meta": {"status": True}})
    seen: list[EdgeError] = []
    reports = make_client(Inbox(events=[quoted, add(1)]), retry=NO_RETRIES).reports

    def on_fault(error: EdgeError, _: float) -> None:
        seen.append(error)

    await take(reports.follow_inbox(from_id=0, on_fault=on_fault), 1)
    assert "48213" not in caplog.text
    assert "DecodeError" in caplog.text
    assert "48213" in str(seen[0])


@pytest.mark.usefixtures("clock")
async def test_on_fault_receives_each_error_and_the_pause(make_client: MakeClient) -> None:
    seen: list[tuple[type[EdgeError], float]] = []
    inbox = Inbox(events=[rejected(429, **{"Retry-After": "33"}), httpx.ReadTimeout("late"), add(1)])
    reports = make_client(inbox, retry=NO_RETRIES).reports

    def on_fault(error: EdgeError, pause: float) -> None:
        seen.append((type(error), pause))

    await take(reports.follow_inbox(from_id=0, on_fault=on_fault), 1)
    assert [(issubclass(kind, ApiError), pause) for kind, pause in seen] == [(True, 33.0), (False, 60.0)]
    assert seen[1][0] is OutcomeUnknown


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("side", ["asyncio", "trio"], indirect=True)
async def test_on_fault_may_be_an_async_function(make_client: MakeClient) -> None:
    seen: list[float] = []

    async def on_fault(_: EdgeError, pause: float) -> None:
        seen.append(pause)

    reports = make_client(Inbox(events=[rejected(500), add(1)]), retry=NO_RETRIES).reports
    await take(reports.follow_inbox(from_id=0, on_fault=on_fault), 1)
    assert seen == [10.0]


@pytest.mark.usefixtures("clock")
async def test_an_exception_of_on_fault_ends_the_iteration(make_client: MakeClient) -> None:
    def give_up(error: EdgeError, _: float) -> None:
        raise error

    items = make_client(Inbox(events=[rejected(500)]), retry=NO_RETRIES).reports.follow_inbox(on_fault=give_up)
    with pytest.raises(ApiError):
        await next_item(items)


async def test_on_fault_must_be_callable(make_client: MakeClient) -> None:
    with pytest.raises(InvalidArgument, match=r"^on_fault: expected a function, got int$"):
        make_client(Inbox()).reports.follow_inbox(on_fault=5)


# Closing the client.


async def test_closing_the_client_ends_the_iteration_after_the_messages_received_so_far(
    make_client: MakeClient, clock: FakeClock
) -> None:
    inbox = Inbox(1, 2)
    client = make_client(inbox, retry=NO_RETRIES)
    items = client.reports.follow_inbox(from_id=0)
    await take(items, 1)
    await close(client)
    assert [message.messages_inbox_id for message in await collect(items)] == [2]
    assert await collect(items) == []
    assert clock.waits == []
    assert len(inbox.bodies) == 1


@pytest.mark.usefixtures("clock")
async def test_closing_the_client_during_a_request_ends_the_iteration(make_client: MakeClient, side: str) -> None:
    def service(_: httpx.Request) -> httpx.Response:
        client.close()
        raise httpx.ReadError("closed")

    async def async_service(_: httpx.Request) -> httpx.Response:
        await client.aclose()
        raise httpx.ReadError("closed")

    handler: Any = service if side == "sync" else async_service
    client = make_client(handler, retry=NO_RETRIES)
    assert await collect(client.reports.follow_inbox(from_id=0)) == []


@pytest.mark.usefixtures("clock")
async def test_an_error_of_the_service_is_raised_even_if_the_client_is_closed(
    make_client: MakeClient, side: str
) -> None:
    def service(_: httpx.Request) -> httpx.Response:
        client.close()
        return rejected(401)

    async def async_service(_: httpx.Request) -> httpx.Response:
        await client.aclose()
        return rejected(401)

    handler: Any = service if side == "sync" else async_service
    client = make_client(handler, retry=NO_RETRIES)
    with pytest.raises(ApiError):
        await next_item(client.reports.follow_inbox(from_id=0))


@pytest.mark.usefixtures("clock")
async def test_an_iteration_that_begins_on_a_closed_client_is_an_error(make_client: MakeClient) -> None:
    client = make_client(Inbox(1))
    await close(client)
    with pytest.raises(ConfigurationError, match="the client is closed"):
        await next_item(client.reports.follow_inbox())


def test_closing_the_client_from_another_thread_ends_a_pause_of_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync_io, "_STEP", 0.001)
    polled = threading.Event()

    def signal(call: Call[Any], proceed: Proceed) -> Any:
        reply = proceed(call)
        polled.set()
        return reply

    received: list[list[Any]] = []
    with Sandbox() as sandbox:
        client = EdgeClient(sandbox.api_key, base_url=sandbox.base_url, middleware=[signal])
        worker = threading.Thread(target=lambda: received.append(list(client.reports.follow_inbox(every=3600))))
        worker.start()
        assert polled.wait(10)
        client.close()
        worker.join(10)
    assert not worker.is_alive()
    assert received == [[]]
