"""The records of the sandbox, one plain class per kind; `state.SandboxState` holds them, `rules` changes them."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Final

import attrs

GA_SECRET: Final = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # noqa: S105 - the secret of fictional accounts
"""The secret of the authenticator app of each user, unless a test sets another."""


class Record:
    """A record that notes each change of an attribute, once `track` was called, so that only changes are saved.

    A change inside a list or dict of a record is not noted: assign a new list or dict.
    """

    __slots__ = ("_changes", "_key")
    _changes: list[Record]
    _key: Hashable

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)
        changes: list[Record] | None = getattr(self, "_changes", None)
        if changes is not None:
            changes.append(self)

    def track(self, changes: list[Record], key: Hashable) -> None:
        """Append this record to `changes` on each change from now on; `key` is its key in the collection."""
        object.__setattr__(self, "_key", key)
        object.__setattr__(self, "_changes", changes)

    @property
    def tracked_key(self) -> Hashable:
        """The key of `track`; None if it was not called."""
        return getattr(self, "_key", None)


class MessageState(IntEnum):
    """The state of an outbox message (`state_id` of the reports)."""

    CREATING = 0
    REVIEW = 1
    SENDING = 2
    REJECTED = 3
    NO_RECIPIENTS = 4
    QUEUED = 5
    SENT = 6
    CANCELLED = 7
    NO_CREDIT = 8
    ERROR = 9


class DeliveryStatus(IntEnum):
    """The delivery status of one recipient (`message_status` of the reports)."""

    HANDED_OVER = 0
    RECEIVED = 1
    DELIVERED = 2
    NOT_DELIVERED = 3
    BLACKLISTED = 4


class DeliveryOutcome(StrEnum):
    """The final result of the delivery to one recipient."""

    DELIVERED = "delivered"
    LATE = "late"
    SLOW_OPERATOR = "slow_operator"
    NEVER_FINAL = "never_final"
    NOT_DELIVERED = "not_delivered"
    BLACKLISTED = "blacklisted"


class TokenKind(StrEnum):
    """The purpose of a token."""

    SESSION = "session"
    LOGIN_STEP = "login_step"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - the name of a token kind, not a password


@attrs.define
class User(Record):
    """An account: the main one or a sub-user. `parent_id` is None for the main one."""

    user_id: int
    username: str
    password: str = attrs.field(repr=False)
    created_at: datetime
    parent_id: int | None = None
    name: str = ""
    two_factor: str = "login"  # "login": no second factor; "sms"; "ga": Google Authenticator
    ga_secret: str = attrs.field(default=GA_SECRET, repr=False)  # of the authenticator app, in Base32
    mobile: str = ""
    credit: float = 0.0
    yesterday_credit: float = 0.0
    gift: float = 0.0
    status: str = "active"
    is_reseller: bool = False
    send_block: bool = False
    document_block: bool = False
    is_bought_panel: bool = True
    special_disc: int = 0
    national_code: str = ""
    birth_date: str = ""
    email: str = ""
    company: str = ""
    tell: str = ""
    address: str = ""
    zip_code: str = ""
    description: str = ""
    add_status: str = "normal"
    package_id: int = 0
    expire_at: datetime | None = None
    last_login: datetime | None = None


@attrs.define
class Token(Record):
    """A token of a session, of the first step of a login, or of a password reset, with its one-time password."""

    value: str = attrs.field(repr=False)
    user_id: int
    kind: TokenKind
    expires_at: datetime
    otp: str | None = attrs.field(default=None, repr=False)
    otp_expires_at: datetime | None = None


@attrs.define
class Assignment:
    """The permissions of a sub-user on a line that it does not own: sending, and reading the inbox (`gets`)."""

    send: bool
    gets: bool


@attrs.define
class Line(Record):
    """A sender line; a service line also delivers to blacklisted numbers."""

    line_id: int
    number: str
    owner_id: int
    tariff_id: int
    alias: str | None = None
    is_service: bool = False
    is_66_char: bool = False
    color: str | None = None
    assigned: dict[int, Assignment] = attrs.field(factory=dict[int, Assignment])


@attrs.frozen
class Tariff:
    """The price of one SMS segment in Rials, by language and by operator of the recipient."""

    tariff_id: int
    name: str
    persian_mci: float
    english_mci: float
    persian_other: float
    english_other: float


@attrs.define
class Recipient:
    """One recipient of an outbox message, with its own message text."""

    number: str
    text: str
    parts: int
    is_persian: bool
    outcome: DeliveryOutcome = DeliveryOutcome.DELIVERED


@attrs.define
class OutboxMessage(Record):
    """One accepted message; `rules.delivery` computes its current state from the clock.

    Attributes:
        pattern_code: the code of the pattern of a pattern send; None for other sends.
        cost: the price in Rials; of a scheduled message an estimate, until its send time.
        charged: whether the cost was taken from the credit; a scheduled message is charged at its send time.
        final_state: the state in which it ended without being sent (rejected, cancelled, no recipients, no credit), or
            None.
        reviewed_at: the time of approval; None while it is pending review. Equals `created_at` if no review is
            required.
        sequence: the position among all messages to and from phones.
        started_at: the time when sending started, if a setting changed afterwards; else None.
        step_seconds: the duration of its delivery steps, if a setting changed after its start; else None.
    """

    outbox_id: int
    user_id: int
    line: str
    line_id: int
    color: str | None
    sending_type: str
    text: str
    recipients: list[Recipient] = attrs.field(repr=False)
    cost: float
    created_at: datetime
    send_at: datetime
    scheduled: bool
    charged: bool
    needs_review: bool
    reviewed_at: datetime | None
    final_state: MessageState | None = None
    pattern_code: str | None = None
    reject_comment: str | None = None
    client_ip: str | None = None
    sequence: int = 0
    started_at: datetime | None = None
    step_seconds: float | None = None


@attrs.define
class InboxMessage(Record):
    """A message that a phone sent to one of the lines, and its position among all messages to and from phones."""

    inbox_id: int
    sender: str
    line: str
    text: str
    received_at: datetime
    seen: bool = False
    sequence: int = 0


@attrs.frozen
class Notice(Record):
    """An SMS from the service, such as a one-time password; it has no sender line and is not in the outbox.

    `sequence` is its position among all messages to and from phones.
    """

    number: str
    text: str
    sent_at: datetime
    sequence: int = 0


@attrs.define
class PatternVariable:
    """A placeholder of a pattern: its name, its type ("string" or "integer") and its maximum length (0: unlimited)."""

    name: str
    type: str
    length: int = 0


@attrs.define
class Pattern(Record):
    """A message template that is reviewed once and then sent with values for its placeholders.

    Attributes:
        submitted_at: the time of submission, from which automatic approval is computed; None: only
            `approve_pattern` approves it.
    """

    code: str
    document_id: str
    user_id: int
    message: str
    variables: list[PatternVariable]
    created_at: datetime
    updated_at: datetime
    status: str = "pending"  # active, inactive, pending
    title: str | None = None
    description: str = ""
    website: str | None = None
    is_share: bool = False
    delimiter: str = "%"
    type: str = "sms"
    pattern_type: str = "normal"
    admin_comment: str | None = None
    reject_text: str = ""
    submitted_at: datetime | None = None


@attrs.define
class ContactOption(Record):
    """A custom field of contacts, of type "string", "int" or "date"."""

    option_id: int
    user_id: int
    title: str
    type: str
    created_at: datetime


@attrs.define
class Phonebook(Record):
    """A phonebook and the ids of the custom fields of its contacts."""

    phonebook_id: int
    user_id: int
    title: str
    created_at: datetime
    updated_at: datetime
    option_ids: list[int] = attrs.field(factory=list[int])


@attrs.define
class Contact(Record):
    """A number in a phonebook, with the values of its custom fields by option id."""

    contact_id: int
    phonebook_id: int
    number: str
    created_at: datetime
    updated_at: datetime
    pre: str = ""
    name: str = ""
    email: str = ""
    options: dict[int, str] = attrs.field(factory=dict[int, str])
    tags: list[str] = attrs.field(factory=list[str])


@attrs.define
class DraftGroup(Record):
    """A named group of drafts."""

    group_id: int
    user_id: int
    title: str
    created_at: datetime


@attrs.define
class Draft(Record):
    """A saved message text."""

    draft_id: int
    group_id: int
    user_id: int
    message: str
    created_at: datetime
    type: str = "normal"


@attrs.frozen
class TicketCategory:
    """A category of tickets; a sub-category has a parent."""

    category_id: int
    name: str
    parent_id: int | None = None


@attrs.define
class TicketReply:
    """One reply to a ticket."""

    reply_id: int
    user_id: int
    username: str
    description: str
    created_at: datetime
    attachment: str | None = None


@attrs.define
class Ticket(Record):
    """A support ticket."""

    ticket_id: int
    user_id: int
    subject: str
    category_id: int
    description: str
    created_at: datetime
    updated_at: datetime
    sub_category_id: int | None = None
    importance: str = "normal"
    sms_notification: bool = False
    attachment: str | None = None
    state_id: int = 2  # 1: waiting for answer, 2: waiting for support, 3: answered, 4: closed, 5: forwarded
    user_seen: bool = True
    admin_seen: bool = False
    replies: list[TicketReply] = attrs.field(factory=list[TicketReply])


@attrs.define
class Package(Record):
    """A role that sub-users can buy, with its price in Rials."""

    package_id: int
    name: str
    user_id: int
    price: int
    created_at: datetime
    updated_at: datetime
    parent_id: int = 1
    special_disc: int = 0
    min_sms_charge: int = 0
    type: str = "normal"
    acl_type: str = "user"
    status: str = "active"
    registration: str = "online"
    expire_at: datetime | None = None


@attrs.define
class StoredFile(Record):
    """An uploaded or exported file."""

    name: str
    content: bytes = attrs.field(repr=False)


@attrs.frozen
class DocumentKind:
    """A document that the service requires of users, with its number of files."""

    document_id: int
    title: str
    description: str
    file_count: int = 1
    expire_after_days: int = 0
    samples: tuple[tuple[str, str], ...] = ()  # (title, URL)


@attrs.define
class UserDocument(Record):
    """The files that a user uploaded for one kind of document."""

    document_id: int
    user_id: int
    files: list[StoredFile]
    uploaded_at: datetime
    status: str = "pending"
