"""Checks of the limits that the API documents, made before anything is sent; an error names argument and remedy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeGuard, TypeVar

from ippanel_edge.errors import ConfigurationError

T = TypeVar("T")

_WIDEST: Final = 2**63
"""Whole numbers are sent below it, as the service holds them in 64 bits."""


def between(value: int | None, least: int, most: int | None, *, argument: str, check: bool = True) -> int | None:
    """Accept a whole number within bounds; None stays None.

    Raises:
        ConfigurationError: not a whole number, or out of bounds.
    """
    if value is None:
        return None
    whole(value, argument=argument)
    if check and (value < least or (most is not None and value > most)):
        bounds = f"{least} or more" if most is None else f"{least} to {most}"
        raise ConfigurationError(f"must be {bounds}, not {value}", argument=argument)
    return value


def whole(value: int, *, argument: str) -> int:
    """Accept a whole number of 64 bits.

    Raises:
        ConfigurationError: anything else, a bool included.
    """
    if type(value) is not int:
        raise ConfigurationError(f"must be a whole number, not {type(value).__name__}", argument=argument)
    if not -_WIDEST <= value < _WIDEST:
        raise ConfigurationError("is too large: the service holds whole numbers in 64 bits", argument=argument)
    return value


def identity(value: int, *, argument: str) -> int:
    """Accept an id: a whole number from 1.

    Raises:
        ConfigurationError: anything else.
    """
    if whole(value, argument=argument) < 1:
        raise ConfigurationError(f"must be an id, a whole number from 1, not {value}", argument=argument)
    return value


def identity_if_given(value: int | None, *, argument: str) -> int | None:
    """Accept an id, or None.

    Raises:
        ConfigurationError: anything else.
    """
    return None if value is None else identity(value, argument=argument)


def identities(values: Iterable[int], *, argument: str, least: int = 1) -> list[int]:
    """Accept some ids, in their order.

    Raises:
        ConfigurationError: not ids (the first wrong one is named), or fewer than `least`.
    """
    given = iterable(values, argument=argument, of="ids, such as [1, 2]")
    ids = [identity(value, argument=f"{argument}[{index}]") for index, value in enumerate(given)]
    if len(ids) < least:
        raise ConfigurationError("must not be empty", argument=argument)
    return ids


def iterable(values: object, *, argument: str, of: str) -> Iterable[Any]:
    """Accept what can be walked through, but not a text or a mapping, which give characters or keys.

    Raises:
        ConfigurationError: anything else; the text says what is wanted, a list `of` something.
    """
    if not _is_walkable(values):
        raise ConfigurationError(f"must be a list of {of}, not {type(values).__name__}", argument=argument)
    return values


def _is_walkable(values: object) -> TypeGuard[Iterable[Any]]:
    return isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping)


def instance(value: object, kinds: type[T] | tuple[type[T], ...], *, argument: str) -> T:
    """Accept an object of a class, or of one of some classes.

    Raises:
        ConfigurationError: anything else.
    """
    if not isinstance(value, kinds):
        raise ConfigurationError(f"must be a {_named(kinds)}, not {type(value).__name__}", argument=argument)
    return value


def items(values: object, kinds: type[T] | tuple[type[T], ...], *, argument: str, least: int = 1) -> list[T]:
    """List objects of a class, or of one of some classes.

    Raises:
        ConfigurationError: no list, the first that is of another class, or fewer than `least`.
    """
    given = iterable(values, argument=argument, of=_named(kinds))
    listed = [instance(value, kinds, argument=f"{argument}[{index}]") for index, value in enumerate(given)]
    if len(listed) < least:
        raise ConfigurationError("must not be empty", argument=argument)
    return listed


def _named(kinds: type | tuple[type, ...]) -> str:
    return " or ".join(kind.__name__ for kind in (kinds if isinstance(kinds, tuple) else (kinds,)))


def one_of(value: T | None, allowed: Iterable[T], *, argument: str, check: bool = True) -> T | None:
    """Accept one of the values that the API documents; None stays None.

    Args:
        value: what the caller gave.
        allowed: the documented values.
        argument: its name for the error.
        check: False accepts other values too, but only of the same kind.

    Raises:
        ConfigurationError: another value; the text lists the allowed ones.
    """
    options = tuple(allowed)
    # True equals 1, and so does 1.0, but the service is not sent the one for the other.
    is_of_their_kind = isinstance(value, tuple(map(type, options))) and not isinstance(value, bool)
    if value is None or (is_of_their_kind and (not check or value in options)):
        return value
    raise ConfigurationError(f"must be one of {', '.join(map(repr, options))}, not {value!r}", argument=argument)


def text(value: str, *, argument: str, most: int | None = None, check: bool = True) -> str:
    """Accept a text that is not blank, and not longer than the API takes.

    Raises:
        ConfigurationError: no text, blank, half a character, or too long; the text says by how much.
    """
    if not characters(value, argument=argument).strip():
        raise ConfigurationError("must not be empty", argument=argument)
    if check and most is not None and len(value) > most:
        raise ConfigurationError(f"must be at most {most} characters, not {len(value)}", argument=argument)
    return value


def characters(value: str, *, argument: str) -> str:
    """Accept any text whose characters are whole; it may be empty.

    Raises:
        ConfigurationError: no text, or half a character.
    """
    if not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without a type checker
        raise ConfigurationError(f"must be a text, not {type(value).__name__}", argument=argument)
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ConfigurationError("holds half a character (a lone surrogate)", argument=argument)
    return value


def paging(
    page: int, per_page: int, *, most: int = 1000, size_name: str = "per_page", check: bool = True
) -> dict[str, int]:
    """Make the page arguments of a list.

    Raises:
        ConfigurationError: a page below 1, or a page size out of bounds.
    """
    between(whole(page, argument="page"), 1, None, argument="page")
    between(whole(per_page, argument=size_name), 1, most if check else None, argument=size_name)
    return {"page": page, size_name: per_page}
