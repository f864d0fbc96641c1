"""The checks of a client's settings: each returns the setting in its one form, or raises an error that names it."""

from __future__ import annotations

import inspect
import re
import ssl
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar, cast

import attrs
import httpx

from ippanel_edge.config import Credentials, RateLimit, RetryPolicy, TransportName
from ippanel_edge.errors import ConfigurationError, InvalidArgument
from ippanel_edge.hooks import AsyncMiddleware, Listener
from ippanel_edge.values import phones
from ippanel_edge.values.checks import check_seconds, shown
from ippanel_edge.values.secrets import Secret
from ippanel_edge.wire.request import check_secret

T = TypeVar("T")


@attrs.frozen
class NotText:
    """Takes the place of a key or token that is not a str, so that no frame holds the value.

    Attributes:
        kind: the name of its type.
    """

    kind: str


def hide(value: object) -> Secret | NotText | None:
    """Hide a key or token from repr; None stays None."""
    if value is None or isinstance(value, Secret):
        return value
    return Secret(value) if isinstance(value, str) else NotText(type(value).__name__)


def one_secret(
    api_key: Secret | NotText | None, token: Secret | NotText | None, credentials: Credentials | None
) -> Secret | None:
    """Return the key or token. At most one of the three may be set."""
    for name, value in (("api_key", api_key), ("token", token)):
        if isinstance(value, NotText):
            raise ConfigurationError(f"expected a str, got {value.kind}", argument=name)
    given = [
        name
        for name, value in (("api_key", api_key), ("token", token), ("credentials", credentials))
        if value is not None
    ]
    if len(given) > 1:
        raise ConfigurationError(f"must not be combined with {given[1]}; pass one of them", argument=given[0])
    if isinstance(api_key, Secret):
        return check_secret(api_key, argument="api_key")
    return check_secret(token, argument="token") if isinstance(token, Secret) else None


def check_line(value: object) -> str | None:
    """Return a sender line as E.164, or None."""
    return None if value is None else _as_setting(phones.sender_line, cast("str", value), "from_number")


def _as_setting(check: Callable[..., T], value: object, argument: str) -> T:
    """Check a value as an argument is checked; its error is that of a setting."""
    try:
        return check(value, argument=argument)
    except InvalidArgument as error:
        problem = str(error.args[0])
    raise ConfigurationError(problem, argument=argument)


def check_timeout(value: object) -> httpx.Timeout:
    """Return a timeout for each step of a request."""
    return value if isinstance(value, httpx.Timeout) else httpx.Timeout(_as_setting(check_seconds, value, "timeout"))


def check_deadline(value: object) -> float | None:
    """Return a deadline in seconds, or None."""
    return None if value is None else _as_setting(check_seconds, value, "deadline")


def check_retry(value: object) -> RetryPolicy:
    """Return a retry policy; an int is its number of retries, and None the default."""
    if type(value) is int:
        return RetryPolicy(retries=value)
    return RetryPolicy() if value is None else _typed(value, RetryPolicy, "retry", "a RetryPolicy or an int")


def check_rate_limit(value: object, *, argument: str = "rate_limit") -> RateLimit | None:
    """Return a rate limit; a number is its requests per second."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return RateLimit(value)
    return None if value is None else _typed(value, RateLimit, argument, "a RateLimit or a number")


def check_credentials(value: object) -> Credentials | None:
    """Return credentials, or None."""
    return None if value is None else _typed(value, Credentials, "credentials", "Credentials")


def check_middleware(value: object) -> tuple[AsyncMiddleware, ...]:
    """Return the middleware around an attempt as a tuple of functions."""
    return _functions(value, "middleware")


def check_call_middleware(value: object) -> tuple[AsyncMiddleware, ...]:
    """Return the middleware around a call as a tuple of functions."""
    return _functions(value, "call_middleware")


def check_listeners(value: object) -> tuple[Listener, ...]:
    """Return listeners as a tuple of functions. They are plain functions for both clients."""
    functions = _functions(value, "listeners")
    for index, each in enumerate(functions):
        if inspect.iscoroutinefunction(each) or inspect.iscoroutinefunction(getattr(each, "__call__", None)):  # noqa: B004 - the method, which may be a coroutine function
            raise ConfigurationError(
                "expected a plain function, got one that must be awaited; put the event into a queue",
                argument=f"listeners[{index}]",
            )
    return functions


def _functions(value: object, argument: str) -> tuple[Any, ...]:
    if callable(value) or not isinstance(value, Iterable):
        raise ConfigurationError(f"expected a list of functions, got {type(value).__name__}", argument=argument)
    functions = tuple(cast("Iterable[object]", value))
    for index, each in enumerate(functions):
        if not callable(each):
            name = f"{argument}[{index}]"
            raise ConfigurationError(f"expected a function, got {type(each).__name__}", argument=name)
    return functions


def check_validate(value: object) -> bool:
    """Return whether documented limits are checked."""
    return _typed(value, bool, "validate", "a bool")


def check_http_client(value: object) -> httpx.AsyncClient | None:
    """Return a custom httpx client of this side, or None."""
    if value is not None and not isinstance(value, httpx.AsyncClient):
        name = f"{type(value).__module__}.{type(value).__qualname__}"
        raise ConfigurationError(f"expected httpx.AsyncClient, got {name}", argument="http_client")
    return value


def pool_options(limits: object, proxy: object, verify: object) -> dict[str, Any]:
    """Return the options of our own pool, without those that are not set."""
    options: dict[str, Any] = {"proxy": _proxy(proxy)}
    if limits is not None:
        for name in ("max_connections", "max_keepalive_connections", "keepalive_expiry"):
            if not hasattr(limits, name):
                raise ConfigurationError(f"expected httpx.Limits, got {type(limits).__name__}", argument="limits")
            options[name] = getattr(limits, name)
    if verify is not None:
        remedy = "an ssl.SSLContext; certificates are always verified"
        options["verify"] = _typed(verify, ssl.SSLContext, "verify", remedy)
    return {name: value for name, value in options.items() if value is not None}


def check_transport(value: object) -> TransportName:
    """Return the name of a transport; None is the default one."""
    if value is None or value == "httpx":
        return "httpx"
    if value == "fast":
        return "fast"
    shown_value = shown(value) if isinstance(value, str) else type(value).__name__
    raise ConfigurationError(f"expected 'httpx' or 'fast', got {shown_value}", argument="transport")


def _proxy(value: object) -> httpx.Proxy | None:
    if value is None or isinstance(value, httpx.Proxy):
        return value
    problem = f"expected a URL or httpx.Proxy, got {type(value).__name__}"
    if isinstance(value, str):
        problem = "expected a URL such as http://127.0.0.1:3128, or an httpx.Proxy"
        try:
            return httpx.Proxy(value)
        except (ValueError, httpx.InvalidURL):
            pass
    raise ConfigurationError(problem, argument="proxy")


def _typed(value: object, kind: type[T], argument: str, expected: str) -> T:
    if not isinstance(value, kind):
        raise ConfigurationError(f"expected {expected}, got {type(value).__name__}", argument=argument)
    return value


_HOST: Final = re.compile(r"[A-Za-z0-9._-]+|[0-9a-fA-F:]+")


def check_insecure_hosts(value: object) -> tuple[str, ...]:
    """Return the names of hosts that may use http, in lower case.

    Raises:
        ConfigurationError: not a list of names, or a name with a scheme, a port or a wildcard.
    """
    argument = "allow_insecure_hosts"
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise ConfigurationError(f"expected a list of host names, got {type(value).__name__}", argument=argument)
    names = tuple(cast("Iterable[object]", value))
    for at, name in enumerate(names):
        if not isinstance(name, str) or not _HOST.fullmatch(name):
            problem = "expected a host name such as 'sandbox', without scheme, port or wildcard"
            raise ConfigurationError(problem, argument=f"{argument}[{at}]")
    return tuple(str(name).lower() for name in names)


def insecure_hosts_of(text: str | None) -> tuple[str, ...]:
    """Return the hosts that the environment names, separated by commas."""
    return check_insecure_hosts([name.strip() for name in (text or "").split(",") if name.strip()])


CHECKS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "allow_insecure_hosts": check_insecure_hosts,
    "credentials": check_credentials,
    "from_number": check_line,
    "timeout": check_timeout,
    "deadline": check_deadline,
    "retry": check_retry,
    "rate_limit": check_rate_limit,
    "middleware": check_middleware,
    "call_middleware": check_call_middleware,
    "listeners": check_listeners,
    "validate": check_validate,
}
"""The check of each setting that a copy may change, except the key, the token and the base URL."""
