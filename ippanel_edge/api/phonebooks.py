"""The bodies and filters of the phonebooks: arguments put right and checked against the documented limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ippanel_edge.config import Defaults
from ippanel_edge.errors import ConfigurationError
from ippanel_edge.models.phonebooks import ContactChanges, ContactFilters, NewContact, OptionType
from ippanel_edge.values.checks import (
    characters,
    identities,
    identity,
    identity_if_given,
    instance,
    items,
    one_of,
    text,
)
from ippanel_edge.values.files import FileInput, Upload, open_upload
from ippanel_edge.wire import codec

LONGEST_TITLE: Final = 200
MOST_NUMBERS: Final = 100_000
_SHEETS: Final = frozenset({"xlsx"})
_TYPES: Final = tuple(each.value for each in OptionType)


def new_phonebook(defaults: Defaults, title: str, options: Iterable[int]) -> dict[str, Any]:
    """Make the body of a new phonebook. The API's examples write the ids of options as text."""
    listed = _option_ids(options)
    return {"title": _title(title, defaults), **({"options": listed} if listed else {})}


def phonebook_changes(defaults: Defaults, title: str | None, options: Iterable[int] | None) -> dict[str, Any]:
    """Make the body of a phonebook's changes; empty `options` take all of them away.

    Raises:
        ConfigurationError: nothing is to change, or a value is wrong.
    """
    if title is None and options is None:
        raise ConfigurationError("is needed, or options: there is nothing to change", argument="title")
    return {
        **({} if title is None else {"title": _title(title, defaults)}),
        **({} if options is None else {"options": _option_ids(options)}),
    }


def filter_text(value: str | None, *, argument: str) -> str | None:
    """Accept a text to filter by; None is no filter."""
    return None if value is None else text(value, argument=argument)


def new_contacts(defaults: Defaults, contacts: Iterable[NewContact]) -> dict[str, Any]:
    """Make the body of contacts to add, at least one.

    Raises:
        ConfigurationError: one of them is wrong, or is more than its phonebook can hold; it is named by its place.
    """
    listed = items(contacts, NewContact, argument="contacts")
    sizes: Counter[int] = Counter()
    for index, contact in enumerate(listed):
        sizes[identity(contact.phonebook_id, argument=f"contacts[{index}].phonebook_id")] += 1
        if defaults.validate and sizes[contact.phonebook_id] > MOST_NUMBERS:
            raise ConfigurationError(
                f"is one too many: a phonebook holds at most {MOST_NUMBERS:,} numbers", argument=f"contacts[{index}]"
            )
    return {"list": [_new_contact(contact, f"contacts[{index}]") for index, contact in enumerate(listed)]}


def contact_changes(changes: ContactChanges) -> dict[str, Any]:
    """Make the body of a contact's changes.

    Raises:
        ConfigurationError: nothing is to change, or a value is wrong.
    """
    instance(changes, ContactChanges, argument="changes")
    if changes == ContactChanges():
        raise ConfigurationError("has no field set: there is nothing to change", argument="changes")
    identity_if_given(changes.phonebook_id, argument="changes.phonebook_id")
    _check_texts(changes, "changes")
    values = {} if changes.options is None else {"options": _values(changes.options, "changes.options")}
    return {**codec.encode(changes), **values}


def contact_filters(filters: ContactFilters | None) -> dict[str, Any]:
    """Make the query of a choice of contacts; None is all of them."""
    if filters is None:
        return {}
    filter_text(filters.phonebook_title, argument="filters.phonebook_title")
    identity_if_given(filters.phonebook_id, argument="filters.phonebook_id")
    written: dict[str, Any] = codec.encode(filters)
    return written


def option_type(kind: str | None, *, check: bool) -> str | None:
    """Accept a type of options to filter by: int, string or date; None is no filter."""
    return one_of(kind, _TYPES, argument="type", check=check)


def new_option(defaults: Defaults, kind: str, title: str) -> dict[str, Any]:
    """Make the body of a new option."""
    return {
        "type": option_type(text(kind, argument="type"), check=defaults.validate),
        "title": text(title, argument="title"),
    }


def sheet(file: FileInput, defaults: Defaults) -> Upload:
    """Describe the file of an import: an Excel file (XLSX), of any size."""
    return open_upload(file, argument="file", kinds=_SHEETS, max_bytes=None, check_limits=defaults.validate)


def _title(title: str, defaults: Defaults) -> str:
    return text(title, argument="title", most=LONGEST_TITLE, check=defaults.validate)


def _option_ids(options: Iterable[int]) -> list[str]:
    return [str(each) for each in identities(options, argument="options", least=0)]


def _new_contact(contact: NewContact, place: str) -> dict[str, Any]:
    _check_texts(contact, place)
    values = _values(contact.options, f"{place}.options")
    written: dict[str, Any] = codec.encode(contact)
    del written["options"]
    return {**written, "options": values} if values else written


def _check_texts(contact: NewContact | ContactChanges, place: str) -> None:
    for name in ("pre", "name", "email"):
        value = getattr(contact, name)
        if value is not None:
            characters(value, argument=f"{place}.{name}")


def _values(options: Mapping[int, str], place: str) -> dict[str, str]:
    """Write the values of options under their ids, as text, which is what JSON's names are."""
    if not isinstance(options, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without a type checker
        raise ConfigurationError("must be a mapping of option ids to texts, such as {12: '1'}", argument=place)
    return {
        str(identity(option_id, argument=f"{place}[{option_id!r}]")): characters(
            value, argument=f"{place}[{option_id!r}]"
        )
        for option_id, value in options.items()
    }
