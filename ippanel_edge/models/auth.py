"""Models of logging in: the step a login is at, reset tokens, and whose a token is."""

from __future__ import annotations

import attrs

from ippanel_edge.config import Secret


@attrs.frozen(kw_only=True)
class LoginStep:
    """Where a login stands. Source: auth/login.md.

    Attributes:
        method: ``login``: the token is final. ``sms`` or ``ga``: a code is wanted, from a text or from Google
            Authenticator; the token is then only for this step, and lives 6 minutes.
        token: the token, not shown by repr; ``str(step.token)`` is its text.
    """

    method: str
    token: str = attrs.field(converter=Secret)

    @property
    def is_complete(self) -> bool:
        """Whether the token is final: it may be used in calls, for 10 hours."""
        return self.method == "login"
