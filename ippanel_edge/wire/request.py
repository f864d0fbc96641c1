"""From a call's arguments to an httpx request. The one module of wire that knows httpx; it sends nothing."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast
from urllib.parse import quote, urlsplit

import attrs
import httpx

from ippanel_edge._version import __version__
from ippanel_edge.config import DEFAULT_BASE_URL
from ippanel_edge.endpoints import Endpoint, Method, Repeat
from ippanel_edge.errors import ConfigurationError
from ippanel_edge.values.checks import characters
from ippanel_edge.values.files import FileInput, Upload, open_upload
from ippanel_edge.values.secrets import Secret
from ippanel_edge.wire.reply import RawAnswer

USER_AGENT = f"ippanel-edge/{__version__} python/{platform.python_version()} httpx/{httpx.__version__}"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_OF_THE_WIRE = frozenset({"content-encoding", "content-length", "transfer-encoding"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"(?:[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)?")

Body = Literal["none", "json", "form", "multipart"]


@attrs.frozen(kw_only=True)
class Call:
    """One call on its way through the middleware: what will be asked, not yet a request.

    A middleware may hand on a changed copy (`attrs.evolve`), with further headers, say.

    Attributes:
        endpoint: the line of endpoints.py.
        method: the HTTP method; differs from the endpoint's where its alternate is tried.
        path: below the base URL, its parameters put in and quoted.
        query: names and values.
        body: which kind of body `content` and `files` make.
        content: JSON text as bytes, or the form's names and values.
        files: the parts of a multipart body.
        headers: headers of this call; the secret one is not shown.
        timeout: seconds for each step (connect, read, write, pool).
        journey: the record of the call's attempts, which its copies share.
    """

    endpoint: Endpoint[Any]
    method: str
    path: str
    query: Sequence[tuple[str, str]] = attrs.field(default=(), repr=False)
    body: Body = "none"
    content: bytes | Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    files: Sequence[tuple[str, Upload]] = ()
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    timeout: httpx.Timeout = attrs.field(factory=lambda: httpx.Timeout(None), repr=False)
    journey: Any = attrs.field(default=None, repr=False, eq=False)

    @property
    def repeat(self) -> Repeat:
        """What a second, equal request does."""
        return self.endpoint.repeat


class Content(bytes):
    """A JSON body. It may hold a password or a code, so that repr does not show it, and that it is not pickled."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Give its size alone."""
        return f"<{len(self)} bytes>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Refuse to be pickled."""
        raise TypeError("the body of a call is not pickled: it may hold a secret")

    def __copy__(self) -> Content:
        """Stay the same: it never changes."""
        return self

    def __deepcopy__(self, _: object) -> Content:
        """Stay the same: it never changes."""
        return self


class Asked(httpx.Request):
    """A request whose repr does not show its query, which may hold credentials."""

    def __repr__(self) -> str:
        """Give method and address."""
        return f"<Request({self.method!r}, {str(self.url.copy_with(query=None))!r})>"


def plan(
    endpoint: Endpoint[Any],
    *,
    path: Mapping[str, object] | None = None,
    query: Mapping[str, object] | None = None,
    json_body: object = None,
    form: Mapping[str, object] | None = None,
    files: Sequence[tuple[str, Upload]] = (),
) -> Call:
    """Put a call's arguments into their places; what is None is left out.

    Raises:
        ConfigurationError: a path parameter that would change the path, a value that cannot be written, or two bodies.
    """
    if json_body is not None and (files or form is not None):
        raise ConfigurationError("is given together with a form: a request has one body", argument="json")
    body: Body = "none"
    content: bytes | Mapping[str, Any] | None = None
    if files or endpoint.multipart:
        body, content = "multipart", _fields(form or {})
    elif form is not None:
        body, content = "form", _fields(form)
    elif json_body is not None:
        body, content = "json", encode_json(json_body)
    return Call(
        endpoint=endpoint,
        method=endpoint.method,
        path=fill(endpoint.path, path or {}),
        query=tuple(
            (_text_of(name, "query"), _as_query(value, name))
            for name, value in (query or {}).items()
            if value is not None
        ),
        body=body,
        content=content,
        files=tuple(files),
    )


def uploads(files: Sequence[tuple[str, FileInput]]) -> list[tuple[str, Upload]]:
    """Describe files of any kind and size, each with its field's name."""
    return [
        (_text_of(field, f"files[{index}]"), open_upload(file, argument=f"files[{index}]", kinds=None, max_bytes=None))
        for index, (field, file) in enumerate(files)
    ]


def _as_query(value: object, name: str) -> str:
    if isinstance(value, Secret):
        return value
    return ("true" if value else "false") if isinstance(value, bool) else _text_of(value, name)


def _text_of(value: object, argument: str) -> str:
    """Write a value as text, where it can be: halves of characters cannot, nor can numbers of thousands of digits."""
    try:
        text = str(value)
    except ValueError:
        raise ConfigurationError("has too many digits to be written", argument=argument) from None
    return characters(text, argument=argument)


def _fields(form: Mapping[str, object]) -> dict[str, str | list[str]]:
    return {
        _text_of(name, "data"): [_as_query(item, name) for item in cast("list[object]", value)]
        if isinstance(value, list)
        else _as_query(value, name)
        for name, value in form.items()
        if value is not None
    }


def encode_json(value: object) -> bytes:
    """Write JSON as compact UTF-8.

    Raises:
        ConfigurationError: NaN, infinity, a lone surrogate, or a type that JSON does not know.
    """
    try:
        return Content(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"cannot be written as JSON: {type(error).__name__}", argument="json") from None


def fill(template: str, values: Mapping[str, object]) -> str:
    """Put path parameters into a path, quoted so that each stays one step of it.

    Raises:
        ConfigurationError: a parameter that is empty, ``.``, ``..`` or holds a control character.
    """

    def quoted(match: re.Match[str]) -> str:
        name = match[1]
        text = str(values[name])
        if text in ("", ".", "..") or _CONTROL.search(text):
            raise ConfigurationError(f"{text!r} cannot be a part of an address", argument=name)
        return quote(text, safe="")

    return re.sub(r"\{(\w+)\}", quoted, template)


def check_path(path: str) -> str:
    """Accept a path for `client.request`, else say why not: an absolute one would take the key to another host.

    Raises:
        ConfigurationError: not a path below the base URL.
    """
    plain = path.split("?", 1)[0]
    steps = plain.split("/")
    if (
        not path.startswith("/")
        or path.startswith("//")
        or "\\" in path
        or "#" in path
        or _CONTROL.search(path)
        or any(step in (".", "..") or re.fullmatch(r"(?i)(\.|%2e){1,2}", step) for step in steps)
    ):
        raise ConfigurationError("must be a path below the base URL, such as /api/send", argument="path")
    if "?" in path:
        raise ConfigurationError("must not hold a query: hand it over as query={…}", argument="path")
    return path


def check_base_url(value: str | None) -> str:
    """Bring a base URL into its one form, without a closing slash or ``/api``.

    Raises:
        ConfigurationError: not https (or http on loopback), or with user, query or fragment.
    """
    text = (value or DEFAULT_BASE_URL).strip()
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ConfigurationError("is not a URL", argument="base_url") from None
    if not host or parts.scheme not in ("https", "http") or _CONTROL.search(text) or "\\" in text:
        raise ConfigurationError(f"must look like {DEFAULT_BASE_URL}", argument="base_url")
    if "@" in parts.netloc:
        raise ConfigurationError("must not hold a user name or password", argument="base_url")
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise ConfigurationError("must not hold a query or a fragment", argument="base_url")
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise ConfigurationError("must be https: plain http is for this machine alone (127.0.0.1)", argument="base_url")
    if any(step in (".", "..") for step in parts.path.split("/")):
        raise ConfigurationError("must not hold . or .. in its path", argument="base_url")
    name = f"[{host}]" if ":" in host else host
    path = parts.path.rstrip("/").removesuffix("/api")
    return f"{parts.scheme}://{name}{f':{port}' if port is not None else ''}{path}"


def check_secret(value: Secret, *, argument: str) -> Secret:
    """Accept a key or token that can be a header's value.

    Raises:
        ConfigurationError: empty, or with anything but visible ASCII; the text never holds the value.
    """
    if not _VISIBLE_ASCII.fullmatch(value):
        raise ConfigurationError(
            "must be visible ASCII without spaces: copy it again, without quotes or line ends", argument=argument
        )
    if value.lower().startswith("bearer"):
        raise ConfigurationError("is sent as it is: leave “Bearer” away", argument=argument)
    return value


def check_header(name: str, value: str) -> None:
    """Accept a header of a call, which a middleware may have put there.

    Raises:
        ConfigurationError: a name that is no token, or a value with anything but visible ASCII and blanks between.
    """
    if not _HEADER_NAME.fullmatch(name):
        raise ConfigurationError("has a name that HTTP does not carry", argument="headers")
    if not _HEADER_VALUE.fullmatch(value):
        raise ConfigurationError("must be visible ASCII, with no blank at its ends", argument=f"headers[{name!r}]")


def url_for(base_url: str, path: str) -> str:
    """Put a path below the base URL.

    A path that begins with /v2/ goes beside /v1, not below it: the published pages write {base_url}/v2/api/…, which
    read literally would be /v1/v2/api. This is the only place that knows of it.
    """
    if path.startswith("/v2/"):
        return base_url.removesuffix("/v1") + path
    return base_url + path


def unnamed(method: str, path: str, repeat: Repeat) -> Endpoint[Any]:
    """Make the endpoint of an address that endpoints.py does not name.

    Raises:
        ConfigurationError: not a method, or not a path below the base URL.
    """
    name = str(method).upper()
    if name not in ("GET", "POST", "PUT", "DELETE", "PATCH"):
        raise ConfigurationError("must be GET, POST, PUT, PATCH or DELETE", argument="method")
    safe = quote(check_path(path), safe="/%:@!$&'()*+,;=~-._")
    return Endpoint("request", cast("Method", name), safe, repeat, object, "", bare=True)


def build(call: Call, *, base_url: str, remaining: float | None = None) -> httpx.Request:
    """Make the request, without cookies and with no header but those written here.

    Args:
        call: what to ask.
        base_url: in the form of `check_base_url`.
        remaining: seconds left of the deadline: no step may take longer.

    Raises:
        ConfigurationError: a header that HTTP does not carry, whose value is not shown; or too long an address.
    """
    for name, value in call.headers.items():
        check_header(name, value)
    # In httpx's form, in which a middleware's name in other letters takes the place of ours.
    headers = httpx.Headers({"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": USER_AGENT})
    headers.update(call.headers)
    content: dict[str, Any] = {}
    if call.body == "json":
        headers["Content-Type"] = "application/json"
        content = {"content": call.content}
    elif call.body == "form":
        content = {"data": call.content}
    elif call.body == "multipart":
        content = {"files": _parts(cast("Mapping[str, str | list[str]]", call.content), call.files)}
    try:
        return Asked(
            call.method,
            url_for(base_url, call.path),
            params=tuple(call.query) or None,
            headers=headers,
            extensions={"timeout": _steps(call.timeout, remaining)},
            **content,
        )
    except httpx.InvalidURL:
        pass
    # Raised outside of the except block: the frames of httpx hold the query, and with it perhaps a password.
    raise ConfigurationError("makes an address that is too long", argument="query" if call.query else "path")


def _parts(fields: Mapping[str, str | list[str]], files: Sequence[tuple[str, Upload]]) -> list[tuple[str, Any]]:
    """Make the parts of a multipart body. A field is a part without a file name: httpx makes no multipart of fields."""
    plain = [
        (name, (None, text))
        for name, value in fields.items()
        for text in (value if isinstance(value, list) else [value])
    ]
    return [*plain, *((field, upload.part()) for field, upload in files)]


def _steps(timeout: httpx.Timeout, remaining: float | None) -> dict[str, float | None]:
    steps = timeout.as_dict()
    if remaining is None:
        return steps
    return {step: remaining if seconds is None else min(seconds, remaining) for step, seconds in steps.items()}


def response(asked: httpx.Request, answer: RawAnswer, body: bytes) -> httpx.Response:
    """Make the answer that a caller of `client.request` may look into."""
    # As bytes: httpx writes a header's text as ASCII, but read it as UTF-8 where it had to.
    headers = [(name.encode(), value.encode()) for name, value in answer.headers.items() if name not in _OF_THE_WIRE]
    return httpx.Response(answer.status_code, headers=headers, content=body, request=asked)
