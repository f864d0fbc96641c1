"""Sends in the sandbox: accepted and rejected requests, limits and prices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ippanel_edge.sandbox.defaults import PROMOTIONAL_NUMBER, SUB_USER_API_KEY
from ippanel_edge.sandbox.records import ContactOption, Phonebook
from ippanel_edge.sandbox.reserved import (
    ACCEPTED_FAILURE_NUMBER,
    DUPLICATE_NUMBER,
    FAILURE_NUMBER,
    INVALID_NUMBER,
    NO_CREDIT_NUMBER,
)
from tests.sandbox.caller import Caller, accepted, errors, form_parts
from tests.workbooks import saved

if TYPE_CHECKING:
    import httpx

    from ippanel_edge.sandbox import Sandbox

ONE, TWO, THREE = "+989121234567", "+989351234567", "+989211234567"

OTHER_NAMES = {
    "apikey": "api_key apiKey x-api-key ApiKey api-key key access_key accessKey auth_key authorization token api_token",
    "from": "From sender src source from_number sender_number origin originator caller caller_id sms_from fromNum",
    "message": "Message msg text txt body content sms message_body messageText",
    "to": "To recipient dst destination",
    "username": "UserName uname user login user_name userid userName",
    "password": "Password pass passwd pwd user_password passcode login_password auth_pass user_pass access_password",
}
"""The names of the parameters of a send by URL in the documents, besides the main one."""


class TestWebservice:
    def test_a_send_has_one_id_and_reaches_each_number_once(self, call: Caller) -> None:
        (outbox_id,) = accepted(call.webservice(ONE, TWO, ONE))
        assert set(call.statuses(outbox_id)) == {ONE, TWO}

    def test_missing_fields_are_named_with_the_messages_of_the_service(self, call: Caller) -> None:
        response = call.send("webservice")
        assert errors(response)["message"] == ["تکمیل گزینه پیام الزامی است"]
        assert set(errors(response)) == {"message", "params"}
        assert response.json()["meta"]["message"] == "تکمیل گزینه پارامترها الزامی است (و 1 خطای دیگر)"
        assert response.json()["meta"]["message_code"] == "400-2"

    @pytest.mark.parametrize(
        "number", ["09121234567", "989121234567", "+98912123456", "+9891212345678", "+982112345678", ""]
    )
    def test_a_number_that_is_not_e164_is_named_by_its_path(self, call: Caller, number: str) -> None:
        assert list(errors(call.webservice(ONE, number))) == ["params.recipients.1"]

    @pytest.mark.parametrize("value", [989121234567, None, [ONE]])
    def test_a_recipient_that_is_not_a_str_is_rejected(self, call: Caller, value: object) -> None:
        assert "params.recipients.0" in errors(call.send("webservice", message="x", params={"recipients": [value]}))

    def test_1000_recipients_are_accepted_and_1001_rejected(self, call: Caller) -> None:
        numbers = [f"+9891200{index:05d}" for index in range(1001)]
        assert list(errors(call.webservice(*numbers))) == ["params.recipients"]
        assert len(accepted(call.webservice(*numbers[:1000]))) == 1

    @pytest.mark.parametrize("line", ["+983000999999", "3000100200", "+98NOBODY"])
    def test_a_line_of_another_account_is_rejected(self, call: Caller, line: str) -> None:
        assert list(errors(call.webservice(ONE, from_number=line))) == ["from_number"]

    def test_an_alphanumeric_line_is_accepted(self, call: Caller) -> None:
        assert accepted(call.webservice(ONE, from_number="+98SANDBOX"))

    def test_a_message_has_at_most_1400_characters_and_20_segments(self, call: Caller) -> None:
        assert accepted(call.webservice(ONE, message="x" * 1400))
        assert list(errors(call.webservice(ONE, message="x" * 1401))) == ["message"]
        assert accepted(call.webservice(ONE, message="س" * 1340))
        assert list(errors(call.webservice(ONE, message="س" * 1341))) == ["message"]

    @pytest.mark.parametrize("sending_type", [None, "", "sms", 5])
    def test_an_unknown_sending_type_is_rejected(self, call: Caller, sending_type: object) -> None:
        response = call("POST", "/api/send", json={"sending_type": sending_type})
        assert list(errors(response)) == ["sending_type"]

    def test_a_blocked_user_cannot_send(self, call: Caller, sandbox: Sandbox) -> None:
        for user in sandbox.state.users.values():
            user.send_block = True
        assert call.webservice(ONE).status_code == 403


class TestDuplicates:
    def test_the_same_message_to_the_same_number_is_429_for_40_seconds(self, call: Caller, sandbox: Sandbox) -> None:
        accepted(call.webservice(ONE, TWO))
        sandbox.clock.advance(39.9)
        response = call.webservice(TWO, THREE)
        assert response.status_code == 429
        assert response.json()["meta"]["status"] is False
        assert len(sandbox.state.outbox) == 1
        sandbox.clock.advance(0.1)
        assert accepted(call.webservice(TWO, THREE))

    def test_another_message_line_or_number_is_not_a_duplicate(self, call: Caller) -> None:
        accepted(call.webservice(ONE))
        assert accepted(call.webservice(ONE, message="salam!"))
        assert accepted(call.webservice(ONE, from_number=PROMOTIONAL_NUMBER))
        assert accepted(call.webservice(TWO))

    def test_a_rejected_send_does_not_count_as_a_duplicate(self, call: Caller, sandbox: Sandbox) -> None:
        main = next(iter(sandbox.state.users.values()))
        credit, main.credit = main.credit, 0
        assert call.webservice(ONE).json()["meta"]["status"] is False
        main.credit = credit
        assert accepted(call.webservice(ONE))


class TestPrices:
    def test_credit_decreases_by_segments_times_price(self, call: Caller) -> None:
        before = call.credit()
        price = call(
            "POST", "/api/send/calculate-price", json={"number": call.sandbox.from_number, "message": "س" * 71}
        ).json()["data"]
        assert price == {"mci_price": 2421.0, "other_price": 2681.0, "parts": 2}
        (outbox_id,) = accepted(call.webservice(ONE, TWO, message="س" * 71))
        assert before - call.credit() == 2421.0 + 2681.0 == call.report(outbox_id)["cost"]

    def test_english_has_its_own_price(self, call: Caller) -> None:
        body = {"number": call.sandbox.from_number, "message": "x" * 160}
        assert call("POST", "/api/send/calculate-price", json=body).json()["data"]["parts"] == 1
        body["message"] = "x" * 159 + "€"
        assert call("POST", "/api/send/calculate-price", json=body).json()["data"] == {
            "mci_price": 5780.0,
            "other_price": 6240.0,
            "parts": 2,
        }

    @pytest.mark.parametrize(
        ("message", "service_parts", "promotional_parts"),
        [("س" * 64, 1, 1), ("س" * 65, 1, 2), ("a" * 64, 1, 1), ("a" * 65, 1, 2), ("س" * 65 + "لغو11", 1, 1)],
        ids=["fits", "Persian", "becomes UCS-2 and fits", "becomes UCS-2", "has the suffix"],
    )
    def test_a_promotional_line_is_charged_for_the_opt_out_suffix(
        self, call: Caller, message: str, service_parts: int, promotional_parts: int
    ) -> None:
        for line, parts in ((call.sandbox.from_number, service_parts), (PROMOTIONAL_NUMBER, promotional_parts)):
            (outbox_id,) = accepted(call.webservice(ONE, message=message, from_number=line))
            assert call.report(outbox_id)["part"] == str(parts)
            price = call("POST", "/api/send/calculate-price", json={"number": line, "message": message}).json()["data"]
            assert price["parts"] == 1  # it does not count the suffix

    def test_a_66_character_line_splits_long_persian_texts_earlier(self, call: Caller, sandbox: Sandbox) -> None:
        body = {"number": sandbox.from_number, "message": "س" * 134}
        assert call("POST", "/api/send/calculate-price", json=body).json()["data"]["parts"] == 2
        next(iter(sandbox.state.lines.values())).is_66_char = True
        assert call("POST", "/api/send/calculate-price", json=body).json()["data"]["parts"] == 3
        (outbox_id,) = accepted(call.webservice(ONE, message="س" * 134))
        assert call.report(outbox_id)["part"] == "3"

    def test_a_price_requires_a_line_and_a_message(self, call: Caller) -> None:
        assert set(errors(call("POST", "/api/send/calculate-price", json={}))) == {"number", "message"}

    def test_insufficient_credit_is_200_with_status_false(self, call: Caller, sandbox: Sandbox) -> None:
        state = sandbox.state
        user = state.users[state.api_keys[SUB_USER_API_KEY]]
        user.credit = 1000.0
        response = call.webservice(ONE, from_number="+983000100300", key=SUB_USER_API_KEY)
        assert response.status_code == 200
        assert response.json()["data"] is None
        assert response.json()["meta"]["status"] is False
        assert user.credit == 1000.0
        assert not state.outbox

    def test_a_sub_user_can_send_only_from_its_own_lines(self, call: Caller) -> None:
        assert list(errors(call.webservice(ONE, key=SUB_USER_API_KEY))) == ["from_number"]
        assert accepted(call.webservice(ONE, key=SUB_USER_API_KEY, from_number="+983000100300"))


class TestSendTime:
    @pytest.mark.parametrize("moment", ["2030-01-15 09:35:00", "2030-04-15 09:30:00"])
    def test_5_minutes_to_3_months_ahead_is_accepted(self, call: Caller, moment: str) -> None:
        (outbox_id,) = accepted(call.webservice(ONE, send_time=moment))
        assert call.report(outbox_id)["state_id"] == 5

    @pytest.mark.parametrize(
        "moment",
        [
            "2030-01-15 09:34:59",
            "2030-04-15 09:30:01",
            "2030-01-15T10:30:00",
            "2030-01-15 10:30",
            "2030-02-30 10:30:00",
            "1897900200",
            "۲۰۳۰-01-15 10:30:00",
            1897900200,
            None,
        ],
    )
    def test_another_time_or_format_is_rejected(self, call: Caller, moment: object) -> None:
        body = {
            "sending_type": "webservice",
            "from_number": call.sandbox.from_number,
            "message": "salam",
            "params": {"recipients": [ONE]},
            "send_time": moment,
        }
        assert list(errors(call("POST", "/api/send", json=body))) == ["send_time"]


class TestRecipients:
    def test_a_number_abroad_is_rejected(self, call: Caller) -> None:
        assert list(errors(call.webservice("+14155552671"))) == ["params.recipients.0"]

    def test_a_file_of_another_kind_has_the_documented_error(self, call: Caller) -> None:
        response = call.upload("file", "a.txt", b"09121234567", message="x")
        assert errors(response) == {"files": ["فرمت فایل پشتیبانی نمی‌شود"]}

    def test_an_unknown_pattern_has_the_documented_error(self, call: Caller) -> None:
        response = call.send("pattern", code="none", recipients=[ONE], params={})
        assert (response.status_code, response.json()["meta"]["message"]) == (404, "الگو یافت نشد")


class TestPeerToPeer:
    def test_each_entry_has_its_own_id(self, call: Caller) -> None:
        params = [{"recipients": [ONE, TWO], "message": "a"}, {"recipients": [THREE], "message": "b"}]
        first, second = accepted(call.send("peer_to_peer", params=params))
        assert set(call.statuses(first)) == {ONE, TWO}
        assert call.report(second)["message"] == "b"

    def test_an_invalid_entry_is_named_and_nothing_is_sent(self, call: Caller, sandbox: Sandbox) -> None:
        params = [{"recipients": [ONE], "message": "a"}, {"recipients": ["0912"], "message": ""}, "x"]
        expected = {"params.1.recipients.0", "params.1.message", "params.2"}
        assert set(errors(call.send("peer_to_peer", params=params))) == expected
        assert not sandbox.state.outbox

    def test_params_must_be_a_non_empty_list(self, call: Caller) -> None:
        wrong: tuple[object, ...] = ({"recipients": [ONE]}, [])
        for params in wrong:
            assert list(errors(call.send("peer_to_peer", params=params))) == ["params"]


class TestPeerToPeerFile:
    def test_each_csv_row_is_a_separate_message(self, call: Caller) -> None:
        content = f'recipient,message\r\n{ONE},salam\r\n09351234567,"a, ""b""\nc"\r\n'.encode()
        first, second = accepted(call.upload("peer_to_peer_file", "rows.csv", content))
        assert call.report(first)["message"] == "salam"
        assert call.report(second)["message"] == 'a, "b"\nc'
        assert list(call.statuses(second)) == [TWO]

    def test_xlsx_rows_are_read_from_columns_a_and_b(self, call: Caller) -> None:
        content = saved(["recipient", "message"], ["09121234567", "یک"], [9351234567, 2])
        first, second = accepted(call.upload("peer_to_peer_file", "rows.xlsx", content))
        assert call.report(first)["message"] == "یک"
        assert list(call.statuses(second)) == [TWO]

    def test_10000_rows_are_accepted_and_10001_rejected(self, call: Caller, sandbox: Sandbox) -> None:
        rows = "".join(f"091200{index:05d},m{index}\n" for index in range(10_001))
        response = call.upload("peer_to_peer_file", "rows.csv", f"recipient,message\n{rows}".encode())
        assert list(errors(response)) == ["files"]
        fewer = rows[: rows.rindex("0912")]
        assert (
            len(accepted(call.upload("peer_to_peer_file", "rows.csv", f"recipient,message\n{fewer}".encode())))
            == 10_000
        )
        assert len(sandbox.state.outbox) == 10_000

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("rows.csv", b"0912123456,x\n"),
            ("rows.csv", b"recipient,message\n0912,x\n"),
            ("rows.csv", b"recipient,message\n09121234567,\n"),
            ("rows.csv", b"recipient,message\n09121234567,a,b\n"),
            ("rows.csv", b"recipient,message\n"),
            ("rows.csv", b"\xff\xfe"),
            ("rows.txt", b"recipient,message\n09121234567,x\n"),
            ("rows.xlsx", b"recipient,message\n09121234567,x\n"),
        ],
        ids=["no header", "number", "no message", "three columns", "no rows", "not utf-8", "extension", "not xlsx"],
    )
    def test_an_undocumented_file_format_is_rejected(self, call: Caller, name: str, content: bytes) -> None:
        assert list(errors(call.upload("peer_to_peer_file", name, content))) == ["files"]

    def test_a_missing_file_is_named(self, call: Caller) -> None:
        fields = {"sending_type": "peer_to_peer_file", "from_number": "+98SANDBOX"}
        response = call("POST", "/api/send", files=form_parts(fields))
        assert errors(response) == {"files": ["تکمیل گزینه فایل ها الزامی است"]}  # noqa: RUF001 - Persian


class TestFile:
    def test_a_csv_and_other_recipients_receive_one_message(self, call: Caller) -> None:
        content = b"phone_number\n09121234567\n+989351234567\n"
        response = call.upload("file", "n.csv", content, message="salam", **{"other_recipients[]": [THREE]})
        (outbox_id,) = accepted(response)
        assert set(call.statuses(outbox_id)) == {ONE, TWO, THREE}

    def test_xlsx_numbers_are_read_from_column_a(self, call: Caller) -> None:
        (outbox_id,) = accepted(call.upload("file", "n.XLSX", saved(["09121234567"], [], [TWO]), message="salam"))
        assert set(call.statuses(outbox_id)) == {ONE, TWO}

    def test_other_recipients_must_be_e164(self, call: Caller) -> None:
        response = call.upload(
            "file", "n.csv", b"phone_number\n0912\n", message="x", **{"other_recipients[]": ["0935"]}
        )
        assert set(errors(response)) == {"files", "other_recipients.0"}


class TestKeyword:
    def test_placeholders_are_replaced_by_the_cells_of_each_row(self, call: Caller) -> None:
        content = saved(["09121234567", "Sara", 12], [TWO, "Ali", None])
        (outbox_id,) = accepted(call.upload("keyword", "k.xlsx", content, message="{ex_B}: {ex_C} ({ex_A})"))
        rows = call("GET", "/api/report/recipients", params={"bulk_id": outbox_id}).json()["data"]
        assert [row["message"] for row in rows] == ["Sara: 12 (09121234567)", f"Ali:  ({TWO})"]
        assert call.report(outbox_id)["message"] == "{ex_B}: {ex_C} ({ex_A})"

    def test_a_column_missing_from_the_file_is_rejected(self, call: Caller) -> None:
        response = call.upload("keyword", "k.xlsx", saved([ONE, "a"]), message="{ex_D}")
        assert list(errors(response)) == ["message"]

    def test_csv_is_rejected_for_keyword(self, call: Caller) -> None:
        response = call.upload("keyword", "k.csv", b"09121234567,a\n", message="{ex_B}")
        assert list(errors(response)) == ["files"]


class TestPattern:
    def pattern(self, call: Caller, code: str, params: object, **fields: Any) -> httpx.Response:
        return call.send("pattern", code=code, recipients=[ONE], params=params, **fields)

    def test_an_active_pattern_is_filled_with_its_values(self, call: Caller) -> None:
        (outbox_id,) = accepted(self.pattern(call, "welcome", {"name": "سارا", "points": 40}))
        assert call.report(outbox_id)["message"] == "سارا عزیز، 40 امتیاز گرفتید."
        assert call.report(outbox_id)["type"] == "pattern"

    @pytest.mark.parametrize("name", ["%points%", "%name%", r"\1 \g<0>"])
    def test_a_placeholder_in_a_value_is_not_filled(self, call: Caller, name: str) -> None:
        (outbox_id,) = accepted(self.pattern(call, "welcome", {"name": name, "points": 7}))
        assert call.report(outbox_id)["message"] == f"{name} عزیز، 7 امتیاز گرفتید."

    @pytest.mark.parametrize(
        ("params", "wrong"),
        [
            ({}, {"params.name", "params.points"}),
            ({"name": "x", "points": "4a"}, {"params.points"}),
            ({"name": "x" * 21, "points": "4"}, {"params.name"}),
            ({"name": "x", "points": 4.5}, {"params.points"}),
            ({"name": True, "points": 4}, {"params.name"}),
            ({"name": "x", "points": 4, "age": 3}, {"params.age"}),
        ],
    )
    def test_invalid_values_are_named(self, call: Caller, params: object, wrong: set[str]) -> None:
        assert set(errors(self.pattern(call, "welcome", params))) == wrong

    def test_a_pending_pattern_is_rejected_and_an_unknown_one_is_404(self, call: Caller) -> None:
        assert list(errors(self.pattern(call, "pending", {"order": 1}))) == ["code"]
        response = self.pattern(call, "nobody", {})
        assert response.status_code == 404
        assert response.json()["meta"]["message_code"] == "404-1"

    def test_a_pattern_has_one_recipient(self, call: Caller) -> None:
        response = call.send("pattern", code="otp", recipients=[ONE, TWO], params={"code": "1"})
        assert list(errors(response)) == ["recipients"]

    def test_params_are_required_even_if_empty(self, call: Caller, sandbox: Sandbox) -> None:
        sandbox.state.patterns["otp"].variables = []
        sandbox.state.patterns["otp"].message = "salam"
        assert list(errors(call.send("pattern", code="otp", recipients=[ONE]))) == ["params"]
        assert accepted(self.pattern(call, "otp", {}))

    def test_the_recipient_can_be_saved_in_a_phonebook(self, call: Caller, sandbox: Sandbox) -> None:
        state = sandbox.state
        owner = state.api_keys[sandbox.api_key]
        state.contact_options[5] = ContactOption(5, owner, "city", "string", state.now)
        state.phonebooks[9] = Phonebook(9, owner, "customers", state.now, state.now, option_ids=[5])
        contact = {"id": 9, "name": "Sara", "pre": "Ms", "email": "s@example.com", "options": {"5": "Yazd"}}
        assert accepted(self.pattern(call, "otp", {"code": "1"}, phonebook=contact))
        (saved,) = state.contacts_of(9)
        assert (saved.number, saved.name, saved.options) == (ONE, "Sara", {5: "Yazd"})
        wrong = {"id": 9, "options": {"6": "x", "5": 5}}
        found = errors(self.pattern(call, "otp", {"code": "2"}, phonebook=wrong))
        assert set(found) == {"phonebook.options.6", "phonebook.options.5"}
        assert list(errors(self.pattern(call, "otp", {"code": "2"}, phonebook={"id": 8}))) == ["phonebook.id"]


class TestVoice:
    def votp(self, call: Caller, code: object, *numbers: str, **fields: Any) -> httpx.Response:
        return call.send("votp", from_number=None, message=code, params={"recipients": list(numbers)}, **fields)

    def test_a_code_of_14_digits_is_accepted(self, call: Caller) -> None:
        (outbox_id,) = accepted(self.votp(call, "12345678901234", ONE))
        report = call.report(outbox_id)
        assert (report["type"], report["number"], report["cost"]) == ("sendvoice", "+98votp", 1050.0)

    @pytest.mark.parametrize("code", ["123456789012345", "12a", "۱۲۳", "", 123])
    def test_an_invalid_code_is_rejected(self, call: Caller, code: object) -> None:
        assert list(errors(self.votp(call, code, ONE))) == ["message"]

    def test_votp_accepts_one_recipient_and_no_line(self, call: Caller) -> None:
        assert list(errors(self.votp(call, "1", ONE, TWO))) == ["params.recipients"]
        response = call.send("votp", message="1", params={"recipients": [ONE]})
        assert list(errors(response)) == ["from_number"]


class TestUrl:
    PATH = "/api/send/webservice"

    def arguments(self, call: Caller, **more: str) -> dict[str, str]:
        return {"from": call.sandbox.from_number, "to": ONE, "message": "سلام & خوش آمدید", **more}

    def test_get_with_an_api_key_sends(self, call: Caller) -> None:
        params = self.arguments(call, apikey=call.sandbox.api_key)
        (outbox_id,) = accepted(call("GET", self.PATH, key=None, params=params))
        assert call.report(outbox_id)["message"] == "سلام & خوش آمدید"

    def test_post_with_a_form_and_a_password_sends(self, call: Caller) -> None:
        data = self.arguments(call, username="sandbox", password="Sandbox-1")
        assert accepted(call("POST", self.PATH, key=None, data=data))

    @pytest.mark.parametrize(
        "credentials",
        [
            {},
            {"apikey": "wrong"},
            {"username": "sandbox"},
            {"username": "sandbox", "password": "wrong"},
            {"password": "x"},
        ],
    )
    def test_wrong_credentials_are_401(self, call: Caller, credentials: dict[str, str]) -> None:
        response = call("GET", self.PATH, params=self.arguments(call, **credentials))
        assert response.status_code == 401

    def test_an_api_key_and_a_password_together_are_rejected(self, call: Caller) -> None:
        params = self.arguments(call, apikey=call.sandbox.api_key, username="sandbox", password="Sandbox-1")
        assert set(errors(call("GET", self.PATH, params=params))) == {"username", "password"}

    def test_the_number_must_be_e164(self, call: Caller) -> None:
        params = {**self.arguments(call, apikey=call.sandbox.api_key), "to": "09121234567"}
        assert list(errors(call("GET", self.PATH, params=params))) == ["to"]

    def test_only_a_leading_space_of_a_number_is_read_as_a_plus(self, call: Caller) -> None:
        query = "from=+983000100200&to=+989121234567&message=+1++2&apikey=sandbox-key"
        (outbox_id,) = accepted(call("GET", f"{self.PATH}?{query}", key=None))
        assert call.report(outbox_id)["message"] == " 1  2"
        response = call("GET", f"{self.PATH}?{query.replace('to=+', 'to=++')}", key=None)
        assert list(errors(response)) == ["to"]

    @pytest.mark.parametrize(
        ("parameter", "name"), [(parameter, name) for parameter, names in OTHER_NAMES.items() for name in names.split()]
    )
    def test_each_documented_name_of_a_parameter_is_accepted(self, call: Caller, parameter: str, name: str) -> None:
        by_key = {"apikey": call.sandbox.api_key}
        by_password = {"username": "sandbox", "password": "Sandbox-1"}
        params = self.arguments(call, **(by_password if parameter in by_password else by_key))
        params[name] = params.pop(parameter)
        (outbox_id,) = accepted(call("GET", self.PATH, key=None, params=params))
        assert call.statuses(outbox_id) == {ONE: "0"}
        params[parameter] = params[name]
        assert call("GET", self.PATH, key=None, params=params).status_code == 400

    @pytest.mark.parametrize("name", ["secret", "to_number", "recipient_number", "target", "receiver"])
    def test_a_name_that_is_documented_for_two_parameters_is_rejected(self, call: Caller, name: str) -> None:
        params = self.arguments(call, apikey=call.sandbox.api_key, **{name: ONE})
        assert list(errors(call("GET", self.PATH, params=params))) == [name]


class TestReservedNumbers:
    @pytest.mark.parametrize(
        ("number", "status", "messages"),
        [
            (INVALID_NUMBER, 422, 0),
            (FAILURE_NUMBER, 500, 0),
            (DUPLICATE_NUMBER, 429, 0),
            (NO_CREDIT_NUMBER, 200, 0),
            (ACCEPTED_FAILURE_NUMBER, 500, 1),
        ],
    )
    def test_a_reserved_number_always_fails_the_send(
        self, call: Caller, sandbox: Sandbox, number: str, status: int, messages: int
    ) -> None:
        response = call.webservice(ONE, number)
        assert response.status_code == status
        assert response.json()["meta"]["status"] is False
        assert len(sandbox.state.outbox) == messages
