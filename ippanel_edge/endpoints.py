"""The API on one page: one line for each endpoint. No I/O in here, and nothing about how a call is carried out."""

from __future__ import annotations

from enum import Enum
from types import NoneType
from typing import Any, Final, Generic, Literal, TypeGuard, TypeVar

import attrs

from ippanel_edge.models.auth import LoginStep
from ippanel_edge.models.banks import Gender, Place, RecipientsCount
from ippanel_edge.models.common import Page
from ippanel_edge.models.payment import Credit
from ippanel_edge.models.reports import BulkStats, InboxMessage, OutboxMessage, RecipientReport
from ippanel_edge.models.send import Price, SendResult

T = TypeVar("T")
Method = Literal["GET", "POST", "PUT", "DELETE"]


class Repeat(Enum):
    """What a second, equal request does. It belongs to the endpoint, not to the HTTP method."""

    READ = "read"
    """Only reads: repeatable."""
    WRITE = "write"
    """Writes, and repeating converges: the second changes nothing more."""
    ONCE = "once"
    """Repeating bills, texts or creates twice."""


class Access(Enum):
    """What authorises a call."""

    KEY = "key"
    """The header: an API key or a login token."""
    NONE = "none"
    """Nothing: the login endpoints."""
    ARGUMENTS = "arguments"
    """Credentials among the arguments: the URL send."""


READ, WRITE, ONCE = Repeat.READ, Repeat.WRITE, Repeat.ONCE
NOTHING: Final[type[None]] = NoneType
NO_KEY = Access.NONE


@attrs.frozen
class Endpoint(Generic[T]):
    """One address of the API.

    Attributes:
        name: the SDK's call, such as ``reports.by_id``.
        method: the HTTP method.
        path: below the base URL; ``{…}`` are path parameters. A path that begins with ``/v2/`` is beside ``/v1``.
        repeat: what a second, equal request does.
        returns: the class that `data` is decoded to; NOTHING where `data` says nothing; bytes for a file.
        source: the published page that it follows.
        in_seed: whether the seed collection has it too.
        access: what authorises the call.
        alternate: another method that one of the documents names; tried once after a 405.
        bare: whether the answer comes without `meta`.
        statuses: results that a status alone gives, such as 409 for "taken".
    """

    name: str
    method: Method
    path: str
    repeat: Repeat
    returns: type[T]
    source: str
    in_seed: bool = attrs.field(default=True, kw_only=True)
    access: Access = attrs.field(default=Access.KEY, kw_only=True)
    alternate: Method | None = attrs.field(default=None, kw_only=True)
    bare: bool = attrs.field(default=False, kw_only=True)
    statuses: tuple[tuple[int, T], ...] = attrs.field(default=(), kw_only=True)


# One endpoint, one line: the page is read as a table.
# fmt: off
# ruff: noqa: E501

# Logging in.
AUTH_LOGIN = Endpoint("auth.login", "POST", "/api/acl/auth/login", ONCE, LoginStep, "auth/login.md", access=NO_KEY)
AUTH_SEND_SMS_OTP = Endpoint("auth.send_sms_otp", "POST", "/api/acl/auth/send_sms_otp", ONCE, LoginStep, "auth/sms-otp.md", access=NO_KEY)
AUTH_CONFIRM_OTP = Endpoint("auth.confirm_otp", "POST", "/api/acl/auth/confirm_otp", ONCE, LoginStep, "auth/confirm-otp.md", access=NO_KEY)

# Sending. Fourteen ways go through one address, told apart by `sending_type`; the URL send has its own.
SEND_WEBSERVICE = Endpoint("send.webservice", "POST", "/api/send", ONCE, SendResult, "send/webservice.md")
SEND_PEER_TO_PEER = Endpoint("send.peer_to_peer", "POST", "/api/send", ONCE, SendResult, "send/peer-to-peer.md")
SEND_PEER_TO_PEER_FILE = Endpoint("send.peer_to_peer_file", "POST", "/api/send", ONCE, SendResult, "send/peer-to-peer-file.md")
SEND_POSTAL_CODE = Endpoint("send.postal_code", "POST", "/api/send", ONCE, SendResult, "send/postalcode.md")
SEND_COUNTRY = Endpoint("send.country", "POST", "/api/send", ONCE, SendResult, "send/country/index.md")
SEND_GEOLOCATION = Endpoint("send.geolocation", "POST", "/api/send", ONCE, SendResult, "send/countryV2/index.md", in_seed=False)
SEND_JOB = Endpoint("send.job", "POST", "/api/send", ONCE, SendResult, "send/jobs/index.md", in_seed=False)
SEND_KEYWORD = Endpoint("send.keyword", "POST", "/api/send", ONCE, SendResult, "send/keyword.md")
SEND_KEYWORD_PHONEBOOK = Endpoint("send.keyword_phonebook", "POST", "/api/send", ONCE, SendResult, "send/keyword-phonebook.md")
SEND_PHONEBOOK = Endpoint("send.phonebook", "POST", "/api/send", ONCE, SendResult, "send/phonebook.md")
SEND_PATTERN = Endpoint("send.pattern", "POST", "/api/send", ONCE, SendResult, "send/pattern.md")
SEND_FILE = Endpoint("send.file", "POST", "/api/send", ONCE, SendResult, "send/file.md")
SEND_VOTP = Endpoint("send.votp", "POST", "/api/send", ONCE, SendResult, "send/votp.md")
SEND_URL = Endpoint("send.url", "POST", "/api/send/webservice", ONCE, SendResult, "send/url.md", access=Access.ARGUMENTS, alternate="GET")
SEND_CANCEL = Endpoint("send.cancel", "POST", "/api/send/cancel", WRITE, NOTHING, "send/cancel-scheduled.md")
SEND_CALCULATE_PRICE = Endpoint("send.calculate_price", "POST", "/api/send/calculate-price", READ, Price, "send/calculate-price.md", in_seed=False)

# Number banks by place, first version.
BANKS_PROVINCES = Endpoint("banks.provinces", "GET", "/api/send/banks/provinces", READ, list[Place], "send/country/province.md")
BANKS_COUNTIES = Endpoint("banks.counties", "GET", "/api/send/banks/counties", READ, list[Place], "send/country/county.md")
BANKS_CITIES = Endpoint("banks.cities", "GET", "/api/send/banks/cities", READ, list[Place], "send/country/city.md")
BANKS_GENDERS = Endpoint("banks.genders", "GET", "/api/send/banks/genders", READ, list[Gender], "send/country/gender.md", bare=True)
BANKS_COUNT = Endpoint("banks.count", "GET", "/api/send/banks/counts", READ, RecipientsCount, "send/country/count.md")

# What became of messages, and what came in.
REPORTS_OUTBOX = Endpoint("reports.outbox", "POST", "/api/report/new_list", READ, Page[OutboxMessage], "report/outbox-report.md")
REPORTS_BY_ID = Endpoint("reports.by_id", "GET", "/api/report/by_bulk", READ, OutboxMessage, "report/outbox-report-id.md")
REPORTS_RECIPIENTS = Endpoint("reports.recipients", "GET", "/api/report/recipients", READ, Page[RecipientReport], "report/bulk-recipient.md")
REPORTS_STATS = Endpoint("reports.stats", "GET", "/api/report/bulk_stats", READ, BulkStats, "report/bulk-stats.md", in_seed=False)
REPORTS_INBOX = Endpoint("reports.inbox", "POST", "/api/report/messages-inbox", READ, Page[InboxMessage], "report/inbox-report.md")

# The account's money.
PAYMENT_CREDIT = Endpoint("payment.credit", "GET", "/api/payment/credit/mine", READ, Credit, "payment/my-credit.md")
# fmt: on


def _is_line(value: object) -> TypeGuard[Endpoint[Any]]:
    return isinstance(value, Endpoint)


ALL: Final[tuple[Endpoint[Any], ...]] = tuple(line for line in dict(globals()).values() if _is_line(line))
"""Every endpoint of this page, in its order."""
