"""The errors: picklable, with a text that tells a person what to do."""

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
    EdgeError("it broke", endpoint="send.file"),
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
def test_an_error_survives_pickling_and_copying(error: EdgeError) -> None:
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):  # noqa: S301 - our own
        assert type(twin) is type(error)
        assert str(twin) == str(error)
        assert twin.__dict__ == error.__dict__
        assert twin.outcome is error.outcome


def test_an_error_is_raised_and_caught_by_its_family() -> None:
    assert issubclass(ConfigurationError, ValueError)
    for kind in (AuthenticationError, PermissionDenied, NotFound, Conflict, ValidationFailed, RateLimited, ServerError):
        assert issubclass(kind, ApiError)


@pytest.mark.parametrize(
    ("error", "text"),
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
def test_the_text_says_what_where_and_what_became_of_it(error: EdgeError, text: str) -> None:
    assert str(error) == text


def test_the_outcome_belongs_to_the_kind_of_error() -> None:
    assert ConfigurationError("x").outcome is Outcome.NOT_SENT
    assert ConnectionFailed("x").outcome is Outcome.NOT_SENT
    assert OutcomeUnknown("x").outcome is Outcome.UNKNOWN
    assert ValidationFailed("x").outcome is Outcome.REJECTED
    assert ServerError("x").outcome is Outcome.UNKNOWN
    assert DecodeError("x").outcome is Outcome.UNKNOWN


def test_field_errors_cannot_be_changed() -> None:
    error = ERRORS[4]
    assert isinstance(error, ApiError)
    errors: Any = error.errors
    with pytest.raises(TypeError):
        errors["message"] = ()
