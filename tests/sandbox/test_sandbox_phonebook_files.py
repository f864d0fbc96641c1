"""Excel files of phonebooks in the sandbox: import templates, imports and exports."""

from __future__ import annotations

import io
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from openpyxl import load_workbook

from ippanel_edge import EdgeClient, InvalidArgument, ValidationFailed
from ippanel_edge.models.phonebooks import ContactFilters, NewContact, Phonebook
from tests.sandbox.caller import errors
from tests.sandbox.phonebooks import ONE, TWO, id_of, new_book, numbers_in, options_of
from tests.workbooks import saved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ippanel_edge.sandbox import Sandbox
    from tests.sandbox.caller import Caller


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[EdgeClient]:
    with sandbox, EdgeClient(sandbox.api_key, base_url=sandbox.base_url) as client:
        yield client


@pytest.fixture
def book(client: EdgeClient) -> Phonebook:
    return new_book(client)


def cells(content: bytes) -> list[list[object]]:
    sheet = load_workbook(io.BytesIO(content)).worksheets[0]
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def test_a_completed_sample_can_be_imported(client: EdgeClient, sandbox: Sandbox, book: Phonebook) -> None:
    sample = client.phonebooks.contacts.import_sample(id_of(book))
    assert sample is not None
    (heading,) = cells(sample)
    assert heading == ["شماره", "پیشوند", "نام", "ایمیل", "int", "string", "date"]
    file = saved(
        heading,
        ["09121110001", "Mr.", "Ali", "a@example.org", 1500, "Yazd", datetime(2025, 5, 20)],  # noqa: DTZ001 - Excel dates are naive
        [9351110002],
        [ONE],
    )
    for _ in range(2):
        client.phonebooks.contacts.import_file(id_of(book), ("members.xlsx", file))
        assert numbers_in(client, book) == [ONE, TWO]
    first, second = sandbox.state.contacts_of(id_of(book))
    assert (first.pre, first.name, first.email) == ("Mr.", "Ali", "a@example.org")
    assert list(first.options.values()) == ["1500", "Yazd", "2025-05-20"]
    assert (second.name, second.options) == ("", {})


def test_the_sample_can_be_the_documented_json(client: EdgeClient, sandbox: Sandbox, book: Phonebook) -> None:
    sandbox.state.sample_files = False
    assert client.phonebooks.contacts.import_sample(id_of(book)) is None


def test_an_invalid_file_changes_nothing(client: EdgeClient, book: Phonebook) -> None:
    for file in (saved(["number"]), saved([ONE], ["0912"]), saved([ONE, "", "", "", "much"])):
        with pytest.raises(ValidationFailed) as caught:
            client.phonebooks.contacts.import_file(id_of(book), ("members.xlsx", file))
        assert list(caught.value.errors) == ["file"]
    with pytest.raises(InvalidArgument, match=r"expected \.xlsx"):  # the client itself finds this one
        client.phonebooks.contacts.import_file(id_of(book), ("members.xlsx", b"not a zip file"))
    assert numbers_in(client, book) == []


def test_an_import_requires_one_xlsx_in_the_field_file(call: Caller) -> None:
    phonebook_id = call("POST", "/api/phonebooks", json={"title": "x"}).json()["data"]["id"]
    address = f"/api/phonebooks/{phonebook_id}/import"
    assert errors(call("POST", address)) == {"file": ["تکمیل گزینه فایل الزامی است"]}
    assert list(errors(call("POST", address, files={"file": ("members.csv", b"phone_number\n")}))) == ["file"]
    other = call("POST", address, files={"files[]": ("members.xlsx", saved([ONE]))})
    assert set(errors(other)) == {"file", "files"}


def test_exports_contain_the_matching_contacts_and_can_be_imported(
    client: EdgeClient, sandbox: Sandbox, book: Phonebook
) -> None:
    _, city, _ = options_of(book)
    client.phonebooks.contacts.add(
        [
            NewContact(number=ONE, phonebook_id=id_of(book), name="Ali", options={city: "Yazd"}),
            NewContact(number=TWO, phonebook_id=id_of(book)),
        ]
    )
    client.phonebooks.contacts.export(ContactFilters(number=ONE))
    assert cells(sandbox.state.exports[-1].content) == [
        ["شماره", "پیشوند", "نام", "ایمیل", "string"],
        [ONE, None, "Ali", None, "Yazd"],
    ]
    client.phonebooks.contacts.export_members(id_of(book))
    copy = client.phonebooks.create("copy", [city])
    client.phonebooks.contacts.import_file(id_of(copy), ("copy.xlsx", sandbox.state.exports[-1].content))
    assert numbers_in(client, copy) == [ONE, TWO]


@pytest.mark.parametrize("address", ["export", "import/get-sample"])
def test_an_unknown_phonebook_has_no_files(call: Caller, address: str) -> None:
    assert call("GET", f"/api/phonebooks/7/{address}").status_code == 404
