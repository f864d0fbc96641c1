"""The client: its settings, its connection pool and its engine. The calls are in the sections."""

from __future__ import annotations

import copy
import math
import os
import ssl
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypedDict, TypeVar, Unpack

import attrs
import httpx

from ippanel_edge._async import _io
from ippanel_edge._async.exchange import AsyncExchange
from ippanel_edge._async.limiter import AsyncLimiter
from ippanel_edge._async.login import AsyncLogin
from ippanel_edge._async.middleware import (
    AsyncAttemptMiddleware,
    AsyncAuthorisation,
    AsyncDeadline,
    AsyncLink,
    AsyncRate,
    AsyncRetries,
)
from ippanel_edge._async.pool import AsyncPoolTransport
from ippanel_edge._async.runner import hide_arguments
from ippanel_edge._async.sections.auth import Auth
from ippanel_edge._async.sections.banks import Banks
from ippanel_edge._async.sections.drafts import Drafts
from ippanel_edge._async.sections.geolocation import Geolocation
from ippanel_edge._async.sections.jobs import Jobs
from ippanel_edge._async.sections.numbers import Numbers
from ippanel_edge._async.sections.packages import Packages
from ippanel_edge._async.sections.patterns import Patterns
from ippanel_edge._async.sections.payment import Payment
from ippanel_edge._async.sections.phonebooks import Phonebooks
from ippanel_edge._async.sections.reports import Reports
from ippanel_edge._async.sections.send import Send
from ippanel_edge._async.sections.tickets import Tickets
from ippanel_edge._async.sections.users import Users
from ippanel_edge.config import (
    DEFAULT_TIMEOUT,
    ENV_API_KEY,
    ENV_BASE_URL,
    ENV_FROM_NUMBER,
    ENV_TOKEN,
    Credentials,
    Defaults,
    RateLimit,
    RetryPolicy,
)
from ippanel_edge.endpoints import ONCE, Repeat
from ippanel_edge.errors import ConfigurationError, EdgeError
from ippanel_edge.hooks import AsyncMiddleware
from ippanel_edge.values import phones, redaction
from ippanel_edge.values.files import FileInput
from ippanel_edge.values.secrets import Secret, hidden
from ippanel_edge.wire.attempts import Attempts
from ippanel_edge.wire.call import Call, call, unlisted, uploads
from ippanel_edge.wire.reply import Reply
from ippanel_edge.wire.request import check_base_url, check_secret
from ippanel_edge.wire.retry import RetryBudget

T = TypeVar("T")


class AsyncOptions(TypedDict, total=False):
    """The options of `with_options`: arguments of the client. An option that is omitted stays unchanged."""

    api_key: str | None
    token: str | None
    credentials: Credentials | None
    from_number: str | None
    base_url: str
    timeout: float | httpx.Timeout
    deadline: float | None
    retry: RetryPolicy
    rate_limit: RateLimit | None
    middleware: Sequence[AsyncMiddleware]
    validate: bool


@attrs.frozen(kw_only=True)
class _Settings:
    """The settings that a copy of a client may override."""

    base_url: str
    secret: Secret | None
    credentials: Credentials | None
    from_number: str | None
    timeout: httpx.Timeout
    deadline: float | None
    retry: RetryPolicy
    rate_limit: RateLimit | None
    middleware: tuple[AsyncMiddleware, ...]
    validate: bool


@attrs.define
class _Shared:
    """The state that a client and its copies share: the pool and the alternate methods in use."""

    http: httpx.AsyncClient
    is_ours: bool
    methods: dict[str, str] = attrs.field(factory=dict[str, str])
    is_closed: bool = False


class AsyncEdgeClient:
    """A client of the IPPanel Edge SMS API.

    Use it as a context manager, or close it when done. Any number of tasks (threads, for the synchronous client) may
    use it at the same time. Its copies (`with_options`) share its connections.

    Args:
        api_key: the API key; defaults to IPPANEL_API_KEY.
        token: a login token, instead of a key; defaults to IPPANEL_TOKEN.
        credentials: a user name and password, instead of a key or token: the client logs in automatically.
        from_number: the sender line of sends that name none; defaults to IPPANEL_FROM_NUMBER.
        base_url: the base URL of the API; defaults to IPPANEL_BASE_URL, then to https://edge.ippanel.com/v1. It must
            use https, or http on this machine (loopback).
        timeout: seconds for each step of a request: connect, wait for the pool, each write, each read. A slow
            response may take many reads; use `deadline` to limit the whole call.
        deadline: seconds for a whole call, including waits and retries; None for no limit.
        retry: the retry settings. A request that sends, bills or creates is retried only if it provably was not sent.
        rate_limit: the maximum rate of requests.
        limits: the size of the connection pool and the keep-alive time of idle connections.
        middleware: functions ``async (call, proceed) -> reply`` around each attempt, the first outermost.
        http_client: a custom httpx client. It is used unchanged and is not closed by this client.
        proxy: the proxy of the connection pool. Proxy settings of the environment are not used.
        verify: a custom `ssl.SSLContext`. By default certificates are verified against certifi's roots.
        validate: False turns off the checks of documented limits (not those of type and shape).

    Raises:
        ConfigurationError: a setting is invalid, or more than one of key, token and credentials is given.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        token: str | None = None,
        credentials: Credentials | None = None,
        from_number: str | None = None,
        base_url: str | None = None,
        timeout: float | httpx.Timeout = DEFAULT_TIMEOUT,
        deadline: float | None = None,
        retry: RetryPolicy | None = None,
        rate_limit: RateLimit | None = None,
        limits: httpx.Limits | None = None,
        middleware: Sequence[AsyncMiddleware] = (),
        http_client: httpx.AsyncClient | None = None,
        proxy: str | httpx.Proxy | None = None,
        verify: ssl.SSLContext | None = None,
        validate: bool = True,
    ) -> None:
        # Hidden first: a traceback may be displayed with the local variables of this frame.
        api_key, token = hidden(api_key), hidden(token)
        if api_key is None and token is None and credentials is None:
            api_key = hidden(os.environ.get(ENV_API_KEY) or None)
            token = None if api_key else hidden(os.environ.get(ENV_TOKEN) or None)
        policy = RetryPolicy() if retry is None else retry
        settings = _Settings(
            base_url=check_base_url(base_url or os.environ.get(ENV_BASE_URL)),
            secret=_one_secret(api_key, token, credentials),
            credentials=credentials,
            from_number=_line(from_number or os.environ.get(ENV_FROM_NUMBER)),
            timeout=_timeout(timeout),
            deadline=_seconds(deadline),
            retry=policy,
            rate_limit=rate_limit,
            middleware=tuple(middleware),
            validate=validate,
        )
        _check_http_client(http_client)
        if http_client is not None and (limits is not None or proxy is not None or verify is not None):
            raise ConfigurationError(
                "must not be combined with limits, proxy or verify; configure them on the httpx client",
                argument="http_client",
            )
        redaction.install()
        http = http_client or httpx.AsyncClient(transport=_pool(limits, proxy, verify), trust_env=False)
        shared = _Shared(http, is_ours=http_client is None)
        self._is_copy = False
        self._settle(settings, shared, RetryBudget(policy.budget), None, _limiter(rate_limit))

    def _settle(
        self,
        settings: _Settings,
        shared: _Shared,
        budget: RetryBudget,
        login: AsyncLogin | None,
        limiter: AsyncLimiter | None,
    ) -> None:
        defaults = Defaults(from_number=settings.from_number, validate=settings.validate)
        self._settings = settings
        self._shared = shared
        self._budget = budget
        self._limiter = limiter
        self.auth: Auth = Auth(self._fetch, defaults)
        self.send: Send = Send(self._fetch, defaults, settings.secret)
        self.banks: Banks = Banks(self._fetch, defaults)
        self.geolocation: Geolocation = Geolocation(self._fetch, defaults)
        self.jobs: Jobs = Jobs(self._fetch, defaults)
        self.reports: Reports = Reports(self._fetch, defaults)
        self.numbers: Numbers = Numbers(self._fetch, defaults)
        self.users: Users = Users(self._fetch, defaults)
        self.packages: Packages = Packages(self._fetch, defaults)
        self.phonebooks: Phonebooks = Phonebooks(self._fetch, defaults)
        self.tickets: Tickets = Tickets(self._fetch, defaults)
        self.drafts: Drafts = Drafts(self._fetch, defaults)
        self.patterns: Patterns = Patterns(self._fetch, defaults)
        self.payment: Payment = Payment(self._fetch, defaults)
        if login is None and settings.credentials is not None:
            login = AsyncLogin(settings.credentials, login=self.auth.login, confirm=self.auth.confirm_otp)
        self._login = login
        exchange: AsyncLink = AsyncExchange(shared.http, shared.is_ours, settings.base_url, settings.timeout)
        if settings.middleware:
            exchange = AsyncAttemptMiddleware(settings.middleware, exchange)
        retries = AsyncRetries(settings.retry, budget, shared.methods, AsyncRate(limiter, exchange))
        self._engine = AsyncDeadline(settings.deadline, AsyncAuthorisation(settings.secret, login, retries))

    def __repr__(self) -> str:
        """Return the base URL and the sender line, never a secret."""
        if not hasattr(self, "_settings"):  # __init__ failed; a traceback may display this object
            return f"<{type(self).__name__}>"
        return f"<{type(self).__name__} {self._settings.base_url} from {self._settings.from_number}>"

    async def __aenter__(self) -> Self:
        """Return the client; the context closes it."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the client."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections. Closing a copy does nothing. A custom http_client is not closed."""
        if self._is_copy:
            return
        self._shared.is_closed = True
        if self._shared.is_ours:
            await self._shared.http.aclose()

    def with_options(self, **options: Unpack[AsyncOptions]) -> Self:
        """Return a client with different settings that shares the connection pool and the login.

        The copy shares the retry budget too, unless it has a RetryPolicy with another `budget`.

        Args:
            options: the client's own arguments, except http_client, limits, proxy and verify, which belong to the pool.

        Raises:
            ConfigurationError: a setting is invalid or cannot be changed.
        """
        if options.keys() & {"api_key", "token"}:  # hidden first, as above
            options = {**options, "api_key": hidden(options.get("api_key")), "token": hidden(options.get("token"))}
        unknown = options.keys() - AsyncOptions.__annotations__.keys()
        if unknown:
            raise ConfigurationError("cannot be changed by with_options(); create a new client", argument=min(unknown))
        old = self._settings
        changes: dict[str, Any] = dict(options)
        renamed = {"api_key", "token", "credentials"} & changes.keys()
        if renamed:
            key, token = changes.pop("api_key", None), changes.pop("token", None)
            changes.setdefault("credentials", None)
            changes["secret"] = _one_secret(key, token, changes["credentials"])
        for name, check in _CHECKS.items():
            if name in changes:
                changes[name] = check(changes[name])
        settings = attrs.evolve(old, **changes)
        copied = copy.copy(self)
        copied._is_copy = True  # noqa: SLF001 - an object of this class
        limiter = _limiter(settings.rate_limit) if "rate_limit" in changes else self._limiter
        budget = self._budget
        if settings.retry.budget != old.retry.budget:
            budget = RetryBudget(settings.retry.budget)
        copied._settle(settings, self._shared, budget, None if renamed else self._login, limiter)  # noqa: SLF001 - the same
        return copied

    @hide_arguments
    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        json: object = None,
        data: Mapping[str, object] | None = None,
        files: Sequence[tuple[str, FileInput]] = (),
        repeat: Repeat = ONCE,
    ) -> Reply[Any]:
        """Call any endpoint of the API, including one that has no method in this SDK.

        Args:
            method: GET, POST, PUT, PATCH or DELETE.
            path: below the base URL, such as ``/api/send``. An absolute URL is rejected.
            query: names and values; a value of None is left out.
            json: the body, as JSON.
            data: the body, as a form; with files, its other fields.
            files: (field, file) pairs; a file is a path, a binary file object or (name, bytes).
            repeat: whether the request may be retried: READ, WRITE (idempotent) or ONCE, the default.

        Returns:
            The reply: the data as parsed JSON, the meta, and the `httpx.Response`.
        """
        return await self._run(
            call(unlisted(method, path, repeat), query=query, json=json, form=data, files=uploads(files))
        )

    async def _fetch(self, call: Call[T]) -> T:
        return (await self._run(call)).data

    async def _run(self, call: Call[T]) -> Reply[T]:
        if self._shared.is_closed:
            raise ConfigurationError("the client is closed", argument="client")
        attempts = Attempts(call)
        try:
            return await self._engine(call, attempts)
        except EdgeError as error:
            failure = attempts.labelled(error)
        except _io.DeadlinePassed:  # of an enclosing call: a task started in a middleware inherits its deadline
            failure = attempts.labelled(attempts.out_of_time(None))
        raise failure


def _one_secret(api_key: str | None, token: str | None, credentials: Credentials | None) -> Secret | None:
    given = [
        name
        for name, value in (("api_key", api_key), ("token", token), ("credentials", credentials))
        if value is not None
    ]
    if len(given) > 1:
        raise ConfigurationError(f"must not be combined with {given[1]}; pass one of them", argument=given[0])
    if api_key is not None:
        return check_secret(Secret(api_key), argument="api_key")
    return None if token is None else check_secret(Secret(token), argument="token")


def _check_http_client(value: object) -> None:
    if value is not None and not isinstance(value, httpx.AsyncClient):
        name = f"{type(value).__module__}.{type(value).__qualname__}"
        raise ConfigurationError(f"expected httpx.AsyncClient, got {name}", argument="http_client")


def _line(value: str | None) -> str | None:
    return None if value is None else phones.sender_line(value, argument="from_number")


def _timeout(value: float | httpx.Timeout) -> httpx.Timeout:
    if isinstance(value, httpx.Timeout):
        return value
    _seconds(value, argument="timeout")
    return httpx.Timeout(value)


def _seconds(value: float | None, *, argument: str = "deadline") -> float | None:
    if value is not None and not 0 < value < math.inf:
        raise ConfigurationError(f"expected a number of seconds above 0, got {value!r}", argument=argument)
    return value


def _limiter(limit: RateLimit | None) -> AsyncLimiter | None:
    return None if limit is None else AsyncLimiter(limit)


def _pool(
    limits: httpx.Limits | None, proxy: str | httpx.Proxy | None, verify: ssl.SSLContext | None
) -> AsyncPoolTransport:
    options: dict[str, Any] = {}
    if limits is not None:
        options = {
            "max_connections": limits.max_connections,
            "max_keepalive_connections": limits.max_keepalive_connections,
            "keepalive_expiry": limits.keepalive_expiry,
        }
    return AsyncPoolTransport(
        verify=verify or True, proxy=proxy, **{name: value for name, value in options.items() if value is not None}
    )


_CHECKS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "base_url": check_base_url,
    "from_number": _line,
    "timeout": _timeout,
    "deadline": _seconds,
    "middleware": tuple,
}
"""The check of each setting that `with_options` may change."""
