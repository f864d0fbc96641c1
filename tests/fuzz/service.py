"""A service in memory that fails as it is told to, with what the documented table says of each of its faults."""

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

ALWAYS, FIRST, NEVER = "always", "first of its kind", "never"
STEP_TIMEOUT: Final = 15.0
REFUSAL: Final[dict[str, Any]] = {"data": None, "meta": {"status": False, "message": "نه", "message_code": "4-0"}}
DATA: Final[dict[str, Any]] = {"message_outbox_ids": [5], "credit": 1.0, "code": "abc"}


@attrs.frozen
class Fault:
    """What may become of one request, and what may follow from it.

    Attributes:
        name: what it is.
        accepts: whether the service carries the request out in spite of it.
        outcome: what the client can know; None where all is well.
        again: whether a READ or WRITE is made again.
        once_again: whether a ONCE is.
        cost: tokens of the budget that a repeat costs.
        retry_after: seconds that the answer asks for.
        group: faults of one group count as one kind.
    """

    name: str
    accepts: bool
    outcome: Outcome | None
    again: str = NEVER
    once_again: str = NEVER
    cost: int = 5
    retry_after: float | None = None
    group: str = "answer"

    def may_repeat(self, repeat: Repeat, policy: RetryPolicy, before: list[Fault]) -> bool:
        """Whether the table repeats it, after the faults that came before it in the same call."""
        if self.retry_after is not None and self.retry_after > policy.max_retry_after:
            return False
        rule = self.again if repeat is not ONCE else self.once_again
        if repeat is ONCE and policy.repeat_refused_sends and self.name == "503 with a time":
            rule = ALWAYS
        return rule == ALWAYS or (rule == FIRST and all(fault.group != self.group for fault in before))


NOT_SENT, REJECTED, UNKNOWN = Outcome.NOT_SENT, Outcome.REJECTED, Outcome.UNKNOWN
FAULTS: Final = [
    Fault("good", True, None),
    Fault("good, slowly", True, None),
    Fault("refused", False, NOT_SENT, ALWAYS, ALWAYS, 0, group="connection"),
    Fault("broken before the request", False, NOT_SENT, ALWAYS, ALWAYS, 0, group="connection"),
    Fault("distrusted", False, NOT_SENT, group="connection"),
    Fault("timed out", True, UNKNOWN, ALWAYS, cost=10, group="connection"),
    Fault("timed out", False, UNKNOWN, ALWAYS, cost=10, group="connection"),
    Fault("reset", True, UNKNOWN, ALWAYS, group="connection"),
    Fault("reset", False, UNKNOWN, ALWAYS, group="connection"),
    Fault("500", True, UNKNOWN, ALWAYS),
    Fault("502", False, UNKNOWN, ALWAYS),
    Fault("503", True, UNKNOWN, ALWAYS),
    Fault("503 with a time", False, UNKNOWN, ALWAYS, retry_after=7),
    Fault("503 with a time", False, UNKNOWN, ALWAYS, retry_after=200),
    Fault("429", False, REJECTED, ALWAYS, retry_after=3),
    Fault("429", False, REJECTED, ALWAYS, retry_after=119),
    Fault("429", False, REJECTED, retry_after=121),
    Fault("408", True, UNKNOWN, ALWAYS),
    Fault("425", False, REJECTED, ALWAYS, FIRST),
    Fault("401", False, REJECTED),
    Fault("400", False, REJECTED),
    Fault("405", False, REJECTED),
    Fault("no", False, REJECTED),
    Fault("a page", True, UNKNOWN, FIRST, group="unreadable"),
    Fault("302", True, UNKNOWN),
]
GOOD: Final = FAULTS[0]
BARE: Final = ("500", "502", "503", "408", "425", "302")


@attrs.define
class Record:
    """A request as the service saw it."""

    time: float
    path: str
    accepted: bool
    after_401: bool = False

    @property
    def is_login(self) -> bool:
        """Whether it is one of the steps of logging in."""
        return "/acl/auth/" in self.path


@attrs.define
class Service:
    """Takes requests, each with the next of its faults, and counts what it carried out.

    Attributes:
        clock: the time, which its slowness moves on.
        method: how its logins go.
        script: the faults to come; good after them.
        token: the living token.
        texts: codes texted, or asked for.
        records: the requests, in their order.
    """

    clock: FakeClock
    method: str = "login"
    script: list[Fault] = attrs.field(factory=list[Fault])
    token: str = "none yet"
    texts: int = 0
    issued: int = 0
    records: list[Record] = attrs.field(factory=list[Record])

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request, or fail it."""
        request.read()
        record = Record(self.clock.now, request.url.path, accepted=False)
        self.records.append(record)
        if not record.is_login and request.headers["Authorization"] not in (KEY, self.token):
            _began(request)
            return httpx.Response(401, json=REFUSAL)
        fault = self.script.pop(0) if self.script else GOOD
        record.accepted = fault.accepts
        answer = httpx.Response(200, json=ok(self._carried_out(record.path) if fault.accepts else None))
        return self._failed(fault, request, answer)

    def _carried_out(self, path: str) -> dict[str, Any]:
        if path.endswith("/auth/login") and self.method != "login":
            self.texts += 1
            return {"method": self.method, "token": "for-this-step"}
        if "/acl/auth/" in path:
            self.issued += 1
            self.token = f"token-{self.issued}"
            return {"method": "login", "token": self.token}
        return DATA

    def _failed(self, fault: Fault, request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        request.extensions["trace"]("connection.connect_tcp.started", {})
        if fault.name == "refused":
            raise httpx.ConnectError("refused")
        if fault.name == "distrusted":
            raise httpx.UnsupportedProtocol("never")
        if fault.name == "broken before the request":
            raise httpx.WriteError("gone")
        _began(request)
        if fault.name == "timed out":
            self.clock.now += STEP_TIMEOUT
            raise httpx.ReadTimeout("slow")
        if fault.name == "reset":
            raise httpx.RemoteProtocolError("gone")
        return _answered(fault, answer, self.clock)


def _began(request: httpx.Request) -> None:
    trace: Callable[[str, Any], None] = request.extensions["trace"]
    trace("http11.send_request_headers.started", {"request": _Core(b"GET")})


@attrs.frozen
class _Core:
    method: bytes


def _answered(fault: Fault, answer: httpx.Response, clock: FakeClock) -> httpx.Response:
    if fault.name == "good, slowly":
        clock.now += 2.5
    if fault.outcome is None:
        return answer
    if fault.name == "a page":
        return httpx.Response(200, text="<html>")
    if fault.name == "no":
        return httpx.Response(200, json=REFUSAL)
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    content = b"" if fault.name in BARE else json.dumps(REFUSAL).encode()
    return httpx.Response(int(fault.name[:3]), headers=headers, content=content)
