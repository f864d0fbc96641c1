"""The table of all API endpoints, one line per endpoint. This module does no I/O and does not execute calls."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from types import FunctionType, NoneType
from typing import Any, Final, Generic, Literal, TypeGuard, TypeVar, cast

import attrs

from ippanel_edge import models

T = TypeVar("T")
Method = Literal["GET", "POST", "PUT", "DELETE"]
"""The HTTP methods of the API."""


class Repeat(Enum):
    """The effect of retrying a request. It depends on the endpoint, not on the HTTP method."""

    READ = "read"
    """Read-only, so it can be retried."""
    WRITE = "write"
    """Idempotent: a retry has no further effect."""
    ONCE = "once"
    """Not idempotent: a retry can send, bill or create twice."""


class Access(Enum):
    """The authorisation that an endpoint requires."""

    KEY = "key"
    """An API key or a login token in the Authorization header."""
    NONE = "none"
    """No authorisation: the login endpoints."""
    ARGUMENTS = "arguments"
    """Credentials in the arguments: the URL send."""


READ, WRITE, ONCE = Repeat.READ, Repeat.WRITE, Repeat.ONCE
NOTHING: Final[type[None]] = NoneType
NO_KEY = Access.NONE


def _class_of(returns: type[T] | Callable[[], type[T]]) -> type[T]:
    return cast("Callable[[], type[T]]", returns)() if isinstance(returns, FunctionType) else cast("type[T]", returns)


@attrs.frozen
class Endpoint(Generic[T]):
    """An endpoint of the API.

    Attributes:
        name: the name of the SDK method, such as ``reports.by_id``.
        method: the HTTP method.
        path: the path relative to the base URL; ``{…}`` are path parameters. ``/v2/`` replaces the ``/v1`` of the URL.
        repeat: the effect of retrying the request.
        source: the published API page that defines the endpoint.
        in_seed: whether the endpoint is also in the seed collection.
        access: the authorisation that the endpoint requires.
        alternate: another method that one of the API documents names; tried once after a 405.
        method_advice: how to continue if the service rejects every method that the SDK uses (405).
        bare: whether the response has no `meta`.
        multipart: whether the form is multipart even without a file.
        statuses: results that depend on the status code only, such as 409 for "taken".
    """

    name: str
    method: Method
    path: str
    repeat: Repeat
    _returns: type[T] | Callable[[], type[T]] = attrs.field(alias="returns", repr=False, eq=_class_of)
    source: str
    in_seed: bool = attrs.field(default=True, kw_only=True)
    access: Access = attrs.field(default=Access.KEY, kw_only=True)
    alternate: Method | None = attrs.field(default=None, kw_only=True)
    method_advice: str = attrs.field(default="", kw_only=True)
    bare: bool = attrs.field(default=False, kw_only=True)
    multipart: bool = attrs.field(default=False, kw_only=True)
    statuses: tuple[tuple[int, T], ...] = attrs.field(default=(), kw_only=True)

    @property
    def returns(self) -> type[T]:
        """The class that `data` is decoded to; NOTHING if `data` is ignored; bytes for a file.

        The argument of this name is the class, or a function that returns it: the class is loaded on first use.
        """
        returns: Any = self._returns
        if isinstance(returns, FunctionType):
            returns = returns()
            object.__setattr__(self, "_returns", returns)
        return cast("type[T]", returns)

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields for a copy or a pickle, with the class itself: a function cannot be pickled."""
        return attrs.asdict(self, recurse=False) | {"_returns": self.returns}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Set the fields of a copy."""
        for name, value in state.items():
            object.__setattr__(self, name, value)


# The formatter is off so that each endpoint stays on one line of the table.
# fmt: off
# ruff: noqa: E501

# If two API documents name different methods, `method` is the more plausible one and `alternate` the other.
# Authentication. For the last two, the headings of the API pages say POST, but their curl examples and the seed say GET.
AUTH_LOGIN = Endpoint("auth.login", "POST", "/api/acl/auth/login", ONCE, lambda: models.LoginStep, "auth/login.md", access=NO_KEY)
AUTH_SEND_SMS_OTP = Endpoint("auth.send_sms_otp", "POST", "/api/acl/auth/send_sms_otp", ONCE, lambda: models.LoginStep, "auth/sms-otp.md", access=NO_KEY)
AUTH_CONFIRM_OTP = Endpoint("auth.confirm_otp", "POST", "/api/acl/auth/confirm_otp", ONCE, lambda: models.LoginStep, "auth/confirm-otp.md", access=NO_KEY)
AUTH_FORGOT_PASSWORD = Endpoint("auth.forgot_password", "POST", "/api/acl/auth/forgot_password", ONCE, lambda: models.ResetToken, "auth/forgot-password.md", in_seed=False, access=NO_KEY)
AUTH_CHANGE_PASSWORD = Endpoint("auth.change_password", "POST", "/api/acl/auth/change_password_by_token", ONCE, NOTHING, "auth/forgot-password.md", access=NO_KEY)
AUTH_LOGOUT = Endpoint("auth.logout", "GET", "/api/acl/auth/logout", WRITE, NOTHING, "auth/logout.md", alternate="POST")
AUTH_CHECK_TOKEN = Endpoint("auth.check_token", "GET", "/api/acl/auth/check_token", READ, lambda: models.TokenOwner, "auth/check-token.md", alternate="POST")

# Sending. Most endpoints share one path and differ in `sending_type`. `send.url` has no alternate method: the documented
# GET would put the credentials and the message into the URL, which access logs and tracing tools store.
URL_ADVICE: Final = "this service takes send.url by GET only, which would put the key and the message into the URL; use send.webservice"
SEND_WEBSERVICE = Endpoint("send.webservice", "POST", "/api/send", ONCE, lambda: models.SendResult, "send/webservice.md")
SEND_PEER_TO_PEER = Endpoint("send.peer_to_peer", "POST", "/api/send", ONCE, lambda: models.SendResult, "send/peer-to-peer.md")
SEND_PEER_TO_PEER_FILE = Endpoint("send.peer_to_peer_file", "POST", "/api/send", ONCE, lambda: models.SendResult, "send/peer-to-peer-file.md")
SEND_POSTAL_CODE = Endpoint("send.postal_code", "POST", "/api/send", ONCE, lambda: models.SendResult, "send/postalcode.md")
SEND_COUNTRY = Endpoint("send.country", "POST", "/api/send", ONCE, lambda: models.SendResult, "send/country/index.md")
SEND_GEOLOCATION = Endpoint("send.geolocation", "POST", "/api/send", ONCE, lambda: models.SendResult, "send/countryV2/index.md", in_seed=False)
SEND_JOB = Endpoint("send.job", "POST", "/api/send", ONCE, lambda: models.SendResult, "send/jobs/index.md", in_seed=False)
SEND_KEYWORD = Endpoint("send.keyword", "POST", "/api/send", ONCE, lambda: models.SendResult, "send/keyword.md")
SEND_KEYWORD_PHONEBOOK = Endpoint("send.keyword_phonebook", "POST", "/api/send", ONCE, lambda: models.SendResult, "send/keyword-phonebook.md")
SEND_PHONEBOOK = Endpoint("send.phonebook", "POST", "/api/send", ONCE, lambda: models.SendResult, "send/phonebook.md")
SEND_PATTERN = Endpoint("send.pattern", "POST", "/api/send", ONCE, lambda: models.SendResult, "send/pattern.md")
SEND_FILE = Endpoint("send.file", "POST", "/api/send", ONCE, lambda: models.SendResult, "send/file.md")
SEND_VOTP = Endpoint("send.votp", "POST", "/api/send", ONCE, lambda: models.SendResult, "send/votp.md")
SEND_URL = Endpoint("send.url", "POST", "/api/send/webservice", ONCE, lambda: models.SendResult, "send/url.md", access=Access.ARGUMENTS, method_advice=URL_ADVICE)
SEND_CANCEL = Endpoint("send.cancel", "POST", "/api/send/cancel", WRITE, NOTHING, "send/cancel-scheduled.md")
SEND_CALCULATE_PRICE = Endpoint("send.calculate_price", "POST", "/api/send/calculate-price", READ, lambda: models.Price, "send/calculate-price.md", in_seed=False)

# Number banks by place (v1 of the API).
BANKS_PROVINCES = Endpoint("banks.provinces", "GET", "/api/send/banks/provinces", READ, lambda: list[models.Place], "send/country/province.md")
BANKS_COUNTIES = Endpoint("banks.counties", "GET", "/api/send/banks/counties", READ, lambda: list[models.Place], "send/country/county.md")
BANKS_CITIES = Endpoint("banks.cities", "GET", "/api/send/banks/cities", READ, lambda: list[models.Place], "send/country/city.md")
BANKS_GENDERS = Endpoint("banks.genders", "GET", "/api/send/banks/genders", READ, lambda: list[models.Gender], "send/country/gender.md", bare=True)
BANKS_COUNT = Endpoint("banks.count", "GET", "/api/send/banks/counts", READ, lambda: models.RecipientsCount, "send/country/count.md")

# Number banks by place (v2 of the API, under /v2), and by job category.
GEOLOCATION_PROVINCES = Endpoint("geolocation.provinces", "GET", "/v2/api/send/banks/provinces", READ, lambda: list[models.Place], "send/countryV2/province.md", in_seed=False)
GEOLOCATION_COUNTIES = Endpoint("geolocation.counties", "GET", "/v2/api/send/banks/counties", READ, lambda: list[models.Place], "send/countryV2/county.md", in_seed=False)
GEOLOCATION_CITIES = Endpoint("geolocation.cities", "GET", "/v2/api/send/banks/cities", READ, lambda: list[models.Place], "send/countryV2/city.md", in_seed=False)
GEOLOCATION_COUNT = Endpoint("geolocation.count", "GET", "/v2/api/send/banks/counts", READ, lambda: models.RecipientsCount, "send/countryV2/count.md", in_seed=False)
JOBS_CATEGORIES = Endpoint("jobs.categories", "GET", "/api/send/jobs/categories", READ, lambda: list[models.JobCategory], "send/jobs/categories.md", in_seed=False)
JOBS_SUB_CATEGORIES = Endpoint("jobs.sub_categories", "GET", "/api/send/jobs/sub-categories", READ, lambda: list[models.JobSubCategory], "send/jobs/sub-category.md", in_seed=False)
JOBS_COUNT = Endpoint("jobs.count", "GET", "/api/send/jobs/number-count", READ, lambda: models.RecipientsCount, "send/jobs/count.md", in_seed=False)

# Delivery reports and received messages.
REPORTS_OUTBOX = Endpoint("reports.outbox", "POST", "/api/report/new_list", READ, lambda: models.Page[models.OutboxMessage], "report/outbox-report.md")
REPORTS_BY_ID = Endpoint("reports.by_id", "GET", "/api/report/by_bulk", READ, lambda: models.OutboxMessage, "report/outbox-report-id.md")
REPORTS_RECIPIENTS = Endpoint("reports.recipients", "GET", "/api/report/recipients", READ, lambda: models.Page[models.RecipientReport], "report/bulk-recipient.md")
REPORTS_STATS = Endpoint("reports.stats", "GET", "/api/report/bulk_stats", READ, lambda: models.BulkStats, "report/bulk-stats.md", in_seed=False)
REPORTS_INBOX = Endpoint("reports.inbox", "POST", "/api/report/messages-inbox", READ, lambda: models.Page[models.InboxMessage], "report/inbox-report.md")

# Sender lines.
NUMBERS_LIST = Endpoint("numbers.list", "GET", "/api/number/numbers", READ, lambda: models.Page[models.Number], "numbers/list-numbers.md")
NUMBERS_ASSIGN = Endpoint("numbers.assign", "POST", "/api/numbers/assign", WRITE, NOTHING, "numbers/assign-number.md")
NUMBERS_UNASSIGN = Endpoint("numbers.unassign", "POST", "/api/numbers/unassign", WRITE, NOTHING, "numbers/unassign-number.md")

# Sub-users, their documents and packages. The response of check_exists is 200 for a free name, 409 for a taken one.
# To update a user, the Persian page says PUT. To upload and remove documents, the headings say GET, but curl sends POST.
USERS_LIST = Endpoint("users.list", "GET", "/api/user/list", READ, lambda: models.Page[models.User], "user/list-users.md")
USERS_SHOW = Endpoint("users.show", "GET", "/api/user/show", READ, lambda: models.User, "user/show-user.md", in_seed=False)
USERS_REGISTER = Endpoint("users.register", "POST", "/api/user/create", ONCE, NOTHING, "user/register-user.md", in_seed=False)
USERS_UPDATE = Endpoint("users.update", "POST", "/api/user/update", WRITE, NOTHING, "user/update-user.md", in_seed=False, alternate="PUT")
USERS_CHECK_EXISTS = Endpoint("users.check_exists", "POST", "/api/user/check_exist", READ, bool, "user/check-exist.md", in_seed=False, statuses=((200, False), (409, True)))
USERS_TARIFF = Endpoint("users.tariff", "GET", "/api/user/get_tariff", READ, lambda: list[models.Tariff], "user/user-tariff.md", in_seed=False)
USERS_PARENTS_TREE = Endpoint("users.parents_tree", "GET", "/api/user/parents_tree", READ, lambda: models.ParentsTree, "user/parents-tree.md")
USERS_DOCUMENTS_LIST = Endpoint("users.documents.list", "GET", "/api/user/documents", READ, lambda: list[models.Document], "user/documents/list-document.md", in_seed=False)
USERS_DOCUMENTS_UPLOAD = Endpoint("users.documents.upload", "POST", "/api/user/documents/upload", ONCE, NOTHING, "user/documents/upload-document.md", in_seed=False, alternate="GET")
USERS_DOCUMENTS_REMOVE = Endpoint("users.documents.remove", "POST", "/api/user/documents/remove", WRITE, NOTHING, "user/documents/remove-document.md", in_seed=False, alternate="GET")
PACKAGES_LIST = Endpoint("packages.list", "GET", "/api/acl/package/list", READ, lambda: models.Page[models.Package], "package/list-packages.md")

# Support tickets.
TICKETS_CREATE = Endpoint("tickets.create", "POST", "/api/ticket", ONCE, lambda: models.CreatedTicket, "ticket/create-ticket.md", multipart=True)
TICKETS_LIST = Endpoint("tickets.list", "GET", "/api/ticket", READ, lambda: models.Page[models.TicketSummary], "ticket/list-ticket.md")
TICKETS_GET = Endpoint("tickets.get", "GET", "/api/ticket/show", READ, lambda: models.Ticket, "ticket/ticket-id.md")
TICKETS_REPLY = Endpoint("tickets.reply", "POST", "/api/ticket/interaction", ONCE, lambda: models.TicketReply, "ticket/reply-ticket.md", multipart=True)

# Drafts (stored message texts) and their groups.
DRAFTS_LIST = Endpoint("drafts.list", "GET", "/api/user/draft/list", READ, lambda: models.Page[models.Draft], "draft/list-draft.md")
DRAFTS_CREATE = Endpoint("drafts.create", "POST", "/api/user/draft", ONCE, NOTHING, "draft/create-draft.md")
DRAFTS_UPDATE = Endpoint("drafts.update", "PUT", "/api/user/draft", WRITE, NOTHING, "draft/update-draft.md", in_seed=False)
DRAFTS_DELETE = Endpoint("drafts.delete", "POST", "/api/user/draft/delete", WRITE, NOTHING, "draft/delete-draft.md", in_seed=False)
DRAFTS_GROUPS_LIST = Endpoint("drafts.groups.list", "GET", "/api/user/draft/group/list", READ, lambda: models.Page[models.DraftGroup], "draft/list-draft-group.md")
DRAFTS_GROUPS_CREATE = Endpoint("drafts.groups.create", "POST", "/api/user/draft/group", ONCE, NOTHING, "draft/create-draft-group.md")
DRAFTS_GROUPS_UPDATE = Endpoint("drafts.groups.update", "PUT", "/api/user/draft/group", WRITE, NOTHING, "draft/update-draft-group.md", in_seed=False)
DRAFTS_GROUPS_DELETE = Endpoint("drafts.groups.delete", "POST", "/api/user/draft/group/delete", WRITE, NOTHING, "draft/delete-draft-group.md", in_seed=False)

# Patterns (approved message templates). To update, the seed uses POST, the published page PUT.
PATTERNS_LIST = Endpoint("patterns.list", "GET", "/api/patterns", READ, lambda: models.Page[models.Pattern], "pattern/list-pattern.md")
PATTERNS_GET = Endpoint("patterns.get", "GET", "/api/patterns/{pattern_code}", READ, lambda: models.Pattern, "pattern/pattern-by-code.md")
PATTERNS_CREATE = Endpoint("patterns.create", "POST", "/api/patterns/normal", ONCE, lambda: models.Pattern, "pattern/create-pattern.md")
PATTERNS_UPDATE = Endpoint("patterns.update", "POST", "/api/patterns/normal/{pattern_code}", WRITE, lambda: models.Pattern, "pattern/update-pattern.md", alternate="PUT")
PATTERNS_DELETE = Endpoint("patterns.delete", "DELETE", "/api/patterns/normal/{pattern_code}", WRITE, NOTHING, "pattern/delete-pattern.md")

# Phonebooks, their contacts, and options (custom fields of contacts). To list phonebooks, the Persian page says POST.
PHONEBOOKS_LIST = Endpoint("phonebooks.list", "GET", "/api/phonebooks/list-new", READ, lambda: models.Page[models.Phonebook], "phonebook/phonebook/phonebook-list.md", alternate="POST")
PHONEBOOKS_CREATE = Endpoint("phonebooks.create", "POST", "/api/phonebooks", ONCE, lambda: models.Phonebook, "phonebook/phonebook/store-phonebook.md")
PHONEBOOKS_UPDATE = Endpoint("phonebooks.update", "PUT", "/api/phonebooks/{phonebook_id}", WRITE, NOTHING, "phonebook/phonebook/update-phonebook.md")
PHONEBOOKS_DELETE = Endpoint("phonebooks.delete", "POST", "/api/phonebooks/delete-list", WRITE, NOTHING, "phonebook/phonebook/delete-phonebook.md")
PHONEBOOKS_CONTACTS_ADD = Endpoint("phonebooks.contacts.add", "POST", "/api/phonebooks/numbers/add-list-new", WRITE, lambda: models.AddedContacts, "phonebook/number/store-number.md")
PHONEBOOKS_CONTACTS_GET = Endpoint("phonebooks.contacts.get", "GET", "/api/phonebooks/numbers/contact-list/{contact_id}", READ, lambda: models.Contact, "phonebook/number/show-number.md")
PHONEBOOKS_CONTACTS_LIST = Endpoint("phonebooks.contacts.list", "GET", "/api/phonebooks/numbers/contact-list", READ, lambda: models.Page[models.Contact], "phonebook/number/list-number.md")
PHONEBOOKS_CONTACTS_UPDATE = Endpoint("phonebooks.contacts.update", "PUT", "/api/phonebooks/numbers/update-new/{contact_id}", WRITE, NOTHING, "phonebook/number/update-number.md")
PHONEBOOKS_CONTACTS_DELETE = Endpoint("phonebooks.contacts.delete", "POST", "/api/phonebooks/numbers/delete-list", WRITE, NOTHING, "phonebook/number/delete-number.md")
PHONEBOOKS_CONTACTS_EXPORT = Endpoint("phonebooks.contacts.export", "GET", "/api/phonebooks/numbers/contact-list/export", READ, NOTHING, "phonebook/number/export-number-contacts.md")
PHONEBOOKS_CONTACTS_EXPORT_MEMBERS = Endpoint("phonebooks.contacts.export_members", "GET", "/api/phonebooks/{phonebook_id}/export", READ, NOTHING, "phonebook/number/export-number-members.md")
PHONEBOOKS_CONTACTS_IMPORT_FILE = Endpoint("phonebooks.contacts.import_file", "POST", "/api/phonebooks/{phonebook_id}/import", WRITE, NOTHING, "phonebook/number/import-number.md")
PHONEBOOKS_CONTACTS_IMPORT_SAMPLE: Endpoint[bytes | None] = Endpoint("phonebooks.contacts.import_sample", "GET", "/api/phonebooks/{phonebook_id}/import/get-sample", READ, bytes, "phonebook/number/sample-import-number.md")
PHONEBOOKS_OPTIONS_LIST = Endpoint("phonebooks.options.list", "GET", "/api/phonebooks/options/list-new", READ, lambda: models.Page[models.Option], "phonebook/option/list-option.md")
PHONEBOOKS_OPTIONS_CREATE = Endpoint("phonebooks.options.create", "POST", "/api/phonebooks/options", ONCE, lambda: models.Option, "phonebook/option/store-option.md")
PHONEBOOKS_OPTIONS_UPDATE = Endpoint("phonebooks.options.update", "PUT", "/api/phonebooks/options/{option_id}", WRITE, NOTHING, "phonebook/option/update-option.md")
PHONEBOOKS_OPTIONS_DELETE = Endpoint("phonebooks.options.delete", "POST", "/api/phonebooks/options/delete-list", WRITE, NOTHING, "phonebook/option/delete-option.md")

# The account's credit.
PAYMENT_CREDIT = Endpoint("payment.credit", "GET", "/api/payment/credit/mine", READ, lambda: models.Credit, "payment/my-credit.md")
# fmt: on


def _is_endpoint(value: object) -> TypeGuard[Endpoint[Any]]:
    return isinstance(value, Endpoint)


ALL: Final[tuple[Endpoint[Any], ...]] = tuple(value for value in dict(globals()).values() if _is_endpoint(value))
"""All endpoints of this module, in the order of definition."""
