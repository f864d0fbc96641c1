"""The parts of a pattern send: finding the pattern, filling in its values, and saving its recipient as a contact."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from ippanel_edge.sandbox.replies import invalid_message, label, not_found, required_message, wrong_type_message
from ippanel_edge.sandbox.rules.phonebook_fields import has_capacity, owned_book, read_option_values

if TYPE_CHECKING:
    from ippanel_edge.sandbox.bodies import Fields
    from ippanel_edge.sandbox.records import Pattern, PatternVariable
    from ippanel_edge.sandbox.routes import Call
    from ippanel_edge.sandbox.state import SandboxState

_DIGITS = re.compile(r"[0-9]+")


def pattern_status(pattern: Pattern, state: SandboxState) -> str:
    """Return the status of a pattern; a pending one becomes active after `pattern_review_seconds`."""
    wait = state.pattern_review_seconds
    if pattern.status != "pending" or pattern.submitted_at is None or wait is None:
        return pattern.status
    return "active" if state.now >= pattern.submitted_at + state.clock.wait(wait) else "pending"


def find_pattern(call: Call, code: str, *, message: str = "پترن مورد نظر یافت نشد") -> Pattern:
    """Return a pattern that the caller may read and send: its own or a shared one.

    Raises:
        Rejection: 404 if there is none.
    """
    pattern = call.state.patterns.get(code)
    if pattern is None or not (pattern.is_share or pattern.user_id == call.user.user_id):
        raise not_found(message, code="404-1")
    return pattern


def fill_pattern(call: Call, code: str, values: Mapping[str, object]) -> str:
    """Return the text of a pattern with its placeholders replaced; record errors of the values as `params.NAME`.

    Raises:
        Rejection: 404 if the caller may not send the pattern.
    """
    pattern = find_pattern(call, code, message="الگو یافت نشد")
    if pattern_status(pattern, call.state) != "active":
        call.body.add_error("code", "پترن فعال نیست")
    texts: dict[str, str] = {}
    for variable in pattern.variables:
        value = values.get(variable.name)
        reason = _value_error(variable, value)
        if reason is not None:
            call.body.add_error(f"params.{variable.name}", reason)
        texts[f"{pattern.delimiter}{variable.name}{pattern.delimiter}"] = str(value)
    known = {variable.name for variable in pattern.variables}
    for name in values:
        if name not in known:
            call.body.add_error(f"params.{name}", invalid_message(name))
    return _replace(pattern.message, texts)


def _replace(message: str, texts: Mapping[str, str]) -> str:
    """Replace the placeholders of a message in one pass, so that a placeholder in a value stays as it is."""
    if not texts:
        return message
    placeholders = "|".join(re.escape(placeholder) for placeholder in texts)
    return re.sub(placeholders, lambda match: texts[match[0]], message)


def _value_error(variable: PatternVariable, value: object) -> str | None:
    if value is None or value == "":
        return required_message(variable.name)
    if isinstance(value, bool) or not isinstance(value, int | str):
        return wrong_type_message(variable.name, "متن یا عدد صحیح")
    if variable.type == "integer" and not _DIGITS.fullmatch(str(value)):
        return wrong_type_message(variable.name, "عدد")
    if variable.length and len(str(value)) > variable.length:
        return f"گزینه {variable.name} نباید بیشتر از {variable.length} کاراکتر باشد"
    return None


@attrs.frozen
class PatternContact:
    """The contact data in the field `phonebook` of a pattern send."""

    phonebook_id: int
    name: str
    pre: str
    email: str
    options: Mapping[int, str]

    def save(self, call: Call, number: str) -> None:
        """Add the recipient to the phonebook, or update its contact; a full phonebook does not change."""
        if not has_capacity(call.state, call.state.phonebooks[self.phonebook_id], [number]):
            return
        contact = call.state.add_contact(self.phonebook_id, number)
        contact.name, contact.pre, contact.email = self.name, self.pre, self.email
        contact.options = {**contact.options, **self.options}
        contact.updated_at = call.now


def read_contact(call: Call, fields: Fields) -> PatternContact:
    """Return the contact data of `phonebook`; record errors of an unknown phonebook and of unknown options."""
    phonebook_id = fields.integer("id")
    book = owned_book(call, phonebook_id)
    if phonebook_id and book is None:
        fields.add_error("id", invalid_message(label("phonebook")))
    options = read_option_values(call.state, fields, book)
    return PatternContact(
        phonebook_id,
        fields.string_or_none("name") or "",
        fields.string_or_none("pre") or "",
        fields.string_or_none("email") or "",
        options,
    )
