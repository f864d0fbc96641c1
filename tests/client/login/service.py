"""What tests of logging in share: a service that takes logins, and what is asked of a client."""

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
AT_ONCE = 100
REFUSED: dict[str, Any] = {
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
    """Answers logins and, to those with a living token, everything else.

    Attributes:
        method: how its logins go.
        after_code: how they stand then.
        otp: makes the code that it wants.
        failure: what a login comes to instead.
        logins: the bodies of the logins.
        confirmed: the bodies of the codes.
        tokens: the tokens that calls came with, in their order.
        living: the tokens that it takes.
        deaf: takes no token at all.
    """

    method: str = "login"
    after_code: str = "login"
    otp: Callable[[], str] = lambda: OTP
    failure: httpx.Response | Exception | None = None
    logins: list[dict[str, str]] = attrs.field(factory=list[dict[str, str]])
    confirmed: list[dict[str, str]] = attrs.field(factory=list[dict[str, str]])
    tokens: list[str] = attrs.field(factory=list[str])
    living: set[str] = attrs.field(factory=set[str])
    deaf: bool = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/auth/login"):
            return self._log_in(json.loads(request.read()))
        if path.endswith("/auth/confirm_otp"):
            return self._confirm(json.loads(request.read()))
        token = request.headers["authorization"]
        self.tokens.append(token)
        if self.deaf or token not in self.living:
            return httpx.Response(401, json=REFUSED)
        request.read()
        return httpx.Response(200, json=ok({"credit": 7.0, "message_outbox_ids": [1]}))

    def _log_in(self, body: dict[str, str]) -> httpx.Response:
        self.logins.append(body)
        if isinstance(self.failure, Exception):
            raise self.failure
        if self.failure is not None:
            return self.failure
        return self._final() if self.method == "login" else self._answer(self.method, f"step-{len(self.logins)}")

    def _confirm(self, body: dict[str, str]) -> httpx.Response:
        self.confirmed.append(body)
        if body != {"token": f"step-{len(self.logins)}", "otp": self.otp()}:
            return httpx.Response(422, json=WRONG_CODE)
        return self._final()

    def _final(self) -> httpx.Response:
        token = f"canary-token-{len(self.logins)}"
        self.living.add(token)
        return self._answer(self.after_code, token)

    @staticmethod
    def _answer(method: str, token: str) -> httpx.Response:
        return httpx.Response(200, json=ok({"method": method, "token": token}))


class Hands(Protocol):
    """The hands of a clock that stands still."""

    def move_to(self, destination: datetime) -> None: ...

    def shift(self, delta: float) -> None: ...


def give_code(_: LoginStep) -> str:
    return OTP


def give_wrong_code(_: LoginStep) -> str:
    return f"{OTP}0"


def credentials(**options: Any) -> Credentials:
    return Credentials("zahra", PASSWORD, **options)


async def credit(client: Any) -> float:
    found: float = (await result(client.payment.credit())).credit
    return found


async def failure_of(client: Any, kind: type[Exception] = EdgeError) -> Any:
    with pytest.raises(kind) as caught:
        await credit(client)
    return caught.value


SECRETS = (PASSWORD, OTP, TOTP_SECRET, "canary-token", "step-1")


def told(error: BaseException) -> str:
    """Tell an error as a tracker would: with all of its causes and the locals of our frames."""
    seen: list[str] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None:
            continue
        waiting += [one.__cause__, one.__context__]
        seen += [repr(one), str(one), repr(one.__dict__)]
        summary = traceback.TracebackException.from_exception(one, capture_locals=True)
        seen += [str(frame.locals) for frame in summary.stack if "ippanel_edge" in frame.filename]
    return "\n".join(seen)
