"""Checks shared by the rules of phonebooks, contacts and options: ownership, option values and capacity."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ippanel_edge.sandbox.replies import Rejection, invalid_message, not_found, wrong_type_message

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ippanel_edge.sandbox.bodies import Fields
    from ippanel_edge.sandbox.records import Contact, ContactOption, Phonebook
    from ippanel_edge.sandbox.routes import Call
    from ippanel_edge.sandbox.state import SandboxState

MAX_NUMBERS: Final = 100_000
"""The maximum number of contacts in a phonebook."""
FULL_MESSAGE: Final = f"تعداد شماره های دفترچه تلفن نباید بیشتر از {MAX_NUMBERS} باشد"

_ID = re.compile(r"[0-9]{1,18}")
_VALUES = {
    "int": (re.compile(r"-?[0-9]+"), "عدد صحیح"),
    "date": (re.compile(r"[0-9]{4}([-/])(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12][0-9]|3[01])"), "تاریخ"),
}


def path_id(call: Call, name: str) -> int:
    """Return an id in the path; 0, which no record has, if it is invalid."""
    text = call.path_params[name]
    return int(text) if _ID.fullmatch(text) else 0


def owned_book(call: Call, phonebook_id: int) -> Phonebook | None:
    """Return a phonebook of the caller; None if there is none with this id."""
    book = call.state.phonebooks.get(phonebook_id)
    return book if book is not None and book.user_id == call.user.user_id else None


def path_phonebook(call: Call) -> Phonebook:
    """Return the phonebook whose id is in the path.

    Raises:
        Rejection: 404 if the caller has no phonebook with this id.
    """
    book = owned_book(call, path_id(call, "phonebook_id"))
    if book is None:
        raise missing_rejection("دفترچه تلفن")
    return book


def owned_contact(call: Call, contact_id: int) -> Contact | None:
    """Return a contact in a phonebook of the caller; None if there is none with this id."""
    contact = call.state.contacts.get(contact_id)
    return contact if contact is not None and owned_book(call, contact.phonebook_id) is not None else None


def owned_option(call: Call, option_id: int) -> ContactOption | None:
    """Return an option of the caller; None if there is none with this id."""
    option = call.state.contact_options.get(option_id)
    return option if option is not None and option.user_id == call.user.user_id else None


def missing_rejection(name: str) -> Rejection:
    """Return the 404 of a record that does not exist; `name` is its Persian name."""
    return not_found(f"{name} مورد نظر یافت نشد")


def has_capacity(state: SandboxState, book: Phonebook, numbers: Iterable[str]) -> bool:
    """Whether the numbers that are not yet in the phonebook fit within its capacity."""
    existing = {contact.number for contact in state.contacts_of(book.phonebook_id)}
    new = set(numbers) - existing
    return not new or len(existing) + len(new) <= MAX_NUMBERS


def read_option_values(state: SandboxState, fields: Fields, book: Phonebook | None) -> dict[int, str]:
    """Return the field `options`: str values by option id of the phonebook; an empty value clears the option."""
    values: dict[int, str] = {}
    for name, value in fields.mapping("options", required=False).items():
        option_id = int(name) if _ID.fullmatch(name) else 0
        option = state.contact_options.get(option_id) if book is not None and option_id in book.option_ids else None
        if option is None:
            fields.add_error(f"options.{name}", invalid_message(name))
        elif not isinstance(value, str):
            fields.add_error(f"options.{name}", wrong_type_message(name, "متن"))
        else:
            reason = option_value_error(option, name, value)
            if reason is not None:
                fields.add_error(f"options.{name}", reason)
            values[option_id] = value
    return values


def option_value_error(option: ContactOption, name: str, value: str) -> str | None:
    """Return the error of an option value, or None; an int is digits, a date is 2025-05-20 or 1404/02/30."""
    regex, expected = _VALUES.get(option.type, (None, ""))
    if not value or regex is None or regex.fullmatch(value):
        return None
    return wrong_type_message(name, expected)


def format_time(moment: datetime) -> str:
    """Return a time in the format of these endpoints: 2025-05-20T08:47:27+00:00."""
    return moment.isoformat(timespec="seconds")
