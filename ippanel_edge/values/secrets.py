"""What hides a key, token, password or code: from repr and pickles here, from logged addresses in `_redact`."""

from __future__ import annotations

from typing import Any


class Secret(str):
    """A key, token, password or code: a str that repr does not show, and that is not pickled.

    ``str(secret)`` is the value itself: asked for by name, it is given.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        """Hide the value."""
        return "'***'"

    def __reduce__(self) -> tuple[Any, ...]:
        """Refuse to be pickled."""
        raise TypeError("a secret is not pickled: hand it over by the environment or a secret store")

    def __copy__(self) -> Secret:
        """Stay the same: it never changes."""
        return self

    def __deepcopy__(self, _: object) -> Secret:
        """Stay the same: it never changes."""
        return self


def hidden(value: str | None) -> Secret | None:
    """Hide a value from repr; None stays None."""
    return None if value is None else Secret(value)
