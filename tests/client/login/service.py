"""Helpers of the login tests: a mocked service that accepts logins, and functions that call it through a client."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

import attrs
import httpx
import pytest

from ippanel_edge import (
    Credentials,
    EdgeError,
)
from ippanel_edge.models.auth import LoginStep
from tests.client.sides import result
from tests.contract.sample import ok

START = datetime(2030, 5, 6, 7, 8, 9, tzinfo=UTC)
PASSWORD = "Canary-password-61"
OTP = "730921"
TOTP_SECRET = "CANARYSECRETNUMBERXYZ234"
HOUR = 3600
CALLS = 100
REJECTED: dict[str, Any] = {
    "data": None,
    "meta": {"status": False, "message": "نادرست", "message_code": "400-1", "errors": {}},
}
WRONG_CODE: dict[str, Any] = {
    "data": None,
    "meta": {"status": False, "message": "نادرست", "message_code": "400-2", "errors": {"otp": ["نادرست"]}},
}
WRONG_PASSWORD: dict[str, Any] = {
    "errors": {"username": ["نام کاربری یا رمز نادرست است"]},
    "meta": {"status": False, "message": "معتبر نیست", "message_parameters": [], "message_code": "422-1"},
}


@attrs.define
class Service:
    """Responds to logins, and to other requests that have a valid token.

    Attributes:
        method: the `method` of the response to a login.
        final_method: the `method` of the response to a valid code.
        otp: returns the valid code.
        failure: the response or the exception of every login, if set.
        logins: the bodies of the login requests.
        confirmations: the bodies of the requests that confirm a code.
        tokens: the tokens of the other requests, in order.
        valid_tokens: the tokens that are accepted.
        rejects_all: whether every token is rejected with a 401.
    """

    method: str = "login"
    final_method: str = "login"
    otp: Callable[[], str] = lambda: OTP
    failure: httpx.Response | Exception | None = None
    logins: list[dict[str, str]] = attrs.field(factory=list[dict[str, str]])
    confirmations: list[dict[str, str]] = attrs.field(factory=list[dict[str, str]])
    tokens: list[str] = attrs.field(factory=list[str])
    valid_tokens: set[str] = attrs.field(factory=set[str])
    rejects_all: bool = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/auth/login"):
            return self._log_in(json.loads(request.read()))
        if path.endswith("/auth/confirm_otp"):
            return self._confirm(json.loads(request.read()))
        token = request.headers["authorization"]
        self.tokens.append(token)
        if self.rejects_all or token not in self.valid_tokens:
            return httpx.Response(401, json=REJECTED)
        request.read()
        return httpx.Response(200, json=ok({"credit": 7.0, "message_outbox_ids": [1]}))

    def _log_in(self, body: dict[str, str]) -> httpx.Response:
        self.logins.append(body)
        if isinstance(self.failure, Exception):
            raise self.failure
        if self.failure is not None:
            return self.failure
        return self._issue_token() if self.method == "login" else self._respond(self.method, f"step-{len(self.logins)}")

    def _confirm(self, body: dict[str, str]) -> httpx.Response:
        self.confirmations.append(body)
        if body != {"token": f"step-{len(self.logins)}", "otp": self.otp()}:
            return httpx.Response(422, json=WRONG_CODE)
        return self._issue_token()

    def _issue_token(self) -> httpx.Response:
        token = f"canary-token-{len(self.logins)}"
        self.valid_tokens.add(token)
        return self._respond(self.final_method, token)

    @staticmethod
    def _respond(method: str, token: str) -> httpx.Response:
        return httpx.Response(200, json=ok({"method": method, "token": token}))


class FrozenClock(Protocol):
    """A clock that changes only when a test moves it."""

    def move_to(self, destination: datetime) -> None: ...

    def shift(self, delta: float) -> None: ...


def return_code(_: LoginStep) -> str:
    return OTP


def return_wrong_code(_: LoginStep) -> str:
    return f"{OTP}0"


def credentials(**options: Any) -> Credentials:
    return Credentials("zahra", PASSWORD, **options)


async def credit(client: Any) -> float:
    found: float = (await result(client.payment.credit())).credit
    return found


async def raised_by(client: Any, kind: type[Exception] = EdgeError) -> Any:
    with pytest.raises(kind) as caught:
        await credit(client)
    return caught.value


SECRETS = (PASSWORD, OTP, TOTP_SECRET, "canary-token", "step-1")


def describe(error: BaseException) -> str:
    """Return everything that an error tracker records: the error, all of its causes and the locals of our frames."""
    lines: list[str] = []
    pending: list[BaseException | None] = [error]
    while pending:
        current = pending.pop()
        if current is None:
            continue
        pending += [current.__cause__, current.__context__]
        lines += [repr(current), str(current), repr(current.__dict__)]
        summary = traceback.TracebackException.from_exception(current, capture_locals=True)
        lines += [str(frame.locals) for frame in summary.stack if "ippanel_edge" in frame.filename]
    return "\n".join(lines)
