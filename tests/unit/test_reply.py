"""From an answer to data or an error: the envelope, what each status says, Retry-After. Bytes: test_reply_bytes.py."""

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
    EdgeError,
    NotFound,
    Outcome,
    PermissionDenied,
    RateLimited,
    ServerError,
    ValidationFailed,
)
from ippanel_edge.models.banks import Gender
from ippanel_edge.models.common import Meta
from ippanel_edge.models.send import SendResult
from ippanel_edge.wire.reply import RawAnswer, Reply, outcome_of, parse, retry_after

CREDIT, SEND = endpoints.PAYMENT_CREDIT, endpoints.SEND_WEBSERVICE
ANYTHING = Endpoint("request", "GET", "/api/new", READ, object, "", bare=True)
SAMPLE_FILE = endpoints.PHONEBOOKS_CONTACTS_IMPORT_SAMPLE
TAKEN = endpoints.USERS_CHECK_EXISTS
REFUSAL: dict[str, Any] = {
    "data": None,
    "meta": {
        "status": False,
        "message": "اعتبار کافی نیست",
        "message_code": "400-7",
        "message_parameters": [12, "x"],
        "errors": {"variable.0.name": ["لازم است", "کوتاه است"], "message": "بلند است", "blank": [], "none": None},
    },
}


def answer(body: Any = None, status: int = 200, **headers: Any) -> RawAnswer:
    """Make an answer; a body that is not bytes is written as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return RawAnswer(
        status_code=status, content=content, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


def good(data: Any) -> dict[str, Any]:
    return {"data": data, "meta": {"status": True, "message": "انجام شد", "message_code": "200-1"}}


def failing(endpoint: Endpoint[Any], raw: RawAnswer) -> EdgeError:
    with pytest.raises(EdgeError) as caught:
        parse(endpoint, raw)
    return caught.value


def unreadable(body: bytes, says: str, endpoint: Endpoint[Any] = CREDIT, **headers: Any) -> DecodeError:
    error = failing(endpoint, answer(body, **headers))
    assert isinstance(error, DecodeError)
    assert (error.status_code, error.outcome) == (200, Outcome.UNKNOWN)
    assert says in str(error)
    return error


# The envelope.


def test_a_good_answer_has_data_and_meta() -> None:
    data, meta, body = parse(SEND, answer(good({"message_outbox_ids": [4]})))
    assert data == SendResult(message_outbox_ids=(4,))
    assert (meta.status, meta.message, meta.message_code, meta.message_parameters) == (True, "انجام شد", "200-1", ())
    assert json.loads(body)["data"] == {"message_outbox_ids": [4]}


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize("flag", [True, 1, "1", "true", "yes"])
def test_success_is_a_2xx_with_a_true_status(status: int, flag: Any) -> None:
    assert parse(endpoints.SEND_CANCEL, answer({"data": None, "meta": {"status": flag}}, status))[0] is None


@pytest.mark.parametrize("flag", [False, 0, "0", "false", "no"])
def test_a_false_status_with_http_200_is_a_refusal(flag: Any) -> None:
    error = failing(SEND, answer({"data": {"message_outbox_ids": []}, "meta": {**REFUSAL["meta"], "status": flag}}))
    assert isinstance(error, ApiError)
    assert (error.status_code, error.outcome, error.enveloped) == (200, Outcome.REJECTED, True)
    assert (error.message, error.message_code) == ("اعتبار کافی نیست", "400-7")


@pytest.mark.parametrize("data", [{"message_outbox_ids": [4]}, {"bulk_id": "4"}])
def test_a_false_status_with_message_ids_has_an_unknown_outcome(data: dict[str, Any]) -> None:
    contradiction = answer({"data": data, "meta": {**REFUSAL["meta"], "status": False}})
    error = failing(SEND, contradiction)
    assert (type(error), error.outcome) == (ApiError, Outcome.UNKNOWN)
    assert failing(CREDIT, contradiction).outcome is Outcome.REJECTED


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
def test_without_a_status_nobody_knows(body: Any) -> None:
    error = unreadable(json.dumps(body).encode(), "the response has no meta.status", SEND)
    assert error.where == "meta"


@pytest.mark.parametrize("body", [[], "ok", 5, None, True])
def test_a_bare_value_is_no_envelope(body: Any) -> None:
    unreadable(json.dumps(body).encode(), "expected a {data, meta} envelope")


def test_the_genders_come_without_meta() -> None:
    data, meta, _ = parse(endpoints.BANKS_GENDERS, answer({"data": [{"id": "1", "name": "مرد"}]}))
    assert data == [Gender(id=1, name="مرد")]
    assert meta == Meta()
    assert meta.status is None


def test_the_genders_may_be_refused_all_the_same() -> None:
    assert failing(endpoints.BANKS_GENDERS, answer(REFUSAL)).outcome is Outcome.REJECTED


def test_an_unnamed_address_gives_its_data_as_it_is() -> None:
    assert parse(ANYTHING, answer(good({"a": ["1"]})))[0] == {"a": ["1"]}
    assert parse(ANYTHING, answer({"meta": {"status": True}}))[0] is None
    assert parse(ANYTHING, answer({"a": 1}))[0] == {"a": 1}


def test_data_that_says_nothing_is_not_looked_at() -> None:
    anything: list[Any] = [None, [], "x", {"id": [1]}]
    for data in anything:
        assert parse(endpoints.SEND_CANCEL, answer(good(data)))[0] is None


def test_a_file_comes_as_it_is_and_json_in_its_place_as_nothing() -> None:
    sheet = b"PK\x03\x04"
    assert parse(SAMPLE_FILE, answer(sheet, content_type="application/vnd.ms-excel"))[0] == sheet
    assert parse(SAMPLE_FILE, answer(good(None), content_type="application/json; charset=utf-8"))[0] is None
    assert failing(SAMPLE_FILE, answer(REFUSAL, content_type="application/json")).outcome is Outcome.REJECTED
    page = failing(SAMPLE_FILE, answer(b"<html>", content_type="text/html"))
    assert isinstance(page, DecodeError)


def test_a_status_may_be_the_result_but_only_the_apis_own() -> None:
    assert parse(TAKEN, answer(REFUSAL, 409))[0] is True
    assert parse(TAKEN, answer(REFUSAL, 409))[1].message == "اعتبار کافی نیست"
    assert parse(TAKEN, answer(good(None)))[0] is False
    assert failing(TAKEN, answer(b"<html>Conflict", 409)).outcome is Outcome.REJECTED


# Errors and what they say.


def test_an_error_says_all_that_the_api_said() -> None:
    error = failing(SEND, answer(REFUSAL, 422))
    assert isinstance(error, ValidationFailed)
    assert dict(error.errors) == {
        "variable.0.name": ("لازم است", "کوتاه است"),
        "message": ("بلند است",),
        "blank": (),
        "none": (),
    }
    assert "HTTP 422 [400-7]: اعتبار کافی نیست — variable.0.name: لازم است, کوتاه است; message: بلند است" in str(error)
    assert error.excerpt == ""
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - of our own making
    assert (str(copy), dict(copy.errors)) == (str(error), dict(error.errors))


def test_a_failed_login_has_its_errors_at_the_top() -> None:
    body = {"errors": {"username": ["نام یا رمز نادرست است"]}, "meta": {"status": False, "message": "نامعتبر"}}
    for status in (422, 200):
        error = failing(endpoints.AUTH_LOGIN, answer(body, status))
        assert isinstance(error, ApiError)
        assert dict(error.errors) == {"username": ("نام یا رمز نادرست است",)}
        assert (error.message, error.outcome) == ("نامعتبر", Outcome.REJECTED)


@pytest.mark.parametrize("errors", [None, [], {}, "x", 5, ["x"]])
def test_errors_of_another_shape_are_none(errors: Any) -> None:
    error = failing(SEND, answer({"meta": {"status": False, "errors": errors, "message": 7}}, 400))
    assert isinstance(error, ApiError)
    assert (dict(error.errors), error.message, error.message_code) == ({}, "7", "")


def test_a_proxys_page_shows_its_status_and_first_characters_not_a_json_error() -> None:
    page = b"<html>\r\n<head><title>502 Bad Gateway</title></head>" + b" <p>cdn</p>" * 500
    error = failing(SEND, answer(page, 502, content_type="text/html"))
    assert isinstance(error, ServerError)
    assert (error.enveloped, error.message, error.outcome) == (False, "", Outcome.UNKNOWN)
    assert "HTTP 502: no message — the response begins '<html> <head><title>502 Bad Gateway</title></head> <p>" in str(
        error
    )
    assert "may have been executed" in str(error)
    assert "JSON" not in str(error)
    assert len(error.excerpt) == 200


def test_a_page_with_http_200_shows_its_first_characters() -> None:
    error = unreadable(
        b"\n <!doctype html><h1>Blocked</h1>", "the response is not JSON; it begins '<!doctype html>", SEND
    )
    assert "HTTP 200" in str(error)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\x00", b"null", b"{}", b'{"error": "no route"}'])
def test_an_error_without_envelope_is_told_from_the_apis_own(body: bytes) -> None:
    error = failing(SEND, answer(body, 404))
    assert isinstance(error, NotFound)
    assert not error.enveloped
    assert error.excerpt == " ".join(body.decode("utf-8", "replace").split())


def test_the_excerpt_of_a_packed_page_is_unpacked_or_left_away() -> None:
    page = gzip.compress(b"<html>down")
    packed = failing(SEND, answer(page, 503, content_encoding="gzip"))
    broken = failing(SEND, answer(page[:9], 503, content_encoding="gzip"))
    other = failing(SEND, answer(page, 503, content_encoding="br"))
    assert [getattr(error, "excerpt", None) for error in (packed, broken, other)] == ["<html>down", "", ""]


def test_a_405_says_which_methods_are_allowed() -> None:
    error = failing(SEND, answer(b"", 405, allow="get, Head,, POST "))
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
    (429, RateLimited, Outcome.REJECTED),
    *((status, ServerError, Outcome.UNKNOWN) for status in (500, 502, 503, 504, *range(520, 525), 599)),
    *((status, ApiError, Outcome.UNKNOWN) for status in (300, 301, 302, 303, 304, 307, 308)),
]


@pytest.mark.parametrize(("status", "kind", "outcome"), TABLE)
@pytest.mark.parametrize("enveloped", [True, False])
def test_each_status_has_its_error_and_says_what_became_of_the_request(
    status: int,
    kind: type[ApiError],
    outcome: Outcome,
    enveloped: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    error = failing(SEND, answer(REFUSAL if enveloped else b"<html>", status))
    assert type(error) is kind
    assert (error.outcome, error.status_code, error.enveloped) == (outcome, status, enveloped)
    assert outcome_of(status) is outcome


def test_a_401_goes_by_the_status_though_its_code_says_400() -> None:
    error = failing(CREDIT, answer({"data": None, "meta": {"status": False, "message_code": "400-1"}}, 401))
    assert isinstance(error, AuthenticationError)
    assert error.message_code == "400-1"


def test_an_errors_true_status_does_not_make_it_a_success() -> None:
    assert failing(SEND, answer(good({"message_outbox_ids": [4]}), 500)).outcome is Outcome.UNKNOWN


@given(status=st.integers(100, 599), body=st.binary(max_size=40))
def test_any_status_and_any_bytes_make_a_result_or_an_error_of_ours(status: int, body: bytes) -> None:
    with pytest.raises((ApiError, DecodeError)) as caught:
        parse(SEND, answer(body, status))
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
def test_retry_after_is_seconds_or_a_date_and_nonsense_is_nothing(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, now=NOW) == seconds


def test_retry_after_is_measured_from_the_present() -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    seconds = retry_after(f"{later:%a, %d %b %Y %H:%M:%S} GMT")
    assert seconds is not None
    assert 3500 < seconds <= 3600


@given(
    value=st.text()
    | st.from_regex(r"[A-Z][a-z]{2}, ?-?[0-9]{1,6} [A-Z][a-z]{2} -?[0-9]{1,6} [0-9:+-]{1,12} ?[A-Z+0-9-]{0,7}")
)
def test_retry_after_never_fails_and_is_never_negative(value: str) -> None:
    seconds = retry_after(value, now=NOW)
    assert seconds is None or seconds >= 0


def test_an_error_carries_its_retry_after() -> None:
    for status in (429, 503):
        error = failing(SEND, answer(REFUSAL, status, retry_after="40"))
        assert isinstance(error, ApiError)
        assert error.retry_after == 40.0


def test_an_error_keeps_no_frame_that_holds_the_answer() -> None:
    secret = good({"method": [], "token": "84cd0f5e0ffe"})
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=secret))
    with httpx.Client(transport=transport) as http, pytest.raises(DecodeError) as caught:
        EdgeClient("unit-key", base_url="https://edge.example.test/v1", http_client=http).auth.login("u", "p")
    error = caught.value
    trace = error.__traceback__
    frames: list[FrameType] = []
    while trace is not None:
        frames.append(trace.tb_frame)
        trace = trace.tb_next
    ours = [frame for frame in frames if "ippanel_edge" in frame.f_code.co_filename]
    assert ours
    assert not [name for frame in ours for name, value in frame.f_locals.items() if "84cd" in repr(value)]
    assert error.__cause__ is None
    assert error.__context__ is None


# The reply of client.request.


def test_a_reply_makes_its_response_when_it_is_asked_for() -> None:
    made: list[int] = []

    def make() -> int:
        made.append(1)
        return len(made)

    reply = Reply(data=1, meta=Meta(), make_response=make)
    assert made == []
    assert reply.response == 1
    assert attrs.evolve(reply, data=2).data == 2
    assert "raw" not in repr(reply)
