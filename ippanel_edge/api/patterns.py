"""The queries and bodies of patterns. Checks that the variables and the message agree."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from ippanel_edge.api.fields import filters_of
from ippanel_edge.config import Defaults
from ippanel_edge.errors import InvalidArgument
from ippanel_edge.models.patterns import NewPattern, PatternFilters, PatternVariable
from ippanel_edge.models.states import VariableType
from ippanel_edge.values.checks import (
    check_choice,
    check_items,
    check_range,
    check_text,
    check_type,
    optional_texts,
    paging,
    shown,
)

MAX_PER_PAGE: Final = 100
DELIMITER: Final = "%"
_SHOWN: Final = 40
_PLACEHOLDER = re.compile(r"%(\w+)%")


def listing(defaults: Defaults, page: int, per_page: int, filters: PatternFilters | None) -> dict[str, Any]:
    """Return the query of a list: the page, and each filter as ``filter[name]``."""
    fields = filters_of(filters, PatternFilters)
    return {
        **paging(page, MAX_PER_PAGE, per_page=per_page, check=defaults.validate),
        **{f"filter[{name}]": value for name, value in fields.items()},
    }


def body(defaults: Defaults, pattern: NewPattern) -> dict[str, Any]:
    """Return the body of a new or changed pattern.

    Raises:
        InvalidArgument: a text is empty, a variable has no name or type, or a variable is only in the message or
            only in `variable`.
    """
    check_type(pattern, NewPattern, argument="pattern")
    message = check_text(pattern.message, argument="pattern.message")
    description = check_text(pattern.description, argument="pattern.description")
    variables = _variables(pattern.variable, check=defaults.validate)
    if defaults.validate:
        _check_agreement(message, [each["name"] for each in variables])
    optional = optional_texts(**{"pattern.title": pattern.title, "pattern.website": pattern.website})
    return {
        "description": description,
        "message": message,
        "variable": variables,
        "is_share": pattern.is_share,
        **{name.removeprefix("pattern."): value for name, value in optional.items()},
    }


def _variables(variables: Sequence[PatternVariable], *, check: bool) -> list[dict[str, Any]]:
    listed = check_items(variables, PatternVariable, argument="pattern.variable", minimum=0)
    return [_variable(each, f"pattern.variable[{index}]", check=check) for index, each in enumerate(listed)]


def _variable(variable: PatternVariable, place: str, *, check: bool) -> dict[str, Any]:
    """Return a variable's fields. A maximum length of 0, which responses have, means that none is set."""
    name = check_text(variable.name or "", argument=f"{place}.name")
    kind = check_text(variable.type or "", argument=f"{place}.type")
    check_choice(kind, [str(each) for each in VariableType], argument=f"{place}.type", check=check)
    length = check_range(variable.len, 0, None, argument=f"{place}.len")
    return {"name": name, "type": str(kind), **({"len": length} if length else {})}


def _check_agreement(message: str, names: Sequence[str]) -> None:
    """Check that the message has each variable, and that each placeholder of the message is declared."""
    for index, name in enumerate(names):
        if name in names[:index]:
            raise InvalidArgument(f"{shown(name)} is declared twice", argument=f"pattern.variable[{index}].name")
        if f"{DELIMITER}{name}{DELIMITER}" not in message:
            raise InvalidArgument(
                f"{shown(name)} is not in the message; add it there between two %, or remove the variable",
                argument=f"pattern.variable[{index}].name",
            )
    for name in _PLACEHOLDER.findall(message):
        if name not in names:
            raise InvalidArgument(
                f"contains %{name[:_SHOWN]}%, which is not declared; add a PatternVariable with this name to variable",
                argument="pattern.message",
            )
