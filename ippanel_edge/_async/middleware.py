"""The links around an attempt: events, deadline, authorisation, retries, rate limit, user middleware.

Each link decides by a pure function of wire/ and does the I/O; no link knows another. The rate limit is inside of the
retries, so that a retry waits for its turn like any other request.
"""

from __future__ import annotations

import random
from typing import Any, Protocol, TypeVar

import attrs

from ippanel_edge._async import _io
from ippanel_edge._async.limiter import AsyncLimiter
from ippanel_edge._async.login import AsyncLogin, Token
from ippanel_edge.config import RetryPolicy
from ippanel_edge.endpoints import ONCE, Access
from ippanel_edge.errors import (
    AuthenticationError,
    ConfigurationError,
    EdgeError,
    OutcomeUnknown,
    evolve,
)
from ippanel_edge.hooks import AsyncMiddleware, AsyncProceed
from ippanel_edge.observers import Observers
from ippanel_edge.values.secrets import Secret
from ippanel_edge.wire import retry
from ippanel_edge.wire.attempts import Attempts
from ippanel_edge.wire.call import Call
from ippanel_edge.wire.reply import Reply

T = TypeVar("T")


class AsyncLink(Protocol):
    """A part of the engine: a link and all that it encloses, down to the exchange."""

    async def __call__(self, call: Call[T], attempts: Attempts) -> Reply[T]:
        """Run a call and record its attempts."""
        ...


@attrs.frozen(eq=False, repr=False)
class AsyncWholeCall:
    """The outermost link: reports that a call begins and how it ends, and completes its error."""

    observers: Observers
    proceed: AsyncLink

    async def __call__(self, call: Call[T], attempts: Attempts) -> Reply[T]:
        """Run the enclosed links. The error names the call and has the number of attempts."""
        self.observers.call_began(attempts, _io.monotonic())
        failure: BaseException
        try:
            reply = await self.proceed(call, attempts)
        except EdgeError as error:
            failure = attempts.labelled(attempts.final(error))
        except BaseException as error:  # noqa: BLE001 - it is raised again
            if attempts.message_outbox_ids:
                ids = ", ".join(map(str, attempts.message_outbox_ids))
                error.add_note(f"{call.endpoint.name}: the service accepted the message; message_outbox_ids {ids}")
            failure = error
        else:
            self.observers.call_ended(attempts, _io.monotonic())
            return reply
        self.observers.call_ended(attempts, _io.monotonic(), failure)
        raise failure


@attrs.frozen(eq=False, repr=False)
class AsyncCallMiddleware:
    """Runs the user's middleware around the whole call, the first outermost."""

    middleware: tuple[AsyncMiddleware, ...]
    proceed: AsyncLink

    async def __call__(self, call: Call[T], attempts: Attempts) -> Reply[T]:
        """Run the first middleware, which proceeds to the next, and the last to the engine.

        A middleware may proceed again, one after the other. A call that is not idempotent is then executed again only
        if no attempt was or may have been executed.
        """
        running = False

        async def engine(call: Call[Any]) -> Reply[Any]:
            nonlocal running
            may_be_executed = attempts.may_be_executed or attempts.is_pending
            once = ONCE in (call.repeat, attempts.call.repeat)
            if running or (may_be_executed and once):
                raise attempts.labelled(attempts.again())
            running = True
            try:
                return await self.proceed(call, attempts)
            except EdgeError as error:
                failure = attempts.labelled(error)
            finally:
                running = False
            raise failure

        return await _around_all(self.middleware, engine)(call)


@attrs.frozen(eq=False, repr=False)
class AsyncDeadline:
    """Ends a call at its deadline, and states whether it may have been executed."""

    seconds: float | None
    proceed: AsyncLink

    async def __call__(self, call: Call[T], attempts: Attempts) -> Reply[T]:
        """Run the enclosed links within the deadline."""
        try:
            if self.seconds is None:  # that of an enclosing call may expire: a task in a middleware inherits it
                return await self.proceed(call, attempts)
            with _io.deadline(self.seconds):
                return await self.proceed(call, attempts)
        except _io.DeadlinePassed:
            error = attempts.out_of_time(self.seconds)
        raise error


@attrs.frozen(eq=False, repr=False)
class AsyncAuthorisation:
    """Adds the key or token to the headers; with credentials, logs in, and once more after a 401."""

    secret: Secret | None
    is_token: bool
    login: AsyncLogin | None
    observers: Observers
    proceed: AsyncLink

    async def __call__(self, call: Call[T], attempts: Attempts) -> Reply[T]:
        """Authorise the call, unless its endpoint needs no key or has credentials among its arguments."""
        try:
            if call.endpoint.access is not Access.KEY:
                return await self.proceed(call, attempts)
            if self.login is not None:
                return await self._logged_in(self.login, call, attempts)
            if self.secret is None:
                raise ConfigurationError(
                    "missing credentials; pass api_key=, token= or credentials=, or set IPPANEL_API_KEY",
                    argument="api_key",
                )
            return await self.proceed(_authorised(call, self.secret), attempts)
        except AuthenticationError as error:
            if error.advice or attempts.is_done:
                raise
            rejected = error
        raise evolve(rejected, advice=self._advice(call.endpoint.access))

    def _advice(self, access: Access) -> str:
        """Return what to do after a 401, by how the call was authorised."""
        if access is Access.NONE:  # a login: its docstring says what a 401 means
            return ""
        if access is Access.ARGUMENTS:
            return "check username= and password=, or the key of the client"
        if self.login is not None:
            return "the service rejected the token of a new login; check whether the user may use the API"
        if self.is_token:
            return (
                "the token is wrong or older than 10 hours; log in again, or pass credentials= to do so automatically"
            )
        return "check api_key= or IPPANEL_API_KEY; a few calls, such as auth.logout, require a login token instead"

    async def _logged_in(self, login: AsyncLogin, call: Call[T], attempts: Attempts) -> Reply[T]:
        if not login.is_ready:
            self.observers.wait_began(attempts, _io.monotonic(), "login")
        token = await login.token()
        try:
            return await self.proceed(_authorised(call, token.secret), attempts)
        except AuthenticationError as error:
            if attempts.is_done:  # the error of a middleware
                raise
            rejected = error
        if not call.rewindable:
            raise evolve(rejected, advice="the file was read when the token was rejected; call again")
        self.observers.wait_began(attempts, _io.monotonic(), "login")
        fresh = await _renewed(login, token, attempts)
        if fresh is None:
            raise evolve(
                rejected,
                advice="the login token has expired; logging in again would send an SMS code, so it is not done "
                "automatically. Use with_options(credentials=…), after clearing what load= returns",
            )
        return await self.proceed(_authorised(call, fresh.secret), attempts)


async def _renewed(login: AsyncLogin, rejected: Token, attempts: Attempts) -> Token | None:
    """Log in again. If that fails, an attempt before the 401 may still have been executed."""
    try:
        return await login.renew(rejected)
    except EdgeError as error:
        if not attempts.may_be_executed:
            raise
        failure = OutcomeUnknown(
            f"the login after a 401 failed ({type(error).__name__}); an earlier attempt may have been executed"
        )
        failure.__cause__ = error
    raise failure


def _authorised(call: Call[T], secret: Secret) -> Call[T]:
    return call.with_header("Authorization", secret)


@attrs.frozen(eq=False, repr=False)
class AsyncRetries:
    """Retries a failed request if that is allowed, and tries the other method if the documents disagree about it."""

    policy: RetryPolicy
    budget: retry.RetryBudget
    methods: dict[str, str]
    observers: Observers
    proceed: AsyncLink

    async def __call__(self, call: Call[T], attempts: Attempts) -> Reply[T]:
        """Attempt the call until it succeeds or may not be retried."""
        failures: list[EdgeError] = []
        method = self.methods.get(call.endpoint.name)
        current = call if method is None else attrs.evolve(call, method=method)
        tried_other = False
        while True:
            try:
                reply = await self.proceed(current, attempts)
            except EdgeError as error:
                failure = error
            else:
                self.budget.give()
                if tried_other:
                    self.methods[call.endpoint.name] = current.method
                return reply
            attempts.failed(failure)
            if attempts.is_done:  # the error of a middleware
                break
            other = None if tried_other else retry.other_method(call.endpoint, current.method, failure)
            if other is not None and not call.rewindable:
                self.methods[call.endpoint.name] = other
                failure = evolve(failure, advice=f"the file was read before the 405; call again, which sends a {other}")
            elif other is not None:
                tried_other = True
                current = attrs.evolve(current, method=other)
                self.observers.retry_planned(attempts, _io.monotonic(), 0.0, failure)
                continue
            failures.append(failure)
            delay = retry.next_delay(self.policy, call.repeat, failures, draw=random.uniform, remaining=_io.remaining())
            was_read = attempts.headers_began and not call.rewindable
            if delay is None or was_read or not self.budget.take(failure):
                break
            self.observers.retry_planned(attempts, _io.monotonic(), delay, failure)
            await _io.sleep(delay)
        raise attempts.final(failure)


@attrs.frozen(eq=False, repr=False)
class AsyncRate:
    """Waits for the request's turn at the rate limit."""

    limiter: AsyncLimiter
    observers: Observers
    proceed: AsyncLink

    async def __call__(self, call: Call[T], attempts: Attempts) -> Reply[T]:
        """Wait for the turn, then continue."""
        await self.limiter.wait(lambda delay: self.observers.wait_began(attempts, _io.monotonic(), "rate_limit", delay))
        return await self.proceed(call, attempts)


@attrs.frozen(eq=False, repr=False)
class AsyncAttemptMiddleware:
    """Runs the user's middleware around each attempt, the first outermost."""

    middleware: tuple[AsyncMiddleware, ...]
    proceed: AsyncLink

    async def __call__(self, call: Call[T], attempts: Attempts) -> Reply[T]:
        """Run the first middleware, which proceeds to the next, and the last to the exchange."""

        async def exchange(call: Call[Any]) -> Reply[Any]:
            return await self.proceed(call, attempts)

        return await _around_all(self.middleware, exchange)(call)


def _around_all(middleware: tuple[AsyncMiddleware, ...], innermost: AsyncProceed) -> AsyncProceed:
    proceed = innermost
    for each in reversed(middleware):
        proceed = _around(each, proceed)
    return proceed


def _around(middleware: AsyncMiddleware, proceed: AsyncProceed) -> AsyncProceed:
    async def run(call: Call[Any]) -> Reply[Any]:
        return await middleware(call, proceed)

    return run
