"""What the tests of phonebooks share: a phonebook with options, and short ways to look into one."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from openpyxl import Workbook

from ippanel_edge.models.phonebooks import ContactFilters, Phonebook

if TYPE_CHECKING:
    from ippanel_edge import EdgeClient

ONE, TWO, THREE = "+989121110001", "+989351110002", "+989211110003"


def new_book(client: EdgeClient) -> Phonebook:
    """Make a phonebook with an option of each type: int, string and date, which are their titles too."""
    options = [client.phonebooks.options.create(kind, kind) for kind in ("int", "string", "date")]
    return client.phonebooks.create("مشتریان", [option.id or 0 for option in options])


def id_of(book: Phonebook) -> int:
    """Return a phonebook's id."""
    assert book.id is not None
    return book.id


def options_of(book: Phonebook) -> tuple[int, int, int]:
    """Return the ids of a new book's options: int, string, date."""
    number, text, date = (option.id or 0 for option in book.options)
    return number, text, date


def numbers_in(client: EdgeClient, book: Phonebook) -> list[str | None]:
    """Return a phonebook's numbers, the oldest first."""
    filters = ContactFilters(phonebook_id=id_of(book))
    return [contact.number for contact in client.phonebooks.contacts.iter_list(filters=filters)]


def xlsx(*rows: list[Any]) -> bytes:
    """Make an Excel file."""
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()
