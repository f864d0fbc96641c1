"""The sandbox as an ASGI app: routes requests to rules, authenticates callers and renders replies as HTTP."""

from __future__ import annotations

import functools
import json
from email.utils import format_datetime
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

import anyio
from python_multipart.multipart import parse_options_header
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ippanel_edge.sandbox import rules
from ippanel_edge.sandbox.bodies import (
    FORM,
    JSON,
    MULTIPART,
    Fields,
    Upload,
    parse_json,
    parse_json_in_form,
    parse_pairs,
)
from ippanel_edge.sandbox.connections import break_connection
from ippanel_edge.sandbox.control import control_routes, fault_row
from ippanel_edge.sandbox.faults import BROKEN, Faults, PlannedFault
from ippanel_edge.sandbox.hosts import SameOrigin
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
from ippanel_edge.sandbox.storage import save_now
from ippanel_edge.sandbox.views import iso
from ippanel_edge.sandbox.web.pages import PAGE, page_routes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.datastructures import UploadFile
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from ippanel_edge.sandbox.records import User
    from ippanel_edge.sandbox.state import SandboxState

BASE = "/v1"
SEND = "/api/send"


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


@functools.cache
def names_by_call() -> Mapping[str, frozenset[str]]:
    """Return the endpoints that the name of a call stands for: "send" is every send, other names one endpoint."""
    endpoints = all_endpoints()
    names = {endpoint.name: frozenset({endpoint.name}) for endpoint in endpoints}
    sends = {endpoint.name for endpoint in endpoints if endpoint.sending_type is not None}
    return {**names, "send": frozenset({*sends, "send.url"})}


def create_app(state: SandboxState, faults: Faults | None = None) -> Starlette:
    """Create the ASGI app of a sandbox.

    Args:
        state: the state of the sandbox; requests read and change it.
        faults: the faults to inject; none by default.
    """
    by_path = endpoints_by_path()
    pending = Faults(by_path.keys(), names_by_call()) if faults is None else faults
    routes: list[BaseRoute] = []
    # Routes are tried in this order: the one of most requests comes first, those with parameters last.
    for path in sorted(by_path, key=lambda path: ("{" in path, path != SEND, path)):
        path_app = _PathApp(path, by_path[path], state, pending)
        prefixes = (BASE, "") if path.startswith("/v2/") else (BASE,)
        routes += [Route(f"{prefix}{path}", path_app) for prefix in prefixes]
    routes += [control_routes(state, pending), *page_routes(state, pending, names_by_call())]

    async def on_http_error(request: Request, error: Exception) -> Response:
        reply = _http_error_reply(error)
        _publish_request(state, request, None, reply)
        return _render(reply)

    app = Starlette(
        routes=routes,
        middleware=[Middleware(_Dated, state=state), Middleware(SameOrigin, page=PAGE)],
        exception_handlers={HTTPException: on_http_error, Exception: _on_error},
    )
    app.router.redirect_slashes = False
    return app


class _Dated:
    """Adds the Date header to each response: the time of the sandbox, which tests may have changed."""

    def __init__(self, app: ASGIApp, *, state: SandboxState) -> None:
        self._app = app
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start" and all(name != b"date" for name, _ in message["headers"]):
                date = format_datetime(self._state.now, usegmt=True).encode()
                message = {**message, "headers": [*message["headers"], (b"date", date)]}
            await send(message)

        await self._app(scope, receive, dated)


def _publish_request(
    state: SandboxState, request: Request, name: str | None, reply: Reply | None, fault: PlannedFault | None = None
) -> None:
    """Publish a request of the API; its reply is None if the connection is broken."""
    if fault is not None:
        state.events.publish("fault", fault_row(fault))
    state.events.publish(
        "request",
        {
            "time": iso(state.now),
            "method": request.method,
            "path": request.scope["path"],  # request.url parses the whole address
            "call": name,
            "status": None if reply is None else reply.status,
            "error": None if reply is None else reply.refusal,
            "fault": None if fault is None else fault.fault.value,
        },
    )


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
        request = Request(scope, receive)
        try:
            reply, fault, name = await self._handle(request)
        except ClientDisconnect:  # during an upload: there is nobody to answer
            return
        if fault is not None:
            reply = _apply_fault(reply, fault)
        is_broken = fault is not None and fault.fault in BROKEN
        _publish_request(self._state, request, name, None if is_broken else reply, fault)
        if fault is None:
            await _render(reply)(scope, receive, send)
            return
        save_now(scope)
        if not fault.delay or await _wait_unless_disconnected(fault.delay, receive):
            await _respond_with_fault(reply, fault, scope, receive, send)

    async def _handle(self, request: Request) -> tuple[Reply, PlannedFault | None, str | None]:
        fault: PlannedFault | None = None
        name: str | None = None
        try:
            endpoints = self._by_method.get(request.method)
            if endpoints is None:
                raise method_not_allowed(sorted(self._by_method))
            values, content_type = await _read_body(request, endpoints, strict=self._state.strict)
            sending_type = values.get("sending_type")
            name = _name(endpoints, sending_type)
            fault = self._faults.take(self._path, sending_type if isinstance(sending_type, str) else None, name)
            if fault is None or fault.executed:
                reply = self._run(request, endpoints, values, content_type)
            else:
                reply = server_error().reply
        except Rejection as rejected:
            reply = rejected.reply
        return reply, fault, name

    def _run(
        self, request: Request, endpoints: Sequence[Endpoint], values: Mapping[str, Any], content_type: str | None
    ) -> Reply:
        state = self._state
        errors: dict[str, list[str]] = {}
        query = Fields(
            parse_pairs(request.query_params.multi_items()), from_strings=True, strict=state.strict, errors=errors
        )
        body = Fields(values, from_strings=content_type in {MULTIPART, FORM}, strict=state.strict, errors=errors)
        credential = request.headers.get("authorization", "")
        with state.lock:
            charge_due_messages(state)
            caller = _authenticate(state, endpoints[0], credential)
            endpoint = _choose(endpoints, body)
            if content_type is not None and content_type not in endpoint.content_types:
                raise unsupported_media_type(endpoint.content_types)
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


def _name(endpoints: Sequence[Endpoint], sending_type: object) -> str | None:
    """Return the name of the endpoint of a request; None if there is none of its sending type."""
    names = (endpoint.name for endpoint in endpoints if endpoint.sending_type in (None, sending_type))
    return next(names, None)


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


async def _read_body(
    request: Request, endpoints: Sequence[Endpoint], *, strict: bool
) -> tuple[Mapping[str, Any], str | None]:
    """Return the fields of the body and its content type, which one of the endpoints accepts; None: it has no body."""
    raw = await request.body()
    if request.method == "GET":
        if raw and strict:
            raise bad_request("درخواست GET نباید بدنه داشته باشد")
        return {}, None
    if not raw:
        return {}, None
    given, options = parse_options_header(request.headers.get("content-type"))
    content_type = given.decode("latin-1")
    accepted = dict.fromkeys(name for endpoint in endpoints for name in endpoint.content_types)
    if content_type not in accepted:
        raise unsupported_media_type(accepted)
    if content_type == JSON:
        return parse_json(raw), JSON
    if content_type == FORM and JSON in accepted:
        return parse_json_in_form(raw), JSON
    # The form parser accepts a truncated form as complete, so the closing boundary is checked here.
    if content_type == MULTIPART and not raw.rstrip().endswith(b"--%b--" % options.get(b"boundary", b"")):
        raise bad_request()
    async with request.form() as form:
        return parse_pairs([(name, await _form_value(value)) for name, value in form.multi_items()]), content_type


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


async def _respond_with_fault(reply: Reply, fault: PlannedFault, scope: Scope, receive: Receive, send: Send) -> None:
    if fault.fault not in BROKEN:
        await _render(reply, cut=fault.cut)(scope, receive, send)
        return
    response = _render(reply)
    cut = len(response.body) // 2 if fault.cut is None else fault.cut
    response.headers["content-length"] = str(max(len(response.body), cut + 1))
    start = {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
    await break_connection(fault.fault, scope, receive, send, start=start, body=bytes(response.body[:cut]))


def _apply_fault(reply: Reply, fault: PlannedFault) -> Reply:
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


def _http_error_reply(error: Exception) -> Reply:
    match error.status_code if isinstance(error, HTTPException) else 500:
        case 404:
            rejected = route_not_found()
        case 400:
            rejected = bad_request()
        case status:
            rejected = rejection(status, "خطا")
    return rejected.reply


async def _on_error(_request: Request, _error: Exception) -> Response:
    return _render(server_error().reply)
