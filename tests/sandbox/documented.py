"""One documented request of each endpoint, written after the API documents, and the records that they refer to.

No code of the SDK is used: these requests also find a wrong client.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeGuard

import attrs

from ippanel_edge.sandbox.defaults import BANK_NUMBER, FROM_NUMBER, MOBILE, PASSWORD, PROMOTIONAL_NUMBER, USERNAME
from ippanel_edge.sandbox.records import (
    Assignment,
    Contact,
    ContactOption,
    Draft,
    DraftGroup,
    Phonebook,
    StoredFile,
    Ticket,
    TicketReply,
    TokenKind,
    UserDocument,
)
from tests.sandbox.caller import Caller, accepted
from tests.workbooks import saved

if TYPE_CHECKING:
    from ippanel_edge.sandbox import Sandbox

AMIR, SARA, KIAN = "+989120001001", "+989350001002", "+989130001003"
PNG = ("1.png", b"\x89PNG\r\n\x1a\n" + b"0" * 64)
LATER = "2030-01-15 12:00:00"
OPTION, DATE_OPTION, BOOK, CONTACT, GROUP, DRAFT, TICKET = 41, 42, 51, 61, 71, 81, 91
OTP = "482193"


@attrs.frozen(kw_only=True)
class Documented:
    """One request.

    Attributes:
        name: the name of the endpoint.
        method: the HTTP method.
        path: the path without /v1.
        query: the query; "$name" stands for an attribute of `World`, here and in `json`.
        json: the JSON body, or None.
        form: the fields of the form, or None; with `files`, of a multipart form.
        files: the field and the (name, content) of each file.
        key: what stands in Authorization: "key" (the API key), "token" (of a login) or None.
        note: tells two requests of one endpoint apart.
    """

    name: str
    method: str = "GET"
    path: str
    query: Mapping[str, str] = attrs.field(factory=dict[str, str])
    json: Mapping[str, Any] | None = None
    form: Mapping[str, str | list[str]] | None = None
    files: tuple[tuple[str, tuple[str, bytes]], ...] = ()
    key: str | None = "key"
    note: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.note}".strip()


def _is_mapping(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)


@attrs.frozen
class World:
    """The credentials and ids that the requests need and that the sandbox chooses."""

    token: str
    login_step: str
    password_reset: str
    sent: int
    scheduled: int
    sub_user: int

    def fill(self, value: Any) -> Any:
        """Return a value with each "$name" in it replaced by the attribute of this name."""
        if _is_mapping(value):
            return {name: self.fill(each) for name, each in value.items()}
        if isinstance(value, str) and value.startswith("$"):
            return getattr(self, value[1:])
        return value


def prepare(sandbox: Sandbox) -> World:
    """Create the records that the requests refer to."""
    state, now = sandbox.state, sandbox.clock.now()
    user, sub_user = state.users.values()
    call = Caller(sandbox)
    (sent,) = accepted(call.webservice(AMIR, SARA, message="before"))
    (scheduled,) = accepted(call.webservice(AMIR, message="later", send_time=LATER))
    state.receive(KIAN, sandbox.from_number, "لغو")
    line = next(line for line in state.lines.values() if line.number == PROMOTIONAL_NUMBER)
    line.assigned = {sub_user.user_id: Assignment(send=True, gets=True)}
    owner = user.user_id
    state.contact_options = {
        OPTION: ContactOption(OPTION, owner, "بدهی", "int", now),
        DATE_OPTION: ContactOption(DATE_OPTION, owner, "تاریخ", "date", now),
    }
    state.phonebooks[BOOK] = Phonebook(BOOK, owner, "مشتریان", now, now, [OPTION, DATE_OPTION])
    state.contacts[CONTACT] = Contact(CONTACT, BOOK, AMIR, now, now, "آقای", "امیر", options={OPTION: "15"}, tags=["a"])
    state.draft_groups[GROUP] = DraftGroup(GROUP, owner, "آماده", now)
    state.drafts[DRAFT] = Draft(DRAFT, GROUP, owner, "متن", now)
    reply = TicketReply(1, owner, user.username, "پاسخ", now, "a.zip")
    state.tickets[TICKET] = Ticket(TICKET, owner, "خط", 10, "متن", now, now, sub_category_id=20, replies=[reply])
    state.documents[owner, 6] = UserDocument(6, owner, [StoredFile(*PNG)], now)
    session, step, reset = (
        state.issue_token(user, kind, 360, otp=OTP)
        for kind in (TokenKind.SESSION, TokenKind.LOGIN_STEP, TokenKind.PASSWORD_RESET)
    )
    step.otp_expires_at = reset.otp_expires_at = now + timedelta(seconds=120)
    return World(session.value, step.value, reset.value, sent, scheduled, sub_user.user_id)


_WHERE = {"province_id": "11", "county_id": "111", "city_id": "1111"}
_PLACE = {name: int(value) for name, value in _WHERE.items()}
_SLICES = {"mci": {"start": 0, "size": 1}, "irancell": {"start": 0, "size": 0}, "other": {"start": 2, "size": 3}}
_OPERATORS = [{"start": 0, "size": 2, "id": 2}, {"start": 1, "size": 2, "id": 13}]
_PEOPLE = {"bank": "all", "gender": 0, "age_from": 1330, "age_to": 1402, **_SLICES}
_PATTERN = {
    "title": "test pattern",
    "description": "پترن تستی",
    "is_share": False,
    "message": "پترن تستی %var% . کد شما %code%",
    "variable": [{"name": "var", "type": "string"}, {"name": "code", "type": "integer"}],
}


def _send(sending_type: str, note: str = "", *, line: str = FROM_NUMBER, **fields: Any) -> Documented:
    body = {"sending_type": sending_type, "from_number": line, **fields}
    return Documented(name=f"send.{sending_type}", method="POST", path="/api/send", json=body, note=note)


def _upload(sending_type: str, file: tuple[str, bytes], **form: str | list[str]) -> Documented:
    fields = {"sending_type": sending_type, "from_number": FROM_NUMBER, **form}
    files = (("files[]", file),)
    return Documented(name=f"send.{sending_type}", method="POST", path="/api/send", form=fields, files=files)


def _post(name: str, path: str, body: Mapping[str, Any], *, key: str | None = "key", note: str = "") -> Documented:
    return Documented(name=name, method="POST", path=path, json=body, key=key, note=note)


def _put(name: str, path: str, body: Mapping[str, Any], *, note: str = "") -> Documented:
    return Documented(name=name, method="PUT", path=path, json=body, note=note)


def _get(name: str, path: str, *, key: str | None = "key", **query: str) -> Documented:
    return Documented(name=name, path=path, query=query, key=key)


_AUTH = "/api/acl/auth"
REQUESTS = [
    _post("auth.login", f"{_AUTH}/login", {"username": USERNAME, "password": PASSWORD}, key=None),
    _post("auth.send_sms_otp", f"{_AUTH}/send_sms_otp", {"token": "$login_step"}, key=None),
    _post("auth.confirm_otp", f"{_AUTH}/confirm_otp", {"token": "$login_step", "otp": OTP}, key=None),
    _post("auth.forgot_password", f"{_AUTH}/forgot_password", {"username": USERNAME, "mobile": MOBILE}, key=None),
    _post(
        "auth.change_password",
        f"{_AUTH}/change_password_by_token",
        {"token": "$password_reset", "otp": OTP, "password": "New-pass-1"},
        key=None,
    ),
    _get("auth.logout", f"{_AUTH}/logout", key="token"),
    _get("auth.check_token", f"{_AUTH}/check_token", key="token"),
    _send("webservice", message="متن پیام", params={"recipients": [AMIR, SARA]}),
    _send("webservice", "scheduled", message="متن", params={"recipients": [AMIR]}, send_time=LATER),
    _send(
        "peer_to_peer",
        params=[{"recipients": [AMIR, SARA], "message": "پیام اول"}, {"recipients": [KIAN], "message": "پیام دوم"}],
    ),
    _upload("peer_to_peer_file", ("a.csv", f"recipient,message\n{AMIR},سلام\n{SARA},درود\n".encode()), send_time=LATER),
    _send(
        "postal_code",
        line=BANK_NUMBER,
        message="متن پیام",
        params=[{"postal_code": 111, **_PEOPLE}, {"postal_code": 121, **_PEOPLE}],
        other_recipients=[AMIR, SARA],
        send_time=LATER,
    ),
    _send(
        "country",
        line=BANK_NUMBER,
        message="تست",
        params=[{"pre": 938, **_PLACE, **_PEOPLE}],
        other_recipients=[AMIR, SARA],
    ),
    _send("country", "without places below", line=BANK_NUMBER, message="تست", params=[{"province_id": 11, **_PEOPLE}]),
    _send(
        "geolocation",
        line=BANK_NUMBER,
        message="تست",
        params=[{**_PLACE, "pre": "912", "gender": 2, "from_age": 1354, "to_age": 1364, "operator": _OPERATORS}],
        other_recipients=[AMIR],
    ),
    _send(
        "job",
        line=BANK_NUMBER,
        message="متن پیام",
        params=[
            {"main_category_id": 1, "sub_category_id": 10, "operator": _OPERATORS},
            {"main_category_id": 2, "sub_category_id": 20, "operator": _OPERATORS},
        ],
    ),
    _upload("keyword", ("a.xlsx", saved([AMIR, "امیر", "5"])), message="سلام {ex_B} م۱ {ex_C}", send_time=LATER),
    _send(
        "keyword_phonebook",
        message=f"تاریخ {{ex_{DATE_OPTION}}}\nبدهی {{ex_{OPTION}}}",  # noqa: RUF001 - Persian
        send_time=LATER,
        params=[{"phonebook_id": BOOK}],
    ),
    _send(
        "phonebook",
        message="تست",
        params=[
            {"phonebook_ids": [str(BOOK)], "type": "all", "start": "1", "size": "2"},
            {"phonebook_id": str(BOOK), "type": "detail", "number_ids": [str(CONTACT)]},
        ],
    ),
    _send(
        "pattern",
        code="otp",
        recipients=[AMIR],
        params={"code": "متن"},
        phonebook={
            "id": BOOK,
            "name": "سعید محمدی",
            "pre": "mr",
            "email": "saeed@gmail.com",
            "options": {str(DATE_OPTION): "1970/01/01"},
        },
    ),
    _upload(
        "file", ("a.csv", f"phone_number\n{AMIR}\n".encode()), message="متن", **{"other_recipients[]": [SARA, KIAN]}
    ),
    Documented(
        name="send.votp",
        method="POST",
        path="/api/send",
        json={"sending_type": "votp", "message": "45852", "params": {"recipients": [AMIR]}},
    ),
    Documented(
        name="send.url",
        path="/api/send/webservice",
        query={"from": FROM_NUMBER, "message": "متن", "to": AMIR, "username": USERNAME, "password": PASSWORD},
        key=None,
    ),
    Documented(
        name="send.url",
        method="POST",
        path="/api/send/webservice",
        form={"from": FROM_NUMBER, "message": "متن", "to": AMIR, "apikey": "sandbox-key"},
        key=None,
        note="as a form",
    ),
    _post("send.cancel", "/api/send/cancel", {"message_outbox_id": "$scheduled"}),
    _post("send.calculate_price", "/api/send/calculate-price", {"number": FROM_NUMBER, "message": "تست"}),
    _get("banks.provinces", "/api/send/banks/provinces"),
    _get("banks.counties", "/api/send/banks/counties", province_id="11"),
    _get("banks.cities", "/api/send/banks/cities", county_id="111"),
    _get("banks.genders", "/api/send/banks/genders"),
    _get("banks.count", "/api/send/banks/counts", **_WHERE),
    _get("geolocation.provinces", "/v2/api/send/banks/provinces"),
    _get("geolocation.counties", "/v2/api/send/banks/counties", province_id="11"),
    _get("geolocation.cities", "/v2/api/send/banks/cities", county_id="111"),
    _get(
        "geolocation.count",
        "/v2/api/send/banks/counts",
        province_id="11",
        city_id="1111",
        from_age="1304",
        to_age="1404",
        gender="1",
        pre="912",
    ),
    _get("jobs.categories", "/api/send/jobs/categories"),
    _get("jobs.sub_categories", "/api/send/jobs/sub-categories", main_category_id="1"),
    _get("jobs.count", "/api/send/jobs/number-count", main_category_id="1"),
    _post(
        "reports.outbox",
        "/api/report/new_list",
        {
            "page": 1,
            "limit": 10,
            "filters": {
                "username": "*",
                "number": FROM_NUMBER,
                "create_from_date": "1744102007",
                "create_to_date": "1944102007",
                "send_from_date": "1744102007",
                "send_to_date": "1944102007",
                "from_exit_count": 0,
                "to_exit_count": 100,
                "message": "before",
                "state_id": "2",
            },
        },
    ),
    Documented(name="reports.by_id", path="/api/report/by_bulk", query={"messages_outbox_id": "$sent"}),
    Documented(
        name="reports.recipients",
        path="/api/report/recipients",
        query={"page": "1", "per_page": "10", "bulk_id": "$sent"},
    ),
    Documented(name="reports.stats", path="/api/report/bulk_stats", query={"bulk_id": "$sent"}),
    _post("reports.inbox", "/api/report/messages-inbox", {"page": 1, "per_page": 10, "filters": {"from_id": 125}}),
    _post(
        "numbers.assign",
        "/api/numbers/assign",
        {"number": FROM_NUMBER, "target_user_id": "$sub_user", "target_user": "sub-user", "send": True, "gets": False},
    ),
    _post("numbers.unassign", "/api/numbers/unassign", {"number": PROMOTIONAL_NUMBER, "target_user_id": "$sub_user"}),
    _get("numbers.list", "/api/number/numbers", page="1", per_page="10"),
    Documented(name="users.parents_tree", path="/api/user/parents_tree", query={"user_id": "$sub_user"}),
    _get("users.list", "/api/user/list", page="1", per_page="10"),
    _post(
        "users.register",
        "/api/user/create",
        {
            "user_name": "username",
            "password": "q8?6Man96Q]%U|q",
            "national_code": "0499370899",
            "mobile_number": "09120000000",
            "birth_date": "1990-01-01",
            "acl_id": 1,
        },
    ),
    Documented(name="users.show", path="/api/user/show", query={"user_id": "$sub_user"}),
    _post(
        "users.update",
        "/api/user/update",
        {
            "user_id": "$sub_user",
            "name": "name",
            "password": "q8?696Q]%U|q",
            "company": "test",
            "email": "test@test.com",
            "tell": "02122222222",
            "acl_id": 1,
            "description": "description",
            "expire_time": "2031-08-09",
            "status": "active",
            "send_block": "no",
            "special_disc": 120,
            "is_bought_panel": 1,
        },
    ),
    _post("users.check_exists", "/api/user/check_exist", {"user_name": "username"}),
    _get("users.tariff", "/api/user/get_tariff"),
    _get("users.documents.list", "/api/user/documents"),
    Documented(
        name="users.documents.upload",
        method="POST",
        path="/api/user/documents/upload",
        form={"document_id": "6"},
        files=(("files[0]", PNG), ("files[1]", PNG)),
    ),
    _post("users.documents.remove", "/api/user/documents/remove", {"document_id": 6}),
    _get("packages.list", "/api/acl/package/list", page="1", per_page="10", package_id="1"),
    _get("phonebooks.list", "/api/phonebooks/list-new"),
    _post("phonebooks.create", "/api/phonebooks", {"title": "تست", "options": [str(OPTION), str(DATE_OPTION)]}),
    _post("phonebooks.delete", "/api/phonebooks/delete-list", {"listPhonebooks": [BOOK]}),
    _put("phonebooks.update", f"/api/phonebooks/{BOOK}", {"title": "title", "options": [str(OPTION)]}),
    _put("phonebooks.update", f"//api/phonebooks/{BOOK}", {"title": "title"}, note="at the address of the seed"),
    _post(
        "phonebooks.contacts.add",
        "/api/phonebooks/numbers/add-list-new",
        {
            "list": [
                {
                    "number": KIAN,
                    "pre": "آقای",
                    "name": "حسن",
                    "options": {str(OPTION): "15", str(DATE_OPTION): "1992/10/08"},
                    "phonebook_id": str(BOOK),
                }
            ]
        },
    ),
    _post("phonebooks.contacts.delete", "/api/phonebooks/numbers/delete-list", {"listNumbers": [CONTACT]}),
    _get("phonebooks.contacts.get", f"/api/phonebooks/numbers/contact-list/{CONTACT}"),
    _get("phonebooks.contacts.list", "/api/phonebooks/numbers/contact-list"),
    _get(
        "phonebooks.contacts.export",
        "/api/phonebooks/numbers/contact-list/export",
        from_created_at="1745785800",
        number=AMIR,
        phonebook_title="title",
        phonebook_id=str(BOOK),
    ),
    Documented(
        name="phonebooks.contacts.import_file",
        method="POST",
        path=f"/api/phonebooks/{BOOK}/import",
        form={},
        files=(("file", ("phonebook-import.xlsx", saved(["number"], [KIAN]))),),
    ),
    _put(
        "phonebooks.contacts.update",
        f"/api/phonebooks/numbers/update-new/{CONTACT}",
        {
            "pre": "Mr.",
            "name": "name",
            "number": AMIR,
            "options": {str(DATE_OPTION): "2025-05-20"},
            "phonebook_id": str(BOOK),
        },
    ),
    _get("phonebooks.contacts.import_sample", f"/api/phonebooks/{BOOK}/import/get-sample"),
    _get("phonebooks.contacts.export_members", f"/api/phonebooks/{BOOK}/export"),
    _post("phonebooks.options.create", "/api/phonebooks/options", {"type": "int", "title": "option1"}),
    _put("phonebooks.options.update", f"/api/phonebooks/options/{OPTION}", {"title": "option1"}),
    _get("phonebooks.options.list", "/api/phonebooks/options/list-new", type="int", title="بدهی"),
    _post("phonebooks.options.delete", "/api/phonebooks/options/delete-list", {"listOptions": [OPTION]}),
    Documented(
        name="tickets.create",
        method="POST",
        path="/api/ticket",
        form={"subject": "عنوان تیکت", "category_id": "10", "description": "متن تیکت", "sms_notification": "1"},
        files=(("file", PNG),),
    ),
    _get("tickets.list", "/api/ticket", page="1", per_page="10"),
    _get("tickets.get", "/api/ticket/show", ticket_id=str(TICKET)),
    Documented(
        name="tickets.reply",
        method="POST",
        path="/api/ticket/interaction",
        form={"ticket_id": str(TICKET), "description": "Sample reply"},
        files=(("file", PNG),),
    ),
    _get("drafts.list", "/api/user/draft/list", draft_group_id=str(GROUP)),
    _post("drafts.create", "/api/user/draft", {"draft_group_id": GROUP, "message": "تست پیام پیشفرض"}),
    _put("drafts.update", "/api/user/draft", {"draft_id": DRAFT, "message": "تست پیام پیشفرض"}),
    _post("drafts.delete", "/api/user/draft/delete", {"draft_ids": [DRAFT]}),
    _post("drafts.groups.create", "/api/user/draft/group", {"title": "عنوان گروه پیش‌نویس"}),
    _get("drafts.groups.list", "/api/user/draft/group/list"),
    _put("drafts.groups.update", "/api/user/draft/group", {"draft_group_id": GROUP, "title": "عنوان"}),
    _post("drafts.groups.delete", "/api/user/draft/group/delete", {"draft_group_id": GROUP}),
    Documented(name="patterns.delete", method="DELETE", path="/api/patterns/normal/welcome"),
    _post("patterns.create", "/api/patterns/normal", _PATTERN),
    _get("patterns.list", "/api/patterns"),
    _get("patterns.get", "/api/patterns/otp"),
    _post("patterns.update", "/api/patterns/normal/otp", {**_PATTERN, "is_share": True}),
    _get("payment.credit", "/api/payment/credit/mine"),
]
