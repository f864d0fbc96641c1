"""Any response is decoded to a model or raises an EdgeError whose outcome is correct."""

from __future__ import annotations

import gzip
import json
import pickle
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from types import NoneType
from typing import Any, Final

import anyio
import attrs
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippanel_edge import AsyncEdgeClient, DecodeError, EdgeClient, EdgeError, Outcome, endpoints
from ippanel_edge.endpoints import Endpoint
from ippanel_edge.models.patterns import NewPattern, PatternVariable
from ippanel_edge.models.send import SendResult
from ippanel_edge.wire.reply import Reply
from tests.client.sides import result
from tests.contract.sample import BASE, KEY, LINE
from tests.fuzz.answers import Answer, answers
from tests.fuzz.lengths import LONG
from tests.unit.junk import anything, conforms, shaped

MOST_REQUESTS: Final = 6
"""One attempt, three retries, and one switch to the alternate method and back."""
PATTERN: Final = NewPattern(
    description="greets", message="سلام %name%", variable=[PatternVariable(name="name", type="string")]
)


@attrs.frozen
class Kind:
    """An endpoint, a call of it, and a strategy for the data of its responses."""

    endpoint: Endpoint[Any]
    call: Callable[[Any], Any]
    data: st.SearchStrategy[Any]


def kind(endpoint: Endpoint[Any], call: Callable[[Any], Any]) -> Kind:
    plain = endpoint.returns in (NoneType, bytes, object, bool)
    return Kind(endpoint, call, anything if plain else shaped(endpoint.returns))


KINDS: Final = [
    kind(endpoints.PAYMENT_CREDIT, lambda client: client.payment.credit()),
    kind(endpoints.REPORTS_RECIPIENTS, lambda client: client.reports.recipients(7)),
    kind(endpoints.PATTERNS_UPDATE, lambda client: client.patterns.update("abc", PATTERN)),
    kind(endpoints.SEND_CANCEL, lambda client: client.send.cancel(7)),
    kind(endpoints.PHONEBOOKS_CONTACTS_IMPORT_SAMPLE, lambda client: client.phonebooks.contacts.import_sample(7)),
    kind(endpoints.USERS_CHECK_EXISTS, lambda client: client.users.check_exists("nargess")),
    kind(endpoints.BANKS_GENDERS, lambda client: client.banks.genders()),
]
SEND: Final = kind(endpoints.SEND_WEBSERVICE, lambda client: client.send.webservice("09121234567", "سلام"))
ONCE: Final = [
    SEND,
    kind(endpoints.PATTERNS_CREATE, lambda client: client.patterns.create(PATTERN)),
    Kind(endpoints.SEND_WEBSERVICE, lambda client: client.request("POST", "/api/send", json={}), SEND.data),
]


def cases(kinds: list[Kind]) -> st.SearchStrategy[tuple[Kind, list[Answer]]]:
    """Draw a call and the responses to its attempts; the last response is repeated if there are more attempts."""
    return st.sampled_from(kinds).flatmap(
        lambda each: st.tuples(st.just(each), st.lists(answers(each.data), min_size=1, max_size=3))
    )


@attrs.define
class Service:
    """A service that returns the given responses in order."""

    answers: Sequence[Answer]
    requests: int = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests += 1
        assert self.requests <= MOST_REQUESTS
        return self.last.to_response()

    @property
    def last(self) -> Answer:
        return self.answers[min(self.requests, len(self.answers)) - 1]


@contextmanager
def sync_client(service: Service) -> Generator[EdgeClient]:
    with httpx.Client(transport=httpx.MockTransport(service)) as http:
        yield EdgeClient(KEY, base_url=BASE, from_number=LINE, http_client=http)


def result_of(each: Kind, service: Service) -> object:
    """Return the result of the call, or the EdgeError that it raised."""
    with sync_client(service) as client:
        try:
            return each.call(client)
        except EdgeError as error:
            return error


async def result_of_async(each: Kind, service: Service) -> object:
    async with httpx.AsyncClient(transport=httpx.MockTransport(service)) as http:
        client = AsyncEdgeClient(KEY, base_url=BASE, from_number=LINE, http_client=http)
        try:
            return await result(each.call(client))
        except EdgeError as error:
            return error


def assert_sound(each: Kind, actual: object, service: Service) -> None:
    """Assert the properties that hold for every response."""
    assert service.requests >= 1
    if not isinstance(actual, EdgeError):
        assert_success(each, actual, service.last)
        return
    assert actual.attempts == service.requests
    assert actual.outcome is not Outcome.NOT_SENT
    str(actual).encode()
    copy = pickle.loads(pickle.dumps(actual))  # noqa: S301 - pickled in the same line
    assert (type(copy), str(copy), copy.outcome) == (type(actual), str(actual), actual.outcome)
    if actual.outcome is Outcome.REJECTED:
        assert all(is_rejection(answer) for answer in service.answers[: service.requests])


def assert_success(each: Kind, actual: Any, last: Answer) -> None:
    is_reply = is_a(actual, Reply)
    value: Any = actual.data if is_reply else actual
    if is_reply:
        assert actual.response.status_code == last.status
        assert actual.response.content == last.text
    elif each.endpoint.returns is bytes:
        assert value is None or value == last.text
    else:
        assert conforms(value, each.endpoint.returns)
    if not 200 <= last.status < 300:
        assert dict(each.endpoint.statuses)[last.status] is value
        return
    if each.endpoint.returns is not bytes:
        statuses = statuses_of(last)
        assert statuses is not None
        assert statuses in ([], [True]) if each.endpoint.bare or is_reply else statuses == [True]


def is_a(value: object, kind: type) -> bool:
    """Return isinstance(value, kind), without narrowing to a partially unknown type."""
    return isinstance(value, kind)


def is_rejection(answer: Answer) -> bool:
    """Return whether a response states, by status code or meta, that the request was not executed."""
    if 200 <= answer.status < 300:
        return statuses_of(answer) == [False]
    return 400 <= answer.status < 500 and answer.status != 408


def statuses_of(answer: Answer) -> list[bool] | None:
    """Return all values of meta.status in a response, parsed leniently; None if it is not a JSON object."""
    text = answer.text
    if text is None:
        return None
    try:
        pairs = json.loads(text.decode(), object_pairs_hook=list)
        json.loads(text.decode())
    except (ValueError, RecursionError):
        return None
    metas: list[Any] = [value for name, value in pairs if name == "meta"]
    members: list[tuple[str, Any]] = [pair for meta in metas for pair in _pairs(meta)]
    words = [str(value).strip().lower() for name, value in members if name == "status"]
    return [word in TRUE for word in words if word in TRUE or word in FALSE]


def _pairs(meta: Any) -> list[tuple[str, Any]]:
    """Return the pairs of a JSON object; the items of a JSON array are not tuples."""
    return [pair for pair in meta if isinstance(pair, tuple)] if is_a(meta, list) else []


TRUE: Final = ("true", "1", "yes", "active", "on")
FALSE: Final = ("false", "0", "no", "inactive", "off", "")


@LONG
@given(case=cases(KINDS))
def test_any_response_to_a_retryable_request_is_a_model_or_an_edge_error(case: tuple[Kind, list[Answer]]) -> None:
    each, given_ = case
    service = Service(given_)
    assert_sound(each, result_of(each, service), service)


@LONG
@given(case=cases(ONCE))
def test_any_response_to_a_non_idempotent_request_has_the_correct_outcome_and_is_not_retried(
    case: tuple[Kind, list[Answer]],
) -> None:
    each, given_ = case
    service = Service(given_)
    actual = result_of(each, service)
    assert_sound(each, actual, service)
    assert service.requests == 1 or (given_[0].status in (421, 425) and service.requests == 2)
    if each is SEND and not isinstance(actual, EdgeError):
        assert isinstance(actual, SendResult)
        assert actual.message_outbox_ids


@given(case=cases([*KINDS, *ONCE]))
def test_the_async_client_handles_a_response_like_the_sync_client(case: tuple[Kind, list[Answer]]) -> None:
    each, given_ = case
    services = Service(given_), Service(given_)
    one, other = result_of(each, services[0]), anyio.run(result_of_async, each, services[1])
    assert_sound(each, other, services[1])
    assert services[0].requests == services[1].requests
    assert type(one) is type(other)
    if isinstance(one, EdgeError) and isinstance(other, EdgeError):
        assert (str(one), one.outcome, one.attempts) == (str(other), other.outcome, other.attempts)
    elif not isinstance(one, Reply):
        assert one == other


ids = st.integers(1, 2**70)
good_data = st.one_of(
    st.fixed_dictionaries({"message_outbox_ids": st.lists(ids, min_size=1, max_size=4)}),
    st.fixed_dictionaries({"message_outbox_id": ids}),
    st.fixed_dictionaries({"bulk_id": ids}),
)


@LONG
@given(
    data=good_data,
    more=st.dictionaries(st.sampled_from(["x", "y"]), anything, max_size=2),
    status=st.sampled_from([200, 201, 202, 299]),
    flag=st.sampled_from([True, 1, "1", "true", "yes"]),
    packed=st.booleans(),
)
def test_a_successful_response_with_ids_is_a_result_with_these_ids(
    data: dict[str, Any], more: dict[str, Any], status: int, flag: object, *, packed: bool
) -> None:
    text = json.dumps({**more, "data": {**more, **data}, "meta": {**more, "status": flag}}).encode()
    headers = ((b"content-encoding", b"gzip"),) if packed else ()
    actual = result_of(SEND, Service([Answer(status, headers, gzip.compress(text) if packed else text)]))
    (ids_sent,) = data.values()
    assert actual == SendResult(message_outbox_ids=tuple(ids_sent) if "message_outbox_ids" in data else (ids_sent,))


def test_a_response_header_with_any_bytes_can_be_read() -> None:
    for value, text in ((b"\x80", "\x80"), ("نرگس".encode(), "نرگس")):
        odd = Answer(200, ((b"x-odd", value),), b'{"data": 1, "meta": {"status": true}}')
        with sync_client(Service([odd])) as client:
            assert client.request("GET", "/api/x").response.headers["x-odd"] == text


@pytest.mark.parametrize("more", [b"\0", b"{}", gzip.compress(b'{"meta": {"status": false}}', mtime=0)])
def test_data_after_the_gzip_data_raises_a_decode_error(more: bytes) -> None:
    text = gzip.compress(b'{"data": {"message_outbox_ids": [1]}, "meta": {"status": true}}') + more
    actual = result_of(SEND, Service([Answer(200, ((b"content-encoding", b"gzip"),), text)]))
    assert isinstance(actual, DecodeError)
    assert "the gzip data is followed by other bytes" in str(actual)
