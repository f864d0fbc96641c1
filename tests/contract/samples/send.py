"""Samples of the sends to numbers of the caller: with sender lines, send times and files of every type."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, BinaryIO

from ippanel_edge import endpoints
from ippanel_edge.models.send import PatternContact, PeerMessage, Price, SendResult
from tests.contract.sample import KEY, LINE, Sample, ok
from tests.workbooks import workbook

# Two days ahead in Tehran time, and the same time in the format of the API.
LATER = datetime.now(timezone(timedelta(hours=3, minutes=30))).replace(microsecond=0) + timedelta(days=2)
LATER_SENT = f"{LATER.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
OTHER_LINE = "+98TABRIZ"
NUMBERS = Path(__file__).parents[1] / "files" / "numbers.csv"
PAIRS = "recipient,message\n09124445566,سلام\n".encode()
SHEET = workbook(["09124445566", "سلام"])


def named(content: bytes, name: str) -> BinaryIO:
    """Return a binary file object whose name is a path, as open() returns it."""
    file = io.BytesIO(content)
    file.name = f"/home/maryam/{name}"
    return file


def one(sent: int = 70_114_001) -> dict[str, Any]:
    return ok({"message_outbox_ids": [sent]})


ONE = SendResult(message_outbox_ids=(70_114_001,))

SAMPLES = [
    Sample(
        endpoint=endpoints.SEND_WEBSERVICE,
        call=lambda client: client.send.webservice(["09124445566", "+98 935 111 22 33"], "نوبت شما فردا است"),
        json={
            "sending_type": "webservice",
            "from_number": LINE,
            "message": "نوبت شما فردا است",
            "params": {"recipients": ["+989124445566", "+989351112233"]},
        },
        answer=one(),
        returns=ONE,
    ),
    Sample(
        name="scheduled, from another line, to one number; the id as a str",
        endpoint=endpoints.SEND_WEBSERVICE,
        call=lambda client: client.send.webservice("۰۹۱۲۴۴۴۵۵۶۶", "Hello", from_number="98TABRIZ", send_time=LATER),
        json={
            "sending_type": "webservice",
            "from_number": OTHER_LINE,
            "message": "Hello",
            "params": {"recipients": ["+989124445566"]},
            "send_time": LATER_SENT,
        },
        answer=ok({"message_outbox_ids": ["70114001"]}),
        returns=ONE,
    ),
    Sample(
        name="duplicates are not removed; the id in another field, as a float",
        endpoint=endpoints.SEND_WEBSERVICE,
        call=lambda client: client.send.webservice(("9124445566", "9124445566"), "x"),
        json={
            "sending_type": "webservice",
            "from_number": LINE,
            "message": "x",
            "params": {"recipients": ["+989124445566", "+989124445566"]},
        },
        answer=ok({"bulk_id": 70114001.0}),
        returns=ONE,
    ),
    Sample(
        endpoint=endpoints.SEND_PEER_TO_PEER,
        call=lambda client: client.send.peer_to_peer(
            (
                PeerMessage(recipients=recipients, message=message)
                for recipients, message in (
                    (["09124445566", "09351112233"], "بدهی دارید"),
                    ("0921 777 88 99", "Paid"),
                )
            ),
            send_time=LATER,
        ),
        json={
            "sending_type": "peer_to_peer",
            "from_number": LINE,
            "send_time": LATER_SENT,
            "params": [
                {"recipients": ["+989124445566", "+989351112233"], "message": "بدهی دارید"},
                {"recipients": ["+989217778899"], "message": "Paid"},
            ],
        },
        answer=ok({"message_outbox_ids": [70_114_010, "70114011"]}),
        returns=SendResult(message_outbox_ids=(70_114_010, 70_114_011)),
    ),
    Sample(
        endpoint=endpoints.SEND_PEER_TO_PEER_FILE,
        call=lambda client: client.send.peer_to_peer_file(("pairs.csv", PAIRS)),
        form={"sending_type": "peer_to_peer_file", "from_number": LINE},
        files=(("files[]", "pairs.csv", PAIRS),),
        answer=one(),
        returns=ONE,
    ),
    Sample(
        name="a workbook, scheduled",
        endpoint=endpoints.SEND_PEER_TO_PEER_FILE,
        call=lambda client: client.send.peer_to_peer_file(
            named(SHEET, "pairs.xlsx"), from_number="3000 999", send_time=LATER
        ),
        form={"sending_type": "peer_to_peer_file", "from_number": "+983000999", "send_time": LATER_SENT},
        files=(("files[]", "pairs.xlsx", SHEET),),
        answer=one(),
        returns=ONE,
    ),
    Sample(
        endpoint=endpoints.SEND_KEYWORD,
        call=lambda client: client.send.keyword(
            ("debts.XLSX", SHEET), "{ex_B} عزیز، مانده {ex_C} ریال", send_time=LATER
        ),
        form={
            "sending_type": "keyword",
            "from_number": LINE,
            "message": "{ex_B} عزیز، مانده {ex_C} ریال",
            "send_time": LATER_SENT,
        },
        files=(("files[]", "debts.XLSX", SHEET),),
        answer=one(),
        returns=ONE,
    ),
    Sample(
        endpoint=endpoints.SEND_PATTERN,
        call=lambda client: client.send.pattern("k7hq2v9", "09124445566", {"code": "0417", "minutes": 2}),
        json={
            "sending_type": "pattern",
            "from_number": LINE,
            "code": "k7hq2v9",
            "recipients": ["+989124445566"],
            "params": {"code": "0417", "minutes": 2},
        },
        answer=one(),
        returns=ONE,
    ),
    Sample(
        name="without variables, saved in a phonebook, scheduled",
        endpoint=endpoints.SEND_PATTERN,
        call=lambda client: client.send.pattern(
            "k7hq2v9",
            "09124445566",
            {},
            phonebook=PatternContact(id=811, name="نرگس", pre="ms", email="n@example.test", options={5: "red"}),
            send_time=LATER,
            from_number=OTHER_LINE,
        ),
        json={
            "sending_type": "pattern",
            "from_number": OTHER_LINE,
            "send_time": LATER_SENT,
            "code": "k7hq2v9",
            "recipients": ["+989124445566"],
            "params": {},
            "phonebook": {
                "id": 811,
                "name": "نرگس",
                "pre": "ms",
                "email": "n@example.test",
                "options": {"5": "red"},
            },
        },
        answer=one(),
        returns=ONE,
    ),
    Sample(
        name="saved in a phonebook, the number only",
        endpoint=endpoints.SEND_PATTERN,
        call=lambda client: client.send.pattern("k7hq2v9", "09124445566", {"n": 1.5}, phonebook=PatternContact(id=811)),
        json={
            "sending_type": "pattern",
            "from_number": LINE,
            "code": "k7hq2v9",
            "recipients": ["+989124445566"],
            "params": {"n": 1.5},
            "phonebook": {"id": 811},
        },
        answer=one(),
        returns=ONE,
    ),
    Sample(
        name="a path",
        endpoint=endpoints.SEND_FILE,
        call=lambda client: client.send.file(NUMBERS, "باز هم هستیم"),
        form={"sending_type": "file", "from_number": LINE, "message": "باز هم هستیم"},
        files=(("files[]", "numbers.csv", NUMBERS.read_bytes()),),
        answer=one(),
        returns=ONE,
    ),
    Sample(
        name="a path as a str, with other recipients, scheduled",
        endpoint=endpoints.SEND_FILE,
        call=lambda client: client.send.file(
            str(NUMBERS),
            "باز هم هستیم",
            other_recipients=["09351112233", "+989217778899"],
            from_number=OTHER_LINE,
            send_time=LATER,
        ),
        form={
            "sending_type": "file",
            "from_number": OTHER_LINE,
            "message": "باز هم هستیم",
            "send_time": LATER_SENT,
            "other_recipients[]": ["+989351112233", "+989217778899"],
        },
        files=(("files[]", "numbers.csv", NUMBERS.read_bytes()),),
        answer=one(),
        returns=ONE,
    ),
    Sample(
        name="a file object",
        endpoint=endpoints.SEND_FILE,
        call=lambda client: client.send.file(named(SHEET, "customers.xlsx"), "x"),
        form={"sending_type": "file", "from_number": LINE, "message": "x"},
        files=(("files[]", "customers.xlsx", SHEET),),
        answer=one(),
        returns=ONE,
    ),
    Sample(
        name="bytes with a name",
        endpoint=endpoints.SEND_FILE,
        call=lambda client: client.send.file(("n.csv", b"phone_number\n09124445566\n"), "x", other_recipients=[]),
        form={"sending_type": "file", "from_number": LINE, "message": "x"},
        files=(("files[]", "n.csv", b"phone_number\n09124445566\n"),),
        answer=one(),
        returns=ONE,
    ),
    Sample(
        endpoint=endpoints.SEND_VOTP,
        call=lambda client: client.send.votp("09124445566", "۰۰۷۳"),
        json={"sending_type": "votp", "message": "0073", "params": {"recipients": ["+989124445566"]}},
        answer=one(),
        returns=ONE,
    ),
    Sample(
        name="the code as an int",
        endpoint=endpoints.SEND_VOTP,
        call=lambda client: client.send.votp("09124445566", 7391),
        json={"sending_type": "votp", "message": "7391", "params": {"recipients": ["+989124445566"]}},
        answer=one(),
        returns=ONE,
    ),
    Sample(
        endpoint=endpoints.SEND_URL,
        call=lambda client: client.send.url("09124445566", "سلام & درود"),
        form={"from": LINE, "to": "+989124445566", "message": "سلام & درود", "apikey": KEY},
        answer=one(),
        returns=ONE,
    ),
    Sample(
        name="with a user name",
        endpoint=endpoints.SEND_URL,
        call=lambda client: client.send.url(
            "09124445566", "x", from_number=OTHER_LINE, username="maryam", password="a+b c"
        ),
        form={
            "from": OTHER_LINE,
            "to": "+989124445566",
            "message": "x",
            "username": "maryam",
            "password": "a+b c",
        },
        answer=one(),
        returns=ONE,
    ),
    Sample(
        endpoint=endpoints.SEND_CANCEL,
        call=lambda client: client.send.cancel(70_114_001),
        json={"message_outbox_id": 70_114_001},
        answer=ok(None),
        returns=None,
    ),
    Sample(
        endpoint=endpoints.SEND_CALCULATE_PRICE,
        call=lambda client: client.send.calculate_price("سلام"),
        json={"number": LINE, "message": "سلام"},
        answer=ok({"mci_price": 2291.4, "other_price": 2410, "parts": 1}),
        returns=Price(mci_price=2291.4, other_price=2410.0, parts=1),
    ),
    Sample(
        name="for another line, values of other types",
        endpoint=endpoints.SEND_CALCULATE_PRICE,
        call=lambda client: client.send.calculate_price("سلام", number="98TABRIZ"),
        json={"number": OTHER_LINE, "message": "سلام"},
        answer=ok({"mci_price": "2291.40", "other_price": None, "parts": "1", "currency": "IRR"}),
        returns=Price(mci_price=2291.4, other_price=None, parts=1),
    ),
]
