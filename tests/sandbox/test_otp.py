"""The one-time passwords that the sandbox and the assertions of the tests find in texts."""

from __future__ import annotations

import pytest

from ippanel_edge.sandbox.otp import find_codes, find_otp


@pytest.mark.parametrize(
    ("text", "sending_type", "otp"),
    [
        ("کد ورود شما: 12345", "pattern", "12345"),
        ("۱۲۳۴۵۶ رمز یکبار مصرف شماست", "webservice", "123456"),
        ("Your code is 0042.", "webservice", "0042"),
        ("OTP 1234 for order 98765", "webservice", "1234"),
        ("Order 98765: your code is 1234", "webservice", "1234"),
        ("علی عزیز، 1200 امتیاز گرفتید.", "pattern", None),
        ("code: 123", "webservice", None),
        ("code: 123456789", "webservice", None),
        ("۰۴۵", "votp", "045"),
        ("Your Acme login: 4821", "pattern", "4821"),
        ("کد رهگیری مرسوله 99887766", "webservice", None),
        ("کدام روز 1404 می‌آیید؟", "webservice", None),
        ("Your code on 2025/03/04 at 12:30 is 48213", "webservice", "48213"),
        ("کد ۴۸۲۱۳ برای پرداخت 1,250,000 ریال", "webservice", "48213"),
        ("مبلغ 1250000 ریال رمز پویا: 739201", "webservice", "739201"),
        ("خرید 1250000 رمز 739201", "webservice", "739201"),
        ("کدرهگیری 12345678 کد 4821", "webservice", "4821"),
        ("Pay 12000 Rials with the code 4821", "webservice", "4821"),
        ("", "webservice", None),
    ],
)
def test_a_one_time_password_is_found_in_a_text(text: str, sending_type: str, otp: str | None) -> None:
    assert find_otp(text, sending_type) == otp


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("کد ورود شما: ۴۸۲۱۳", ["48213"]),
        ("Your code is 482134.", ["482134"]),
        ("Code: 48213\n@example.com #48213", ["48213"]),
        ("12345678", ["12345678"]),
        ("Order 12345, code 48213", ["48213"]),
        ("سفارش ۱۲۳۴۵، کد ۴۸۲۱۳", ["48213"]),
        ("48213 is your code for order 12345", ["48213"]),
        ("48213 and 12345 are numbers", ["48213", "12345"]),
        ("Code 48213, valid for 2 minutes, call 02112345678", ["48213"]),
        ("1,250,000 Rials on 1404/02/30 at 12:30", []),
        ("\u06f1\u066c\u06f2\u06f5\u06f0\u066c\u06f0\u06f0\u06f0 ریال", []),
        ("+989123456789", []),
        ("کدام روز 1404 یا 1405 می‌آیید؟", ["1404", "1405"]),
        ("123 and 123456789", []),
        ("", []),
    ],
)
def test_codes_are_numbers_of_four_to_eight_digits(text: str, expected: list[str]) -> None:
    assert find_codes(text) == expected
