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
            ("send.file: HTTP 422 [400-2]: خطا — message: الزامی است (rejected by the service, not executed)"),
        ),
        (
            ERRORS[5],
            (
                "reports.inbox: HTTP 502: no message — the response begins '<html>Bad gateway' "
                "(it may have been executed; check before retrying)"
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


def test_field_errors_are_immutable() -> None:
    error = ERRORS[4]
    assert isinstance(error, ApiError)
    errors: Any = error.errors
    with pytest.raises(TypeError):
        errors["message"] = ()
