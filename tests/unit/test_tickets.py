"""Tickets: what is wrong with a question, a reply or a file is found before anything is sent; files go out whole."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from ippanel_edge import ConfigurationError, EdgeClient
from ippanel_edge.models.tickets import TicketFilters

MEGABYTES_10 = 10 * 1024 * 1024


def refuse(_: httpx.Request) -> httpx.Response:
    raise AssertionError("something was sent")


def client_of(answer: Callable[[httpx.Request], httpx.Response], **options: Any) -> EdgeClient:
    return EdgeClient("key", http_client=httpx.Client(transport=httpx.MockTransport(answer)), **options)


REFUSED: list[tuple[str, Callable[[Any], object]]] = [
    ("subject", lambda c: c.tickets.create("", 1, "x")),
    ("category_id", lambda c: c.tickets.create("x", 0, "x")),
    ("description", lambda c: c.tickets.create("x", 1, " ")),
    ("file", lambda c: c.tickets.create("x", 1, "x", file=("a.pdf", b"x"))),
    ("file", lambda c: c.tickets.create("x", 1, "x", file=("a.zip", b""))),
    ("file", lambda c: c.tickets.create("x", 1, "x", file=("a.zip", bytes(MEGABYTES_10 + 1)))),
    ("file", lambda c: c.tickets.reply(1, "x", file="nowhere.png")),
    ("ticket_id", lambda c: c.tickets.reply(0, "x")),
    ("description", lambda c: c.tickets.reply(1, "")),
    ("ticket_id", lambda c: c.tickets.get(0)),
    ("per_page", lambda c: c.tickets.list(per_page=1001)),
    ("filters.category_id", lambda c: c.tickets.list(filters=TicketFilters(category_id=0))),
    ("filters.state_id", lambda c: c.tickets.list(filters=TicketFilters(state_id=0))),
]


@pytest.mark.parametrize(("argument", "ask"), REFUSED)
def test_a_value_out_of_its_limits_is_named_and_nothing_is_sent(argument: str, ask: Callable[[Any], object]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ask(client_of(refuse))
    assert caught.value.argument == argument


@pytest.mark.parametrize("name", ["a.zip", "a.jpg", "a.JPEG", "تصویر.png"])
def test_a_file_of_a_documented_kind_may_have_10_megabytes(name: str) -> None:
    sizes: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sizes.append(len(request.read()))
        return httpx.Response(200, json={"data": {"ticket_id": 5}, "meta": {"status": True}})

    client = client_of(answer)
    assert client.tickets.create("x", 1, "x", file=(name, io.BytesIO(bytes(MEGABYTES_10)))) == 5
    assert sizes[0] > MEGABYTES_10


def test_a_path_is_sent_with_its_name_and_content(tmp_path: Path) -> None:
    path = tmp_path / "log.zip"
    path.write_bytes(b"PK-content")
    bodies: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(request.read())
        return httpx.Response(200, json={"data": {"interaction_id": 6}, "meta": {"status": True}})

    assert client_of(answer).tickets.reply(1, "x", file=path).interaction_id == 6
    assert b'name="file"; filename="log.zip"' in bodies[0]
    assert b"PK-content" in bodies[0]


def test_the_form_is_multipart_without_a_file_too() -> None:
    kinds: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        kinds.append(request.headers["content-type"].partition(";")[0])
        assert b'name="sms_notification"\r\n\r\n1\r\n' in request.read()
        return httpx.Response(200, json={"data": {"ticket_id": 5}, "meta": {"status": True}})

    client_of(answer).tickets.create("x", 1, "x", sms_notification=True)
    assert kinds == ["multipart/form-data"]


def test_the_checks_of_a_file_may_be_turned_off() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"data": {"ticket_id": 5}, "meta": {"status": True}})

    assert client_of(answer, validate=False).tickets.create("x", 1, "x", file=("a.pdf", b"x")) == 5
