"""The auth section of the sandbox: second factors, expiry of tokens and codes, and password resets."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any, Protocol

import pytest
from pyotp.totp import TOTP

from ippanel_edge import (
    AuthenticationError,
    ConfigurationError,
    Credentials,
    EdgeClient,
    InsufficientCredit,
    Outcome,
    RetryPolicy,
    StoredToken,
    ValidationFailed,
)
from ippanel_edge.models.auth import LoginStep
from ippanel_edge.sandbox import Sandbox
from ippanel_edge.sandbox.defaults import MOBILE, PASSWORD, SUB_USER_API_KEY, USERNAME
from ippanel_edge.sandbox.reserved import NO_CREDIT_NUMBER
from tests.sandbox.caller import Caller

AUTH = "/api/acl/auth"
SUB_USER = "sub-user"
NEW_PASSWORD = "Limu-torsh-9"


def last_code(sandbox: Sandbox, number: str) -> str:
    """Return the code in the last SMS that the service sent to a number."""
    text = next(notice.text for notice in reversed(sandbox.state.notices) if notice.number == number)
    found = re.search(r"[0-9]{6}", text)
    assert found is not None
    return found[0]


class Connect(Protocol):
    """Creates a client of the running sandbox, which is closed at the end of the test."""

    def __call__(self, **options: Any) -> EdgeClient: ...


@pytest.fixture
def connect(sandbox: Sandbox) -> Iterator[Connect]:
    with ExitStack() as stack:
        stack.enter_context(sandbox)

        def make(**options: Any) -> EdgeClient:
            client = EdgeClient(base_url=sandbox.base_url, retry=RetryPolicy(retries=0), **options)
            return stack.enter_context(client)

        yield make


@pytest.fixture
def client(sandbox: Sandbox, connect: Connect) -> EdgeClient:
    return connect(api_key=sandbox.api_key)


class TestClient:
    def test_a_login_without_a_second_factor_is_complete(self, client: EdgeClient, connect: Connect) -> None:
        step = client.auth.login(USERNAME, PASSWORD)
        assert step.is_complete
        owner = connect(token=str(step.token)).auth.check_token()
        assert (owner.user_name, owner.is_reseller, owner.send_block) == (USERNAME, True, False)

    def test_an_sms_code_completes_a_login(self, client: EdgeClient, sandbox: Sandbox, connect: Connect) -> None:
        step = client.auth.login(SUB_USER, PASSWORD)
        assert (step.method, step.is_complete) == ("sms", False)
        final = client.auth.confirm_otp(step.token, last_code(sandbox, "+989351112233"))
        assert final.is_complete
        assert connect(token=str(final.token)).auth.check_token().user_name == SUB_USER

    def test_a_wrong_password_is_a_field_error(self, client: EdgeClient) -> None:
        with pytest.raises(ValidationFailed, match="نام کاربری یا رمز عبور اشتباه است") as caught:
            client.auth.login(USERNAME, "Wrong-1-password")
        assert list(caught.value.errors) == ["username"]

    def test_a_forgotten_password_is_changed_with_an_sms_code(self, client: EdgeClient, sandbox: Sandbox) -> None:
        reset = client.auth.forgot_password(USERNAME, MOBILE)
        client.auth.change_password(reset.token, last_code(sandbox, MOBILE), NEW_PASSWORD)
        with pytest.raises(ValidationFailed):
            client.auth.login(USERNAME, PASSWORD)
        assert client.auth.login(USERNAME, NEW_PASSWORD).is_complete

    def test_a_logged_out_token_is_rejected(self, client: EdgeClient, connect: Connect) -> None:
        with connect(token=str(client.auth.login(USERNAME, PASSWORD).token)) as logged_in:
            logged_in.auth.logout()
            with pytest.raises(AuthenticationError):
                logged_in.auth.check_token()

    def test_an_api_key_can_be_checked_but_not_logged_out(self, client: EdgeClient) -> None:
        with pytest.raises(AuthenticationError):
            client.auth.logout()
        assert client.auth.check_token().user_name == USERNAME

    def test_a_send_without_credit_raises_insufficient_credit(self, sandbox: Sandbox, client: EdgeClient) -> None:
        with pytest.raises(InsufficientCredit) as caught:
            client.send.webservice(NO_CREDIT_NUMBER, "سلام", from_number=sandbox.from_number)
        assert (caught.value.status_code, caught.value.outcome) == (200, Outcome.REJECTED)

    def test_credentials_log_in_again_after_a_logout(self, client: EdgeClient, connect: Connect) -> None:
        own = connect(credentials=Credentials(USERNAME, PASSWORD))
        assert own.payment.credit().credit == client.payment.credit().credit
        own.auth.logout()
        assert own.auth.check_token().user_name == USERNAME

    def test_credentials_with_an_sms_code_log_in_only_once(
        self, client: EdgeClient, sandbox: Sandbox, connect: Connect
    ) -> None:
        def otp(_: LoginStep) -> str:
            return last_code(sandbox, "+989351112233")

        own = connect(credentials=Credentials(SUB_USER, PASSWORD, otp=otp))
        assert own.auth.check_token().user_name == SUB_USER
        own.auth.logout()
        with pytest.raises(AuthenticationError, match="logging in again would send an SMS code"):
            own.auth.check_token()
        assert len(sandbox.state.notices) == 1
        assert client.auth.check_token().user_name == USERNAME

    def test_an_authenticator_code_or_an_sms_code_completes_a_login(
        self, client: EdgeClient, sandbox: Sandbox, connect: Connect
    ) -> None:
        user = sandbox.state.find_user(USERNAME)
        assert user is not None
        user.two_factor = "ga"
        step = client.auth.login(USERNAME, PASSWORD)
        assert step.method == "ga"
        assert sandbox.state.notices == []
        app = TOTP(user.ga_secret)
        early, wrong, right = (app.at(sandbox.clock.now() + timedelta(seconds=each)) for each in (-90, 90, 0))
        for code in {early, wrong} - {right}:
            with pytest.raises(AuthenticationError):
                client.auth.confirm_otp(step.token, code)
        assert client.auth.confirm_otp(step.token, right).is_complete

        def request_sms_code(step: LoginStep) -> str:
            client.auth.send_sms_otp(step.token)
            return last_code(sandbox, MOBILE)

        own = connect(credentials=Credentials(USERNAME, PASSWORD, otp=request_sms_code))
        assert own.auth.check_token().user_name == USERNAME

    def test_an_unseekable_file_is_not_resent_after_a_401(self, sandbox: Sandbox, connect: Connect) -> None:
        reads: list[int] = []

        class Pipe:
            name = "numbers.csv"
            content = b"phone_number\n09121234567\n"

            def read(self, size: int = -1) -> bytes:
                reads.append(size)
                size = len(self.content) if size < 0 else size
                part, self.content = self.content[:size], self.content[size:]
                return part

        file: Any = Pipe()
        expired = StoredToken("expired-token", created=time.time())
        own = connect(
            credentials=Credentials(USERNAME, PASSWORD, load=lambda: expired), from_number=sandbox.from_number
        )
        with pytest.raises(AuthenticationError, match="call again"):
            own.send.file(file, "salam")
        assert sandbox.state.outbox == {}
        assert own.send.file(("numbers.csv", b"phone_number\n09121234567\n"), "salam").id
        assert reads

    def test_a_missing_otp_callback_raises_with_a_remedy(self, client: EdgeClient, connect: Connect) -> None:
        own = connect(credentials=Credentials(SUB_USER, PASSWORD))
        with pytest.raises(ConfigurationError, match="pass otp="):
            own.payment.credit()
        assert client.payment.credit().credit


def log_in(call: Caller, username: str = SUB_USER, password: str = PASSWORD) -> dict[str, Any]:
    response = call("POST", f"{AUTH}/login", key=None, json={"username": username, "password": password})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()["data"]
    return found


def confirm(call: Caller, token: str, otp: str) -> Any:
    return call("POST", f"{AUTH}/confirm_otp", key=None, json={"token": token, "otp": otp})


class TestExpiry:
    def test_a_session_token_expires_after_10_hours(self, call: Caller, sandbox: Sandbox) -> None:
        token = log_in(call, USERNAME)["token"]
        sandbox.clock.advance(10 * 3600 - 1)
        assert call("GET", f"{AUTH}/check_token", key=token).status_code == 200
        sandbox.clock.advance(1)
        assert call("GET", f"{AUTH}/check_token", key=token).status_code == 401

    def test_a_login_step_expires_after_6_minutes_and_each_code_after_2(self, call: Caller, sandbox: Sandbox) -> None:
        token = log_in(call)["token"]
        first = last_code(sandbox, "+989351112233")
        sandbox.clock.advance(120)
        response = confirm(call, token, first)
        assert (response.status_code, response.json()["meta"]["message_code"]) == (401, "400-1")
        sandbox.clock.advance(239)
        assert call("POST", f"{AUTH}/send_sms_otp", key=None, json={"token": token}).json()["data"]["method"] == "sms"
        second = last_code(sandbox, "+989351112233")
        assert second != first
        sandbox.clock.advance(1)
        assert confirm(call, token, second).status_code == 401
        assert call("POST", f"{AUTH}/send_sms_otp", key=None, json={"token": token}).status_code == 401

    def test_a_code_and_its_token_can_be_used_once(self, call: Caller, sandbox: Sandbox) -> None:
        token = log_in(call)["token"]
        code = last_code(sandbox, "+989351112233")
        assert confirm(call, token, "000000").status_code == 401
        assert confirm(call, token, code).status_code == 200
        assert confirm(call, token, code).status_code == 401

    def test_a_password_reset_expires_after_2_minutes(self, call: Caller, sandbox: Sandbox) -> None:
        body = {"username": USERNAME, "mobile": "09121112233"}
        token = call("POST", f"{AUTH}/forgot_password", key=None, json=body).json()["data"]["token"]
        change = {"token": token, "otp": last_code(sandbox, MOBILE), "password": NEW_PASSWORD}
        sandbox.clock.advance(120)
        response = call("POST", f"{AUTH}/change_password_by_token", key=None, json=change)
        assert (response.status_code, response.json()["meta"]["message_code"]) == (401, "400-1")

    def test_a_token_of_another_kind_is_rejected(self, call: Caller, sandbox: Sandbox) -> None:
        step = log_in(call)["token"]
        session = log_in(call, USERNAME)["token"]
        code = last_code(sandbox, "+989351112233")
        change = {"token": step, "otp": code, "password": NEW_PASSWORD}
        assert call("POST", f"{AUTH}/change_password_by_token", key=None, json=change).status_code == 401
        assert confirm(call, session, code).status_code == 401
        assert call("GET", f"{AUTH}/check_token", key=step).status_code == 401


class TestRawHttp:
    def test_a_failed_login_has_errors_beside_meta_and_no_data(self, call: Caller) -> None:
        body = {"username": USERNAME, "password": "x"}
        response = call("POST", f"{AUTH}/login", key=None, json=body)
        assert response.status_code == 422
        assert set(response.json()) == {"errors", "meta"}
        assert response.json()["meta"]["message_code"] == "422-1"

    @pytest.mark.parametrize(
        ("path", "body", "missing"),
        [
            ("login", {"username": "a"}, "password"),
            ("login", {"user_name": "a", "password": "b"}, "username"),
            ("confirm_otp", {"token": "a"}, "otp"),
            ("confirm_otp", {"token": "a", "otp": 123}, "otp"),
            ("send_sms_otp", {}, "token"),
            ("forgot_password", {"mobile": "09121112233"}, "username"),
            ("forgot_password", {"username": "a", "mobile": "2188"}, "mobile"),
            ("change_password_by_token", {"token": "a", "otp": "1"}, "password"),
            ("change_password_by_token", {"token": "a", "otp": "1", "password": "weak"}, "password"),
        ],
    )
    def test_a_missing_or_invalid_field_is_named(
        self, call: Caller, path: str, body: dict[str, Any], missing: str
    ) -> None:
        response = call("POST", f"{AUTH}/{path}", key=None, json=body)
        assert response.status_code == 422
        assert missing in response.json()["meta"]["errors"]

    @pytest.mark.parametrize("mobile", ["09120000000", "+989351112233"])
    def test_a_password_reset_requires_the_mobile_number_of_the_user(self, call: Caller, mobile: str) -> None:
        response = call("POST", f"{AUTH}/forgot_password", key=None, json={"username": USERNAME, "mobile": mobile})
        assert (response.status_code, response.json()["meta"]["message_code"]) == (401, "400-1")
        assert response.json()["meta"]["message"] == "اطلاعات وارد شده صحیح نمی باشد"

    @pytest.mark.parametrize("change", [{"status": "inactive"}, {"expire_at": 0}])
    def test_an_inactive_or_expired_user_cannot_log_in_nor_send_by_password(
        self, call: Caller, sandbox: Sandbox, change: dict[str, object]
    ) -> None:
        user = sandbox.state.find_user(USERNAME)
        assert user is not None
        for name, value in change.items():
            setattr(user, name, value or sandbox.clock.now())
        body = {"username": USERNAME, "password": PASSWORD}
        assert call("POST", f"{AUTH}/login", key=None, json=body).status_code == 422
        query = {**body, "from": sandbox.from_number, "to": "+989121234567", "message": "x"}
        assert call("GET", "/api/send/webservice", key=None, params=query).status_code == 401
        assert sandbox.state.outbox == {}

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_logout_and_check_token_accept_get_and_post(self, call: Caller, method: str) -> None:
        token = log_in(call, USERNAME)["token"]
        assert call(method, f"{AUTH}/check_token", key=token).json()["data"]["user_name"] == USERNAME
        assert call(method, f"{AUTH}/logout", key=token).status_code == 200
        assert call(method, f"{AUTH}/logout", key=token).status_code == 401

    def test_a_sub_user_key_can_be_checked_but_not_logged_out(self, call: Caller) -> None:
        assert call("GET", f"{AUTH}/check_token", key=SUB_USER_API_KEY).json()["data"]["user_name"] == SUB_USER
        assert call("GET", f"{AUTH}/logout", key=SUB_USER_API_KEY).status_code == 401
