"""The arguments of assigning numbers: which line, and whose it becomes. Nothing is sent in here."""

from __future__ import annotations

from typing import Any

from ippanel_edge.errors import ConfigurationError
from ippanel_edge.values import phones
from ippanel_edge.values.checks import identity, text


def line_and_user(
    *, number_id: int | None, number: str | None, target_user_id: int | None, target_user: str | None
) -> dict[str, Any]:
    """Name a line and a user, each by id, by name, or by both; what is unset is left out.

    Raises:
        ConfigurationError: no line or no user is named, or one of them wrongly.
    """
    if number_id is None and number is None:
        raise ConfigurationError("is needed, or number: say which line", argument="number_id")
    if target_user_id is None and target_user is None:
        raise ConfigurationError("is needed, or target_user: say which user", argument="target_user_id")
    named: dict[str, Any] = {}
    if number_id is not None:
        named["number_id"] = identity(number_id, argument="number_id")
    if target_user_id is not None:
        named["target_user_id"] = identity(target_user_id, argument="target_user_id")
    if number is not None:
        named["number"] = phones.sender_line(number, argument="number")
    if target_user is not None:
        named["target_user"] = text(target_user, argument="target_user")
    return named


def flag(value: bool, *, argument: str) -> bool:  # noqa: FBT001 - the one thing that is checked
    """Accept True or False.

    Raises:
        ConfigurationError: anything else: "false", say, would be taken for true.
    """
    if not isinstance(value, bool):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without a type checker
        raise ConfigurationError(f"must be True or False, not {type(value).__name__}", argument=argument)
    return value
