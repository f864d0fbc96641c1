"""The rule of the send by URL, whose parameters have many names and whose credentials are parameters as well."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import attrs

from ippanel_edge.sandbox.bodies import FORM
from ippanel_edge.sandbox.replies import Reply, bad_request, invalid_message, label, unauthorized
from ippanel_edge.sandbox.routes import Call, serves
from ippanel_edge.sandbox.rules.acceptance import accept, broadcast
from ippanel_edge.sandbox.rules.auth import may_log_in
from ippanel_edge.sandbox.rules.send_fields import is_recipient, read_line, read_message

if TYPE_CHECKING:
    from ippanel_edge.sandbox.bodies import Fields
    from ippanel_edge.sandbox.records import User

_OTHER_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "apikey": (
            "api_key apiKey ApiKey x-api-key api-key key access_key accessKey auth_key authorization token api_token"
        ),
        "from": (
            "From sender src source from_number sender_number origin originator caller caller_id sms_from fromNum"
        ),
        "message": "Message msg text txt body content sms message_body messageText",
        "to": "To recipient dst destination",
        "username": "UserName uname user login user_name userid userName",
        "password": (
            "Password pass passwd pwd user_password passcode login_password auth_pass user_pass access_password"
        ),
    }
)
"""The documented other names of each parameter, without those that are documented for two of them."""
_PARAMETERS: Final = {other: name for name, others in _OTHER_NAMES.items() for other in others.split()}
_NUMBERS: Final = ("from", "to")


@serves("send.url", "POST", "/api/send/webservice", other_methods=("GET",), content_types=(FORM,), auth="none")
def url(call: Call) -> Reply:
    """Send one message to one number, with the credentials in the query or in a form."""
    fields = call.body if call.body.values else call.query
    fields.values = _read_parameters(fields.values)
    user = _authenticate(call, fields)
    text = read_message(fields)
    recipient = fields.string("to")
    if recipient and not is_recipient(recipient):
        fields.add_error("to", invalid_message(label("to")))
    call = attrs.evolve(call, caller=user)
    line = read_line(call, fields, "from")
    call.check()
    return accept(call, "url", [broadcast(text, [recipient])], line=line)


def _read_parameters(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters by their main names, with the + of numbers.

    The documented example has an unencoded + in its URL, which every parser of queries decodes as a space.

    Raises:
        Rejection: 400 if a parameter occurs under two names.
    """
    parameters: dict[str, Any] = {}
    for given, value in values.items():
        name = _PARAMETERS.get(given, given)
        if name in parameters:
            raise bad_request(f"گزینه {given} تکراری است")
        is_decoded = name in _NUMBERS and isinstance(value, str) and value.startswith(" ")
        parameters[name] = f"+{value[1:]}" if is_decoded else value
    return parameters


def _authenticate(call: Call, fields: Fields) -> User:
    """Return the user of `apikey`, or of `username` and `password`; record an error if both are given."""
    api_key = fields.string_or_none("apikey")
    username = fields.string_or_none("username")
    password = fields.string_or_none("password")
    if api_key is not None:
        for name in ("username", "password"):
            if fields.has(name):
                fields.add_error(name, f"گزینه {label(name)} همراه با apikey مجاز نیست")
        user_id = call.state.api_keys.get(api_key)
        user = None if user_id is None else call.state.users.get(user_id)
        is_allowed = user is not None and user.status == "active"
    else:
        user = call.state.find_user(username or "")
        is_allowed = user is not None and user.password == password and may_log_in(call, user)
    if user is None or not is_allowed:
        raise unauthorized()
    return user
