"""The client: its settings, its connection pool, the way of one call. What each call asks stands in the sections."""

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
from ippanel_edge._async.exchange import Journey, exchange
from ippanel_edge._async.limiter import AsyncLimiter
from ippanel_edge._async.login import AsyncLogin
from ippanel_edge._async.middleware import (
    AsyncAuthorisation,
    AsyncDeadline,
    AsyncMiddleware,
    AsyncRate,
    AsyncRepeats,
    compose,
)
from ippanel_edge._async.pool import AsyncPoolTransport
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
    CANCEL_GRACE,
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
from ippanel_edge.endpoints import ONCE, Endpoint, Repeat
from ippanel_edge.errors import ConfigurationError, EdgeError
from ippanel_edge.values import phones, redaction
from ippanel_edge.values.files import FileInput, Upload
from ippanel_edge.values.secrets import Secret, hidden
from ippanel_edge.wire import request
from ippanel_edge.wire.reply import Reply, parse
from ippanel_edge.wire.request import Call
from ippanel_edge.wire.retry import RetryBudget

T = TypeVar("T")


class AsyncOptions(TypedDict, total=False):
    """What `with_options` may change."""

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
    """Everything that a copy of a client may have of its own."""

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
    """What a client and its copies have in common: the pool, the retry budget, and the methods found out."""

    http: httpx.AsyncClient
    is_ours: bool
    budget: RetryBudget
    methods: dict[str, str] = attrs.field(factory=dict[str, str])
    is_closed: bool = False


class AsyncEdgeClient:
    """The IPPanel Edge SMS API.

    Use it as a context manager, or close it when done. It may be used by any number of tasks at once; its copies
    (`with_options`) share its connections.

    Args:
        api_key: the API key; else the environment's IPPANEL_API_KEY.
        token: a login token, instead of a key; else IPPANEL_TOKEN.
        credentials: a user name and password, instead of both: the client logs in by itself.
        from_number: the sender line of sends that name none; else IPPANEL_FROM_NUMBER.
        base_url: else IPPANEL_BASE_URL, else https://edge.ippanel.com/v1. https, or http on this machine.
        timeout: seconds for each step of a request: connecting, a wait for the pool, each wait while writing or
            reading. A slow answer may take many steps: see `deadline`.
        deadline: seconds for a whole call, its waits and repeats included; None for as long as it takes.
        retry: how failed requests are repeated. What texts, bills or creates is never repeated by guess.
        rate_limit: the most requests a second.
        limits: the connection pool's size and the life of idle connections.
        middleware: functions ``async (call, proceed) -> reply`` around each attempt, the first outermost.
        http_client: your own httpx client; it is used as it is, and is yours to close.
        proxy: the proxy of the client's own pool; the environment's is not used.
        verify: an `ssl.SSLContext` of your own; certificates are always checked otherwise.
        validate: False turns the checks of documented limits off (not those of shape).

    Raises:
        ConfigurationError: a setting is wrong, or two of key, token and credentials are given.
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
        # Hidden at once: an error's traceback may be shown with the locals of this frame.
        api_key, token = hidden(api_key), hidden(token)
        if api_key is None and token is None and credentials is None:
            api_key = hidden(os.environ.get(ENV_API_KEY) or None)
            token = None if api_key else hidden(os.environ.get(ENV_TOKEN) or None)
        policy = RetryPolicy() if retry is None else retry
        settings = _Settings(
            base_url=request.check_base_url(base_url or os.environ.get(ENV_BASE_URL)),
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
                "is set together with limits, proxy or verify: set those on it", argument="http_client"
            )
        redaction.install()
        http = http_client or httpx.AsyncClient(transport=_pool(limits, proxy, verify), trust_env=False)
        shared = _Shared(http, is_ours=http_client is None, budget=RetryBudget(policy.budget))
        self._is_copy = False
        self._settle(settings, shared, None, _limiter(rate_limit))

    def _settle(
        self, settings: _Settings, shared: _Shared, login: AsyncLogin | None, limiter: AsyncLimiter | None
    ) -> None:
        defaults = Defaults(from_number=settings.from_number, validate=settings.validate)
        self._settings = settings
        self._shared = shared
        self._limiter = limiter
        self.auth: Auth = Auth(self._call, defaults)
        self.send: Send = Send(self._call, defaults, settings.secret)
        self.banks: Banks = Banks(self._call, defaults)
        self.geolocation: Geolocation = Geolocation(self._call, defaults)
        self.jobs: Jobs = Jobs(self._call, defaults)
        self.reports: Reports = Reports(self._call, defaults)
        self.numbers: Numbers = Numbers(self._call, defaults)
        self.users: Users = Users(self._call, defaults)
        self.packages: Packages = Packages(self._call, defaults)
        self.phonebooks: Phonebooks = Phonebooks(self._call, defaults)
        self.tickets: Tickets = Tickets(self._call, defaults)
        self.drafts: Drafts = Drafts(self._call, defaults)
        self.patterns: Patterns = Patterns(self._call, defaults)
        self.payment: Payment = Payment(self._call, defaults)
        if login is None and settings.credentials is not None:
            login = AsyncLogin(settings.credentials, login=self.auth.login, confirm=self.auth.confirm_otp)
        self._login = login
        self._perform = compose(
            [
                AsyncDeadline(settings.deadline),
                AsyncAuthorisation(settings.secret, login),
                AsyncRepeats(settings.retry, shared.budget, shared.methods),
                AsyncRate(limiter),
                *settings.middleware,
            ],
            self._exchange,
        )

    def __repr__(self) -> str:
        """Show where the client talks to and as whom, never a secret."""
        if not hasattr(self, "_settings"):  # in a traceback of its own making, with locals
            return f"<{type(self).__name__}>"
        return f"<{type(self).__name__} {self._settings.base_url} from {self._settings.from_number}>"

    async def __aenter__(self) -> Self:
        """Enter the context that closes the client at its end."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the client."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections. A copy closes nothing, and a client that was handed in is never closed."""
        if self._is_copy:
            return
        self._shared.is_closed = True
        if self._shared.is_ours:
            await self._shared.http.aclose()

    def with_options(self, **options: Unpack[AsyncOptions]) -> Self:
        """Make a copy with other settings, which shares this client's connections and retry budget, and its login.

        Args:
            options: as the client's own arguments. http_client, limits, proxy and verify belong to the pool and stay.

        Raises:
            ConfigurationError: a setting is wrong or cannot be changed in a copy.
        """
        if options.keys() & {"api_key", "token"}:  # hidden at once, as above
            options = {**options, "api_key": hidden(options.get("api_key")), "token": hidden(options.get("token"))}
        unknown = options.keys() - AsyncOptions.__annotations__.keys()
        if unknown:
            raise ConfigurationError(
                "belongs to the pool or is unknown: make a client of its own", argument=min(unknown)
            )
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
        twin = copy.copy(self)
        twin._is_copy = True  # noqa: SLF001 - one of our own
        limiter = _limiter(settings.rate_limit) if "rate_limit" in changes else self._limiter
        twin._settle(settings, self._shared, None if renamed else self._login, limiter)  # noqa: SLF001 - the same
        return twin

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
        """Call any address of the API, also one that this SDK does not name.

        Args:
            method: GET, POST, PUT or DELETE.
            path: below the base URL, such as ``/api/send``; an absolute address is refused.
            query: names and values; None is left out.
            json: the body, as JSON.
            data: the body, as a form; with files, its further fields.
            files: (field, file) pairs: a path, a binary file object or (name, bytes).
            repeat: whether a failed request may be made again: READ, WRITE or, by default, ONCE.

        Returns:
            The reply: data as JSON has it, meta, and the answer as an `httpx.Response`.

        Raises:
            EdgeError: as every call.
        """
        return await self._run(
            request.plan(
                request.unnamed(method, path, repeat),
                query=query,
                json_body=json,
                form=data,
                files=request.uploads(files),
            )
        )

    async def _call(
        self,
        endpoint: Endpoint[T],
        *,
        path: Mapping[str, object] | None = None,
        query: Mapping[str, object] | None = None,
        json: object = None,
        form: Mapping[str, object] | None = None,
        files: Sequence[tuple[str, Upload]] = (),
    ) -> T:
        call = request.plan(endpoint, path=path, query=query, json_body=json, form=form, files=files)
        answer: Reply[T] = await self._run(call)
        return answer.data

    async def _run(self, call: Call) -> Reply[Any]:
        if self._shared.is_closed:
            raise ConfigurationError("is closed already: make another, or close it later", argument="client")
        return await self._perform(attrs.evolve(call, timeout=self._settings.timeout, journey=Journey()))

    async def _exchange(self, call: Call) -> Reply[Any]:
        """Make one attempt over the network: the innermost link of the chain."""
        call.journey.attempts += 1
        asked = request.build(call, base_url=self._settings.base_url, remaining=_io.remaining())
        answer = await exchange(self._shared.http, asked, call, grace=CANCEL_GRACE if call.repeat is ONCE else None)
        try:
            data, meta, body = parse(call.endpoint, answer)
        except EdgeError as error:
            raise redaction.without(error, call.headers.get("Authorization")) from None
        return Reply(data=data, meta=meta, make_response=lambda: request.response(asked, answer, body))


def _one_secret(api_key: str | None, token: str | None, credentials: Credentials | None) -> Secret | None:
    given = [
        name
        for name, value in (("api_key", api_key), ("token", token), ("credentials", credentials))
        if value is not None
    ]
    if len(given) > 1:
        raise ConfigurationError(f"is given together with {given[1]}: choose one", argument=given[0])
    if api_key is not None:
        return request.check_secret(Secret(api_key), argument="api_key")
    return None if token is None else request.check_secret(Secret(token), argument="token")


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
        raise ConfigurationError(f"must be a number of seconds above 0, not {value!r}", argument=argument)
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
    "base_url": request.check_base_url,
    "from_number": _line,
    "timeout": _timeout,
    "deadline": _seconds,
    "middleware": tuple,
}
"""How a changed setting is brought into its form."""
