"""Prices, and the charge for scheduled sends, which the service reckons at their send time."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from ippanel_edge.sandbox.population import MCI, operator_of
from ippanel_edge.sandbox.records import MessageState, OutboxMessage, Recipient, Tariff
from ippanel_edge.sandbox.rules.delivery import sending_start

if TYPE_CHECKING:
    from datetime import datetime

    from ippanel_edge.sandbox.state import SandboxState

VOICE_TARIFF: Final = 2
"""The tariff of voice messages, which have no line."""


def message_price(tariff: Tariff, number: str, parts: int, *, is_persian: bool) -> float:
    """Return the price in Rials of a message to one number."""
    is_mci = operator_of(number) == MCI
    if is_persian:
        return parts * (tariff.persian_mci if is_mci else tariff.persian_other)
    return parts * (tariff.english_mci if is_mci else tariff.english_other)


def total_price(tariff: Tariff, recipients: Iterable[Recipient]) -> float:
    """Return the price in Rials of a message to its recipients."""
    return sum(
        message_price(tariff, recipient.number, recipient.parts, is_persian=recipient.is_persian)
        for recipient in recipients
    )


def charge_due_messages(state: SandboxState) -> None:
    """Charge the scheduled messages whose send time has come, in the order of that time, by the tariffs of now.

    A message that exceeds the credit is not sent: its state is 8. There are no background tasks, so the app calls this
    before each request.
    """
    due: list[tuple[datetime, int, OutboxMessage]] = []
    for message in state.uncharged.take_due(state):
        start = sending_start(message, state)
        if message.final_state is not None:
            state.uncharged.remove(message.outbox_id)
        elif start is not None and start <= state.now:
            due.append((start, message.outbox_id, message))
        else:
            state.uncharged.set(message.outbox_id, message, state)
    for _, outbox_id, message in sorted(due, key=itemgetter(0, 1)):
        state.uncharged.remove(outbox_id)
        user = state.users[message.user_id]
        message.cost = total_price(state.tariffs[state.lines[message.line_id].tariff_id], message.recipients)
        if message.cost > user.credit:
            message.final_state = MessageState.NO_CREDIT
        else:
            user.credit -= message.cost
            message.charged = True
