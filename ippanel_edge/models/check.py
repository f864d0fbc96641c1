"""The result of a client's check of its own settings."""

from __future__ import annotations

import attrs

from ippanel_edge.models.auth import TokenOwner
from ippanel_edge.models.common import Model


@attrs.frozen(kw_only=True)
class ClientCheck(Model):
    """The result of `client.check()`. What could not be found out is None.

    Attributes:
        base_url: the base URL of the client.
        user: the owner of the key or token.
        credit: the account's credit, in Rials.
        from_number: the sender line of the client; None if it has none, which is not a problem in itself.
        is_own_line: whether the sender line is one of the account's lines (`numbers.list`).
        latency: the time to the fastest response, in seconds; None if there was none.
        problems: what is wrong, each with a remedy; empty if the client can send.
    """

    base_url: str
    user: TokenOwner | None = None
    credit: float | None = None
    from_number: str | None = None
    is_own_line: bool | None = None
    latency: float | None = None
    problems: tuple[str, ...] = ()

    @property
    def is_ok(self) -> bool:
        """Whether there are no problems."""
        return not self.problems
