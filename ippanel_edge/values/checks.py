"""Checks of arguments, made before anything is sent. An error names the argument, the limit and the remedy.

The `check_…` functions take one value and the argument's name. The others (`ids`, `texts`, …) take arguments by name
and return them as the fields of a request, so that a field's name is written once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final, TypeGuard, TypeVar

from ippanel_edge.errors import InvalidArgument
from ippanel_edge.values.secrets import Secret

T = TypeVar("T")

MAX_PER_PAGE: Final = 1000
_INT_LIMIT: Final = 2**63
"""The service stores integers in 64 bits."""
_MAX_SECONDS: Final = 1e9
"""About 30 years. Python's own clocks and locks overflow at about ten times as many seconds."""
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_SHOWN: Final = 40
"""The maximum length of a value that an error quotes."""


def ids(**values: int) -> dict[str, int]:
    """Return ids as the fields of a request.

    Raises:
        InvalidArgument: a value is not an id.
    """
    return {name: check_id(value, argument=name) for name, value in values.items()}


def optional_ids(**values: int | None) -> dict[str, int]:
    """Return the ids that are not None as the fields of a request.

    Raises:
        InvalidArgument: a value is not an id.
    """
    return ids(**{name: value for name, value in values.items() if value is not None})


def texts(limit: int | None = None, /, **values: str) -> dict[str, str]:
    """Return texts as the fields of a request.

    Args:
        limit: the maximum number of characters; None for no limit.
        values: the texts by name.

    Raises:
        InvalidArgument: a value is not a str, is blank or is too long.
    """
    return {name: check_text(value, argument=name, limit=limit) for name, value in values.items()}


def bools(**values: bool) -> dict[str, bool]:
    """Return bools as the fields of a request.

    Raises:
        InvalidArgument: a value is not a bool: "false" would be true.
    """
    return {name: check_type(value, bool, argument=name) for name, value in values.items()}


def optional_texts(limit: int | None = None, /, **values: str | None) -> dict[str, str]:
    """Return the texts that are not None as the fields of a request. As `texts`."""
    return texts(limit, **{name: value for name, value in values.items() if value is not None})


def secrets(**values: str) -> dict[str, str]:
    """Return passwords, tokens or codes as the fields of a request, hidden from repr.

    Raises:
        InvalidArgument: a value is not a str or is blank.
    """
    return {name: Secret(text) for name, text in texts(**values).items()}


def choices(allowed: Iterable[T], *, check: bool = True, **values: T | None) -> dict[str, T]:
    """Return the values that are not None as the fields of a request.

    Args:
        allowed: the documented values.
        check: False accepts other values of the same type too.
        values: the values by name.

    Raises:
        InvalidArgument: a value is not allowed; the message lists the allowed ones.
    """
    options = tuple(allowed)
    return {
        name: value
        for name, given in values.items()
        if (value := check_choice(given, options, argument=name, check=check)) is not None
    }


def ranges(minimum: int, maximum: int | None = None, *, check: bool = True, **values: int | None) -> dict[str, int]:
    """Return the ints that are not None as the fields of a request.

    Raises:
        InvalidArgument: a value is not an int, or is out of range.
    """
    return {
        name: value
        for name, given in values.items()
        if (value := check_range(given, minimum, maximum, argument=name, check=check)) is not None
    }


def paging(page: int, maximum: int = MAX_PER_PAGE, /, *, check: bool = True, **size: int) -> dict[str, int]:
    """Return the page arguments of a list as the fields of a request.

    Args:
        page: the page's number.
        maximum: the maximum page size.
        check: False turns off the check of the maximum.
        size: the page size, under the name that the endpoint uses.

    Raises:
        InvalidArgument: the page is less than 1, or the page size is out of range.
    """
    ((name, rows),) = size.items()
    check_range(check_int(page, argument="page"), 1, None, argument="page")
    check_range(check_int(rows, argument=name), 1, maximum if check else None, argument=name)
    return {"page": page, **size}


def check_range(
    value: int | None, minimum: int, maximum: int | None, *, argument: str, check: bool = True
) -> int | None:
    """Return an int within bounds; None stays None.

    Raises:
        InvalidArgument: the value is not an int, or is out of bounds.
    """
    if value is None:
        return None
    check_int(value, argument=argument)
    if check and (value < minimum or (maximum is not None and value > maximum)):
        bounds = f"{minimum} or more" if maximum is None else f"{minimum} to {maximum}"
        raise InvalidArgument(f"expected {bounds}, got {value}", argument=argument)
    return value


def check_int(value: int, *, argument: str) -> int:
    """Return an int of at most 64 bits.

    Raises:
        InvalidArgument: any other value, including a bool.
    """
    if type(value) is not int:
        raise InvalidArgument(f"expected an int, got {type(value).__name__}", argument=argument)
    if not -_INT_LIMIT <= value < _INT_LIMIT:
        raise InvalidArgument("is too large: the service stores integers in 64 bits", argument=argument)
    return value


def check_value(value: object, *, argument: str) -> None:
    """Check that a value, such as that of a pattern's variable, is a str or a number that JSON can represent.

    Raises:
        InvalidArgument: any other value.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InvalidArgument(f"expected a str or a number, got {type(value).__name__}", argument=argument)
    if isinstance(value, str):
        check_str(value, argument=argument)
    elif isinstance(value, float) and not math.isfinite(value):
        raise InvalidArgument(f"expected a finite number, got {value}", argument=argument)
    elif isinstance(value, int):
        check_int(int(value), argument=argument)


def check_id(value: int, *, argument: str) -> int:
    """Return an id: an int from 1.

    Raises:
        InvalidArgument: any other value.
    """
    if check_int(value, argument=argument) < 1:
        raise InvalidArgument(f"expected an id, an int from 1, got {value}", argument=argument)
    return value


def check_ids(values: Iterable[int], *, argument: str, minimum: int = 1) -> list[int]:
    """Return ids as a list, in their order.

    Raises:
        InvalidArgument: a value is not an id (the first one is named), or there are fewer than `minimum`.
    """
    given = check_iterable(values, argument=argument, of="ids, such as [1, 2]")
    listed = [check_id(value, argument=f"{argument}[{index}]") for index, value in enumerate(given)]
    if len(listed) < minimum:
        raise InvalidArgument("must not be empty", argument=argument)
    return listed


def check_seconds(value: object, *, argument: str) -> float:
    """Return a number of seconds above 0, at most 10**9.

    Raises:
        InvalidArgument: any other value, including infinity and NaN.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise InvalidArgument(f"expected a number of seconds above 0, got {shown(value)}", argument=argument)
    if value > _MAX_SECONDS:
        raise InvalidArgument(f"expected at most {_MAX_SECONDS:,.0f} seconds, got {shown(value)}", argument=argument)
    return value


def check_iterable(values: object, *, argument: str, of: str) -> Iterable[Any]:
    """Return an iterable that is not a str, a mapping or binary data: those yield characters, keys or ints.

    Raises:
        InvalidArgument: any other value; the message names the expected items, a list `of` them.
    """
    if not _is_iterable(values):
        raise InvalidArgument(f"expected a list of {of}, got {type(values).__name__}", argument=argument)
    return values


def _is_iterable(values: object) -> TypeGuard[Iterable[Any]]:
    return isinstance(values, Iterable) and not isinstance(values, str | bytes | bytearray | memoryview | Mapping)


def check_type(value: object, kinds: type[T] | tuple[type[T], ...], *, argument: str) -> T:
    """Return an object of a class, or of one of several classes.

    Raises:
        InvalidArgument: any other value.
    """
    if not isinstance(value, kinds):
        raise InvalidArgument(f"expected a {_named(kinds)}, got {type(value).__name__}", argument=argument)
    return value


def check_items(
    values: object,
    kinds: type[T] | tuple[type[T], ...],
    *,
    argument: str,
    minimum: int = 1,
    limit: int | None = None,
) -> list[T]:
    """Return objects of a class, or of several classes, as a list.

    Args:
        values: the caller's value.
        kinds: the class or classes.
        argument: its name for the error.
        minimum: the minimum number of objects.
        limit: no more objects than this are consumed; None for no limit.

    Raises:
        InvalidArgument: the value is not iterable, an item has another class (the first one is named), or there
            are fewer than `minimum`.
    """
    given = islice(check_iterable(values, argument=argument, of=_named(kinds)), limit)
    listed = [check_type(value, kinds, argument=f"{argument}[{index}]") for index, value in enumerate(given)]
    if len(listed) < minimum:
        raise InvalidArgument("must not be empty", argument=argument)
    return listed


def _named(kinds: type | tuple[type, ...]) -> str:
    return " or ".join(kind.__name__ for kind in (kinds if isinstance(kinds, tuple) else (kinds,)))


def check_choice(value: T | None, allowed: Iterable[T], *, argument: str, check: bool = True) -> T | None:
    """Return one of the values that the API documents; None stays None.

    Args:
        value: the caller's value.
        allowed: the documented values.
        argument: its name for the error.
        check: False accepts other values of the same type too.

    Raises:
        InvalidArgument: any other value; the message lists the allowed ones.
    """
    options = tuple(allowed)
    # True == 1 and 1.0 == 1, but they are not sent as 1.
    has_their_type = isinstance(value, tuple(map(type, options))) and not isinstance(value, bool)
    if value is None or (has_their_type and (not check or value in options)):
        return value
    raise InvalidArgument(f"expected one of {', '.join(map(repr, options))}, got {shown(value)}", argument=argument)


def shown(value: object) -> str:
    """Format a caller's value for an error: a short str or number as it is, anything else by its type."""
    if value is not None and not isinstance(value, str | int | float):
        return type(value).__name__
    if isinstance(value, int) and not -_INT_LIMIT <= value < _INT_LIMIT:
        return "an int of more than 64 bits"
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def check_text(value: str, *, argument: str, limit: int | None = None) -> str:
    """Return a str that is not blank and not longer than the API allows.

    Raises:
        InvalidArgument: the value is not a str, is blank, contains a lone surrogate or is too long.
    """
    if not check_str(value, argument=argument).strip():
        raise InvalidArgument("must not be empty", argument=argument)
    if limit is not None and len(value) > limit:
        raise InvalidArgument(f"expected at most {limit:,} characters, got {len(value):,}", argument=argument)
    return value


def check_str(value: str, *, argument: str) -> str:
    """Return a str without lone surrogates; it may be empty.

    Raises:
        InvalidArgument: the value is not a str, or contains a lone surrogate.
    """
    if not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without a type checker
        raise InvalidArgument(f"expected a str, got {type(value).__name__}", argument=argument)
    if _SURROGATE.search(value):
        raise InvalidArgument("contains a lone surrogate", argument=argument)
    return value
