"""The sandbox as a web app: finds the rule for a request, checks who calls, and puts answers into HTTP."""

from __future__ import annotations

import json
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

import anyio
from python_multipart.multipart import parse_options_header
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ippanel_edge.sandbox import rules
from ippanel_edge.sandbox.bodies import Fields, Upload, parse_json, parse_pairs
from ippanel_edge.sandbox.faults import Fault, Faults
from ippanel_edge.sandbox.replies import (
    Answer,
    Refusal,
    failure,
    invalid,
    label,
    no_such_route,
    not_valid_text,
    refusal,
    required_text,
    unauthorized,
    unreadable,
    unsupported,
    wrong_method,
)
from ippanel_edge.sandbox.routes import Call, Served

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.datastructures import UploadFile
    from starlette.types import Receive, Scope, Send

    from ippanel_edge.sandbox.records import User
    from ippanel_edge.sandbox.store import World

BASE = "/v1"
JSON, MULTIPART, FORM = b"application/json", b"multipart/form-data", b"application/x-www-form-urlencoded"


def served() -> list[Served]:
    """Return every endpoint of the modules in `rules`."""
    found: list[Served] = []
    for module in iter_modules(rules.__path__, f"{rules.__name__}."):
        found += [value for value in vars(import_module(module.name)).values() if isinstance(value, Served)]
    return found


def create_app(world: World, faults: Faults | None = None) -> Starlette:
    """Make the app that serves this world.

    Args:
        world: the state; it is changed by what the app serves.
        faults: what goes wrong on purpose.
    """
    by_path: dict[str, list[Served]] = {}
    for endpoint in served():
        by_path.setdefault(endpoint.path, []).append(endpoint)
    planned = Faults() if faults is None else faults
    routes: list[Route] = []
    for path in sorted(by_path, key=lambda path: ("{" in path, path)):
        address = _Address(path, by_path[path], world, planned)
        prefixes = (BASE, "") if path.startswith("/v2/") else (BASE,)
        routes += [Route(f"{prefix}{path}", address) for prefix in prefixes]
    return Starlette(routes=routes, exception_handlers={HTTPException: _on_http_error, Exception: _on_error})


class _Address:
    """One path with its rules: an ASGI app, so that Starlette leaves the methods to us."""

    def __init__(self, path: str, endpoints: Sequence[Served], world: World, faults: Faults) -> None:
        self._path = path
        self._world = world
        self._faults = faults
        self._by_method: dict[str, list[Served]] = {}
        for endpoint in endpoints:
            for method in (endpoint.method, *endpoint.also):
                self._by_method.setdefault(method, []).append(endpoint)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer, fault = await self._answer(Request(scope, receive))
        if fault is None:
            await _render(answer)(scope, receive, send)
        elif not fault.delay or await _is_there_after(fault.delay, receive):
            await _render(_spoil(answer, fault), cut=fault.cut)(scope, receive, send)

    async def _answer(self, request: Request) -> tuple[Answer, Fault | None]:
        fault: Fault | None = None
        try:
            endpoints = self._by_method.get(request.method)
            if endpoints is None:
                raise wrong_method(sorted(self._by_method))
            values, textual = await _read_body(request)
            sending_type = values.get("sending_type")
            fault = self._faults.take(self._path, sending_type if isinstance(sending_type, str) else None)
            if fault is None or fault.status is None or fault.carried_out:
                answer = self._run(request, endpoints, values, textual=textual)
            else:
                answer = failure().answer
        except Refusal as refused:
            answer = refused.answer
        return answer, fault

    def _run(
        self, request: Request, endpoints: Sequence[Served], values: Mapping[str, Any], *, textual: bool
    ) -> Answer:
        world = self._world
        errors: dict[str, list[str]] = {}
        query = Fields(
            parse_pairs(request.query_params.multi_items()), textual=True, strict=world.strict, errors=errors
        )
        body = Fields(values, textual=textual, strict=world.strict, errors=errors)
        credential = request.headers.get("authorization", "")
        with world.lock:
            caller = _caller(world, endpoints[0], credential)
            endpoint = _choose(endpoints, body)
            return endpoint.rule(
                Call(
                    world=world,
                    path=self._path,
                    parts=request.path_params,
                    query=query,
                    body=body,
                    caller=caller,
                    credential=credential,
                    client_ip=request.client.host if request.client else None,
                )
            )


def _caller(world: World, endpoint: Served, credential: str) -> User | None:
    if endpoint.auth == "none":
        return None
    if endpoint.auth == "token" and credential in world.api_keys:
        raise unauthorized()
    user = world.user_of(credential)
    if user is None or user.status != "active":
        raise unauthorized()
    return user


def _choose(endpoints: Sequence[Served], body: Fields) -> Served:
    if endpoints[0].sending_type is None:
        return endpoints[0]
    body.ignore("sending_type")
    wanted = body.values.get("sending_type")
    for endpoint in endpoints:
        if endpoint.sending_type == wanted:
            return endpoint
    name = label("sending_type")
    raise invalid({"sending_type": [not_valid_text(name) if wanted else required_text(name)]})


async def _read_body(request: Request) -> tuple[Mapping[str, Any], bool]:
    """Read the body: its values, and whether they came as text. A GET's body is left alone."""
    if request.method == "GET":
        return {}, False
    raw = await request.body()
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind in {MULTIPART, FORM}:
        # The parser takes what a cut form has so far as all of it.
        if kind == MULTIPART and not raw.rstrip().endswith(b"--%b--" % options.get(b"boundary", b"")):
            raise unreadable()
        async with request.form() as form:
            return parse_pairs([(name, await _form_value(value)) for name, value in form.multi_items()]), True
    if not raw:
        return {}, False
    if kind != JSON:
        raise unsupported()
    return parse_json(raw), False


async def _form_value(value: UploadFile | str) -> str | Upload:
    if isinstance(value, str):
        return value
    return Upload(value.filename or "", value.content_type or "", await value.read())


async def _is_there_after(seconds: float, receive: Receive) -> bool:
    """Wait, unless the client goes away first: nobody is to wait for a request that nobody waits for."""
    with anyio.move_on_after(seconds):
        while (await receive())["type"] != "http.disconnect":
            pass
        return False
    return True


def _spoil(answer: Answer, fault: Fault) -> Answer:
    if fault.status is None:
        return Answer(answer.status, answer.body, {**answer.headers, **fault.headers})
    body = refusal(fault.status, "خطای سیستمی رخ داده است").answer.body if fault.body is None else fault.body
    return Answer(fault.status, body, fault.headers)


def _render(answer: Answer, *, cut: int | None = None) -> Response:
    if isinstance(answer.body, bytes | str):
        content, kind = answer.body, "text/html; charset=utf-8"
    else:
        content, kind = json.dumps(answer.body, ensure_ascii=False), "application/json"
    raw = content.encode() if isinstance(content, str) else content
    headers = {"content-type": kind} | {name.lower(): value for name, value in answer.headers.items()}
    return Response(raw if cut is None else raw[:cut], answer.status, headers)


async def _on_http_error(_request: Request, error: Exception) -> Response:
    match error.status_code if isinstance(error, HTTPException) else 500:
        case 404:
            refused = no_such_route()
        case 400:
            refused = unreadable()
        case status:
            refused = refusal(status, "خطا")
    return _render(refused.answer)


async def _on_error(_request: Request, _error: Exception) -> Response:
    return _render(failure().answer)
