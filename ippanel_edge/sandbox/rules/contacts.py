"""The rules of the contacts of phonebooks: add, get, list, update, delete, import and export."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import attrs

from ippanel_edge.sandbox.bodies import MULTIPART
from ippanel_edge.sandbox.records import Contact, Phonebook, StoredFile
from ippanel_edge.sandbox.replies import Reply, invalid, invalid_message, label, ok, page, required_message
from ippanel_edge.sandbox.reserved import INVALID_NUMBER
from ippanel_edge.sandbox.routes import Call, serves
from ippanel_edge.sandbox.rules.phonebook_fields import (
    FULL_MESSAGE,
    MAX_NUMBERS,
    format_time,
    has_capacity,
    missing_rejection,
    owned_book,
    owned_contact,
    path_id,
    path_phonebook,
    read_option_values,
)
from ippanel_edge.sandbox.rules.phonebook_files import XLSX, contacts_workbook, read_import, sample_workbook
from ippanel_edge.sandbox.rules.send_fields import is_recipient

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ippanel_edge.sandbox.bodies import Fields
    from ippanel_edge.sandbox.rules.phonebook_files import ImportRow

NUMBERS: Final = "/api/phonebooks/numbers"
_CHANGEABLE: Final = ("number", "pre", "name", "email", "options", "phonebook_id")


@serves("phonebooks.contacts.add", "POST", f"{NUMBERS}/add-list-new")
def add(call: Call) -> Reply:
    """Add all contacts or none; contacts whose number already exists in the phonebook are counted and not changed.

    The reserved number of invalid sends counts as an error. The status is 201, in accordance with its message_code.
    """
    pairs: list[tuple[Phonebook | None, Contact]] = []
    for fields in call.body.objects("list"):
        book = _read_phonebook(call, fields)
        number = _read_number(fields, fields.string("number"))
        pairs.append((book, _read_new(call, fields, book, number)))
    call.check()
    counts = _add_contacts(call, "list", [(book, contact) for book, contact in pairs if book is not None])
    return attrs.evolve(ok(counts, code="201-1"), status=201)


def _read_new(call: Call, fields: Fields, book: Phonebook | None, number: str) -> Contact:
    return Contact(
        contact_id=0,
        phonebook_id=0 if book is None else book.phonebook_id,
        number=number,
        created_at=call.now,
        updated_at=call.now,
        pre=fields.string_or_none("pre") or "",
        name=fields.string_or_none("name") or "",
        email=fields.string_or_none("email") or "",
        options=_without_empty(read_option_values(call.state, fields, book)),
    )


def _add_contacts(call: Call, name: str, pairs: Sequence[tuple[Phonebook, Contact]]) -> dict[str, int]:
    """Add new contacts to their phonebooks and return the counts.

    Raises:
        Rejection: 422 for the field `name` if a phonebook would exceed its capacity.
    """
    state = call.state
    books = {book.phonebook_id: book for book, _ in pairs}
    existing = {each: {contact.number for contact in state.contacts_of(each)} for each in books}
    counts = Counter({"added": 0, "errors": 0, "existences": 0})
    new_contacts: list[Contact] = []
    for book, contact in pairs:
        if contact.number == INVALID_NUMBER:
            counts["errors"] += 1
        elif contact.number in existing[book.phonebook_id]:
            counts["existences"] += 1
        else:
            counts["added"] += 1
            existing[book.phonebook_id].add(contact.number)
            new_contacts.append(contact)
    new = Counter(contact.phonebook_id for contact in new_contacts)
    if any(len(existing[each]) > MAX_NUMBERS for each in new):
        raise invalid({name: [FULL_MESSAGE]})
    for contact in new_contacts:
        contact.contact_id = state.next_id("contact")
        state.contacts[contact.contact_id] = contact
    return dict(counts)


@serves("phonebooks.contacts.get", "GET", f"{NUMBERS}/contact-list/{{contact_id}}")
def get(call: Call) -> Reply:
    """Return one contact, with its tags and its blacklist status."""
    call.check()
    contact = _path_contact(call)
    return ok(
        {
            **_row(call, contact),
            "is_send_blacklist": contact.number in call.state.blacklist,
            "is_receive_blacklist": False,
            "tags": [
                {
                    "id": index,
                    "number_id": str(contact.contact_id),
                    "phonebook_id": str(contact.phonebook_id),
                    "tag": tag,
                    "created_at": f"{contact.created_at:%Y-%m-%dT%H:%M:%S.%fZ}",
                    "updated_at": f"{contact.updated_at:%Y-%m-%dT%H:%M:%S.%fZ}",
                }
                for index, tag in enumerate(contact.tags, 1)
            ],
        }
    )


@serves("phonebooks.contacts.list", "GET", f"{NUMBERS}/contact-list")
def list_contacts(call: Call) -> Reply:
    """List the contacts of the caller, oldest first."""
    number, size = call.query.paging()
    contacts = _filtered_contacts(call)
    return page(contacts, lambda contact: _row(call, contact), number=number, size=size, path=call.path)


@serves("phonebooks.contacts.update", "PUT", f"{NUMBERS}/update-new/{{contact_id}}")
def update(call: Call) -> Reply:
    """Update the given fields and options; a move to another phonebook keeps only the options of that phonebook."""
    contact = _path_contact(call)
    body = call.body
    current = call.state.phonebooks[contact.phonebook_id]
    book = (_read_phonebook(call, body) if body.has("phonebook_id") else current) or current
    number = _read_number(body, body.string("number")) if body.has("number") else contact.number
    texts = {name: _read_clearable(body, name, getattr(contact, name)) for name in ("pre", "name", "email")}
    values = {**contact.options, **read_option_values(call.state, body, book)}
    if not any(body.has(name) for name in _CHANGEABLE):
        body.add_error("number", required_message(label("number")))
    others = call.state.contacts_of(book.phonebook_id)
    if any(other.number == number and other is not contact for other in others):
        body.add_error("number", "این شماره در دفترچه تلفن وجود دارد")
    if book is not current and not has_capacity(call.state, book, [number]):
        body.add_error("phonebook_id", FULL_MESSAGE)
    call.check()
    contact.phonebook_id, contact.number = book.phonebook_id, number
    contact.pre, contact.name, contact.email = texts["pre"], texts["name"], texts["email"]
    contact.options = _without_empty({each: value for each, value in values.items() if each in book.option_ids})
    contact.updated_at = call.now
    return ok()


@serves("phonebooks.contacts.delete", "POST", f"{NUMBERS}/delete-list")
def delete(call: Call) -> Reply:
    """Delete contacts by id; unknown ids are ignored, so the call is idempotent."""
    ids = call.body.integers("listNumbers")
    call.check()
    for contact_id in ids:
        if owned_contact(call, contact_id) is not None:
            del call.state.contacts[contact_id]
    return ok()


@serves("phonebooks.contacts.export", "GET", f"{NUMBERS}/contact-list/export")
def export(call: Call) -> Reply:
    """Export the matching contacts to a file in `state.exports`, which the panel would offer for download."""
    return _export(call, "contacts.xlsx", _filtered_contacts(call))


@serves("phonebooks.contacts.export_members", "GET", "/api/phonebooks/{phonebook_id}/export")
def export_members(call: Call) -> Reply:
    """Export the contacts of one phonebook to a file in `state.exports`."""
    call.check()
    book = path_phonebook(call)
    return _export(call, f"phonebook-{book.phonebook_id}.xlsx", call.state.contacts_of(book.phonebook_id))


def _export(call: Call, name: str, contacts: Iterable[Contact]) -> Reply:
    call.state.exports.append(StoredFile(name, contacts_workbook(call.state, contacts)))
    return ok()


@serves("phonebooks.contacts.import_file", "POST", "/api/phonebooks/{phonebook_id}/import", content_types=(MULTIPART,))
def import_file(call: Call) -> Reply:
    """Import an XLSX file: columns A number, B pre, C name, D email, then the options of the phonebook in order."""
    book = path_phonebook(call)
    rows = read_import(call, book)
    call.check()
    _add_contacts(call, "file", [(book, _contact_from_row(call, book, row)) for row in rows])
    return ok()


def _contact_from_row(call: Call, book: Phonebook, row: ImportRow) -> Contact:
    return Contact(
        contact_id=0,
        phonebook_id=book.phonebook_id,
        number=row.number,
        created_at=call.now,
        updated_at=call.now,
        pre=row.pre,
        name=row.name,
        email=row.email,
        options=_without_empty(row.options),
    )


@serves("phonebooks.contacts.import_sample", "GET", "/api/phonebooks/{phonebook_id}/import/get-sample")
def import_sample(call: Call) -> Reply:
    """Return the XLSX template of an import, or the documented JSON without data if `sample_files` is False."""
    call.check()
    book = path_phonebook(call)
    if not call.state.sample_files:
        return ok()
    disposition = f'attachment; filename="sample-{book.phonebook_id}.xlsx"'
    return Reply(200, sample_workbook(call.state, book), {"content-type": XLSX, "content-disposition": disposition})


def _read_phonebook(call: Call, fields: Fields) -> Phonebook | None:
    """Return the phonebook of the caller with the id `phonebook_id`, a str or an int; record an error otherwise."""
    phonebook_id = fields.integer("phonebook_id", allow_string=True)
    book = owned_book(call, phonebook_id)
    if phonebook_id and book is None:
        fields.add_error("phonebook_id", invalid_message(label("phonebook_id")))
    return book


def _read_number(fields: Fields, number: str) -> str:
    if number and not is_recipient(number):
        fields.add_error("number", invalid_message(label("number")))
    return number


def _read_clearable(fields: Fields, name: str, old: str) -> str:
    """Return a str that may be set to ""; the old value if the field is missing."""
    if fields.values.get(name) == "":
        fields.ignore(name)
        return ""
    return fields.string_or_none(name) or old


def _without_empty(values: dict[int, str]) -> dict[int, str]:
    return {each: value for each, value in values.items() if value}


def _path_contact(call: Call) -> Contact:
    contact = owned_contact(call, path_id(call, "contact_id"))
    if contact is None:
        raise missing_rejection("مخاطب")
    return contact


def _filtered_contacts(call: Call) -> list[Contact]:
    """Return the contacts of the caller that match the filters of the query.

    Raises:
        Rejection: 422 if a filter is invalid.
    """
    query = call.query
    since = query.integer_or_none("from_created_at", minimum=0)
    number = query.string_or_none("number")
    if number is not None:
        _read_number(query, number)
    title = query.string_or_none("phonebook_title")
    phonebook_id = query.integer_or_none("phonebook_id", minimum=1)
    call.check()
    books = {
        book.phonebook_id
        for book in call.state.phonebooks.values()
        if book.user_id == call.user.user_id
        and (title is None or title in book.title)
        and phonebook_id in {None, book.phonebook_id}
    }
    return [
        contact
        for contact in call.state.contacts.values()
        if contact.phonebook_id in books
        and number in {None, contact.number}
        and (since is None or contact.created_at.timestamp() > since)
    ]


def _row(call: Call, contact: Contact) -> dict[str, Any]:
    """Serialise a contact; the documented responses do not include the values of its options."""
    return {
        "id": contact.contact_id,
        "phonebook_id": contact.phonebook_id,
        "pre": contact.pre,
        "name": contact.name,
        "email": contact.email,
        "number": contact.number,
        "created_at": format_time(contact.created_at),
        "updated_at": format_time(contact.updated_at),
        "phonebook_title": call.state.phonebooks[contact.phonebook_id].title,
    }
