"""The rules of the numbers section: the sender lines of a user and their assignment to sub-users."""

from __future__ import annotations

from typing import Any

from ippanel_edge.sandbox.records import Assignment, Line, User
from ippanel_edge.sandbox.replies import Reply, invalid, invalid_message, label, ok, rejection, required_message
from ippanel_edge.sandbox.routes import Call, serves


@serves("numbers.list", "GET", "/api/number/numbers")
def listing(call: Call) -> Reply:
    """List the lines that the caller owns or is assigned; the documented response has no pagination `meta`."""
    number, size = call.query.paging()
    call.check()
    user = call.user
    rows = [line for line in call.state.lines.values() if _has_line(line, user)]
    return ok([_row(line, user) for line in rows[(number - 1) * size : number * size]])


def _has_line(line: Line, user: User) -> bool:
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


@serves("numbers.assign", "POST", "/api/numbers/assign", resellers_only=True)
def assign(call: Call) -> Reply:
    """Permit a sub-user to send from a line of the caller, to read its inbox, or both."""
    send, gets = call.body.boolean("send"), call.body.boolean("gets")
    line, target = _read(call)
    if _has_line(line, target):
        raise rejection(400, "number already assigned to user")
    line.assigned = {**line.assigned, target.user_id: Assignment(send=send, gets=gets)}
    return ok()


@serves("numbers.unassign", "POST", "/api/numbers/unassign", resellers_only=True)
def unassign(call: Call) -> Reply:
    """Remove the assignment of a line to a sub-user."""
    line, target = _read(call)
    if target.user_id not in line.assigned:
        raise rejection(400, "number not assigned to user")
    line.assigned = {user_id: rights for user_id, rights in line.assigned.items() if user_id != target.user_id}
    return ok()


def _read(call: Call) -> tuple[Line, User]:
    """Return the line and the user; each is given by id, by name, or by an id and a name that match.

    Raises:
        Rejection: 422 with the field errors.
    """
    body = call.body
    number_id, number = body.integer_or_none("number_id"), body.string_or_none("number")
    user_id, username = body.integer_or_none("target_user_id"), body.string_or_none("target_user")
    for first, second in (("number_id", "number"), ("target_user_id", "target_user")):
        if not body.has(first) and not body.has(second):
            body.add_error(first, required_message(label(first)))
            body.add_error(second, required_message(label(second)))
    call.check()
    line = next(
        (
            line
            for line in call.state.lines.values()
            if line.owner_id == call.user.user_id
            and number_id in (None, line.line_id)
            and number in (None, line.number)
        ),
        None,
    )
    target = next(
        (
            user
            for user in call.state.with_sub_users(call.user)
            if user_id in (None, user.user_id) and username in (None, user.username)
        ),
        None,
    )
    if line is None:
        body.add_error("number" if number_id is None else "number_id", invalid_message("number"))
    if target is None:
        body.add_error("target_user" if user_id is None else "target_user_id", invalid_message("user"))
    if line is None or target is None:
        raise invalid(body.errors)
    return line, target
