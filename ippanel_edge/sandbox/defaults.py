"""The initial state of a sandbox: fictional accounts, lines, tariffs, patterns and other records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ippanel_edge.sandbox.population import people
from ippanel_edge.sandbox.records import (
    DocumentKind,
    Line,
    Package,
    Pattern,
    PatternVariable,
    Tariff,
    TicketCategory,
    User,
)
from ippanel_edge.sandbox.rules.billing import VOICE_TARIFF
from ippanel_edge.sandbox.state import SandboxState

if TYPE_CHECKING:
    from ippanel_edge.sandbox.clock import SandboxClock

API_KEY: Final = "sandbox-key"
"""The API key of the main account."""
SUB_USER_API_KEY: Final = "sandbox-sub-user-key"
"""The API key of a sub-user, which has 50,000 Rials of credit and one sender line."""
USERNAME: Final = "sandbox"
PASSWORD: Final = "Sandbox-1"  # noqa: S105 - the password of a fictional account
MOBILE: Final = "+989121112233"

FROM_NUMBER: Final = "+983000100200"
"""A service line, which also delivers to blacklisted numbers."""
PROMOTIONAL_NUMBER: Final = "+9890009000"
"""A promotional line, which does not deliver to blacklisted numbers."""
ALPHANUMERIC_NUMBER: Final = "+98SANDBOX"
BANK_NUMBER: Final = "+98SANDBANK"
VOICE_NUMBER: Final = "+98votp"

OTP_PATTERN: Final = "otp"
"""An active pattern with one variable, `code`."""
WELCOME_PATTERN: Final = "welcome"
"""An active pattern with two variables: `name` (str of at most 20 characters) and `points` (int)."""
PENDING_PATTERN: Final = "pending"
"""A pattern that is pending review."""

TEXT_TARIFF: Final = 1
BLACKLISTED: Final = "+989120000404"
"""A number on the blacklist of the operators."""


def default_state(clock: SandboxClock) -> SandboxState:
    """Create the state of a new sandbox: one main account, one sub-user, and example records of every section."""
    state = SandboxState(clock)
    now = clock.now()
    main = User(
        state.next_id("user"),
        USERNAME,
        PASSWORD,
        now,
        name="جعبه شنی",
        mobile=MOBILE,
        credit=100_000_000.0,
        yesterday_credit=100_000_000.0,
        is_reseller=True,
        national_code="0012345679",
        email="sandbox@example.com",
        company="Sandbox",
        package_id=1,
    )
    sub_user = User(
        state.next_id("user"),
        "sub-user",
        PASSWORD,
        now,
        parent_id=main.user_id,
        name="زیرمجموعه",
        two_factor="sms",
        mobile="+989351112233",
        credit=50_000.0,
        yesterday_credit=50_000.0,
        national_code="0012345687",
        package_id=1,
    )
    state.users = {user.user_id: user for user in (main, sub_user)}
    state.api_keys = {API_KEY: main.user_id, SUB_USER_API_KEY: sub_user.user_id}
    state.tariffs = {
        TEXT_TARIFF: Tariff(TEXT_TARIFF, "پیامک", 1210.5, 2890.0, 1340.5, 3120.0),
        VOICE_TARIFF: Tariff(VOICE_TARIFF, "پیام صوتی کد فعالسازی", 1050.0, 1050.0, 1050.0, 1050.0),
    }
    _add_lines(state, main, sub_user)
    _add_patterns(state, main)
    _add_account_data(state, main)
    state.blacklist = {BLACKLISTED, *(person.number for person in people() if person.is_blacklisted)}
    return state


def main_account(state: SandboxState) -> tuple[str, str]:
    """Return the first API key and the first sender line of a state; the defaults if it has none."""
    return next(iter(state.api_keys), API_KEY), next((line.number for line in state.lines.values()), FROM_NUMBER)


def set_main_account(state: SandboxState, api_key: str | None, from_number: str | None) -> None:
    """Replace the first API key and the number of the first sender line, unless None.

    Raises:
        ValueError: another account has the key, or another line has the number.
    """
    first_key, first_number = main_account(state)
    if api_key not in (None, first_key):
        if api_key in state.api_keys:
            raise ValueError("api_key: another account of the sandbox has this key; choose a different one")
        keys = [(api_key if key == first_key else key, user_id) for key, user_id in state.api_keys.items()]
        state.api_keys = {str(key): user_id for key, user_id in keys}
    if from_number not in (None, first_number):
        if any(line.number == from_number for line in state.lines.values()):
            raise ValueError(f"from_number: {from_number} is another line of the sandbox; choose a different one")
        next(iter(state.lines.values())).number = str(from_number)


def _add_lines(state: SandboxState, main: User, sub_user: User) -> None:
    for number, alias, is_service in (
        (FROM_NUMBER, "خدماتی", True),
        (PROMOTIONAL_NUMBER, None, False),
        (ALPHANUMERIC_NUMBER, None, True),
        (BANK_NUMBER, "بانک شماره", False),
    ):
        line_id = state.next_id("line")
        state.lines[line_id] = Line(
            line_id, number, main.user_id, TEXT_TARIFF, alias=alias, is_service=is_service, color="#7FB069"
        )
    line_id = state.next_id("line")
    state.lines[line_id] = Line(line_id, "+983000100300", sub_user.user_id, TEXT_TARIFF)


def _add_patterns(state: SandboxState, owner: User) -> None:
    now = state.now
    for code, message, variables, status in (
        (OTP_PATTERN, "کد ورود شما: %code%", [PatternVariable("code", "string")], "active"),
        (
            WELCOME_PATTERN,
            "%name% عزیز، %points% امتیاز گرفتید.",
            [PatternVariable("name", "string", 20), PatternVariable("points", "integer")],
            "active",
        ),
        (PENDING_PATTERN, "سفارش %order% ثبت شد.", [PatternVariable("order", "integer")], "pending"),
    ):
        number = state.next_id("pattern")
        state.patterns[code] = Pattern(
            code, f"{number:024x}", owner.user_id, message, variables, now, now, status=status, title=code
        )


def _add_account_data(state: SandboxState, owner: User) -> None:
    now = state.now
    state.packages = {
        1: Package(1, "پایه", owner.user_id, 0, now, now),
        2: Package(2, "حرفه ای", owner.user_id, 2_500_000, now, now, special_disc=10),
        3: Package(3, "قدیمی", owner.user_id, 900_000, now, now, status="inactive", registration="offline"),
    }
    state.ticket_categories = {
        10: TicketCategory(10, "فنی"),
        11: TicketCategory(11, "مالی"),
        20: TicketCategory(20, "وب سرویس", 10),
    }
    state.document_kinds = {
        3: DocumentKind(3, "تعهدنامه خط", "فرم درخواست خط", samples=(("نمونه", "https://example.com/line.docx"),)),
        6: DocumentKind(6, "کارت ملی", "تصویر رو و پشت کارت", file_count=2, expire_after_days=365),
    }
