"""From a Call to an httpx request, and from a raw answer to an httpx response. Sends nothing."""

from __future__ import annotations

import platform
import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast
from urllib.parse import urlsplit

import httpx

from ippanel_edge._version import __version__
from ippanel_edge.config import DEFAULT_BASE_URL
from ippanel_edge.errors import ConfigurationError, EdgeError, NotFound, evolve
from ippanel_edge.values.files import Upload
from ippanel_edge.values.secrets import Secret
from ippanel_edge.wire.call import CONTROL, Call, FormBody, JsonBody
from ippanel_edge.wire.reply import RawAnswer

USER_AGENT = f"ippanel-edge/{__version__} python/{platform.python_version()} httpx/{httpx.__version__}"
_HEADERS = {
    b"accept": (b"Accept", b"application/json"),
    b"accept-encoding": (b"Accept-Encoding", b"gzip"),
    b"user-agent": (b"User-Agent", USER_AGENT.encode()),
}
"""The headers of every request, by their lower-case names."""
_VERSION = re.compile(r"/v[0-9]+\Z")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_TRANSFER_HEADERS = frozenset({"content-encoding", "content-length", "transfer-encoding"})
_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"(?:[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)?")
_FRAMING = frozenset({"content-length", "transfer-encoding"})


class Request(httpx.Request):
    """An httpx request that makes its headers and its stream on first use, because the fast transport needs neither.

    Its repr does not show the query, which may hold credentials.
    """

    _raw: list[tuple[bytes, bytes]]
    _whole: bytes

    @classmethod
    def ready(
        cls,
        method: str,
        url: httpx.URL,
        headers: list[tuple[bytes, bytes]],
        content: bytes,
        timeout: Mapping[str, float | None],
    ) -> Request:
        """Return a request whose headers are complete and whose content is known."""
        request = cls.__new__(cls)
        request.method, request.url, request.extensions = method, url, {"timeout": timeout}
        request._raw, request._whole = headers, content  # noqa: SLF001 - of this class
        return request

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - of several types
        """Make what httpx's own constructor would have made."""
        value: Any
        if name == "headers":
            value = httpx.Headers(self._raw)
        elif name == "stream":
            value = Content(self._whole)
        elif name == "_content":
            value = self._whole
        else:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        setattr(self, name, value)
        return value

    def __repr__(self) -> str:
        """Return the method and the URL without its query."""
        return f"<Request({self.method!r}, {str(self.url.copy_with(query=None))!r})>"


def raw_headers(request: httpx.Request) -> list[tuple[bytes, bytes]]:
    """Return the names and values of a request's headers."""
    own = vars(request)
    return own["_raw"] if "_raw" in own and "headers" not in own else request.headers.raw


def whole_content(request: httpx.Request) -> bytes | None:
    """Return the content of a request, or None if it is a stream that can be read once."""
    own = vars(request)
    if "_whole" in own:
        return cast("bytes", own["_whole"])
    stream = request.stream
    return b"".join(stream) if isinstance(stream, httpx.ByteStream) else None


class Content(httpx.ByteStream):
    """The bytes of a body. Its asynchronous iterator is no generator, which would have to be closed."""

    def __init__(self, content: bytes) -> None:
        """Keep the bytes."""
        super().__init__(content)
        self._content = content

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate over the one chunk."""
        return _Chunks(self._content)


class _Chunks:
    def __init__(self, content: bytes) -> None:
        self._left: bytes | None = content

    def __aiter__(self) -> _Chunks:
        return self

    async def __anext__(self) -> bytes:
        chunk, self._left = self._left, None
        if chunk is None:
            raise StopAsyncIteration
        return chunk


def check_base_url(value: str | None, insecure_hosts: Collection[str] = ()) -> str:
    """Normalise a base URL: no trailing slash, no trailing ``/api``. None is the default URL.

    Args:
        value: the base URL.
        insecure_hosts: the hosts that may use http, in lower case, besides loopback.

    Raises:
        ConfigurationError: not https where it is required, or with a user name, query or fragment.
    """
    if not isinstance(value, str | None):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without a type checker
        raise ConfigurationError(f"expected a str, got {type(value).__name__}", argument="base_url")
    text = (value or DEFAULT_BASE_URL).strip()
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ConfigurationError(f"expected a URL such as {DEFAULT_BASE_URL}", argument="base_url") from None
    if not host or parts.scheme not in ("https", "http") or CONTROL.search(text) or "\\" in text:
        raise ConfigurationError(f"expected a URL such as {DEFAULT_BASE_URL}", argument="base_url")
    if "@" in parts.netloc:
        raise ConfigurationError("must not contain a user name or password", argument="base_url")
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise ConfigurationError("must not contain a query or a fragment", argument="base_url")
    if parts.scheme == "http" and host not in _LOOPBACK and host not in insecure_hosts:
        raise ConfigurationError(
            "must use https; http is allowed for 127.0.0.1 and for hosts in allow_insecure_hosts", argument="base_url"
        )
    if any(segment in (".", "..") for segment in parts.path.split("/")):
        raise ConfigurationError("must not contain '.' or '..' path segments", argument="base_url")
    name = f"[{host}]" if ":" in host else host
    path = parts.path.rstrip("/").removesuffix("/api")
    return f"{parts.scheme}://{name}{f':{port}' if port is not None else ''}{path}"


def advised(error: EdgeError, base_url: str) -> EdgeError:
    """Return an error with advice if it is a 404 and the base URL has no version: that is probably why."""
    if isinstance(error, NotFound) and not error.advice and not _VERSION.search(base_url):
        return evolve(error, advice=f"the base URL usually ends in /v1, such as {DEFAULT_BASE_URL}")
    return error


def check_secret(value: Secret, *, argument: str) -> Secret:
    """Return a key or token that can be a header value.

    Raises:
        ConfigurationError: it is empty or has characters other than visible ASCII. The message never shows the value.
    """
    if not value.strip():
        raise ConfigurationError("must not be empty", argument=argument)
    if value.lower().startswith("bearer"):
        raise ConfigurationError("must not include the 'Bearer' prefix; pass the raw key", argument=argument)
    if not _VISIBLE_ASCII.fullmatch(value):
        raise ConfigurationError(
            "expected visible ASCII without spaces; copy it again, without quotes or line breaks", argument=argument
        )
    return value


def check_header(name: str, value: str) -> None:
    """Check a header of a call; a middleware may have added it.

    Raises:
        ConfigurationError: the name is not an HTTP token or belongs to the framing of the request, or the value is
            not visible ASCII with inner blanks.
    """
    if not _HEADER_NAME.fullmatch(name):
        raise ConfigurationError("a header name is not valid in HTTP", argument="headers")
    if name.lower() in _FRAMING:
        raise ConfigurationError(
            "the SDK sets it, because it must fit the body; leave it out", argument=f"headers[{name!r}]"
        )
    if not _HEADER_VALUE.fullmatch(value):
        raise ConfigurationError(
            "expected visible ASCII without leading or trailing blanks", argument=f"headers[{name!r}]"
        )


def url_for(base_url: str, path: str) -> str:
    """Return the URL of a path.

    A path that begins with /v2/ is a sibling of /v1, not below it: the documentation writes {base_url}/v2/api/…, which
    read literally would be /v1/v2/api. No other code depends on this.
    """
    if path.startswith("/v2/"):
        return base_url.removesuffix("/v1") + path
    return base_url + path


def build(call: Call[Any], *, base_url: str, timeout: httpx.Timeout, remaining: float | None = None) -> httpx.Request:
    """Build the request, without cookies and with no headers but those of the call and of this SDK.

    Args:
        call: the call.
        base_url: as `check_base_url` returns it.
        timeout: seconds for each step: connect, read, write, pool.
        remaining: seconds left of the deadline; no step may take longer.

    Raises:
        ConfigurationError: a header is not valid in HTTP (its value is not shown), or the URL is too long.
    """
    url = _url(call, base_url)
    body = call.body
    headers = {b"host": (b"Host", url.netloc), **_HEADERS}
    content: dict[str, Any] | None = None
    whole = b""
    if isinstance(body, JsonBody):
        whole = body.content
        headers[b"content-type"] = (b"Content-Type", b"application/json")
        headers[b"content-length"] = (b"Content-Length", b"%d" % len(whole))
    elif isinstance(body, FormBody):
        content = {"data": _grouped(body.fields)}
    elif body is not None:
        content = {"files": _parts(body.fields, body.files)}
    elif call.method not in ("GET", "DELETE"):  # as httpx states it
        headers[b"content-length"] = (b"Content-Length", b"0")
    for name, value in call.headers.items():  # one that a middleware sets replaces ours in any spelling
        check_header(name, value)
        headers[name.lower().encode()] = (name.encode(), value.encode())
    fields, seconds = list(headers.values()), capped(timeout, remaining)
    if content is None:
        return Request.ready(call.method, url, fields, whole, seconds)
    request = Request(call.method, url, headers=fields, extensions={"timeout": seconds}, **content)
    if isinstance(request.stream, httpx.ByteStream):
        request.stream = Content(request.content)
    return request


def _url(call: Call[Any], base_url: str) -> httpx.URL:
    try:
        url = _parsed(url_for(base_url, call.path))
        return url.copy_with(params=call.query) if call.query else url
    except httpx.InvalidURL:
        pass
    # Raised outside of the except block: httpx's frames hold the query, which may contain a password.
    raise ConfigurationError("the resulting URL is too long", argument=_longest(call))


@lru_cache(maxsize=128)
def _parsed(url: str) -> httpx.URL:
    """Parse a URL without a query. Most calls of a client have one of a few paths."""
    return httpx.URL(url)


def _longest(call: Call[Any]) -> str:
    """Return the name of the longest argument of a URL."""
    if not call.query:
        return "path"
    name = max(call.query, key=lambda field: len(field[1]))[0]
    return "query" if call.endpoint.name == "request" else name


def _grouped(fields: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Group the values of equal names, which is how httpx takes a form."""
    grouped: dict[str, list[str]] = {}
    for name, value in fields:
        grouped.setdefault(name, []).append(value)
    return grouped


def _parts(fields: Sequence[tuple[str, str]], files: Sequence[tuple[str, Upload]]) -> list[tuple[str, Any]]:
    """List the parts of a multipart body. A field is a part without a file name: httpx needs files for multipart."""
    return [*((name, (None, text)) for name, text in fields), *((field, upload.part()) for field, upload in files)]


def capped(timeout: httpx.Timeout, remaining: float | None) -> Mapping[str, float | None]:
    """Return the seconds of each step, limited to those that are left of a deadline."""
    steps = timeout.as_dict()
    if remaining is None:
        return steps
    return {step: remaining if seconds is None else min(seconds, remaining) for step, seconds in steps.items()}


def response(request: httpx.Request, answer: RawAnswer, body: bytes) -> httpx.Response:
    """Return a raw answer as an httpx response, for callers of `client.request`."""
    # Encoded here: httpx would encode header values as ASCII, but it decodes them as UTF-8 if necessary.
    headers = [
        (name.encode(), value.encode()) for name, value in answer.headers.items() if name not in _TRANSFER_HEADERS
    ]
    return httpx.Response(answer.status_code, headers=headers, content=body, request=request)
