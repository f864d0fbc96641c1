"""The bodies of the sends: every documented limit on both sides, what names it, and what `validate=False` leaves."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import Any

import pytest
import time_machine

from ippanel_edge._sync.sections.send import Send
from ippanel_edge.api import send, targets
from ippanel_edge.config import Defaults
from ippanel_edge.errors import ConfigurationError, Outcome
from ippanel_edge.models.send import PatternContact, PeerMessage, SendResult
from ippanel_edge.values.secrets import Secret
from tests.unit.built import Built

LINE = "+983000111222"
CHECKED = Defaults(from_number=LINE)
UNCHECKED = Defaults(from_number=LINE, validate=False)
BOTH = pytest.mark.parametrize("defaults", [CHECKED, UNCHECKED], ids=["limits on", "limits off"])
NOW = datetime(2026, 4, 4, 9, 0, tzinfo=UTC)
MOBILE = "+989124445566"
KEY = Secret("a-key-of-the-client")


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def refused(argument: str, says: str, call: Callable[[], Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        call()
    assert caught.value.argument == argument
    assert says in str(caught.value)
    assert caught.value.outcome is Outcome.NOT_SENT


def body_of(defaults: Defaults, send: Callable[[Send], object], secret: Secret | None = KEY) -> dict[str, Any]:
    built = Built()
    send(Send(built, defaults, secret))
    return built.body


def webservice(defaults: Defaults = CHECKED, recipients: Any = MOBILE, message: Any = "x", **more: Any) -> Any:
    return body_of(defaults, lambda send: send.webservice(recipients, message, **more))


def peers(messages: Any, defaults: Defaults = CHECKED) -> Any:
    return body_of(defaults, lambda send: send.peer_to_peer(messages))


def pattern(defaults: Defaults = CHECKED, code: Any = "p1", recipient: Any = MOBILE, **more: Any) -> Any:
    params = more.pop("params", {})
    return body_of(defaults, lambda send: send.pattern(code, recipient, params, **more))


def form(defaults: Defaults = CHECKED, message: Any = "x", **more: Any) -> Any:
    return body_of(defaults, lambda send: send.file(("a.csv", b"x"), message, **more))


def votp(defaults: Defaults, recipient: Any, code: Any) -> Any:
    return body_of(defaults, lambda send: send.votp(recipient, code))


def price(defaults: Defaults, message: Any) -> Any:
    return body_of(defaults, lambda send: send.calculate_price(message))


def url(secret: Secret | None = KEY, defaults: Defaults = CHECKED, recipient: Any = MOBILE, **more: Any) -> Any:
    arguments: dict[str, Any] = {"message": "x", **more}
    return body_of(defaults, lambda send: send.url(recipient, **arguments), secret)


# The sender line.


def test_a_send_takes_its_own_line_else_the_clients() -> None:
    assert webservice()["from_number"] == LINE
    assert webservice(from_number="3000 999")["from_number"] == "+983000999"


@BOTH
def test_without_any_line_it_says_where_to_set_one(defaults: Defaults) -> None:
    nothing = Defaults(validate=defaults.validate)
    refused("from_number", "or to the client, or set IPPANEL_FROM_NUMBER", lambda: webservice(nothing))
    refused("from_number", "not a sender line", lambda: webservice(defaults, from_number="+98"))
    refused("from_number", "IPPANEL_FROM_NUMBER", lambda: price(nothing, "x"))


# The text.


@pytest.mark.parametrize("text", ["a" * 1400, "س" * 67 * 20])
def test_a_text_may_have_1400_characters_and_20_parts(text: str) -> None:
    assert webservice(message=text)["message"] == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a" * 1401, "expected at most 1,400 characters, got 1,401"),
        ("س" * (67 * 20 + 1), "expected at most 20 parts (SMS segments), got 21"),
    ],
)
def test_a_longer_text_is_refused_unless_limits_are_off(text: str, says: str) -> None:
    refused("message", says, lambda: webservice(message=text))
    refused("message", says, lambda: form(message=text))
    refused("message", says, lambda: url(message=text))
    refused("message", says, lambda: price(CHECKED, text))
    refused("messages[1].message", says, lambda: peers(two_texts("x", text)))
    assert webservice(UNCHECKED, message=text)["message"] == text
    assert form(UNCHECKED, text)["message"] == text
    assert url(defaults=UNCHECKED, message=text)["message"] == text
    assert price(UNCHECKED, text)["message"] == text
    assert peers(two_texts("x", text), UNCHECKED)["params"][1]["message"] == text


def two_texts(*texts: Any) -> list[PeerMessage]:
    return [PeerMessage(recipients=(MOBILE,), message=text) for text in texts]


@BOTH
@pytest.mark.parametrize("text", ["", " \n", 5, "half \ud83d"])
def test_what_is_no_text_is_refused_with_limits_on_and_off(defaults: Defaults, text: Any) -> None:
    refused("message", "", lambda: webservice(defaults, message=text))
    refused("messages[0].message", "", lambda: peers(two_texts(text), defaults))


@BOTH
def test_a_missing_text_is_named(defaults: Defaults) -> None:
    refused("message", "is required", lambda: webservice(defaults, message=None))
    refused("message", "is required", lambda: url(defaults=defaults, message=None))
    refused("message", "is required", lambda: form(defaults, None))


# The time.


@pytest.mark.parametrize("ahead", [timedelta(minutes=5), timedelta(days=92)])
def test_a_send_may_be_5_minutes_to_3_months_ahead(ahead: timedelta) -> None:
    written = f"{NOW + ahead:%Y-%m-%d %H:%M:%S}"
    for body in (webservice(send_time=NOW + ahead), form(send_time=NOW + ahead), pattern(send_time=NOW + ahead)):
        assert body["send_time"] == written


@pytest.mark.parametrize(
    ("ahead", "says"),
    [
        (timedelta(minutes=5, seconds=-1), "too early by 1 second"),
        (timedelta(days=92, seconds=1), "too late by 1 second"),
        (timedelta(seconds=-1), "in the past"),
    ],
)
def test_a_time_out_of_bounds_is_refused_unless_limits_are_off(ahead: timedelta, says: str) -> None:
    refused("send_time", says, lambda: webservice(send_time=NOW + ahead))
    refused("send_time", says, lambda: pattern(send_time=NOW + ahead))
    assert webservice(UNCHECKED, send_time=NOW + ahead)["send_time"] == f"{NOW + ahead:%Y-%m-%d %H:%M:%S}"


@BOTH
def test_a_naive_time_is_refused_with_limits_on_and_off(defaults: Defaults) -> None:
    naive = NOW.replace(tzinfo=None)
    refused("send_time", "got a naive one", lambda: webservice(defaults, send_time=naive))


def test_no_time_is_not_sent() -> None:
    assert "send_time" not in webservice()


# The recipients.


def test_webservice_takes_1000_numbers_and_names_the_first_over_it_and_the_way_out() -> None:
    assert len(webservice(recipients=repeat(MOBILE, 1000))["params"]["recipients"]) == 1000
    says = "too many recipients: at most 1,000 per request; split them into several calls, or use send.file"
    refused("recipients[1000]", says, lambda: webservice(recipients=repeat(MOBILE)))
    assert len(webservice(UNCHECKED, recipients=repeat(MOBILE, 1001))["params"]["recipients"]) == 1001


@BOTH
def test_the_first_wrong_number_is_named_by_its_place(defaults: Defaults) -> None:
    wrong = [MOBILE, MOBILE, "0912"]
    refused("recipients[2]", "too short by 7 digits", lambda: webservice(defaults, recipients=wrong))
    refused("other_recipients[2]", "too short by 7 digits", lambda: form(defaults, other_recipients=wrong))
    refused("recipients", "expected at least one recipient", lambda: webservice(defaults, recipients=[]))
    refused("recipients", "expected a str or an iterable of str", lambda: webservice(defaults, recipients=None))


def test_a_peer_message_puts_its_numbers_right_when_it_is_made() -> None:
    assert PeerMessage(recipients="0912 444 55 66", message="x").recipients == (MOBILE,)
    with pytest.raises(ConfigurationError, match=r"^recipients\[1\]: "):
        PeerMessage(recipients=[MOBILE, "x"], message="x")


@BOTH
def test_messages_are_a_list_of_peer_messages(defaults: Defaults) -> None:
    good = PeerMessage(recipients=MOBILE, message="x")
    refused("messages", "expected a list of PeerMessage, got PeerMessage", lambda: peers(good, defaults))
    refused("messages[1]", "expected a PeerMessage, got dict", lambda: peers([good, {}], defaults))
    refused("messages", "must not be empty", lambda: peers([], defaults))


def test_peer_to_peer_has_no_documented_limit() -> None:
    assert len(peers(repeat(PeerMessage(recipients=MOBILE, message="x"), 3000))["params"]) == 3000


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ippanel_edge.api.targets.MAX_NUMBERS", 3)


def test_other_recipients_are_a_million_at_most() -> None:
    assert targets.MAX_NUMBERS == 1_000_000


@pytest.mark.usefixtures("few")
def test_one_other_recipient_too_many_is_named_unless_limits_are_off() -> None:
    assert form(other_recipients=repeat(MOBILE, 3))["other_recipients[]"] == [MOBILE] * 3
    refused("other_recipients[3]", "split them into several calls", lambda: form(other_recipients=repeat(MOBILE)))
    assert len(form(UNCHECKED, other_recipients=repeat(MOBILE, 4))["other_recipients[]"]) == 4


def test_other_recipients_may_be_none_at_all_or_a_lone_number() -> None:
    nobodies: list[Iterable[str]] = [(), [], iter(())]
    for nobody in nobodies:
        assert "other_recipients[]" not in form(other_recipients=nobody)
    assert form(other_recipients="0912 444 55 66")["other_recipients[]"] == [MOBILE]


@BOTH
@pytest.mark.parametrize("wrong", [None, 5, b"0912", {"a": 1}])
def test_other_recipients_are_a_list(defaults: Defaults, wrong: Any) -> None:
    says = f"expected a list of phone numbers, got {type(wrong).__name__}"
    refused("other_recipients", says, lambda: form(defaults, other_recipients=wrong))


# Exactly one recipient.


@BOTH
@pytest.mark.parametrize("several", [[MOBILE], (MOBILE, MOBILE), None, 989124445566])
def test_pattern_votp_and_url_take_exactly_one_number(defaults: Defaults, several: Any) -> None:
    says = "expected one phone number as str"
    refused("recipient", says, lambda: pattern(defaults, recipient=several))
    refused("recipient", says, lambda: votp(defaults, several, "1"))
    refused("recipient", says, lambda: url(defaults=defaults, recipient=several))
    refused("recipient", "not a mobile number", lambda: pattern(defaults, recipient="02133334444"))


# Patterns.


def test_a_pattern_without_variables_sends_an_empty_object() -> None:
    assert pattern()["params"] == {}


def test_values_of_a_pattern_are_texts_and_numbers() -> None:
    params = {"name": "نرگس", "code": "007", "n": 7, "share": 0.5, "blank": ""}
    assert pattern(params=params)["params"] == params


@BOTH
@pytest.mark.parametrize("value", [None, True, [1], {"a": 1}, b"x", NOW, float("nan"), float("inf"), "half \udc00"])
def test_another_value_is_refused_by_the_variables_name(defaults: Defaults, value: Any) -> None:
    refused("params['code']", "", lambda: pattern(defaults, params={"ok": 1, "code": value}))


@BOTH
@pytest.mark.parametrize("params", [None, [("a", 1)], "a=1"])
def test_the_values_are_a_mapping(defaults: Defaults, params: Any) -> None:
    refused("params", f"expected a Mapping, got {type(params).__name__}", lambda: pattern(defaults, params=params))


@BOTH
def test_a_variable_has_a_name(defaults: Defaults) -> None:
    refused("params", "expected a str, got int", lambda: pattern(defaults, params={1: "x"}))
    refused("params", "must not be empty", lambda: pattern(defaults, params={" ": "x"}))


@BOTH
@pytest.mark.parametrize("code", ["", None, 7])
def test_a_pattern_has_a_code(defaults: Defaults, code: Any) -> None:
    refused("code", "", lambda: pattern(defaults, code=code))


@BOTH
def test_a_contact_is_checked_field_by_field(defaults: Defaults) -> None:
    def contact(**fields: Any) -> Any:
        values: dict[str, Any] = {"id": 4, **fields}
        return pattern(defaults, phonebook=PatternContact(**values))

    refused("phonebook.id", "expected an id", lambda: contact(id=0))
    refused("phonebook.name", "expected a str, got int", lambda: contact(name=5))
    refused("phonebook.email", "must not be empty", lambda: contact(email=""))
    refused("phonebook.options", "expected a Mapping", lambda: contact(options=[5]))
    refused("phonebook.options", "expected an int, got str", lambda: contact(options={"5": "x"}))
    refused("phonebook.options[5]", "expected a str or a number", lambda: contact(options={5: None}))
    refused("phonebook", "expected a PatternContact, got dict", lambda: pattern(defaults, phonebook={"id": 4}))
    assert contact(options={5: "x", 6: 7})["phonebook"] == {"id": 4, "options": {"5": "x", "6": 7}}


# Spoken codes.


@pytest.mark.parametrize("code", ["1", "0" * 14, "۱۲۳", 10**13])
def test_a_spoken_code_has_1_to_14_digits(code: Any) -> None:
    said = votp(CHECKED, MOBILE, code)["message"]
    assert said == str(code).replace("۱۲۳", "123")


@pytest.mark.parametrize("code", ["0" * 15, 10**14])
def test_a_longer_code_is_refused_unless_limits_are_off(code: Any) -> None:
    refused("code", "expected at most 14 digits, got 15", lambda: votp(CHECKED, MOBILE, code))
    assert votp(UNCHECKED, MOBILE, code)["message"] == str(code)


@BOTH
@pytest.mark.parametrize("code", ["", "12a", " 12", "12\n", "-5", -5, "1.5"])
def test_a_spoken_code_has_nothing_but_digits_and_is_not_repeated_in_the_error(defaults: Defaults, code: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        votp(defaults, MOBILE, code)
    assert str(caught.value) == "code: expected 1 to 14 digits and nothing else"


@BOTH
@pytest.mark.parametrize("code", [None, True, 1.0, b"12"])
def test_a_spoken_code_is_a_text_or_a_whole_number(defaults: Defaults, code: Any) -> None:
    refused("code", "expected an int", lambda: votp(defaults, MOBILE, code))


def test_a_spoken_code_names_no_line() -> None:
    assert "from_number" not in votp(Defaults(), MOBILE, "1")


# The URL send.


def test_the_url_send_goes_with_the_key_or_with_a_user_never_with_both() -> None:
    keyed = url()
    assert (keyed["apikey"], "username" in keyed, "password" in keyed) == (KEY, False, False)
    named = url(username="u", password="p")
    assert (named["username"], named["password"], "apikey" in named) == ("u", "p", False)
    assert "'***'" in repr(named)


def test_the_url_send_goes_into_the_query_when_asked() -> None:
    built = Built()
    Send(built, CHECKED, KEY).url(MOBILE, "x", in_url=True)
    assert (built.calls[0].method, built.calls[0].body) == ("GET", None)
    assert built.query == {"from": LINE, "to": MOBILE, "message": "x", "apikey": KEY}


@BOTH
def test_half_of_the_credentials_or_none_is_refused(defaults: Defaults) -> None:
    refused("password", "together", lambda: url(defaults=defaults, username="u"))
    refused("username", "together", lambda: url(defaults=defaults, password="p"))
    refused("username", "the client has no key", lambda: url(None, defaults=defaults))
    refused("username", "must not be empty", lambda: url(defaults=defaults, username="", password="p"))
    refused("password", "must not be empty", lambda: url(defaults=defaults, username="u", password=" "))


# Files.


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "A.CSV"])
def test_a_table_is_csv_or_xlsx(name: str) -> None:
    assert send.table(CHECKED, (name, b"x")).name == name


@pytest.mark.parametrize("name", ["a.txt", "a.xls", "a"])
def test_another_kind_of_file_is_refused_unless_limits_are_off(name: str) -> None:
    refused("file", "expected one of the file types .csv, .xlsx", lambda: send.table(CHECKED, (name, b"x")))
    assert send.table(UNCHECKED, (name, b"x")).name == name


def test_keywords_come_from_a_workbook_alone() -> None:
    refused(
        "file", "expected one of the file types .xlsx", lambda: send.table(CHECKED, ("a.csv", b"x"), kinds=send.SHEETS)
    )
    assert send.table(CHECKED, ("a.xlsx", b"x"), kinds=send.SHEETS).size == 1


@BOTH
def test_an_empty_or_missing_file_is_refused_with_limits_on_and_off(defaults: Defaults) -> None:
    refused("file", "the file is empty", lambda: send.table(defaults, ("a.csv", b"")))
    refused("file", "cannot be read", lambda: send.table(defaults, "/nowhere/a.csv"))
    refused("file", "missing file name", lambda: send.table(defaults, io.BytesIO(b"x")))


# What comes back.


def test_the_only_id_of_a_send_is_its_id() -> None:
    assert SendResult(message_outbox_ids=(7,)).id == 7
    with pytest.raises(ValueError, match="expected one message id, got 2; use message_outbox_ids"):
        _ = SendResult(message_outbox_ids=(7, 8)).id
