"""Checks of the limits that the API documents, made before anything is sent; an error names argument and remedy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from ippanel_edge.errors import ConfigurationError

T = TypeVar("T")


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
    """Accept a whole number.

    Raises:
        ConfigurationError: anything else, a bool included.
    """
    if type(value) is not int:
        raise ConfigurationError(f"must be a whole number, not {type(value).__name__}", argument=argument)
    return value


def identity(value: int, *, argument: str) -> int:
    """Accept an id: a whole number from 1.

    Raises:
        ConfigurationError: anything else.
    """
    if whole(value, argument=argument) < 1:
        raise ConfigurationError(f"must be an id, a whole number from 1, not {value}", argument=argument)
    return value


def identities(values: Iterable[int], *, argument: str, least: int = 1) -> list[int]:
    """Accept some ids, in their order.

    Raises:
        ConfigurationError: not ids (the first wrong one is named), or fewer than `least`.
    """
    if isinstance(values, str | bytes | int):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError("must be a list of ids, such as [1, 2]", argument=argument)
    ids = [identity(value, argument=f"{argument}[{index}]") for index, value in enumerate(values)]
    if len(ids) < least:
        raise ConfigurationError("must not be empty", argument=argument)
    return ids


def one_of(value: T | None, allowed: Iterable[T], *, argument: str, check: bool = True) -> T | None:
    """Accept one of the values that the API documents; None stays None.

    Raises:
        ConfigurationError: another value; the text lists the allowed ones.
    """
    options = tuple(allowed)
    if value is None or not check or value in options:
        return value
    raise ConfigurationError(f"must be one of {', '.join(map(repr, options))}, not {value!r}", argument=argument)


def text(value: str, *, argument: str, most: int | None = None, check: bool = True) -> str:
    """Accept a text that is not blank, and not longer than the API takes.

    Raises:
        ConfigurationError: no text, blank, half a character, or too long; the text says by how much.
    """
    if not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"must be a text, not {type(value).__name__}", argument=argument)
    if not value.strip():
        raise ConfigurationError("must not be empty", argument=argument)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ConfigurationError("holds half a character (a lone surrogate)", argument=argument) from None
    if check and most is not None and len(value) > most:
        raise ConfigurationError(f"must be at most {most} characters, not {len(value)}", argument=argument)
    return value


def paging(
    page: int, per_page: int, *, most: int = 1000, size_name: str = "per_page", check: bool = True
) -> dict[str, int]:
    """Make the page arguments of a list.

    Raises:
        ConfigurationError: a page below 1, or a page size out of bounds.
    """
    between(page, 1, None, argument="page")
    between(per_page, 1, most if check else None, argument=size_name)
    return {"page": page, size_name: per_page}
