"""Models of the phonebooks: the books, the contacts in them, and the fields of one's own that contacts may have."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import attrs

from ippanel_edge.models.fields import as_text, moment, recipient
from ippanel_edge.values import phones


class OptionType(StrEnum):
    """What an option's values are; the plain words do as well."""

    INT = "int"
    STRING = "string"
    DATE = "date"


@attrs.frozen(kw_only=True)
class Option:
    """A field of one's own that contacts may have. Source: phonebook/option/list-option.md.

    Attributes:
        id: what phonebooks and contacts name it by; ``{ex_ID}`` stands for its value in `send.keyword_phonebook`.
        type: what its values are; a word that this SDK does not know stays a plain str.
        created_at: when it was made (UTC); None where it comes within a phonebook.
    """

    id: int | None = None
    title: str | None = None
    type: OptionType | str | None = None
    created_at: datetime | None = None


@attrs.frozen(kw_only=True)
class Phonebook:
    """A phonebook. Sources: phonebook/phonebook/phonebook-list.md, phonebook/phonebook/store-phonebook.md.

    Attributes:
        id: what the other calls take.
        count: how many numbers are in it, at most 100,000.
        export_status: how an export stands; its numbers are not documented.
        import_status: how an import stands; the same.
        created_at: when it was made (UTC).
        updated_at: when it was last changed (UTC); None in the answer of `create`.
        options: the fields that its contacts have.
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
class ContactTag:
    """A tag of a contact. Source: phonebook/number/show-number.md.

    Attributes:
        number_id: the contact.
        phonebook_id: the contact's phonebook.
        tag: its text.
        created_at: when it was made (UTC).
        updated_at: when it was last changed (UTC).
    """

    id: int | None = None
    number_id: int | None = None
    phonebook_id: int | None = None
    tag: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@attrs.frozen(kw_only=True)
class Contact:
    """A number in a phonebook. Sources: phonebook/number/show-number.md, phonebook/number/list-number.md.

    Attributes:
        id: what the other calls take, `PhonebookNumbers.number_ids` too.
        phonebook_id: the phonebook that it is in.
        pre: how it is addressed, such as ``Mr.``.
        number: E.164.
        created_at: when it was added (UTC).
        updated_at: when it was last changed (UTC).
        is_send_blacklist: whether it is on the blacklist of sending; None in a list.
        is_receive_blacklist: whether it is on the blacklist of receiving; None in a list.
        tags: its tags; none in a list.
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
class AddedContacts:
    """What became of contacts that were handed in. Source: phonebook/number/store-number.md.

    Attributes:
        added: how many are new in their phonebook.
        errors: how many the service did not take.
        existences: how many were in their phonebook already.
    """

    added: int | None = None
    errors: int | None = None
    existences: int | None = None


def _to_number(value: str) -> str:
    """Put the field `number` right: a mobile number, in any spelling, as E.164."""
    return phones.recipient(value, argument="number")


@attrs.frozen(kw_only=True)
class NewContact:
    """A number for a phonebook. Source: phonebook/number/store-number.md.

    Attributes:
        number: a mobile number in any spelling; held as E.164.
        phonebook_id: where it goes.
        pre: how it is addressed, such as ``Mr.``.
        name: the contact's name.
        email: the contact's address.
        options: values of the phonebook's own fields, by the field's id, all as text: a date is written
            ``1992/10/08`` or ``2025-05-20`` (the documents show both).
    """

    number: str = attrs.field(converter=_to_number)
    phonebook_id: int = attrs.field(metadata={"as": str})
    pre: str | None = None
    name: str | None = None
    email: str | None = None
    options: Mapping[int, str] = attrs.field(factory=dict[int, str])


@attrs.frozen(kw_only=True)
class ContactChanges:
    """What is to change in a contact; unset fields are left out. Source: phonebook/number/update-number.md.

    The page marks number and phonebook_id as required, the seed collection does not: give both to be safe.

    Attributes:
        number: a mobile number in any spelling; held as E.164.
        pre: how it is addressed, such as ``Mr.``.
        name: the contact's name.
        email: the contact's address.
        options: values of the phonebook's own fields, as in `NewContact`.
        phonebook_id: the phonebook that it is in, or is to be in.
    """

    number: str | None = recipient()
    pre: str | None = None
    name: str | None = None
    email: str | None = None
    options: Mapping[int, str] | None = None
    phonebook_id: int | None = as_text()


@attrs.frozen(kw_only=True)
class ContactFilters:
    """Which contacts are wanted; unset fields are left out. Source: phonebook/number/list-number.md.

    Attributes:
        from_created_at: added after this moment.
        number: this mobile number, in any spelling; held as E.164.
        phonebook_title: in the phonebook of this title.
        phonebook_id: in this phonebook.
    """

    from_created_at: datetime | None = moment()
    number: str | None = recipient()
    phonebook_title: str | None = None
    phonebook_id: int | None = as_text()
