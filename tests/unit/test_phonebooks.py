"""Phonebooks, contacts and options: invalid arguments are rejected before a request is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, cast

import httpx
import pytest

from ippanel_edge import ConfigurationError, DecodeError, EdgeClient, Outcome
from ippanel_edge.api import phonebooks
from ippanel_edge.models.phonebooks import (
    ContactChanges,
    ContactFilters,
    NewContact,
    OptionType,
)

VALID = NewContact(number="09125550101", phonebook_id=7)
XLSX = ("members.xlsx", b"PK\x03\x04")


class Recorder:
    """A service that accepts and records every request."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.response = httpx.Response(200, json={"data": {}, "meta": {"status": True}})

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.response

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

INVALID_CALLS: list[tuple[str, str, Call]] = [
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
    ("contacts", "a list of NewContact", lambda c: c.phonebooks.contacts.add(cast("list[NewContact]", VALID))),
    ("contacts", "a list of NewContact", lambda c: c.phonebooks.contacts.add(cast("list[NewContact]", "0912"))),
    (
        "contacts[1]",
        "expected a NewContact, got dict",
        lambda c: c.phonebooks.contacts.add([VALID, cast("NewContact", {"number": "0912"})]),
    ),
    (
        "contacts[1].phonebook_id",
        "expected an id",
        lambda c: c.phonebooks.contacts.add([VALID, NewContact(number="09125550101", phonebook_id=0)]),
    ),
    (
        "contacts[1].options",
        "expected an id",
        lambda c: c.phonebooks.contacts.add(
            [VALID, NewContact(number="09125550101", phonebook_id=7, options={0: "x"})]
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


@pytest.mark.parametrize(("argument", "problem", "call"), INVALID_CALLS)
def test_an_invalid_argument_is_rejected_before_sending_and_named_in_the_error(
    client: EdgeClient, service: Recorder, argument: str, problem: str, call: Call
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        call(client)
    assert caught.value.argument == argument
    assert problem in str(caught.value)
    assert caught.value.outcome is Outcome.NOT_SENT
    assert service.requests == []


@pytest.mark.parametrize(
    "create",
    [
        lambda: NewContact(number="0912", phonebook_id=7),
        lambda: ContactChanges(number="0912"),
        lambda: ContactFilters(number="0912"),
    ],
)
def test_a_number_is_normalised_or_rejected_when_the_model_is_created(create: Callable[[], object]) -> None:
    assert NewContact(number="۰۹۱۲ ۵۵۵ ۰۱۰۱", phonebook_id=7) == VALID  # noqa: RUF001 - Persian digits are the test data
    with pytest.raises(ConfigurationError) as caught:
        create()
    assert caught.value.argument == "number"


def test_a_naive_datetime_is_rejected_in_a_filter() -> None:
    with pytest.raises(ConfigurationError) as caught:
        ContactFilters(from_created_at=datetime(2026, 1, 2))  # noqa: DTZ001 - a naive datetime is the test data
    assert caught.value.argument == "from_created_at"


def test_adding_more_numbers_than_a_phonebook_can_contain_is_rejected(
    client: EdgeClient, service: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phonebooks, "MAX_NUMBERS", 2)
    other = NewContact(number="09125550102", phonebook_id=8)
    client.phonebooks.contacts.add([VALID, other, VALID, other])
    assert len(service.requests) == 1
    with pytest.raises(ConfigurationError) as caught:
        client.phonebooks.contacts.add([VALID, other, VALID, VALID])
    assert caught.value.argument == "contacts[3]"
    assert "at most 2 numbers" in str(caught.value)
    assert len(service.requests) == 1


def test_limits_but_not_types_are_left_to_the_service_if_limit_checks_are_disabled(
    client: EdgeClient, service: Recorder
) -> None:
    unchecked = client.with_options(validate=False)
    unchecked.phonebooks.update(7, title="x" * 201)
    assert service.body == {"title": "x" * 201}
    unchecked.phonebooks.contacts.import_file(7, ("members.xls", b"x"))
    unchecked.phonebooks.options.update(5, "t")
    assert len(service.requests) == 3
    with pytest.raises(ConfigurationError):
        unchecked.phonebooks.contacts.add([])
    with pytest.raises(ConfigurationError):
        unchecked.phonebooks.update(7)
    assert len(service.requests) == 3


def test_a_field_can_be_cleared(client: EdgeClient, service: Recorder) -> None:
    client.phonebooks.contacts.update(3, ContactChanges(name="", options={5: ""}))
    assert service.body == {"name": "", "options": {"5": ""}}


def test_an_html_page_is_rejected_as_a_sample_file(client: EdgeClient, service: Recorder) -> None:
    service.response = httpx.Response(200, html="<html>maintenance</html>")
    with pytest.raises(DecodeError):
        client.phonebooks.contacts.import_sample(7)


def test_contacts_are_accepted_from_an_iterator(client: EdgeClient, service: Recorder) -> None:
    service.response = httpx.Response(201, json={"data": {"added": 2}, "meta": {"status": True}})
    added = client.phonebooks.contacts.add(
        NewContact(number=f"0912555010{index}", phonebook_id=7) for index in range(2)
    )
    assert (added.added, added.existences) == (2, None)
    assert [contact["number"] for contact in service.body["list"]] == ["+989125550100", "+989125550101"]


def page(request: httpx.Request) -> httpx.Response:
    """Respond with page N of three; it contains one row with the id N."""
    number = int(request.url.params["page"])
    meta = {"status": True, "current_page": number, "last_page": 3, "per_page": 1, "total": 3}
    return httpx.Response(200, json={"data": [{"id": number}], "meta": meta})


Iteration = Callable[[EdgeClient], Iterator[Any]]

ITERATIONS: list[tuple[Iteration, dict[str, str]]] = [
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


@pytest.mark.parametrize(("iterate", "query"), ITERATIONS)
def test_iterating_requests_all_pages_with_the_same_filters(iterate: Iteration, query: dict[str, str]) -> None:
    queries: list[dict[str, str]] = []

    def respond(request: httpx.Request) -> httpx.Response:
        queries.append(dict(request.url.params))
        return page(request)

    with httpx.Client(transport=httpx.MockTransport(respond)) as http, EdgeClient("k", http_client=http) as client:
        assert [row.id for row in iterate(client)] == [1, 2, 3]
    assert queries == [{"page": str(number), "per_page": "1", **query} for number in (1, 2, 3)]
