"""A sandbox with invented conversations in Persian and English, for the tests and the screenshots."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from ippanel_edge import EdgeClient
from ippanel_edge.sandbox import Sandbox, SandboxClock
from ippanel_edge.sandbox.defaults import PROMOTIONAL_NUMBER

if TYPE_CHECKING:
    from collections.abc import Sequence

START: Final = datetime(2030, 1, 14, 14, 20, tzinfo=UTC)
SARA: Final = "+989121234567"
REZA: Final = "+989352223344"
MINA: Final = "+989217654321"
ALI: Final = "+989905556677"


def sample_sandbox() -> Sandbox:
    """Return a sandbox whose clock changes only on request, with a pattern of a shop."""
    return Sandbox(SandboxClock(START, frozen=True))


def send(sandbox: Sandbox, number: str, text: str, *, line: str | None = None) -> None:
    """Send a message to a phone, from the main line by default."""
    with EdgeClient(sandbox.api_key, base_url=sandbox.base_url, from_number=sandbox.from_number) as client:
        client.send.webservice([number], text, from_number=line)


def fill(sandbox: Sandbox) -> None:
    """Send the sample messages to a running sandbox, over two days of its clock."""
    with EdgeClient(
        sandbox.api_key,
        base_url=sandbox.base_url,
        from_number=sandbox.from_number,
        validate=False,  # the client checks the time of a scheduled message against the clock of this machine
    ) as client:

        def send(numbers: Sequence[str], text: str, *, line: str | None = None, after: float = 60) -> None:
            sandbox.clock.advance(after)
            client.send.webservice(numbers, text, from_number=line)

        send(
            [SARA, REZA, MINA, ALI],
            "نوروز پیشاپیش مبارک! تا پایان دی، ارسال همهٔ سفارش‌ها رایگان است.",  # noqa: RUF001 - Persian
            line=PROMOTIONAL_NUMBER,
        )
        send([ALI], "Your parcel 7731 is waiting at the Vanak branch until Thursday.", after=1500)
        send(["+989990000002"], "یادآوری: وقت مشاورهٔ شما فردا ساعت ۱۰:۳۰ است.", after=2400)  # noqa: RUF001 - Persian
        sandbox.state.review = True
        unwanted = client.send.webservice([ALI], "You have won! Answer 1 to collect your prize.")
        sandbox.state.review = False
        sandbox.state.reject(unwanted.id, "advertising")
        sandbox.clock.advance(90)
        sandbox.state.receive(ALI, PROMOTIONAL_NUMBER, "Thanks, I will collect it on Wednesday.")
        sandbox.clock.advance(50_000)
        client.send.pattern("welcome", MINA, {"name": "مینا", "points": 250})
        send([MINA], "Dear Mina, your invoice of 1,250,000 Rials was paid.", after=900)
        client.send.webservice([MINA], "Your appointment is at 11:00 today.", send_time=START + timedelta(hours=40))
        send([REZA], "قرار فردا ساعت ۹ صبح در دفتر خیابان ولیعصر. لطفاً کارت ملی همراه داشته باشید.", after=700)
        sandbox.state.receive(REZA, sandbox.from_number, "باشه، می‌آیم. جای پارک هست؟")
        send([REZA], "بله، پارکینگ ساختمان طبقهٔ منفی ۲ 🚗", after=240)
        sandbox.clock.advance(4_000)
        sandbox.state.receive(SARA, sandbox.from_number, "سفارش ۱۲۳۴ کی می‌رسد؟")
        send(
            [SARA],
            "سارا جان، سفارش ۱۲۳۴ امروز بین ساعت ۱۶ تا ۱۸ با پیک به دست شما می‌رسد. لطفاً در دسترس باشید.",
            after=200,
        )
        sandbox.state.receive(SARA, sandbox.from_number, "عالی، ممنون 🌷")
        sandbox.clock.advance(1_500)
        client.send.pattern("otp", SARA, {"code": "48213"})
        sandbox.clock.advance(9)
