"""Finding a pattern, filling it with values, and keeping its recipient in a phonebook, as a pattern send asks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from ippanel_edge.sandbox.replies import label, not_found, not_valid_text, required_text, wrong_type_text
from ippanel_edge.sandbox.rules.phonebook_fields import FULL, has_room, owned_book, read_option_values

if TYPE_CHECKING:
    from ippanel_edge.sandbox.bodies import Fields
    from ippanel_edge.sandbox.records import Pattern, PatternVariable
    from ippanel_edge.sandbox.routes import Call
    from ippanel_edge.sandbox.store import World

_DIGITS = re.compile(r"[0-9]+")


def pattern_status(pattern: Pattern, world: World) -> str:
    """Say where a pattern stands: what was submitted becomes active by the clock, if the world has it so."""
    wait = world.pattern_review_seconds
    if pattern.status != "pending" or pattern.submitted_at is None or wait is None:
        return pattern.status
    return "active" if world.now >= pattern.submitted_at + timedelta(seconds=wait) else "pending"


def find_pattern(call: Call, code: str) -> Pattern:
    """Find a pattern that the caller may see and send: its own, or a shared one.

    Raises:
        Refusal: 404 if there is none.
    """
    pattern = call.world.patterns.get(code)
    if pattern is None or not (pattern.is_share or pattern.user_id == call.user.user_id):
        raise not_found("پترن مورد نظر یافت نشد", code="404-1")
    return pattern


def fill_pattern(call: Call, code: str, values: Mapping[str, object]) -> str:
    """Return the pattern's text with the values in it; what is wrong with them is noted at `params.NAME`.

    Raises:
        Refusal: 404 for a pattern that the caller does not have.
    """
    pattern = find_pattern(call, code)
    if pattern_status(pattern, call.world) != "active":
        call.body.fail("code", "پترن فعال نیست")
    text = pattern.message
    for variable in pattern.variables:
        value = values.get(variable.name)
        reason = _why_wrong(variable, value)
        if reason is not None:
            call.body.fail(f"params.{variable.name}", reason)
        text = text.replace(f"{pattern.delimiter}{variable.name}{pattern.delimiter}", str(value))
    known = {variable.name for variable in pattern.variables}
    for name in values:
        if name not in known:
            call.body.fail(f"params.{name}", not_valid_text(name))
    return text


def _why_wrong(variable: PatternVariable, value: object) -> str | None:
    if value is None or value == "":
        return required_text(variable.name)
    if isinstance(value, bool) or not isinstance(value, int | str):
        return wrong_type_text(variable.name, "متن یا عدد صحیح")
    if variable.type == "integer" and not _DIGITS.fullmatch(str(value)):
        return wrong_type_text(variable.name, "عدد")
    if variable.length and len(str(value)) > variable.length:
        return f"گزینه {variable.name} نباید بیشتر از {variable.length} کاراکتر باشد"
    return None


@attrs.frozen
class ContactToKeep:
    """What `phonebook` of a pattern send says about its recipient."""

    phonebook_id: int
    name: str
    pre: str
    email: str
    options: Mapping[int, str]

    def keep(self, call: Call, number: str) -> None:
        """Add the recipient to the phonebook, or bring it up to date."""
        contact = call.world.add_contact(self.phonebook_id, number)
        contact.name, contact.pre, contact.email = self.name, self.pre, self.email
        contact.options = {**contact.options, **self.options}
        contact.updated_at = call.now


def read_contact(call: Call, fields: Fields, recipients: Sequence[str]) -> ContactToKeep:
    """Read `phonebook`; it must be one of the caller's, with the options that are named, and room for the recipient."""
    phonebook_id = fields.integer("id")
    book = owned_book(call, phonebook_id)
    if phonebook_id and book is None:
        fields.fail("id", not_valid_text(label("phonebook")))
    if book is not None and not has_room(call.world, book, recipients):
        fields.fail("id", FULL)
    options = read_option_values(call.world, fields, book)
    return ContactToKeep(
        phonebook_id,
        fields.text_or_none("name") or "",
        fields.text_or_none("pre") or "",
        fields.text_or_none("email") or "",
        options,
    )
