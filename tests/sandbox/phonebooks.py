"""Helpers for the phonebook tests: a phonebook with options, and functions that read its contents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ippanel_edge.models.phonebooks import ContactFilters, Phonebook

if TYPE_CHECKING:
    from ippanel_edge import EdgeClient

ONE, TWO, THREE = "+989121110001", "+989351110002", "+989211110003"


def new_book(client: EdgeClient) -> Phonebook:
    """Create a phonebook with one option of each type; the titles are the types: int, string and date."""
    options = [client.phonebooks.options.create(kind, kind) for kind in ("int", "string", "date")]
    return client.phonebooks.create("مشتریان", [option.id or 0 for option in options])


def id_of(book: Phonebook) -> int:
    """Return the id of a phonebook."""
    assert book.id is not None
    return book.id


def options_of(book: Phonebook) -> tuple[int, int, int]:
    """Return the ids of the options of a new phonebook: int, string, date."""
    number, text, date = (option.id or 0 for option in book.options)
    return number, text, date


def numbers_in(client: EdgeClient, book: Phonebook) -> list[str | None]:
    """Return the numbers in a phonebook, oldest first."""
    filters = ContactFilters(phonebook_id=id_of(book))
    return [contact.number for contact in client.phonebooks.contacts.iter_list(filters=filters)]
