"""Every setting of a client is checked: a wrong type is one error that names it; shortcuts are accepted."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any, Final

import httpx
import pytest
import respx
from pytest_httpx import HTTPXMock

from ippanel_edge import (
    AsyncEdgeClient,
    ConfigurationError,
    ConnectionFailed,
    Credentials,
    EdgeClient,
    Outcome,
    RateLimit,
    RetryPolicy,
    StoredToken,
)

BASE: Final = "https://edge.example.test/v1"
LINE: Final = "+983000111222"
CANARY: Final = "canary-0001"


class Odd:
    """An object of no expected type."""


JUNK: Final[dict[str, list[Any]]] = {
    "api_key": [b"x", 5, "", " ", ["x"], Odd(), True],
    "token": [b"x", 5, "", Odd()],
    "credentials": ["user", ("user", "password"), 5, Odd()],
    "from_number": [5, b"x", "", "!", ["x"], Odd()],
    "base_url": [5, b"x", ["x"], Odd(), "ftp://x"],
    "timeout": ["5", b"5", True, 0, -1, float("nan"), float("inf"), [5], Odd(), None],
    "deadline": ["5", True, 0, -1, float("nan"), Odd()],
    "retry": ["3", 3.0, True, [3], Odd(), -1],
    "rate_limit": ["50", True, 0, -1, float("nan"), [5], Odd()],
    "middleware": [5, "x", [5], [None], len, Odd()],
    "call_middleware": [5, "x", [5], [None], len, Odd()],
    "listeners": [5, "x", [5], [None], print, Odd(), None],
    "validate": ["no", 0, 1, None, Odd()],
}
ONLY_NEW: Final[dict[str, list[Any]]] = {
    "http_client": ["x", 5, httpx, Odd()],
    "limits": ["x", 5, Odd()],
    "proxy": ["nonsense", "ftp://x", 5, b"x", Odd()],
    "verify": [False, True, "/ca.pem", 5, Odd()],
    "transport": ["aiohttp", "Fast", "", 5, b"fast", True, Odd()],
}
CASES: Final = [
    pytest.param(name, value, id=f"{name}-{type(value).__name__}-{index}")
    for name, values in {**JUNK, **ONLY_NEW}.items()
    for index, value in enumerate(values)
]


def client(make: Any, **options: Any) -> Any:
    settings: dict[str, Any] = {"base_url": BASE, "from_number": LINE, **options}
    if not settings.keys() & {"token", "credentials"}:
        settings.setdefault("api_key", CANARY)
    return make(**settings)


@pytest.mark.parametrize("make", [AsyncEdgeClient, EdgeClient])
@pytest.mark.parametrize(("name", "value"), CASES)
def test_a_setting_of_a_wrong_type_or_value_is_named(make: Any, name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        client(make, **{name: value})
    assert caught.value.argument.partition("[")[0] in {name, "retries", "per_second"}
    assert caught.value.outcome is Outcome.NOT_SENT


@pytest.mark.parametrize("make", [AsyncEdgeClient, EdgeClient])
@pytest.mark.parametrize(("name", "value"), [case for case in CASES if case.values[0] in JUNK])
def test_a_copy_checks_its_settings_too(make: Any, name: str, value: Any) -> None:
    if (name, value) == ("timeout", None):
        value = "15"
    with pytest.raises(ConfigurationError) as caught:
        client(make).with_options(**{name: value})
    assert caught.value.argument.partition("[")[0] in {name, "retries", "per_second"}


@pytest.mark.parametrize("make", [AsyncEdgeClient, EdgeClient])
@pytest.mark.parametrize("wrong", [f"Bearer {CANARY}", f"bearer{CANARY}", f"{CANARY} ", f"{CANARY}\n", CANARY.encode()])
def test_a_wrong_key_is_not_shown_by_the_error_or_its_frames(make: Any, wrong: Any) -> None:
    attempts: list[Callable[[], Any]] = [
        lambda: client(make, api_key=wrong),
        lambda: client(make).with_options(api_key=wrong),
    ]
    for attempt in attempts:
        with pytest.raises(ConfigurationError) as caught:
            attempt()
        shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        ours = [frame for frame in shown.stack if "ippanel_edge" in frame.filename]
        assert CANARY not in f"{caught.value}{[frame.locals for frame in ours]}"
        assert ("'Bearer' prefix" in str(caught.value)) == str(wrong).lower().startswith("bearer")


@pytest.mark.parametrize("make", [AsyncEdgeClient, EdgeClient])
def test_numbers_are_shortcuts_for_a_retry_policy_and_a_rate_limit(make: Any) -> None:
    original = client(make, retry=5, rate_limit=50)
    copied = original.with_options(retry=0, rate_limit=0.5)
    assert (original._settings.retry, original._settings.rate_limit) == (RetryPolicy(retries=5), RateLimit(50))
    assert (copied._settings.retry, copied._settings.rate_limit) == (RetryPolicy(retries=0), RateLimit(0.5))


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: RetryPolicy(retries=1.5), "retries"),  # type: ignore[arg-type]  # a caller without a type checker
        (lambda: RetryPolicy(retries="3"), "retries"),  # type: ignore[arg-type]  # the same
        (lambda: RetryPolicy(backoff=True), "backoff"),
        (lambda: RetryPolicy(max_backoff=float("nan")), "max_backoff"),
        (lambda: RetryPolicy(max_retry_after=-1), "max_retry_after"),
        (lambda: RetryPolicy(budget=None), "budget"),  # type: ignore[arg-type]  # the same
        (lambda: RetryPolicy(repeat_refused_sends="no"), "repeat_refused_sends"),  # type: ignore[arg-type]  # the same
        (lambda: RateLimit("50"), "per_second"),  # type: ignore[arg-type]  # the same
        (lambda: RateLimit(float("inf")), "per_second"),
        (lambda: RateLimit(5, burst=0), "burst"),
        (lambda: RateLimit(5, burst=1.5), "burst"),  # type: ignore[arg-type]  # the same
        (lambda: Credentials("", "secret"), "username"),
        (lambda: Credentials(5, "secret"), "username"),  # type: ignore[arg-type]  # the same
        (lambda: Credentials("user", None), "password"),  # type: ignore[arg-type]  # the same
        (lambda: Credentials("user", " "), "password"),
        (lambda: Credentials("user", "secret", otp="123456"), "otp"),  # type: ignore[arg-type]  # the same
        (lambda: Credentials("user", "secret", load="x"), "load"),  # type: ignore[arg-type]  # the same
        (lambda: Credentials("user", "secret", save=5), "save"),  # type: ignore[arg-type]  # the same
        (lambda: StoredToken(b"x", created=0), "token"),  # type: ignore[arg-type]  # the same
    ],
)
def test_a_field_of_a_setting_is_checked(make: Any, argument: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert caught.value.argument == argument


# Mocks agree on what an exception of httpx means.


def failing_call(**options: Any) -> ConnectionFailed:
    with client(EdgeClient, retry=0, **options) as each, pytest.raises(ConnectionFailed) as caught:
        each.send.webservice("09121234567", "سلام")
    return caught.value


@pytest.mark.parametrize("kind", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
def test_every_mock_that_raises_a_connect_error_means_not_sent(kind: Any, httpx_mock: HTTPXMock) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise kind("refused", request=request)

    httpx_mock.add_exception(kind("refused"))
    outcomes = [failing_call().outcome]
    with httpx.Client(transport=httpx.MockTransport(refuse)) as http:
        outcomes.append(failing_call(http_client=http).outcome)
    for side_effect in (kind, kind("refused"), refuse):
        with respx.mock(using="httpx") as router, httpx.Client() as http:
            router.route().mock(side_effect=side_effect)
            outcomes.append(failing_call(http_client=http).outcome)
    assert outcomes == [Outcome.NOT_SENT] * 5


# Hosts that may use http.


@pytest.mark.parametrize("kind", [AsyncEdgeClient, EdgeClient])
def test_http_is_allowed_for_a_named_host_only(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "http://sandbox:8010/v1"
    with pytest.raises(ConfigurationError, match=r"^base_url: must use https; .*allow_insecure_hosts"):
        kind(base_url=url)
    assert url in repr(kind(base_url=url, allow_insecure_hosts=["Sandbox"]))
    with pytest.raises(ConfigurationError, match="base_url: must use https"):
        kind(base_url="http://sandbox.example/v1", allow_insecure_hosts=["sandbox"])
    client = kind(base_url="https://sandbox/v1", allow_insecure_hosts=["sandbox"])
    assert url in repr(client.with_options(base_url=url))
    with pytest.raises(ConfigurationError, match="base_url: must use https"):
        client.with_options(base_url=url, allow_insecure_hosts=[])
    monkeypatch.setenv("IPPANEL_INSECURE_HOSTS", " other , sandbox,")
    assert url in repr(kind(base_url=url))
    with pytest.raises(ConfigurationError, match="base_url: must use https"):
        kind(base_url=url, allow_insecure_hosts=())


@pytest.mark.parametrize(
    "names", ["sandbox", b"sandbox", 5, ["*"], ["http://sandbox"], ["sandbox:80"], [""], [None], [b"x"]]
)
def test_the_names_of_insecure_hosts_are_checked(names: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^allow_insecure_hosts"):
        EdgeClient(allow_insecure_hosts=names)
