"""A str type for API keys, tokens, passwords and codes. Masking them in logged URLs is in `redaction`."""

from __future__ import annotations

from typing import Any, Self


class Secret(str):
    """An API key, token, password or code: a str that is masked in repr and cannot be pickled.

    ``str(secret)`` returns the plain value.
    """

    __slots__ = ()

    def __new__(cls, value: str) -> Self:
        """Return a secret with the characters of the value: the str() of an enum would be its name."""
        return super().__new__(cls, str.__str__(value))

    def __repr__(self) -> str:
        """Return a mask instead of the value."""
        return "'***'"

    def __reduce__(self) -> tuple[Any, ...]:
        """Raise TypeError: a pickle would contain the plain value."""
        raise TypeError("a Secret cannot be pickled; pass the value through the environment or a secret store")

    def __copy__(self) -> Secret:
        """Return the same object, which is immutable."""
        return self

    def __deepcopy__(self, _: object) -> Secret:
        """Return the same object, which is immutable."""
        return self


class SecretInt(int):
    """A code as an int, masked in repr. JSON writes it as a number."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return a mask instead of the value."""
        return "***"

    def __reduce__(self) -> tuple[Any, ...]:
        """Raise TypeError: a pickle would contain the plain value."""
        raise TypeError("a SecretInt cannot be pickled")


def hidden(value: str | None) -> Secret | None:
    """Return the value as a Secret; None stays None."""
    return None if value is None else Secret(value)
