"""The settings, frozen: retry, rate and login, and the environment's names. Nothing in here does anything."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import attrs

from ippanel_edge.errors import ConfigurationError
from ippanel_edge.values.secrets import Secret, hidden

if TYPE_CHECKING:
    from ippanel_edge.models.auth import LoginStep

ENV_API_KEY: Final = "IPPANEL_API_KEY"
ENV_TOKEN: Final = "IPPANEL_TOKEN"  # noqa: S105 - the variable's name, not a token
ENV_FROM_NUMBER: Final = "IPPANEL_FROM_NUMBER"
ENV_BASE_URL: Final = "IPPANEL_BASE_URL"

DEFAULT_BASE_URL: Final = "https://edge.ippanel.com/v1"
DEFAULT_TIMEOUT: Final = 15.0
"""Seconds for each step of a request: connecting, and each wait while writing or reading."""
MAX_ANSWER_BYTES: Final = 32 * 1024 * 1024
"""The largest answer that is read, counted on the wire and again after decompression."""
SEND_FLOOR: Final = 0.1
"""Seconds of a deadline below which a request of class ONCE is not begun: it could not be answered in time."""
CANCEL_GRACE: Final = 5.0
"""Seconds that a cancelled send, once begun, is given to learn what became of it."""


def _positive(_: object, attribute: attrs.Attribute[Any], value: float) -> None:
    if not value > 0:
        raise ConfigurationError(f"must be greater than 0, not {value!r}", argument=attribute.name)


def _not_negative(_: object, attribute: attrs.Attribute[Any], value: float) -> None:
    if not value >= 0:
        raise ConfigurationError(f"must be 0 or more, not {value!r}", argument=attribute.name)


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How often and how fast a failed request is made again. What may be repeated at all is not a setting.

    Attributes:
        retries: repeats at the most after the first attempt; 0 turns repeating off.
        backoff: seconds; the nth repeat waits a random time up to ``backoff * 2**n`` (full jitter).
        max_backoff: seconds; the most that such a wait grows to.
        max_retry_after: seconds; a Retry-After beyond it fails at once instead of waiting.
        budget: tokens of the client's retry budget: a repeat costs 5, after a time-out 10, a success gives 1 back.
        repeat_refused_sends: also repeat a send answered with 503 and a Retry-After. The service then says
            that it did not take it; off by default, as a proxy may say the same of a send that went through.
    """

    retries: int = attrs.field(default=3, validator=_not_negative)
    backoff: float = attrs.field(default=0.5, validator=_not_negative)
    max_backoff: float = attrs.field(default=8.0, validator=_not_negative)
    max_retry_after: float = attrs.field(default=120.0, validator=_not_negative)
    budget: int = attrs.field(default=500, validator=_not_negative)
    repeat_refused_sends: bool = False


@attrs.frozen
class RateLimit:
    """A token bucket over all requests of a client and its copies.

    Attributes:
        per_second: requests a second in the long run.
        burst: requests that may leave at once after a pause.
    """

    per_second: float = attrs.field(validator=_positive)
    burst: int = attrs.field(default=1, validator=_positive)


OtpCallback = Callable[["LoginStep"], "str | Awaitable[str]"]
LoadToken = Callable[[], "StoredToken | Awaitable[StoredToken | None] | None"]
SaveToken = Callable[["StoredToken"], "Awaitable[None] | None"]


@attrs.frozen
class StoredToken:
    """A login token with its age, as `Credentials.save` receives it and `Credentials.load` gives it back.

    Attributes:
        token: the login token. Never shown by repr.
        created: Unix seconds of the login. A token lives 10 hours from then.
        method: how the login went (login, sms or ga): after sms, nobody logs in again by itself.
    """

    token: str = attrs.field(converter=Secret)
    created: float
    method: str = "login"


@attrs.frozen
class Credentials:
    """A user name and password: the client logs in by itself, and again when the token dies.

    Where the account's second factor is an SMS, each login texts a code, so the client never logs in again by itself.

    Attributes:
        username: the panel's user name.
        password: its password. Never shown by repr.
        otp: called with the LoginStep when the login asks for a code (method ``sms`` or ``ga``); returns the code,
            or an awaitable of it on the async side.
        totp_secret: the Google Authenticator secret (base32) to make ``ga`` codes from; needs the extra ``totp``.
        load: returns the token that another worker saved, or None.
        save: receives each new token, for other workers to load.
    """

    username: str
    password: str = attrs.field(converter=Secret)
    otp: OtpCallback | None = attrs.field(default=None, kw_only=True)
    totp_secret: str | None = attrs.field(default=None, kw_only=True, converter=hidden)
    load: LoadToken | None = attrs.field(default=None, kw_only=True, repr=False)
    save: SaveToken | None = attrs.field(default=None, kw_only=True, repr=False)


@attrs.frozen(kw_only=True)
class Defaults:
    """What the sections take from the client's settings.

    Attributes:
        from_number: the sender line of sends that name none.
        validate: whether documented limits are checked before sending.
    """

    from_number: str | None = None
    validate: bool = True
