"""The rules of the patterns section: texts that the review passes once. Sending one is in `send` and `pattern_text`."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import attrs

from ippanel_edge.sandbox.records import Pattern, PatternVariable
from ippanel_edge.sandbox.replies import Answer, not_found, ok, page
from ippanel_edge.sandbox.routes import Call, serves
from ippanel_edge.sandbox.rules.pattern_text import find_pattern, pattern_status

if TYPE_CHECKING:
    from ippanel_edge.sandbox.bodies import Fields

MOST_ROWS: Final = 100
DEFAULT_LENGTH: Final = 40
"""The longest value of a variable that says nothing of its own."""
_TYPES: Final = ("string", "integer")
_STATUSES: Final = {"active": (1, "فعال"), "inactive": (2, "رد شده"), "pending": (3, "در انتظار تایید")}
_REVISED: Final = ("state", "message", "is_share", "description", "delimiter")


@serves("patterns.list", "GET", "/api/patterns")
def listing(call: Call) -> Answer:
    """List the patterns that the caller may send, the newest first."""
    number, size = call.query.paging(most=MOST_ROWS)
    fields = call.query.object_or_none("filter")
    wanted = _read_filters(fields) if fields else _Wanted()
    call.check()
    rows = [
        pattern
        for pattern in reversed(call.world.patterns.values())
        if (pattern.is_share or pattern.user_id == call.user.user_id) and wanted.fits(call, pattern)
    ]
    return page(rows, lambda pattern: _whole(call, pattern), number=number, size=size, path=call.path)


@attrs.frozen
class _Wanted:
    """The filters of the list; None: any."""

    code: str | None = None
    title: str | None = None
    is_share: bool | None = None
    state: str | None = None
    type: str | None = None

    def fits(self, call: Call, pattern: Pattern) -> bool:
        """Whether a pattern is one of the wanted."""
        return (
            (self.code is None or pattern.code == self.code)
            and (self.title is None or self.title in (pattern.title or ""))
            and (self.is_share is None or pattern.is_share == self.is_share)
            and (self.state is None or pattern_status(pattern, call.world) == self.state)
            and (self.type is None or pattern.pattern_type == self.type)
        )


def _read_filters(fields: Fields) -> _Wanted:
    return _Wanted(
        code=fields.text_or_none("code"),
        title=fields.text_or_none("title"),
        is_share=fields.flag_or_none("is_share"),
        state=fields.choice_or_none("state", _STATUSES),
        type=fields.choice_or_none("type", ("normal", "systemic")),
    )


@serves("patterns.get", "GET", "/api/patterns/{pattern_code}")
def get(call: Call) -> Answer:
    """Show one pattern."""
    call.check()
    return ok(_whole(call, find_pattern(call, call.parts["pattern_code"])))


@serves("patterns.create", "POST", "/api/patterns/normal")
def create(call: Call) -> Answer:
    """Make a pattern, which waits for the review."""
    written = _read(call)
    call.check()
    number = call.world.next_id("pattern")
    code = hashlib.sha256(f"pattern-{number}".encode()).hexdigest()[:15]
    pattern = Pattern(
        code,
        f"{number:024x}",
        call.user.user_id,
        written.message,
        written.variables,
        call.now,
        call.now,
    )
    _write(call, pattern, written)
    call.world.patterns[code] = pattern
    return ok(_short(call, pattern))


@serves("patterns.update", "POST", "/api/patterns/normal/{pattern_code}", also=("PUT",))
def update(call: Call) -> Answer:
    """Replace a pattern; it waits for the review again."""
    pattern = _own(call)
    written = _read(call)
    call.check()
    _write(call, pattern, written)
    return ok(_short(call, pattern))


@serves("patterns.delete", "DELETE", "/api/patterns/normal/{pattern_code}")
def delete(call: Call) -> Answer:
    """Delete a pattern."""
    call.check()
    del call.world.patterns[_own(call).code]
    return ok()


def _own(call: Call) -> Pattern:
    """Find a pattern of the caller's own: a shared one may be sent, not changed.

    Raises:
        Refusal: 404 if there is none.
    """
    pattern = find_pattern(call, call.parts["pattern_code"])
    if pattern.user_id != call.user.user_id:
        raise not_found("پترن مورد نظر یافت نشد", code="404-1")
    return pattern


@attrs.frozen
class _Written:
    """What creating and updating write."""

    message: str
    variables: list[PatternVariable]
    description: str
    is_share: bool
    title: str | None
    website: str | None


def _read(call: Call) -> _Written:
    body = call.body
    written = _Written(
        message=body.text("message"),
        variables=_read_variables(body),
        description=body.text("description"),
        is_share=body.flag("is_share"),
        title=body.text_or_none("title"),
        website=body.text_or_none("website"),
    )
    _compare(body, written)
    return written


def _read_variables(body: Fields) -> list[PatternVariable]:
    if body.has("variable") and body.values["variable"] == []:
        return []
    return [
        PatternVariable(
            each.text("name"), each.choice("type", _TYPES), each.integer_or_none("len", least=1) or DEFAULT_LENGTH
        )
        for each in body.objects("variable")
    ]


def _compare(body: Fields, written: _Written) -> None:
    """Refuse a message and variables that do not name the same."""
    declared = [variable.name for variable in written.variables]
    for place, name in enumerate(declared):
        if name and f"%{name}%" not in written.message:
            body.fail(f"variable.{place}.name", f"متغیر {name} در متن پترن وجود ندارد")
        if name in declared[:place]:
            body.fail(f"variable.{place}.name", f"متغیر {name} تکراری است")
    for name in _placeholders(written.message):
        if name not in declared:
            body.fail("message", f"متغیر {name} تعریف نشده است")


def _placeholders(message: str) -> list[str]:
    """Find the names between two percent signs; a name is letters, digits and underscores."""
    names: list[str] = []
    pieces = message.split("%")
    place = 1
    while place < len(pieces) - 1:
        name = pieces[place]
        if name and all(character.isalnum() or character == "_" for character in name):
            names.append(name)
            place += 1
        place += 1
    return names


def _write(call: Call, pattern: Pattern, written: _Written) -> None:
    pattern.message = written.message
    pattern.variables = written.variables
    pattern.description = written.description
    pattern.is_share = written.is_share
    pattern.title = written.title
    pattern.website = written.website
    pattern.status, pattern.admin_comment = "pending", None
    pattern.updated_at = pattern.submitted_at = call.now


def _short(call: Call, pattern: Pattern) -> dict[str, Any]:
    """Show a pattern as creating and updating answer it."""
    return {
        "id": pattern.document_id,
        "title": pattern.title,
        "username": call.world.users[pattern.user_id].username,
        "pattern_code": pattern.code,
        "pattern_message": pattern.message,
        "admin_comment": pattern.admin_comment,
        "pattern_description": pattern.description,
        "pattern_status": pattern_status(pattern, call.world),
        "pattern_is_share": pattern.is_share,
        "reject_text": pattern.reject_text,
        "type": pattern.type,
        "variable": [{"name": it.name, "type": it.type, "len": it.length} for it in pattern.variables],
        "delimiter": pattern.delimiter,
        "updated_at": f"{pattern.updated_at:%Y-%m-%dT%H:%M:%S.%f}Z",
        "time": int(pattern.updated_at.timestamp()),
        **{f"pattern_{name}_{kind}": None for kind in ("revision", "log") for name in _REVISED},
    }


def _whole(call: Call, pattern: Pattern) -> dict[str, Any]:
    """Show a pattern as the list and a look at one do: with its status in other words, and nothing in revision."""
    number, word = _STATUSES[pattern_status(pattern, call.world)]
    return {
        **_short(call, pattern),
        "partner_id": None,
        "verifier_user_id": None,
        "verifier_partner_id": None,
        "user_id": str(pattern.user_id),
        "website": pattern.website,
        "pattern_status_fa": word,
        "pattern_status_id": number,
        "pattern_type": pattern.pattern_type,
        "readonly": False,
        "pattern_variable_revision": None,
        "pattern_type_revision": "",
        "pattern_variable_log": None,
        "pattern_type_log": None,
        "revision": {
            "type": "",
            "variable": None,
            "pattern_status_id": None,
            "pattern_status_fa": None,
            "pattern_message": None,
            "pattern_description": None,
            "pattern_is_share": None,
            "delimiter": None,
        },
        "pattern_log": None,
    }
