"""The codes of an authenticator app (RFC 6238: SHA-1, 30 seconds, 6 digits), implemented independently of the SDK."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

STEP_SECONDS: Final = 30
_DIGITS: Final = 6
_TOLERATED_STEPS: Final = (-1, 0, 1)


def totp(secret: str, step: int) -> str:
    """Return the code of a time step, the number of 30-second intervals since 1970.

    Raises:
        ValueError: `secret` is not Base32.
    """
    try:
        key = base64.b32decode(secret + "=" * (-len(secret) % 8), casefold=True)
    except binascii.Error:
        raise ValueError("ga_secret: expected Base32, e.g. JBSWY3DPEHPK3PXP") from None
    digest = hmac.digest(key, step.to_bytes(8, "big"), hashlib.sha1)
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**_DIGITS:0{_DIGITS}}"


def is_valid_totp(secret: str, code: str, now: datetime) -> bool:
    """Whether a code is that of now, or of the step before or after, for clocks that differ a little."""
    step = int(now.timestamp()) // STEP_SECONDS
    return any(totp(secret, step + offset) == code for offset in _TOLERATED_STEPS)
