"""The log: a record for each attempt, retry, wait and end of a call, its extra fields, and IPPANEL_LOG."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import attrs
import httpx
import pytest

from ippanel_edge import (
    AsyncEdgeClient,
    AttemptEnded,
    CallEnded,
    ConfigurationError,
    Credentials,
    EdgeClient,
    EdgeError,
    Outcome,
    RateLimit,
    RetryPlanned,
    WaitBegan,
    observers,
)
from tests.client.conftest import FakeClock, MakeClient
from tests.client.sides import result

pytestmark = pytest.mark.anyio

PAGE: Final = Path(__file__).resolve().parents[2] / "docs/en/logging.md"
MOBILE: Final = "09121234567"
SENT: Final = {"data": {"message_outbox_ids": [7, 8]}, "meta": {"status": True}}
CREDIT: Final = {"data": {"credit": 5}, "meta": {"status": True}}
NO: Final = {"data": None, "meta": {"status": False, "message": "no", "message_code": "400-1"}}


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """Return the logger of the package; its handlers and its level are restored afterwards."""
    found = logging.getLogger("ippanel_edge")
    handlers, level = list(found.handlers), found.level
    yield found
    found.handlers[:] = handlers
    found.setLevel(level)


def written(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, str]]:
    """Return the level, the event and the message of each record."""
    ours = [record for record in caplog.records if record.name == "ippanel_edge"]
    return [(record.levelname, vars(record)["event"], re.sub(r"\d+ ms", "N ms", record.message)) for record in ours]


async def test_attempts_are_debug_a_retry_and_a_send_are_info(
    make_client: MakeClient, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    answers: list[httpx.Response | Exception] = [httpx.ConnectError("refused"), httpx.Response(200, json=SENT)]

    def handler(_: httpx.Request) -> httpx.Response:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with caplog.at_level(logging.DEBUG, logger="ippanel_edge"):
        await result(make_client(handler).send.webservice([MOBILE, MOBILE], "سلام"))
    (delay,) = clock.waits
    refused = "ConnectError: edge.example.test: refused"
    assert written(caplog) == [
        ("DEBUG", "AttemptEnded", f"send.webservice: attempt 1 ended after N ms: {refused}"),
        (
            "INFO",
            "RetryPlanned",
            f"send.webservice: attempt 1 failed ({refused}); the next begins in {delay:.3g} s",
        ),
        ("DEBUG", "AttemptEnded", "send.webservice: attempt 2 ended after N ms: HTTP 200"),
        ("INFO", "CallEnded", "send.webservice: returned after N ms, 2 attempts, message_outbox_ids 7, 8"),
    ]
    _, retry, _, end = map(vars, caplog.records)
    assert (retry["attempt"], retry["delay"], retry["reason"]) == (1, delay, refused)
    assert (end["endpoint"], end["path"], end["recipients"]) == ("send.webservice", "/api/send", 2)
    assert (end["message_outbox_ids"], end["status_code"], end["attempts"]) == ((7, 8), 200, 2)
    assert end["seconds"] == pytest.approx(delay)


async def test_other_calls_that_return_are_debug(make_client: MakeClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="ippanel_edge"):
        await result(make_client(lambda _: httpx.Response(200, json=CREDIT)).payment.credit())
    assert written(caplog)[-1] == ("DEBUG", "CallEnded", "payment.credit: returned after N ms, 1 attempt")


async def test_waits_are_info(make_client: MakeClient, clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        login = {"data": {"method": "login", "token": "token-0001"}, "meta": {"status": True}}
        return httpx.Response(200, json=login if request.url.path.endswith("login") else CREDIT)

    client = make_client(handler, credentials=Credentials("user", "secret"), rate_limit=RateLimit(0.1))
    with caplog.at_level(logging.INFO, logger="ippanel_edge"):
        await result(client.payment.credit())
    assert written(caplog) == [
        ("INFO", "WaitBegan", "payment.credit: waits for a login"),
        ("INFO", "WaitBegan", "payment.credit: waits 10 s for its turn at the rate limit"),
    ]
    assert clock.waits == [pytest.approx(10.0)]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            lambda: httpx.Response(400, json=NO),
            "failed with ValidationFailed (rejected) after N ms, 1 attempt: HTTP 400 [400-1]",
        ),
        (lambda: httpx.Response(502), "failed with ServerError (unknown) after N ms, 2 attempts: HTTP 502"),
        (lambda: httpx.ReadTimeout("x"), "failed with OutcomeUnknown (unknown) after N ms, 2 attempts: ReadTimeout"),
    ],
)
async def test_a_call_that_fails_is_a_warning(
    make_client: MakeClient,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
    answer: Callable[[], Any],
    message: str,
) -> None:
    def handler(_: httpx.Request) -> httpx.Response:
        found: httpx.Response | Exception = answer()
        if isinstance(found, Exception):
            raise found
        return found

    with pytest.raises(EdgeError):
        await result(make_client(handler, retry=1).payment.credit())
    assert written(caplog) == [("WARNING", "CallEnded", f"payment.credit: {message}")]
    assert vars(caplog.records[0])["outcome"] in set(Outcome)
    assert len(clock.waits) == message.count("2 attempts")


async def test_an_invalid_setting_is_not_a_warning(make_client: MakeClient, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ConfigurationError):
        await result(make_client(lambda _: httpx.Response(200), api_key=None).payment.credit())
    assert written(caplog) == []


async def test_nothing_is_built_for_a_log_that_is_off(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    def built(**fields: object) -> None:
        raise AssertionError(fields)

    for name in ("CallBegan", "WaitBegan", "AttemptBegan", "AttemptEnded", "RetryPlanned", "CallEnded"):
        monkeypatch.setattr(observers, name, built)
    answers = [httpx.Response(500), httpx.Response(200, json=CREDIT)]
    client = make_client(lambda _: answers.pop(0), rate_limit=RateLimit(0.1))
    assert (await result(client.payment.credit())).credit == 5
    assert len(clock.waits) == 2


def test_the_page_lists_the_fields_of_each_record() -> None:
    """Each row of the table names a field and the events that have it."""
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    listed = {name: set(re.findall(r"`(\w+)`", events)) for name, events in rows}
    kinds = (WaitBegan, AttemptEnded, RetryPlanned, CallEnded)
    owners: dict[str, set[str]] = {}
    for kind in kinds:
        for field in attrs.fields(kind):
            owners.setdefault(field.name, set()).add(kind.__name__)
    for name, events in owners.items():
        expected = set[str]() if len(events) == len(kinds) else events  # the page says "all"
        assert listed.get(name) == expected, f"{PAGE.name}: list `{name}` with {sorted(expected) or 'all'}"


# IPPANEL_LOG.


@pytest.mark.parametrize("kind", [AsyncEdgeClient, EdgeClient])
@pytest.mark.parametrize(("value", "level"), [("debug", 10), ("info", 20), ("WARNING", 30), (" Info ", 20)])
def test_ippanel_log_adds_one_handler(
    logger: logging.Logger, monkeypatch: pytest.MonkeyPatch, kind: Any, value: str, level: int
) -> None:
    monkeypatch.setenv("IPPANEL_LOG", value)
    for _ in range(2):
        kind("key-0001")
    assert (len(logger.handlers), logger.level) == (1, level)


def test_ippanel_log_writes_readable_lines_to_stderr(
    logger: logging.Logger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IPPANEL_LOG", "info")
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=SENT))
    client = EdgeClient("key-0001", from_number="3000111222", http_client=httpx.Client(transport=transport))
    client.send.webservice(MOBILE, "سلام")
    output, lines = capsys.readouterr()
    assert output == ""
    assert re.fullmatch(
        r"\S+ \S+ ippanel_edge INFO send\.webservice: returned after \d+ ms, 1 attempt, message_outbox_ids 7, 8 "
        r"\[event=CallEnded call_id=\d+ endpoint=send\.webservice method=POST path=/api/send at=\S+ seconds=\S+ "
        r"attempts=1 status_code=200 recipients=1 message_outbox_ids=7,8 interrupted=False\]\n",
        lines,
    )
    logger.error("a record without extra fields")
    assert capsys.readouterr().err.endswith("ippanel_edge ERROR a record without extra fields\n")


@pytest.mark.parametrize("value", [None, ""])
def test_without_ippanel_log_nothing_is_configured(
    logger: logging.Logger, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    if value is not None:
        monkeypatch.setenv("IPPANEL_LOG", value)
    before = (list(logger.handlers), logger.level)
    EdgeClient("key-0001")
    assert (logger.handlers, logger.level) == before


@pytest.mark.parametrize("kind", [AsyncEdgeClient, EdgeClient])
@pytest.mark.parametrize("value", ["verbose", "10", "true", "error"])
def test_a_wrong_ippanel_log_is_named(
    logger: logging.Logger, monkeypatch: pytest.MonkeyPatch, kind: Any, value: str
) -> None:
    monkeypatch.setenv("IPPANEL_LOG", value)
    with pytest.raises(ConfigurationError, match=f"expected debug, info or warning, got '{value}'") as caught:
        kind("key-0001")
    assert caught.value.argument == "IPPANEL_LOG"
    assert logger.handlers == []


def test_ippanel_log_leaves_a_logger_with_a_handler_as_it_is(
    logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPPANEL_LOG", "debug")
    logger.addHandler(own := logging.NullHandler())
    logger.setLevel(logging.ERROR)
    EdgeClient("key-0001")
    assert (logger.handlers, logger.level) == ([own], logging.ERROR)
