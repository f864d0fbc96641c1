"""Tickets: arguments and files are validated before a request is sent, and files are sent completely."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from ippanel_edge import ConfigurationError, EdgeClient
from ippanel_edge.models.tickets import TicketFilters

MAX_FILE_BYTES = 10 * 1024 * 1024


def fail_on_request(_: httpx.Request) -> httpx.Response:
    raise AssertionError("a request was sent")


def client_with(respond: Callable[[httpx.Request], httpx.Response], **options: Any) -> EdgeClient:
    return EdgeClient("key", http_client=httpx.Client(transport=httpx.MockTransport(respond)), **options)


INVALID_CALLS: list[tuple[str, Callable[[Any], object]]] = [
    ("subject", lambda c: c.tickets.create("", 1, "x")),
    ("category_id", lambda c: c.tickets.create("x", 0, "x")),
    ("description", lambda c: c.tickets.create("x", 1, " ")),
    ("file", lambda c: c.tickets.create("x", 1, "x", file=("a.zip", b""))),
    ("file", lambda c: c.tickets.reply(1, "x", file=("a.pdf", b"x"))),
    ("file", lambda c: c.tickets.reply(1, "x", file=("a.zip", bytes(MAX_FILE_BYTES + 1)))),
    ("file", lambda c: c.tickets.reply(1, "x", file="missing.png")),
    ("ticket_id", lambda c: c.tickets.reply(0, "x")),
    ("description", lambda c: c.tickets.reply(1, "")),
    ("ticket_id", lambda c: c.tickets.get(0)),
    ("per_page", lambda c: c.tickets.list(per_page=1001)),
    ("filters.category_id", lambda c: c.tickets.list(filters=TicketFilters(category_id=0))),
    ("filters.state_id", lambda c: c.tickets.list(filters=TicketFilters(state_id=0))),
]


@pytest.mark.parametrize(("argument", "call"), INVALID_CALLS)
def test_an_invalid_argument_is_rejected_before_sending_and_named_in_the_error(
    argument: str, call: Callable[[Any], object]
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        call(client_with(fail_on_request))
    assert caught.value.argument == argument


@pytest.mark.parametrize("name", ["a.zip", "a.jpg", "a.JPEG", "تصویر.png"])
def test_a_file_of_a_documented_type_may_have_10_megabytes(name: str) -> None:
    sizes: list[int] = []

    def respond(request: httpx.Request) -> httpx.Response:
        sizes.append(len(request.read()))
        return httpx.Response(200, json={"data": {"interaction_id": 5}, "meta": {"status": True}})

    client = client_with(respond)
    assert client.tickets.reply(1, "x", file=(name, io.BytesIO(bytes(MAX_FILE_BYTES)))).interaction_id == 5
    assert sizes[0] > MAX_FILE_BYTES


def test_the_file_of_a_new_ticket_has_no_limit_because_none_is_documented() -> None:
    sizes: list[int] = []

    def respond(request: httpx.Request) -> httpx.Response:
        sizes.append(len(request.read()))
        return httpx.Response(200, json={"data": {"ticket_id": 5}, "meta": {"status": True}})

    client = client_with(respond)
    assert client.tickets.create("x", 1, "x", file=("a.pdf", bytes(MAX_FILE_BYTES + 1))) == 5
    assert sizes[0] > MAX_FILE_BYTES


def test_a_file_path_is_sent_with_file_name_and_content(tmp_path: Path) -> None:
    path = tmp_path / "log.zip"
    path.write_bytes(b"PK-content")
    bodies: list[bytes] = []

    def respond(request: httpx.Request) -> httpx.Response:
        bodies.append(request.read())
        return httpx.Response(200, json={"data": {"interaction_id": 6}, "meta": {"status": True}})

    assert client_with(respond).tickets.reply(1, "x", file=path).interaction_id == 6
    assert b'name="file"; filename="log.zip"' in bodies[0]
    assert b"PK-content" in bodies[0]


def test_the_form_is_multipart_even_without_a_file() -> None:
    content_types: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        content_types.append(request.headers["content-type"].partition(";")[0])
        assert b'name="sms_notification"\r\n\r\n1\r\n' in request.read()
        return httpx.Response(200, json={"data": {"ticket_id": 5}, "meta": {"status": True}})

    client_with(respond).tickets.create("x", 1, "x", sms_notification=True)
    assert content_types == ["multipart/form-data"]


def test_the_file_type_is_not_checked_if_limit_checks_are_disabled() -> None:
    def respond(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"data": {"interaction_id": 5}, "meta": {"status": True}})

    client = client_with(respond, validate=False)
    assert client.tickets.reply(1, "x", file=("a.pdf", b"x")).interaction_id == 5
