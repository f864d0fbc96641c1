"""Errors: pickling, base classes, messages and outcomes."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from ippanel_edge import (
    ApiError,
    AuthenticationError,
    ConfigurationError,
    Conflict,
    ConnectionFailed,
    DecodeError,
    EdgeError,
    NotFound,
    Outcome,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    ServerError,
    ValidationFailed,
)

ERRORS = [
    EdgeError("failure", endpoint="send.file"),
    ConfigurationError("must not be empty", argument="recipients", endpoint="send.webservice"),
    ConnectionFailed("ConnectError", attempts=4, endpoint="payment.credit"),
    OutcomeUnknown("ReadTimeout", attempts=1, endpoint="send.pattern"),
    ValidationFailed(
        "خطا", status_code=422, message_code="400-2", errors={"message": ["الزامی است"]}, endpoint="send.file"
    ),
    ServerError(status_code=502, enveloped=False, excerpt="<html>Bad gateway", endpoint="reports.inbox"),
    RateLimited("تکراری", status_code=429, retry_after=40.0, endpoint="send.webservice"),
    DecodeError("expected a number, got 'x'", status_code=200, where="data[3].cost", endpoint="reports.outbox"),
    *(kind("نه", status_code=400) for kind in (AuthenticationError, PermissionDenied, NotFound, Conflict, ApiError)),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_can_be_pickled_and_copied(error: EdgeError) -> None:
    for duplicate in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):  # noqa: S301 - pickled by this test
        assert type(duplicate) is type(error)
        assert str(duplicate) == str(error)
        assert duplicate.__dict__ == error.__dict__
        assert duplicate.outcome is error.outcome


def test_each_error_class_has_the_documented_base_class() -> None:
    assert issubclass(ConfigurationError, ValueError)
    for kind in (AuthenticationError, PermissionDenied, NotFound, Conflict, ValidationFailed, RateLimited, ServerError):
        assert issubclass(kind, ApiError)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ERRORS[1], "send.webservice: recipients: must not be empty"),
        (ERRORS[2], "payment.credit: ConnectError (nothing was sent; 4 attempts)"),
        (
            ERRORS[3],
            "send.pattern: ReadTimeout (it may have been executed; check before retrying)",
        ),
        (
            ERRORS[4],
            "send.file: HTTP 422 [400-2] (rejected by the service, not executed)\nخطا\nmessage: الزامی است",  # noqa: RUF001 - Persian
        ),
        (
            ERRORS[5],
            (
                "reports.inbox: HTTP 502 (it may have been executed; check before retrying)\n"
                "the response begins '<html>Bad gateway'"
            ),
        ),
        (
            ERRORS[7],
            (
                "reports.outbox: HTTP 200, data[3].cost: expected a number, got 'x' "
                "(it may have been executed; check before retrying)"
            ),
        ),
    ],
    ids=lambda value: "" if isinstance(value, str) else type(value).__name__,
)
def test_the_message_states_the_endpoint_the_problem_and_the_outcome(error: EdgeError, message: str) -> None:
    assert str(error) == message


def test_each_error_class_has_its_default_outcome() -> None:
    assert ConfigurationError("x").outcome is Outcome.NOT_SENT
    assert ConnectionFailed("x").outcome is Outcome.NOT_SENT
    assert OutcomeUnknown("x").outcome is Outcome.UNKNOWN
    assert ValidationFailed("x").outcome is Outcome.REJECTED
    assert ServerError("x").outcome is Outcome.UNKNOWN
    assert DecodeError("x").outcome is Outcome.UNKNOWN


HEADERS: dict[str, str] = {
    "X-Request-Id": "req-7",
    "CF-Ray": "8f-AMS",
    "Content-Type": "application/json",
    "Set-Cookie": "session=canary",
    "Authorization": "canary",
    "X-Api-Key": "canary",
    "X-Auth-Token": "canary",
}


def test_the_headers_have_lower_case_names_and_no_secret() -> None:
    error = ServerError("x", status_code=500, headers=HEADERS)
    assert dict(error.headers) == {"x-request-id": "req-7", "cf-ray": "8f-AMS", "content-type": "application/json"}
    immutable: Any = error.headers
    with pytest.raises(TypeError):
        immutable["x"] = "y"
    for duplicate in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):  # noqa: S301 - as above
        assert (duplicate.headers, duplicate.request_id) == (error.headers, "req-7")


@pytest.mark.parametrize(
    ("headers", "request_id"),
    [
        (HEADERS, "req-7"),
        ({"cf-ray": "8f-AMS", "x-correlation-id": "c-1"}, "c-1"),
        ({"x-sid": "2062", "cf-ray": "8f-AMS"}, "2062"),
        ({"x-request-id": "", "cf-ray": " 8f-AMS "}, "8f-AMS"),
        ({"x-request-id": "two words", "x-correlation-id": "x" * 101}, None),
        ({}, None),
    ],
)
def test_the_request_id_is_shown_in_the_first_line(headers: dict[str, str], request_id: str | None) -> None:
    error = ServerError("پیام", status_code=500, headers=headers)
    assert error.request_id == request_id
    first, second = str(error).splitlines()
    assert (f"request id {request_id})" in first) == (request_id is not None)
    assert second == "پیام"


def test_a_message_of_several_lines_is_one_line() -> None:
    error = ValidationFailed("a\r\nb", status_code=422, errors={"x": ["c\n d"], "y": ["c d"]})
    assert str(error).splitlines()[1:] == ["a b", "x, y: c d"]


def test_field_errors_are_immutable() -> None:
    error = ERRORS[4]
    assert isinstance(error, ApiError)
    errors: Any = error.errors
    with pytest.raises(TypeError):
        errors["message"] = ()
