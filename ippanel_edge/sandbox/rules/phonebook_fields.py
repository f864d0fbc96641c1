"""What the rules of phonebooks, contacts and options share: whose they are, what values fit, how full a book may be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ippanel_edge.sandbox.replies import Refusal, not_found, not_valid_text, wrong_type_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ippanel_edge.sandbox.bodies import Fields
    from ippanel_edge.sandbox.records import Contact, ContactOption, Phonebook
    from ippanel_edge.sandbox.routes import Call
    from ippanel_edge.sandbox.store import World

MOST_NUMBERS: Final = 100_000
"""A phonebook holds at most so many numbers."""
FULL: Final = f"تعداد شماره های دفترچه تلفن نباید بیشتر از {MOST_NUMBERS} باشد"

_ID = re.compile(r"[0-9]{1,18}")
_VALUES = {
    "int": (re.compile(r"-?[0-9]+"), "عدد صحیح"),
    "date": (re.compile(r"[0-9]{4}([-/])(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12][0-9]|3[01])"), "تاریخ"),
}


def id_in_path(call: Call, name: str) -> int:
    """Read an id out of the address; 0, which nothing has, for anything else."""
    text = call.parts[name]
    return int(text) if _ID.fullmatch(text) else 0


def owned_book(call: Call, phonebook_id: int) -> Phonebook | None:
    """Find a phonebook of the caller's."""
    book = call.world.phonebooks.get(phonebook_id)
    return book if book is not None and book.user_id == call.user.user_id else None


def book_in_path(call: Call) -> Phonebook:
    """Find the phonebook that the address names.

    Raises:
        Refusal: 404 if the caller has none of this id.
    """
    book = owned_book(call, id_in_path(call, "phonebook_id"))
    if book is None:
        raise missing("دفترچه تلفن")
    return book


def owned_contact(call: Call, contact_id: int) -> Contact | None:
    """Find a contact in one of the caller's phonebooks."""
    contact = call.world.contacts.get(contact_id)
    return contact if contact is not None and owned_book(call, contact.phonebook_id) is not None else None


def owned_option(call: Call, option_id: int) -> ContactOption | None:
    """Find an option of the caller's."""
    option = call.world.contact_options.get(option_id)
    return option if option is not None and option.user_id == call.user.user_id else None


def missing(what: str) -> Refusal:
    """Build the 404 of a thing that is not there."""
    return not_found(f"{what} مورد نظر یافت نشد")


def has_room(world: World, book: Phonebook, numbers: Iterable[str]) -> bool:
    """Whether those of the numbers that are not in the phonebook yet still fit in."""
    present = {contact.number for contact in world.contacts_of(book.phonebook_id)}
    new = set(numbers) - present
    return not new or len(present) + len(new) <= MOST_NUMBERS


def read_option_values(world: World, fields: Fields, book: Phonebook | None) -> dict[int, str]:
    """Read `options`: values as text, by the ids of the phonebook's options; an empty one takes the value away."""
    values: dict[int, str] = {}
    for name, value in fields.mapping("options", required=False).items():
        option_id = int(name) if _ID.fullmatch(name) else 0
        option = world.contact_options.get(option_id) if book is not None and option_id in book.option_ids else None
        if option is None:
            fields.fail(f"options.{name}", not_valid_text(name))
        elif not isinstance(value, str):
            fields.fail(f"options.{name}", wrong_type_text(name, "متن"))
        else:
            reason = why_not_a_value(option, name, value)
            if reason is not None:
                fields.fail(f"options.{name}", reason)
            values[option_id] = value
    return values


def why_not_a_value(option: ContactOption, name: str, value: str) -> str | None:
    """Say what is wrong with an option's value: an int is digits, a date is 2025-05-20 or 1404/02/30."""
    form, wanted = _VALUES.get(option.type, (None, ""))
    if not value or form is None or form.fullmatch(value):
        return None
    return wrong_type_text(name, wanted)


def written(moment: datetime) -> str:
    """Write a time as these endpoints do: 2025-05-20T08:47:27+00:00."""
    return moment.isoformat(timespec="seconds")
