"""Phonebooks, contacts and options: what is wrong is named with its place, and nothing of it is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, cast

import httpx
import pytest

from ippanel_edge import ConfigurationError, DecodeError, EdgeClient, Outcome
from ippanel_edge.api import phonebooks as wire
from ippanel_edge.models.phonebooks import (
    ContactChanges,
    ContactFilters,
    NewContact,
    OptionType,
)

GOOD = NewContact(number="09125550101", phonebook_id=7)
XLSX = ("members.xlsx", b"PK\x03\x04")


class Recorder:
    """A service that takes everything and remembers it."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.answer = httpx.Response(200, json={"data": {}, "meta": {"status": True}})

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answer

    @property
    def body(self) -> Any:
        return json.loads(self.requests[-1].content)


@pytest.fixture
def service() -> Recorder:
    return Recorder()


@pytest.fixture
def client(service: Recorder) -> Iterator[EdgeClient]:
    with httpx.Client(transport=httpx.MockTransport(service)) as http, EdgeClient("a-key", http_client=http) as client:
        yield client


Call = Callable[[EdgeClient], object]

WRONG: list[tuple[str, str, Call]] = [
    ("page", "expected 1 or more", lambda c: c.phonebooks.list(page=0)),
    ("per_page", "1 to 1000, got 1001", lambda c: c.phonebooks.list(per_page=1001)),
    ("title", "must not be empty", lambda c: c.phonebooks.list(title=" ")),
    ("id", "expected an id", lambda c: c.phonebooks.list(id=0)),
    ("title", "must not be empty", lambda c: c.phonebooks.create("")),
    ("title", "at most 200 characters, got 201", lambda c: c.phonebooks.create("x" * 201)),
    ("title", "lone surrogate", lambda c: c.phonebooks.create("\ud83d")),
    ("options", "list of ids", lambda c: c.phonebooks.create("x", cast("list[int]", "12"))),
    ("options[1]", "an int, got str", lambda c: c.phonebooks.create("x", cast("list[int]", [5, "6"]))),
    ("phonebook_id", "expected an id", lambda c: c.phonebooks.update(0, title="x")),
    ("title", "nothing to change", lambda c: c.phonebooks.update(7)),
    ("title", "at most 200 characters", lambda c: c.phonebooks.update(7, title="x" * 201)),
    ("options[0]", "expected an id", lambda c: c.phonebooks.update(7, options=[-1])),
    ("phonebook_ids", "must not be empty", lambda c: c.phonebooks.delete([])),
    ("phonebook_ids[2]", "expected an id", lambda c: c.phonebooks.delete([1, 2, 0])),
    ("contacts", "must not be empty", lambda c: c.phonebooks.contacts.add([])),
    ("contacts", "a list of NewContact", lambda c: c.phonebooks.contacts.add(cast("list[NewContact]", GOOD))),
    ("contacts", "a list of NewContact", lambda c: c.phonebooks.contacts.add(cast("list[NewContact]", "0912"))),
    (
        "contacts[1]",
        "expected a NewContact, got dict",
        lambda c: c.phonebooks.contacts.add([GOOD, cast("NewContact", {"number": "0912"})]),
    ),
    (
        "contacts[1].phonebook_id",
        "expected an id",
        lambda c: c.phonebooks.contacts.add([GOOD, NewContact(number="09125550101", phonebook_id=0)]),
    ),
    (
        "contacts[0].name",
        "expected a str, got int",
        lambda c: c.phonebooks.contacts.add([NewContact(number="09125550101", phonebook_id=7, name=cast("str", 5))]),
    ),
    (
        "contacts[1].options[0]",
        "expected an id",
        lambda c: c.phonebooks.contacts.add([GOOD, NewContact(number="09125550101", phonebook_id=7, options={0: "x"})]),
    ),
    (
        "contacts[0].options[5]",
        "expected a str, got int",
        lambda c: c.phonebooks.contacts.add(
            [NewContact(number="09125550101", phonebook_id=7, options=cast("dict[int, str]", {5: 6}))]
        ),
    ),
    (
        "contacts[0].options",
        "expected a mapping",
        lambda c: c.phonebooks.contacts.add(
            [NewContact(number="09125550101", phonebook_id=7, options=cast("dict[int, str]", ["x"]))]
        ),
    ),
    ("contact_id", "expected an id", lambda c: c.phonebooks.contacts.get(0)),
    ("per_page", "1 to 1000", lambda c: c.phonebooks.contacts.list(per_page=5000)),
    (
        "filters.phonebook_id",
        "expected an id",
        lambda c: c.phonebooks.contacts.list(filters=ContactFilters(phonebook_id=0)),
    ),
    (
        "filters.phonebook_title",
        "must not be empty",
        lambda c: c.phonebooks.contacts.export(ContactFilters(phonebook_title="")),
    ),
    ("changes", "nothing to change", lambda c: c.phonebooks.contacts.update(3, ContactChanges())),
    (
        "changes",
        "expected a ContactChanges, got dict",
        lambda c: c.phonebooks.contacts.update(3, cast("ContactChanges", {"name": "x"})),
    ),
    (
        "changes.phonebook_id",
        "expected an id",
        lambda c: c.phonebooks.contacts.update(3, ContactChanges(phonebook_id=-7)),
    ),
    (
        "changes.options[9]",
        "expected a str",
        lambda c: c.phonebooks.contacts.update(3, ContactChanges(options=cast("dict[int, str]", {9: None}))),
    ),
    ("contact_ids[0]", "an int", lambda c: c.phonebooks.contacts.delete([True])),
    ("contact_ids", "must not be empty", lambda c: c.phonebooks.contacts.delete(iter(()))),
    ("phonebook_id", "expected an id", lambda c: c.phonebooks.contacts.export_members(0)),
    ("phonebook_id", "expected an id", lambda c: c.phonebooks.contacts.import_sample(-1)),
    ("phonebook_id", "expected an id", lambda c: c.phonebooks.contacts.import_file(0, XLSX)),
    (
        "file",
        "expected one of the file types .xlsx",
        lambda c: c.phonebooks.contacts.import_file(7, ("members.csv", b"x")),
    ),
    ("file", "the file is empty", lambda c: c.phonebooks.contacts.import_file(7, ("members.xlsx", b""))),
    ("type", "one of 'int', 'string', 'date'", lambda c: c.phonebooks.options.list(type=cast("OptionType", "x"))),
    ("title", "must not be empty", lambda c: c.phonebooks.options.list(title="")),
    ("type", "one of 'int', 'string', 'date'", lambda c: c.phonebooks.options.create(cast("OptionType", "x"), "t")),
    ("type", "expected a str", lambda c: c.phonebooks.options.create(cast("OptionType", None), "t")),
    ("title", "must not be empty", lambda c: c.phonebooks.options.create("int", "")),
    ("option_id", "expected an id", lambda c: c.phonebooks.options.update(0, "t")),
    ("title", "must not be empty", lambda c: c.phonebooks.options.update(5, "\n")),
    ("option_ids[1]", "expected an id", lambda c: c.phonebooks.options.delete([5, 0])),
]


@pytest.mark.parametrize(("argument", "problem", "call"), WRONG)
def test_what_is_wrong_is_named_with_its_place_and_not_sent(
    client: EdgeClient, service: Recorder, argument: str, problem: str, call: Call
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        call(client)
    assert caught.value.argument == argument
    assert problem in str(caught.value)
    assert caught.value.outcome is Outcome.NOT_SENT
    assert service.requests == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: NewContact(number="0912", phonebook_id=7),
        lambda: ContactChanges(number="0912"),
        lambda: ContactFilters(number="0912"),
    ],
)
def test_a_number_is_put_right_or_refused_when_it_is_set(make: Callable[[], object]) -> None:
    assert NewContact(number="۰۹۱۲ ۵۵۵ ۰۱۰۱", phonebook_id=7) == GOOD  # noqa: RUF001 - Persian digits are the point
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert caught.value.argument == "number"


def test_a_time_without_a_zone_is_no_filter() -> None:
    with pytest.raises(ConfigurationError) as caught:
        ContactFilters(from_created_at=datetime(2026, 1, 2))  # noqa: DTZ001 - a naive time is the point
    assert caught.value.argument == "from_created_at"


def test_a_phonebook_cannot_be_handed_more_numbers_than_it_holds(
    client: EdgeClient, service: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "MAX_NUMBERS", 2)
    other = NewContact(number="09125550102", phonebook_id=8)
    client.phonebooks.contacts.add([GOOD, other, GOOD, other])
    assert len(service.requests) == 1
    with pytest.raises(ConfigurationError) as caught:
        client.phonebooks.contacts.add([GOOD, other, GOOD, GOOD])
    assert caught.value.argument == "contacts[3]"
    assert "at most 2 numbers" in str(caught.value)
    assert len(service.requests) == 1


def test_limits_but_not_shapes_can_be_left_to_the_service(client: EdgeClient, service: Recorder) -> None:
    free = client.with_options(validate=False)
    free.phonebooks.update(7, title="x" * 201)
    assert service.body == {"title": "x" * 201}
    free.phonebooks.contacts.import_file(7, ("members.xls", b"x"))
    free.phonebooks.options.update(5, "t")
    assert len(service.requests) == 3
    with pytest.raises(ConfigurationError):
        free.phonebooks.contacts.add([])
    with pytest.raises(ConfigurationError):
        free.phonebooks.update(7)
    assert len(service.requests) == 3


def test_a_field_can_be_emptied(client: EdgeClient, service: Recorder) -> None:
    client.phonebooks.contacts.update(3, ContactChanges(name="", options={5: ""}))
    assert service.body == {"name": "", "options": {"5": ""}}


def test_a_page_of_html_is_no_sample_file(client: EdgeClient, service: Recorder) -> None:
    service.answer = httpx.Response(200, html="<html>maintenance</html>")
    with pytest.raises(DecodeError):
        client.phonebooks.contacts.import_sample(7)


def test_an_iterator_of_contacts_is_read_once(client: EdgeClient, service: Recorder) -> None:
    service.answer = httpx.Response(201, json={"data": {"added": 2}, "meta": {"status": True}})
    added = client.phonebooks.contacts.add(
        NewContact(number=f"0912555010{place}", phonebook_id=7) for place in range(2)
    )
    assert (added.added, added.existences) == (2, None)
    assert [each["number"] for each in service.body["list"]] == ["+989125550100", "+989125550101"]


def page(request: httpx.Request) -> httpx.Response:
    """Answer page N of three with one row, whose id is N."""
    number = int(request.url.params["page"])
    meta = {"status": True, "current_page": number, "last_page": 3, "per_page": 1, "total": 3}
    return httpx.Response(200, json={"data": [{"id": number}], "meta": meta})


Walk = Callable[[EdgeClient], Iterator[Any]]

WALKS: list[tuple[Walk, dict[str, str]]] = [
    (lambda c: c.phonebooks.iter_list(title="t", per_page=1), {"title": "t"}),
    (lambda c: c.phonebooks.iter_list(id=4, per_page=1), {"id": "4"}),
    (
        lambda c: c.phonebooks.contacts.iter_list(
            filters=ContactFilters(from_created_at=datetime(2026, 1, 2, tzinfo=UTC)), per_page=1
        ),
        {"from_created_at": "1767312000"},
    ),
    (lambda c: c.phonebooks.options.iter_list(type="date", title="t", per_page=1), {"type": "date", "title": "t"}),
]


@pytest.mark.parametrize(("walk", "query"), WALKS)
def test_a_walk_goes_through_all_pages_with_the_same_filters(walk: Walk, query: dict[str, str]) -> None:
    asked: list[dict[str, str]] = []

    def serve(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        return page(request)

    with httpx.Client(transport=httpx.MockTransport(serve)) as http, EdgeClient("k", http_client=http) as client:
        assert [row.id for row in walk(client)] == [1, 2, 3]
    assert asked == [{"page": str(number), "per_page": "1", **query} for number in (1, 2, 3)]
