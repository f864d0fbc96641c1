"""The replies of the sandbox: the envelope, pages, and rejections with Persian messages, independent of HTTP code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar, cast

import attrs

T = TypeVar("T")

DONE = "انجام شد"


@attrs.frozen
class Reply:
    """An HTTP status, a body (serialised as JSON unless it is bytes or str), and headers."""

    status: int
    body: object
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])

    @property
    def refusal(self) -> str | None:
        """The words with which the service refuses the request; None if it accepts it."""
        body = self.body
        meta: dict[str, Any] = cast("dict[str, Any]", body).get("meta", {}) if isinstance(body, dict) else {}
        return None if meta.get("status", self.status < HTTPStatus.BAD_REQUEST) else str(meta.get("message", ""))


class Rejection(Exception):  # noqa: N818 - it carries a reply, not an error of the program
    """Raised by a rule to reject a request with a reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"HTTP {reply.status}")
        self.reply = reply


def ok(data: object = None, *, message: str = DONE, code: str = "200-1") -> Reply:
    """Return a successful reply with `data`."""
    return Reply(
        200,
        {"data": data, "meta": {"status": True, "message": message, "message_parameters": [], "message_code": code}},
    )


def page(rows: Sequence[T], show: Callable[[T], object], *, number: int, size: int, path: str) -> Reply:
    """Return page `number` (from 1) of `rows`; `show` serialises each row of that page."""
    total = len(rows)
    first = (number - 1) * size
    places_reply = [show(row) for row in rows[first : first + size]]
    meta = {
        "current_page": number,
        "from": first + 1 if places_reply else None,
        "last_page": max(1, -(-total // size)),
        "path": path,
        "per_page": size,
        "to": first + len(places_reply) if places_reply else None,
        "total": total,
        "status": True,
        "message": DONE,
        "message_code": "200-1",
    }
    return Reply(200, {"data": places_reply, "meta": meta})


def rejection(
    status: int,
    message: str,
    *,
    code: str = "400-1",
    errors: Mapping[str, Sequence[str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Rejection:
    """Return a rejection in the envelope of the API, for the caller to raise."""
    meta: dict[str, object] = {
        "status": False,
        "message": message,
        "message_parameters": [],
        "message_code": code,
        "errors": {field: list(messages) for field, messages in (errors or {}).items()},
    }
    return Rejection(Reply(status, {"data": None, "meta": meta}, headers or {}))


def invalid(errors: Mapping[str, Sequence[str]]) -> Rejection:
    """Return a 422 with field errors; its message is the first error and the number of further ones."""
    messages = [message for field_messages in errors.values() for message in field_messages]
    more = f" (و {len(messages) - 1} خطای دیگر)" if len(messages) > 1 else ""
    return rejection(422, f"{messages[0]}{more}", code="400-2", errors=errors)


def bad_request(message: str = "درخواست معتبر نیست") -> Rejection:
    """Return a 400: the body does not match its content type."""
    return rejection(400, message)


def unauthorized() -> Rejection:
    """Return a 401: the API key or token is missing or invalid."""
    return rejection(401, "اطلاعات وارد شده صحیح نمی باشد")


def forbidden(message: str = "شما به این بخش دسترسی ندارید") -> Rejection:
    """Return a 403: the caller is not allowed to do this."""
    return rejection(403, message, code="403-1")


def not_found(message: str = "مورد درخواستی یافت نشد", *, code: str = "400-1") -> Rejection:
    """Return a 404: the requested record does not exist."""
    return rejection(404, message, code=code)


def route_not_found() -> Rejection:
    """Return a 404: no endpoint has this path."""
    return rejection(404, "آدرس مورد نظر یافت نشد", code="404-1")


def method_not_allowed(allowed: Sequence[str]) -> Rejection:
    """Return a 405 that lists the allowed methods in `Allow`."""
    return rejection(405, "متد درخواست مجاز نیست", code="405-1", headers={"Allow": ", ".join(allowed)})


def conflict(message: str) -> Rejection:
    """Return a 409: the record already exists."""
    return rejection(409, message)


def unsupported_media_type(accepted: Iterable[str]) -> Rejection:
    """Return a 415 that names the accepted content types of the body."""
    return rejection(415, f"نوع محتوای درخواست باید {' یا '.join(accepted)} باشد", code="415-1")


def duplicate_message() -> Rejection:
    """Return a 429: the same message was sent from the same line to the same number less than 40 seconds ago."""
    return rejection(429, "ارسال پیام تکراری به این گیرنده تا 40 ثانیه مجاز نیست", code="429-1")


def insufficient_credit() -> Rejection:
    """Return a 200 with `status: false`, the response of the service to a send that exceeds the credit."""
    return rejection(200, "اعتبار شما برای این ارسال کافی نیست")


def server_error() -> Rejection:
    """Return a 500: an internal error of the service."""
    return rejection(500, "خطای سیستمی رخ داده است", code="500-1")


LABELS: Mapping[str, str] = {
    "message": "پیام",
    "sending_type": "نوع ارسال",
    "from_number": "شماره فرستنده",
    "from": "شماره فرستنده",
    "to": "شماره گیرنده",
    "number": "شماره",
    "params": "پارامترها",
    "recipients": "گیرندگان",
    "recipient": "گیرنده",
    "other_recipients": "سایر گیرندگان",
    "files": "فایل ها",  # noqa: RUF001 - Persian
    "file": "فایل",
    "title": "عنوان",
    "send_time": "زمان ارسال",
    "code": "کد",
    "mobile_number": "شماره تماس",
    "username": "نام کاربری",
    "password": "گذرواژه",
    "main_category_id": "شناسه دسته بندی اصلی",
    "bulk_id": "bulk_id",
}
"""The names of fields in the Persian messages of the service; other fields use their own name, with spaces."""


def label(field: str) -> str:
    """Return the name of a field for the messages of the service: `params.0.message` is «پیام»."""
    last = next((part for part in reversed(field.split(".")) if not part.isdigit()), field)
    return LABELS.get(last, last.replace("_", " "))


def required_message(name: str) -> str:
    """Return the message that a field is required."""
    return f"تکمیل گزینه {name} الزامی است"


def invalid_message(name: str) -> str:
    """Return the message that the value of a field is invalid."""
    return f"گزینه انتخاب شده {name} صحیح نمی باشد"


def wrong_type_message(name: str, expected: str) -> str:
    """Return the message that a field must be of the `expected` type."""
    return f"گزینه {name} باید {expected} باشد"


def unknown_field_message(name: str) -> str:
    """Return the message that a field is not documented."""
    return f"گزینه {name} شناخته شده نیست"
