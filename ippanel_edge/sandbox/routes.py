"""The binding of rules to endpoints: the decorator `serves`, and `Call`, the argument of every rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

import attrs

from ippanel_edge.sandbox.bodies import JSON, Fields
from ippanel_edge.sandbox.records import User
from ippanel_edge.sandbox.replies import Reply, unauthorized
from ippanel_edge.sandbox.state import SandboxState

if TYPE_CHECKING:
    from datetime import datetime

Auth = Literal["key", "token", "none"]


@attrs.frozen
class Call:
    """One parsed request, the argument of a rule.

    Attributes:
        state: the state of the sandbox.
        path: the path of the endpoint, without /v1, as it appears in the `meta` of a page.
        path_params: the parameters of the path, such as `phonebook_id`.
        query: the fields of the query.
        body: the fields of the JSON body or form; empty if there is no body. `query` and `body` share one error dict.
        caller: the authenticated user; None if the endpoint requires no authentication.
        credential: the value of the Authorization header.
        client_ip: the IP address of the client, if known.
    """

    state: SandboxState
    path: str
    path_params: Mapping[str, str]
    query: Fields
    body: Fields
    caller: User | None = None
    credential: str = attrs.field(default="", repr=False)
    client_ip: str | None = None

    @property
    def user(self) -> User:
        """The authenticated user.

        Raises:
            Rejection: 401 if the request is not authenticated.
        """
        if self.caller is None:
            raise unauthorized()
        return self.caller

    @property
    def now(self) -> datetime:
        """The current time of the sandbox."""
        return self.state.now

    def check(self) -> None:
        """Reject the request if a field of the query or body is invalid or unknown.

        Raises:
            Rejection: 422 with all field errors.
        """
        self.query.add_unknown_field_errors()
        self.body.check()


Rule = Callable[[Call], Reply]


@attrs.frozen
class Endpoint:
    """An endpoint of the API and the rule that serves it.

    Attributes:
        name: the name of the endpoint in the SDK, such as "reports.by_id".
        method: the documented HTTP method.
        path: the path without /v1; `{name}` is a parameter.
        rule: the function that computes the reply.
        other_methods: further HTTP methods that are accepted.
        other_paths: further paths that one of the API documents names.
        content_types: the accepted content types of a body. If a form is accepted beside JSON, its only key is the JSON
            document, as some examples of the API documents show it.
        auth: the required credential: "key": an API key or token; "token": a login token only; "none": none.
        sending_type: the `sending_type` of the body that selects this rule, if several rules share a path.
        resellers_only: whether other users get a 403.
    """

    name: str
    method: str
    path: str
    rule: Rule
    other_methods: tuple[str, ...] = ()
    other_paths: tuple[str, ...] = ()
    content_types: tuple[str, ...] = (JSON,)
    auth: Auth = "key"
    sending_type: str | None = None
    resellers_only: bool = False


def serves(
    name: str,
    method: str,
    path: str,
    *,
    other_methods: tuple[str, ...] = (),
    other_paths: tuple[str, ...] = (),
    content_types: tuple[str, ...] = (JSON,),
    auth: Auth = "key",
    sending_type: str | None = None,
    resellers_only: bool = False,
) -> Callable[[Rule], Endpoint]:
    """Declare a function of a module in `rules` as the rule of an endpoint.

    Args:
        name: the name of the endpoint in the SDK.
        method: the documented HTTP method.
        path: the path without /v1.
        other_methods: further HTTP methods to accept.
        other_paths: further paths to accept.
        content_types: the content types of a body to accept.
        auth: the required credential.
        sending_type: the `sending_type` of the body that selects this rule.
        resellers_only: whether only resellers may call it.
    """

    def decorate(rule: Rule) -> Endpoint:
        return Endpoint(
            name, method, path, rule, other_methods, other_paths, content_types, auth, sending_type, resellers_only
        )

    return decorate
