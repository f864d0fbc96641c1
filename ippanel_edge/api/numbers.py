"""The fields that assign a sender line to a user."""

from __future__ import annotations

from ippanel_edge.errors import InvalidArgument
from ippanel_edge.values import phones
from ippanel_edge.values.checks import optional_ids, optional_texts


def line_and_user(
    *, number_id: int | None, number: str | None, target_user_id: int | None, target_user: str | None
) -> dict[str, int | str]:
    """Return the fields that name a line and a user, each by id, by name, or by both.

    Raises:
        InvalidArgument: the line or the user is not named, or a value is invalid.
    """
    if number_id is None and number is None:
        raise InvalidArgument("is required, or number: name the sender line", argument="number_id")
    if target_user_id is None and target_user is None:
        raise InvalidArgument("is required, or target_user: name the user", argument="target_user_id")
    return {
        **optional_ids(number_id=number_id, target_user_id=target_user_id),
        **({} if number is None else {"number": phones.sender_line(number, argument="number")}),
        **optional_texts(target_user=target_user),
    }
