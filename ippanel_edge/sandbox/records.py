"""What the sandbox remembers: one plain class for each kind of thing. No rules in here; `store.World` holds them."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum, StrEnum

import attrs


class State(IntEnum):
    """Where an outbox message stands, as the reports number it."""

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


class Status(IntEnum):
    """Where one recipient's text stands, as the reports number it."""

    HANDED_OVER = 0
    RECEIVED = 1
    DELIVERED = 2
    FAILED = 3
    BLACKLISTED = 4


class Fate(StrEnum):
    """What will become of one recipient's text."""

    DELIVERED = "delivered"
    LATE = "late"
    FAILED = "failed"
    BLACKLISTED = "blacklisted"


class TokenKind(StrEnum):
    """What a token is good for."""

    SESSION = "session"
    LOGIN_STEP = "login_step"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a kind of token, not one


@attrs.define
class User:
    """An account: the main one or a sub-user. `parent_id` is None for the main one."""

    user_id: int
    username: str
    password: str = attrs.field(repr=False)
    created_at: datetime
    parent_id: int | None = None
    name: str = ""
    two_factor: str = "login"  # login: none; sms; ga: Google Authenticator
    ga_code: str = attrs.field(default="000000", repr=False)  # what the user's authenticator shows
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
class Token:
    """A login token, a token of a login's first step, or one of a password reset, with its OTP."""

    value: str = attrs.field(repr=False)
    user_id: int
    kind: TokenKind
    expires_at: datetime
    otp: str | None = attrs.field(default=None, repr=False)
    otp_expires_at: datetime | None = None


@attrs.define
class Assignment:
    """What a sub-user may do with a line that is not its own."""

    send: bool
    gets: bool


@attrs.define
class Line:
    """A sender line. A service line also reaches blacklisted numbers. `tariff_id` points at its prices."""

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
    """The price of one part in Rials, by language and by the recipient's operator."""

    tariff_id: int
    name: str
    persian_mci: float
    english_mci: float
    persian_other: float
    english_other: float


@attrs.define
class Recipient:
    """One recipient of an outbox message, with the text that this one gets."""

    number: str
    text: str
    parts: int
    is_persian: bool
    fate: Fate = Fate.DELIVERED


@attrs.define
class OutboxMessage:
    """One accepted send. Where it stands is not stored but follows from the clock: see `rules.delivery`.

    Attributes:
        settled: the state it ended in for good (rejected, cancelled, no recipients), None while the clock decides.
        reviewed_at: when the review let it pass; None while it waits. Equals `created_at` where none is needed.
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
    needs_review: bool
    reviewed_at: datetime | None
    settled: State | None = None
    reject_comment: str | None = None
    client_ip: str | None = None


@attrs.define
class InboxMessage:
    """A text that a phone sent to one of the lines."""

    inbox_id: int
    sender: str
    line: str
    text: str
    received_at: datetime
    seen: bool = False


@attrs.frozen
class Notice:
    """A text from the service itself, such as an OTP: it comes from no line and is in no outbox."""

    number: str
    text: str
    sent_at: datetime


@attrs.define
class PatternVariable:
    """A placeholder of a pattern: its name, string or integer, and its longest value (0: any)."""

    name: str
    type: str
    length: int = 0


@attrs.define
class Pattern:
    """A text approved once, sent with values for its placeholders.

    Attributes:
        submitted_at: since when it waits for the review's own decision; None: only `approve_pattern` passes it.
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
class ContactOption:
    """A custom field that contacts may have: string, int or date."""

    option_id: int
    user_id: int
    title: str
    type: str
    created_at: datetime


@attrs.define
class Phonebook:
    """A phonebook and the custom fields its contacts have."""

    phonebook_id: int
    user_id: int
    title: str
    created_at: datetime
    updated_at: datetime
    option_ids: list[int] = attrs.field(factory=list[int])


@attrs.define
class Contact:
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
class DraftGroup:
    """A named group of drafts."""

    group_id: int
    user_id: int
    title: str
    created_at: datetime


@attrs.define
class Draft:
    """A text kept for later."""

    draft_id: int
    group_id: int
    user_id: int
    message: str
    created_at: datetime
    type: str = "normal"


@attrs.frozen
class TicketCategory:
    """What a ticket may be about; a sub-category has a parent."""

    category_id: int
    name: str
    parent_id: int | None = None


@attrs.define
class TicketReply:
    """One answer within a ticket."""

    reply_id: int
    user_id: int
    username: str
    description: str
    created_at: datetime
    attachment: str | None = None


@attrs.define
class Ticket:
    """A question to the support."""

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
    state_id: int = 2  # 1 waiting for an answer, 2 for the support, 3 answered, 4 closed, 5 forwarded
    user_seen: bool = True
    admin_seen: bool = False
    replies: list[TicketReply] = attrs.field(factory=list[TicketReply])


@attrs.define
class Package:
    """What a sub-user buys: a role with its price in Rials."""

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
class StoredFile:
    """A file that was uploaded."""

    name: str
    content: bytes = attrs.field(repr=False)


@attrs.frozen
class DocumentKind:
    """A paper that the service asks for, with the number of its files."""

    document_id: int
    title: str
    description: str
    file_count: int = 1
    expire_after_days: int = 0
    samples: tuple[tuple[str, str], ...] = ()  # title and address


@attrs.define
class UserDocument:
    """What a user uploaded for one document kind."""

    document_id: int
    user_id: int
    files: list[StoredFile]
    uploaded_at: datetime
    status: str = "pending"
