"""The final steps of every send: duplicate check, credit, review, and creation of the outbox messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from ippanel_edge.sandbox.defaults import VOICE_NUMBER
from ippanel_edge.sandbox.records import DeliveryOutcome, Line, MessageState, OutboxMessage, Recipient
from ippanel_edge.sandbox.replies import Reply, duplicate_message, forbidden, insufficient_credit, ok
from ippanel_edge.sandbox.reserved import SendFailure, failure_rejection, find_outcome, find_send_failure
from ippanel_edge.sandbox.rules.billing import VOICE_TARIFF, total_price
from ippanel_edge.sandbox.rules.segments import SegmentCount, count_segments, delivered_text

if TYPE_CHECKING:
    from datetime import datetime

    from ippanel_edge.sandbox.routes import Call
    from ippanel_edge.sandbox.state import SandboxState

UNREVIEWED_TYPES = frozenset({"pattern"})
"""The sending types that need no human review."""
_REFUSED = "متن پیام مورد تایید نیست"


@attrs.frozen
class PlannedMessage:
    """An outbox message to create: its text or template, (number, text) pairs of its recipients, and its pattern."""

    text: str
    recipients: Sequence[tuple[str, str]]
    pattern_code: str | None = None


def broadcast(text: str, numbers: Sequence[str], pattern_code: str | None = None) -> PlannedMessage:
    """Return a message with the same text for all numbers; duplicate numbers are removed."""
    return PlannedMessage(text, [(number, text) for number in dict.fromkeys(numbers)], pattern_code)


def accept(
    call: Call,
    sending_type: str,
    messages: Sequence[PlannedMessage],
    *,
    line: Line | None,
    send_at: datetime | None = None,
) -> Reply:
    """Accept all messages and add them to the outbox, or reject all of them. A scheduled send is charged later.

    Args:
        call: the request.
        sending_type: the `sending_type` of the request.
        messages: the messages; each gets its own outbox id.
        line: the sender line; None: the voice line.
        send_at: the time to send at; None: immediately.

    Raises:
        Rejection: 403 for a blocked user, 429 for the same message within 40 seconds, 200 with `status: false` for
            insufficient credit, and the failures of reserved numbers.
    """
    state, user = call.state, call.user
    if user.send_block:
        raise forbidden("ارسال برای این کاربر مسدود است")
    send_failure = find_send_failure(pair for message in messages for pair in message.recipients)
    rejection = None if send_failure is None else failure_rejection(send_failure)
    if rejection is not None and send_failure is not SendFailure.ACCEPTED_FAILURE:
        raise rejection
    sender = line.number if line else VOICE_NUMBER
    keys = [(number, sender, text) for message in messages for number, text in message.recipients]
    if state.recent_messages.has_any(keys, state.now):
        raise duplicate_message()
    tariff = state.tariffs[line.tariff_id if line else VOICE_TARIFF]
    lists = [_recipients(state, message, line) for message in messages]
    priced = [(recipients, total_price(tariff, recipients)) for recipients in lists]
    if send_at is None:
        total = sum(cost for _, cost in priced)
        if total > user.credit:
            raise insufficient_credit()
        user.credit -= total
    state.recent_messages.add(keys, state.now)
    needs_review = sending_type not in UNREVIEWED_TYPES and (state.review or len(keys) > state.review_above)
    ids = [
        _add(call, sending_type, message, recipients, cost, line=line, send_at=send_at, needs_review=needs_review)
        for message, (recipients, cost) in zip(messages, priced, strict=True)
    ]
    if rejection is not None:
        raise rejection
    if send_failure is SendFailure.REVIEW_REFUSED and sending_type not in UNREVIEWED_TYPES:
        for outbox_id in ids:
            if outbox_id in state.outbox:  # more messages than the outbox keeps
                state.refuse(state.outbox[outbox_id], _REFUSED)
    return ok({"message_outbox_ids": ids})


def _recipients(state: SandboxState, message: PlannedMessage, line: Line | None) -> list[Recipient]:
    counts: dict[str, SegmentCount] = {}
    recipients: list[Recipient] = []
    for number, text in message.recipients:
        count = counts.get(text) or counts.setdefault(text, _count(text, line))
        recipients.append(Recipient(number, text, count.parts, count.is_persian, _outcome(state, number, text, line)))
    return recipients


def _count(text: str, line: Line | None) -> SegmentCount:
    """Count the parts of a text as this line sends it, with the opt-out suffix of a promotional line."""
    if line is None:
        return count_segments(text)
    return count_segments(delivered_text(text, is_service=line.is_service), is_66_char=line.is_66_char)


def _outcome(state: SandboxState, number: str, text: str, line: Line | None) -> DeliveryOutcome:
    reserved = find_outcome(number, text)
    if reserved is not None:
        return reserved
    if number in state.blacklist and line is not None and not line.is_service:
        return DeliveryOutcome.BLACKLISTED
    return DeliveryOutcome.DELIVERED


def _add(
    call: Call,
    sending_type: str,
    planned: PlannedMessage,
    recipients: list[Recipient],
    cost: float,
    *,
    line: Line | None,
    send_at: datetime | None,
    needs_review: bool,
) -> int:
    now = call.now
    message = OutboxMessage(
        outbox_id=call.state.next_id("outbox"),
        user_id=call.user.user_id,
        line=line.number if line else VOICE_NUMBER,
        line_id=line.line_id if line else 0,
        color=line.color if line else None,
        sending_type=sending_type,
        text=planned.text,
        pattern_code=planned.pattern_code,
        recipients=recipients,
        cost=cost,
        created_at=now,
        send_at=send_at or now,
        scheduled=send_at is not None,
        charged=send_at is None,
        needs_review=needs_review,
        reviewed_at=None if needs_review else now,
        final_state=None if recipients else MessageState.NO_RECIPIENTS,
        client_ip=call.client_ip,
    )
    call.state.add_to_outbox(message)
    return message.outbox_id
