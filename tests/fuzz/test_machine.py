"""Calls, faults, dead tokens, waits and copies in any order: what retries, login and rate limit promise stays true."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

import attrs
import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from ippanel_edge import Call, ConfigurationError, Credentials, EdgeClient, EdgeError, Outcome, RateLimit, RetryPolicy
from ippanel_edge._sync import _io
from ippanel_edge.endpoints import ONCE, READ, WRITE, Repeat
from ippanel_edge.models.patterns import NewPattern, PatternVariable
from tests.client.conftest import FakeClock
from tests.contract.sample import BASE, KEY, LINE
from tests.fuzz.lengths import EACH
from tests.fuzz.service import FAULTS, GOOD, Fault, Record, Service

EPOCH: Final = 1_900_000_000.0
SLACK: Final = 1e-6
"""Seconds by which sums of fractions may differ."""
PASSES: Final = 2
"""A call goes through the repeats once, and once more after a 401 and a login."""
PATTERN: Final = NewPattern(
    description="greets", message="سلام %name%", variable=[PatternVariable(name="name", type="string")]
)
CALLS: Final[dict[Repeat, Callable[[EdgeClient], object]]] = {
    READ: lambda client: client.payment.credit(),
    WRITE: lambda client: client.patterns.update("abc", PATTERN),
    ONCE: lambda client: client.send.webservice("09121234567", "سلام"),
}
POLICIES: Final = [
    RetryPolicy(),
    RetryPolicy(retries=0),
    RetryPolicy(retries=1, repeat_refused_sends=True),
    RetryPolicy(retries=6, backoff=30.0, max_backoff=40.0, budget=20),
    RetryPolicy(budget=0),
]
RATES: Final = [None, RateLimit(2.0), RateLimit(0.3, burst=4), RateLimit(7.0, burst=2)]
SCRIPTS: Final = st.lists(st.sampled_from(FAULTS), max_size=5)
DEADLINES: Final = [None, None, 4.0, 40.0]


class Clock(FakeClock):
    """Time whose waits end with the deadline, as the real ones do."""

    def sleep_now(self, seconds: float) -> None:
        """Let time pass."""
        left = _io.remaining()
        if left is not None and left <= seconds:
            super().sleep_now(left)
            raise _io.DeadlinePassed
        super().sleep_now(seconds)


@attrs.define(eq=False)
class Line:
    """Requests that one rate limit lets through, and how many of them the service has seen."""

    limit: RateLimit | None
    times: list[float] = attrs.field(factory=list[float])


@attrs.define(eq=False)
class Account:
    """A login: how its codes come about, the line that it uses, and whether it has had a token."""

    texts: bool
    line: Line
    policy: RetryPolicy
    had_token: bool = False


@attrs.frozen(eq=False)
class Caller:
    """A client, or a copy of one, and what the model knows of it."""

    client: EdgeClient
    line: Line
    account: Account | None
    policy: RetryPolicy
    deadline: float | None


@attrs.frozen
class Foretold:
    """What the model says of a call."""

    requests: int
    outcome: Outcome | None
    tokens: int


def foretell(script: list[Fault], repeat: Repeat, policy: RetryPolicy, *, tokens: int, capacity: int) -> Foretold:
    """Say what a call with a key and without a deadline comes to, by the documented table alone."""
    failed: list[Fault] = []
    tried_other = False
    for requests, fault in enumerate([*script, GOOD], 1):
        if fault.outcome is None:
            return Foretold(requests, None, min(capacity, tokens + 1))
        if fault.name == "405" and repeat is WRITE and not tried_other:
            tried_other = True
            continue
        may = len(failed) < policy.retries and fault.may_repeat(repeat, policy, failed) and tokens >= fault.cost
        failed.append(fault)
        if not may:
            unknown = any(each.outcome is Outcome.UNKNOWN for each in failed)
            return Foretold(requests, Outcome.UNKNOWN if unknown else fault.outcome, tokens)
        tokens -= fault.cost
    raise AssertionError("the last fault is none")


class Machine(RuleBasedStateMachine):
    """Clients of one service."""

    callers: Bundle[Caller] = Bundle("callers")

    @initialize(
        target=callers,
        method=st.sampled_from(["login", "sms", "ga"]),
        has_totp=st.booleans(),
        has_key=st.booleans(),
        policy=st.sampled_from(POLICIES),
        limit=st.sampled_from(RATES),
    )
    def begin(
        self, method: str, policy: RetryPolicy, limit: RateLimit | None, *, has_totp: bool, has_key: bool
    ) -> Caller:
        """Make the service and its first client."""
        self.clock = Clock()
        self.service = Service(self.clock, method)
        self.has_totp = has_totp
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(_io, "sleep", self.clock.sleep_now)
        self.patch.setattr(_io, "monotonic", self.clock.monotonic)
        self.patch.setattr("ippanel_edge._sync.login.time", SimpleNamespace(time=lambda: EPOCH + self.clock.now))
        self.http = httpx.Client(transport=httpx.MockTransport(self.service))
        line = Line(limit)
        who: dict[str, Any] = {"api_key": KEY} if has_key else {"credentials": self._credentials()}
        client = EdgeClient(
            **who, http_client=self.http, base_url=BASE, from_number=LINE, retry=policy, rate_limit=limit
        )
        self.capacity = policy.budget
        self.budget = client._shared.budget
        account = None if has_key else Account(self._texts(), line, policy)
        return Caller(client, line, account, policy, None)

    def teardown(self) -> None:
        """Give the time back."""
        if hasattr(self, "patch"):
            self.http.close()
            self.patch.undo()

    def _credentials(self) -> Credentials:
        totp = "GEZDGNBVGY3TQOJQ" if self.has_totp else None
        return Credentials("user", "word", otp=lambda _: "123456", totp_secret=totp)

    def _texts(self) -> bool:
        return self.service.method == "sms" or (self.service.method == "ga" and not self.has_totp)

    @rule()
    def kill_the_token(self) -> None:
        """Let the service forget the token that it gave."""
        self.service.token = "none any more"

    @rule(seconds=st.sampled_from([0.01, 0.5, 3.0, 100.0, 35_500.0, 40_000.0]))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.now += seconds

    @rule(tokens=st.integers(0, 25))
    def change_the_budget(self, tokens: int) -> None:
        """Leave the budget with other tokens than it had."""
        self.budget.tokens = min(tokens, self.capacity)

    @rule(
        target=callers,
        caller=callers,
        policy=st.none() | st.sampled_from(POLICIES),
        limit=st.just("as it is") | st.sampled_from(RATES),
        deadline=st.just("as it is") | st.sampled_from(DEADLINES),
        who=st.sampled_from(["as it is", "as it is", "key", "credentials"]),
    )
    def copy(self, caller: Caller, policy: RetryPolicy | None, limit: Any, deadline: Any, who: str) -> Caller:
        """Make a copy with other settings."""
        options: dict[str, Any] = {} if policy is None else {"retry": policy}
        options.update({"rate_limit": limit} if limit != "as it is" else {})
        options.update({"deadline": deadline} if deadline != "as it is" else {})
        login: dict[str, dict[str, Any]] = {
            "key": {"api_key": KEY},
            "credentials": {"credentials": self._credentials()},
        }
        options.update(login.get(who, {}))
        line = Line(limit) if limit != "as it is" else caller.line
        ours = caller.policy if policy is None else policy
        account = {"as it is": caller.account, "key": None, "credentials": Account(self._texts(), line, ours)}[who]
        return Caller(
            caller.client.with_options(**options),
            line,
            account,
            ours,
            caller.deadline if deadline == "as it is" else deadline,
        )

    @rule(caller=callers, faults=SCRIPTS)
    def read(self, caller: Caller, faults: list[Fault]) -> None:
        """Make a call that may be repeated."""
        self._call(caller, READ, faults)

    @rule(caller=callers, faults=SCRIPTS)
    def write(self, caller: Caller, faults: list[Fault]) -> None:
        """Make a call that may be repeated, and has another method."""
        self._call(caller, WRITE, faults)

    @rule(caller=callers, faults=SCRIPTS)
    def send(self, caller: Caller, faults: list[Fault]) -> None:
        """Make a call that may not be repeated."""
        self._call(caller, ONCE, faults)

    def _call(self, caller: Caller, repeat: Repeat, faults: list[Fault]) -> None:
        """Make a call whose requests fail one after the other, and compare what came with what the service saw."""
        service, tokens = self.service, self.budget.tokens
        service.script = list(faults)
        seen, texts, began = len(service.records), service.texts, self.clock.now
        self.clock.waits.clear()
        came: object
        try:
            came = CALLS[repeat](caller.client)
        except EdgeError as error:
            came = error
        records = service.records[seen:]
        own = [record for record in records if not record.is_login]
        logins = [record for record in records if record.is_login]
        caller.line.times += [record.time for record in own]
        self._check_what_was_said(came, repeat, own, logins)
        self._check_time(caller, records, began)
        self._check_logins(caller, logins, texts)
        if caller.account is None and caller.deadline is None:
            self._check_against_the_model(came, repeat, caller.policy, faults, tokens, len(own))
        self._check_rate(caller.line)

    def _check_what_was_said(self, came: object, repeat: Repeat, own: list[Record], logins: list[Record]) -> None:
        accepted = sum(record.accepted for record in own)
        assert repeat is not ONCE or accepted <= 1
        if not isinstance(came, EdgeError):
            assert own[-1].accepted
            return
        if came.outcome is not Outcome.UNKNOWN:
            assert accepted == 0
        if came.endpoint.startswith("auth."):
            assert came.attempts <= len(logins)
        elif came.endpoint:
            assert came.attempts == len(own)

    def _check_time(self, caller: Caller, records: list[Record], began: float) -> None:
        waits = self.clock.waits
        if caller.deadline is not None:
            assert sum(waits) <= caller.deadline + SLACK
            assert all(record.time <= began + caller.deadline for record in records)
        policies = [caller.policy] + ([caller.account.policy] if caller.account else [])
        lines = [caller.line] + ([caller.account.line] if caller.account else [])
        longest = max(max(policy.max_backoff, policy.max_retry_after) for policy in policies)
        most = sum(policy.retries for policy in policies) * PASSES * 2
        gap = max((1 / line.limit.per_second for line in lines if line.limit is not None), default=0.0)
        assert all(0 <= wait <= max(longest, gap) + SLACK for wait in waits)
        assert sum(waits) <= most * longest + (len(records) + 1) * gap + SLACK

    def _check_logins(self, caller: Caller, logins: list[Record], texts: int) -> None:
        account = caller.account
        if account is None:
            assert not logins
            return
        account.line.times += [record.time for record in logins]
        account.line.times.sort()
        assert not account.texts or self.service.texts <= texts + 1
        assert not (account.texts and account.had_token and logins)
        account.had_token = account.had_token or caller.client._login._token is not None  # type: ignore[union-attr]

    def _check_against_the_model(
        self, came: object, repeat: Repeat, policy: RetryPolicy, script: list[Fault], tokens: int, requests: int
    ) -> None:
        outcome = came.outcome if isinstance(came, EdgeError) else None
        expected = foretell(script, repeat, policy, tokens=tokens, capacity=self.capacity)
        assert Foretold(requests, outcome, self.budget.tokens) == expected

    @invariant()
    def the_budget_stays_within_its_bounds(self) -> None:
        """Never below nothing, never above what a copy's policy cannot change."""
        if hasattr(self, "budget"):
            assert 0 <= self.budget.tokens <= self.capacity == self.budget.capacity

    @staticmethod
    def _check_rate(line: Line) -> None:
        limit, times = line.limit, line.times[-60:]
        if limit is None:
            return
        for first, begins in enumerate(times):
            for last, ends in enumerate(times[first:], first):
                assert last - first + 1 <= limit.burst + limit.per_second * (ends - begins) + SLACK


TestMachine: Final = Machine.TestCase
TestMachine.settings = settings(
    max_examples=2 * EACH, stateful_step_count=50, suppress_health_check=[HealthCheck.too_slow]
)


@pytest.mark.parametrize("what", ["distrusted", "refused", "500", "400"])
@pytest.mark.parametrize("repeat", [READ, WRITE])
def test_a_login_that_fails_after_a_401_does_not_hide_an_attempt_that_may_have_arrived(
    what: str, repeat: Repeat
) -> None:
    machine = Machine()
    caller: Any = machine.begin("login", RetryPolicy(), None, has_totp=False, has_key=False)
    try:
        machine._call(caller, repeat, [])
        machine._call(caller, repeat, [named("timed out"), named("401"), *[named(what)] * 4])
    finally:
        machine.teardown()


def named(name: str) -> Fault:
    return next(fault for fault in FAULTS if fault.name == name)


def test_a_middleware_that_refuses_a_repeat_does_not_hide_an_attempt_that_may_have_arrived() -> None:
    def once(call: Call, proceed: Callable[[Call], Any]) -> Any:
        if call.journey.attempts:
            raise ConfigurationError("once is enough")
        return proceed(call)

    service = Service(Clock(), script=[named("timed out")])
    with httpx.Client(transport=httpx.MockTransport(service)) as http:
        client = EdgeClient(KEY, http_client=http, base_url=BASE, middleware=[once], retry=RetryPolicy(backoff=0.0))
        with pytest.raises(ConfigurationError) as caught:
            client.payment.credit()
    assert (caught.value.outcome, caught.value.attempts, service.records[0].accepted) == (Outcome.UNKNOWN, 1, True)
