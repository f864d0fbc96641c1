"""An in-memory service with scripted faults, and the documented retry rules for each fault."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import attrs
import httpx

from ippanel_edge import Outcome, RetryPolicy
from ippanel_edge.endpoints import ONCE, Repeat
from tests.client.conftest import FakeClock
from tests.contract.sample import KEY, ok

ALWAYS, FIRST, NEVER = "always", "first of its group", "never"
STEP_TIMEOUT: Final = 15.0
REJECTION: Final[dict[str, Any]] = {"data": None, "meta": {"status": False, "message": "نه", "message_code": "4-0"}}
DATA: Final[dict[str, Any]] = {"message_outbox_ids": [5], "credit": 1.0, "code": "abc"}


@attrs.frozen
class Fault:
    """A fault of one request, and the documented reaction of the client.

    Attributes:
        name: the fault's name.
        accepts: whether the service executes the request despite the fault.
        outcome: the outcome that the client can know; None if there is no fault.
        again: whether a READ or WRITE request is retried.
        once_again: whether a ONCE request is retried.
        cost: the retry budget tokens that a retry costs.
        retry_after: the Retry-After header of the response, in seconds.
        group: the group, in which FIRST allows only one retry.
    """

    name: str
    accepts: bool
    outcome: Outcome | None
    again: str = NEVER
    once_again: str = NEVER
    cost: int = 5
    retry_after: float | None = None
    group: str = "answer"

    def may_retry(self, repeat: Repeat, policy: RetryPolicy, before: list[Fault]) -> bool:
        """Return whether the table allows a retry, given the previous faults of the same call."""
        if self.retry_after is not None and self.retry_after > policy.max_retry_after:
            return False
        rule = self.again if repeat is not ONCE else self.once_again
        if repeat is ONCE and policy.repeat_refused_sends and self.name == "503 with Retry-After":
            rule = ALWAYS
        return rule == ALWAYS or (rule == FIRST and all(fault.group != self.group for fault in before))


NOT_SENT, REJECTED, UNKNOWN = Outcome.NOT_SENT, Outcome.REJECTED, Outcome.UNKNOWN
FAULTS: Final = [
    Fault("success", True, None),
    Fault("slow success", True, None),
    Fault("refused", False, NOT_SENT, ALWAYS, ALWAYS, 0, group="connection"),
    Fault("broken before the request", False, NOT_SENT, ALWAYS, ALWAYS, 0, group="connection"),
    Fault("unsupported protocol", False, NOT_SENT, group="connection"),
    Fault("timed out", True, UNKNOWN, ALWAYS, cost=10, group="connection"),
    Fault("timed out", False, UNKNOWN, ALWAYS, cost=10, group="connection"),
    Fault("reset", True, UNKNOWN, ALWAYS, group="connection"),
    Fault("reset", False, UNKNOWN, ALWAYS, group="connection"),
    Fault("500", True, UNKNOWN, ALWAYS),
    Fault("502", False, UNKNOWN, ALWAYS),
    Fault("503", True, UNKNOWN, ALWAYS),
    Fault("503 with Retry-After", False, UNKNOWN, ALWAYS, retry_after=7),
    Fault("503 with Retry-After", False, UNKNOWN, ALWAYS, retry_after=200),
    Fault("429", False, REJECTED, ALWAYS, retry_after=3),
    Fault("429", False, REJECTED, ALWAYS, retry_after=119),
    Fault("429", False, REJECTED, retry_after=121),
    Fault("408", True, UNKNOWN, ALWAYS),
    Fault("425", False, REJECTED, ALWAYS, FIRST),
    Fault("401", False, REJECTED),
    Fault("400", False, REJECTED),
    Fault("405", False, REJECTED),
    Fault("200 with status false", False, REJECTED),
    Fault("200 with HTML", True, UNKNOWN, FIRST, group="unreadable"),
    Fault("302", True, UNKNOWN),
]
GOOD: Final = FAULTS[0]
BARE: Final = ("500", "502", "503", "408", "425", "302")


@attrs.define
class Record:
    """A request that the service received."""

    time: float
    path: str
    accepted: bool
    after_401: bool = False

    @property
    def is_login(self) -> bool:
        """Whether the request is a login step."""
        return "/acl/auth/" in self.path


@attrs.define
class Service:
    """A service that applies the next fault of its script to each request and records the requests.

    Attributes:
        clock: the clock, which slow responses advance.
        method: the login method.
        script: the upcoming faults; requests succeed when it is empty.
        token: the valid token.
        sms_codes: the number of login codes sent or requested.
        issued: the number of tokens issued.
        records: the requests, in order of arrival.
    """

    clock: FakeClock
    method: str = "login"
    script: list[Fault] = attrs.field(factory=list[Fault])
    token: str = "none yet"
    sms_codes: int = 0
    issued: int = 0
    records: list[Record] = attrs.field(factory=list[Record])

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Return a response or raise the error of the next fault."""
        request.read()
        record = Record(self.clock.now, request.url.path, accepted=False)
        self.records.append(record)
        if not record.is_login and request.headers["Authorization"] not in (KEY, self.token):
            _report_started(request)
            return httpx.Response(401, json=REJECTION)
        fault = self.script.pop(0) if self.script else GOOD
        record.accepted = fault.accepts
        success = httpx.Response(200, json=ok(self._execute(record.path) if fault.accepts else None))
        return self._apply_fault(fault, request, success)

    def _execute(self, path: str) -> dict[str, Any]:
        if path.endswith("/auth/login") and self.method != "login":
            self.sms_codes += 1
            return {"method": self.method, "token": "for-this-step"}
        if "/acl/auth/" in path:
            self.issued += 1
            self.token = f"token-{self.issued}"
            return {"method": "login", "token": self.token}
        return DATA

    def _apply_fault(self, fault: Fault, request: httpx.Request, success: httpx.Response) -> httpx.Response:
        request.extensions["trace"]("connection.connect_tcp.started", {})
        if fault.name == "refused":
            raise httpx.ConnectError("refused")
        if fault.name == "unsupported protocol":
            raise httpx.UnsupportedProtocol("never")
        if fault.name == "broken before the request":
            raise httpx.WriteError("gone")
        _report_started(request)
        if fault.name == "timed out":
            self.clock.now += STEP_TIMEOUT
            raise httpx.ReadTimeout("slow")
        if fault.name == "reset":
            raise httpx.RemoteProtocolError("gone")
        return _respond(fault, success, self.clock)


def _report_started(request: httpx.Request) -> None:
    trace: Callable[[str, Any], None] = request.extensions["trace"]
    trace("http11.send_request_headers.started", {"request": _Core(b"GET")})


@attrs.frozen
class _Core:
    method: bytes


def _respond(fault: Fault, success: httpx.Response, clock: FakeClock) -> httpx.Response:
    if fault.name == "slow success":
        clock.now += 2.5
    if fault.outcome is None:
        return success
    if fault.name == "200 with HTML":
        return httpx.Response(200, text="<html>")
    if fault.name == "200 with status false":
        return httpx.Response(200, json=REJECTION)
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    content = b"" if fault.name in BARE else json.dumps(REJECTION).encode()
    return httpx.Response(int(fault.name[:3]), headers=headers, content=content)
