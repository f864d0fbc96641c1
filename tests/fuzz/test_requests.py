"""Any str argument raises ConfigurationError or is sent unchanged, below the base URL and without header injection."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

import attrs
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippanel_edge import Call, ConfigurationError, EdgeClient
from ippanel_edge.models.send import PatternContact, PeerMessage
from ippanel_edge.values.phones import normalize_phone
from tests.contract.sample import KEY, LINE, ok
from tests.fuzz.lengths import MIDDLE

HOST: Final = "edge.example.test"
BASE: Final = f"https://{HOST}/v1"

NASTY: Final = [
    "",
    " ",
    ".",
    "..",
    "/",
    "//",
    "../..",
    "%2e%2E",
    "%2f",
    "\\",
    "\0",
    "\r\nX-Evil: 1\r\n\r\n",
    "\n",
    "?a=1&b",
    "#",
    "@evil.test",
    "//evil.test/",
    "https://evil.test",
    ":80",
    ";",
    "{x}",
    "%",
    "%zz",
    "\ud800",
    "\U0001f33b",
    "سلام",
    "\u2028",
    "\x85",
    '"',
]
MOBILES: Final = ["09121234567", "+989121234567", "۰۹۱۲۱۲۳۴۵۶۷", "0912 123 4567", "00989351112233", "9121234567"]

anything = st.lists(st.sampled_from(NASTY) | st.text(st.characters(), max_size=5), max_size=3).map("".join)
"""Any str, including lone surrogates."""
mobiles = st.sampled_from(MOBILES)
lines = st.none() | st.sampled_from([LINE, "3000717", "+98BANK"]) | anything
scalars = st.none() | st.booleans() | st.integers() | st.floats() | anything
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(anything, inner, max_size=3), max_leaves=8
)


class Wire:
    """A transport that records the requests of the client."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(200, json=ok({"message_outbox_ids": [1], "code": "x"}))


def sent(call: Callable[[EdgeClient], object], **options: Any) -> httpx.Request | None:
    """Return the single request that a call sent, or None if its arguments were rejected."""
    wire = Wire()
    settings: dict[str, Any] = {"base_url": BASE, "api_key": KEY, "from_number": LINE, **options}
    try:
        with httpx.Client(transport=httpx.MockTransport(wire)) as http:
            call(EdgeClient(http_client=http, **settings))
    except ConfigurationError as error:
        assert wire.requests == []
        str(error).encode("utf-8", "surrogatepass")
        return None
    (request,) = wire.requests
    assert_below_base_url(request.url)
    assert_valid_headers(request.headers)
    return request


def assert_below_base_url(url: httpx.URL) -> None:
    assert (url.scheme, url.host, url.port, url.userinfo, url.fragment) == ("https", HOST, None, b"", "")
    path = url.raw_path.split(b"?")[0].decode("ascii")
    assert path.startswith(("/v1/", "/v2/"))
    segments = [unquote(segment) for segment in path.split("/")]
    assert not {".", ".."} & set(segments)
    assert re.fullmatch(r"[\x21-\x7e]+", str(url))


def assert_valid_headers(headers: httpx.Headers) -> None:
    names = [name for name, _ in headers.raw]
    assert len(names) == len(set(names))
    for name, value in headers.raw:
        assert re.fullmatch(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name)
        assert not re.search(rb"[\r\n\0]", value)


def body(request: httpx.Request) -> Any:
    assert request.headers["Content-Type"] == "application/json"
    return json.loads(request.content)


@MIDDLE
@given(
    recipients=st.lists(mobiles, min_size=1, max_size=3) | mobiles | anything | st.lists(mobiles | anything),
    message=anything | st.text(min_size=1),
    line=lines,
    validate=st.booleans(),
)
def test_a_message_is_sent_unchanged_or_rejected(
    recipients: list[str] | str, message: str, line: str | None, *, validate: bool
) -> None:
    request = sent(lambda client: client.send.webservice(recipients, message, from_number=line), validate=validate)
    if request is None:
        return
    written = body(request)
    assert written["message"] == message
    assert re.fullmatch(r"\+98[0-9A-Za-z ._&-]+", written["from_number"])
    given_ = [recipients] if isinstance(recipients, str) else recipients
    assert written["params"] == {"recipients": [normalize_phone(each) for each in given_]}


@MIDDLE
@given(
    code=st.just("abc123") | anything,
    recipient=mobiles | anything,
    params=st.dictionaries(st.sampled_from(["name", "کد"]) | anything, scalars, max_size=4),
    name=st.none() | anything,
    options=st.dictionaries(st.integers(1, 9) | anything, scalars, max_size=2),
)
def test_the_values_of_a_pattern_are_sent_unchanged_or_rejected(
    code: str, recipient: str, params: dict[str, object], name: str | None, options: dict[Any, Any]
) -> None:
    def send(client: EdgeClient) -> object:
        contact = None if name is None else PatternContact(id=3, name=name, options=options)
        return client.send.pattern(code, recipient, params, phonebook=contact)

    request = sent(send)
    if request is None:
        return
    written = body(request)
    assert (written["code"], written["params"]) == (code, params)
    assert written["recipients"] == [normalize_phone(recipient)]
    if name is not None:
        assert written["phonebook"]["name"] == name
        assert written["phonebook"].get("options", {}) == {str(field): value for field, value in options.items()}


@MIDDLE
@given(pairs=st.lists(st.tuples(st.lists(mobiles | anything, max_size=2), anything | st.text(min_size=1)), max_size=3))
def test_peer_to_peer_messages_are_sent_with_their_recipients_or_all_rejected(
    pairs: list[tuple[list[str], str]],
) -> None:
    request = sent(lambda client: client.send.peer_to_peer([PeerMessage(recipients=to, message=m) for to, m in pairs]))
    if request is not None:
        expected = [{"recipients": [normalize_phone(each) for each in to], "message": text} for to, text in pairs]
        assert body(request)["params"] == expected


paths = st.lists(st.sampled_from([*NASTY, "/", "/api", "/api/send", "/v2", "a"]) | st.text(max_size=3), max_size=5).map(
    lambda steps: "/" + "".join(steps)
)
methods = st.sampled_from(["GET", "post", "PUT", "DELETE", "PATCH"])


@MIDDLE
@given(method=methods | anything, path=paths | anything, query=st.dictionaries(anything, scalars, max_size=3))
def test_a_custom_path_stays_below_the_base_url_and_keeps_its_query(
    method: str, path: str, query: dict[str, object]
) -> None:
    request = sent(lambda client: client.request(method, path, query=query))
    if request is not None:
        assert unquote(request.url.raw_path.split(b"?")[0].decode()).endswith(unquote(path))
        assert pairs_of(request.url.query) == [
            (name, plain(value)) for name, value in query.items() if value is not None
        ]


@MIDDLE
@given(value=values)
def test_parsing_a_custom_json_body_returns_the_same_value(value: object) -> None:
    request = sent(lambda client: client.request("POST", "/api/x", json=value))
    if request is not None and value is not None:
        assert repr(json.loads(request.content)) == repr(
            value
        )  # unlike ==, repr distinguishes True from 1 and -0.0 from 0


@MIDDLE
@given(form=st.dictionaries(anything, scalars | st.lists(st.booleans() | anything, min_size=1, max_size=2), max_size=3))
def test_parsing_a_custom_form_returns_the_same_values(form: dict[str, object]) -> None:
    request = sent(lambda client: client.request("POST", "/api/x", data=form))
    if request is not None:
        assert pairs_of(request.content) == flat(form)


@MIDDLE
@given(
    form=st.none() | st.dictionaries(anything, anything, min_size=1, max_size=2),
    files=st.lists(st.tuples(anything, st.tuples(anything, st.binary(min_size=1, max_size=30))), max_size=2),
    value=st.none() | scalars,
)
def test_a_file_name_cannot_inject_a_header(
    form: dict[str, object] | None, files: list[tuple[str, tuple[str, bytes]]], value: object
) -> None:
    request = sent(lambda client: client.request("POST", "/api/x", data=form, files=files, json=value))
    if request is None:
        return
    assert value is None or not (form or files)
    if not files:
        return
    boundary = request.headers["Content-Type"].removeprefix("multipart/form-data; boundary=").encode()
    first, *parts, last = request.content.split(b"--" + boundary)
    assert (first, last) == (b"", b"--\r\n")
    assert len(parts) == len(flat(form or {})) + len(files)
    for part in parts:
        head = part.partition(b"\r\n\r\n")[0].removeprefix(b"\r\n")
        for line in head.split(b"\r\n"):
            assert re.fullmatch(
                rb'Content-(Disposition: form-data; name="[^"\r\n]*"(; filename="[^"\r\n]*")?|Type: [\w./-]+)', line
            )
    contents = [part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for part in parts]
    assert contents == [*(text.encode() for _, text in flat(form or {})), *(content for _, (_, content) in files)]


@MIDDLE
@given(code=anything)
def test_a_pattern_code_is_a_single_path_segment(code: str) -> None:
    request = sent(lambda client: client.patterns.get(code))
    if request is not None:
        *_, last = request.url.raw_path.decode().split("/")
        assert unquote(last) == code


@MIDDLE
@given(key=anything | st.text(st.characters(max_codepoint=127), min_size=1))
def test_an_api_key_is_sent_unchanged_or_rejected(key: str) -> None:
    request = sent(lambda client: client.payment.credit(), api_key=key)
    if request is not None:
        assert request.headers["Authorization"] == key


@MIDDLE
@given(name=st.just("X-Trace") | anything, value=st.text(st.characters(max_codepoint=300)) | anything)
def test_a_header_set_by_a_middleware_is_sent_as_one_header_or_rejected(name: str, value: str) -> None:
    def add(call: Call[Any], proceed: Callable[[Call[Any]], Any]) -> Any:
        return proceed(attrs.evolve(call, headers={**call.headers, name: value}))

    request = sent(lambda client: client.payment.credit(), middleware=[add])
    if request is not None:
        assert request.headers[name] == value


TOO_LONG: Final[list[Callable[[EdgeClient], object]]] = [
    lambda client: client.request("GET", "/" + "a" * 70_000),
    lambda client: client.request("GET", "/api/x", query={"a": "b" * 70_000}),
    lambda client: client.request("GET", "/api/x", query={"a": 10**5_000}),
    lambda client: client.request("POST", "/api/x", data={"a": [10**5_000]}),
    lambda client: client.request("POST", "/api/x", json=[10**5_000]),
    lambda client: client.patterns.get("a" * 70_000),
    lambda client: client.send.pattern("abc", MOBILES[0], {"a": 10**5_000}),
]


@pytest.mark.parametrize("call", TOO_LONG)
def test_a_value_that_is_too_long_is_rejected(call: Callable[[EdgeClient], object]) -> None:
    assert sent(call) is None


def pairs_of(encoded: bytes) -> list[tuple[str, str]]:
    return parse_qsl(encoded.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)


def plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def flat(form: Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, list[Any]]] = [
        (name, value if isinstance(value, list) else [value]) for name, value in form.items() if value is not None
    ]
    return [(name, plain(each)) for name, several in pairs for each in several]
