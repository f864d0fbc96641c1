"""Models of the sender lines that an account can use."""

from __future__ import annotations

import attrs

from ippanel_edge.models.common import Model


@attrs.frozen(kw_only=True)
class Number(Model):
    """A sender line. Source: numbers/list-numbers.md.

    Attributes:
        id: the line's id, for `numbers.assign`.
        number: the line: ``+98`` followed by digits or a name.
        operator_id: the id of the line's type.
        alias: the name that you assigned to the line.
        gets: whether the line can receive messages.
        is_66_char: the line's flag of this name, which the service does not explain.
    """

    id: int | None = None
    number: str | None = None
    operator_id: int | None = None
    alias: str | None = None
    gets: bool | None = None
    is_66_char: bool | None = None
