"""The queries and bodies of phonebooks, contacts and options, checked against the documented limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Final

from ippanel_edge.api.fields import filters_of
from ippanel_edge.config import Defaults
from ippanel_edge.errors import InvalidArgument
from ippanel_edge.models.phonebooks import ContactChanges, ContactFilters, NewContact, OptionType
from ippanel_edge.values.checks import (
    check_id,
    check_ids,
    check_items,
    check_str,
    check_type,
    optional_ids,
    optional_texts,
    texts,
)
from ippanel_edge.values.files import FileInput, Upload
from ippanel_edge.values.tables import Table, check_table
from ippanel_edge.values.uploads import open_upload
from ippanel_edge.wire import codec

MAX_TITLE: Final = 200
MAX_NUMBERS: Final = 100_000
OPTION_TYPES: Final = tuple(each.value for each in OptionType)
_SHEETS: Final = frozenset({"xlsx"})
# The columns are those of the phonebook's sample, which has a header: they are not checked.
CONTACTS: Final = Table(max_rows=MAX_NUMBERS + 1, has_numbers=False)


def new_phonebook(defaults: Defaults, title: str, options: Iterable[int]) -> dict[str, Any]:
    """Return the body of a new phonebook."""
    listed = _option_ids(options)
    return {**texts(defaults.limit(MAX_TITLE), title=title), **({"options": listed} if listed else {})}


def phonebook_changes(defaults: Defaults, title: str | None, options: Iterable[int] | None) -> dict[str, Any]:
    """Return the body of a phonebook's changes; empty `options` remove all of them.

    Raises:
        InvalidArgument: there is nothing to change, or a value is invalid.
    """
    if title is None and options is None:
        raise InvalidArgument("is required, or options: there is nothing to change", argument="title")
    return {
        **optional_texts(defaults.limit(MAX_TITLE), title=title),
        **({} if options is None else {"options": _option_ids(options)}),
    }


def _option_ids(options: Iterable[int]) -> list[str]:
    """Return ids of options as strings, like the API's examples."""
    return [str(each) for each in check_ids(options, argument="options", minimum=0)]


def new_contacts(defaults: Defaults, contacts: Iterable[NewContact]) -> dict[str, Any]:
    """Return the body of contacts to add, at least one.

    Raises:
        InvalidArgument: a contact is invalid or exceeds the capacity of its phonebook; its index is named.
    """
    listed = check_items(contacts, NewContact, argument="contacts")
    sizes: Counter[int] = Counter()
    for index, contact in enumerate(listed):
        sizes[check_id(contact.phonebook_id, argument=f"contacts[{index}].phonebook_id")] += 1
        if defaults.validate and sizes[contact.phonebook_id] > MAX_NUMBERS:
            raise InvalidArgument(
                f"too many contacts: a phonebook has at most {MAX_NUMBERS:,} numbers", argument=f"contacts[{index}]"
            )
    return {"list": [_new_contact(contact, f"contacts[{index}]") for index, contact in enumerate(listed)]}


def contact_changes(changes: ContactChanges) -> dict[str, Any]:
    """Return the body of a contact's changes.

    Raises:
        InvalidArgument: no field is set, or a value is invalid.
    """
    check_type(changes, ContactChanges, argument="changes")
    if changes == ContactChanges():
        raise InvalidArgument("has no field set: there is nothing to change", argument="changes")
    optional_ids(**{"changes.phonebook_id": changes.phonebook_id})
    _check_texts(changes, "changes")
    values = {} if changes.options is None else {"options": _values(changes.options, "changes.options")}
    return {**codec.encode(changes), **values}


def contact_filters(filters: ContactFilters | None) -> dict[str, Any]:
    """Return the query that selects contacts; None selects all."""
    fields = filters_of(filters, ContactFilters)
    if filters is not None:
        optional_ids(**{"filters.phonebook_id": filters.phonebook_id})
    return fields


def sheet(file: FileInput, defaults: Defaults) -> Upload:
    """Describe the file of an import: an Excel file (XLSX) of any size."""
    return open_upload(
        file,
        argument="file",
        kinds=_SHEETS,
        max_bytes=None,
        check_limits=defaults.validate,
        check_content=partial(check_table, table=CONTACTS, check_limits=defaults.validate),
    )


def _new_contact(contact: NewContact, place: str) -> dict[str, Any]:
    _check_texts(contact, place)
    values = _values(contact.options, f"{place}.options")
    fields: dict[str, Any] = codec.encode(contact)
    del fields["options"]
    return {**fields, "options": values} if values else fields


def _check_texts(contact: NewContact | ContactChanges, place: str) -> None:
    for name in ("pre", "name", "email"):
        value = getattr(contact, name)
        if value is not None:
            check_str(value, argument=f"{place}.{name}")


def _values(options: Mapping[int, str], place: str) -> dict[str, str]:
    """Return the values of options by id. JSON names are strings."""
    if not isinstance(options, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without a type checker
        raise InvalidArgument(
            f"expected a mapping of option ids to str, such as {{12: '1'}}, got {type(options).__name__}",
            argument=place,
        )
    return {
        str(check_id(option_id, argument=place)): check_str(value, argument=f"{place}[{option_id}]")
        for option_id, value in options.items()
    }
