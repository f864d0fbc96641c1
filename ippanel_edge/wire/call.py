"""`Call[T]`: what one API call asks, as one frozen value. It is built and checked without a client and without I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast
from urllib.parse import quote

import attrs

from ippanel_edge.endpoints import Endpoint, Method, Repeat
from ippanel_edge.errors import InvalidArgument
from ippanel_edge.values.checks import check_choice, check_str, check_type
from ippanel_edge.values.files import FileInput, Upload, open_upload
from ippanel_edge.values.secrets import Secret

T = TypeVar("T")

CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
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
    secrets: tuple[Secret, ...] = attrs.field(default=(), repr=False)


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
    """The headers of a call: immutable and hashable. repr shows the names only."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = dict(values or {})

    def __getitem__(self, name: str) -> str:
        """Return the value of a header."""
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._values)

    def __len__(self) -> int:
        """Return the number of headers."""
        return len(self._values)

    def __hash__(self) -> int:
        """Return the hash of the names and values."""
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        """Return the names only: a value may be a secret."""
        return f"<Headers {', '.join(self._values)}>"


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
    """

    endpoint: Endpoint[T]
    method: str
    path: str
    query: Fields = attrs.field(default=(), repr=False)
    body: Body | None = None
    headers: Mapping[str, str] = attrs.field(factory=Headers, converter=Headers, repr=False)

    @property
    def repeat(self) -> Repeat:
        """Whether an identical second request is idempotent."""
        return self.endpoint.repeat

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secret values that the call sends, in its headers, its query or its body."""
        fields = list(self.query)
        if isinstance(self.body, FormBody | MultipartBody):
            fields += self.body.fields
        sent = [value for _, value in fields] + list(self.headers.values())
        of_json = self.body.secrets if isinstance(self.body, JsonBody) else ()
        return (*(value for value in sent if isinstance(value, Secret)), *of_json)

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
) -> Call[T]:
    """Build a call of an endpoint. A query or form value that is None is left out.

    Args:
        endpoint: the line of endpoints.py.
        path: the values of the path's parameters.
        query: names and values.
        json: the body, as JSON.
        form: the body, as a form; with files, its other fields.
        files: field names and files; the form is then multipart.

    Raises:
        InvalidArgument: a path parameter would change the path, a value cannot be serialised, or there are two
            bodies.
    """
    if json is not None and (files or form is not None):
        raise InvalidArgument("must not be combined with a form: a request has one body", argument="json")
    body: Body | None = None
    if files or endpoint.multipart:
        body = MultipartBody(_form_fields(form or {}), tuple(files))
    elif form is not None:
        body = FormBody(_form_fields(form))
    elif json is not None:
        body = JsonBody(encode_json(json), tuple(_secrets_in(json)))
    return Call(
        endpoint=endpoint,
        method=endpoint.method,
        path=fill(endpoint.path, path or {}),
        query=tuple(
            (_as_text(name, "query"), _as_field(value, name))
            for name, value in (query or {}).items()
            if value is not None
        ),
        body=body,
    )


def _secrets_in(value: object) -> Iterator[Secret]:
    """Yield the secrets in the arguments of a body, before JSON makes them plain text."""
    if isinstance(value, Secret):
        yield value
    items: Iterable[object] = ()
    if isinstance(value, dict):
        items = cast("dict[object, object]", value).values()
    elif isinstance(value, list | tuple):
        items = cast("Sequence[object]", value)
    for item in items:
        if type(item) is not str:  # the most frequent type by far: a send has up to 1,000 recipients
            yield from _secrets_in(item)


def unlisted(method: str, path: str, repeat: Repeat) -> Endpoint[Any]:
    """Return an endpoint that endpoints.py does not list.

    Raises:
        InvalidArgument: the method is not known, the path is not below the base URL, or `repeat` is not a Repeat.
    """
    check_type(repeat, Repeat, argument="repeat")
    name = check_choice(check_str(method, argument="method").upper(), _METHODS, argument="method")
    safe = quote(check_path(path), safe="/%:@!$&'()*+,;=~-._")
    return Endpoint("request", cast("Method", name), safe, repeat, object, "", bare=True)


def uploads(files: Iterable[tuple[str, FileInput]]) -> list[tuple[str, Upload]]:
    """Describe files of any type and size, each with the name of its field."""
    return [
        (
            _as_text(field, f"files[{index}]"),
            open_upload(file, argument=f"files[{index}]", kinds=None, max_bytes=None),
        )
        for index, (field, file) in enumerate(files)
    ]


def _form_fields(form: Mapping[str, object]) -> Fields:
    return tuple(
        (_as_text(name, "data"), _as_field(item, name))
        for name, value in form.items()
        if value is not None
        for item in (cast("list[object]", value) if isinstance(value, list) else [value])
    )


def _as_field(value: object, name: str) -> str:
    if isinstance(value, Secret):
        return value
    return ("true" if value else "false") if isinstance(value, bool) else _as_text(value, name)


def _as_text(value: object, argument: str) -> str:
    """Serialise a value as a str. Lone surrogates and ints of thousands of digits cannot be serialised."""
    try:
        text = str(value)
    except ValueError:
        raise InvalidArgument("the int has too many digits", argument=argument) from None
    return check_str(text, argument=argument)


def encode_json(value: object) -> Content:
    """Serialise JSON as compact UTF-8.

    Raises:
        InvalidArgument: NaN, infinity, a lone surrogate, or a type that JSON does not have.
    """
    try:
        return Content(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgument(f"cannot be serialised as JSON: {type(error).__name__}", argument="json") from None


def fill(template: str, values: Mapping[str, object]) -> str:
    """Fill the parameters of a path, quoted so that each stays one path segment.

    Raises:
        InvalidArgument: a parameter is empty, ``.``, ``..`` or has a control character.
    """

    def quoted(match: re.Match[str]) -> str:
        name = match[1]
        text = str(values[name])
        if text in ("", ".", "..") or CONTROL.search(text):
            raise InvalidArgument(f"{text!r} cannot be a path segment", argument=name)
        return quote(text, safe="")

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
