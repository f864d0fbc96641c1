"""The rules of phonebooks and of the options that their contacts may have. Contacts have a module of their own."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from ippanel_edge.sandbox.records import ContactOption, Phonebook
from ippanel_edge.sandbox.replies import Answer, invalid, label, not_valid_text, ok, page, required_text
from ippanel_edge.sandbox.routes import Call, serves
from ippanel_edge.sandbox.rules.phonebook_fields import (
    book_in_path,
    id_in_path,
    missing,
    owned_book,
    owned_option,
    written,
)

if TYPE_CHECKING:
    from ippanel_edge.sandbox.store import World

MOST_IN_A_TITLE: Final = 200
_TYPES: Final = ("int", "string", "date")


@serves("phonebooks.list", "GET", "/api/phonebooks/list-new")
def list_books(call: Call) -> Answer:
    """List the caller's phonebooks, the oldest first, with how many numbers are in each."""
    number, size = call.query.paging()
    title = call.query.text_or_none("title")
    phonebook_id = call.query.integer_or_none("id", least=1)
    call.check()
    books = [
        book
        for book in call.world.phonebooks.values()
        if book.user_id == call.user.user_id
        and (title is None or title in book.title)
        and phonebook_id in {None, book.phonebook_id}
    ]
    counts = Counter(contact.phonebook_id for contact in call.world.contacts.values())

    def show(book: Phonebook) -> dict[str, Any]:
        return {
            "id": book.phonebook_id,
            "title": book.title,
            "count": counts[book.phonebook_id],
            "export_status": 0,
            "import_status": 0,
            "created_at": written(book.created_at),
            "updated_at": written(book.updated_at),
            "options": _options_of(call.world, book),
        }

    return page(books, show, number=number, size=size, path=call.path)


@serves("phonebooks.create", "POST", "/api/phonebooks")
def create_book(call: Call) -> Answer:
    """Make a phonebook; as the service does it, the answer has its count as text and no updated_at."""
    title = call.body.text("title", most=MOST_IN_A_TITLE)
    option_ids = _read_option_ids(call)
    call.check()
    book = Phonebook(call.world.next_id("phonebook"), call.user.user_id, title, call.now, call.now, option_ids)
    call.world.phonebooks[book.phonebook_id] = book
    return ok(
        {
            "id": book.phonebook_id,
            "title": book.title,
            "count": "0",
            "export_status": None,
            "import_status": None,
            "created_at": written(book.created_at),
            "options": _options_of(call.world, book),
        }
    )


@serves("phonebooks.update", "PUT", "/api/phonebooks/{phonebook_id}")
def update_book(call: Call) -> Answer:
    """Change a phonebook's title or options, or both; [] takes all options away, and with each its values."""
    book = book_in_path(call)
    body = call.body
    title = body.text_or_none("title", most=MOST_IN_A_TITLE)
    option_ids = _read_option_ids(call) if body.has("options") else None
    call.check()
    if title is None and option_ids is None:
        raise invalid({"title": [required_text(label("title"))]})
    if title is not None:
        book.title = title
    if option_ids is not None:
        for option_id in set(book.option_ids) - set(option_ids):
            _forget_values(call.world, option_id, book)
        book.option_ids = option_ids
    book.updated_at = call.now
    return ok()


@serves("phonebooks.delete", "POST", "/api/phonebooks/delete-list")
def delete_books(call: Call) -> Answer:
    """Delete phonebooks with their contacts. Ids that are not there are passed over, so that again changes nothing."""
    ids = call.body.integers("listPhonebooks")
    call.check()
    world = call.world
    for phonebook_id in ids:
        if owned_book(call, phonebook_id) is not None:
            for contact in world.contacts_of(phonebook_id):
                del world.contacts[contact.contact_id]
            del world.phonebooks[phonebook_id]
    return ok()


@serves("phonebooks.options.list", "GET", "/api/phonebooks/options/list-new")
def list_options(call: Call) -> Answer:
    """List the caller's options, the newest first."""
    number, size = call.query.paging()
    kind = call.query.choice_or_none("type", _TYPES)
    title = call.query.text_or_none("title")
    call.check()
    options = [
        option
        for option in reversed(call.world.contact_options.values())
        if option.user_id == call.user.user_id
        and kind in {None, option.type}
        and (title is None or title in option.title)
    ]
    return page(options, _option_row, number=number, size=size, path=call.path)


@serves("phonebooks.options.create", "POST", "/api/phonebooks/options")
def create_option(call: Call) -> Answer:
    """Make an option."""
    kind = call.body.choice("type", _TYPES)
    title = call.body.text("title")
    call.check()
    option = ContactOption(call.world.next_id("contact_option"), call.user.user_id, title, kind, call.now)
    call.world.contact_options[option.option_id] = option
    return ok(_option_row(option))


@serves("phonebooks.options.update", "PUT", "/api/phonebooks/options/{option_id}")
def update_option(call: Call) -> Answer:
    """Rename an option; as the service does it, the answer's data is true."""
    option = owned_option(call, id_in_path(call, "option_id"))
    if option is None:
        raise missing("گزینه")
    title = call.body.text("title")
    call.check()
    option.title = title
    return ok(data=True)


@serves("phonebooks.options.delete", "POST", "/api/phonebooks/options/delete-list")
def delete_options(call: Call) -> Answer:
    """Delete options, in all phonebooks and contacts. Ids that are not there are passed over."""
    ids = call.body.integers("listOptions")
    call.check()
    world = call.world
    for option_id in ids:
        if owned_option(call, option_id) is not None:
            del world.contact_options[option_id]
            for book in world.phonebooks.values():
                if option_id in book.option_ids:
                    book.option_ids.remove(option_id)
                    _forget_values(world, option_id, book)
    return ok()


def _option_row(option: ContactOption) -> dict[str, Any]:
    return {
        "id": option.option_id,
        "title": option.title,
        "type": option.type,
        "created_at": written(option.created_at),
    }


def _options_of(world: World, book: Phonebook) -> list[dict[str, Any]]:
    options = [world.contact_options[option_id] for option_id in book.option_ids]
    return [{"id": option.option_id, "title": option.title, "type": option.type} for option in options]


def _read_option_ids(call: Call) -> list[int]:
    """Read `options`, ids as text or numbers, each one of the caller's; [] is none."""
    if call.body.values.get("options") == []:
        call.body.ignore("options")
        return []
    ids = call.body.integers("options", required=False, spelled=True)
    for place, option_id in enumerate(ids):
        if owned_option(call, option_id) is None:
            call.body.fail(f"options.{place}", not_valid_text(label("options")))
    return list(dict.fromkeys(ids))


def _forget_values(world: World, option_id: int, book: Phonebook) -> None:
    for contact in world.contacts_of(book.phonebook_id):
        contact.options.pop(option_id, None)
