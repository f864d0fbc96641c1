"""The rules of the numbers section: which lines a user has, and giving them to sub-users."""

from __future__ import annotations

from typing import Any

from ippanel_edge.sandbox.records import Assignment, Line, User
from ippanel_edge.sandbox.replies import Answer, invalid, label, not_valid_text, ok, refusal, required_text
from ippanel_edge.sandbox.routes import Call, serves


@serves("numbers.list", "GET", "/api/number/numbers")
def listing(call: Call) -> Answer:
    """List the caller's own lines and those given to it. The documented answer says nothing of pages."""
    number, size = call.query.paging()
    call.check()
    user = call.user
    rows = [line for line in call.world.lines.values() if _is_of(line, user)]
    return ok([_row(line, user) for line in rows[(number - 1) * size : number * size]])


def _is_of(line: Line, user: User) -> bool:
    return line.owner_id == user.user_id or user.user_id in line.assigned


def _row(line: Line, user: User) -> dict[str, Any]:
    return {
        "id": line.line_id,
        "number": line.number,
        "operator_id": line.tariff_id,
        "alias": line.alias,
        "gets": int(line.owner_id == user.user_id or line.assigned[user.user_id].gets),
        "is_66_char": int(line.is_66_char),
    }


@serves("numbers.assign", "POST", "/api/numbers/assign")
def assign(call: Call) -> Answer:
    """Let a sub-user send from a line of the caller's, get its texts, or both."""
    send, gets = call.body.flag("send"), call.body.flag("gets")
    line, target = _read(call)
    if _is_of(line, target):
        raise refusal(400, "number already assigned to user")
    line.assigned[target.user_id] = Assignment(send=send, gets=gets)
    return ok()


@serves("numbers.unassign", "POST", "/api/numbers/unassign")
def unassign(call: Call) -> Answer:
    """Take a line back from a sub-user."""
    line, target = _read(call)
    if target.user_id not in line.assigned:
        raise refusal(400, "number not assigned to user")
    del line.assigned[target.user_id]
    return ok()


def _read(call: Call) -> tuple[Line, User]:
    """Read the line and the user, each by id, by name, or by both that must then fit together.

    Raises:
        Refusal: 422 with the field errors.
    """
    body = call.body
    number_id, number = body.integer_or_none("number_id"), body.text_or_none("number")
    user_id, username = body.integer_or_none("target_user_id"), body.text_or_none("target_user")
    for first, second in (("number_id", "number"), ("target_user_id", "target_user")):
        if not body.has(first) and not body.has(second):
            body.fail(first, required_text(label(first)))
            body.fail(second, required_text(label(second)))
    call.check()
    line = next(
        (
            line
            for line in call.world.lines.values()
            if line.owner_id == call.user.user_id
            and number_id in (None, line.line_id)
            and number in (None, line.number)
        ),
        None,
    )
    target = next(
        (
            user
            for user in call.world.family(call.user)
            if user_id in (None, user.user_id) and username in (None, user.username)
        ),
        None,
    )
    if line is None:
        body.fail("number" if number_id is None else "number_id", not_valid_text("number"))
    if target is None:
        body.fail("target_user" if user_id is None else "target_user_id", not_valid_text("user"))
    if line is None or target is None:
        raise invalid(body.errors)
    return line, target
