"""The send methods: request bodies, and every documented limit on both sides, with and without limit checks."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import Any

import pytest
import time_machine

from ippanel_edge import endpoints
from ippanel_edge._sync.sections.send import Send
from ippanel_edge.api import send, targets
from ippanel_edge.config import Defaults
from ippanel_edge.errors import ConfigurationError, Outcome
from ippanel_edge.models.send import PatternContact, PeerMessage, SendResult
from ippanel_edge.values.secrets import Secret
from tests.unit.call_recorder import CallRecorder

LINE = "+983000111222"
CHECKED = Defaults(from_number=LINE)
UNCHECKED = Defaults(from_number=LINE, validate=False)
LIMIT_CHECKS_ON_AND_OFF = pytest.mark.parametrize(
    "defaults", [CHECKED, UNCHECKED], ids=["limit checks", "no limit checks"]
)
NOW = datetime(2026, 4, 4, 9, 0, tzinfo=UTC)
MOBILE = "+989124445566"
KEY = Secret("a-key-of-the-client")


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def assert_rejected(argument: str, message: str, call: Callable[[], Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        call()
    assert caught.value.argument == argument
    assert message in str(caught.value)
    assert caught.value.outcome is Outcome.NOT_SENT


def body_sent_by(defaults: Defaults, send: Callable[[Send], object], secret: Secret | None = KEY) -> dict[str, Any]:
    recorder = CallRecorder()
    send(Send(recorder, defaults, secret))
    return recorder.body


def webservice(defaults: Defaults = CHECKED, recipients: Any = MOBILE, message: Any = "x", **more: Any) -> Any:
    return body_sent_by(defaults, lambda send: send.webservice(recipients, message, **more))


def peer_to_peer(messages: Any, defaults: Defaults = CHECKED) -> Any:
    return body_sent_by(defaults, lambda send: send.peer_to_peer(messages))


def pattern(defaults: Defaults = CHECKED, code: Any = "p1", recipient: Any = MOBILE, **more: Any) -> Any:
    params = more.pop("params", {})
    return body_sent_by(defaults, lambda send: send.pattern(code, recipient, params, **more))


def file(defaults: Defaults = CHECKED, message: Any = "x", **more: Any) -> Any:
    return body_sent_by(defaults, lambda send: send.file(("a.csv", b"x"), message, **more))


def votp(defaults: Defaults, recipient: Any, code: Any) -> Any:
    return body_sent_by(defaults, lambda send: send.votp(recipient, code))


def price(defaults: Defaults, message: Any) -> Any:
    return body_sent_by(defaults, lambda send: send.calculate_price(message))


def url(secret: Secret | None = KEY, defaults: Defaults = CHECKED, recipient: Any = MOBILE, **more: Any) -> Any:
    arguments: dict[str, Any] = {"message": "x", **more}
    return body_sent_by(defaults, lambda send: send.url(recipient, **arguments), secret)


# The sender line.


def test_the_sender_line_defaults_to_that_of_the_client() -> None:
    assert webservice()["from_number"] == LINE
    assert webservice(from_number="3000 999")["from_number"] == "+983000999"


@LIMIT_CHECKS_ON_AND_OFF
def test_the_error_for_a_missing_sender_line_states_where_to_set_one(defaults: Defaults) -> None:
    no_line = Defaults(validate=defaults.validate)
    assert_rejected("from_number", "or to the client, or set IPPANEL_FROM_NUMBER", lambda: webservice(no_line))
    assert_rejected("from_number", "not a sender line", lambda: webservice(defaults, from_number="+98"))
    assert_rejected("from_number", "IPPANEL_FROM_NUMBER", lambda: price(no_line, "x"))


# The message.


@pytest.mark.parametrize("text", ["a" * 1400, "س" * 67 * 20])
def test_a_message_of_1400_characters_or_20_parts_is_accepted(text: str) -> None:
    assert webservice(message=text)["message"] == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a" * 1401, "expected at most 1,400 characters, got 1,401"),
        ("س" * (67 * 20 + 1), "expected at most 20 parts (SMS segments), got 21"),
    ],
)
def test_a_longer_message_is_rejected_unless_limit_checks_are_disabled(text: str, message: str) -> None:
    assert_rejected("message", message, lambda: webservice(message=text))
    assert_rejected("message", message, lambda: file(message=text))
    assert_rejected("message", message, lambda: url(message=text))
    assert_rejected("message", message, lambda: price(CHECKED, text))
    assert_rejected("messages[1].message", message, lambda: peer_to_peer(peer_messages("x", text)))
    assert webservice(UNCHECKED, message=text)["message"] == text
    assert file(UNCHECKED, text)["message"] == text
    assert url(defaults=UNCHECKED, message=text)["message"] == text
    assert price(UNCHECKED, text)["message"] == text
    assert peer_to_peer(peer_messages("x", text), UNCHECKED)["params"][1]["message"] == text


def peer_messages(*messages: Any) -> list[PeerMessage]:
    return [PeerMessage(recipients=(MOBILE,), message=text) for text in messages]


@LIMIT_CHECKS_ON_AND_OFF
@pytest.mark.parametrize("text", ["", " \n", 5, "lone \ud83d"])
def test_an_invalid_message_is_rejected_even_if_limit_checks_are_disabled(defaults: Defaults, text: Any) -> None:
    assert_rejected("message", "", lambda: webservice(defaults, message=text))


@LIMIT_CHECKS_ON_AND_OFF
def test_an_empty_message_of_several_is_rejected_and_named_by_its_index(defaults: Defaults) -> None:
    assert_rejected("messages[1].message", "", lambda: peer_to_peer(peer_messages("x", " \n"), defaults))


@LIMIT_CHECKS_ON_AND_OFF
def test_a_missing_message_is_rejected(defaults: Defaults) -> None:
    assert_rejected("message", "is required", lambda: webservice(defaults, message=None))
    assert_rejected("message", "is required", lambda: url(defaults=defaults, message=None))
    assert_rejected("message", "is required", lambda: file(defaults, None))


# The send time.


@pytest.mark.parametrize("ahead", [timedelta(minutes=5), timedelta(days=92)])
def test_a_send_time_5_minutes_to_3_months_from_now_is_accepted(ahead: timedelta) -> None:
    formatted = f"{NOW + ahead:%Y-%m-%d %H:%M:%S}"
    for body in (webservice(send_time=NOW + ahead), file(send_time=NOW + ahead), pattern(send_time=NOW + ahead)):
        assert body["send_time"] == formatted


@pytest.mark.parametrize(
    ("ahead", "message"),
    [
        (timedelta(minutes=5, seconds=-1), "too early by 1 second"),
        (timedelta(days=92, seconds=1), "too late by 1 second"),
        (timedelta(seconds=-1), "in the past"),
    ],
)
def test_a_send_time_out_of_the_limits_is_rejected_unless_limit_checks_are_disabled(
    ahead: timedelta, message: str
) -> None:
    assert_rejected("send_time", message, lambda: webservice(send_time=NOW + ahead))
    assert_rejected("send_time", message, lambda: pattern(send_time=NOW + ahead))
    assert webservice(UNCHECKED, send_time=NOW + ahead)["send_time"] == f"{NOW + ahead:%Y-%m-%d %H:%M:%S}"


@LIMIT_CHECKS_ON_AND_OFF
def test_a_naive_send_time_is_rejected_even_if_limit_checks_are_disabled(defaults: Defaults) -> None:
    naive = NOW.replace(tzinfo=None)
    assert_rejected("send_time", "got a naive one", lambda: webservice(defaults, send_time=naive))


def test_an_unset_send_time_is_omitted() -> None:
    assert "send_time" not in webservice()


# The recipients.


def test_webservice_accepts_1000_recipients_and_the_error_for_more_names_alternatives() -> None:
    assert len(webservice(recipients=repeat(MOBILE, 1000))["params"]["recipients"]) == 1000
    message = "too many recipients: at most 1,000 per request; split them into several calls, or use send.file"
    assert_rejected("recipients[1000]", message, lambda: webservice(recipients=repeat(MOBILE)))
    assert len(webservice(UNCHECKED, recipients=repeat(MOBILE, 1001))["params"]["recipients"]) == 1001


@LIMIT_CHECKS_ON_AND_OFF
def test_the_first_invalid_recipient_is_named_by_its_index(defaults: Defaults) -> None:
    invalid = [MOBILE, MOBILE, "0912"]
    assert_rejected("recipients[2]", "too short by 7 digits", lambda: webservice(defaults, recipients=invalid))
    assert_rejected("other_recipients[2]", "too short by 7 digits", lambda: file(defaults, other_recipients=invalid))
    assert_rejected("recipients", "expected at least one recipient", lambda: webservice(defaults, recipients=[]))
    assert_rejected("recipients", "expected a str or an iterable of str", lambda: webservice(defaults, recipients=None))


def test_the_recipients_of_a_peer_message_are_normalised_on_creation() -> None:
    assert PeerMessage(recipients="0912 444 55 66", message="x").recipients == (MOBILE,)
    with pytest.raises(ConfigurationError, match=r"^recipients\[1\]: "):
        PeerMessage(recipients=[MOBILE, "x"], message="x")


@LIMIT_CHECKS_ON_AND_OFF
def test_a_value_that_is_not_a_list_of_peer_messages_is_rejected(defaults: Defaults) -> None:
    valid = PeerMessage(recipients=MOBILE, message="x")
    assert_rejected("messages", "expected a list of PeerMessage or (recipients,", lambda: peer_to_peer(valid, defaults))
    assert_rejected("messages[1]", "expected a PeerMessage or a", lambda: peer_to_peer([valid, {}], defaults))
    assert_rejected("messages", "must not be empty", lambda: peer_to_peer([], defaults))


def test_peer_to_peer_accepts_tuples_of_recipients_and_text_as_well() -> None:
    pairs = [("0912 444 55 66", "one"), ([MOBILE, "09351234567"], "two"), PeerMessage(recipients=MOBILE, message="x")]
    assert peer_to_peer(pairs)["params"] == [
        {"recipients": [MOBILE], "message": "one"},
        {"recipients": [MOBILE, "+989351234567"], "message": "two"},
        {"recipients": [MOBILE], "message": "x"},
    ]
    assert peer_to_peer({MOBILE: "one"}.items())["params"] == [{"recipients": [MOBILE], "message": "one"}]


INVALID_ITEMS: list[tuple[Any, str, str]] = [
    ((MOBILE,), "messages[1]", "expected a tuple of 2 items, (recipients, text), got 1"),
    ((MOBILE, "x", "y"), "messages[1]", "expected a tuple of 2 items, (recipients, text), got 3"),
    ([MOBILE, "x"], "messages[1]", "expected a PeerMessage or a (recipients, text) tuple, got list"),
    (MOBILE, "messages[1]", "expected a PeerMessage or a (recipients, text) tuple, got str"),
    (("0912", "x"), "messages[1].recipients", "too short"),
    (([MOBILE, "0912"], "x"), "messages[1].recipients[1]", "too short"),
    (([], "x"), "messages[1].recipients", "expected at least one recipient, got none"),
    ((5, "x"), "messages[1].recipients", "expected a str or an iterable of str, got int"),
    ((MOBILE, 5), "messages[1].message", "expected a str, got int"),
    ((MOBILE, None), "messages[1].message", "is required"),
]


@LIMIT_CHECKS_ON_AND_OFF
@pytest.mark.parametrize(("item", "argument", "message"), INVALID_ITEMS)
def test_the_error_for_an_invalid_tuple_names_its_place(
    defaults: Defaults, item: Any, argument: str, message: str
) -> None:
    assert_rejected(argument, message, lambda: peer_to_peer([(MOBILE, "x"), item], defaults))


def test_peer_to_peer_accepts_3000_messages_because_no_limit_is_documented() -> None:
    assert len(peer_to_peer(repeat(PeerMessage(recipients=MOBILE, message="x"), 3000))["params"]) == 3000


@pytest.fixture
def low_maximum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ippanel_edge.api.targets.MAX_NUMBERS", 3)


def test_the_maximum_of_other_recipients_is_a_million() -> None:
    assert targets.MAX_NUMBERS == 1_000_000


@pytest.mark.usefixtures("low_maximum")
def test_the_first_other_recipient_over_the_maximum_is_named_unless_limit_checks_are_disabled() -> None:
    assert file(other_recipients=repeat(MOBILE, 3))["other_recipients[]"] == [MOBILE] * 3
    assert_rejected(
        "other_recipients[3]", "split them into several calls", lambda: file(other_recipients=repeat(MOBILE))
    )
    assert len(file(UNCHECKED, other_recipients=repeat(MOBILE, 4))["other_recipients[]"]) == 4


def test_other_recipients_may_be_empty_or_a_single_number() -> None:
    empty_iterables: list[Iterable[str]] = [(), [], iter(())]
    for empty in empty_iterables:
        assert "other_recipients[]" not in file(other_recipients=empty)
    assert file(other_recipients="0912 444 55 66")["other_recipients[]"] == [MOBILE]


@LIMIT_CHECKS_ON_AND_OFF
@pytest.mark.parametrize("invalid", [None, 5, b"0912", {"a": 1}])
def test_other_recipients_of_another_type_are_rejected(defaults: Defaults, invalid: Any) -> None:
    message = f"expected a list of phone numbers, got {type(invalid).__name__}"
    assert_rejected("other_recipients", message, lambda: file(defaults, other_recipients=invalid))


# Exactly one recipient.


@LIMIT_CHECKS_ON_AND_OFF
@pytest.mark.parametrize("recipient", [[MOBILE], (MOBILE, MOBILE), None, 989124445566])
def test_pattern_votp_and_url_require_exactly_one_recipient(defaults: Defaults, recipient: Any) -> None:
    message = "expected one phone number as str"
    assert_rejected("recipient", message, lambda: pattern(defaults, recipient=recipient))
    assert_rejected("recipient", message, lambda: votp(defaults, recipient, "1"))
    assert_rejected("recipient", message, lambda: url(defaults=defaults, recipient=recipient))
    assert_rejected("recipient", "not a mobile number", lambda: pattern(defaults, recipient="02133334444"))


# Patterns.


def test_a_pattern_without_variables_sends_an_empty_object() -> None:
    assert pattern()["params"] == {}


def test_pattern_values_may_be_strings_and_numbers() -> None:
    params = {"name": "نرگس", "code": "007", "n": 7, "share": 0.5, "blank": ""}
    assert pattern(params=params)["params"] == params


@LIMIT_CHECKS_ON_AND_OFF
@pytest.mark.parametrize("value", [None, True, [1], {"a": 1}, b"x", NOW, float("nan"), float("inf"), "lone \udc00"])
def test_a_pattern_value_of_another_type_is_rejected_and_named_by_its_variable(defaults: Defaults, value: Any) -> None:
    assert_rejected("params['code']", "", lambda: pattern(defaults, params={"ok": 1, "code": value}))


@LIMIT_CHECKS_ON_AND_OFF
@pytest.mark.parametrize("params", [None, [("a", 1)], "a=1"])
def test_pattern_values_that_are_not_a_mapping_are_rejected(defaults: Defaults, params: Any) -> None:
    assert_rejected(
        "params", f"expected a Mapping, got {type(params).__name__}", lambda: pattern(defaults, params=params)
    )


@LIMIT_CHECKS_ON_AND_OFF
def test_a_variable_without_a_name_is_rejected(defaults: Defaults) -> None:
    assert_rejected("params", "expected a str, got int", lambda: pattern(defaults, params={1: "x"}))
    assert_rejected("params", "must not be empty", lambda: pattern(defaults, params={" ": "x"}))


@LIMIT_CHECKS_ON_AND_OFF
@pytest.mark.parametrize("code", ["", None, 7])
def test_an_invalid_pattern_code_is_rejected(defaults: Defaults, code: Any) -> None:
    assert_rejected("code", "", lambda: pattern(defaults, code=code))


@LIMIT_CHECKS_ON_AND_OFF
def test_each_field_of_a_pattern_contact_is_validated(defaults: Defaults) -> None:
    def contact(**fields: Any) -> Any:
        values: dict[str, Any] = {"id": 4, **fields}
        return pattern(defaults, phonebook=PatternContact(**values))

    assert_rejected("phonebook.id", "expected an id", lambda: contact(id=0))
    assert_rejected("phonebook.email", "must not be empty", lambda: contact(email=""))
    assert_rejected("phonebook.options", "expected an id", lambda: contact(options={0: "x"}))
    assert_rejected("phonebook.options[5]", "expected a str or a number", lambda: contact(options={5: None}))
    assert_rejected("phonebook", "expected a PatternContact, got dict", lambda: pattern(defaults, phonebook={"id": 4}))
    assert contact(options={5: "x", 6: 7})["phonebook"] == {"id": 4, "options": {"5": "x", "6": 7}}


# Voice codes.


@pytest.mark.parametrize("code", ["1", "0" * 14, "۱۲۳", 10**13])
def test_a_voice_code_of_1_to_14_digits_is_accepted(code: Any) -> None:
    message = votp(CHECKED, MOBILE, code)["message"]
    assert message == str(code).replace("۱۲۳", "123")


@pytest.mark.parametrize("code", ["0" * 15, 10**14])
def test_a_longer_voice_code_is_rejected_unless_limit_checks_are_disabled(code: Any) -> None:
    assert_rejected("code", "expected at most 14 digits, got 15", lambda: votp(CHECKED, MOBILE, code))
    assert votp(UNCHECKED, MOBILE, code)["message"] == str(code)


@LIMIT_CHECKS_ON_AND_OFF
@pytest.mark.parametrize("code", ["", "12a", " 12", "12\n", "-5", -5, "1.5"])
def test_a_voice_code_with_other_characters_is_rejected_and_not_shown(defaults: Defaults, code: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        votp(defaults, MOBILE, code)
    assert str(caught.value) == "code: expected 1 to 14 digits and nothing else"


@LIMIT_CHECKS_ON_AND_OFF
@pytest.mark.parametrize("code", [None, True, 1.0, b"12"])
def test_a_voice_code_that_is_not_a_str_or_an_int_is_rejected(defaults: Defaults, code: Any) -> None:
    assert_rejected("code", "expected an int", lambda: votp(defaults, MOBILE, code))


def test_a_voice_code_is_sent_without_a_sender_line() -> None:
    assert "from_number" not in votp(Defaults(), MOBILE, "1")


# The URL send.


def test_the_url_send_uses_either_the_api_key_or_a_user_name_and_password() -> None:
    with_key = url()
    assert (with_key["apikey"], "username" in with_key, "password" in with_key) == (KEY, False, False)
    with_user = url(username="u", password="p")
    assert (with_user["username"], with_user["password"], "apikey" in with_user) == ("u", "p", False)
    assert "'***'" in repr(with_user)


def test_the_url_send_puts_nothing_into_the_url() -> None:
    recorder = CallRecorder()
    Send(recorder, CHECKED, KEY).url(MOBILE, "x")
    assert (recorder.calls[0].method, recorder.query) == ("POST", {})
    assert endpoints.SEND_URL.alternate is None
    with pytest.raises(TypeError, match="in_url"):
        Send(recorder, CHECKED, KEY).url(MOBILE, "x", in_url=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


@LIMIT_CHECKS_ON_AND_OFF
def test_incomplete_or_missing_credentials_are_rejected(defaults: Defaults) -> None:
    assert_rejected("password", "together", lambda: url(defaults=defaults, username="u"))
    assert_rejected("username", "together", lambda: url(defaults=defaults, password="p"))
    assert_rejected("username", "the client has no key", lambda: url(None, defaults=defaults))
    assert_rejected("username", "must not be empty", lambda: url(defaults=defaults, username="", password="p"))
    assert_rejected("password", "must not be empty", lambda: url(defaults=defaults, username="u", password=" "))


# Files.


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "A.CSV"])
def test_csv_and_xlsx_files_are_accepted(name: str) -> None:
    assert send.table(CHECKED, (name, b"x"), send.NUMBERS).name == name


@pytest.mark.parametrize("name", ["a.txt", "a.xls", "a"])
def test_another_file_type_is_rejected_unless_limit_checks_are_disabled(name: str) -> None:
    expected = "expected one of the file types .csv, .xlsx"
    assert_rejected("file", expected, lambda: send.table(CHECKED, (name, b"x"), send.NUMBERS))
    assert send.table(UNCHECKED, (name, b"x"), send.NUMBERS).opened().name == name


def test_only_xlsx_files_are_accepted_for_keywords() -> None:
    expected = "expected one of the file types .xlsx"
    assert_rejected("file", expected, lambda: send.table(CHECKED, ("a.csv", b"x"), send.VALUES))
    assert send.table(CHECKED, ("a.xlsx", b"x"), send.VALUES).size == 1


@LIMIT_CHECKS_ON_AND_OFF
def test_an_empty_or_missing_file_is_rejected_even_if_limit_checks_are_disabled(defaults: Defaults) -> None:
    assert_rejected("file", "the file is empty", lambda: send.table(defaults, ("a.csv", b""), send.NUMBERS))
    missing = send.table(defaults, "/missing/a.csv", send.NUMBERS)
    assert_rejected("file", "cannot be read", missing.opened)
    assert_rejected("file", "missing file name", lambda: send.table(defaults, io.BytesIO(b"x"), send.NUMBERS))


# Results.


def test_the_id_of_a_send_is_available_only_if_there_is_exactly_one() -> None:
    assert SendResult(message_outbox_ids=(7,)).id == 7
    with pytest.raises(ValueError, match="expected one message id, got 2; use message_outbox_ids"):
        _ = SendResult(message_outbox_ids=(7, 8)).id
