"""A call's way: deadline, authorisation, repeats, rate limit, your middleware, each `async (call, proceed) -> reply`.

Each decides by a pure function of wire/ and carries out; none knows the others. The rate limit stands inside of the
repeats, so that a repeat takes its turn like any other request.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import attrs

from ippanel_edge._async import _io
from ippanel_edge._async.exchange import Journey
from ippanel_edge._async.limiter import AsyncLimiter
from ippanel_edge._async.login import AsyncLogin, Token
from ippanel_edge.config import SEND_FLOOR, RetryPolicy
from ippanel_edge.endpoints import ONCE, READ, Access
from ippanel_edge.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailed,
    EdgeError,
    OutcomeUnknown,
)
from ippanel_edge.values.secrets import Secret
from ippanel_edge.wire import retry
from ippanel_edge.wire.reply import Reply
from ippanel_edge.wire.request import Call

AsyncProceed = Callable[[Call], Awaitable[Reply[Any]]]
AsyncMiddleware = Callable[[Call, AsyncProceed], Awaitable[Reply[Any]]]


def compose(middleware: Sequence[AsyncMiddleware], last: AsyncProceed) -> AsyncProceed:
    """Make one callable of a chain: the first of the sequence is the outermost."""
    proceed = last
    for link in reversed(middleware):
        proceed = _linked(link, proceed)
    return proceed


def _linked(link: AsyncMiddleware, proceed: AsyncProceed) -> AsyncProceed:
    async def run(call: Call) -> Reply[Any]:
        return await link(call, proceed)

    return run


def _labelled(error: EdgeError, call: Call) -> EdgeError:
    """Say in an error which call it is of, and how often that was attempted."""
    journey: Journey = call.journey
    error.attempts = journey.attempts
    error.endpoint = call.endpoint.name
    error.reads_only = call.repeat is READ
    return error


@attrs.frozen
class AsyncDeadline:
    """Ends a call when its time is up, wherever it is, and says whether it may have been carried out."""

    seconds: float | None

    async def __call__(self, call: Call, proceed: AsyncProceed) -> Reply[Any]:
        """Run the rest of the chain within the deadline."""
        if self.seconds is None:
            return await proceed(call)
        try:
            with _io.deadline(self.seconds):
                return await proceed(call)
        except _io.DeadlinePassed:
            journey: Journey = call.journey
            error = journey.out_of_time(self.seconds)
        raise _labelled(error, call)


@attrs.frozen
class AsyncAuthorisation:
    """Puts the key or token into the header; with credentials, logs in, and once again after a 401."""

    secret: Secret | None
    login: AsyncLogin | None

    async def __call__(self, call: Call, proceed: AsyncProceed) -> Reply[Any]:
        """Authorise the call, unless its endpoint wants no key or carries its own."""
        if call.endpoint.access is not Access.KEY:
            return await proceed(call)
        if self.login is None:
            if self.secret is None:
                raise ConfigurationError(
                    "is needed: hand over api_key=, token= or credentials=, or set IPPANEL_API_KEY", argument="api_key"
                )
            return await proceed(_with_key(call, self.secret))
        token = await self.login.token()
        try:
            return await proceed(_with_key(call, token.secret))
        except AuthenticationError as error:
            refused = error
        if not _is_rewindable(call):
            refused.advice = "the file was read while the token was refused: make the call again"
            raise refused
        fresh = await _renewed(self.login, token, call)
        if fresh is None:
            refused.advice = (
                "the login token is dead, and another login would text a code, so it is yours to begin: take a copy "
                "of the client, with_options(credentials=…), after emptying what load= gives"
            )
            raise refused
        return await proceed(_with_key(call, fresh.secret))


async def _renewed(login: AsyncLogin, refused: Token, call: Call) -> Token | None:
    """Log in again. Where that fails, it is not forgotten that an attempt before the 401 may have arrived."""
    journey: Journey = call.journey
    try:
        return await login.renew(refused)
    except EdgeError as error:
        if not journey.may_have_arrived:
            raise
        failure = OutcomeUnknown(
            f"the login after a 401 failed ({type(error).__name__}); an attempt before may have arrived"
        )
        failure.__cause__ = error
    raise _labelled(failure, call)


def _with_key(call: Call, secret: Secret) -> Call:
    return attrs.evolve(call, headers={**call.headers, "Authorization": secret})


@attrs.frozen
class AsyncRepeats:
    """Makes a failed request again where that is allowed, and tries the other method where the documents disagree."""

    policy: RetryPolicy
    budget: retry.RetryBudget
    methods: dict[str, str]

    async def __call__(self, call: Call, proceed: AsyncProceed) -> Reply[Any]:
        """Attempt the call until it succeeds or may not be repeated."""
        journey: Journey = call.journey
        failures: list[EdgeError] = []
        method = self.methods.get(call.endpoint.name)
        current = call if method is None else attrs.evolve(call, method=method)
        tried_other = False
        while True:
            journey.began = False
            failure: EdgeError
            try:
                reply = await proceed(current)
            except EdgeError as error:
                if isinstance(error, ConfigurationError) and not journey.failures:
                    raise
                failure = error
            else:
                self.budget.give()
                if tried_other:
                    self.methods[call.endpoint.name] = current.method
                return reply
            other = None if tried_other else retry.other_method(call.endpoint, current.method, failure)
            if other is not None:
                tried_other = True
                current = attrs.evolve(current, method=other)
                continue
            failures.append(failure)
            journey.failures.append(failure)
            delay = retry.next_delay(self.policy, call.repeat, failures, draw=random.uniform, remaining=_io.remaining())
            if delay is None or _is_used_up(call, journey) or not self.budget.take(failure):
                break
            await _io.sleep(delay)
        raise _labelled(retry.overall(journey.failures), call)


def _is_used_up(call: Call, journey: Journey) -> bool:
    """Whether the body came from a stream that cannot be read a second time, and may have been read."""
    return journey.began and not _is_rewindable(call)


def _is_rewindable(call: Call) -> bool:
    return all(upload.rewindable for _, upload in call.files)


@attrs.frozen
class AsyncRate:
    """Takes the request's turn at the rate limit, and refuses to begin a send that its deadline could not see end."""

    limiter: AsyncLimiter | None

    async def __call__(self, call: Call, proceed: AsyncProceed) -> Reply[Any]:
        """Wait for the turn, then go on."""
        if self.limiter is not None:
            await self.limiter.wait()
        remaining = _io.remaining()
        if call.repeat is ONCE and remaining is not None and remaining < SEND_FLOOR:
            error = ConnectionFailed(
                f"only {max(remaining, 0):.3g} s of the deadline are left: too little to begin a send"
            )
            error.passing = False
            error.timed_out = True
            raise error
        return await proceed(call)
