"""Messages that an application sent, and the text of failed assertions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from difflib import SequenceMatcher
from typing import Final

import attrs

from ippanel_edge.values.phones import digits

LISTED: Final = 5
"""The maximum number of messages in the text of a failed assertion."""

_LONGEST_TEXT: Final = 90


@attrs.frozen(kw_only=True)
class SentMessage:
    """One message to one number that the sandbox accepted.

    Attributes:
        number: the recipient, E.164.
        text: the text as the phone displays it, with the values of a pattern filled in.
        line: the sender line, such as ``+983000100200``.
        time: when the sandbox accepted it, in UTC, by the clock of the sandbox.
        sending_type: the type of the send, such as ``"webservice"`` or ``"pattern"``.
        pattern_code: the code of the pattern; None if it was not sent by a pattern.
        scheduled_for: the time of a scheduled message, in UTC; None if it was sent immediately.
        outbox_id: the id of the send in the outbox; recipients of one send share it.
    """

    number: str
    text: str
    line: str
    time: datetime
    sending_type: str
    pattern_code: str | None
    scheduled_for: datetime | None
    outbox_id: int

    def contains(self, text: str) -> bool:
        """Whether the text of the message contains another text; Persian, Arabic and ASCII digits are equal."""
        return digits(text) in digits(self.text)

    def __str__(self) -> str:
        """Return one line with the number, the line, the kind of send and the beginning of the text."""
        kind = self.sending_type if self.pattern_code is None else f"pattern {self.pattern_code}"
        when = "" if self.scheduled_for is None else f", scheduled for {self.scheduled_for:%Y-%m-%d %H:%M:%S} UTC"
        text = self.text if len(self.text) <= _LONGEST_TEXT else f"{self.text[:_LONGEST_TEXT]}…"
        return f"to {self.number} from {self.line} ({kind}{when}): {text!r}"


def failure(
    problem: str,
    messages: Sequence[SentMessage],
    *,
    number: str | None = None,
    text: str = "",
    failed_sends: Sequence[str] = (),
) -> str:
    """Return the text of a failed assertion, with the messages that were sent.

    Args:
        problem: what was expected, and what was found.
        messages: the messages to list, oldest first.
        number: the expected number; the messages are listed by similarity to it and to `text`, nearest first.
        text: the expected text.
        failed_sends: the calls that the sandbox did not accept, or not answer with success.
    """
    failed = f"\nThese sends failed: {', '.join(failed_sends)}" if failed_sends else ""
    if not messages:
        advice = (
            "A client that the application creates itself needs the fixture edge_environment, before the client is "
            "created"
        )
        return f"{problem}; nothing was sent. {advice}" if not failed else f"{problem}; nothing was sent{failed}"
    order = "oldest first"
    if number is not None:
        messages = sorted(messages, key=lambda message: _similarity(message, number, text), reverse=True)
        order = "nearest first"
    count = f"{len(messages)} messages were" if len(messages) > 1 else "1 message was"
    lines = [f"{problem}; {count} sent, {order}:", *(f"  {message}" for message in messages[:LISTED])]
    if len(messages) > LISTED:
        lines.append(f"  … and {len(messages) - LISTED} more")
    return "\n".join(lines) + failed


def _similarity(message: SentMessage, number: str, text: str) -> float:
    """Return how similar the number and the text of a message are to those expected, 0 to 2."""
    of_number = SequenceMatcher(None, message.number, number, autojunk=False).ratio()
    if not text or message.contains(text):
        return of_number + 1
    return of_number + SequenceMatcher(None, message.text, text, autojunk=False).ratio()
