"""What ties an endpoint to its rule: `@serves` marks a function, `Call` is what it gets. Finding them is `app`'s."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

import attrs

from ippanel_edge.sandbox.bodies import Fields
from ippanel_edge.sandbox.records import User
from ippanel_edge.sandbox.replies import Answer, unauthorized
from ippanel_edge.sandbox.store import World

if TYPE_CHECKING:
    from datetime import datetime

Auth = Literal["key", "token", "none"]


@attrs.frozen
class Call:
    """One request as a rule sees it.

    Attributes:
        world: the whole state.
        path: the endpoint's path, without /v1, as pages name it in their meta.
        parts: the path's parameters, such as `phonebook_id`.
        query: the fields of the address.
        body: the fields of a JSON body or a form; empty without a body. Both gather their errors in one place.
        caller: who calls, where the endpoint wants a key or token.
        credential: the key or token as it came.
        client_ip: the caller's address, where it is known.
    """

    world: World
    path: str
    parts: Mapping[str, str]
    query: Fields
    body: Fields
    caller: User | None = None
    credential: str = attrs.field(default="", repr=False)
    client_ip: str | None = None

    @property
    def user(self) -> User:
        """Who calls.

        Raises:
            Refusal: 401 if nobody is known.
        """
        if self.caller is None:
            raise unauthorized()
        return self.caller

    @property
    def now(self) -> datetime:
        """The sandbox's time."""
        return self.world.now

    def check(self) -> None:
        """Refuse the request if a field of the address or body is wrong or unknown.

        Raises:
            Refusal: 422 with all the field errors.
        """
        self.query.note_unknown()
        self.body.check()


Rule = Callable[[Call], Answer]


@attrs.frozen
class Served:
    """A rule and the endpoint that it serves.

    Attributes:
        name: the SDK's name of the endpoint, such as "reports.by_id".
        method: the documented method.
        path: the path without /v1; `{name}` is a parameter.
        also: other methods that are accepted.
        auth: "key": an API key or token; "token": a login token only; "none": anybody.
        sending_type: only bodies with this sending_type, where several rules share an address.
    """

    name: str
    method: str
    path: str
    rule: Rule
    also: tuple[str, ...] = ()
    auth: Auth = "key"
    sending_type: str | None = None


def serves(
    name: str,
    method: str,
    path: str,
    *,
    also: tuple[str, ...] = (),
    auth: Auth = "key",
    sending_type: str | None = None,
) -> Callable[[Rule], Served]:
    """Mark a function of a module in `rules` as what serves an endpoint.

    Args:
        name: the SDK's name of the endpoint.
        method: the documented method.
        path: the path without /v1.
        also: other methods to accept.
        auth: who may call.
        sending_type: only for bodies with this sending_type.
    """

    def mark(rule: Rule) -> Served:
        return Served(name, method, path, rule, also, auth, sending_type)

    return mark
