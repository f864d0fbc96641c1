"""Models of phonebooks, their contacts, and options (custom fields of contacts)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import attrs

from ippanel_edge.models.common import Model
from ippanel_edge.models.fields import as_text, checked, moment, recipient
from ippanel_edge.values import phones


class OptionType(StrEnum):
    """The type of an option's values; the plain str values are accepted too."""

    INT = "int"
    """An integer."""
    STRING = "string"
    """Text."""
    DATE = "date"
    """A date."""


@attrs.frozen(kw_only=True)
class Option(Model):
    """A custom field of contacts. Source: phonebook/option/list-option.md.

    Attributes:
        id: the option's id in phonebooks and contacts; ``{ex_ID}`` is its placeholder in `send.keyword_phonebook`.
        type: the type of the values; an unknown type stays a plain str.
        created_at: the creation time (UTC); None if the option is part of a phonebook.
    """

    id: int | None = None
    title: str | None = None
    type: OptionType | str | None = None
    created_at: datetime | None = None


@attrs.frozen(kw_only=True)
class Phonebook(Model):
    """A phonebook. Sources: phonebook/phonebook/phonebook-list.md, phonebook/phonebook/store-phonebook.md.

    Attributes:
        id: the phonebook's id, which other calls take.
        count: the number of contacts, at most 100,000.
        export_status: the status of an export; the values are not documented.
        import_status: the status of an import; the values are not documented.
        created_at: the creation time (UTC).
        updated_at: the time of the last change (UTC); None in the result of `create`.
        options: the custom fields of the phonebook's contacts.
    """

    id: int | None = None
    title: str | None = None
    count: int | None = None
    export_status: int | None = None
    import_status: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    options: tuple[Option, ...] = ()


@attrs.frozen(kw_only=True)
class ContactTag(Model):
    """A tag of a contact. Source: phonebook/number/show-number.md.

    Attributes:
        number_id: the contact's id.
        phonebook_id: the id of the contact's phonebook.
        tag: the text of the tag.
        created_at: the creation time (UTC).
        updated_at: the time of the last change (UTC).
    """

    id: int | None = None
    number_id: int | None = None
    phonebook_id: int | None = None
    tag: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@attrs.frozen(kw_only=True)
class Contact(Model):
    """A number in a phonebook. Sources: phonebook/number/show-number.md, phonebook/number/list-number.md.

    Attributes:
        id: the contact's id, for other calls and `PhonebookNumbers.number_ids`.
        phonebook_id: the id of the contact's phonebook.
        pre: the form of address, such as ``Mr.``.
        number: the number in E.164.
        created_at: the creation time (UTC).
        updated_at: the time of the last change (UTC).
        is_send_blacklist: whether the number is blacklisted for sending; None in a list.
        is_receive_blacklist: whether the number is blacklisted for receiving; None in a list.
        tags: the contact's tags; empty in a list.
    """

    id: int | None = None
    phonebook_id: int | None = None
    pre: str | None = None
    name: str | None = None
    email: str | None = None
    number: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    phonebook_title: str | None = None
    is_send_blacklist: bool | None = None
    is_receive_blacklist: bool | None = None
    tags: tuple[ContactTag, ...] = ()


@attrs.frozen(kw_only=True)
class AddedContacts(Model):
    """The result of adding contacts. Source: phonebook/number/store-number.md.

    Attributes:
        added: the number of contacts that were added to their phonebook.
        errors: the number of contacts that the service rejected.
        existences: the number of contacts that were in their phonebook already.
    """

    added: int | None = None
    errors: int | None = None
    existences: int | None = None


def _to_number(value: str) -> str:
    """Normalise the field `number`, a mobile number in any common format, to E.164."""
    return phones.recipient(value, argument="number")


@attrs.frozen(kw_only=True, field_transformer=checked)
class NewContact(Model):
    """A contact to add to a phonebook. Source: phonebook/number/store-number.md.

    Attributes:
        number: a mobile number in any common format; stored as E.164.
        phonebook_id: the phonebook's id.
        pre: the form of address, such as ``Mr.``.
        name: the contact's name.
        email: the contact's email address.
        options: values of the phonebook's options by option id, all as str; a date is written ``1992/10/08`` or
            ``2025-05-20`` (the API documentation shows both).
    """

    number: str = attrs.field(converter=_to_number)
    phonebook_id: int = attrs.field(metadata={"as": str})
    pre: str | None = None
    name: str | None = None
    email: str | None = None
    options: Mapping[int, str] = attrs.field(factory=dict[int, str])


@attrs.frozen(kw_only=True, field_transformer=checked)
class ContactChanges(Model):
    """Changes of a contact; unset fields are omitted. Source: phonebook/number/update-number.md.

    The API page marks number and phonebook_id as required, the seed collection does not; set both to be safe.

    Attributes:
        number: a mobile number in any common format; stored as E.164.
        pre: the form of address, such as ``Mr.``.
        name: the contact's name.
        email: the contact's email address.
        options: values of the phonebook's options, as in `NewContact`.
        phonebook_id: the id of the contact's current or new phonebook.
    """

    number: str | None = recipient()
    pre: str | None = None
    name: str | None = None
    email: str | None = None
    options: Mapping[int, str] | None = None
    phonebook_id: int | None = as_text()


@attrs.frozen(kw_only=True, field_transformer=checked)
class ContactFilters(Model):
    """Filters of the list of contacts; unset fields are omitted. Source: phonebook/number/list-number.md.

    Attributes:
        from_created_at: only contacts added after this time.
        number: the mobile number, in any common format; stored as E.164.
        phonebook_title: the title of the phonebook.
        phonebook_id: the id of the phonebook.
    """

    from_created_at: datetime | None = moment()
    number: str | None = recipient()
    phonebook_title: str | None = None
    phonebook_id: int | None = as_text()
