"""What every send goes through in the end: the 40 seconds, the credit, the review; then it is in the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from ippanel_edge.sandbox.defaults import VOICE_NUMBER, VOICE_TARIFF
from ippanel_edge.sandbox.faults import RESERVED_FATES, Trouble, answer_to, trouble_among
from ippanel_edge.sandbox.population import MCI, operator_of
from ippanel_edge.sandbox.records import Fate, Line, OutboxMessage, Recipient, State, Tariff
from ippanel_edge.sandbox.replies import Answer, forbidden, no_credit, ok, repeated
from ippanel_edge.sandbox.rules.text import Count, count

if TYPE_CHECKING:
    from datetime import datetime

    from ippanel_edge.sandbox.routes import Call
    from ippanel_edge.sandbox.store import World

UNREVIEWED = frozenset({"pattern", "votp"})
"""What goes out without a human's look."""


@attrs.frozen
class Order:
    """One outbox message to be: its text as it was written, and each number's own."""

    text: str
    texts: Sequence[tuple[str, str]]


def one_text(text: str, numbers: Sequence[str]) -> Order:
    """Order one text for all these numbers, each once."""
    return Order(text, [(number, text) for number in dict.fromkeys(numbers)])


def price_of(tariff: Tariff, number: str, counted: Count) -> float:
    """Price one recipient's text in Rials."""
    is_mci = operator_of(number) == MCI
    if counted.is_persian:
        return counted.parts * (tariff.persian_mci if is_mci else tariff.persian_other)
    return counted.parts * (tariff.english_mci if is_mci else tariff.english_other)


def accept(
    call: Call, sending_type: str, orders: Sequence[Order], *, line: Line | None, send_at: datetime | None = None
) -> Answer:
    """Put the orders into the outbox, all of them or none.

    Args:
        call: who sends.
        sending_type: how.
        orders: one for each outbox id.
        line: from where; None: the voice line.
        send_at: when; None: now.

    Raises:
        Refusal: 403 for a blocked user, 429 for an equal text within 40 seconds, 200 with status false for lack of
            credit, and what the reserved numbers stand for.
    """
    world, user = call.world, call.user
    if user.send_block:
        raise forbidden("ارسال برای این کاربر مسدود است")
    trouble = trouble_among(number for order in orders for number, _ in order.texts)
    if trouble is not None and trouble is not Trouble.ACCEPTED_FAILURE:
        raise answer_to(trouble)
    sender = line.number if line else VOICE_NUMBER
    keys = [(number, sender, text) for order in orders for number, text in order.texts]
    if world.recent.has_any(keys, world.now):
        raise repeated()
    tariff = world.tariffs[line.tariff_id if line else VOICE_TARIFF]
    drafts = [_recipients(world, order, tariff, line) for order in orders]
    total = sum(cost for _, cost in drafts)
    if total > user.credit:
        raise no_credit()
    user.credit -= total
    world.recent.add(keys, world.now)
    needs_review = sending_type not in UNREVIEWED and (world.review or len(keys) > world.review_above)
    ids = [
        _add(call, sending_type, order.text, recipients, cost, line=line, send_at=send_at, needs_review=needs_review)
        for order, (recipients, cost) in zip(orders, drafts, strict=True)
    ]
    if trouble is not None:
        raise answer_to(trouble)
    return ok({"message_outbox_ids": ids})


def _recipients(world: World, order: Order, tariff: Tariff, line: Line | None) -> tuple[list[Recipient], float]:
    counts: dict[str, Count] = {}
    recipients: list[Recipient] = []
    cost = 0.0
    for number, text in order.texts:
        counted = counts.get(text) or counts.setdefault(text, count(text))
        cost += price_of(tariff, number, counted)
        recipients.append(Recipient(number, text, counted.parts, counted.is_persian, _fate(world, number, line)))
    return recipients, cost


def _fate(world: World, number: str, line: Line | None) -> Fate:
    if number in RESERVED_FATES:
        return RESERVED_FATES[number]
    if number in world.blacklist and line is not None and not line.is_service:
        return Fate.BLACKLISTED
    return Fate.DELIVERED


def _add(
    call: Call,
    sending_type: str,
    text: str,
    recipients: list[Recipient],
    cost: float,
    *,
    line: Line | None,
    send_at: datetime | None,
    needs_review: bool,
) -> int:
    now = call.now
    message = OutboxMessage(
        outbox_id=call.world.next_id("outbox"),
        user_id=call.user.user_id,
        line=line.number if line else VOICE_NUMBER,
        line_id=line.line_id if line else 0,
        color=line.color if line else None,
        sending_type=sending_type,
        text=text,
        recipients=recipients,
        cost=cost,
        created_at=now,
        send_at=send_at or now,
        scheduled=send_at is not None,
        needs_review=needs_review,
        reviewed_at=None if needs_review else now,
        settled=None if recipients else State.NO_RECIPIENTS,
        client_ip=call.client_ip,
    )
    call.world.outbox[message.outbox_id] = message
    return message.outbox_id
