"""The messages that the page shows: the phones with their newest message, and the conversation of one of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final

import attrs

from ippanel_edge.sandbox.spelling import latin_digits, normalise_mobile
from ippanel_edge.sandbox.views import PhoneMessage, phone_messages

if TYPE_CHECKING:
    from ippanel_edge.sandbox.state import SandboxState

MAX_MESSAGES: Final = 20_000
"""The number of messages that the page looks at, the newest ones: more would delay the requests of the API."""
_MIN_DIGITS: Final = 2


@attrs.frozen
class Phone:
    """A phone, its newest message that matches the search, and the number of all its messages."""

    number: str
    newest: PhoneMessage
    count: int


@attrs.frozen
class Inbox:
    """The messages of all phones, newest first, and those that match the search."""

    messages: Sequence[PhoneMessage]
    matching: Sequence[PhoneMessage]

    @classmethod
    def read(cls, state: SandboxState, search: str) -> Inbox:
        """Read the newest messages of a state; all of them match an empty search. The caller holds the lock."""
        messages = list(islice(phone_messages(state), MAX_MESSAGES))
        if not search:
            return cls(messages, messages)
        wanted = latin_digits(search).casefold()
        digits = wanted.replace(" ", "").removeprefix("0")
        is_number = digits.removeprefix("+").isdigit() and len(digits) >= _MIN_DIGITS
        return cls(
            messages,
            [
                message
                for message in messages
                if wanted in latin_digits(message.text).casefold() or (is_number and digits in message.number)
            ],
        )

    def phones(self, limit: int) -> list[Phone]:
        """Return at most `limit` phones, the one with the newest matching message first."""
        counts: dict[str, int] = {}
        for message in self.messages:
            counts[message.number] = counts.get(message.number, 0) + 1
        newest: dict[str, PhoneMessage] = {}
        for message in self.matching:
            newest.setdefault(message.number, message)
        return [Phone(number, message, counts[number]) for number, message in islice(newest.items(), limit)]

    def conversation(self, number: str) -> list[PhoneMessage]:
        """Return the messages of a phone that match the search, newest first."""
        return [message for message in self.matching if message.number == number]

    def count(self, number: str) -> int:
        """Return the number of messages of a phone."""
        return sum(message.number == number for message in self.messages)

    def choose(self, wanted: str) -> str | None:
        """Return the number of the wanted phone, in any spelling; by default that of the newest matching message.

        Raises:
            ValueError: `wanted` is neither a phone with messages nor a mobile number.
        """
        if not wanted:
            return self.matching[0].number if self.matching else None
        return wanted if self.count(wanted) else normalise_mobile(wanted)
