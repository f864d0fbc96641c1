"""Frozen settings: retries, rate limit, login; and the names of the environment variables. No behaviour."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import attrs

from ippanel_edge.errors import ConfigurationError
from ippanel_edge.values.checks import shown
from ippanel_edge.values.secrets import Secret, hidden

if TYPE_CHECKING:
    from ippanel_edge.models.auth import LoginStep

ENV_API_KEY: Final = "IPPANEL_API_KEY"
"""The API key, if a client is given no key, token or credentials."""
ENV_TOKEN: Final = "IPPANEL_TOKEN"  # noqa: S105 - the variable's name, not a token
"""A login token, if there is no API key either."""
ENV_FROM_NUMBER: Final = "IPPANEL_FROM_NUMBER"
"""The default sender line."""
ENV_BASE_URL: Final = "IPPANEL_BASE_URL"
"""The base URL of the API, for example that of a sandbox."""
ENV_LOG: Final = "IPPANEL_LOG"
"""The level of a log on stderr: debug, info or warning. Without it, the SDK adds no handler."""

ENV_INSECURE_HOSTS: Final = "IPPANEL_INSECURE_HOSTS"
"""The hosts that may use http, separated by commas, such as the name of a sandbox's container."""

ENV_TRANSPORT: Final = "IPPANEL_TRANSPORT"
"""The transport of a client that names none: httpx or fast."""

TransportName: TypeAlias = Literal["httpx", "fast"]
"""The names of the transports."""

DEFAULT_BASE_URL: Final = "https://edge.ippanel.com/v1"
"""The base URL of the API."""
DEFAULT_TIMEOUT: Final = 15.0
"""Seconds for each step of a request: connect, and each write or read."""
MAX_ANSWER_BYTES: Final = 32 * 1024 * 1024
"""The maximum size of a response, before and after decompression."""
LARGE_ANSWER_BYTES: Final = 128 * 1024
"""The size from which the response to a call that may be repeated is parsed in a worker thread, on the async side."""
SEND_FLOOR: Final = 0.1
"""Seconds left of a deadline below which a request of class ONCE is not started: no response could arrive in time."""
CANCEL_GRACE: Final = 5.0
"""Seconds that a cancelled send has to finish after its headers began to leave."""


_LIMIT: Final = 1e15
"""Clocks and conversions to float overflow above it."""


def _is_number(attribute: attrs.Attribute[Any], value: object) -> bool:
    """Whether a value is a finite number: an int if the field is one."""
    kinds = int if _is_int(attribute) else int | float
    return isinstance(value, kinds) and not isinstance(value, bool) and abs(value) < _LIMIT


def _positive(_: object, attribute: attrs.Attribute[Any], value: float) -> None:
    if not _is_number(attribute, value) or value <= 0:
        raise ConfigurationError(f"expected {_kind(attribute)} above 0, got {shown(value)}", argument=attribute.name)


def _not_negative(_: object, attribute: attrs.Attribute[Any], value: float) -> None:
    if not _is_number(attribute, value) or value < 0:
        raise ConfigurationError(f"expected {_kind(attribute)} from 0, got {shown(value)}", argument=attribute.name)


def _kind(attribute: attrs.Attribute[Any]) -> str:
    return "an int" if _is_int(attribute) else "a number"


def _is_int(attribute: attrs.Attribute[Any]) -> bool:
    return str(attribute.type) == "int"  # the annotation, as the source has it


def _boolean(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, bool):
        raise ConfigurationError(f"expected a bool, got {type(value).__name__}", argument=attribute.name)


def _function(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and not callable(value):
        raise ConfigurationError(f"expected a function, got {type(value).__name__}", argument=attribute.name)


def _name(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        problem = "must not be empty" if isinstance(value, str) else f"expected a str, got {type(value).__name__}"
        raise ConfigurationError(problem, argument=attribute.name)


def _to_secret(value: object, argument: str) -> Secret:
    """Hide a password or token. The error never shows it."""
    if not isinstance(value, str):
        raise ConfigurationError(f"expected a str, got {type(value).__name__}", argument=argument)
    return Secret(value)


def _password(value: str) -> Secret:
    return _to_secret(value, "password")


def _token(value: str) -> Secret:
    return _to_secret(value, "token")


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """The retry settings: how often and how fast. Which requests may be retried is not a setting.

    Attributes:
        retries: the maximum of retries after the first attempt; 0 turns retries off.
        backoff: seconds; the nth retry waits a random time up to ``backoff * 2**(n - 1)`` (full jitter).
        max_backoff: seconds; the maximum of such a wait.
        max_retry_after: seconds; a longer Retry-After fails immediately.
        budget: tokens of the client's retry budget: a retry costs 5, after a timeout 10; a success restores 1.
        repeat_refused_sends: also retry a send that was answered with 503 and Retry-After. By this the service states
            that it did not accept the send. Off by default: a proxy may state the same of a send that was accepted.
    """

    retries: int = attrs.field(default=3, validator=_not_negative)
    backoff: float = attrs.field(default=0.5, validator=_not_negative)
    max_backoff: float = attrs.field(default=8.0, validator=_not_negative)
    max_retry_after: float = attrs.field(default=120.0, validator=_not_negative)
    budget: int = attrs.field(default=500, validator=_not_negative)
    repeat_refused_sends: bool = attrs.field(default=False, validator=_boolean)


@attrs.frozen
class RateLimit:
    """A token bucket for all requests of a client and its copies.

    Attributes:
        per_second: requests per second on average.
        burst: requests that may be sent at once after a pause.
    """

    per_second: float = attrs.field(validator=_positive)
    burst: int = attrs.field(default=1, validator=_positive)


OtpCallback = Callable[["LoginStep"], "str | Awaitable[str]"]
"""Returns the one-time password of a login step. It may be async on the async side."""
LoadToken = Callable[[], "StoredToken | Awaitable[StoredToken | None] | None"]
"""Returns the token that another worker saved, or None. It may be async on the async side."""
SaveToken = Callable[["StoredToken"], "Awaitable[None] | None"]
"""Saves a new token for other workers. It may be async on the async side."""


@attrs.frozen
class StoredToken:
    """A login token, as `Credentials.save` receives it and `Credentials.load` returns it.

    Attributes:
        token: the login token. Hidden from repr.
        created: Unix seconds of the login. A token expires 10 hours later.
        method: the login method (login, sms or ga). After sms, the client does not log in again automatically.
    """

    token: str = attrs.field(converter=_token)
    created: float
    method: str = "login"


@attrs.frozen
class Credentials:
    """A user name and password: the client logs in automatically, and again when the token expires.

    If the account uses SMS two-factor authentication, every login sends an SMS, so the client does not log in again
    automatically.

    Attributes:
        username: the user name of the panel.
        password: the password. Hidden from repr.
        otp: a function that returns the one-time password of a LoginStep with the method ``sms`` or ``ga``. It may
            be async on the async side.
        totp_secret: the Google Authenticator secret (base32) that generates ``ga`` codes; needs the extra ``totp``.
        load: returns the token that another worker saved, or None.
        save: receives each new token, so that other workers can load it.
    """

    username: str = attrs.field(validator=_name)
    password: str = attrs.field(converter=_password, validator=_name)
    otp: OtpCallback | None = attrs.field(default=None, kw_only=True, validator=_function)
    totp_secret: str | None = attrs.field(default=None, kw_only=True, converter=hidden)
    load: LoadToken | None = attrs.field(default=None, kw_only=True, repr=False, validator=_function)
    save: SaveToken | None = attrs.field(default=None, kw_only=True, repr=False, validator=_function)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Defaults:
    """The client's settings that the sections use.

    Attributes:
        from_number: the default sender line.
        validate: whether documented limits are checked before sending.
    """

    from_number: str | None = None
    validate: bool = True

    def limit(self, documented: int) -> int | None:
        """Return a documented limit, or None if limits are not checked."""
        return documented if self.validate else None
