"""Parsing responses to data or errors: envelope, statuses and Retry-After; test_reply_bytes.py tests the decoding."""

from __future__ import annotations

import gzip
import json
import pickle
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Any

import attrs
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippanel_edge import EdgeClient, endpoints
from ippanel_edge.endpoints import READ, Endpoint
from ippanel_edge.errors import (
    ApiError,
    AuthenticationError,
    Conflict,
    DecodeError,
    DuplicateMessage,
    EdgeError,
    NotFound,
    Outcome,
    PermissionDenied,
    ServerError,
    ValidationFailed,
)
from ippanel_edge.models.banks import Gender
from ippanel_edge.models.common import Meta
from ippanel_edge.models.send import SendResult
from ippanel_edge.wire.reply import RawAnswer, Reply, outcome_of, parse, retry_after

CREDIT, SEND = endpoints.PAYMENT_CREDIT, endpoints.SEND_WEBSERVICE
UNLISTED = Endpoint("request", "GET", "/api/new", READ, object, "", bare=True)
SAMPLE_FILE = endpoints.PHONEBOOKS_CONTACTS_IMPORT_SAMPLE
EXISTS = endpoints.USERS_CHECK_EXISTS
REJECTION: dict[str, Any] = {
    "data": None,
    "meta": {
        "status": False,
        "message": "پیام نادرست است",
        "message_code": "400-7",
        "message_parameters": [12, "x"],
        "errors": {"variable.0.name": ["لازم است", "کوتاه است"], "message": "بلند است", "blank": [], "none": None},
    },
}


def response(body: Any = None, status: int = 200, **headers: Any) -> RawAnswer:
    """Return a response; a body that is not bytes is encoded as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return RawAnswer(
        status_code=status, content=content, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


def success(data: Any) -> dict[str, Any]:
    return {"data": data, "meta": {"status": True, "message": "انجام شد", "message_code": "200-1"}}


def parse_error(endpoint: Endpoint[Any], raw: RawAnswer) -> EdgeError:
    with pytest.raises(EdgeError) as caught:
        parse(endpoint, raw)
    return caught.value


def assert_decode_error(body: bytes, message: str, endpoint: Endpoint[Any] = CREDIT, **headers: Any) -> DecodeError:
    error = parse_error(endpoint, response(body, **headers))
    assert isinstance(error, DecodeError)
    assert (error.status_code, error.outcome) == (200, Outcome.UNKNOWN)
    assert message in str(error)
    return error


# The envelope.


def test_a_successful_response_is_parsed_to_data_and_meta() -> None:
    data, meta, body = parse(SEND, response(success({"message_outbox_ids": [4]})))
    assert data == SendResult(message_outbox_ids=(4,))
    assert (meta.status, meta.message, meta.message_code, meta.message_parameters) == (True, "انجام شد", "200-1", ())
    assert json.loads(body)["data"] == {"message_outbox_ids": [4]}


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize("flag", [True, 1, "1", "true", "yes"])
def test_a_2xx_response_with_a_true_status_is_a_success(status: int, flag: Any) -> None:
    assert parse(endpoints.SEND_CANCEL, response({"data": None, "meta": {"status": flag}}, status))[0] is None


@pytest.mark.parametrize("flag", [False, 0, "0", "false", "no"])
def test_http_200_with_a_false_status_is_a_rejection(flag: Any) -> None:
    body: dict[str, Any] = {"data": {"message_outbox_ids": []}, "meta": {**REJECTION["meta"], "status": flag}}
    error = parse_error(SEND, response(body))
    assert isinstance(error, ApiError)
    assert (error.status_code, error.outcome, error.enveloped) == (200, Outcome.REJECTED, True)
    assert (error.message, error.message_code) == ("پیام نادرست است", "400-7")


@pytest.mark.parametrize("data", [{"message_outbox_ids": [4]}, {"bulk_id": "4"}])
def test_a_false_status_with_message_ids_has_an_unknown_outcome(data: dict[str, Any]) -> None:
    contradiction = response({"data": data, "meta": {**REJECTION["meta"], "status": False}})
    error = parse_error(SEND, contradiction)
    assert (type(error), error.outcome) == (ApiError, Outcome.UNKNOWN)
    assert parse_error(CREDIT, contradiction).outcome is Outcome.REJECTED


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": {}},
        {"data": {}, "meta": None},
        {"data": {}, "meta": []},
        {"data": {}, "meta": {}},
        {"data": {}, "meta": {"status": None}},
        {"data": {}, "meta": {"status": "perhaps"}},
        {"data": {}, "meta": {"status": [True]}},
        {"data": {}, "status": True},
    ],
)
def test_the_outcome_of_a_response_without_a_status_is_unknown(body: Any) -> None:
    error = assert_decode_error(json.dumps(body).encode(), "the response has no meta.status", SEND)
    assert error.where == "meta"


@pytest.mark.parametrize("body", [[], "ok", 5, None, True])
def test_a_bare_value_is_rejected_as_an_envelope(body: Any) -> None:
    assert_decode_error(json.dumps(body).encode(), "expected a {data, meta} envelope")


def test_the_genders_are_parsed_without_meta() -> None:
    data, meta, _ = parse(endpoints.BANKS_GENDERS, response({"data": [{"id": "1", "name": "مرد"}]}))
    assert data == [Gender(id=1, name="مرد")]
    assert meta == Meta()
    assert meta.status is None


def test_a_rejected_request_for_the_genders_raises_an_error() -> None:
    assert parse_error(endpoints.BANKS_GENDERS, response(REJECTION)).outcome is Outcome.REJECTED


def test_the_data_of_an_unlisted_endpoint_is_returned_unchanged() -> None:
    assert parse(UNLISTED, response(success({"a": ["1"]})))[0] == {"a": ["1"]}
    assert parse(UNLISTED, response({"meta": {"status": True}}))[0] is None
    assert parse(UNLISTED, response({"a": 1}))[0] == {"a": 1}


def test_the_data_of_an_endpoint_without_a_result_is_ignored() -> None:
    values: list[Any] = [None, [], "x", {"id": [1]}]
    for data in values:
        assert parse(endpoints.SEND_CANCEL, response(success(data)))[0] is None


def test_a_file_is_returned_unchanged_and_json_instead_of_a_file_as_none() -> None:
    sheet = b"PK\x03\x04"
    assert parse(SAMPLE_FILE, response(sheet, content_type="application/vnd.ms-excel"))[0] == sheet
    assert parse(SAMPLE_FILE, response(success(None), content_type="application/json; charset=utf-8"))[0] is None
    assert parse_error(SAMPLE_FILE, response(REJECTION, content_type="application/json")).outcome is Outcome.REJECTED
    page = parse_error(SAMPLE_FILE, response(b"<html>", content_type="text/html"))
    assert isinstance(page, DecodeError)


def test_a_409_of_the_api_is_the_result_true_but_one_of_a_proxy_is_an_error() -> None:
    assert parse(EXISTS, response(REJECTION, 409))[0] is True
    assert parse(EXISTS, response(REJECTION, 409))[1].message == "پیام نادرست است"
    assert parse(EXISTS, response(success(None)))[0] is False
    assert parse_error(EXISTS, response(b"<html>Conflict", 409)).outcome is Outcome.REJECTED


# Errors and their messages.


def test_an_error_contains_all_details_of_the_response() -> None:
    error = parse_error(SEND, response(REJECTION, 422))
    assert isinstance(error, ValidationFailed)
    assert dict(error.errors) == {
        "variable.0.name": ("لازم است", "کوتاه است"),
        "message": ("بلند است",),
        "blank": (),
        "none": (),
    }
    assert str(error).splitlines()[1:] == [
        "پیام نادرست است",
        "variable.0.name: لازم است",
        "variable.0.name: کوتاه است",
        "message: بلند است",
    ]
    assert error.excerpt == ""
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - pickled by this test
    assert (str(copy), dict(copy.errors)) == (str(error), dict(error.errors))


def test_the_top_level_errors_of_a_failed_login_are_parsed() -> None:
    body = {"errors": {"username": ["نام یا رمز نادرست است"]}, "meta": {"status": False, "message": "نامعتبر"}}
    for status in (422, 200):
        error = parse_error(endpoints.AUTH_LOGIN, response(body, status))
        assert isinstance(error, ApiError)
        assert dict(error.errors) == {"username": ("نام یا رمز نادرست است",)}
        assert (error.message, error.outcome) == ("نامعتبر", Outcome.REJECTED)


@pytest.mark.parametrize("errors", [None, [], {}, "x", 5, ["x"]])
def test_errors_of_an_unexpected_type_are_ignored(errors: Any) -> None:
    error = parse_error(SEND, response({"meta": {"status": False, "errors": errors, "message": 7}}, 400))
    assert isinstance(error, ApiError)
    assert (dict(error.errors), error.message, error.message_code) == ({}, "7", "")


def test_the_error_for_a_proxy_page_shows_its_status_and_beginning_instead_of_a_json_error() -> None:
    page = b"<html>\r\n<head><title>502 Bad Gateway</title></head>" + b" <p>cdn</p>" * 500
    error = parse_error(SEND, response(page, 502, content_type="text/html"))
    assert isinstance(error, ServerError)
    assert (error.enveloped, error.message, error.outcome) == (False, "", Outcome.UNKNOWN)
    assert "\nthe response begins '<html> <head><title>502 Bad Gateway</title></head> <p>" in str(error)
    assert "may have been executed" in str(error)
    assert "JSON" not in str(error)
    assert len(error.excerpt) == 200


def test_the_error_for_a_page_with_http_200_shows_its_beginning() -> None:
    error = assert_decode_error(
        b"\n <!doctype html><h1>Blocked</h1>", "the response is not JSON; it begins '<!doctype html>", SEND
    )
    assert "HTTP 200" in str(error)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\x00", b"null", b"{}", b'{"error": "no route"}'])
def test_an_error_without_an_envelope_is_marked_as_not_enveloped(body: bytes) -> None:
    error = parse_error(SEND, response(body, 404))
    assert isinstance(error, NotFound)
    assert not error.enveloped
    assert error.excerpt == " ".join(body.decode("utf-8", "replace").split())


def test_the_excerpt_of_a_compressed_page_is_decompressed_or_empty() -> None:
    page = gzip.compress(b"<html>down")
    compressed = parse_error(SEND, response(page, 503, content_encoding="gzip"))
    truncated = parse_error(SEND, response(page[:9], 503, content_encoding="gzip"))
    other = parse_error(SEND, response(page, 503, content_encoding="br"))
    assert [getattr(error, "excerpt", None) for error in (compressed, truncated, other)] == ["<html>down", "", ""]


def test_the_error_for_a_405_contains_the_allowed_methods() -> None:
    error = parse_error(SEND, response(b"", 405, allow="get, Head,, POST "))
    assert isinstance(error, ApiError)
    assert error.allow == ("GET", "HEAD", "POST")


TABLE: list[tuple[int, type[ApiError], Outcome]] = [
    (400, ValidationFailed, Outcome.REJECTED),
    (401, AuthenticationError, Outcome.REJECTED),
    (403, PermissionDenied, Outcome.REJECTED),
    (404, NotFound, Outcome.REJECTED),
    (405, ApiError, Outcome.REJECTED),
    (408, ApiError, Outcome.UNKNOWN),
    (409, Conflict, Outcome.REJECTED),
    (413, ApiError, Outcome.REJECTED),
    (415, ApiError, Outcome.REJECTED),
    (421, ApiError, Outcome.REJECTED),
    (422, ValidationFailed, Outcome.REJECTED),
    (425, ApiError, Outcome.REJECTED),
    (429, DuplicateMessage, Outcome.REJECTED),
    (499, ApiError, Outcome.UNKNOWN),
    *((status, ServerError, Outcome.UNKNOWN) for status in (500, 502, 503, 504, *range(520, 525), 599)),
    *((status, ApiError, Outcome.UNKNOWN) for status in (300, 301, 302, 303, 304, 307, 308)),
]


@pytest.mark.parametrize(("status", "kind", "outcome"), TABLE)
@pytest.mark.parametrize("enveloped", [True, False])
def test_each_status_has_its_error_class_and_outcome(
    status: int,
    kind: type[ApiError],
    outcome: Outcome,
    enveloped: bool,  # noqa: FBT001 - a test parameter
) -> None:
    error = parse_error(SEND, response(REJECTION if enveloped else b"<html>", status))
    assert type(error) is kind
    assert (error.outcome, error.status_code, error.enveloped) == (outcome, status, enveloped)
    assert outcome_of(status) is outcome


def test_the_error_class_depends_on_the_status_not_on_the_message_code() -> None:
    error = parse_error(CREDIT, response({"data": None, "meta": {"status": False, "message_code": "400-1"}}, 401))
    assert isinstance(error, AuthenticationError)
    assert error.message_code == "400-1"


def test_an_http_error_with_a_true_meta_status_is_an_error() -> None:
    assert parse_error(SEND, response(success({"message_outbox_ids": [4]}), 500)).outcome is Outcome.UNKNOWN


@given(status=st.integers(100, 599), body=st.binary(max_size=40))
def test_any_status_with_any_bytes_results_in_an_sdk_error(status: int, body: bytes) -> None:
    with pytest.raises((ApiError, DecodeError)) as caught:
        parse(SEND, response(body, status))
    assert str(caught.value)
    assert caught.value.outcome in {Outcome.REJECTED, Outcome.UNKNOWN}


# Retry-After.

NOW = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("9" * 400, 999_999_999_999_999.0),
        ("Sun, 01 Mar 2026 08:31:30 GMT", 90.0),
        ("Sunday, 01-Mar-26 08:31:30 GMT", 90.0),
        ("Sun, 01 Mar 2026 12:01:30 +0330", 90.0),
        ("Sun, 01 Mar 2026 08:31:30 -0000", 90.0),
        ("Sun, 01 Mar 2026 08:00:00 GMT", 0.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("nan", None),
        ("inf", None),
        ("1e9", None),
        ("۱۲", None),
        ("soon", None),
        ("Sun, 99 Mar 2026 08:31:30 GMT", None),
        ("Sun, 01 Mar 99999 08:31:30 GMT", None),
    ],
)
def test_retry_after_is_parsed_from_seconds_or_a_date_and_other_values_are_ignored(
    value: str | None, seconds: float | None
) -> None:
    assert retry_after(value, now=NOW) == seconds


def test_a_retry_after_date_is_relative_to_the_current_time() -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    seconds = retry_after(f"{later:%a, %d %b %Y %H:%M:%S} GMT")
    assert seconds is not None
    assert 3500 < seconds <= 3600


@given(
    value=st.text()
    | st.from_regex(r"[A-Z][a-z]{2}, ?-?[0-9]{1,6} [A-Z][a-z]{2} -?[0-9]{1,6} [0-9:+-]{1,12} ?[A-Z+0-9-]{0,7}")
)
def test_parsing_retry_after_never_raises_and_is_never_negative(value: str) -> None:
    seconds = retry_after(value, now=NOW)
    assert seconds is None or seconds >= 0


def test_an_error_contains_its_retry_after() -> None:
    for status in (429, 503):
        error = parse_error(SEND, response(REJECTION, status, retry_after="40"))
        assert isinstance(error, ApiError)
        assert error.retry_after == 40.0


def test_an_error_references_no_frame_that_contains_the_response() -> None:
    secret = success({"method": [], "token": "84cd0f5e0ffe"})
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=secret))
    with httpx.Client(transport=transport) as http, pytest.raises(DecodeError) as caught:
        EdgeClient("unit-key", base_url="https://edge.example.test/v1", http_client=http).auth.login("u", "p")
    error = caught.value
    trace = error.__traceback__
    frames: list[FrameType] = []
    while trace is not None:
        frames.append(trace.tb_frame)
        trace = trace.tb_next
    sdk_frames = [frame for frame in frames if "ippanel_edge" in frame.f_code.co_filename]
    assert sdk_frames
    assert not [name for frame in sdk_frames for name, value in frame.f_locals.items() if "84cd" in repr(value)]
    assert error.__cause__ is None
    assert error.__context__ is None


# The Reply of client.request().


def test_a_reply_creates_its_response_on_access() -> None:
    created: list[int] = []

    def create() -> int:
        created.append(1)
        return len(created)

    reply = Reply(data=1, meta=Meta(), make_response=create)
    assert created == []
    assert reply.response == 1
    assert attrs.evolve(reply, data=2).data == 2
    assert "raw" not in repr(reply)
