"""Message ids in the arguments of calls: an int, or the SendResult that contains it."""

from __future__ import annotations

from collections.abc import Iterable

from ippanel_edge.errors import InvalidArgument
from ippanel_edge.models.send_result import SendResult
from ippanel_edge.values.checks import check_id, check_iterable

ARGUMENT = "message_outbox_id"


def message_id(value: int | SendResult, *, argument: str = ARGUMENT) -> int:
    """Return the id of one message.

    Raises:
        InvalidArgument: the value is neither an id nor a SendResult, or the SendResult has several messages.
    """
    if not isinstance(value, SendResult):
        return check_id(value, argument=argument)
    count = len(value.message_outbox_ids)
    if count != 1:
        raise InvalidArgument(
            f"expected one message, got a SendResult with {count}; call once for each of its message_outbox_ids",
            argument=argument,
        )
    return value.message_outbox_ids[0]


def message_ids(values: int | SendResult | Iterable[int | SendResult]) -> tuple[int, ...]:
    """Return the ids of one or more messages, each once, in their order.

    Raises:
        InvalidArgument: a value is neither an id nor a SendResult (the first one is named), or there is none.
    """
    if isinstance(values, int | SendResult):
        return _ids_of(values, ARGUMENT)
    given = check_iterable(values, argument=ARGUMENT, of="ids or SendResults, or one of them")
    found = tuple(
        dict.fromkeys(
            message_id for index, each in enumerate(given) for message_id in _ids_of(each, f"{ARGUMENT}[{index}]")
        )
    )
    if not found:
        raise InvalidArgument("must not be empty", argument=ARGUMENT)
    return found


def _ids_of(value: int | SendResult, argument: str) -> tuple[int, ...]:
    return value.message_outbox_ids if isinstance(value, SendResult) else (check_id(value, argument=argument),)
