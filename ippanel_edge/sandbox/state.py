"""The state of the sandbox, with methods that simulate events outside the API; `rules` implements the endpoints."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter, deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs

from ippanel_edge.sandbox.clock import SandboxClock
from ippanel_edge.sandbox.events import EventFeed
from ippanel_edge.sandbox.progress import Progress
from ippanel_edge.sandbox.records import (
    Contact,
    ContactOption,
    DocumentKind,
    Draft,
    DraftGroup,
    InboxMessage,
    Line,
    MessageState,
    Notice,
    OutboxMessage,
    Package,
    Pattern,
    Phonebook,
    StoredFile,
    Tariff,
    Ticket,
    TicketCategory,
    TicketReply,
    Token,
    TokenKind,
    User,
    UserDocument,
)
from ippanel_edge.sandbox.rules.delivery import keep_progress, message_state, planned_start
from ippanel_edge.sandbox.spelling import find_line, normalise_mobile
from ippanel_edge.sandbox.timed import TimedItems
from ippanel_edge.sandbox.views import incoming_row, iso, notice_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

T = TypeVar("T")

DUPLICATE_SECONDS: Final = 40
"""A message is rejected if the same line sent it to the same number less than this many seconds ago."""

RECIPIENTS_PER_MESSAGE: Final = 10
"""The outbox keeps at most this many recipients for each message of `max_messages`."""

TOKEN_LIMIT: Final = 1_000
"""The number of tokens from which on expired ones are removed."""

FIRST_ID: Final = 1_000
TICKET_WAITING_FOR_SUPPORT: Final = 2
TICKET_ANSWERED: Final = 3
TICKET_CLOSED: Final = 4


def _kept(limit: int) -> int:
    """Return how many items remain when a limit is exceeded: removing a tenth at once makes each removal cheap."""
    return limit - limit // 10


class _RecentMessages:
    """The (number, line, text) keys that were accepted within the last 40 seconds."""

    def __init__(self) -> None:
        self._until: dict[tuple[str, str, str], datetime] = {}
        self._order: deque[tuple[datetime, tuple[str, str, str]]] = deque()

    def has_any(self, keys: Iterable[tuple[str, str, str]], now: datetime) -> bool:
        while self._order and self._order[0][0] <= now:
            until, key = self._order.popleft()
            if self._until.get(key) == until:
                del self._until[key]
        return any(key in self._until for key in keys)

    def add(self, keys: Iterable[tuple[str, str, str]], now: datetime) -> None:
        until = now + timedelta(seconds=DUPLICATE_SECONDS)
        for key in keys:
            self._until[key] = until
            self._order.append((until, key))

    def clear(self) -> None:
        self._until.clear()
        self._order.clear()


def _keep_progress(state: SandboxState, _: attrs.Attribute[Any], value: T) -> T:
    """Record what has happened to the messages before a setting changes."""
    state.keep_progress()
    return value


@attrs.define
class SandboxState:
    """The complete state of a sandbox. Ids are sequential from a fixed start, so tests are reproducible.

    Rules run while holding `lock`; acquire it as well to make several changes from another thread.

    Attributes:
        delivery_seconds: the duration in seconds of each delivery step: sending, received by the operator, delivered. A
            change affects messages whose sending has not started.
        review: whether every send requires a review, except pattern sends.
        review_above: sends to more recipients than this require a review.
        review_seconds: a send is approved automatically after this many seconds; None: only `approve` approves it.
        pattern_review_seconds: a new or changed pattern becomes active after this many seconds; None: only
            `approve_pattern` activates it.
        max_messages: the number of messages that are kept in the outbox, in the inbox and in the notices, each; beyond
            it the oldest are removed. The outbox also keeps at most ten times as many recipients.
        strict: reject fields that the API does not document, and optional fields that are null or empty.
        sample_files: whether the sample of an import is an Excel file; False: the documented JSON without data.
        exports: the exported files of contacts, newest last, which the panel would offer for download.
        uncharged: the scheduled messages that are charged at their send time.
        events: the feed of what happens: messages, status changes, requests and so on.
        progress: publishes the status changes of outgoing messages.
    """

    clock: SandboxClock
    delivery_seconds: float = attrs.field(default=2.0, on_setattr=_keep_progress)
    review: bool = False
    review_above: int = 10_000
    review_seconds: float | None = attrs.field(default=60.0, on_setattr=_keep_progress)
    pattern_review_seconds: float | None = 60.0
    max_messages: int = 100_000
    strict: bool = True
    sample_files: bool = True
    lock: threading.RLock = attrs.field(factory=threading.RLock, repr=False)

    users: dict[int, User] = attrs.field(factory=dict[int, User])
    api_keys: dict[str, int] = attrs.field(factory=dict[str, int], repr=False)
    tokens: dict[str, Token] = attrs.field(factory=dict[str, Token], repr=False)
    lines: dict[int, Line] = attrs.field(factory=dict[int, Line])
    tariffs: dict[int, Tariff] = attrs.field(factory=dict[int, Tariff])
    outbox: dict[int, OutboxMessage] = attrs.field(factory=dict[int, OutboxMessage], repr=False)
    inbox: list[InboxMessage] = attrs.field(factory=list[InboxMessage], repr=False)
    notices: list[Notice] = attrs.field(factory=list[Notice], repr=False)
    blacklist: set[str] = attrs.field(factory=set[str])
    patterns: dict[str, Pattern] = attrs.field(factory=dict[str, Pattern])
    phonebooks: dict[int, Phonebook] = attrs.field(factory=dict[int, Phonebook])
    contacts: dict[int, Contact] = attrs.field(factory=dict[int, Contact], repr=False)
    contact_options: dict[int, ContactOption] = attrs.field(factory=dict[int, ContactOption])
    exports: list[StoredFile] = attrs.field(factory=list[StoredFile], repr=False)
    draft_groups: dict[int, DraftGroup] = attrs.field(factory=dict[int, DraftGroup])
    drafts: dict[int, Draft] = attrs.field(factory=dict[int, Draft])
    ticket_categories: dict[int, TicketCategory] = attrs.field(factory=dict[int, TicketCategory])
    tickets: dict[int, Ticket] = attrs.field(factory=dict[int, Ticket])
    packages: dict[int, Package] = attrs.field(factory=dict[int, Package])
    document_kinds: dict[int, DocumentKind] = attrs.field(factory=dict[int, DocumentKind])
    documents: dict[tuple[int, int], UserDocument] = attrs.field(factory=dict[tuple[int, int], UserDocument])
    uncharged: TimedItems[OutboxMessage] = attrs.field(
        factory=lambda: TimedItems(planned_start), repr=False, metadata={"stored": False}
    )
    recent_messages: _RecentMessages = attrs.field(factory=_RecentMessages, repr=False)
    events: EventFeed = attrs.field(factory=EventFeed, repr=False)
    progress: Progress = attrs.field(init=False, repr=False)
    _token_limit: int = attrs.field(default=TOKEN_LIMIT, repr=False)
    _recipient_count: int = attrs.field(default=0, repr=False)
    _setting_changes: int = attrs.field(default=0, repr=False)
    _counters: Counter[str] = attrs.field(factory=Counter[str], repr=False)

    def __attrs_post_init__(self) -> None:
        """Connect the event feed to the clock."""
        self.progress = Progress(self.events)
        self.events.poll = self.publish_status_changes
        self.clock.listeners.append(self._on_clock_change)

    # Ids, tokens, time

    @property
    def now(self) -> datetime:
        """The current time of the sandbox."""
        return self.clock.now()

    def next_id(self, kind: str) -> int:
        """Return the next id of a kind of record, such as "outbox": 1001, 1002 and so on."""
        self._counters[kind] += 1
        return FIRST_ID + self._counters[kind]

    def issue_token(self, user: User, kind: TokenKind, seconds: float, *, otp: str | None = None) -> Token:
        """Create a token that expires after `seconds`; the values are the same in each run."""
        now = self.now
        number = self.next_id("token")
        if len(self.tokens) >= self._token_limit:
            self.tokens = {value: token for value, token in self.tokens.items() if token.expires_at > now}
            self._token_limit = max(TOKEN_LIMIT, 2 * len(self.tokens))
        value = hashlib.sha256(f"{kind}-{number}".encode()).hexdigest()[:32]
        token = Token(value, user.user_id, kind, now + timedelta(seconds=seconds), otp)
        self.tokens[value] = token
        return token

    def counters(self) -> dict[str, int]:
        """Return how many ids of each kind `next_id` has returned."""
        return dict(self._counters)

    def restore(self, counters: Mapping[str, int], api_keys: Mapping[str, int], blacklist: Iterable[str]) -> None:
        """Take over these values after the records of a saved state were set, and compute what follows from them."""
        self._counters, self.api_keys, self.blacklist = Counter(counters), dict(api_keys), set(blacklist)
        for message in self.outbox.values():
            self._recipient_count += len(message.recipients)
            if not message.charged and message.final_state is None:
                self.uncharged.set(message.outbox_id, message, self)
            if message.created_at > self.now - timedelta(seconds=DUPLICATE_SECONDS):
                keys = [(recipient.number, message.line, recipient.text) for recipient in message.recipients]
                self.recent_messages.add(keys, message.created_at)

    # Users and permissions

    def user_by_credential(self, credential: str) -> User | None:
        """Return the user of an API key or of a login token that has not expired; None if there is none."""
        user_id = self.api_keys.get(credential)
        if user_id is None:
            user_id = self._user_id_by_token(credential)
        return None if user_id is None else self.users.get(user_id)

    def _user_id_by_token(self, value: str) -> int | None:
        token = self.tokens.get(value)
        if token is None or token.kind is not TokenKind.SESSION or token.expires_at <= self.now:
            return None
        return token.user_id

    def find_user(self, username: str) -> User | None:
        """Return the user with this username; None if there is none."""
        return next((user for user in list(self.users.values()) if user.username == username), None)

    def with_sub_users(self, user: User) -> list[User]:
        """Return a user and all its direct and indirect sub-users, whose records it may see."""
        users = [user]
        for parent in users:
            users += [child for child in self.users.values() if child.parent_id == parent.user_id]
        return users

    def line_for_sending(self, user: User, number: str) -> Line | None:
        """Return the line with this number if the user may send from it; None otherwise."""
        return next(
            (
                line
                for line in self.lines.values()
                if line.number == number
                and (
                    line.owner_id == user.user_id
                    or (user.user_id in line.assigned and line.assigned[user.user_id].send)
                )
            ),
            None,
        )

    def readable_lines(self, user: User) -> set[str]:
        """Return the numbers of the lines whose incoming messages the user may read."""
        return {
            line.number
            for line in self.lines.values()
            if line.owner_id == user.user_id or (user.user_id in line.assigned and line.assigned[user.user_id].gets)
        }

    # Phonebooks

    def contacts_of(self, phonebook_id: int) -> list[Contact]:
        """Return the contacts of a phonebook, oldest first."""
        return [contact for contact in self.contacts.values() if contact.phonebook_id == phonebook_id]

    def add_contact(self, phonebook_id: int, number: str) -> Contact:
        """Return the contact of a phonebook with this number; create it if it does not exist."""
        for contact in self.contacts_of(phonebook_id):
            if contact.number == number:
                return contact
        contact = Contact(self.next_id("contact"), phonebook_id, number, self.now, self.now)
        self.contacts[contact.contact_id] = contact
        return contact

    # Messages

    def add_to_outbox(self, message: OutboxMessage) -> None:
        """Add an accepted message to the outbox; remove the oldest messages if there are more than `max_messages`."""
        message.sequence = self.next_id("sequence")
        self.outbox[message.outbox_id] = message
        if not message.charged and message.final_state is None:
            self.uncharged.set(message.outbox_id, message, self)
        self.progress.add(message, self)
        self._recipient_count += len(message.recipients)
        limit = self.max_messages * RECIPIENTS_PER_MESSAGE
        if len(self.outbox) > self.max_messages:
            self._remove_oldest(len(self.outbox) - _kept(self.max_messages), 0)
        elif self._recipient_count > limit:
            # The count does not know of messages that were removed otherwise, so it is renewed first.
            self._recipient_count = sum(len(each.recipients) for each in self.outbox.values())
            if self._recipient_count > limit:
                self._remove_oldest(0, self._recipient_count - _kept(limit))

    def _remove_oldest(self, messages: int, recipients: int) -> None:
        """Remove this many messages and this many recipients or more, but never the newest message."""
        removed_messages = removed_recipients = 0
        for outbox_id in list(self.outbox)[:-1]:
            if removed_messages >= messages and removed_recipients >= recipients:
                break
            removed_messages += 1
            removed_recipients += len(self.outbox.pop(outbox_id).recipients)
            self.uncharged.remove(outbox_id)
            self.progress.remove(outbox_id)
        self._recipient_count -= removed_recipients
        if removed_messages:
            self._publish_removal()

    def _limit(self, records: list[InboxMessage] | list[Notice]) -> None:
        """Remove the oldest records if there are more than `max_messages`."""
        if len(records) > self.max_messages:
            del records[: len(records) - _kept(self.max_messages)]
            self._publish_removal()

    def _publish_removal(self) -> None:
        self.events.publish("reset", {"reason": "the oldest messages were deleted"})

    # Events outside the API

    @property
    def main_user(self) -> User:
        """The main account, which has no parent."""
        return next(user for user in self.users.values() if user.parent_id is None)

    @property
    def main_api_key(self) -> str | None:
        """The first API key of the main account, None if it has none."""
        main = self.main_user.user_id
        return next((key for key, user_id in self.api_keys.items() if user_id == main), None)

    def lines_main_first(self) -> list[Line]:
        """Return the lines, those of the main account first; the first one is its main line."""
        main = self.main_user.user_id
        return sorted(self.lines.values(), key=lambda line: line.owner_id != main)

    def publish_status_changes(self) -> None:
        """Publish the status changes of outgoing messages since the last call."""
        with self.lock:
            self.progress.update(self)

    def keep_progress(self) -> None:
        """Record what has happened to the messages, so that no change of the settings undoes it."""
        with self.lock:
            self._setting_changes += 1
            for message in self.outbox.values():
                keep_progress(message, self)

    @property
    def timing(self) -> tuple[float | None, ...]:
        """The settings that the times of messages depend on; it differs after each change of one of them."""
        return self._setting_changes, self.delivery_seconds, self.review_seconds, self.clock.factor

    def _on_clock_change(self) -> None:
        self.events.publish("clock", {"now": iso(self.now)})
        self.publish_status_changes()

    def reset(self) -> None:
        """Delete the outbox, the inbox and the notices, and forget sent duplicates; ids are not used again."""
        with self.lock:
            for records in (self.outbox, self.inbox, self.notices, self.uncharged, self.recent_messages, self.progress):
                records.clear()
            self._recipient_count = 0
            self.events.publish("reset", {"reason": "the messages were deleted"})

    def receive(self, from_: str, to: str, text: str) -> InboxMessage:
        """Add a message from a phone to the inbox of a line.

        Args:
            from_: the number of the phone, a mobile number in any common spelling.
            to: the number of the line, with or without its country code.
            text: the message text.

        Raises:
            ValueError: there is no such line, or `from_` is not a mobile number.
        """
        with self.lock:
            line = find_line(to, self.lines.values())
            if line is None:
                raise ValueError(f"no line has the number {to!r}; see `lines`")
            sender = normalise_mobile(from_)
            message = InboxMessage(self.next_id("inbox"), sender, line.number, text, self.now)
            message.sequence = self.next_id("sequence")
            self.inbox.append(message)
            self.events.publish("inbound", incoming_row(message))
            self._limit(self.inbox)
            return message

    def notify(self, number: str, text: str) -> None:
        """Send an SMS from the service to a phone, such as the one-time password of a login."""
        with self.lock:
            notice = Notice(number, text, self.now, self.next_id("sequence"))
            self.notices.append(notice)
            self.events.publish("message", notice_row(notice))
            self._limit(self.notices)

    def approve(self, outbox_id: int) -> None:
        """Approve a message that is pending review."""
        with self.lock:
            message = self.outbox[outbox_id]
            if message.reviewed_at is None:
                message.reviewed_at = self.now
                if self.uncharged.get(outbox_id) is not None:
                    self.uncharged.set(outbox_id, message, self)
            self.progress.update_message(message, self)

    def reject(self, outbox_id: int, comment: str = "") -> None:
        """Reject a message in review; a cost that was charged is refunded.

        Raises:
            ValueError: the message is not in review.
        """
        with self.lock:
            message = self.outbox[outbox_id]
            found = message_state(message, self)
            if found is not MessageState.REVIEW:
                raise ValueError(f"message {outbox_id} is not in review: its state is {found.name.lower()}")
            self.refuse(message, comment)

    def refuse(self, message: OutboxMessage, comment: str) -> None:
        """Set the final state of a message that the review refused."""
        message.reject_comment = comment
        self.finish(message, MessageState.REJECTED)

    def finish(self, message: OutboxMessage, state: MessageState) -> None:
        """Set the final state of a message that was not sent; a cost that was charged is refunded."""
        if message.final_state is None:
            message.final_state = state
            self.uncharged.remove(message.outbox_id)
            if message.charged:
                self.users[message.user_id].credit += message.cost
            self.progress.update_message(message, self)

    def approve_pattern(self, code: str) -> None:
        """Approve a pattern."""
        with self.lock:
            self.patterns[code].status = "active"

    def reject_pattern(self, code: str, comment: str = "") -> None:
        """Reject a pattern."""
        with self.lock:
            pattern = self.patterns[code]
            pattern.status, pattern.admin_comment = "inactive", comment or None

    def answer_ticket(self, ticket_id: int, text: str, *, attachment: str | None = None) -> TicketReply:
        """Add a reply of the support to a ticket; its owner gets an SMS if the ticket has `sms_notification`.

        Args:
            ticket_id: the id of the ticket.
            text: the text of the reply.
            attachment: the name of an attached file.
        """
        with self.lock:
            ticket = self.tickets[ticket_id]
            reply = TicketReply(self.next_id("ticket_reply"), 0, "support", text, self.now, attachment)
            ticket.replies = [*ticket.replies, reply]
            ticket.state_id, ticket.user_seen, ticket.admin_seen = TICKET_ANSWERED, False, True
            ticket.updated_at = self.now
            user = self.users[ticket.user_id]
            if ticket.sms_notification and user.mobile:
                self.notify(user.mobile, f"تیکت شماره {ticket_id} پاسخ داده شد")
            return reply

    def close_ticket(self, ticket_id: int) -> None:
        """Close a ticket; a further reply reopens it."""
        with self.lock:
            ticket = self.tickets[ticket_id]
            ticket.state_id, ticket.updated_at = TICKET_CLOSED, self.now
