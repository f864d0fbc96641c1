"""Models of numbers: the sender lines that an account may use."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Number:
    """A sender line. Source: numbers/list-numbers.md.

    Attributes:
        id: its id; `numbers.assign` takes it.
        number: the line, ``+98…`` with digits or a name.
        operator_id: the kind of line.
        alias: the name that you gave it.
        gets: whether it receives texts.
        is_66_char: whether it cuts long Persian texts at 66 characters instead of 67.
    """

    id: int | None = None
    number: str | None = None
    operator_id: int | None = None
    alias: str | None = None
    gets: bool | None = None
    is_66_char: bool | None = None
