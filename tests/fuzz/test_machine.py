"""The guarantees of retries, login and rate limit hold for calls, faults, expiry, waits and copies in any order."""

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
"""Tolerance in seconds for sums of floats."""
PASSES: Final = 2
"""The retries of a call can be used twice: once, and again after a 401 and a new login."""
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
    """A fake clock whose sleep() ends at the deadline, like the real one."""

    def sleep_now(self, seconds: float) -> None:
        """Advance the time, at most to the deadline."""
        left = _io.remaining()
        if left is not None and left <= seconds:
            super().sleep_now(left)
            raise _io.DeadlinePassed
        super().sleep_now(seconds)


@attrs.define(eq=False)
class Line:
    """A rate limit and the times of the requests that it allowed."""

    limit: RateLimit | None
    times: list[float] = attrs.field(factory=list[float])


@attrs.define(eq=False)
class Account:
    """A login: whether it sends an SMS, its rate limit, and whether it has had a token."""

    sends_sms: bool
    line: Line
    policy: RetryPolicy
    had_token: bool = False


@attrs.frozen(eq=False)
class Caller:
    """A client or a copy of it, with its settings."""

    client: EdgeClient
    line: Line
    account: Account | None
    policy: RetryPolicy
    deadline: float | None


@attrs.frozen
class Expected:
    """The expected result of a call."""

    requests: int
    outcome: Outcome | None
    tokens: int


def expected_result(
    script: list[Fault], repeat: Repeat, policy: RetryPolicy, *, tokens: int, capacity: int
) -> Expected:
    """Return the result of a call with an API key and without a deadline, according to the documented table."""
    failed: list[Fault] = []
    tried_other = False
    for requests, fault in enumerate([*script, GOOD], 1):
        if fault.outcome is None:
            return Expected(requests, None, min(capacity, tokens + 1))
        if fault.name == "405" and repeat is WRITE and not tried_other:
            tried_other = True
            continue
        retried = len(failed) < policy.retries and fault.may_retry(repeat, policy, failed) and tokens >= fault.cost
        failed.append(fault)
        if not retried:
            unknown = any(each.outcome is Outcome.UNKNOWN for each in failed)
            return Expected(requests, Outcome.UNKNOWN if unknown else fault.outcome, tokens)
        tokens -= fault.cost
    raise AssertionError("the last request always succeeds")


class Machine(RuleBasedStateMachine):
    """Several clients of one service."""

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
        """Create the service and the first client."""
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
        self.budgets = [client._budget]
        account = None if has_key else Account(self._sends_sms(), line, policy)
        return Caller(client, line, account, policy, None)

    def teardown(self) -> None:
        """Close the HTTP client and restore the clock."""
        if hasattr(self, "patch"):
            self.http.close()
            self.patch.undo()

    def _credentials(self) -> Credentials:
        totp = "GEZDGNBVGY3TQOJQ" if self.has_totp else None
        return Credentials("user", "word", otp=lambda _: "123456", totp_secret=totp)

    def _sends_sms(self) -> bool:
        return self.service.method == "sms" or (self.service.method == "ga" and not self.has_totp)

    @rule()
    def expire_the_token(self) -> None:
        """Expire the token on the service."""
        self.service.token = "expired"

    @rule(seconds=st.sampled_from([0.01, 0.5, 3.0, 100.0, 35_500.0, 40_000.0]))
    def wait(self, seconds: float) -> None:
        """Advance the time."""
        self.clock.now += seconds

    @rule(tokens=st.integers(0, 25))
    def change_the_budget(self, tokens: int) -> None:
        """Set the number of tokens in each retry budget."""
        for budget in self.budgets:
            budget.tokens = min(tokens, budget.capacity)

    @rule(
        target=callers,
        caller=callers,
        policy=st.none() | st.sampled_from(POLICIES),
        limit=st.just("unchanged") | st.sampled_from(RATES),
        deadline=st.just("unchanged") | st.sampled_from(DEADLINES),
        who=st.sampled_from(["unchanged", "unchanged", "key", "credentials"]),
    )
    def copy(self, caller: Caller, policy: RetryPolicy | None, limit: Any, deadline: Any, who: str) -> Caller:
        """Create a copy with other settings."""
        options: dict[str, Any] = {} if policy is None else {"retry": policy}
        options.update({"rate_limit": limit} if limit != "unchanged" else {})
        options.update({"deadline": deadline} if deadline != "unchanged" else {})
        login: dict[str, dict[str, Any]] = {
            "key": {"api_key": KEY},
            "credentials": {"credentials": self._credentials()},
        }
        options.update(login.get(who, {}))
        line = Line(limit) if limit != "unchanged" else caller.line
        retry = caller.policy if policy is None else policy
        account = {"unchanged": caller.account, "key": None, "credentials": Account(self._sends_sms(), line, retry)}[
            who
        ]
        client = caller.client.with_options(**options)
        assert client._budget.capacity == retry.budget
        assert (client._budget is caller.client._budget) == (retry.budget == caller.policy.budget)
        self.budgets.append(client._budget)
        return Caller(
            client,
            line,
            account,
            retry,
            caller.deadline if deadline == "unchanged" else deadline,
        )

    @rule(caller=callers, faults=SCRIPTS)
    def read(self, caller: Caller, faults: list[Fault]) -> None:
        """Make a call that can be retried."""
        self._call(caller, READ, faults)

    @rule(caller=callers, faults=SCRIPTS)
    def write(self, caller: Caller, faults: list[Fault]) -> None:
        """Make a call that can be retried and has an alternate method."""
        self._call(caller, WRITE, faults)

    @rule(caller=callers, faults=SCRIPTS)
    def send(self, caller: Caller, faults: list[Fault]) -> None:
        """Make a call that must not be retried."""
        self._call(caller, ONCE, faults)

    def _call(self, caller: Caller, repeat: Repeat, faults: list[Fault]) -> None:
        """Make a call with scripted faults, and compare its result with the requests that the service received."""
        service, tokens = self.service, caller.client._budget.tokens
        service.script = list(faults)
        seen, sms_codes, began = len(service.records), service.sms_codes, self.clock.now
        self.clock.waits.clear()
        actual: object
        try:
            actual = CALLS[repeat](caller.client)
        except EdgeError as error:
            actual = error
        records = service.records[seen:]
        own = [record for record in records if not record.is_login]
        logins = [record for record in records if record.is_login]
        caller.line.times += [record.time for record in own]
        self._check_outcome(actual, repeat, own, logins)
        self._check_time(caller, records, began)
        self._check_logins(caller, logins, sms_codes)
        if caller.account is None and caller.deadline is None:
            self._check_expected_result(actual, repeat, caller, faults, tokens, len(own))
        self._check_rate(caller.line)

    def _check_outcome(self, actual: object, repeat: Repeat, own: list[Record], logins: list[Record]) -> None:
        accepted = sum(record.accepted for record in own)
        assert repeat is not ONCE or accepted <= 1
        if not isinstance(actual, EdgeError):
            assert own[-1].accepted
            return
        if actual.outcome is not Outcome.UNKNOWN:
            assert accepted == 0
        if actual.endpoint.startswith("auth."):
            assert actual.attempts <= len(logins)
        elif actual.endpoint:
            assert actual.attempts == len(own)

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

    def _check_logins(self, caller: Caller, logins: list[Record], sms_codes: int) -> None:
        account = caller.account
        if account is None:
            assert not logins
            return
        account.line.times += [record.time for record in logins]
        account.line.times.sort()
        assert not account.sends_sms or self.service.sms_codes <= sms_codes + 1
        assert not (account.sends_sms and account.had_token and logins)
        account.had_token = account.had_token or caller.client._login._token is not None  # type: ignore[union-attr]

    def _check_expected_result(
        self, actual: object, repeat: Repeat, caller: Caller, script: list[Fault], tokens: int, requests: int
    ) -> None:
        outcome = actual.outcome if isinstance(actual, EdgeError) else None
        budget = caller.client._budget
        expected = expected_result(script, repeat, caller.policy, tokens=tokens, capacity=budget.capacity)
        assert Expected(requests, outcome, budget.tokens) == expected

    @invariant()
    def the_budget_stays_within_its_bounds(self) -> None:
        """Check that each budget is at least 0 and at most its capacity."""
        for budget in getattr(self, "budgets", ()):
            assert 0 <= budget.tokens <= budget.capacity

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


@pytest.mark.parametrize("fault", ["unsupported protocol", "refused", "500", "400"])
@pytest.mark.parametrize("repeat", [READ, WRITE])
def test_a_failed_login_after_a_401_keeps_the_unknown_outcome_of_an_earlier_attempt(fault: str, repeat: Repeat) -> None:
    machine = Machine()
    caller: Any = machine.begin("login", RetryPolicy(), None, has_totp=False, has_key=False)
    try:
        machine._call(caller, repeat, [])
        machine._call(caller, repeat, [named("timed out"), named("401"), *[named(fault)] * 4])
    finally:
        machine.teardown()


def named(name: str) -> Fault:
    return next(fault for fault in FAULTS if fault.name == name)


def test_a_middleware_that_rejects_a_retry_keeps_the_unknown_outcome_of_an_earlier_attempt() -> None:
    attempts: list[Call[Any]] = []

    def once(call: Call[Any], proceed: Callable[[Call[Any]], Any]) -> Any:
        attempts.append(call)
        if len(attempts) > 1:
            raise ConfigurationError("no retries")
        return proceed(call)

    service = Service(Clock(), script=[named("timed out")])
    with httpx.Client(transport=httpx.MockTransport(service)) as http:
        client = EdgeClient(KEY, http_client=http, base_url=BASE, middleware=[once], retry=RetryPolicy(backoff=0.0))
        with pytest.raises(ConfigurationError) as caught:
            client.payment.credit()
    assert (caught.value.outcome, caught.value.attempts, service.records[0].accepted) == (Outcome.UNKNOWN, 1, True)
