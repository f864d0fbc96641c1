"""The whole state of the sandbox, and what changes it from outside. The rules of the endpoints are in `rules`."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter, deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import attrs

from ippanel_edge.sandbox.clock import SandboxClock
from ippanel_edge.sandbox.records import (
    Contact,
    ContactOption,
    DocumentKind,
    Draft,
    DraftGroup,
    InboxMessage,
    Line,
    Notice,
    OutboxMessage,
    Package,
    Pattern,
    Phonebook,
    State,
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

if TYPE_CHECKING:
    from collections.abc import Iterable

DUPLICATE_SECONDS: Final = 40
"""An equal text to the same number from the same line is refused for this long."""

FIRST_ID: Final = 1_000
TICKET_FOR_SUPPORT: Final = 2
TICKET_ANSWERED: Final = 3
TICKET_CLOSED: Final = 4


class _Recent:
    """Which (number, line, text) were accepted within the last 40 seconds."""

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


@attrs.define
class World:
    """Everything that the sandbox knows. Ids count up from fixed starts, so a test meets the same ones each time.

    A rule runs under `lock`; hold it too when you change several things from another thread.

    Attributes:
        delivery_seconds: how long each step of a delivery takes: sending, received by the operator, delivered.
        review: every send but a pattern's waits for the review.
        review_above: a send to more recipients than this waits for the review.
        review_seconds: the review lets a send pass after this long; None: only `approve` does.
        pattern_review_seconds: a new or changed pattern becomes active after this long; None: only `approve_pattern`
            makes it so.
        strict: refuse fields that the API does not document, and empty optional ones.
        sample_files: the sample of an import is an Excel file; False: the JSON without data that the API documents.
        exports: the files of contacts that were exported, the newest last; the panel would offer them.
    """

    clock: SandboxClock
    delivery_seconds: float = 2.0
    review: bool = False
    review_above: int = 10_000
    review_seconds: float | None = 60.0
    pattern_review_seconds: float | None = 60.0
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
    recent: _Recent = attrs.field(factory=_Recent, repr=False)
    _counters: Counter[str] = attrs.field(factory=Counter[str], repr=False)

    # ids, tokens, time

    @property
    def now(self) -> datetime:
        """The sandbox's time."""
        return self.clock.now()

    def next_id(self, kind: str) -> int:
        """Return the next id of a kind, such as "outbox": 1001, 1002 and so on."""
        self._counters[kind] += 1
        return FIRST_ID + self._counters[kind]

    def issue_token(self, user: User, kind: TokenKind, seconds: float, *, otp: str | None = None) -> Token:
        """Make a token that lives so long; the same ones in each run."""
        number = self.next_id("token")
        value = hashlib.sha256(f"{kind}-{number}".encode()).hexdigest()[:32]
        token = Token(value, user.user_id, kind, self.now + timedelta(seconds=seconds), otp)
        self.tokens[value] = token
        return token

    # who may what

    def user_of(self, credential: str) -> User | None:
        """Find whose API key or living login token this is."""
        user_id = self.api_keys.get(credential)
        if user_id is None:
            user_id = self._user_of_token(credential)
        return None if user_id is None else self.users.get(user_id)

    def _user_of_token(self, value: str) -> int | None:
        token = self.tokens.get(value)
        if token is None or token.kind is not TokenKind.SESSION or token.expires_at <= self.now:
            return None
        return token.user_id

    def user_named(self, username: str) -> User | None:
        """Find a user by its name."""
        return next((user for user in list(self.users.values()) if user.username == username), None)

    def family(self, user: User) -> list[User]:
        """Return the user and everybody below: whose messages it may see."""
        found = [user]
        for member in found:
            found += [child for child in self.users.values() if child.parent_id == member.user_id]
        return found

    def line_for_sending(self, user: User, number: str) -> Line | None:
        """Find the line with this number if the user may send from it."""
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

    def lines_read_by(self, user: User) -> set[str]:
        """Return the numbers of the lines whose incoming texts the user may read."""
        return {
            line.number
            for line in self.lines.values()
            if line.owner_id == user.user_id or (user.user_id in line.assigned and line.assigned[user.user_id].gets)
        }

    # phonebooks

    def contacts_of(self, phonebook_id: int) -> list[Contact]:
        """Return a phonebook's contacts, the oldest first."""
        return [contact for contact in self.contacts.values() if contact.phonebook_id == phonebook_id]

    def add_contact(self, phonebook_id: int, number: str) -> Contact:
        """Add an empty contact to a phonebook, or return the one with this number."""
        for contact in self.contacts_of(phonebook_id):
            if contact.number == number:
                return contact
        contact = Contact(self.next_id("contact"), phonebook_id, number, self.now, self.now)
        self.contacts[contact.contact_id] = contact
        return contact

    # what happens outside of the API

    def receive(self, from_: str, to: str, text: str) -> InboxMessage:
        """Let a phone send a text to one of the lines.

        Args:
            from_: the phone's number, E.164.
            to: the line's number.
            text: what it says.
        """
        with self.lock:
            message = InboxMessage(self.next_id("inbox"), from_, to, text, self.now)
            self.inbox.append(message)
            return message

    def notify(self, number: str, text: str) -> None:
        """Text a phone from the service itself, such as an OTP of a login."""
        with self.lock:
            self.notices.append(Notice(number, text, self.now))

    def approve(self, outbox_id: int) -> None:
        """Let the review pass a message that waits for it."""
        with self.lock:
            message = self.outbox[outbox_id]
            if message.reviewed_at is None:
                message.reviewed_at = self.now

    def reject(self, outbox_id: int, comment: str = "") -> None:
        """Let the review turn a message down; its cost is given back."""
        with self.lock:
            message = self.outbox[outbox_id]
            message.reject_comment = comment
            self.settle(message, State.REJECTED)

    def settle(self, message: OutboxMessage, state: State) -> None:
        """End a message for good before it was sent, and give its cost back."""
        if message.settled is None:
            message.settled = state
            self.users[message.user_id].credit += message.cost

    def approve_pattern(self, code: str) -> None:
        """Let the review pass a pattern."""
        with self.lock:
            self.patterns[code].status = "active"

    def reject_pattern(self, code: str, comment: str = "") -> None:
        """Let the review turn a pattern down."""
        with self.lock:
            pattern = self.patterns[code]
            pattern.status, pattern.admin_comment = "inactive", comment or None

    def answer_ticket(self, ticket_id: int, text: str, *, attachment: str | None = None) -> TicketReply:
        """Let the support answer a ticket; who asked is texted where the ticket says so.

        Args:
            ticket_id: the ticket.
            text: what the support says.
            attachment: the name of a file that comes with it.
        """
        with self.lock:
            ticket = self.tickets[ticket_id]
            reply = TicketReply(self.next_id("ticket_reply"), 0, "support", text, self.now, attachment)
            ticket.replies.append(reply)
            ticket.state_id, ticket.user_seen, ticket.admin_seen = TICKET_ANSWERED, False, True
            ticket.updated_at = self.now
            user = self.users[ticket.user_id]
            if ticket.sms_notification and user.mobile:
                self.notify(user.mobile, f"تیکت شماره {ticket_id} پاسخ داده شد")
            return reply

    def close_ticket(self, ticket_id: int) -> None:
        """Let the support close a ticket; a further reply opens it again."""
        with self.lock:
            ticket = self.tickets[ticket_id]
            ticket.state_id, ticket.updated_at = TICKET_CLOSED, self.now
