"""The client: its settings, its connection pool and its engine. The calls are in the sections."""

from __future__ import annotations

import copy
import os
import ssl
from collections.abc import Mapping, Sequence
from functools import cached_property
from types import TracebackType
from typing import Any, Self, TypedDict, TypeVar, Unpack

import attrs
import httpx

from ippanel_edge import logs, models
from ippanel_edge._async import engine, sections, settings
from ippanel_edge._async.runner import hide_arguments
from ippanel_edge.config import (
    DEFAULT_TIMEOUT,
    ENV_API_KEY,
    ENV_BASE_URL,
    ENV_FROM_NUMBER,
    ENV_INSECURE_HOSTS,
    ENV_LOG,
    ENV_TOKEN,
    ENV_TRANSPORT,
    Credentials,
    Defaults,
    RateLimit,
    RetryPolicy,
    TransportName,
)
from ippanel_edge.endpoints import ONCE, Repeat
from ippanel_edge.errors import ConfigurationError
from ippanel_edge.hooks import AsyncMiddleware, Listener
from ippanel_edge.values import redaction
from ippanel_edge.values.checks import check_seconds
from ippanel_edge.values.secrets import Secret
from ippanel_edge.wire.call import Call, call, unlisted, unlisted_fields, unlisted_files
from ippanel_edge.wire.reply import Reply
from ippanel_edge.wire.request import check_base_url

T = TypeVar("T")


class AsyncOptions(TypedDict, total=False):
    """The options of `with_options`: arguments of the client. An option that is omitted stays unchanged."""

    api_key: str | None
    token: str | None
    credentials: Credentials | None
    from_number: str | None
    base_url: str
    allow_insecure_hosts: Sequence[str]
    timeout: float | httpx.Timeout
    deadline: float | None
    retry: RetryPolicy | int
    rate_limit: RateLimit | float | None
    middleware: Sequence[AsyncMiddleware]
    call_middleware: Sequence[AsyncMiddleware]
    listeners: Sequence[Listener]
    validate: bool


@attrs.frozen(kw_only=True, eq=False, repr=False)
class _Settings:
    """The settings that a copy of a client may override."""

    base_url: str
    allow_insecure_hosts: tuple[str, ...]
    secret: Secret | None
    is_token: bool
    credentials: Credentials | None
    from_number: str | None
    timeout: httpx.Timeout
    deadline: float | None
    retry: RetryPolicy
    rate_limit: RateLimit | None
    middleware: tuple[AsyncMiddleware, ...]
    call_middleware: tuple[AsyncMiddleware, ...]
    listeners: tuple[Listener, ...]
    validate: bool


@attrs.define(eq=False, repr=False)
class _Shared:
    """The state that a client and its copies share: the pool and the alternate methods in use."""

    http: httpx.AsyncClient
    transport: engine.AsyncTransport | None
    is_fast: bool = False
    methods: dict[str, str] = attrs.field(factory=dict[str, str])
    is_closed: bool = False


def _open(name: TransportName, options: dict[str, Any]) -> _Shared:
    """Create a transport of our own, and the httpx client that uses it while httpx is patched."""
    if name == "fast":
        fast = engine.AsyncFastTransport(**options)
        logs.LOGGER.info("the transport is fast", extra={"transport": name})
        return _Shared(httpx.AsyncClient(transport=fast, trust_env=False), fast, is_fast=True)
    default = engine.AsyncPoolTransport(**options)
    return _Shared(httpx.AsyncClient(transport=default, trust_env=False), default)


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
            use https, or http on this machine (loopback) or for a host in `allow_insecure_hosts`.
        timeout: seconds for each step of a request: connect, wait for the pool, each write, each read. A slow
            response may take many reads; use `deadline` to limit the whole call.
        deadline: seconds for a whole call, including waits and retries; None for no limit.
        retry: the retry settings, or the number of retries. A request that sends, bills or creates is retried only if
            it provably was not sent.
        rate_limit: the maximum rate of requests, or its requests per second.
        limits: the size of the connection pool and the keep-alive time of idle connections.
        middleware: functions ``async (call, proceed) -> reply`` around each attempt, the first outermost.
        call_middleware: the same around each whole call, outside of its deadline, login and retries.
        listeners: functions ``(event) -> None`` that receive the events of each call. Plain functions for both
            clients. They must not block; an exception of a listener is logged and does not affect the call.
        http_client: a custom httpx client. It is used unchanged and is not closed by this client.
        proxy: the proxy of the connection pool. Proxy settings of the environment are not used.
        verify: a custom `ssl.SSLContext`. By default certificates are verified against certifi's roots.
        allow_insecure_hosts: the names of hosts that may use http, such as that of a sandbox's container; defaults to
            IPPANEL_INSECURE_HOSTS, separated by commas. The key and all messages are sent to them unencrypted.
        validate: False turns off the checks of documented limits (not those of type and shape).
        transport: ``"httpx"``, or ``"fast"`` for connections of this SDK, which take a third of the CPU time; defaults
            to IPPANEL_TRANSPORT, then to httpx. On trio, and while httpx is patched, fast is the same as httpx.

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
        retry: RetryPolicy | int | None = None,
        rate_limit: RateLimit | float | None = None,
        limits: httpx.Limits | None = None,
        middleware: Sequence[AsyncMiddleware] = (),
        call_middleware: Sequence[AsyncMiddleware] = (),
        listeners: Sequence[Listener] = (),
        http_client: httpx.AsyncClient | None = None,
        proxy: str | httpx.Proxy | None = None,
        verify: ssl.SSLContext | None = None,
        allow_insecure_hosts: Sequence[str] | None = None,
        validate: bool = True,
        transport: TransportName | None = None,
    ) -> None:
        # Hidden first: a traceback may be displayed with the local variables of this frame.
        key, login_token, api_key, token = settings.hide(api_key), settings.hide(token), None, None
        if key is None and login_token is None and credentials is None:
            key = settings.hide(os.environ.get(ENV_API_KEY) or None)
            login_token = None if key else settings.hide(os.environ.get(ENV_TOKEN) or None)
        insecure_hosts = (
            settings.insecure_hosts_of(os.environ.get(ENV_INSECURE_HOSTS))
            if allow_insecure_hosts is None
            else settings.check_insecure_hosts(allow_insecure_hosts)
        )
        checked = _Settings(
            base_url=check_base_url(os.environ.get(ENV_BASE_URL) if base_url is None else base_url, insecure_hosts),
            allow_insecure_hosts=insecure_hosts,
            secret=settings.one_secret(key, login_token, settings.check_credentials(credentials)),
            is_token=login_token is not None,
            credentials=credentials,
            from_number=settings.check_line(
                (os.environ.get(ENV_FROM_NUMBER) or None) if from_number is None else from_number
            ),
            timeout=settings.check_timeout(timeout),
            deadline=settings.check_deadline(deadline),
            retry=settings.check_retry(retry),
            rate_limit=settings.check_rate_limit(rate_limit),
            middleware=settings.check_middleware(middleware),
            call_middleware=settings.check_call_middleware(call_middleware),
            listeners=settings.check_listeners(listeners),
            validate=settings.check_validate(validate),
        )
        custom = settings.check_http_client(http_client)
        if custom is not None and any(each is not None for each in (limits, proxy, verify, transport)):
            raise ConfigurationError(
                "must not be combined with limits, proxy, verify or transport; configure them on the httpx client",
                argument="http_client",
            )
        name = settings.check_transport(os.environ.get(ENV_TRANSPORT) or None if transport is None else transport)
        logs.configure(os.environ.get(ENV_LOG))
        redaction.install()
        pool = settings.pool_options(limits, proxy, verify)
        shared = _Shared(custom, None) if custom else _open(name, pool)
        self._is_copy = False
        self._settle(checked, shared, engine.RetryBudget(checked.retry.budget), None, _limiter(checked.rate_limit))

    def _settle(
        self,
        values: _Settings,
        shared: _Shared,
        budget: engine.RetryBudget,
        login: engine.AsyncLogin | None,
        limiter: engine.AsyncLimiter | None,
    ) -> None:
        self._settings = values
        self._defaults = Defaults(from_number=values.from_number, validate=values.validate)
        self._shared = shared
        self._budget = budget
        self._limiter = limiter
        for name in sections.__all__:  # a copy has its own, made on first use
            vars(self).pop(name.lower(), None)
        if login is None and values.credentials is not None:
            login = engine.AsyncLogin(values.credentials, login=self.auth.login, confirm=self.auth.confirm_otp)
        self._login = login
        observers = engine.Observers(values.listeners)
        exchange: engine.AsyncLink = engine.AsyncExchange(
            shared.http, shared.transport, values.base_url, values.timeout, observers
        )
        if values.middleware:
            exchange = engine.AsyncAttemptMiddleware(values.middleware, exchange)
        if limiter is not None:
            exchange = engine.AsyncRate(limiter, observers, exchange)
        retries = engine.AsyncRetries(values.retry, budget, shared.methods, observers, exchange)
        authorisation = engine.AsyncAuthorisation(values.secret, values.is_token, login, observers, retries)
        whole: engine.AsyncLink = engine.AsyncDeadline(values.deadline, engine.AsyncUploads(authorisation))
        if values.call_middleware:
            whole = engine.AsyncCallMiddleware(values.call_middleware, whole)
        self._engine = engine.AsyncWholeCall(observers, whole)

    @cached_property
    def auth(self) -> sections.Auth:
        """Logins, login codes, passwords and tokens. Pass a final token to the client as ``token=``."""
        return sections.Auth(self._fetch, self._defaults)

    @cached_property
    def send(self) -> sections.Send:
        """Sending. Sends are retried only if the request provably never left this machine."""
        return sections.Send(self._fetch, self._defaults, self._settings.secret)

    @cached_property
    def banks(self) -> sections.Banks:
        """Numbers by place, for `send.country` and `send.postal_code`."""
        return sections.Banks(self._fetch, self._defaults)

    @cached_property
    def geolocation(self) -> sections.Geolocation:
        """Numbers by place, for `send.geolocation`. The ids differ from those of `banks`."""
        return sections.Geolocation(self._fetch, self._defaults)

    @cached_property
    def jobs(self) -> sections.Jobs:
        """Numbers by job category, for `send.job`."""
        return sections.Jobs(self._fetch, self._defaults)

    @cached_property
    def reports(self) -> sections.Reports:
        """Sent messages, their delivery status and statistics, and received messages."""
        return sections.Reports(self._fetch, self._defaults, lambda: self._shared.is_closed)

    @cached_property
    def numbers(self) -> sections.Numbers:
        """The sender lines of the account, and their assignment to sub-users."""
        return sections.Numbers(self._fetch, self._defaults)

    @cached_property
    def users(self) -> sections.Users:
        """The sub-users of the account."""
        return sections.Users(self._fetch, self._defaults)

    @cached_property
    def packages(self) -> sections.Packages:
        """Packages: user roles and their prices."""
        return sections.Packages(self._fetch, self._defaults)

    @cached_property
    def phonebooks(self) -> sections.Phonebooks:
        """Phonebooks, with at most 100,000 numbers each. `send.phonebook` and `send.keyword_phonebook` send to them."""
        return sections.Phonebooks(self._fetch, self._defaults)

    @cached_property
    def tickets(self) -> sections.Tickets:
        """Support tickets and their replies."""
        return sections.Tickets(self._fetch, self._defaults)

    @cached_property
    def drafts(self) -> sections.Drafts:
        """Saved messages, at most 200."""
        return sections.Drafts(self._fetch, self._defaults)

    @cached_property
    def patterns(self) -> sections.Patterns:
        """Message templates that are approved once; only active ones can be sent."""
        return sections.Patterns(self._fetch, self._defaults)

    @cached_property
    def payment(self) -> sections.Payment:
        """The account balance."""
        return sections.Payment(self._fetch, self._defaults)

    def __repr__(self) -> str:
        """Return the base URL, the sender line and the fast transport, never a secret."""
        if not hasattr(self, "_settings"):  # __init__ failed; a traceback may display this object
            return f"<{type(self).__name__}>"
        over = " over fast" if self._shared.is_fast else ""
        return f"<{type(self).__name__} {self._settings.base_url} from {self._settings.from_number}{over}>"

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
        if self._shared.transport is not None:
            await self._shared.http.aclose()

    def with_options(self, **options: Unpack[AsyncOptions]) -> Self:
        """Return a client with different settings that shares the connection pool and the login.

        The copy shares the retry budget too, unless it has a RetryPolicy with another `budget`.

        Args:
            options: the client's own arguments, except http_client, transport, limits, proxy and verify, which belong
                to the connection pool.

        Raises:
            ConfigurationError: a setting is invalid or cannot be changed.
        """
        renamed = {"api_key", "token", "credentials"} & options.keys()
        # Hidden first, as above.
        key, token = settings.hide(options.pop("api_key", None)), settings.hide(options.pop("token", None))
        unknown = options.keys() - AsyncOptions.__annotations__.keys()
        if unknown:
            raise ConfigurationError("cannot be changed by with_options(); create a new client", argument=min(unknown))
        old = self._settings
        changes: dict[str, Any] = dict(options)
        if renamed:
            changes.setdefault("credentials", None)
        for name, check in settings.CHECKS.items():
            if name in changes:
                changes[name] = check(changes[name])
        if {"base_url", "allow_insecure_hosts"} & changes.keys():
            insecure_hosts = changes.get("allow_insecure_hosts", old.allow_insecure_hosts)
            changes["base_url"] = check_base_url(changes.get("base_url", old.base_url), insecure_hosts)
        if renamed:
            changes["secret"] = settings.one_secret(key, token, changes["credentials"])
            changes["is_token"] = token is not None
        changed = attrs.evolve(old, **changes)
        copied = copy.copy(self)
        copied._is_copy = True  # noqa: SLF001 - an object of this class
        limiter = _limiter(changed.rate_limit) if "rate_limit" in changes else self._limiter
        budget = self._budget
        if changed.retry.budget != old.retry.budget:
            budget = engine.RetryBudget(changed.retry.budget)
        copied._settle(changed, self._shared, budget, None if renamed else self._login, limiter)  # noqa: SLF001 - the same
        return copied

    async def check(self, *, deadline: float = 10.0) -> models.ClientCheck:
        """Check the network, the key, the account, its credit and the sender line, when a program starts.

        It only reads. An error of the network or the service is reported in `problems`, not raised. With credentials,
        it logs in as any call does, which may send an SMS code to the account's owner.

        Args:
            deadline: seconds for the whole check. The deadline of the client limits each of its calls.

        Raises:
            ConfigurationError: the client is closed.
        """
        from ippanel_edge._async.check import AsyncCheck  # noqa: PLC0415 - loaded on first use

        check_seconds(deadline, argument="deadline")
        self._check_open()
        check = AsyncCheck(self._settings.base_url, self._settings.from_number)
        return await check.run(self.auth, self.payment, self.numbers, seconds=deadline)

    @hide_arguments
    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        json: object = None,
        data: Mapping[str, object] | None = None,
        files: Sequence[tuple[str, models.FileInput]] = (),
        repeat: Repeat = ONCE,
    ) -> Reply[Any]:
        """Call any endpoint of the API, including one that has no method in this SDK.

        Args:
            method: GET, POST, PUT, PATCH or DELETE.
            path: below the base URL, such as ``/api/send``. An absolute URL is rejected.
            query: names and values (str, number or bool); None is left out, and a list repeats its name.
            json: the body, as JSON.
            data: the body, as a form like `query`; with files, its other fields.
            files: (field, file) pairs; a file is a path, a binary file object or (name, bytes).
            repeat: whether the request may be retried: READ, WRITE (idempotent) or ONCE, the default.

        Returns:
            The reply: the data as parsed JSON, the meta, and the `httpx.Response`.
        """
        return await self._run(
            call(
                unlisted(method, path, repeat),
                query=unlisted_fields(query, argument="query"),
                json=json,
                form=unlisted_fields(data, argument="data"),
                files=unlisted_files(files),
            )
        )

    async def _fetch(self, call: Call[T]) -> T:
        return (await self._run(call)).data

    def _check_open(self) -> None:
        if self._shared.is_closed:
            raise ConfigurationError("the client is closed", argument="client")

    async def _run(self, call: Call[T]) -> Reply[T]:
        self._check_open()
        return await self._engine(call, engine.Attempts(call))


def _limiter(limit: RateLimit | None) -> engine.AsyncLimiter | None:
    return None if limit is None else engine.AsyncLimiter(limit)
