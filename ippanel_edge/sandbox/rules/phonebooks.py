"""The rules of phonebooks and of the options (custom fields) of their contacts; `contacts` has the other rules."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from ippanel_edge.sandbox.bodies import FORM, JSON
from ippanel_edge.sandbox.records import ContactOption, Phonebook
from ippanel_edge.sandbox.replies import Reply, invalid, invalid_message, label, ok, page, required_message
from ippanel_edge.sandbox.routes import Call, serves
from ippanel_edge.sandbox.rules.phonebook_fields import (
    format_time,
    missing_rejection,
    owned_book,
    owned_option,
    path_id,
    path_phonebook,
)

if TYPE_CHECKING:
    from ippanel_edge.sandbox.state import SandboxState

MAX_TITLE_LENGTH: Final = 200
_TYPES: Final = ("int", "string", "date")


@serves("phonebooks.list", "GET", "/api/phonebooks/list-new", other_methods=("POST",))
def list_books(call: Call) -> Reply:
    """List the phonebooks of the caller, oldest first, with their numbers of contacts."""
    number, size = call.query.paging()
    title = call.query.string_or_none("title")
    phonebook_id = call.query.integer_or_none("id", minimum=1)
    call.check()
    books = [
        book
        for book in call.state.phonebooks.values()
        if book.user_id == call.user.user_id
        and (title is None or title in book.title)
        and phonebook_id in {None, book.phonebook_id}
    ]
    counts = Counter(contact.phonebook_id for contact in call.state.contacts.values())

    def show(book: Phonebook) -> dict[str, Any]:
        return {
            "id": book.phonebook_id,
            "title": book.title,
            "count": counts[book.phonebook_id],
            "export_status": 0,
            "import_status": 0,
            "created_at": format_time(book.created_at),
            "updated_at": format_time(book.updated_at),
            "options": _options_of(call.state, book),
        }

    return page(books, show, number=number, size=size, path=call.path)


@serves("phonebooks.create", "POST", "/api/phonebooks")
def create_book(call: Call) -> Reply:
    """Create a phonebook; as documented, the response has `count` as a str and no `updated_at`."""
    title = call.body.string("title", max_length=MAX_TITLE_LENGTH)
    option_ids = _read_option_ids(call)
    call.check()
    book = Phonebook(call.state.next_id("phonebook"), call.user.user_id, title, call.now, call.now, option_ids)
    call.state.phonebooks[book.phonebook_id] = book
    return ok(
        {
            "id": book.phonebook_id,
            "title": book.title,
            "count": "0",
            "export_status": None,
            "import_status": None,
            "created_at": format_time(book.created_at),
            "options": _options_of(call.state, book),
        }
    )


@serves(
    "phonebooks.update",
    "PUT",
    "/api/phonebooks/{phonebook_id}",
    other_paths=("//api/phonebooks/{phonebook_id}",),
)
def update_book(call: Call) -> Reply:
    """Update the title or the options of a phonebook, or both; removing an option deletes its values."""
    book = path_phonebook(call)
    body = call.body
    title = body.string_or_none("title", max_length=MAX_TITLE_LENGTH)
    option_ids = _read_option_ids(call) if body.has("options") else None
    call.check()
    if title is None and option_ids is None:
        raise invalid({"title": [required_message(label("title"))]})
    if title is not None:
        book.title = title
    if option_ids is not None:
        for option_id in set(book.option_ids) - set(option_ids):
            _delete_values(call.state, option_id, book)
        book.option_ids = option_ids
    book.updated_at = call.now
    return ok()


@serves("phonebooks.delete", "POST", "/api/phonebooks/delete-list")
def delete_books(call: Call) -> Reply:
    """Delete phonebooks and their contacts; unknown ids are ignored, so the call is idempotent."""
    ids = call.body.integers("listPhonebooks")
    call.check()
    state = call.state
    for phonebook_id in ids:
        if owned_book(call, phonebook_id) is not None:
            for contact in state.contacts_of(phonebook_id):
                del state.contacts[contact.contact_id]
            del state.phonebooks[phonebook_id]
    return ok()


@serves("phonebooks.options.list", "GET", "/api/phonebooks/options/list-new")
def list_options(call: Call) -> Reply:
    """List the options of the caller, newest first."""
    number, size = call.query.paging()
    kind = call.query.choice_or_none("type", _TYPES)
    title = call.query.string_or_none("title")
    call.check()
    options = [
        option
        for option in reversed(call.state.contact_options.values())
        if option.user_id == call.user.user_id
        and kind in {None, option.type}
        and (title is None or title in option.title)
    ]
    return page(options, _option_row, number=number, size=size, path=call.path)


@serves("phonebooks.options.create", "POST", "/api/phonebooks/options", content_types=(JSON, FORM))
def create_option(call: Call) -> Reply:
    """Create an option."""
    kind = call.body.choice("type", _TYPES)
    title = call.body.string("title")
    call.check()
    option = ContactOption(call.state.next_id("contact_option"), call.user.user_id, title, kind, call.now)
    call.state.contact_options[option.option_id] = option
    return ok(_option_row(option))


@serves("phonebooks.options.update", "PUT", "/api/phonebooks/options/{option_id}", content_types=(JSON, FORM))
def update_option(call: Call) -> Reply:
    """Rename an option; as documented, the `data` of the response is true."""
    option = owned_option(call, path_id(call, "option_id"))
    if option is None:
        raise missing_rejection("گزینه")
    title = call.body.string("title")
    call.check()
    option.title = title
    return ok(data=True)


@serves("phonebooks.options.delete", "POST", "/api/phonebooks/options/delete-list", content_types=(JSON, FORM))
def delete_options(call: Call) -> Reply:
    """Delete options and their values in all phonebooks and contacts; unknown ids are ignored."""
    ids = call.body.integers("listOptions")
    call.check()
    state = call.state
    for option_id in ids:
        if owned_option(call, option_id) is not None:
            del state.contact_options[option_id]
            for book in state.phonebooks.values():
                if option_id in book.option_ids:
                    book.option_ids = [each for each in book.option_ids if each != option_id]
                    _delete_values(state, option_id, book)
    return ok()


def _option_row(option: ContactOption) -> dict[str, Any]:
    return {
        "id": option.option_id,
        "title": option.title,
        "type": option.type,
        "created_at": format_time(option.created_at),
    }


def _options_of(state: SandboxState, book: Phonebook) -> list[dict[str, Any]]:
    options = [state.contact_options[option_id] for option_id in book.option_ids]
    return [{"id": option.option_id, "title": option.title, "type": option.type} for option in options]


def _read_option_ids(call: Call) -> list[int]:
    """Return the ids in `options`, str or int, without duplicates; record errors of unknown ids."""
    if call.body.values.get("options") == []:
        call.body.ignore("options")
        return []
    ids = call.body.integers("options", required=False, allow_string=True)
    for index, option_id in enumerate(ids):
        if owned_option(call, option_id) is None:
            call.body.add_error(f"options.{index}", invalid_message(label("options")))
    return list(dict.fromkeys(ids))


def _delete_values(state: SandboxState, option_id: int, book: Phonebook) -> None:
    for contact in state.contacts_of(book.phonebook_id):
        contact.options = {each: value for each, value in contact.options.items() if each != option_id}
