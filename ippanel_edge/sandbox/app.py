"""The sandbox as an ASGI app: routes requests to rules, authenticates callers and renders replies as HTTP."""

from __future__ import annotations

import functools
import json
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

import anyio
from python_multipart.multipart import parse_options_header
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from ippanel_edge.sandbox import rules
from ippanel_edge.sandbox.bodies import Fields, Upload, parse_json, parse_pairs
from ippanel_edge.sandbox.faults import Fault, Faults
from ippanel_edge.sandbox.replies import (
    Rejection,
    Reply,
    bad_request,
    forbidden,
    invalid,
    invalid_message,
    label,
    method_not_allowed,
    rejection,
    required_message,
    route_not_found,
    server_error,
    unauthorized,
    unsupported_media_type,
)
from ippanel_edge.sandbox.routes import Call, Endpoint
from ippanel_edge.sandbox.rules.billing import charge_due_messages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.datastructures import UploadFile
    from starlette.types import Receive, Scope, Send

    from ippanel_edge.sandbox.records import User
    from ippanel_edge.sandbox.state import SandboxState

BASE = "/v1"
SEND = "/api/send"
JSON, MULTIPART, FORM = b"application/json", b"multipart/form-data", b"application/x-www-form-urlencoded"


def all_endpoints() -> list[Endpoint]:
    """Return every endpoint defined in the modules of `rules`."""
    endpoints: list[Endpoint] = []
    for module in iter_modules(rules.__path__, f"{rules.__name__}."):
        endpoints += [value for value in vars(import_module(module.name)).values() if isinstance(value, Endpoint)]
    return endpoints


@functools.cache
def endpoints_by_path() -> Mapping[str, Sequence[Endpoint]]:
    """Return the endpoints of each path that the sandbox serves."""
    by_path: dict[str, list[Endpoint]] = {}
    for endpoint in all_endpoints():
        for path in (endpoint.path, *endpoint.other_paths):
            by_path.setdefault(path, []).append(endpoint)
    return by_path


def create_app(state: SandboxState, faults: Faults | None = None) -> Starlette:
    """Create the ASGI app of a sandbox.

    Args:
        state: the state of the sandbox; requests read and change it.
        faults: the faults to inject; none by default.
    """
    by_path = endpoints_by_path()
    pending = Faults() if faults is None else faults
    routes: list[Route] = []
    # Routes are tried in this order: the one of most requests comes first, those with parameters last.
    for path in sorted(by_path, key=lambda path: ("{" in path, path != SEND, path)):
        path_app = _PathApp(path, by_path[path], state, pending)
        prefixes = (BASE, "") if path.startswith("/v2/") else (BASE,)
        routes += [Route(f"{prefix}{path}", path_app) for prefix in prefixes]
    return Starlette(routes=routes, exception_handlers={HTTPException: _on_http_error, Exception: _on_error})


class _PathApp:
    """The ASGI app of one path; it matches the HTTP method itself to render 405 in the envelope of the API."""

    def __init__(self, path: str, endpoints: Sequence[Endpoint], state: SandboxState, faults: Faults) -> None:
        self._path = path
        self._state = state
        self._faults = faults
        self._by_method: dict[str, list[Endpoint]] = {}
        for endpoint in endpoints:
            for method in (endpoint.method, *endpoint.other_methods):
                self._by_method.setdefault(method, []).append(endpoint)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            reply, fault = await self._handle(Request(scope, receive))
        except ClientDisconnect:  # during an upload: there is nobody to answer
            return
        if fault is None:
            await _render(reply)(scope, receive, send)
        elif not fault.delay or await _wait_unless_disconnected(fault.delay, receive):
            await _render(_apply_fault(reply, fault), cut=fault.cut)(scope, receive, send)

    async def _handle(self, request: Request) -> tuple[Reply, Fault | None]:
        fault: Fault | None = None
        try:
            endpoints = self._by_method.get(request.method)
            if endpoints is None:
                raise method_not_allowed(sorted(self._by_method))
            values, from_strings = await _read_body(request)
            sending_type = values.get("sending_type")
            fault = self._faults.take(self._path, sending_type if isinstance(sending_type, str) else None)
            if fault is None or fault.status is None or fault.executed:
                reply = self._run(request, endpoints, values, from_strings=from_strings)
            else:
                reply = server_error().reply
        except Rejection as rejected:
            reply = rejected.reply
        return reply, fault

    def _run(
        self, request: Request, endpoints: Sequence[Endpoint], values: Mapping[str, Any], *, from_strings: bool
    ) -> Reply:
        state = self._state
        errors: dict[str, list[str]] = {}
        query = Fields(
            parse_pairs(request.query_params.multi_items()), from_strings=True, strict=state.strict, errors=errors
        )
        body = Fields(values, from_strings=from_strings, strict=state.strict, errors=errors)
        credential = request.headers.get("authorization", "")
        with state.lock:
            charge_due_messages(state)
            caller = _authenticate(state, endpoints[0], credential)
            endpoint = _choose(endpoints, body)
            return endpoint.rule(
                Call(
                    state=state,
                    path=self._path,
                    path_params=request.path_params,
                    query=query,
                    body=body,
                    caller=caller,
                    credential=credential,
                    client_ip=request.client.host if request.client else None,
                )
            )


def _authenticate(state: SandboxState, endpoint: Endpoint, credential: str) -> User | None:
    if endpoint.auth == "none":
        return None
    if endpoint.auth == "token" and credential in state.api_keys:
        raise unauthorized()
    user = state.user_by_credential(credential)
    if user is None or user.status != "active":
        raise unauthorized()
    if endpoint.resellers_only and not user.is_reseller:
        raise forbidden()
    return user


def _choose(endpoints: Sequence[Endpoint], body: Fields) -> Endpoint:
    if endpoints[0].sending_type is None:
        return endpoints[0]
    body.ignore("sending_type")
    sending_type = body.values.get("sending_type")
    for endpoint in endpoints:
        if endpoint.sending_type == sending_type:
            return endpoint
    name = label("sending_type")
    raise invalid({"sending_type": [invalid_message(name) if sending_type else required_message(name)]})


async def _read_body(request: Request) -> tuple[Mapping[str, Any], bool]:
    """Return the fields of the body, and whether they are str values of a form; the body of a GET is ignored."""
    if request.method == "GET":
        return {}, False
    raw = await request.body()
    content_type, options = parse_options_header(request.headers.get("content-type"))
    if content_type in {MULTIPART, FORM}:
        # The form parser accepts a truncated form as complete, so the closing boundary is checked here.
        if content_type == MULTIPART and not raw.rstrip().endswith(b"--%b--" % options.get(b"boundary", b"")):
            raise bad_request()
        async with request.form() as form:
            return parse_pairs([(name, await _form_value(value)) for name, value in form.multi_items()]), True
    if not raw:
        return {}, False
    if content_type != JSON:
        raise unsupported_media_type()
    return parse_json(raw), False


async def _form_value(value: UploadFile | str) -> str | Upload:
    if isinstance(value, str):
        return value
    return Upload(value.filename or "", value.content_type or "", await value.read())


async def _wait_unless_disconnected(seconds: float, receive: Receive) -> bool:
    """Wait for `seconds`; return False at once if the client disconnects, so that it does not delay a server stop."""
    with anyio.move_on_after(seconds):
        while (await receive())["type"] != "http.disconnect":
            pass
        return False
    return True


def _apply_fault(reply: Reply, fault: Fault) -> Reply:
    if fault.status is None:
        return Reply(reply.status, reply.body, {**reply.headers, **fault.headers})
    body = rejection(fault.status, "خطای سیستمی رخ داده است").reply.body if fault.body is None else fault.body
    return Reply(fault.status, body, fault.headers)


def _render(reply: Reply, *, cut: int | None = None) -> Response:
    if isinstance(reply.body, bytes | str):
        content, content_type = reply.body, "text/html; charset=utf-8"
    else:
        content, content_type = json.dumps(reply.body, ensure_ascii=False), "application/json"
    raw = content.encode() if isinstance(content, str) else content
    headers = {"content-type": content_type} | {name.lower(): value for name, value in reply.headers.items()}
    return Response(raw if cut is None else raw[:cut], reply.status, headers)


async def _on_http_error(_request: Request, error: Exception) -> Response:
    match error.status_code if isinstance(error, HTTPException) else 500:
        case 404:
            rejected = route_not_found()
        case 400:
            rejected = bad_request()
        case status:
            rejected = rejection(status, "خطا")
    return _render(rejected.reply)


async def _on_error(_request: Request, _error: Exception) -> Response:
    return _render(server_error().reply)
