"""The sandbox of a test: the sandbox with assertions on what the application sent."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from ippanel_edge.sandbox.app import names_by_call
from ippanel_edge.sandbox.otp import find_codes
from ippanel_edge.sandbox.records import InboxMessage, MessageState
from ippanel_edge.sandbox.server import Sandbox
from ippanel_edge.sandbox.views import STATE_NAMES
from ippanel_edge.testing.messages import SentMessage, failure
from ippanel_edge.values.phones import recipient, sender_line


class EdgeSandbox(Sandbox):
    """A sandbox with assertions on what was sent. Phone numbers are accepted in any common format.

    A message counts as sent when the sandbox accepts it, also if it is scheduled or pending review. Messages that were
    cancelled or rejected, or for which the credit was insufficient, do not count.
    """

    @property
    def sent(self) -> list[SentMessage]:
        """Every message that was sent, oldest first; a send to several numbers has one message for each."""
        with self.state.lock:
            return [
                SentMessage(
                    number=to.number,
                    text=to.text,
                    line=message.line,
                    time=message.created_at,
                    sending_type=message.sending_type,
                    pattern_code=message.pattern_code,
                    scheduled_for=message.send_at if message.scheduled else None,
                    outbox_id=message.outbox_id,
                )
                for message in self.state.outbox.values()
                if message.final_state is None
                for to in message.recipients
            ]

    def all_sent_to(self, number: str) -> list[SentMessage]:
        """Return the messages to a number, oldest first; an empty list if there are none."""
        wanted = recipient(number, argument="number")
        return [message for message in self.sent if message.number == wanted]

    def sent_to(self, number: str) -> SentMessage:
        """Return the last message to a number.

        Raises:
            AssertionError: there is none; the text lists the messages to similar numbers.
        """
        __tracebackhide__ = True
        return self.assert_sent(number)

    def last_otp(self, number: str) -> str:
        """Return the one-time password in the last message to a number that contains one, as ASCII digits.

        A one-time password is a number of 4 to 8 digits that is not part of a date, a time or an amount.

        Raises:
            AssertionError: no message to the number contains one, or the last that does contains several.
        """
        __tracebackhide__ = True
        wanted = recipient(number, argument="number")
        for message in reversed(self.all_sent_to(wanted)):
            found = find_codes(message.text, message.sending_type)
            if len(found) == 1:
                return found[0]
            if found:
                problem = f"expected one number of 4 to 8 digits in the message, got {' and '.join(found)}"
                raise AssertionError(
                    f"{problem}; read the code from sent_to({wanted!r}).text. The message is\n  {message}"
                )
        problem = f"expected a message to {wanted} with a one-time password of 4 to 8 digits"
        raise AssertionError(failure(problem, self.sent, number=wanted, failed_sends=self._failed_sends()))

    def assert_sent(self, number: str, *, containing: str = "") -> SentMessage:
        """Check that a message was sent to a number; return the last one.

        Args:
            number: the recipient.
            containing: a part of the text. Persian, Arabic and ASCII digits are equal.

        Raises:
            AssertionError: there is no such message; the text lists the most similar ones.
        """
        __tracebackhide__ = True
        found = self._find(number, containing)
        if found:
            return found[-1]
        wanted = recipient(number, argument="number")
        problem = f"expected a message to {wanted}{_with(containing)}"
        raise AssertionError(
            failure(problem, self.sent, number=wanted, text=containing, failed_sends=self._failed_sends())
        )

    def assert_sent_once(self, number: str, *, containing: str = "") -> SentMessage:
        """Check that exactly one message was sent to a number; return it.

        Args:
            number: the recipient.
            containing: a part of the text; messages without it are not counted.

        Raises:
            AssertionError: there is none, or more than one.
        """
        __tracebackhide__ = True
        found = self._find(number, containing)
        if len(found) > 1:
            problem = f"expected one message to {found[0].number}{_with(containing)}, got {len(found)}"
            raise AssertionError(failure(problem, found))
        return self.assert_sent(number, containing=containing)

    def assert_nothing_sent(self) -> None:
        """Check that no message was sent.

        Raises:
            AssertionError: a message was sent; the text lists the messages.
        """
        __tracebackhide__ = True
        if messages := self.sent:
            raise AssertionError(failure("expected no message", messages))

    def receive(self, from_: str, text: str, *, line: str | None = None) -> InboxMessage:
        """Add a message from a phone to the inbox, as if its owner had written to a line of the account.

        Args:
            from_: the number of the phone.
            text: the text of the message.
            line: a line of the account, in any common format; `from_number` by default.

        Raises:
            ValueError: there is no such line.
        """
        to = self.from_number if line is None else sender_line(line, argument="line")
        return self.state.receive(recipient(from_, argument="from_"), to, text)

    def advance(self, seconds: float) -> None:
        """Advance the clock of the sandbox, so that messages are delivered, and tokens and codes expire.

        Raises:
            ValueError: `seconds` is negative.
        """
        self.clock.advance(seconds)

    def __repr__(self) -> str:
        """Return the base URL and the number of messages that were sent."""
        return f"<{type(self).__name__} {self.base_url}, {len(self.sent)} sent>"

    def _failed_sends(self) -> list[str]:
        """Return each send that failed, as far as the events reach back, and each message that will not be sent."""
        with self.events.subscribe(after=0) as subscription:
            requests = [event.data for event in subscription.take() if event.kind == "request"]
        with self.state.lock:
            ended = [(message, message.final_state) for message in self.state.outbox.values()]
        return [
            f"{request['call']} ({_result(request)})"
            for request in requests
            if request["call"] in names_by_call()["send"] and _failed(request)
        ] + [
            f"message {message.outbox_id} ({_ending(state, message.reject_comment)})"
            for message, state in ended
            if state is not None
        ]

    def _find(self, number: str, containing: str) -> list[SentMessage]:
        return [message for message in self.all_sent_to(number) if message.contains(containing)]


def _failed(request: Mapping[str, Any]) -> bool:
    return request["status"] != HTTPStatus.OK or request["error"] is not None


def _result(request: Mapping[str, Any]) -> str:
    if request["status"] is None:
        return "broken connection"
    result = f"HTTP {request['status']}"
    return f"{result}: {request['error']}" if request["error"] else result


def _ending(state: MessageState, comment: str | None) -> str:
    return f"{STATE_NAMES[state]}: {comment}" if comment else STATE_NAMES[state]


def _with(containing: str) -> str:
    return f" that contains {containing!r}" if containing else ""
