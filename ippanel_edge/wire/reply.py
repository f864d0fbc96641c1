"""From the bytes of a response to data, or to an error with the outcome of the request. No I/O, no httpx."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import NoneType
from typing import Any, Generic, NoReturn, TypeVar, cast

import attrs

from ippanel_edge import wire
from ippanel_edge.config import MAX_ANSWER_BYTES
from ippanel_edge.endpoints import Endpoint
from ippanel_edge.errors import (
    ApiError,
    AuthenticationError,
    Conflict,
    DecodeError,
    DuplicateMessage,
    InsufficientCredit,
    NotFound,
    Outcome,
    PermissionDenied,
    RateLimited,
    ServerError,
    ValidationFailed,
    evolve,
    request_id_of,
)
from ippanel_edge.models.common import Meta
from ippanel_edge.models.send_result import SendResult
from ippanel_edge.values.redaction import masked
from ippanel_edge.wire.credit import speaks_of_credit

T = TypeVar("T")

_EXCERPT = 200
_MAX_DEPTH = 64
_MAX_CONTAINERS = 100_000
"""The maximum of objects and arrays in a response; a page of 1,000 rows has some thousands."""
_MAX_MEMBERS = 500_000
"""The maximum of members of all objects in a response."""
_MAX_ITEMS = 2_000_000
"""The maximum of values in a response; the ids of a large send are the most."""
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
# Not after a backslash, which may be an escaped one.
_PAIR = re.compile(rb"\\u(?<!\\\\u)[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_CONTAINERS = frozenset((dict, list))
_GZIP = frozenset({"gzip", "x-gzip"})
_FIRST_BYTES = 8
"""The opening bracket of JSON is among these bytes, also in UTF-16 or UTF-32 and after a byte order mark."""
_KINDS: Mapping[int, type[ApiError]] = {
    400: ValidationFailed,
    401: AuthenticationError,
    403: PermissionDenied,
    404: NotFound,
    409: Conflict,
    422: ValidationFailed,
    429: RateLimited,
}


@attrs.frozen(kw_only=True)
class RawAnswer:
    """A response as it was received, not parsed yet.

    Attributes:
        status_code: the HTTP status.
        headers: lower-case names to values.
        content: the body, still compressed if `headers` says so.
    """

    status_code: int
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    content: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen(kw_only=True)
class Reply(Generic[T]):
    """A successful response.

    Attributes:
        data: the decoded result of the endpoint.
        meta: the envelope's `meta` object.
        response: the response as an `httpx.Response`.
    """

    data: T
    meta: Meta
    _make_response: Callable[[], Any] = attrs.field(default=lambda: None, alias="make_response", repr=False, eq=False)

    @property
    def request_id(self) -> str | None:
        """The id by which the service or its CDN can find the request, or None."""
        response = self.response
        return None if response is None else request_id_of(response.headers)

    @property
    def response(self) -> Any:
        """The response as an `httpx.Response`, its body decompressed."""
        return self._make_response()


def parse(endpoint: Endpoint[T], answer: RawAnswer, *, now: datetime | None = None) -> tuple[T, Meta, bytes]:
    """Parse a response: return the data, the meta, and the decompressed body.

    Args:
        endpoint: the endpoint that was called.
        answer: the response.
        now: the time from which a Retry-After date is measured; defaults to the current time.

    Raises:
        ApiError: the service rejected the request or failed.
        DecodeError: a 2xx response that is not what the API documents.
    """
    if not 200 <= answer.status_code < 300:
        return _result_of_status(endpoint, answer, rejection(answer, endpoint, now=now))
    try:
        body = decompress(answer)
        if endpoint.returns is bytes and _is_file(answer.headers):
            return cast("T", body), Meta(), body
        envelope = parse_json(body)
        return *_open(endpoint, envelope, answer), body
    except DecodeError as error:
        raise evolve(error, status_code=answer.status_code) from None


def _result_of_status(endpoint: Endpoint[T], answer: RawAnswer, error: ApiError) -> tuple[T, Meta, bytes]:
    """Return the result that a status stands for, such as 409 for "taken", if the API sent it and not a proxy."""
    for status, result in endpoint.statuses:
        if status == answer.status_code and error.enveloped:
            body = decompress(answer)
            return result, _meta_of(body), body
    raise error


def _open(endpoint: Endpoint[T], envelope: object, answer: RawAnswer) -> tuple[T, Meta]:
    if not isinstance(envelope, dict):
        raise DecodeError("expected a {data, meta} envelope")
    reply = cast("dict[str, object]", envelope)
    meta = _meta(reply.get("meta"))
    if meta is None:
        if not endpoint.bare:
            raise DecodeError("the response has no meta.status", where="meta")
        meta = Meta()
    elif meta.status is False:
        error = _error(ApiError, answer, meta, reply)
        raise evolve(error, outcome=Outcome.UNKNOWN) if _has_ids(endpoint, reply) else error
    data = reply.get("data", None if "meta" in reply else reply)
    for status, result in endpoint.statuses:
        if status == answer.status_code:
            return result, meta
    returns: Any = endpoint.returns
    if returns is NoneType:
        return cast("T", None), meta
    if returns is bytes:
        return cast("T", None), meta
    if returns is object:
        return cast("T", data), meta
    return wire.codec.decode(data, endpoint.returns, meta=meta.raw), meta


def _has_ids(endpoint: Endpoint[Any], reply: Mapping[str, object]) -> bool:
    """Whether the response has the message ids of a send: the send may have been executed, whatever its status is."""
    returns: Any = endpoint.returns
    if returns is not SendResult:
        return False
    try:
        wire.codec.decode(reply.get("data"), SendResult)
    except DecodeError:
        return False
    return True


def _meta(value: object) -> Meta | None:
    """Parse meta. Return None if it is absent or has no valid status."""
    if not isinstance(value, dict):
        return None
    raw = cast("dict[str, Any]", value)
    try:
        status = wire.codec.to_bool(raw.get("status"))
    except ValueError:
        return None
    return Meta(
        status=status,
        message=_text(raw.get("message")),
        message_code=_text(raw.get("message_code")),
        message_parameters=tuple(_list(raw.get("message_parameters"))),
        errors=_field_errors(raw.get("errors")),
        raw=raw,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _list(value: object) -> Sequence[Any]:
    return cast("Sequence[Any]", value) if isinstance(value, list) else ()


def _field_errors(value: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        return {}
    fields = cast("dict[str, object]", value)
    return {name: tuple(_text(text) for text in _texts(texts)) for name, texts in fields.items()}


def _texts(value: object) -> Sequence[object]:
    """Return a field's messages: a list, as documented, or a single one."""
    if isinstance(value, list):
        return cast("Sequence[object]", value)
    return () if value is None else (value,)


def _meta_of(body: bytes) -> Meta:
    envelope = cast("dict[str, object]", parse_json(body))
    return _meta(envelope.get("meta")) or Meta()


def rejection(answer: RawAnswer, endpoint: Endpoint[Any], *, now: datetime | None = None) -> ApiError:
    """Return the error of a response that is not 2xx."""
    status = answer.status_code
    kind = _KINDS.get(status) or (ServerError if status >= 500 else ApiError)
    returns: Any = endpoint.returns
    if kind is RateLimited and returns is SendResult:
        kind = DuplicateMessage
    try:
        envelope = parse_json(decompress(answer))
    except DecodeError:
        envelope = None
    reply = cast("dict[str, object]", envelope) if isinstance(envelope, dict) else {}
    meta = _meta(reply.get("meta"))
    error = _error(kind, answer, meta, reply, now=now)
    return evolve(error, advice=endpoint.method_advice) if status == 405 and endpoint.method_advice else error


def _error(
    kind: type[ApiError],
    answer: RawAnswer,
    meta: Meta | None,
    reply: Mapping[str, object],
    *,
    now: datetime | None = None,
) -> ApiError:
    said = meta or Meta()
    if speaks_of_credit(answer.status_code, said.message):
        kind = InsufficientCredit
    return kind(
        said.message,
        status_code=answer.status_code,
        message_code=said.message_code,
        errors=said.errors or _field_errors(reply.get("errors")),
        enveloped=meta is not None,
        retry_after=retry_after(answer.headers.get("retry-after"), now=now),
        allow=[method.strip().upper() for method in answer.headers.get("allow", "").split(",") if method.strip()],
        excerpt="" if meta is not None else _excerpt(answer),
        headers=answer.headers,
        outcome=outcome_of(answer.status_code),
    )


def outcome_of(status: int) -> Outcome:
    """Return the outcome for a status: 4xx is REJECTED; 3xx, 5xx, 408 and 499 (a proxy's timeouts) are UNKNOWN."""
    if 200 <= status < 300 or (400 <= status < 500 and status not in (408, 499)):
        return Outcome.REJECTED
    return Outcome.UNKNOWN


def _excerpt(answer: RawAnswer) -> str:
    try:
        return _begin(decompress(answer))
    except DecodeError:
        return ""


def retry_after(value: str | None, *, now: datetime | None = None) -> float | None:
    """Parse a Retry-After header: seconds or an HTTP date. Invalid values are None; a past date is 0."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:15])
    try:
        when = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - (now or datetime.now(UTC))).total_seconds())


def _is_file(headers: Mapping[str, str]) -> bool:
    """Whether the body is a file, and not the API's JSON or a proxy's page."""
    kind = headers.get("content-type", "").lower()
    return "json" not in kind and "html" not in kind


def _encoding(answer: RawAnswer) -> str:
    return answer.headers.get("content-encoding", "").strip().lower()


def decompress(answer: RawAnswer, *, limit: int = MAX_ANSWER_BYTES) -> bytes:
    """Decompress gzip, up to `limit` bytes.

    Raises:
        DecodeError: an encoding that was not requested, invalid data, or more than `limit` bytes.
    """
    encoding = _encoding(answer)
    if encoding in ("", "identity"):
        return answer.content
    if encoding not in _GZIP:
        raise DecodeError(f"the response has the encoding {encoding[:20]!r}, which was not requested")
    stream = zlib.decompressobj(wbits=31)
    try:
        body = stream.decompress(answer.content, limit + 1)
    except zlib.error as error:
        raise DecodeError("the gzip data is invalid") from error
    if len(body) > limit:
        raise DecodeError(f"the response is larger than {limit:,} bytes")
    if not stream.eof:
        raise DecodeError("the gzip data is truncated")
    if stream.unused_data:
        raise DecodeError("the gzip data is followed by other bytes")
    return body


def decoded_size(answer: RawAnswer) -> int:
    """Return the size of a body after decompression, in bytes, without decompressing it.

    gzip states it in its last four bytes, modulo 2**32; `decompress` rejects a body for which that is untrue.
    """
    if _encoding(answer) in _GZIP:
        return int.from_bytes(answer.content[-4:], "little")
    return len(answer.content)


def _check_count(body: bytes) -> int:
    """Reject JSON with very many values: they take much more time and memory than their text.

    Returns:
        The number of opening brackets, also in texts: a maximum of the number of objects and arrays.
    """
    brackets = _brackets(body)
    if _has_too_many(body, brackets):
        without_texts = _STRING.sub(b"", body)
        if _has_too_many(without_texts, _brackets(without_texts)):
            raise DecodeError("the JSON has too many values")
    return brackets


def _brackets(body: bytes) -> int:
    return body.count(b"{") + body.count(b"[")


def _has_too_many(body: bytes, brackets: int) -> bool:
    # A shorter body cannot have so many: the shortest member is "":1, the shortest item 1 and a comma.
    return (
        brackets > _MAX_CONTAINERS
        or (len(body) > 4 * _MAX_MEMBERS and body.count(b":") > _MAX_MEMBERS)
        or (len(body) > 2 * _MAX_ITEMS and body.count(b",") > _MAX_ITEMS)
    )


def parse_json(body: bytes) -> object:
    """Parse JSON strictly: UTF-8, no NaN, no duplicate keys, no lone surrogates, bounded depth, count and numbers.

    Raises:
        DecodeError: anything else. The message quotes the beginning of a body that is not JSON. Invalid JSON is not
            quoted: it may be the response to a login and contain a part of a token.
    """
    if not body.strip():
        raise DecodeError("the response is empty")
    brackets = _check_count(body)
    try:
        text = body.decode("utf-8")
        value: object = _DECODER.decode(text)
    except RecursionError:
        raise DecodeError("the JSON is nested too deeply") from None
    except ValueError as error:
        raise DecodeError(_problem(error, body)) from None
    if brackets > _MAX_DEPTH:
        _check_depth(value, brackets)
    if _may_have_lone_surrogate(body):
        _check_text(value)
    return value


def _problem(error: ValueError, body: bytes) -> str:
    if isinstance(error, _AmbiguousJson):
        return str(error)
    if not any(mark in body.lstrip()[:_FIRST_BYTES] for mark in (b"{", b"[")):
        return f"the response is not JSON; it begins {_begin(body)!r}"
    place = f" at character {error.pos + 1:,}" if isinstance(error, json.JSONDecodeError) else ""
    return f"the JSON is truncated or invalid{place} ({len(body):,} bytes)"


def _begin(body: bytes) -> str:
    text = " ".join(body[: _EXCERPT * 4].decode("utf-8", "replace").split())
    return masked(text)[:_EXCERPT]  # a proxy's page may quote the URL


class _AmbiguousJson(ValueError):
    """JSON that the json module accepts but that is ambiguous or invalid."""


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _AmbiguousJson("the JSON has a duplicate key")
    return made


def _no_constant(name: str) -> NoReturn:
    raise _AmbiguousJson(f"the JSON contains {name}")


def _children(value: object) -> Collection[object]:
    if isinstance(value, dict):
        return cast("dict[str, object]", value).values()
    return cast("list[object]", value) if isinstance(value, list) else ()


def _names(value: object) -> Collection[object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else ()


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)


def _check_depth(value: object, brackets: int) -> None:
    """Reject JSON with too many levels. It has at most `brackets` objects and arrays: the search ends with the last."""
    level: list[Collection[object]] = [[value]]
    for _ in range(_MAX_DEPTH):
        level = _next_level(level)
        brackets -= len(level)
        if not level or not brackets:
            return
    if _next_level(level):
        raise DecodeError("the JSON is nested too deeply")


def _next_level(level: list[Collection[object]]) -> list[Collection[object]]:
    # Most objects contain no other object or array, which this test finds out fast.
    inner = [child for group in level if not _CONTAINERS.isdisjoint(map(type, group)) for child in group]
    return [_children(child) for child in inner if type(child) in _CONTAINERS]


def _may_have_lone_surrogate(body: bytes) -> bool:
    """Whether an escape of a surrogate stands without its pair. UTF-8 has no surrogates, so all come from escapes."""
    if b"\\" not in body or not _SURROGATE.search(body):
        return False
    return _SURROGATE.search(_PAIR.sub(b"", body)) is not None


def _check_text(value: object) -> None:
    """Reject lone surrogates: they cannot be encoded and would fail later, far from the cause."""
    pending: list[object] = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str) and not _is_text(item):
            raise DecodeError("the JSON contains a lone surrogate")
        pending += [*_names(item), *_children(item)]


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
