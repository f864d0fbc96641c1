"""The rules of the patterns section, except pattern sends, which are in `send` and `pattern_text`."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import attrs

from ippanel_edge.sandbox.records import Pattern, PatternVariable
from ippanel_edge.sandbox.replies import Reply, not_found, ok, page
from ippanel_edge.sandbox.routes import Call, serves
from ippanel_edge.sandbox.rules.pattern_text import find_pattern, pattern_status

if TYPE_CHECKING:
    from ippanel_edge.sandbox.bodies import Fields

MAX_PAGE_SIZE: Final = 100
DEFAULT_LENGTH: Final = 40
"""The maximum length of the value of a variable without `len`."""
_TYPES: Final = ("string", "integer")
_STATUSES: Final = {"active": (1, "فعال"), "inactive": (2, "رد شده"), "pending": (3, "در انتظار تایید")}
_REVISED: Final = ("state", "message", "is_share", "description", "delimiter")


@serves("patterns.list", "GET", "/api/patterns")
def listing(call: Call) -> Reply:
    """List the patterns that the caller may send, newest first."""
    number, size = call.query.paging(max_size=MAX_PAGE_SIZE)
    fields = call.query.object_or_none("filter")
    filters = _read_filters(fields) if fields else _PatternFilter()
    call.check()
    rows = [
        pattern
        for pattern in reversed(call.state.patterns.values())
        if (pattern.is_share or pattern.user_id == call.user.user_id) and filters.matches(call, pattern)
    ]
    return page(rows, lambda pattern: _details(call, pattern), number=number, size=size, path=call.path)


@attrs.frozen
class _PatternFilter:
    """The filters of the list of patterns; None matches any value."""

    code: str | None = None
    title: str | None = None
    is_share: bool | None = None
    state: str | None = None
    type: str | None = None

    def matches(self, call: Call, pattern: Pattern) -> bool:
        """Whether a pattern matches all filters."""
        return (
            (self.code is None or pattern.code == self.code)
            and (self.title is None or self.title in (pattern.title or ""))
            and (self.is_share is None or pattern.is_share == self.is_share)
            and (self.state is None or pattern_status(pattern, call.state) == self.state)
            and (self.type is None or pattern.pattern_type == self.type)
        )


def _read_filters(fields: Fields) -> _PatternFilter:
    return _PatternFilter(
        code=fields.string_or_none("code"),
        title=fields.string_or_none("title"),
        is_share=fields.boolean_or_none("is_share"),
        state=fields.choice_or_none("state", _STATUSES),
        type=fields.choice_or_none("type", ("normal", "systemic")),
    )


@serves("patterns.get", "GET", "/api/patterns/{pattern_code}")
def get(call: Call) -> Reply:
    """Return one pattern."""
    call.check()
    return ok(_details(call, find_pattern(call, call.path_params["pattern_code"])))


@serves("patterns.create", "POST", "/api/patterns/normal")
def create(call: Call) -> Reply:
    """Create a pattern, which is pending until its review."""
    fields = _read_fields(call)
    call.check()
    number = call.state.next_id("pattern")
    code = hashlib.sha256(f"pattern-{number}".encode()).hexdigest()[:15]
    pattern = Pattern(
        code,
        f"{number:024x}",
        call.user.user_id,
        fields.message,
        fields.variables,
        call.now,
        call.now,
    )
    _apply(call, pattern, fields)
    call.state.patterns[code] = pattern
    return ok(_summary(call, pattern))


@serves("patterns.update", "POST", "/api/patterns/normal/{pattern_code}", other_methods=("PUT",))
def update(call: Call) -> Reply:
    """Replace a pattern, which is then pending until a new review."""
    pattern = _own_pattern(call)
    fields = _read_fields(call)
    call.check()
    _apply(call, pattern, fields)
    return ok(_summary(call, pattern))


@serves("patterns.delete", "DELETE", "/api/patterns/normal/{pattern_code}")
def delete(call: Call) -> Reply:
    """Delete a pattern."""
    call.check()
    del call.state.patterns[_own_pattern(call).code]
    return ok()


def _own_pattern(call: Call) -> Pattern:
    """Return the pattern in the path if the caller owns it; a shared pattern can be sent but not changed.

    Raises:
        Rejection: 404 if there is none.
    """
    pattern = find_pattern(call, call.path_params["pattern_code"])
    if pattern.user_id != call.user.user_id:
        raise not_found("پترن مورد نظر یافت نشد", code="404-1")
    return pattern


@attrs.frozen
class _PatternFields:
    """The fields that create and update write."""

    message: str
    variables: list[PatternVariable]
    description: str
    is_share: bool
    title: str | None
    website: str | None


def _read_fields(call: Call) -> _PatternFields:
    body = call.body
    body.name_by_path()
    fields = _PatternFields(
        message=body.string("message"),
        variables=_read_variables(body),
        description=body.string("description"),
        is_share=body.boolean("is_share"),
        title=body.string_or_none("title"),
        website=body.string_or_none("website"),
    )
    _check_placeholders(body, fields)
    return fields


def _read_variables(body: Fields) -> list[PatternVariable]:
    if body.has("variable") and body.values["variable"] == []:
        return []
    return [
        PatternVariable(
            each.string("name"), each.choice("type", _TYPES), each.integer_or_none("len", minimum=1) or DEFAULT_LENGTH
        )
        for each in body.objects("variable")
    ]


def _check_placeholders(body: Fields, fields: _PatternFields) -> None:
    """Record an error for each name that is not in both the message and the variables."""
    declared = [variable.name for variable in fields.variables]
    for index, name in enumerate(declared):
        if name and f"%{name}%" not in fields.message:
            body.add_error(f"variable.{index}.name", f"متغیر {name} در متن پترن وجود ندارد")
        if name in declared[:index]:
            body.add_error(f"variable.{index}.name", f"متغیر {name} تکراری است")
    for name in _placeholders(fields.message):
        if name not in declared:
            body.add_error("message", f"متغیر {name} تعریف نشده است")


def _placeholders(message: str) -> list[str]:
    """Return the names between percent signs; a name consists of letters, digits and underscores."""
    names: list[str] = []
    pieces = message.split("%")
    index = 1
    while index < len(pieces) - 1:
        name = pieces[index]
        if name and all(character.isalnum() or character == "_" for character in name):
            names.append(name)
            index += 1
        index += 1
    return names


def _apply(call: Call, pattern: Pattern, fields: _PatternFields) -> None:
    pattern.message = fields.message
    pattern.variables = fields.variables
    pattern.description = fields.description
    pattern.is_share = fields.is_share
    pattern.title = fields.title
    pattern.website = fields.website
    pattern.status, pattern.admin_comment = "pending", None
    pattern.updated_at = pattern.submitted_at = call.now


def _summary(call: Call, pattern: Pattern) -> dict[str, Any]:
    """Serialise a pattern for the responses of create and update."""
    return {
        "id": pattern.document_id,
        "title": pattern.title,
        "username": call.state.users[pattern.user_id].username,
        "pattern_code": pattern.code,
        "pattern_message": pattern.message,
        "admin_comment": pattern.admin_comment,
        "pattern_description": pattern.description,
        "pattern_status": pattern_status(pattern, call.state),
        "pattern_is_share": pattern.is_share,
        "reject_text": pattern.reject_text,
        "type": pattern.type,
        "variable": [{"name": it.name, "type": it.type, "len": it.length} for it in pattern.variables],
        "delimiter": pattern.delimiter,
        "updated_at": f"{pattern.updated_at:%Y-%m-%dT%H:%M:%S.%f}Z",
        "time": int(pattern.updated_at.timestamp()),
        **{f"pattern_{name}_{kind}": None for kind in ("revision", "log") for name in _REVISED},
    }


def _details(call: Call, pattern: Pattern) -> dict[str, Any]:
    """Serialise a pattern for the responses of list and get, which add further fields and an empty revision."""
    number, word = _STATUSES[pattern_status(pattern, call.state)]
    return {
        **_summary(call, pattern),
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
