"""A rejection for missing credit is recognised by its status or its words, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from ippanel_edge import ApiError, InsufficientCredit, Outcome, ValidationFailed
from ippanel_edge.endpoints import SEND_WEBSERVICE
from ippanel_edge.wire.credit import speaks_of_credit
from ippanel_edge.wire.reply import RawAnswer, parse
from tests.unit.test_reply import response


def error_of(answer: RawAnswer) -> ApiError:
    with pytest.raises(ApiError) as caught:
        parse(SEND_WEBSERVICE, answer)
    return caught.value


def rejected(message: str, **data: Any) -> dict[str, Any]:
    return {"data": data or None, "meta": {"status": False, "message": message, "message_code": "400-7"}}


@pytest.mark.parametrize(
    "message",
    [
        "اعتبار کافی نیست",
        "اعتبار شما برای این ارسال کافی نیست",
        "اعتبار كافي نيست",
        "اعتبارتان  ناکافی است",
        "اعتبار\u200cتان نا\u200cکافی است",  # noqa: RUF001 - Persian
        "به علت کمبود اعتبار ارسال نشد",
        "شما اعتبار ندارید",
        "Insufficient credit",
        "You do not have enough credits.",
    ],
)
def test_a_message_about_missing_credit_is_recognised(message: str) -> None:
    for status in (200, 201, 400, 422):
        error = error_of(response(rejected(message), status))
        assert (type(error), error.outcome, error.message) == (InsufficientCredit, Outcome.REJECTED, message)
        assert not isinstance(error, ValidationFailed)


@pytest.mark.parametrize(
    "message",
    [
        "توکن نامعتبر است و کافی نیست",
        "اعتبارسنجی کافی نیست",
        "اعتبار\u200cسنجی ناکافی است",
        "تاریخ اعتبار کافی نیست",
        "اعتبار شما افزایش یافت",
        "متن پیام کافی نیست",
        "credit card declined",
        "not enough characters",
        "",
    ],
)
def test_a_message_about_something_else_is_not(message: str) -> None:
    assert type(error_of(response(rejected(message)))) is ApiError
    assert type(error_of(response(rejected(message), 422))) is ValidationFailed


def test_the_status_402_needs_no_message() -> None:
    assert type(error_of(response(b"<html>", 402, content_type="text/html"))) is InsufficientCredit


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500])
def test_the_words_count_only_in_a_rejection_of_the_arguments(status: int) -> None:
    assert not speaks_of_credit(status, "اعتبار کافی نیست")


def test_a_rejection_with_message_ids_may_have_been_executed() -> None:
    error = error_of(response(rejected("اعتبار کافی نیست", message_outbox_ids=[7])))
    assert (type(error), error.outcome) == (InsufficientCredit, Outcome.UNKNOWN)
