"""The bodies and questions of patterns: variables and text held against each other. Nothing is sent in here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from ippanel_edge.config import Defaults
from ippanel_edge.errors import ConfigurationError
from ippanel_edge.models.patterns import NewPattern, PatternFilters, PatternVariable
from ippanel_edge.models.states import VariableType
from ippanel_edge.values.checks import between, instance, items, one_of, paging, text
from ippanel_edge.wire import codec

MOST_ROWS: Final = 100
DELIMITER: Final = "%"
_PLACEHOLDER = re.compile(r"%(\w+)%")


def listing(defaults: Defaults, *, page: int, per_page: int, filters: PatternFilters | None) -> dict[str, Any]:
    """Make the query of a list: the page, and each filter as ``filter[name]``."""
    wanted: dict[str, Any] = {} if filters is None else codec.encode(filters)
    return {
        **paging(page, per_page, most=MOST_ROWS, check=defaults.validate),
        **{f"filter[{name}]": value for name, value in wanted.items()},
    }


def body(defaults: Defaults, pattern: NewPattern) -> dict[str, Any]:
    """Make the body of a new or changed pattern.

    Raises:
        ConfigurationError: an empty text, a variable without name or type, or one that only the message or only
            `variable` has; the text names it.
    """
    instance(pattern, NewPattern, argument="pattern")
    message = text(pattern.message, argument="pattern.message")
    description = text(pattern.description, argument="pattern.description")
    variables = _variables(pattern.variable, check=defaults.validate)
    if defaults.validate:
        _agree(message, [each["name"] for each in variables])
    optional = {
        name: text(value, argument=f"pattern.{name}")
        for name, value in (("title", pattern.title), ("website", pattern.website))
        if value is not None
    }
    return {
        "description": description,
        "message": message,
        "variable": variables,
        "is_share": pattern.is_share,
        **optional,
    }


def _variables(variables: Sequence[PatternVariable], *, check: bool) -> list[dict[str, Any]]:
    listed = items(variables, PatternVariable, argument="pattern.variable", least=0)
    return [_variable(each, f"pattern.variable[{index}]", check=check) for index, each in enumerate(listed)]


def _variable(variable: PatternVariable, place: str, *, check: bool) -> dict[str, Any]:
    """Write a variable. A longest value of 0, as answers have it, is none."""
    name = text(variable.name or "", argument=f"{place}.name")
    kind = text(variable.type or "", argument=f"{place}.type")
    one_of(kind, [str(each) for each in VariableType], argument=f"{place}.type", check=check)
    longest = between(variable.len, 0, None, argument=f"{place}.len")
    return {"name": name, "type": str(kind), **({"len": longest} if longest else {})}


def _agree(message: str, names: Sequence[str]) -> None:
    """Accept a message that has each variable, and variables that the message's placeholders all have."""
    for index, name in enumerate(names):
        if name in names[:index]:
            raise ConfigurationError(f"{name!r} is declared twice", argument=f"pattern.variable[{index}].name")
        if f"{DELIMITER}{name}{DELIMITER}" not in message:
            raise ConfigurationError(
                f"{name!r} is not in the message: write it there as %{name}%, or leave it out here",
                argument=f"pattern.variable[{index}].name",
            )
    for name in _PLACEHOLDER.findall(message):
        if name not in names:
            raise ConfigurationError(
                f"has %{name}%, which is not declared: add PatternVariable(name={name!r}, type=…) to variable",
                argument="pattern.message",
            )
