"""Models of authentication: login steps, reset tokens and the owner of a token."""

from __future__ import annotations

import attrs

from ippanel_edge.models.common import Model
from ippanel_edge.values.secrets import Secret


@attrs.frozen(kw_only=True)
class LoginStep(Model):
    """The current step of a login. Source: auth/login.md.

    Attributes:
        method: ``login`` if the token is final. With ``sms`` or ``ga`` a code is required, from an SMS or from Google
            Authenticator; the token is then only valid for this step and expires after 6 minutes.
        token: the token, masked in repr; ``str(step.token)`` returns the plain value.
    """

    method: str
    token: str = attrs.field(converter=Secret)

    @property
    def is_complete(self) -> bool:
        """Whether the token is final, so that it authorises calls; it expires after 10 hours."""
        return self.method == "login"


@attrs.frozen(kw_only=True)
class ResetToken(Model):
    """A token to change a password together with the code from the SMS. Source: auth/forgot-password.md.

    Attributes:
        token: the token for `auth.change_password`, masked in repr; it expires after 2 minutes.
    """

    token: str = attrs.field(converter=Secret)


@attrs.frozen(kw_only=True)
class TokenOwner(Model):
    """The owner of an API key or token. Source: auth/check-token.md.

    Attributes:
        user_name: the user name in the panel.
        name: the person's name.
        is_reseller: whether the user can have sub-users.
        send_block: the user's send block, which the service does not explain.
        document_block: the user's document block, which the service does not explain.
    """

    user_name: str | None = None
    user_id: int | None = None
    document_block: bool | None = None
    is_reseller: bool | None = None
    send_block: bool | None = None
    name: str | None = None
