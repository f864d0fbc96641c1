"""Models of logging in: the step a login is at, reset tokens, and whose a token is."""

from __future__ import annotations

import attrs

from ippanel_edge.values.secrets import Secret


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


@attrs.frozen(kw_only=True)
class ResetToken:
    """What lets a password be changed together with the texted code. Source: auth/forgot-password.md.

    Attributes:
        token: for `auth.change_password`, within 2 minutes; not shown by repr.
    """

    token: str = attrs.field(converter=Secret)


@attrs.frozen(kw_only=True)
class TokenOwner:
    """Whose a key or token is. Source: auth/check-token.md.

    Attributes:
        user_name: the panel's user name.
        name: the person's.
        is_reseller: whether it may have users below.
        send_block: whether it may not send.
        document_block: whether papers are missing, so that parts of the panel are closed.
    """

    user_name: str | None = None
    user_id: int | None = None
    document_block: bool | None = None
    is_reseller: bool | None = None
    send_block: bool | None = None
    name: str | None = None
