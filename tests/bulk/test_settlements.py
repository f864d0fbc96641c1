"""The pure parts of sending: the meaning of each error, the choice of a method, and the call that sends a chunk."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from ippanel_edge import errors
from ippanel_edge.bulk.calls import DEFAULT_ROWS, MAX_ROWS, METHODS, build_call, choose_method, settlement_of
from ippanel_edge.bulk.records import (
    CampaignError,
    Chunk,
    Kind,
    LedgerError,
    LedgerRow,
    Method,
    Settlement,
    State,
    Terms,
)
from ippanel_edge.errors import EdgeError, InvalidArgument, Outcome, OutcomeUnknown
from ippanel_edge.wire.call import Call, JsonBody, MultipartBody

EACH_STATE: dict[type[EdgeError], tuple[State, bool]] = {
    errors.EdgeError: (State.UNKNOWN, False),
    errors.ConfigurationError: (State.PENDING, True),
    errors.InvalidArgument: (State.PENDING, True),
    errors.ConnectionFailed: (State.PENDING, False),
    errors.OutcomeUnknown: (State.UNKNOWN, False),
    errors.ApiError: (State.REJECTED, False),
    errors.AuthenticationError: (State.PENDING, True),
    errors.PermissionDenied: (State.PENDING, True),
    errors.NotFound: (State.REJECTED, False),
    errors.Conflict: (State.REJECTED, False),
    errors.ValidationFailed: (State.REJECTED, False),
    errors.InsufficientCredit: (State.PENDING, True),
    errors.RateLimited: (State.REJECTED, False),
    errors.DuplicateMessage: (State.REJECTED, False),
    errors.ServerError: (State.UNKNOWN, False),
    errors.DecodeError: (State.UNKNOWN, False),
}
"""The state of a chunk after each error of its first attempt, and whether the run stops."""
FIRST = Chunk(id=1, method=Method.WEBSERVICE, state=State.PENDING, rows=1)
AGAIN = attrs.evolve(FIRST, attempts=1)
DOUBTFUL = attrs.evolve(AGAIN, unknown_since=datetime(2030, 1, 1, tzinfo=UTC))


def test_every_error_is_in_the_table() -> None:
    found = {item for _, item in inspect.getmembers(errors, inspect.isclass) if issubclass(item, EdgeError)}
    assert found == set(EACH_STATE)


@pytest.mark.parametrize("kind", EACH_STATE, ids=lambda kind: kind.__name__)
def test_the_settlement_of_an_error(kind: type[EdgeError]) -> None:
    error = kind("the reason")
    state, stops = EACH_STATE[kind]
    text = str(error)
    assert settlement_of(error, FIRST) == Settlement(state=state, error=text, stop=text if stops else None)


@pytest.mark.parametrize("kind", EACH_STATE, ids=lambda kind: kind.__name__)
def test_an_unknown_outcome_is_unknown_whatever_the_error(kind: type[EdgeError]) -> None:
    error = kind("the reason")
    error.outcome = Outcome.UNKNOWN
    settlement = settlement_of(error, FIRST)
    assert (settlement.state, settlement.stop) == (State.UNKNOWN, None)


@pytest.mark.parametrize("outcome", [Outcome.NOT_SENT, Outcome.REJECTED])
@pytest.mark.parametrize("kind", EACH_STATE, ids=lambda kind: kind.__name__)
def test_what_was_not_accepted_is_never_sent_or_unknown(kind: type[EdgeError], outcome: Outcome) -> None:
    error = kind("the reason")
    error.outcome = outcome
    assert settlement_of(error, FIRST).state in {State.PENDING, State.REJECTED}


@pytest.mark.parametrize("kind", EACH_STATE, ids=lambda kind: kind.__name__)
def test_a_rejection_does_not_settle_an_attempt_that_may_have_been_accepted(kind: type[EdgeError]) -> None:
    state = settlement_of(kind("the reason"), DOUBTFUL).state
    assert state is (State.UNKNOWN if EACH_STATE[kind][0] is State.REJECTED else EACH_STATE[kind][0])


@pytest.mark.parametrize("kind", EACH_STATE, ids=lambda kind: kind.__name__)
def test_a_duplicate_of_an_earlier_attempt_is_unknown(kind: type[EdgeError]) -> None:
    state = settlement_of(kind("the reason"), AGAIN).state
    assert state is (State.UNKNOWN if kind is errors.DuplicateMessage else EACH_STATE[kind][0])


def test_ids_that_arrived_before_the_error_prove_a_send() -> None:
    error = OutcomeUnknown("deadline")
    error.message_outbox_ids = (7, 8)
    assert settlement_of(error, FIRST) == Settlement(state=State.SENT, message_outbox_ids=(7, 8))


@pytest.mark.parametrize("kind", [CampaignError, LedgerError])
def test_the_errors_of_a_campaign_are_errors_of_the_sdk(kind: type[EdgeError]) -> None:
    assert isinstance(kind("the reason"), EdgeError)


@pytest.mark.parametrize(
    ("kind", "rows", "chunk_size", "method"),
    [
        (Kind.ONE_TEXT, 1, None, Method.WEBSERVICE),
        (Kind.ONE_TEXT, 10**7, None, Method.WEBSERVICE),
        (Kind.ONE_TEXT, 1, 1_000, Method.WEBSERVICE),
        (Kind.ONE_TEXT, 1, 1_001, Method.FILE),
        (Kind.OWN_TEXT, 10_000, None, Method.PEER_TO_PEER),
        (Kind.OWN_TEXT, 10_001, None, Method.PEER_TO_PEER_FILE),
        (Kind.OWN_TEXT, 10_001, 1_000, Method.PEER_TO_PEER),
        (Kind.OWN_TEXT, 1, 1_001, Method.PEER_TO_PEER_FILE),
        (Kind.PATTERN, 1, None, Method.PATTERN),
        (Kind.PATTERN, 10**7, 1, Method.PATTERN),
    ],
)
def test_the_cheapest_method(kind: Kind, rows: int, chunk_size: int | None, method: Method) -> None:
    assert choose_method(kind, rows, chunk_size) is method


def test_each_kind_has_methods_and_each_method_a_size() -> None:
    assert set(METHODS) == set(Kind)
    assert sorted(method for methods in METHODS.values() for method in methods) == sorted(Method)
    assert set(MAX_ROWS) == set(DEFAULT_ROWS) == set(Method)
    assert all(DEFAULT_ROWS[method] <= MAX_ROWS[method] for method in Method)


# Calls.

ROWS: list[LedgerRow] = [(1, "+989120000001", 'سلام, "a"\nb'), (2, "+989120000002", "{x} =1")]
SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)


def call_of(method: Method, rows: list[LedgerRow], **terms: Any) -> Call[Any]:
    kind = next(kind for kind, methods in METHODS.items() if method in methods)
    chunk = Chunk(id=3, method=method, state=State.PENDING, rows=len(rows))
    return build_call(Terms(from_number="+983000100200", kind=kind, **terms), chunk, rows)


def json_of(call: Call[Any]) -> str:
    assert isinstance(call.body, JsonBody)
    return bytes(call.body.content).decode()


def file_of(call: Call[Any]) -> tuple[dict[str, str], str, str]:
    """Return the fields, the name of the file, and its content."""
    assert isinstance(call.body, MultipartBody)
    ((field, upload),) = call.body.files
    assert field == "files[]"
    name, content, _ = upload.part()
    return dict(call.body.fields), name, content.read().decode()


def test_one_text_to_many() -> None:
    call = call_of(Method.WEBSERVICE, ROWS, message="a {{b}}")
    assert call.endpoint.name == "send.webservice"
    assert json_of(call) == (
        '{"sending_type":"webservice","from_number":"+983000100200","message":"a {b}",'
        '"params":{"recipients":["+989120000001","+989120000002"]}}'
    )


def test_a_text_for_each() -> None:
    assert json_of(call_of(Method.PEER_TO_PEER, ROWS)) == (
        '{"sending_type":"peer_to_peer","from_number":"+983000100200","params":['
        '{"recipients":["+989120000001"],"message":"سلام, \\"a\\"\\nb"},'
        '{"recipients":["+989120000002"],"message":"{x} =1"}]}'
    )


def test_one_text_in_a_file() -> None:
    assert file_of(call_of(Method.FILE, ROWS, message="a {{b}}")) == (
        {"sending_type": "file", "from_number": "+983000100200", "message": "a {b}"},
        "chunk-3.csv",
        "phone_number\n+989120000001\n+989120000002\n",
    )


def test_a_text_for_each_in_a_file() -> None:
    assert file_of(call_of(Method.PEER_TO_PEER_FILE, ROWS)) == (
        {"sending_type": "peer_to_peer_file", "from_number": "+983000100200"},
        "chunk-3.csv",
        'recipient,message\n+989120000001,"سلام, ""a""\nb"\n+989120000002,{x} =1\n',
    )


def test_a_pattern() -> None:
    rows: list[LedgerRow] = [(1, "+989120000001", '{"name":"x","points":7}')]
    assert json_of(call_of(Method.PATTERN, rows, pattern="welcome", params={"name": "n", "points": "p"})) == (
        '{"sending_type":"pattern","from_number":"+983000100200","code":"welcome",'
        '"recipients":["+989120000001"],"params":{"name":"x","points":7}}'
    )


@pytest.mark.parametrize("method", list(Method))
def test_a_scheduled_time(method: Method) -> None:
    terms = {"message": "a"} if method in METHODS[Kind.ONE_TEXT] else {"pattern": "p"}
    rows: list[LedgerRow] = [(1, "+989120000001", '{"a":1}')]
    call = call_of(method, rows, send_time=SOON, **terms)
    body = call.body
    text = json_of(call) if isinstance(body, JsonBody) else str(file_of(call)[0])
    assert '"send_time":"' in text or "'send_time': '" in text
    with pytest.raises(InvalidArgument, match="send_time"):
        call_of(method, rows, send_time=datetime.now(UTC), **terms)
