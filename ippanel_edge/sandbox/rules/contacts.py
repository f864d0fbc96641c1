"""The rules of the contacts in phonebooks: adding, showing, changing, deleting, and files of them in and out."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import attrs

from ippanel_edge.sandbox.faults import INVALID_NUMBER
from ippanel_edge.sandbox.records import Contact, Phonebook, StoredFile
from ippanel_edge.sandbox.replies import Answer, invalid, label, not_valid_text, ok, page, required_text
from ippanel_edge.sandbox.routes import Call, serves
from ippanel_edge.sandbox.rules.phonebook_fields import (
    FULL,
    MOST_NUMBERS,
    book_in_path,
    has_room,
    id_in_path,
    missing,
    owned_book,
    owned_contact,
    read_option_values,
    written,
)
from ippanel_edge.sandbox.rules.phonebook_files import XLSX, read_import, sample, table
from ippanel_edge.sandbox.rules.send_fields import is_recipient

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ippanel_edge.sandbox.bodies import Fields
    from ippanel_edge.sandbox.rules.phonebook_files import Member

NUMBERS: Final = "/api/phonebooks/numbers"
_CHANGEABLE: Final = ("number", "pre", "name", "email", "options", "phonebook_id")


@serves("phonebooks.contacts.add", "POST", f"{NUMBERS}/add-list-new")
def add(call: Call) -> Answer:
    """Add contacts, all or none: those that their phonebook has already are counted and stay as they are.

    The reserved number of invalid sends counts as an error. The answer is HTTP 201, as its message_code says.
    """
    pairs: list[tuple[Phonebook | None, Contact]] = []
    for fields in call.body.objects("list"):
        book = _read_book(call, fields)
        number = _read_number(fields, fields.text("number"))
        pairs.append((book, _read_new(call, fields, book, number)))
    call.check()
    counts = _keep(call, "list", [(book, contact) for book, contact in pairs if book is not None])
    return attrs.evolve(ok(counts, code="201-1"), status=201)


def _read_new(call: Call, fields: Fields, book: Phonebook | None, number: str) -> Contact:
    return Contact(
        contact_id=0,
        phonebook_id=0 if book is None else book.phonebook_id,
        number=number,
        created_at=call.now,
        updated_at=call.now,
        pre=fields.text_or_none("pre") or "",
        name=fields.text_or_none("name") or "",
        email=fields.text_or_none("email") or "",
        options=_without_blanks(read_option_values(call.world, fields, book)),
    )


def _keep(call: Call, name: str, pairs: Sequence[tuple[Phonebook, Contact]]) -> dict[str, int]:
    """Put new contacts into their phonebooks and count them.

    Raises:
        Refusal: 422 at `name` where they do not all fit in.
    """
    world = call.world
    books = {book.phonebook_id: book for book, _ in pairs}
    present = {each: {contact.number for contact in world.contacts_of(each)} for each in books}
    counts = Counter({"added": 0, "errors": 0, "existences": 0})
    fresh: list[Contact] = []
    for book, contact in pairs:
        if contact.number == INVALID_NUMBER:
            counts["errors"] += 1
        elif contact.number in present[book.phonebook_id]:
            counts["existences"] += 1
        else:
            counts["added"] += 1
            present[book.phonebook_id].add(contact.number)
            fresh.append(contact)
    new = Counter(contact.phonebook_id for contact in fresh)
    if any(len(present[each]) > MOST_NUMBERS for each in new):
        raise invalid({name: [FULL]})
    for contact in fresh:
        contact.contact_id = world.next_id("contact")
        world.contacts[contact.contact_id] = contact
    return dict(counts)


@serves("phonebooks.contacts.get", "GET", f"{NUMBERS}/contact-list/{{contact_id}}")
def get(call: Call) -> Answer:
    """Show one contact, with its tags and whether its number is blacklisted."""
    call.check()
    contact = _contact_in_path(call)
    return ok(
        {
            **_row(call, contact),
            "is_send_blacklist": contact.number in call.world.blacklist,
            "is_receive_blacklist": False,
            "tags": [
                {
                    "id": place,
                    "number_id": str(contact.contact_id),
                    "phonebook_id": str(contact.phonebook_id),
                    "tag": tag,
                    "created_at": f"{contact.created_at:%Y-%m-%dT%H:%M:%S.%fZ}",
                    "updated_at": f"{contact.updated_at:%Y-%m-%dT%H:%M:%S.%fZ}",
                }
                for place, tag in enumerate(contact.tags, 1)
            ],
        }
    )


@serves("phonebooks.contacts.list", "GET", f"{NUMBERS}/contact-list")
def list_contacts(call: Call) -> Answer:
    """List the caller's contacts, the oldest first."""
    number, size = call.query.paging()
    contacts = _wanted(call)
    return page(contacts, lambda contact: _row(call, contact), number=number, size=size, path=call.path)


@serves("phonebooks.contacts.update", "PUT", f"{NUMBERS}/update-new/{{contact_id}}")
def update(call: Call) -> Answer:
    """Change the fields that are given, the named options among them; another phonebook takes what options it has."""
    contact = _contact_in_path(call)
    body = call.body
    home = call.world.phonebooks[contact.phonebook_id]
    book = (_read_book(call, body) if body.has("phonebook_id") else home) or home
    number = _read_number(body, body.text("number")) if body.has("number") else contact.number
    texts = {name: _read_blankable(body, name, getattr(contact, name)) for name in ("pre", "name", "email")}
    values = {**contact.options, **read_option_values(call.world, body, book)}
    if not any(body.has(name) for name in _CHANGEABLE):
        body.fail("number", required_text(label("number")))
    others = call.world.contacts_of(book.phonebook_id)
    if any(other.number == number and other is not contact for other in others):
        body.fail("number", "این شماره در دفترچه تلفن وجود دارد")
    if book is not home and not has_room(call.world, book, [number]):
        body.fail("phonebook_id", FULL)
    call.check()
    contact.phonebook_id, contact.number = book.phonebook_id, number
    contact.pre, contact.name, contact.email = texts["pre"], texts["name"], texts["email"]
    contact.options = _without_blanks({each: value for each, value in values.items() if each in book.option_ids})
    contact.updated_at = call.now
    return ok()


@serves("phonebooks.contacts.delete", "POST", f"{NUMBERS}/delete-list")
def delete(call: Call) -> Answer:
    """Delete contacts by their ids. Ids that are not there are passed over, so that again changes nothing."""
    ids = call.body.integers("listNumbers")
    call.check()
    for contact_id in ids:
        if owned_contact(call, contact_id) is not None:
            del call.world.contacts[contact_id]
    return ok()


@serves("phonebooks.contacts.export", "GET", f"{NUMBERS}/contact-list/export")
def export(call: Call) -> Answer:
    """Prepare a file of contacts; it appears among the world's `exports`, where the panel would offer it."""
    return _export(call, "contacts.xlsx", _wanted(call))


@serves("phonebooks.contacts.export_members", "GET", "/api/phonebooks/{phonebook_id}/export")
def export_members(call: Call) -> Answer:
    """Prepare a file of one phonebook's contacts."""
    call.check()
    book = book_in_path(call)
    return _export(call, f"phonebook-{book.phonebook_id}.xlsx", call.world.contacts_of(book.phonebook_id))


def _export(call: Call, name: str, contacts: Iterable[Contact]) -> Answer:
    call.world.exports.append(StoredFile(name, table(call.world, contacts)))
    return ok()


@serves("phonebooks.contacts.import_file", "POST", "/api/phonebooks/{phonebook_id}/import")
def import_file(call: Call) -> Answer:
    """Add the numbers of an XLSX, at once: A number, B pre, C name, D email, then the phonebook's options in order."""
    book = book_in_path(call)
    members = read_import(call, book)
    call.check()
    _keep(call, "file", [(book, _from_member(call, book, member)) for member in members])
    return ok()


def _from_member(call: Call, book: Phonebook, member: Member) -> Contact:
    return Contact(
        contact_id=0,
        phonebook_id=book.phonebook_id,
        number=member.number,
        created_at=call.now,
        updated_at=call.now,
        pre=member.pre,
        name=member.name,
        email=member.email,
        options=_without_blanks(member.options),
    )


@serves("phonebooks.contacts.import_sample", "GET", "/api/phonebooks/{phonebook_id}/import/get-sample")
def import_sample(call: Call) -> Answer:
    """Give the XLSX to fill in for an import; with `world.sample_files` off, the documented JSON without data."""
    call.check()
    book = book_in_path(call)
    if not call.world.sample_files:
        return ok()
    disposition = f'attachment; filename="sample-{book.phonebook_id}.xlsx"'
    return Answer(200, sample(call.world, book), {"content-type": XLSX, "content-disposition": disposition})


def _read_book(call: Call, fields: Fields) -> Phonebook | None:
    """Read phonebook_id, an id as text (a number is taken too) of one of the caller's phonebooks."""
    phonebook_id = fields.integer("phonebook_id", spelled=True)
    book = owned_book(call, phonebook_id)
    if phonebook_id and book is None:
        fields.fail("phonebook_id", not_valid_text(label("phonebook_id")))
    return book


def _read_number(fields: Fields, number: str) -> str:
    if number and not is_recipient(number):
        fields.fail("number", not_valid_text(label("number")))
    return number


def _read_blankable(fields: Fields, name: str, old: str) -> str:
    """Read a text that may be emptied; left out, it stays as it was."""
    if fields.values.get(name) == "":
        fields.ignore(name)
        return ""
    return fields.text_or_none(name) or old


def _without_blanks(values: dict[int, str]) -> dict[int, str]:
    return {each: value for each, value in values.items() if value}


def _contact_in_path(call: Call) -> Contact:
    contact = owned_contact(call, id_in_path(call, "contact_id"))
    if contact is None:
        raise missing("مخاطب")
    return contact


def _wanted(call: Call) -> list[Contact]:
    """Read the filters and return the caller's contacts that they let through.

    Raises:
        Refusal: 422 if a filter is wrong.
    """
    query = call.query
    since = query.integer_or_none("from_created_at", least=0)
    number = query.text_or_none("number")
    if number is not None:
        _read_number(query, number)
    title = query.text_or_none("phonebook_title")
    phonebook_id = query.integer_or_none("phonebook_id", least=1)
    call.check()
    books = {
        book.phonebook_id
        for book in call.world.phonebooks.values()
        if book.user_id == call.user.user_id
        and (title is None or title in book.title)
        and phonebook_id in {None, book.phonebook_id}
    }
    return [
        contact
        for contact in call.world.contacts.values()
        if contact.phonebook_id in books
        and number in {None, contact.number}
        and (since is None or contact.created_at.timestamp() >= since)
    ]


def _row(call: Call, contact: Contact) -> dict[str, Any]:
    """Show a contact as the list does; the values of its options are not in the documented answers."""
    return {
        "id": contact.contact_id,
        "phonebook_id": contact.phonebook_id,
        "pre": contact.pre,
        "name": contact.name,
        "email": contact.email,
        "number": contact.number,
        "created_at": written(contact.created_at),
        "updated_at": written(contact.updated_at),
        "phonebook_title": call.world.phonebooks[contact.phonebook_id].title,
    }
