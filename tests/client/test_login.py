"""Logging in by itself, on all three sides: once for any number of calls, again where that texts nobody."""

from __future__ import annotations

import io
import json
import logging
import pickle
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import anyio
import anyio.lowlevel
import anyio.to_thread
import attrs
import httpx
import pytest
import time_machine
from pyotp.totp import TOTP

from ippanel_edge import (
    AsyncEdgeClient,
    AuthenticationError,
    ConfigurationError,
    ConnectionFailed,
    Credentials,
    EdgeError,
    Outcome,
    ServerError,
    StoredToken,
    ValidationFailed,
)
from ippanel_edge.config import OtpCallback
from ippanel_edge.models.auth import LoginStep
from tests.client.conftest import MakeClient
from tests.client.sides import result
from tests.contract.sample import ok

pytestmark = pytest.mark.anyio

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


@pytest.fixture
def service() -> Service:
    return Service()


class Hands(Protocol):
    """The hands of a clock that stands still."""

    def move_to(self, destination: datetime) -> None: ...

    def shift(self, delta: float) -> None: ...


@pytest.fixture
def clock() -> Iterator[Hands]:
    with time_machine.travel(START, tick=False) as travelled:
        yield travelled


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


# How a login goes


async def test_the_first_call_logs_in_and_the_next_ones_use_its_token(
    make_client: MakeClient, service: Service
) -> None:
    client = make_client(service, credentials=credentials())
    assert service.logins == []
    assert [await credit(client) for _ in range(3)] == [7.0, 7.0, 7.0]
    assert service.logins == [{"username": "zahra", "password": PASSWORD}]
    assert service.tokens == ["canary-token-1"] * 3


@pytest.mark.usefixtures("clock")
async def test_google_authenticators_code_is_made_here(make_client: MakeClient, service: Service) -> None:
    service.method = "ga"
    service.otp = lambda: TOTP(TOTP_SECRET).at(START)
    spaced = f"{TOTP_SECRET[:4]} {TOTP_SECRET[4:]}"
    assert await credit(make_client(service, credentials=credentials(totp_secret=spaced))) == 7.0
    assert len(service.confirmed) == 1
    assert service.tokens == ["canary-token-1"]


@pytest.mark.parametrize("method", ["sms", "ga"])
async def test_a_code_is_asked_of_your_function(make_client: MakeClient, service: Service, method: str) -> None:
    service.method = method
    steps: list[LoginStep] = []

    def otp(step: LoginStep) -> str:
        steps.append(step)
        return OTP

    assert await credit(make_client(service, credentials=credentials(otp=otp))) == 7.0
    assert steps == [LoginStep(method=method, token="step-1")]
    assert service.confirmed == [{"token": "step-1", "otp": OTP}]
    assert service.tokens == ["canary-token-1"]


async def test_your_function_may_be_async_where_the_client_is(
    make_client: MakeClient, service: Service, side: str
) -> None:
    service.method = "sms"

    async def otp(_: LoginStep) -> str:
        await anyio.lowlevel.checkpoint()
        return OTP

    client = make_client(service, credentials=credentials(otp=otp))
    if side != "sync":
        assert await credit(client) == 7.0
        return
    error = await failure_of(client, TypeError)
    assert "await" in str(error)
    assert service.confirmed == []


@pytest.mark.parametrize("method", ["sms", "ga"])
async def test_without_a_way_to_a_code_the_error_says_how_to_give_one(
    make_client: MakeClient, service: Service, method: str
) -> None:
    service.method = method
    error = await failure_of(make_client(service, credentials=credentials()), ConfigurationError)
    assert (
        str(error) == f"credentials: the login asks for a code (method {method}): give otp=, a function that returns it"
    )
    assert service.tokens == []


async def test_a_code_after_which_the_service_wants_more_is_an_error(make_client: MakeClient, service: Service) -> None:
    service.method, service.after_code = "sms", "ga"
    error = await failure_of(make_client(service, credentials=credentials(otp=give_code)), ConfigurationError)
    assert "another step (ga)" in str(error)


async def test_a_totp_secret_that_is_none_is_refused_and_not_shown(make_client: MakeClient, service: Service) -> None:
    service.method = "ga"
    client = make_client(service, credentials=credentials(totp_secret="canary-1-8-9!"))
    error = await failure_of(client, ConfigurationError)
    assert str(error) == "totp_secret: is not base32, as Google Authenticator has it"
    assert error.__context__ is None
    assert "canary-1-8-9" not in told(error)


# One login for all


class Gate:
    """Opens when so many have arrived; whoever waits goes on then."""

    def __init__(self, side: str, count: int) -> None:
        self._missing = count
        self._guard = threading.Lock()
        self._open: Any = threading.Event() if side == "sync" else anyio.Event()

    def arrive(self) -> None:
        with self._guard:
            self._missing -= 1
            if not self._missing:
                self._open.set()

    def wait(self) -> None:
        assert self._open.wait(timeout=20)

    async def wait_async(self) -> None:
        with anyio.fail_after(20):
            await self._open.wait()


def held_up(service: Service, side: str, gate: Gate, *, which: Callable[[httpx.Request], bool]) -> Any:
    """Make an answerer that lets some requests wait at the gate."""

    def answer(request: httpx.Request) -> httpx.Response:
        if which(request):
            gate.wait()
        return service(request)

    async def answer_async(request: httpx.Request) -> httpx.Response:
        if which(request):
            await gate.wait_async()
        return service(request)

    return answer if side == "sync" else answer_async


def count_who_waits(client: Any, gate: Gate) -> None:
    """Have everybody who comes to the login arrive at the gate."""
    alone = client._login._alone

    def arrive(step: Callable[[], Any]) -> Any:
        gate.arrive()
        return alone(step)

    client._login._alone = arrive


async def at_once(side: str, client: Any) -> list[float | EdgeError]:
    """Make a hundred calls at once: in tasks, or on the sync side in threads."""
    outcomes: list[float | EdgeError] = []
    threads = anyio.CapacityLimiter(AT_ONCE)

    def call_in_thread() -> float:
        found: float = client.payment.credit().credit
        return found

    async def call() -> None:
        try:
            if side == "sync":
                outcomes.append(await anyio.to_thread.run_sync(call_in_thread, limiter=threads))
            else:
                outcomes.append(await credit(client))
        except EdgeError as error:
            outcomes.append(error)

    async with anyio.create_task_group() as tasks:
        for _ in range(AT_ONCE):
            tasks.start_soon(call)
    return outcomes


def is_login(request: httpx.Request) -> bool:
    return request.url.path.endswith("/auth/login")


async def test_a_hundred_calls_at_once_make_one_login(make_client: MakeClient, service: Service, side: str) -> None:
    gate = Gate(side, AT_ONCE)
    client = make_client(held_up(service, side, gate, which=is_login), credentials=credentials())
    count_who_waits(client, gate)
    assert await at_once(side, client) == [7.0] * AT_ONCE
    assert len(service.logins) == 1
    assert service.tokens == ["canary-token-1"] * AT_ONCE


async def test_a_hundred_refused_calls_at_once_make_one_login(
    make_client: MakeClient, service: Service, side: str
) -> None:
    gate = Gate(side, AT_ONCE)

    def is_refused(request: httpx.Request) -> bool:
        if request.headers.get("authorization") != "dead-token":
            return False
        gate.arrive()
        return True

    saved = StoredToken("dead-token", created=time.time())
    answer = held_up(service, side, gate, which=is_refused)
    client = make_client(answer, credentials=credentials(load=lambda: saved))
    assert await at_once(side, client) == [7.0] * AT_ONCE
    assert len(service.logins) == 1
    assert sorted(service.tokens) == ["canary-token-1"] * AT_ONCE + ["dead-token"] * AT_ONCE


async def test_a_hundred_calls_at_once_make_one_failed_login_and_each_has_its_own_error(
    make_client: MakeClient, service: Service, side: str
) -> None:
    service.failure = httpx.Response(422, json=WRONG_PASSWORD)
    gate = Gate(side, AT_ONCE)
    client = make_client(held_up(service, side, gate, which=is_login), credentials=credentials())
    count_who_waits(client, gate)
    errors = await at_once(side, client)
    assert len(service.logins) == 1
    assert [type(error) for error in errors] == [ValidationFailed] * AT_ONCE
    assert len(set(map(str, errors))) == 1
    assert len(set(map(id, errors))) == AT_ONCE


async def test_a_hundred_calls_at_once_text_one_code_though_your_function_fails(
    make_client: MakeClient, service: Service, side: str
) -> None:
    service.method = "sms"
    gate = Gate(side, AT_ONCE)

    def otp(_: LoginStep) -> str:
        raise ConfigurationError("nobody is at the phone")

    client = make_client(held_up(service, side, gate, which=is_login), credentials=credentials(otp=otp))
    count_who_waits(client, gate)
    errors = await at_once(side, client)
    assert len(service.logins) == 1
    assert {str(error) for error in errors} == {"nobody is at the phone"}


async def test_after_a_failed_login_the_next_call_tries_again(make_client: MakeClient, service: Service) -> None:
    client = make_client(service, credentials=credentials())
    service.failure = httpx.Response(422, json=WRONG_PASSWORD)
    await failure_of(client, ValidationFailed)
    service.failure = None
    assert await credit(client) == 7.0
    assert len(service.logins) == 2


@pytest.mark.parametrize("side", ["asyncio", "trio"])  # nothing cancels a thread
async def test_when_the_one_who_logs_in_is_cancelled_the_next_one_does(service: Service, side: str) -> None:
    gate = Gate(side, 1)
    client = AsyncEdgeClient(
        credentials=credentials(),
        base_url="https://edge.example.test/v1",
        http_client=httpx.AsyncClient(
            transport=httpx.MockTransport(held_up(service, side, gate, which=lambda _: not service.logins))
        ),
    )
    scope = anyio.CancelScope()

    async def first() -> None:
        with scope:
            await client.payment.credit()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(first)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(credit, client)
        await anyio.wait_all_tasks_blocked()
        scope.cancel()
        await anyio.wait_all_tasks_blocked()
        gate.arrive()
    assert scope.cancelled_caught
    assert service.tokens == ["canary-token-1"]


async def test_copies_share_the_login_and_new_credentials_begin_another(
    make_client: MakeClient, service: Service
) -> None:
    client = make_client(service, credentials=credentials())
    await credit(client)
    await credit(client.with_options(timeout=3.0))
    assert len(service.logins) == 1
    await credit(client.with_options(credentials=credentials()))
    assert len(service.logins) == 2
    await credit(client)
    assert len(service.logins) == 2


async def test_your_function_must_not_call_with_the_token_that_it_helps_to_get(
    make_client: MakeClient, service: Service
) -> None:
    service.method = "ga"
    clients: list[Any] = []

    def otp(_: LoginStep) -> Any:
        return clients[0].payment.credit()

    clients.append(make_client(service, credentials=credentials(otp=otp)))
    error = await failure_of(clients[0], ConfigurationError)
    assert "while it is logging in" in str(error)


# Again, before a token's end and after a 401


async def test_a_token_is_renewed_ten_minutes_before_its_ten_hours_are_over(
    make_client: MakeClient, service: Service, clock: Hands
) -> None:
    client = make_client(service, credentials=credentials())
    await credit(client)
    clock.move_to(START + timedelta(hours=10, minutes=-10, seconds=-1))
    await credit(client)
    assert len(service.logins) == 1
    clock.shift(1)
    await credit(client)
    await credit(client)
    assert service.tokens == ["canary-token-1"] * 2 + ["canary-token-2"] * 2


async def test_where_the_early_login_fails_the_token_is_used_to_its_end(
    make_client: MakeClient,
    service: Service,
    clock: Hands,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = make_client(service, credentials=credentials())
    await credit(client)
    service.failure = httpx.Response(500, json=REFUSED)
    clock.move_to(START + timedelta(hours=10, minutes=-10))
    assert [await credit(client) for _ in range(2)] == [7.0, 7.0]
    assert len(service.logins) == 2
    assert "a login before the token's end failed (ServerError)" in caplog.text
    clock.move_to(START + timedelta(hours=10))
    await failure_of(client, ServerError)
    service.failure = None
    assert await credit(client) == 7.0
    assert service.tokens[-1] == "canary-token-4"


@pytest.mark.parametrize("method", ["sms", "ga"])
async def test_nobody_is_texted_again_by_itself_and_the_401_says_how_to_go_on(
    make_client: MakeClient, service: Service, clock: Hands, method: str
) -> None:
    service.method = method
    client = make_client(service, credentials=credentials(otp=give_code))
    await credit(client)
    clock.move_to(START + timedelta(hours=9, minutes=55))
    await credit(client)
    clock.move_to(START + timedelta(hours=11))
    service.living.clear()
    for _ in range(2):
        error = await failure_of(client, AuthenticationError)
        assert error.outcome is Outcome.REJECTED
        assert "the login token is dead, and another login would text a code" in str(error)
        assert "with_options(credentials=…)" in str(error)
        assert pickle.loads(pickle.dumps(error)).advice == error.advice  # noqa: S301 - our own
    assert len(service.logins) == 1
    await credit(client.with_options(credentials=credentials(otp=give_code)))
    assert len(service.logins) == 2


@pytest.mark.parametrize("method", ["login", "ga"])
async def test_a_401_makes_one_more_login_where_that_texts_nobody(
    make_client: MakeClient, service: Service, clock: Hands, method: str
) -> None:
    service.method = method
    service.otp = lambda: TOTP(TOTP_SECRET).now()
    client = make_client(service, credentials=credentials(totp_secret=TOTP_SECRET))
    await credit(client)
    clock.shift(HOUR)
    service.living.clear()
    assert await credit(client) == 7.0
    assert service.tokens == ["canary-token-1", "canary-token-1", "canary-token-2"]


async def test_a_401_after_the_new_login_is_the_answer(make_client: MakeClient, service: Service) -> None:
    client = make_client(service, credentials=credentials())
    service.deaf = True
    error = await failure_of(client, AuthenticationError)
    assert (error.status_code, error.outcome, error.advice) == (401, Outcome.REJECTED, "")
    assert len(service.logins) == 2
    assert len(service.tokens) == 2


async def test_a_send_is_made_again_after_a_401_because_it_was_refused(
    make_client: MakeClient, service: Service
) -> None:
    client = make_client(service, credentials=credentials())
    await credit(client)
    service.living.clear()
    sent = await result(client.send.webservice("09121234567", "سلام"))
    assert sent.message_outbox_ids == (1,)
    assert service.tokens[-2:] == ["canary-token-1", "canary-token-2"]


class Stream(io.BytesIO):
    """A file that cannot go back."""

    def seek(self, *_: int) -> int:
        raise io.UnsupportedOperation

    def tell(self) -> int:
        raise io.UnsupportedOperation


async def test_a_file_that_cannot_go_back_is_not_sent_cut_after_a_401(
    make_client: MakeClient, service: Service
) -> None:
    saved = StoredToken("dead-token", created=time.time())
    client = make_client(service, credentials=credentials(load=lambda: saved))
    with pytest.raises(AuthenticationError, match="the file was read while the token was refused") as caught:
        await result(client.send.file(("numbers.csv", Stream(b"phone_number\n09121234567\n")), "سلام"))
    assert caught.value.outcome is Outcome.REJECTED
    assert service.tokens == ["dead-token"]
    assert await credit(client) == 7.0


# Tokens shared with other workers


class Store:
    """Where workers keep their token."""

    def __init__(self) -> None:
        self.saved: list[StoredToken] = []

    def load(self) -> StoredToken | None:
        return self.saved[-1] if self.saved else None

    def save(self, token: StoredToken) -> None:
        self.saved.append(token)

    @property
    def options(self) -> dict[str, Any]:
        return {"load": self.load, "save": self.save}


async def test_two_clients_share_one_login_through_a_store(
    make_client: MakeClient, service: Service, clock: Hands
) -> None:
    store = Store()
    first, second = (make_client(service, credentials=credentials(**store.options)) for _ in range(2))
    await credit(first)
    await credit(second)
    assert store.saved == [StoredToken("canary-token-1", created=START.timestamp(), method="login")]
    clock.move_to(START + timedelta(hours=9, minutes=55))
    await credit(second)
    await credit(first)
    assert [str(stored.token) for stored in store.saved] == ["canary-token-1", "canary-token-2"]
    service.living.clear()
    await credit(first)
    await credit(second)
    assert len(service.logins) == len(store.saved) == 3
    assert service.tokens[-2:] == ["canary-token-2", "canary-token-3"]


async def test_where_logins_text_a_code_a_dead_token_is_looked_for_in_the_store(
    make_client: MakeClient, service: Service
) -> None:
    service.method = "sms"
    store = Store()
    client = make_client(service, credentials=credentials(otp=give_code, **store.options))
    await credit(client)
    service.living = {"of-another-worker"}
    store.save(StoredToken("of-another-worker", created=time.time() + 1, method="sms"))
    assert await credit(client) == 7.0
    assert len(service.logins) == 1


async def test_the_functions_of_a_store_may_be_async_where_the_client_is(
    make_client: MakeClient, service: Service, side: str
) -> None:
    store = Store()

    async def load() -> StoredToken | None:
        await anyio.lowlevel.checkpoint()
        return store.load()

    async def save(token: StoredToken) -> None:
        await anyio.lowlevel.checkpoint()
        store.save(token)

    client = make_client(service, credentials=credentials(load=load, save=save))
    if side == "sync":
        await failure_of(client, TypeError)
        return
    await credit(client)
    await credit(make_client(service, credentials=credentials(load=load, save=save)))
    assert len(store.saved) == len(service.logins) == 1


@pytest.mark.usefixtures("clock")
async def test_a_saved_token_whose_ten_hours_are_over_is_not_tried(make_client: MakeClient, service: Service) -> None:
    saved = StoredToken("long-dead", created=START.timestamp() - 10 * HOUR)
    await credit(make_client(service, credentials=credentials(load=lambda: saved)))
    assert service.tokens == ["canary-token-1"]


@pytest.mark.usefixtures("clock")
async def test_a_saved_token_near_its_end_is_renewed_at_once(make_client: MakeClient, service: Service) -> None:
    saved = StoredToken("nearly-dead", created=START.timestamp() - 10 * HOUR + 60)
    await credit(make_client(service, credentials=credentials(load=lambda: saved)))
    assert service.tokens == ["canary-token-1"]


@pytest.mark.usefixtures("clock")
async def test_an_older_token_in_the_store_does_not_take_the_place_of_a_refused_one(
    make_client: MakeClient, service: Service
) -> None:
    saved = [StoredToken("canary-token-0", created=START.timestamp() - HOUR)]
    client = make_client(service, credentials=credentials(load=lambda: saved[0] if service.logins else None))
    await credit(client)
    service.living.clear()
    assert await credit(client) == 7.0
    assert "canary-token-0" not in service.tokens


async def test_a_login_is_not_lost_where_saving_it_fails(make_client: MakeClient, service: Service) -> None:
    def save(_: StoredToken) -> None:
        raise OSError("the disk is full")

    client = make_client(service, credentials=credentials(save=save))
    await failure_of(client, OSError)
    assert await credit(client) == 7.0
    assert len(service.logins) == 1


async def test_a_store_that_fails_is_asked_again_by_the_next_call(make_client: MakeClient, service: Service) -> None:
    answers: list[Any] = [OSError("no store"), None]

    def load() -> StoredToken | None:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return None

    client = make_client(service, credentials=credentials(load=load))
    await failure_of(client, OSError)
    assert service.logins == []
    assert await credit(client) == 7.0


# A login that fails


async def test_a_refused_login_is_its_own_error(make_client: MakeClient, service: Service) -> None:
    service.failure = httpx.Response(422, json=WRONG_PASSWORD)
    error = await failure_of(make_client(service, credentials=credentials()), ValidationFailed)
    assert (error.endpoint, error.status_code, error.message_code) == ("auth.login", 422, "422-1")
    assert dict(error.errors) == {"username": ("نام کاربری یا رمز نادرست است",)}
    assert error.outcome is Outcome.REJECTED
    assert service.tokens == []


async def test_a_refused_code_is_its_own_error(make_client: MakeClient, service: Service) -> None:
    service.method = "sms"
    error = await failure_of(make_client(service, credentials=credentials(otp=give_wrong_code)), ValidationFailed)
    assert (error.endpoint, dict(error.errors)) == ("auth.confirm_otp", {"otp": ("نادرست",)})


async def test_a_broken_login_says_that_the_call_was_not_made(make_client: MakeClient, service: Service) -> None:
    service.failure = httpx.Response(502, text="<html>Bad Gateway</html>")
    client = make_client(service, credentials=credentials())
    with pytest.raises(ServerError) as caught:
        await result(client.send.webservice("09121234567", "سلام"))
    assert (caught.value.endpoint, caught.value.outcome) == ("auth.login", Outcome.NOT_SENT)
    assert len(service.logins) == 1


async def test_a_login_without_an_answer_says_that_the_call_was_not_made(
    make_client: MakeClient, service: Service
) -> None:
    service.failure = httpx.ReadTimeout("no answer")
    client = make_client(service, credentials=credentials())
    with pytest.raises(ConnectionFailed) as caught:
        await result(client.send.webservice("09121234567", "سلام"))
    error = caught.value
    assert (error.endpoint, error.outcome, error.timed_out) == ("auth.login", Outcome.NOT_SENT, True)
    assert "the login before the call failed: ReadTimeout" in str(error)
    assert len(service.logins) == 1


# Secrets

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


async def test_no_error_and_no_log_of_a_login_shows_a_secret(
    make_client: MakeClient, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong: list[tuple[str, httpx.Response | Exception | None, OtpCallback]] = [
        ("login", httpx.Response(422, json=WRONG_PASSWORD), give_code),
        ("login", httpx.Response(500, json=REFUSED), give_code),
        ("login", httpx.ReadError("broken"), give_code),
        ("login", httpx.Response(200, content=b'{"data": {"method": "login", "token": "canary-token-cut'), give_code),
        ("login", httpx.Response(200, json={"data": {"method": "login", "token": "canary-token-bare"}}), give_code),
        ("login", httpx.Response(200, json=ok({"method": "login", "token": ["canary-token-listed"]})), give_code),
        ("sms", None, give_wrong_code),
        ("login", None, give_code),
    ]
    shown = ""
    for method, failure, otp in wrong:
        service.method, service.failure, service.deaf = method, failure, True
        client = make_client(service, credentials=credentials(otp=otp))
        shown += told(await failure_of(client)) + repr(client) + repr(client.__dict__) + repr(client._login.__dict__)
    assert len(service.logins) == len(wrong) + 1
    assert "auth.login" in shown
    for secret in SECRETS:
        assert secret not in shown, secret
        assert secret not in caplog.text, secret


@pytest.mark.parametrize(
    "holder",
    [
        Credentials("zahra", PASSWORD, totp_secret=TOTP_SECRET),
        StoredToken("canary-token-9", created=0.0),
        LoginStep(method="sms", token="step-1"),
    ],
    ids=lambda holder: type(holder).__name__,
)
def test_what_holds_a_secret_does_not_show_it(holder: Credentials | StoredToken | LoginStep) -> None:
    shown = f"{holder!r} {holder} {attrs.asdict(holder)!r}"
    for secret in SECRETS:
        assert secret not in shown
    with pytest.raises(TypeError, match="a secret is not pickled"):
        pickle.dumps(holder)
