"""No error, log record or repr contains an API key, a token, a password or a one-time password."""

from __future__ import annotations

import copy
import logging
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import anyio
import attrs
import httpx
import pytest

from ippanel_edge import (
    AsyncEdgeClient,
    Call,
    ConfigurationError,
    Credentials,
    EdgeClient,
    EdgeError,
    Outcome,
    RetryPolicy,
    Secret,
    StoredToken,
)
from ippanel_edge._async.login import Token
from ippanel_edge._sync import exchange as sync_exchange
from ippanel_edge.endpoints import AUTH_CONFIRM_OTP, AUTH_LOGIN, SEND_URL, WRITE
from ippanel_edge.models.auth import LoginStep, ResetToken
from ippanel_edge.wire import call as wire_call
from ippanel_edge.wire import request as wire_request
from tests.client.pools import is_fast
from tests.client.sides import result
from tests.faults import responses
from tests.faults.catalogue import BY_NAME
from tests.faults.fault import End, EndedBy, Fault, Reads, Where
from tests.faults.leaks import leaks, recorded_logs
from tests.faults.matrix import SIDES, open_client, run_sync

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.server import Cell, FaultServer

KEY: Final = "canary-key-5f1c0d"
TOKEN: Final = "canary-token-77ab12"
PASSWORD: Final = "Canary-Passw0rd-9e3"
OTP: Final = "90817263541"
CANARIES: Final = (KEY, TOKEN, PASSWORD, OTP)


@pytest.fixture(params=SIDES)
def side(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def secrets_in(*texts: str) -> list[str]:
    """Return the canaries that the strings contain."""
    return [canary for canary in CANARIES if any(canary in text for text in texts)]


# Objects that contain a secret.


def _login_call() -> Call[Any]:
    return wire_call.call(AUTH_LOGIN, json={"username": "user", "password": Secret(PASSWORD)})


def _url_call(place: str) -> Call[Any]:
    fields: dict[str, Any] = {"username": "user", "password": Secret(PASSWORD), "apikey": Secret(KEY)}
    return wire_call.call(SEND_URL, query=fields) if place == "query" else wire_call.call(SEND_URL, form=fields)


OBJECTS: Final[dict[str, Callable[[], Any]]] = {
    "credentials": lambda: Credentials("user", PASSWORD, totp_secret=OTP),
    "stored token": lambda: StoredToken(TOKEN, created=1.0),
    "login step": lambda: LoginStep(method="login", token=TOKEN),
    "reset token": lambda: ResetToken(token=TOKEN),
    "token of a login": lambda: Token(Secret(TOKEN), created=1.0, method="login", renew_from=2.0, generation=1),
    "call with a key": lambda: attrs.evolve(_login_call(), headers={"Authorization": Secret(KEY)}),
    "call of a login": _login_call,
    "call with a code": lambda: wire_call.call(AUTH_CONFIRM_OTP, json={"token": TOKEN, "otp": OTP}),
    "call with a query": lambda: _url_call("query"),
    "call with a form": lambda: _url_call("form"),
    "request with a query": lambda: wire_request.build(
        _url_call("query"), base_url="https://edge.example.test/v1", timeout=httpx.Timeout(None)
    ),
    "client": lambda: EdgeClient(KEY, base_url="https://edge.example.test/v1"),
    "client with a token": lambda: AsyncEdgeClient(token=TOKEN),
    "client with credentials": lambda: EdgeClient(credentials=Credentials("user", PASSWORD)),
    "copy of a client": lambda: EdgeClient(KEY).with_options(token=TOKEN),
    "settings of a client": lambda: EdgeClient(KEY)._settings,
    "section with the key": lambda: EdgeClient(KEY).send,
    "auth section": lambda: EdgeClient(KEY).auth,
    "login of a client": lambda: EdgeClient(credentials=Credentials("user", PASSWORD))._login,
}


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_that_contains_a_secret_does_not_show_it(name: str) -> None:
    secret_object = OBJECTS[name]()
    with recorded_logs() as logs:
        logging.getLogger("ippanel_edge").debug("%s %r %s", secret_object, secret_object, [secret_object])
    shown = [
        repr(secret_object),
        str(secret_object),
        f"{secret_object}",
        format(secret_object),
        repr({"x": [secret_object]}),
        *logs.records,
    ]
    if hasattr(secret_object, "__attrs_attrs__"):
        shown += [
            repr(attrs.asdict(secret_object)),
            repr(attrs.astuple(secret_object)),
            str(attrs.asdict(secret_object)),
        ]
    assert not secrets_in(*shown)


# The request is excluded: httpx pickles it with its URL, and the SDK does not return it.
@pytest.mark.parametrize("name", [name for name in OBJECTS if "request" not in name])
def test_an_object_that_contains_a_secret_hides_it_in_copies_and_cannot_be_pickled(name: str) -> None:
    secret_object = OBJECTS[name]()
    assert not secrets_in(repr(copy.copy(secret_object)))
    if "client" not in name and "section" not in name:
        assert not secrets_in(repr(copy.deepcopy(secret_object)))
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
        pickle.dumps(secret_object)


def test_a_secret_is_returned_by_str_only() -> None:
    secret = Secret(PASSWORD)
    assert not secrets_in(repr(secret), repr([secret]), repr({"a": secret}), f"{secret!r}")
    assert str(secret) == PASSWORD
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(secret)


# Calls that contain a secret, with each kind of failure.

CALLS: Final[dict[str, Callable[[Any], Any]]] = {
    "credit": lambda client: client.payment.credit(),
    "login": lambda client: client.auth.login("user", PASSWORD),
    "SMS code": lambda client: client.auth.send_sms_otp(TOKEN),
    "code": lambda client: client.auth.confirm_otp(TOKEN, OTP),
    "new password": lambda client: client.auth.change_password(TOKEN, OTP, PASSWORD),
    "voice code": lambda client: client.send.votp("09121112233", OTP),
    "pattern with a code": lambda client: client.send.pattern("otp", "09121112233", {"code": OTP}),
    "form with a key": lambda client: client.send.url("09121112233", "salam"),
    "form with a password": lambda client: client.send.url(
        "09121112233", f"code {OTP}", username="user", password=PASSWORD
    ),
    "URL with a password": lambda client: client.request(
        "GET",
        "/api/send/webservice",
        query={"username": "user", "password": Secret(PASSWORD), "message": Secret(f"code {OTP}")},
    ),
    "automatic login": lambda client: client.with_options(
        credentials=Credentials("user", PASSWORD, otp=lambda _: OTP)
    ).payment.credit(),
}
FAILURES: Final = (
    "refused",
    "tls-unknown-ca",
    "reset-at-request-end",
    "close-at-headers",
    "stall-at-request-end",
    "garbage",
    "header-of-200-kB",
    "slow-body",
    "cut-json",
    "html-200",
    "gzip-bomb",
    "data-is-a-string",
    "fields-are-lists",
    "status-401",
    "status-422",
    "status-429",
    "status-500-page",
    "rejection-200",
    "gzip-good",
)


def secret_data(path: str, number: int) -> object:
    """Return the data of valid responses, with a token in those to logins."""
    if "/acl/auth/" in path:
        return {"method": "sms" if path.endswith("/login") else "login", "token": TOKEN}
    return responses.good_data("/api/send" if path.endswith("/send/webservice") else path, number)


def _quoted_url(body: str) -> Fault:
    page = responses.reply(body.encode(), 502, kind="text/html")
    return Fault(
        name="quoted-url", reads=Reads.STATUS, where=Where.WHOLE, steps=lambda _: (responses.Send(page),), status=502
    )


QUOTED_URL: Final = _quoted_url(
    f"<p>Bad gateway: GET /v1/api/send/webservice?from=%2B98&amp;apikey={KEY}&amp;password={PASSWORD}&message={OTP}"
)


async def error_of(side: str, cell: Cell, call: Callable[[Any], Any], **options: Any) -> EdgeError | None:
    """Return the error that a call raises. No local variable of this function contains a secret."""
    settings: dict[str, Any] = {"timeout": 0.1, "deadline": 0.4, "retry": RetryPolicy(retries=0), **options}
    client = open_client(side, cell, api_key=KEY, **settings)
    try:
        await result(call(client))
    except EdgeError as error:
        return error
    finally:
        await result(client.close() if side == "sync" else client.aclose())
    return None


def run(side: str, work: Callable[[], Any]) -> Any:
    return run_sync(work()) if side == "sync" else anyio.run(work, backend=side)


@pytest.mark.parametrize("name", FAILURES)
def test_no_error_and_no_log_record_shows_the_secrets_of_a_call(
    fault_server: FaultServer, side: str, name: str
) -> None:
    fault = BY_NAME[name]

    def leaks_of(title: str) -> list[str]:
        with fault_server.arm(fault, data=secret_data) as cell:

            async def work() -> EdgeError | None:
                return await error_of(side, cell, CALLS[title])

            error = run(side, work)
        if error is None:
            assert name in {"gzip-good", "data-is-a-string", "fields-are-lists"}
            return []
        assert not secrets_in(repr(pickle.dumps(error)), repr(copy.copy(error)))
        return [f"{title}: {leak}" for leak in leaks(error, *CANARIES)]

    concurrent = 1 if fault.ended_by is EndedBy.ITSELF else len(CALLS)  # calls that only wait run concurrently
    with recorded_logs() as logs, ThreadPoolExecutor(concurrent) as threads:
        shown = [leak for leaks_of_call in threads.map(leaks_of, CALLS) for leak in leaks_of_call]
    shown += logs.containing(*CANARIES)
    assert not shown, "\n".join(shown)


def test_secrets_in_a_url_quoted_by_a_page_are_redacted_in_the_error(fault_server: FaultServer, side: str) -> None:
    with fault_server.arm(QUOTED_URL) as cell:

        async def work() -> EdgeError | None:
            return await error_of(side, cell, CALLS["URL with a password"])

        error = run(side, work)
    assert error is not None
    assert "apikey=***&amp;password=***&message=***" in str(error)
    assert not leaks(error, *CANARIES)


@pytest.mark.skipif("config.getoption('transport') == 'fast'", reason="httpx logs nothing of the fast transport")
def test_secrets_are_redacted_in_the_urls_logged_by_httpx(fault_server: FaultServer, side: str) -> None:
    with fault_server.arm(BY_NAME["gzip-good"]) as cell, recorded_logs() as logs:

        async def work() -> EdgeError | None:
            return await error_of(side, cell, CALLS["URL with a password"])

        run(side, work)
        (request,) = cell.accepted
    assert f"password={PASSWORD}" in request.path
    assert any("password=***" in record and "username=user" in record for record in logs.records)
    assert not logs.containing(*CANARIES)


def test_several_clients_add_one_filter_to_the_logger() -> None:
    before = len(logging.getLogger("httpx").filters)
    for _ in range(3):
        EdgeClient(KEY)
    assert len(logging.getLogger("httpx").filters) - before <= 1


def test_log_records_of_httpx_without_secrets_are_unchanged() -> None:
    EdgeClient(KEY)
    with recorded_logs() as logs:
        logging.getLogger("httpx").info("HTTP Request: %s %s %d", "GET", "https://edge.example.test/v1?page=2", 200)
        logging.getLogger("httpx").info("a record without arguments")
    assert "GET https://edge.example.test/v1?page=2 200" in logs.records[0]
    assert "a record without arguments" in logs.records[1]


@pytest.mark.parametrize("name", ["proxy-407", "proxy-403", "proxy-garbage", "proxy-reset", "proxy-stall"])
def test_the_password_of_a_proxy_is_not_shown(fault_server: FaultServer, side: str, name: str) -> None:
    with fault_server.arm(BY_NAME[name]) as cell, recorded_logs() as logs:
        assert cell.proxy is not None
        cell.proxy = cell.proxy.replace("://", f"://user:{PASSWORD}@")

        async def work() -> EdgeError | None:
            return await error_of(side, cell, CALLS["credit"])

        error = run(side, work)
    assert error is not None
    assert error.outcome is Outcome.NOT_SENT
    assert not leaks(error, *CANARIES)
    assert not logs.containing(*CANARIES)


# Values that are invalid in HTTP.

INVALID_VALUES: Final = [f"{TOKEN}\nX-Evil: 1", f"{TOKEN}\x00", f"کلید {TOKEN}", f" {TOKEN}", f"{TOKEN}\ud800"]


@pytest.mark.parametrize("number", range(len(INVALID_VALUES)))
def test_an_invalid_header_of_a_middleware_is_named_but_not_shown(
    fault_server: FaultServer, side: str, number: int
) -> None:
    async def with_header(call: Call[Any], proceed: Any) -> Any:
        return await proceed(attrs.evolve(call, headers={**call.headers, "X-Extra": Secret(INVALID_VALUES[number])}))

    def with_header_now(call: Call[Any], proceed: Any) -> Any:
        return proceed(attrs.evolve(call, headers={**call.headers, "X-Extra": Secret(INVALID_VALUES[number])}))

    with fault_server.arm(BY_NAME["gzip-good"]) as cell, recorded_logs() as logs:

        async def work() -> EdgeError | None:
            middleware = [with_header_now if side == "sync" else with_header]
            return await error_of(side, cell, CALLS["credit"], middleware=middleware)

        error = run(side, work)
        assert cell.seen == []
    assert isinstance(error, ConfigurationError)
    assert "headers['X-Extra']" in str(error)
    assert not leaks(error, *CANARIES)
    assert not logs.containing(*CANARIES)


@pytest.mark.parametrize("kind", [AsyncEdgeClient, EdgeClient])
@pytest.mark.parametrize("number", range(len(INVALID_VALUES)))
@pytest.mark.parametrize("name", ["api_key", "token"])
def test_an_invalid_key_is_named_but_not_shown(kind: Any, name: str, number: int) -> None:
    for make in (kind, kind("good-key", base_url="http://127.0.0.1:9/v1").with_options):
        with pytest.raises(ConfigurationError, match=name) as caught:
            make(**{name: INVALID_VALUES[number]})
        assert not leaks(caught.value, *CANARIES)


@pytest.mark.parametrize("number", range(len(INVALID_VALUES)))
def test_an_invalid_key_from_the_environment_is_named_but_not_shown(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr("os.environ", {"IPPANEL_API_KEY": INVALID_VALUES[number]})
    with pytest.raises(ConfigurationError, match="api_key") as caught:
        EdgeClient()
    assert not leaks(caught.value, *CANARIES)


@pytest.mark.parametrize("number", range(len(INVALID_VALUES)))
def test_invalid_secret_arguments_are_not_shown(side: str, number: int) -> None:
    client: Any = EdgeClient(KEY) if side == "sync" else AsyncEdgeClient(KEY)

    async def work() -> list[str]:
        shown: list[str] = []
        calls: tuple[Callable[[], Any], ...] = (
            lambda: client.send.votp("09121112233", f"x{OTP}"),
            lambda: client.send.pattern("otp", "not a number", {"code": OTP}),
            lambda: client.send.url("not a number", "salam", username="user", password=PASSWORD),
            lambda: client.auth.login("", PASSWORD),
            lambda: client.auth.confirm_otp(TOKEN, ""),
            lambda: client.auth.confirm_otp(INVALID_VALUES[number], "\ud800"),
        )
        for call in calls:
            try:
                await result(call())
            except EdgeError as error:
                shown += leaks(error, *CANARIES)
            else:
                shown.append("no error")
        return shown

    assert run(side, work) == []


# Cancellations and interrupts: these exceptions are raised at a low level, with many frames.


@pytest.mark.parametrize("repeat", ["read", "once"])
def test_a_keyboard_interrupt_shows_no_secret(
    fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch, repeat: str
) -> None:
    trace = sync_exchange.Trace.__call__
    last, events = 0, 0

    def counting(self: sync_exchange.Trace, event: str, info: Any) -> None:
        nonlocal events
        trace(self, event, info)
        events += 1
        if events == last:
            raise KeyboardInterrupt

    monkeypatch.setattr(sync_exchange.Trace, "__call__", counting)
    shown: list[str] = []
    for last in range(1, 15):  # noqa: B007 - `counting` reads it
        events = 0
        with (
            fault_server.arm(BY_NAME["gzip-good"], data=secret_data) as cell,
            open_client("sync", cell, api_key=KEY) as client,
        ):
            try:
                CALLS["credit" if repeat == "read" else "URL with a password"](client)
            except KeyboardInterrupt as error:
                shown += leaks(error, *CANARIES)
    assert events > (2 if is_fast() else 5)  # the fast transport has fewer events
    assert not shown, "\n".join(shown)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("name", ["stall-at-request-end", "stall-during-upload"])
@pytest.mark.parametrize("once", [False, True])
def test_a_cancellation_shows_no_secret(
    fault_server: FaultServer,
    monkeypatch: pytest.MonkeyPatch,
    backend: str,
    name: str,
    once: bool,  # noqa: FBT001 - a test parameter
) -> None:
    monkeypatch.setattr("ippanel_edge._async.exchange.CANCEL_GRACE", 0.02)
    shown: list[str] = []

    async def work() -> None:
        async with open_client(backend, cell, api_key=KEY, timeout=60) as client:
            with anyio.move_on_after(0.15):
                try:
                    await (
                        CALLS["URL with a password"](client)
                        if once
                        else client.request("POST", "/api/x", json={"a": "x" * 10**7}, repeat=WRITE)
                    )
                except anyio.get_cancelled_exc_class() as error:
                    shown.extend(leaks(error, *CANARIES))
                    raise

    with fault_server.arm(BY_NAME[name]) as cell:
        anyio.run(work, backend=backend)
        assert cell.settle().open == 0
    assert End.STALL is BY_NAME[name].end
    assert not shown, "\n".join(shown)
