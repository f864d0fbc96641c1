"""Phonebooks, contacts and options in the sandbox, with the client and with raw HTTP for invalid requests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from ippanel_edge import AsyncEdgeClient, EdgeClient, NotFound, ValidationFailed
from ippanel_edge.models.phonebooks import (
    AddedContacts,
    ContactChanges,
    ContactFilters,
    NewContact,
    OptionType,
    Phonebook,
)
from ippanel_edge.models.send import PatternContact, PhonebookNumbers, WholePhonebooks
from ippanel_edge.sandbox.defaults import BLACKLISTED, SUB_USER_API_KEY
from ippanel_edge.sandbox.records import Contact as StoredContact
from ippanel_edge.sandbox.reserved import INVALID_NUMBER
from ippanel_edge.sandbox.rules.phonebook_fields import MAX_NUMBERS
from tests.sandbox.caller import errors
from tests.sandbox.phonebooks import ONE, THREE, TWO, id_of, new_book, numbers_in, options_of
from tests.workbooks import saved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ippanel_edge.sandbox import Sandbox
    from tests.sandbox.caller import Caller

START = datetime(2030, 1, 15, 9, 30, tzinfo=UTC)
NUMBERS = "/api/phonebooks/numbers"


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[EdgeClient]:
    with (
        sandbox,
        EdgeClient(sandbox.api_key, base_url=sandbox.base_url, from_number=sandbox.from_number) as client,
    ):
        yield client


@pytest.fixture
def book(client: EdgeClient) -> Phonebook:
    return new_book(client)


class TestPhonebooks:
    def test_a_new_phonebook_is_listed_with_its_options_and_count(self, client: EdgeClient, book: Phonebook) -> None:
        assert (book.count, book.created_at, book.updated_at) == (0, START, None)
        assert [option.type for option in book.options] == [OptionType.INT, OptionType.STRING, OptionType.DATE]
        client.phonebooks.contacts.add([NewContact(number=ONE, phonebook_id=id_of(book))])
        (listed,) = client.phonebooks.list()
        assert (listed.id, listed.title, listed.count, listed.options) == (book.id, "مشتریان", 1, book.options)
        assert listed.updated_at == START

    def test_the_list_is_oldest_first_filtered_and_paginated(self, client: EdgeClient) -> None:
        ids = [client.phonebooks.create(title).id for title in ("alpha", "beta", "alphabet")]
        page = client.phonebooks.list(page=2, per_page=2)
        assert ([row.id for row in page], page.last_page, page.total) == ([ids[2]], 2, 3)
        assert [row.id for row in client.phonebooks.iter_list(title="alpha", per_page=1)] == [ids[0], ids[2]]
        assert [row.title for row in client.phonebooks.list(id=ids[1])] == ["beta"]
        assert client.phonebooks.list(id=999).total == 0

    def test_title_and_options_are_updated_independently(
        self, client: EdgeClient, sandbox: Sandbox, book: Phonebook
    ) -> None:
        sandbox.clock.advance(60)
        client.phonebooks.update(id_of(book), title="بدهکاران")
        (listed,) = client.phonebooks.list()
        assert (listed.title, listed.options) == ("بدهکاران", book.options)
        assert listed.updated_at == START + timedelta(seconds=60)
        client.phonebooks.update(id_of(book), options=[options_of(book)[1]])
        (listed,) = client.phonebooks.list()
        assert (listed.title, listed.options) == ("بدهکاران", book.options[1:2])
        client.phonebooks.update(id_of(book), options=[])
        assert client.phonebooks.list().items[0].options == ()

    def test_delete_removes_the_contacts_and_is_idempotent(self, client: EdgeClient, book: Phonebook) -> None:
        other = client.phonebooks.create("other")
        client.phonebooks.contacts.add([NewContact(number=ONE, phonebook_id=id_of(each)) for each in (book, other)])
        for _ in range(2):
            client.phonebooks.delete([id_of(book)])
            assert [row.id for row in client.phonebooks.list()] == [other.id]
            assert [contact.phonebook_id for contact in client.phonebooks.contacts.list()] == [other.id]

    def test_invalid_fields_are_rejected_with_persian_messages(self, call: Caller) -> None:
        assert errors(call("POST", "/api/phonebooks", json={})) == {"title": ["تکمیل گزینه عنوان الزامی است"]}
        long = call("POST", "/api/phonebooks", json={"title": "x" * 201})
        assert errors(long) == {"title": ["گزینه عنوان نباید بیشتر از 200 کاراکتر باشد"]}
        unknown = call("POST", "/api/phonebooks", json={"title": "x", "options": ["7"], "count": 1})
        assert set(errors(unknown)) == {"options.0", "count"}
        assert list(errors(call("POST", "/api/phonebooks/delete-list", json={"ids": [1]}))) == ["listPhonebooks", "ids"]
        assert list(errors(call("POST", "/api/phonebooks/delete-list", json={"listPhonebooks": ["1"]}))) == [
            "listPhonebooks.0"
        ]
        assert list(errors(call("GET", "/api/phonebooks/list-new", params={"per_page": 1001}))) == ["per_page"]

    def test_an_unknown_phonebook_is_not_found(self, call: Caller) -> None:
        for address in ("7", "x", "²", "0"):
            response = call("PUT", f"/api/phonebooks/{address}", json={"title": "x"})
            assert response.status_code == 404, address
            assert response.json()["meta"]["message"] == "دفترچه تلفن مورد نظر یافت نشد"

    def test_an_empty_update_is_rejected(self, call: Caller) -> None:
        created = call("POST", "/api/phonebooks", json={"title": "x"}).json()["data"]
        assert created["count"] == "0"
        assert list(errors(call("PUT", f"/api/phonebooks/{created['id']}", json={}))) == ["title"]

    def test_the_list_accepts_both_documented_methods(self, call: Caller) -> None:
        assert call("POST", "/api/phonebooks/list-new?page=1&per_page=10").json()["data"] == []
        assert call("PUT", "/api/phonebooks/list-new").status_code == 405


class TestContacts:
    def test_added_contacts_can_be_read_and_listed(self, client: EdgeClient, sandbox: Sandbox, book: Phonebook) -> None:
        new = NewContact(
            number=ONE,
            phonebook_id=id_of(book),
            pre="خانم",
            name="نگار",
            email="n@example.org",
            options=dict(zip(options_of(book), ("-15", "یزد", "1404/02/30"), strict=True)),
        )
        again = [new, NewContact(number=BLACKLISTED, phonebook_id=id_of(book)), new]
        assert client.phonebooks.contacts.add(again) == AddedContacts(added=2, errors=0, existences=1)
        assert client.phonebooks.contacts.add(again) == AddedContacts(added=0, errors=0, existences=3)
        first, second = client.phonebooks.contacts.list()
        assert (first.number, first.pre, first.name, first.email) == (ONE, "خانم", "نگار", "n@example.org")
        assert (first.phonebook_id, first.phonebook_title, first.created_at) == (book.id, "مشتریان", START)
        assert (second.name, second.email, second.is_send_blacklist) == ("", "", None)
        sandbox.state.contacts[first.id or 0].tags.append("ویژه")
        got = client.phonebooks.contacts.get(first.id or 0)
        assert (got.number, got.is_send_blacklist, got.is_receive_blacklist) == (ONE, False, False)
        assert [(tag.tag, tag.number_id, tag.created_at) for tag in got.tags] == [("ویژه", first.id, START)]
        assert client.phonebooks.contacts.get(second.id or 0).is_send_blacklist is True

    def test_the_reserved_invalid_number_counts_as_an_error(self, client: EdgeClient, book: Phonebook) -> None:
        added = client.phonebooks.contacts.add(
            [NewContact(number=number, phonebook_id=id_of(book)) for number in (ONE, INVALID_NUMBER)]
        )
        assert added == AddedContacts(added=1, errors=1, existences=0)
        assert numbers_in(client, book) == [ONE]

    def test_add_returns_http_201(self, call: Caller) -> None:
        phonebook_id = call("POST", "/api/phonebooks", json={"title": "x"}).json()["data"]["id"]
        body = {"list": [{"number": ONE, "phonebook_id": str(phonebook_id)}]}
        response = call("POST", f"{NUMBERS}/add-list-new", json=body)
        assert (response.status_code, response.json()["meta"]["message_code"]) == (201, "201-1")
        assert response.json()["data"] == {"added": 1, "errors": 0, "existences": 0}

    def test_the_list_is_filtered_by_time_number_and_phonebook(
        self, client: EdgeClient, sandbox: Sandbox, book: Phonebook
    ) -> None:
        other = client.phonebooks.create("other")
        client.phonebooks.contacts.add([NewContact(number=ONE, phonebook_id=id_of(book))])
        sandbox.clock.advance(100)
        client.phonebooks.contacts.add([NewContact(number=number, phonebook_id=id_of(other)) for number in (ONE, TWO)])

        def found(**filters: Any) -> list[tuple[str | None, str | None]]:
            page = client.phonebooks.contacts.list(filters=ContactFilters(**filters))
            return [(contact.phonebook_title, contact.number) for contact in page]

        everything = [("مشتریان", ONE), ("other", ONE), ("other", TWO)]
        assert found() == everything
        assert found(from_created_at=START - timedelta(seconds=1)) == everything
        assert found(from_created_at=START) == everything[1:], "created after this second"
        assert found(number="0912 111 0001") == everything[:2]
        assert found(phonebook_title="oth") == everything[1:]
        assert found(phonebook_id=id_of(book)) == everything[:1]
        assert found(phonebook_id=999) == []

    def test_update_does_not_change_other_fields(self, client: EdgeClient, sandbox: Sandbox, book: Phonebook) -> None:
        debt, city, _ = options_of(book)
        new = NewContact(number=ONE, phonebook_id=id_of(book), name="a", pre="Mr.", options={debt: "5", city: "Yazd"})
        client.phonebooks.contacts.add([new])
        (contact,) = client.phonebooks.contacts.list()
        sandbox.clock.advance(5)
        client.phonebooks.contacts.update(contact.id or 0, ContactChanges(name="", options={debt: "6", city: ""}))
        changed = client.phonebooks.contacts.get(contact.id or 0)
        assert (changed.name, changed.pre, changed.number) == ("", "Mr.", ONE)
        assert changed.updated_at == START + timedelta(seconds=5)
        assert sandbox.state.contacts[contact.id or 0].options == {debt: "6"}

    def test_a_moved_contact_keeps_the_options_of_its_new_phonebook(
        self, client: EdgeClient, sandbox: Sandbox, book: Phonebook
    ) -> None:
        debt, city, _ = options_of(book)
        other = client.phonebooks.create("other", [city])
        options = {debt: "5", city: "Yazd"}
        client.phonebooks.contacts.add([NewContact(number=ONE, phonebook_id=id_of(book), options=options)])
        (contact,) = client.phonebooks.contacts.list()
        client.phonebooks.contacts.update(contact.id or 0, ContactChanges(number=TWO, phonebook_id=other.id))
        assert (numbers_in(client, book), numbers_in(client, other)) == ([], [TWO])
        assert sandbox.state.contacts[contact.id or 0].options == {city: "Yazd"}

    def test_a_number_is_unique_within_a_phonebook(self, client: EdgeClient, book: Phonebook) -> None:
        client.phonebooks.contacts.add([NewContact(number=number, phonebook_id=id_of(book)) for number in (ONE, TWO)])
        first, _ = client.phonebooks.contacts.list()
        with pytest.raises(ValidationFailed, match="این شماره در دفترچه تلفن وجود دارد"):
            client.phonebooks.contacts.update(first.id or 0, ContactChanges(number=TWO))
        client.phonebooks.contacts.update(first.id or 0, ContactChanges(number=ONE, name="same"))

    def test_deleted_contacts_are_not_found_and_delete_is_idempotent(self, client: EdgeClient, book: Phonebook) -> None:
        client.phonebooks.contacts.add([NewContact(number=number, phonebook_id=id_of(book)) for number in (ONE, TWO)])
        first, _ = client.phonebooks.contacts.list()
        for _ in range(2):
            client.phonebooks.contacts.delete([first.id or 0])
            assert numbers_in(client, book) == [TWO]
        with pytest.raises(NotFound, match="مخاطب مورد نظر یافت نشد"):
            client.phonebooks.contacts.get(first.id or 0)

    @pytest.mark.parametrize(
        ("wrong", "value", "path"),
        [
            ("number", "09121110001", "number"),
            ("number", None, "number"),
            ("number", 989121110001, "number"),
            ("phonebook_id", "7", "phonebook_id"),
            ("phonebook_id", None, "phonebook_id"),
            ("name", "", "name"),
            ("options", {"7": "x"}, "options.7"),
            ("options", {"²": "x"}, "options.²"),
            ("options", ["x"], "options"),
            ("tag", "x", "tag"),
        ],
    )
    def test_an_invalid_contact_is_named_by_its_path_and_none_is_added(
        self, call: Caller, sandbox: Sandbox, wrong: str, value: object, path: str
    ) -> None:
        phonebook_id = call("POST", "/api/phonebooks", json={"title": "x"}).json()["data"]["id"]
        good = {"number": ONE, "phonebook_id": str(phonebook_id)}
        response = call("POST", f"{NUMBERS}/add-list-new", json={"list": [good, {**good, wrong: value}]})
        assert list(errors(response)) == [f"list.1.{path}"]
        assert sandbox.state.contacts == {}

    @pytest.mark.parametrize("value", ["x", "1.5", "۵"])  # noqa: RUF001 - a Persian digit
    def test_an_option_value_must_match_the_option_type(self, client: EdgeClient, book: Phonebook, value: str) -> None:
        number, _, date = options_of(book)
        new = NewContact(number=ONE, phonebook_id=id_of(book), options={number: value, date: "2025-13-01"})
        with pytest.raises(ValidationFailed) as caught:
            client.phonebooks.contacts.add([new])
        assert list(caught.value.errors) == [f"list.0.options.{number}", f"list.0.options.{date}"]

    def test_invalid_updates_and_filters_are_rejected(self, call: Caller) -> None:
        phonebook_id = call("POST", "/api/phonebooks", json={"title": "x"}).json()["data"]["id"]
        call("POST", f"{NUMBERS}/add-list-new", json={"list": [{"number": ONE, "phonebook_id": str(phonebook_id)}]})
        (row,) = call("GET", f"{NUMBERS}/contact-list").json()["data"]
        address = f"{NUMBERS}/update-new/{row['id']}"
        assert list(errors(call("PUT", address, json={}))) == ["number"]
        assert list(errors(call("PUT", address, json={"number": "0912"}))) == ["number"]
        assert list(errors(call("PUT", address, json={"phonebook_id": "7"}))) == ["phonebook_id"]
        assert list(errors(call("PUT", address, json={"name": None}))) == ["name", "number"]
        for wrong in ({"number": "0912"}, {"from_created_at": "2025-01-01"}, {"phonebook_id": ""}, {"name": "x"}):
            assert list(errors(call("GET", f"{NUMBERS}/contact-list", params=wrong))) == list(wrong)

    def test_the_path_of_add_does_not_delete(self, call: Caller) -> None:
        response = call("POST", f"{NUMBERS}/add-list-new", json={"listNumbers": [1]})
        assert list(errors(response)) == ["list", "listNumbers"]

    def test_a_phonebook_holds_at_most_100000_numbers(
        self, client: EdgeClient, sandbox: Sandbox, book: Phonebook
    ) -> None:
        state = sandbox.state
        for index in range(MAX_NUMBERS - 1):
            contact_id = state.next_id("contact")
            state.contacts[contact_id] = StoredContact(contact_id, id_of(book), f"+98990{index:07d}", START, START)
        two = [NewContact(number=number, phonebook_id=id_of(book)) for number in (ONE, TWO)]
        with pytest.raises(ValidationFailed, match="نباید بیشتر از 100000 باشد") as caught:
            client.phonebooks.contacts.add(two)
        assert list(caught.value.errors) == ["list"]
        assert client.phonebooks.contacts.add(two[:1]).added == 1
        assert client.phonebooks.list().items[0].count == MAX_NUMBERS
        with pytest.raises(ValidationFailed) as caught:
            client.phonebooks.contacts.import_file(id_of(book), ("more.xlsx", saved([TWO])))
        assert list(caught.value.errors) == ["file"]
        before = client.phonebooks.contacts.list().total
        for number in (ONE, TWO):
            sent = client.send.pattern("otp", number, {"code": "1"}, phonebook=PatternContact(id=id_of(book)))
            assert client.reports.by_id(sent.id).rcpts_count == 1
        assert client.phonebooks.contacts.list().total == before == MAX_NUMBERS, "sent, but not stored"


class TestOptions:
    def test_options_are_listed_newest_first_and_filtered(self, client: EdgeClient, sandbox: Sandbox) -> None:
        due = client.phonebooks.options.create(OptionType.DATE, "due")
        sandbox.clock.advance(1)
        debt = client.phonebooks.options.create("int", "debt")
        assert (due.created_at, debt.created_at) == (START, START + timedelta(seconds=1))
        assert list(client.phonebooks.options.list()) == [debt, due]
        assert list(client.phonebooks.options.iter_list(per_page=1)) == [debt, due]
        assert list(client.phonebooks.options.list(type="date")) == [due]
        assert list(client.phonebooks.options.list(title="deb", type=OptionType.INT)) == [debt]

    def test_a_new_title_appears_in_the_phonebooks(self, client: EdgeClient, book: Phonebook) -> None:
        client.phonebooks.options.update(options_of(book)[0], "بدهی")
        (listed,) = client.phonebooks.list()
        assert [option.title for option in listed.options] == ["بدهی", "string", "date"]

    def test_a_deleted_option_is_removed_from_phonebooks_and_contacts(
        self, client: EdgeClient, sandbox: Sandbox, book: Phonebook
    ) -> None:
        debt, city, _ = options_of(book)
        options = {debt: "5", city: "Yazd"}
        client.phonebooks.contacts.add([NewContact(number=ONE, phonebook_id=id_of(book), options=options)])
        for _ in range(2):
            client.phonebooks.options.delete([debt])
        (listed,) = client.phonebooks.list()
        assert listed.options == book.options[1:]
        (contact,) = sandbox.state.contacts_of(id_of(book))
        assert contact.options == {city: "Yazd"}

    def test_invalid_fields_are_named(self, call: Caller) -> None:
        address = "/api/phonebooks/options"
        assert list(errors(call("POST", address, json={}))) == ["type", "title"]
        assert list(errors(call("POST", address, json={"type": "text", "title": "x"}))) == ["type"]
        assert list(errors(call("GET", f"{address}/list-new", params={"type": "text"}))) == ["type"]
        assert list(errors(call("POST", f"{address}/delete-list", json={"listNumbers": [1]}))) == [
            "listOptions",
            "listNumbers",
        ]
        assert call("PUT", f"{address}/7", json={"title": "x"}).status_code == 404

    def test_renaming_an_option_returns_true(self, call: Caller) -> None:
        option_id = call("POST", "/api/phonebooks/options", json={"type": "int", "title": "x"}).json()["data"]["id"]
        assert call("PUT", f"/api/phonebooks/options/{option_id}", json={"title": "y"}).json()["data"] is True
        assert list(errors(call("PUT", f"/api/phonebooks/options/{option_id}", json={}))) == ["title"]


class TestSending:
    """Sends reach the contacts that the phonebook endpoints created."""

    def test_a_phonebook_send_accepts_a_range_or_selected_contacts(self, client: EdgeClient, book: Phonebook) -> None:
        client.phonebooks.contacts.add(
            [NewContact(number=number, phonebook_id=id_of(book)) for number in (ONE, TWO, THREE)]
        )
        contacts = list(client.phonebooks.contacts.list())

        def reached(selection: WholePhonebooks | PhonebookNumbers, text: str) -> list[str | None]:
            sent = client.send.phonebook([selection], text)
            return [row.recipient for row in client.reports.iter_recipients(sent.id)]

        assert reached(WholePhonebooks(phonebook_ids=[id_of(book)]), "a") == [ONE, TWO, THREE]
        assert reached(WholePhonebooks(phonebook_ids=[id_of(book)], start=1, size=1), "b") == [TWO]
        chosen = [contacts[2].id or 0, contacts[0].id or 0]
        assert reached(PhonebookNumbers(phonebook_id=id_of(book), number_ids=chosen), "c") == [THREE, ONE]
        client.phonebooks.contacts.delete([contacts[0].id or 0])
        assert reached(WholePhonebooks(phonebook_ids=[id_of(book)]), "d") == [TWO, THREE]
        client.phonebooks.delete([id_of(book)])
        with pytest.raises(NotFound, match="دفترچه تلفن یافت نشد"):
            reached(WholePhonebooks(phonebook_ids=[id_of(book)]), "e")

    def test_a_keyword_text_has_each_contacts_values(self, client: EdgeClient, book: Phonebook) -> None:
        debt, _, due = options_of(book)
        for number, options in ((ONE, {debt: "100", due: "1405/01/01"}), (TWO, {debt: "200"})):
            client.phonebooks.contacts.add([NewContact(number=number, phonebook_id=id_of(book), options=options)])
        text = f"debt {{ex_{debt}}} due {{ex_{due}}}."
        sent = client.send.keyword_phonebook([id_of(book)], text)
        assert [row.message for row in client.reports.iter_recipients(sent.id)] == [
            "debt 100 due 1405/01/01.",
            "debt 200 due .",
        ]
        client.phonebooks.update(id_of(book), options=[debt])
        with pytest.raises(ValidationFailed):
            client.send.keyword_phonebook([id_of(book)], text)

    def test_a_pattern_send_keeps_its_recipient(self, client: EdgeClient, book: Phonebook) -> None:
        debt, city, _ = options_of(book)
        kept = PatternContact(id=id_of(book), name="Sara", pre="Ms", options={debt: "5", city: "Yazd"})
        client.send.pattern("otp", "0912 111 0001", {"code": "1"}, phonebook=kept)
        (contact,) = client.phonebooks.contacts.list(filters=ContactFilters(phonebook_id=id_of(book)))
        assert (contact.number, contact.name, contact.pre) == (ONE, "Sara", "Ms")
        assert client.phonebooks.list().items[0].count == 1
        wrong = PatternContact(id=id_of(book), options={debt: "much"})
        with pytest.raises(ValidationFailed) as caught:
            client.send.pattern("otp", TWO, {"code": "2"}, phonebook=wrong)
        assert list(caught.value.errors) == [f"phonebook.options.{debt}"]


def test_another_account_cannot_read_or_change_phonebooks(
    client: EdgeClient, sandbox: Sandbox, book: Phonebook
) -> None:
    client.phonebooks.contacts.add([NewContact(number=ONE, phonebook_id=id_of(book))])
    (contact,) = client.phonebooks.contacts.list()
    with EdgeClient(SUB_USER_API_KEY, base_url=sandbox.base_url, from_number="+983000100300") as other:
        assert other.phonebooks.list().total == 0
        assert other.phonebooks.contacts.list().total == 0
        assert other.phonebooks.options.list().total == 0
        other.phonebooks.delete([id_of(book)])
        other.phonebooks.contacts.delete([contact.id or 0])
        other.phonebooks.options.delete(options_of(book))
        for request in (
            lambda: other.phonebooks.update(id_of(book), title="x"),
            lambda: other.phonebooks.contacts.get(contact.id or 0),
            lambda: other.phonebooks.contacts.update(contact.id or 0, ContactChanges(name="x")),
            lambda: other.phonebooks.contacts.export_members(id_of(book)),
            lambda: other.phonebooks.options.update(options_of(book)[0], "x"),
        ):
            with pytest.raises(NotFound):
                request()
        with pytest.raises(ValidationFailed):
            other.phonebooks.contacts.add([NewContact(number=TWO, phonebook_id=id_of(book))])
        with pytest.raises(ValidationFailed):
            other.phonebooks.create("x", options_of(book))
        with pytest.raises(ValidationFailed) as caught:
            other.send.pattern("otp", ONE, {"code": "1"}, phonebook=PatternContact(id=id_of(book)))
        assert list(caught.value.errors) == ["phonebook.id"]
    (listed,) = client.phonebooks.list()
    assert (listed.count, listed.options) == (1, book.options)


@pytest.mark.anyio
async def test_the_async_client_reads_and_changes_phonebooks(sandbox: Sandbox) -> None:
    async with (
        sandbox,
        AsyncEdgeClient(sandbox.api_key, base_url=sandbox.base_url) as client,
    ):
        book = await client.phonebooks.create("async")
        await client.phonebooks.contacts.add([NewContact(number=ONE, phonebook_id=id_of(book))])
        sample = await client.phonebooks.contacts.import_sample(id_of(book))
        assert sample is not None
        await client.phonebooks.contacts.import_file(id_of(book), ("two.xlsx", saved([TWO])))
        assert [contact.number async for contact in client.phonebooks.contacts.iter_list(per_page=1)] == [ONE, TWO]
