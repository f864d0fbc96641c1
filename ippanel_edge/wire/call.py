"""`Call[T]`: what one API call asks, as one frozen value. It is built and checked without a client and without I/O."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast
from urllib.parse import quote

import attrs

from ippanel_edge.endpoints import Endpoint, Method, Repeat
from ippanel_edge.errors import InvalidArgument
from ippanel_edge.values.checks import check_choice, check_iterable, check_str, check_type, shown
from ippanel_edge.values.files import FileInput, Upload
from ippanel_edge.values.secrets import Secret, SecretInt

T = TypeVar("T")

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_MAX_SEGMENT: Final = 60_000
"""The maximum of characters of a path segment: httpx rejects a URL with a path of more than 65,536."""
_DOTS: Final = re.compile(r"(?i)(\.|%2e){1,2}")

Fields: TypeAlias = tuple[tuple[str, str], ...]
"""Names and values in their order; a name that occurs twice has two values."""


class Content(bytes):
    """The bytes of a JSON body. It may hold a password or a code: repr hides it and it cannot be pickled."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return the size only."""
        return f"<{len(self)} bytes>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Reject pickling.

        Raises:
            TypeError: always.
        """
        raise TypeError("the body of a call cannot be pickled: it may contain a secret")

    def __copy__(self) -> Content:
        """Return the object itself: it is immutable."""
        return self

    def __deepcopy__(self, _: object) -> Content:
        """Return the object itself: it is immutable."""
        return self


@attrs.frozen
class JsonBody:
    """A JSON body.

    Attributes:
        content: compact UTF-8.
        secrets: the secret values in it.
    """

    content: Content
    secrets: tuple[Secret | SecretInt, ...] = attrs.field(default=(), repr=False)


@attrs.frozen
class FormBody:
    """A form, ``application/x-www-form-urlencoded``.

    Attributes:
        fields: names and values.
    """

    fields: Fields = attrs.field(repr=False)


@attrs.frozen
class MultipartBody:
    """A form, ``multipart/form-data``.

    Attributes:
        fields: names and values beside the files.
        files: field names and files.
    """

    fields: Fields = attrs.field(repr=False)
    files: tuple[tuple[str, Upload], ...] = ()


Body: TypeAlias = JsonBody | FormBody | MultipartBody
"""The body of a call: JSON, a form, or a form with files."""


class Headers(Mapping[str, str]):
    """The headers of a call: immutable and hashable. repr shows the names only.

    Names in another letter case are the same header: if there are several, the last one is used.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = {name.lower(): (name, value) for name, value in (values or {}).items()}

    def with_value(self, name: str, value: str) -> Headers:
        """Return the headers with another one."""
        headers = Headers()
        headers._values = {**self._values, name.lower(): (name, value)}
        return headers

    def __getitem__(self, name: str) -> str:
        """Return the value of a header."""
        return self._values[name.lower()][1]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return (name for name, _ in self._values.values())

    def __len__(self) -> int:
        """Return the number of headers."""
        return len(self._values)

    def __hash__(self) -> int:
        """Return the hash of the names and values."""
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        """Return the names only: a value may be a secret."""
        return f"<Headers {', '.join(self)}>"


_NO_HEADERS: Final = Headers()


def _as_headers(values: Mapping[str, str]) -> Headers:
    return values if isinstance(values, Headers) else Headers(values)


@attrs.frozen(kw_only=True)
class Call(Generic[T]):
    """One call of an endpoint that returns T: the method, the path, the query, the body and the headers.

    It is immutable and hashable. A middleware passes on a changed copy (`attrs.evolve`), for example with another
    header. The attempts made for a call are recorded by the client, not here.

    Attributes:
        endpoint: the line of endpoints.py.
        method: the HTTP method; not the endpoint's own if its alternate is tried.
        path: below the base URL, with its parameters filled in and quoted.
        query: names and values.
        body: the body, or None.
        headers: headers of this call.
        recipients: the number of recipients of a send, if the call lists them all, otherwise None.
    """

    endpoint: Endpoint[T]
    method: str
    path: str
    query: Fields = attrs.field(default=(), repr=False)
    body: Body | None = None
    headers: Mapping[str, str] = attrs.field(default=_NO_HEADERS, converter=_as_headers, repr=False)
    recipients: int | None = None

    @property
    def repeat(self) -> Repeat:
        """Whether an identical second request is idempotent."""
        return self.endpoint.repeat

    @property
    def secrets(self) -> tuple[str | int, ...]:
        """The secret values that the call sends, in its headers, its query or its body."""
        fields = list(self.query)
        if isinstance(self.body, FormBody | MultipartBody):
            fields += self.body.fields
        sent = [value for _, value in fields] + list(self.headers.values())
        of_json = self.body.secrets if isinstance(self.body, JsonBody) else ()
        return (*(value for value in sent if isinstance(value, Secret)), *of_json)

    def with_header(self, name: str, value: str) -> Call[T]:
        """Return the call with another header."""
        return attrs.evolve(self, headers=_as_headers(self.headers).with_value(name, value))

    @property
    def rewindable(self) -> bool:
        """Whether the body can be sent a second time. A stream that is not seekable can be read only once."""
        return all(upload.rewindable for upload in self.uploads)

    @property
    def uploads(self) -> tuple[Upload, ...]:
        """The files that the call sends."""
        return tuple(upload for _, upload in self.body.files) if isinstance(self.body, MultipartBody) else ()

    def opened(self) -> Call[T]:
        """Return the call with its files opened and checked. This reads them.

        Raises:
            InvalidArgument: a file cannot be read, or its content is invalid.
        """
        if not isinstance(self.body, MultipartBody):
            return self
        files = tuple((field, upload.opened()) for field, upload in self.body.files)
        return attrs.evolve(self, body=attrs.evolve(self.body, files=files))


def call(
    endpoint: Endpoint[T],
    *,
    path: Mapping[str, object] | None = None,
    query: Mapping[str, object] | None = None,
    json: object = None,
    form: Mapping[str, object] | None = None,
    files: Sequence[tuple[str, Upload]] = (),
    recipients: int | None = None,
) -> Call[T]:
    """Build a call of an endpoint. A query or form value that is None is left out.

    Args:
        endpoint: the line of endpoints.py.
        path: the values of the path's parameters.
        query: names and values.
        json: the body, as JSON.
        form: the body, as a form; with files, its other fields.
        files: field names and files; the form is then multipart.
        recipients: the number of recipients of a send, if they are all listed.

    Raises:
        InvalidArgument: a path parameter would change the path, a value cannot be serialised, or there are two
            bodies.
    """
    if json is not None and (files or form is not None):
        raise InvalidArgument("must not be combined with a form: a request has one body", argument="json")
    body: Body | None = None
    if files or endpoint.multipart:
        body = MultipartBody(_fields(form or {}), tuple(files))
    elif form is not None:
        body = FormBody(_fields(form))
    elif json is not None:
        body = JsonBody(encode_json(json), tuple(_secrets_in(json)))
    return Call(
        endpoint=endpoint,
        method=endpoint.method,
        path=fill(endpoint.path, path or {}),
        query=_fields(query or {}),
        body=body,
        recipients=recipients,
    )


def _secrets_in(value: object) -> list[Secret | SecretInt]:
    """Return the secrets in the arguments of a body, before JSON makes them plain text.

    Raises:
        InvalidArgument: a dict has a name that is not a str.
    """
    found: list[Secret | SecretInt] = []
    pending: list[object] = [value]  # no recursion: JSON may be nested as deeply as its encoder allows
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            for name, each in cast("dict[object, object]", item).items():
                if type(name) is not str and not isinstance(name, str):  # JSON would make "true" of True
                    raise InvalidArgument("expected names of JSON objects to be str", argument="json")
                if type(each) is not str:
                    pending.append(each)
        elif isinstance(item, list | tuple):
            # Without the most frequent type by far: a send has up to 1,000 recipients.
            pending += [each for each in cast("Sequence[object]", item) if type(each) is not str]
        elif isinstance(item, Secret | SecretInt):
            found.append(item)
    return found


def unlisted(method: str, path: str, repeat: Repeat) -> Endpoint[Any]:
    """Return an endpoint that endpoints.py does not list.

    Raises:
        InvalidArgument: the method is not known, the path is not below the base URL, or `repeat` is not a Repeat.
    """
    check_type(repeat, Repeat, argument="repeat")
    name = check_choice(check_str(method, argument="method").upper(), _METHODS, argument="method")
    safe = quote(check_path(path), safe="/%:@!$&'()*+,;=~-._")
    return Endpoint("request", cast("Method", name), safe, repeat, object, "", bare=True)


def unlisted_fields(fields: Mapping[str, object] | None, *, argument: str) -> dict[str, object] | None:
    """Check the query or the form of `client.request`: names and values; a value may be a list.

    Raises:
        InvalidArgument: there is another name or value; its place is named, such as ``query['a']``.
    """
    if fields is None:
        return None
    check_type(fields, Mapping, argument=argument)
    for name, value in fields.items():
        place = f"{argument}[{shown(check_str(name, argument=argument))}]"
        for item in [] if value is None else _listed(value):
            _as_text(item, place)
    return dict(fields)


def _listed(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else [value]


def unlisted_files(files: Iterable[tuple[str, FileInput]]) -> list[tuple[str, Upload]]:
    """Describe the files of `client.request`: of any type and size, each with the name of its field.

    Raises:
        InvalidArgument: there is anything but pairs of a name and a file; its place is named, such as ``files[0]``.
    """
    from ippanel_edge.values.uploads import open_upload  # noqa: PLC0415 - loaded for calls with files only

    uploads: list[tuple[str, Upload]] = []
    for index, pair in enumerate(check_iterable(files, argument="files", of="(field, file) pairs")):
        place = f"files[{index}]"
        check_type(pair, tuple, argument=place)
        items: tuple[Any, ...] = pair
        if len(items) != 2:  # noqa: PLR2004 - a pair
            raise InvalidArgument(f"expected (field, file), got a tuple of length {len(items)}", argument=place)
        field, file = items
        upload = open_upload(file, argument=place, kinds=None, max_bytes=None)
        uploads.append((check_str(field, argument=place), upload))
    return uploads


def _fields(values: Mapping[str, object]) -> Fields:
    """Serialise names and values. None is left out; the values of a list have the same name."""
    if not values:
        return ()
    return tuple(
        (check_str(name, argument="name"), _as_text(item, name))
        for name, value in values.items()
        if value is not None
        for item in _listed(value)
    )


def _as_text(value: object, argument: str) -> str:
    """Serialise a str, a number or a bool as a str.

    Raises:
        InvalidArgument: any other value, a lone surrogate, NaN, infinity, or an int of thousands of digits.
    """
    if isinstance(value, Secret):
        return check_str(value, argument=argument)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return str.__str__(check_str(value, argument=argument))  # the str of an enum is its name
    if isinstance(value, int):
        try:
            return int.__repr__(value)
        except ValueError:
            raise InvalidArgument("the int has too many digits", argument=argument) from None
    if not isinstance(value, float):
        raise InvalidArgument(f"expected a str, a number or a bool, got {type(value).__name__}", argument=argument)
    if not math.isfinite(value):
        raise InvalidArgument(f"expected a finite number, got {value}", argument=argument)
    return float.__repr__(value)


def encode_json(value: object) -> Content:
    """Serialise JSON as compact UTF-8.

    Raises:
        InvalidArgument: NaN, infinity, a lone surrogate, or a type that JSON does not have.
    """
    try:
        return Content(_ENCODER.encode(value).encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgument(f"cannot be serialised as JSON: {type(error).__name__}", argument="json") from None


def fill(template: str, values: Mapping[str, object]) -> str:
    """Fill the parameters of a path, quoted so that each stays one path segment.

    Raises:
        InvalidArgument: a parameter is empty, ``.``, ``..``, too long, or has a control character.
    """
    if "{" not in template:
        return template

    def quoted(match: re.Match[str]) -> str:
        name = match[1]
        text = _as_text(values[name], name)
        if text in ("", ".", "..") or CONTROL.search(text):
            raise InvalidArgument(f"{shown(text)} cannot be a path segment", argument=name)
        segment = quote(text, safe="")
        if len(segment) > _MAX_SEGMENT:
            raise InvalidArgument("is too long for a URL", argument=name)
        return segment

    return re.sub(r"\{(\w+)\}", quoted, template)


def check_path(path: str) -> str:
    """Return a path for `client.request`. An absolute URL is rejected: it would send the key to another host.

    Raises:
        InvalidArgument: the path is not below the base URL.
    """
    check_str(path, argument="path")
    segments = path.split("?", 1)[0].split("/")
    if (
        not path.startswith("/")
        or path.startswith("//")
        or "\\" in path
        or "#" in path
        or CONTROL.search(path)
        or any(segment in (".", "..") or _DOTS.fullmatch(segment) for segment in segments)
    ):
        raise InvalidArgument("expected a path below the base URL, such as /api/send", argument="path")
    if "?" in path:
        raise InvalidArgument("must not contain a query; pass query={…}", argument="path")
    return path
