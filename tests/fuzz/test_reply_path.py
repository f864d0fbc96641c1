"""Any bytes, status and headers in: a model or one of our errors out, and it tells the truth about the request."""

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
"""One attempt, three repeats, and one change of the method each way."""
PATTERN: Final = NewPattern(
    description="greets", message="سلام %name%", variable=[PatternVariable(name="name", type="string")]
)


@attrs.frozen
class Kind:
    """An endpoint to call, and what its answers hold."""

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
    """Draw a call, and what each of its attempts is answered; the last answer is given again and again."""
    return st.sampled_from(kinds).flatmap(
        lambda each: st.tuples(st.just(each), st.lists(answers(each.data), min_size=1, max_size=3))
    )


@attrs.define
class Service:
    """Gives one answer after another."""

    answers: Sequence[Answer]
    requests: int = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests += 1
        assert self.requests <= MOST_REQUESTS
        return self.last.made()

    @property
    def last(self) -> Answer:
        return self.answers[min(self.requests, len(self.answers)) - 1]


@contextmanager
def sync_client(service: Service) -> Generator[EdgeClient]:
    with httpx.Client(transport=httpx.MockTransport(service)) as http:
        yield EdgeClient(KEY, base_url=BASE, from_number=LINE, http_client=http)


def called(each: Kind, service: Service) -> object:
    """Make the call; give what it returned, or the error of ours that it raised."""
    with sync_client(service) as client:
        try:
            return each.call(client)
        except EdgeError as error:
            return error


async def called_async(each: Kind, service: Service) -> object:
    async with httpx.AsyncClient(transport=httpx.MockTransport(service)) as http:
        client = AsyncEdgeClient(KEY, base_url=BASE, from_number=LINE, http_client=http)
        try:
            return await result(each.call(client))
        except EdgeError as error:
            return error


def assert_sound(each: Kind, came: object, service: Service) -> None:
    """What is true of every call, whatever was answered."""
    assert service.requests >= 1
    if not isinstance(came, EdgeError):
        assert_good(each, came, service.last)
        return
    assert came.attempts == service.requests
    assert came.outcome is not Outcome.NOT_SENT
    str(came).encode()
    again = pickle.loads(pickle.dumps(came))  # noqa: S301 - made a line before
    assert (type(again), str(again), again.outcome) == (type(came), str(came), came.outcome)
    if came.outcome is Outcome.REJECTED:
        assert all(is_refusal(answer) for answer in service.answers[: service.requests])


def assert_good(each: Kind, came: Any, last: Answer) -> None:
    is_reply = is_a(came, Reply)
    value: Any = came.data if is_reply else came
    if is_reply:
        assert came.response.status_code == last.status
        assert came.response.content == last.text
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
    """Say what isinstance says, without a checker's taking the type for one of unknown parts."""
    return isinstance(value, kind)


def is_refusal(answer: Answer) -> bool:
    """Whether an answer says that the request was not carried out: by its status, or in so many words."""
    if 200 <= answer.status < 300:
        return statuses_of(answer) == [False]
    return 400 <= answer.status < 500 and answer.status != 408


def statuses_of(answer: Answer) -> list[bool] | None:
    """List what an answer's meta says of its status, read as loosely as can be; None where it is no JSON object."""
    text = answer.text
    if text is None:
        return None
    try:
        pairs = json.loads(text.decode(), object_pairs_hook=list)
        json.loads(text.decode())
    except (ValueError, RecursionError):
        return None
    metas: list[Any] = [value for name, value in pairs if name == "meta"]
    said: list[tuple[str, Any]] = [pair for meta in metas for pair in _pairs(meta)]
    words = [str(value).strip().lower() for name, value in said if name == "status"]
    return [word in TRUE for word in words if word in TRUE or word in FALSE]


def _pairs(meta: Any) -> list[tuple[str, Any]]:
    """List the pairs of what was an object in JSON; a list there holds no tuples."""
    return [pair for pair in meta if isinstance(pair, tuple)] if is_a(meta, list) else []


TRUE: Final = ("true", "1", "yes", "active", "on")
FALSE: Final = ("false", "0", "no", "inactive", "off", "")


@LONG
@given(case=cases(KINDS))
def test_any_answer_to_what_may_be_repeated_is_a_model_or_an_error_of_ours(case: tuple[Kind, list[Answer]]) -> None:
    each, given_ = case
    service = Service(given_)
    assert_sound(each, called(each, service), service)


@LONG
@given(case=cases(ONCE))
def test_any_answer_to_what_texts_or_bills_is_told_truly_and_is_asked_for_once(case: tuple[Kind, list[Answer]]) -> None:
    each, given_ = case
    service = Service(given_)
    came = called(each, service)
    assert_sound(each, came, service)
    assert service.requests == 1 or (given_[0].status in (421, 425) and service.requests == 2)
    if each is SEND and not isinstance(came, EdgeError):
        assert isinstance(came, SendResult)
        assert came.message_outbox_ids


@given(case=cases([*KINDS, *ONCE]))
def test_the_async_side_makes_the_same_of_an_answer(case: tuple[Kind, list[Answer]]) -> None:
    each, given_ = case
    services = Service(given_), Service(given_)
    one, other = called(each, services[0]), anyio.run(called_async, each, services[1])
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
def test_a_good_answer_with_ids_is_a_result_with_those_ids(
    data: dict[str, Any], more: dict[str, Any], status: int, flag: object, *, packed: bool
) -> None:
    text = json.dumps({**more, "data": {**more, **data}, "meta": {**more, "status": flag}}).encode()
    headers = ((b"content-encoding", b"gzip"),) if packed else ()
    came = called(SEND, Service([Answer(status, headers, gzip.compress(text) if packed else text)]))
    (wanted,) = data.values()
    assert came == SendResult(message_outbox_ids=tuple(wanted) if "message_outbox_ids" in data else (wanted,))


def test_an_answers_header_of_any_bytes_can_be_looked_at() -> None:
    for value, text in ((b"\x80", "\x80"), ("نرگس".encode(), "نرگس")):
        odd = Answer(200, ((b"x-odd", value),), b'{"data": 1, "meta": {"status": true}}')
        with sync_client(Service([odd])) as client:
            assert client.request("GET", "/api/x").response.headers["x-odd"] == text


@pytest.mark.parametrize("more", [b"\0", b"{}", gzip.compress(b'{"meta": {"status": false}}', mtime=0)])
def test_what_follows_the_gzip_data_is_not_dropped_in_silence(more: bytes) -> None:
    text = gzip.compress(b'{"data": {"message_outbox_ids": [1]}, "meta": {"status": true}}') + more
    came = called(SEND, Service([Answer(200, ((b"content-encoding", b"gzip"),), text)]))
    assert isinstance(came, DecodeError)
    assert "the gzip data is followed by something else" in str(came)
