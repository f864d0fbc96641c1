"""What the sandbox answers: the envelope, pages, and every refusal with its Persian text. No HTTP library in here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import attrs

T = TypeVar("T")

DONE = "انجام شد"


@attrs.frozen
class Answer:
    """A status, a body that becomes JSON (bytes and text go out as they are), and headers."""

    status: int
    body: object
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])


class Refusal(Exception):  # noqa: N818 - it is an answer, not an error
    """A rule's way out: the request was not carried out, and this is the answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"HTTP {answer.status}")
        self.answer = answer


def ok(data: object = None, *, message: str = DONE, code: str = "200-1") -> Answer:
    """Answer that it was done, with `data`."""
    return Answer(
        200,
        {"data": data, "meta": {"status": True, "message": message, "message_parameters": [], "message_code": code}},
    )


def page(rows: Sequence[T], show: Callable[[T], object], *, number: int, size: int, path: str) -> Answer:
    """Answer one page of `rows`, counted from 1; only that page's rows are shown through `show`."""
    total = len(rows)
    first = (number - 1) * size
    shown = [show(row) for row in rows[first : first + size]]
    meta = {
        "current_page": number,
        "from": first + 1 if shown else None,
        "last_page": max(1, -(-total // size)),
        "path": path,
        "per_page": size,
        "to": first + len(shown) if shown else None,
        "total": total,
        "status": True,
        "message": DONE,
        "message_code": "200-1",
    }
    return Answer(200, {"data": shown, "meta": meta})


def refusal(
    status: int,
    message: str,
    *,
    code: str = "400-1",
    errors: Mapping[str, Sequence[str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Refusal:
    """Build a refusal in the envelope; raise what it returns."""
    meta: dict[str, object] = {
        "status": False,
        "message": message,
        "message_parameters": [],
        "message_code": code,
        "errors": {field: list(texts) for field, texts in (errors or {}).items()},
    }
    return Refusal(Answer(status, {"data": None, "meta": meta}, headers or {}))


def invalid(errors: Mapping[str, Sequence[str]]) -> Refusal:
    """422 with field errors; the message is the first of them and how many more there are."""
    texts = [text for field_texts in errors.values() for text in field_texts]
    more = f" (و {len(texts) - 1} خطای دیگر)" if len(texts) > 1 else ""
    return refusal(422, f"{texts[0]}{more}", code="400-2", errors=errors)


def unreadable(message: str = "درخواست معتبر نیست") -> Refusal:
    """400: the body is not what its content type says."""
    return refusal(400, message)


def unauthorized() -> Refusal:
    """401: no key or token, or not a good one."""
    return refusal(401, "اطلاعات وارد شده صحیح نمی باشد")


def forbidden(message: str = "شما به این بخش دسترسی ندارید") -> Refusal:
    """403: a good key, but not for this."""
    return refusal(403, message, code="403-1")


def not_found(message: str = "مورد درخواستی یافت نشد", *, code: str = "400-1") -> Refusal:
    """404: no such thing."""
    return refusal(404, message, code=code)


def no_such_route() -> Refusal:
    """404: no endpoint has this address."""
    return refusal(404, "آدرس مورد نظر یافت نشد", code="404-1")


def wrong_method(allowed: Sequence[str]) -> Refusal:
    """405, with the methods that are allowed in `Allow`."""
    return refusal(405, "متد درخواست مجاز نیست", code="405-1", headers={"Allow": ", ".join(allowed)})


def conflict(message: str) -> Refusal:
    """409: the thing exists already."""
    return refusal(409, message)


def unsupported(message: str = "نوع محتوای درخواست پشتیبانی نمی شود") -> Refusal:
    """415: a body whose content type is not one that the endpoints read."""
    return refusal(415, message, code="415-1")


def repeated() -> Refusal:
    """429: the same text went from the same line to the same number a moment ago."""
    return refusal(429, "ارسال پیام تکراری به این گیرنده تا 40 ثانیه مجاز نیست", code="429-1")


def no_credit() -> Refusal:
    """HTTP 200 with status false, as the service answers a send that the credit does not cover."""
    return refusal(200, "اعتبار شما برای این ارسال کافی نیست")


def failure() -> Refusal:
    """500: the service itself broke."""
    return refusal(500, "خطای سیستمی رخ داده است", code="500-1")


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
"""What the service calls a field in its messages; any other by its name, with spaces."""


def label(field: str) -> str:
    """Name a field as the service's messages do: `params.0.message` is «پیام»."""
    last = next((part for part in reversed(field.split(".")) if not part.isdigit()), field)
    return LABELS.get(last, last.replace("_", " "))


def required_text(name: str) -> str:
    """Say that a field is required."""
    return f"تکمیل گزینه {name} الزامی است"


def not_valid_text(name: str) -> str:
    """Say that a chosen value is not one of the good ones."""
    return f"گزینه انتخاب شده {name} صحیح نمی باشد"


def wrong_type_text(name: str, wanted: str) -> str:
    """Say what a field must be."""
    return f"گزینه {name} باید {wanted} باشد"


def unknown_field_text(name: str) -> str:
    """Say that no such field is documented."""
    return f"گزینه {name} شناخته شده نیست"
