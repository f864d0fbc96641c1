"""Error classes: invalid arguments and settings, duplicate messages and other 429s, and immutable errors."""

from __future__ import annotations

import ast
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from ippanel_edge import (
    ConfigurationError,
    DuplicateMessage,
    EdgeClient,
    InvalidArgument,
    Outcome,
    RateLimit,
    RateLimited,
    RetryPolicy,
    normalize_phone,
    sms_parts,
)
from ippanel_edge.errors import ConnectionFailed, EdgeError, evolve
from ippanel_edge.models import OutboxFilters, PeerMessage

PACKAGE: Final = Path(__file__).resolve().parents[2] / "ippanel_edge"
LINE: Final = "+983000111222"


def client(**options: Any) -> EdgeClient:
    settings: dict[str, Any] = {"api_key": "key-0001", "from_number": LINE, **options}
    return EdgeClient(base_url="https://edge.example.test/v1", **settings)


ARGUMENTS: Final[dict[str, Callable[[], Any]]] = {
    "phone number": lambda: client().send.webservice("0912", "x"),
    "normalize_phone": partial(normalize_phone, "0912"),
    "number of a model": lambda: PeerMessage(recipients=["0912"], message="x"),
    "message": lambda: client().send.webservice("09121234567", " "),
    "sms_parts": lambda: sms_parts("\ud800"),
    "time": lambda: client().send.webservice("09121234567", "x", send_time=datetime(2030, 1, 1)),  # noqa: DTZ001 - a naive datetime is the test data
    "time of a filter": lambda: OutboxFilters(create_from_date=datetime(2030, 1, 1)),  # noqa: DTZ001 - a naive datetime is the test data
    "file": lambda: client().send.file(("a.txt", b"x"), "x"),
    "id": lambda: client().reports.by_id(0),
    "page": lambda: client().reports.outbox(page=0),
    "sender line of a call": lambda: client().send.webservice("09121234567", "x", from_number="!"),
    "path of a request": lambda: client().request("GET", "https://other.example.test/"),
}
SETTINGS: Final[dict[str, Callable[[], Any]]] = {
    "no key": client(api_key=None).payment.credit,
    "bad key": lambda: client(api_key="a b"),
    "no sender line": lambda: client(from_number=None).send.webservice("09121234567", "x"),
    "bad sender line": lambda: client(from_number="!"),
    "bad timeout": lambda: client(timeout=0),
    "bad retries": lambda: RetryPolicy(retries=-1),
    "bad rate": lambda: RateLimit(0),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_invalid_argument_of_a_call_raises_invalid_argument(name: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        ARGUMENTS[name]()
    assert isinstance(caught.value, ConfigurationError), "code that catches ConfigurationError keeps working"
    assert (caught.value.outcome, bool(caught.value.argument)) == (Outcome.NOT_SENT, True)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_missing_or_invalid_setting_raises_configuration_error(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        SETTINGS[name]()
    assert type(caught.value) is ConfigurationError


CALLS_WITH_429: Final[dict[str, tuple[Callable[[EdgeClient], Any], type[RateLimited]]]] = {
    "webservice": (lambda client: client.send.webservice("09121234567", "x"), DuplicateMessage),
    "pattern": (lambda client: client.send.pattern("otp", "09121234567", {}), DuplicateMessage),
    "report": (lambda client: client.reports.by_id(7), RateLimited),
    "ticket": (lambda client: client.tickets.create("x", 1, "x"), RateLimited),
}


@pytest.mark.parametrize("name", CALLS_WITH_429)
def test_only_a_429_on_a_send_raises_duplicate_message(name: str) -> None:
    call, kind = CALLS_WITH_429[name]
    transport = httpx.MockTransport(lambda _: httpx.Response(429, json={"meta": {"status": False, "message": "no"}}))
    with httpx.Client(transport=transport) as http, pytest.raises(RateLimited) as caught:
        call(client(http_client=http, retry=RetryPolicy(retries=0)))
    assert (type(caught.value), caught.value.outcome) == (kind, Outcome.REJECTED)


def test_evolve_returns_a_changed_copy_of_an_error() -> None:
    error = ConnectionFailed("x", retryable=False, attempts=2)
    error.__cause__ = cause = OSError("y")
    changed = evolve(error, outcome=Outcome.UNKNOWN, endpoint="send.votp")
    assert (error.outcome, error.endpoint) == (Outcome.NOT_SENT, "")
    assert (type(changed), changed.outcome, changed.endpoint, changed.attempts) == (
        ConnectionFailed,
        Outcome.UNKNOWN,
        "send.votp",
        2,
    )
    assert (changed.retryable, changed.__cause__, changed.__traceback__) == (False, cause, None)
    with pytest.raises(TypeError, match="ConnectionFailed has no attribute 'status'"):
        evolve(error, status=5)


ATTRIBUTES: Final = frozenset(vars(EdgeError("x"))) | {"outcome", "retryable", "advice", "status_code", "where"}


MODULES: Final = sorted(
    path for path in PACKAGE.rglob("*.py") if path.name != "errors.py" and "sandbox" not in path.parts
)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_changes_an_error_after_creating_it(path: Path) -> None:
    changed = [
        f"{path.name}:{node.lineno}: {target.attr}"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Attribute) and target.attr in ATTRIBUTES
        if not (isinstance(target.value, ast.Name) and target.value.id == "self")
    ]
    assert changed == [], "use errors.evolve"
