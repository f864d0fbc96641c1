"""Reading models: what the service writes in many ways is read, and what no rule reads is named by row and field."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippanel_edge import endpoints
from ippanel_edge.endpoints import ALL, Endpoint
from ippanel_edge.errors import ApiError, DecodeError, Outcome
from ippanel_edge.models.auth import LoginStep
from ippanel_edge.models.banks import Place
from ippanel_edge.models.common import Meta, Page
from ippanel_edge.models.payment import Credit
from ippanel_edge.models.reports import (
    BulkStats,
    InboxMessage,
    Languages,
    OutboxFilters,
    OutboxMessage,
    RecipientReport,
)
from ippanel_edge.models.send import SendResult, Slice
from ippanel_edge.models.states import DeliveryStatus, MessageState
from ippanel_edge.wire import codec
from ippanel_edge.wire.reply import RawAnswer, parse
from tests.unit.junk import anything, conforms, scalars, shaped

MOMENT = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


class Colour(StrEnum):
    RED = "red"


@attrs.frozen(kw_only=True)
class Inner:
    """A model inside of another."""

    count: int = attrs.field(validator=attrs.validators.lt(100))
    price: float | None = None


@attrs.frozen(kw_only=True)
class Sample:
    """A model with a field of each kind that models have."""

    count: int | None = None
    price: float | None = None
    flag: bool | None = None
    text: str | None = None
    at: datetime | None = None
    since: datetime = MOMENT
    colour: Colour | str | None = None
    inner: Inner | None = None
    rows: list[Inner] = attrs.field(factory=list[Inner])
    tags: Sequence[str] = ()
    by_name: Mapping[str, Inner] = attrs.field(factory=dict[str, Inner])
    class_: int | None = attrs.field(default=None, metadata={"name": "class"})


def read(**data: Any) -> Sample:
    return codec.decode(data, Sample)


def refused(where: str, says: str, data: Any, cls: Any = Sample) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        codec.decode(data, cls)
    assert (caught.value.where, caught.value.args[0]) == (where, says)
    assert caught.value.outcome is Outcome.UNKNOWN
    return caught.value


# Numbers.


@pytest.mark.parametrize("value", [6, 6.0, "6", " 6 ", "6.0", "+6", "۶", "6e0"])
def test_a_whole_number_comes_as_number_text_or_float(value: Any) -> None:
    assert read(count=value).count == 6
    assert type(read(count=value).count) is int


@pytest.mark.parametrize("value", [3990.2, "3990.2", " 3990.20 "])
def test_an_amount_comes_as_number_or_text(value: Any) -> None:
    assert read(price=value).price == 3990.2


@pytest.mark.parametrize("value", [12, "12", "12.0", 12.0])
def test_a_whole_amount_is_a_float_too(value: Any) -> None:
    assert read(price=value).price == 12.0
    assert type(read(price=value).price) is float


def test_a_count_as_a_flag_is_read() -> None:
    assert read(count=True).count == 1


@pytest.mark.parametrize("field", ["count", "price", "flag", "at", "colour", "inner"])
@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_null_or_a_blank_text_is_nothing(field: str, nothing: Any) -> None:
    assert getattr(read(**{field: nothing}), field) is None


@pytest.mark.parametrize("value", ["x", "1_0", "1,000", "0x6", "1 2", "nan", "infinity", "6.5", 6.5, 1e999, "1" * 41])
def test_what_is_no_whole_number_is_refused(value: Any) -> None:
    shown = repr(value) if len(repr(value)) <= 40 else f"{value!r}"[:40] + "…"
    refused("data.count", f"expected an integer, got {shown}", {"count": value})


@pytest.mark.parametrize("value", ["x", "1_0", "nan", "inf", "1e999", 1e999, True])
def test_what_is_no_amount_is_refused(value: Any) -> None:
    refused("data.price", f"expected a number, got {value!r}", {"price": value})


def test_a_huge_number_is_not_written_out() -> None:
    refused("data.price", "expected a number, got a huge number", {"price": 10**4000})
    assert read(count=10**4000).count == 10**4000


# Flags.


@pytest.mark.parametrize("value", [True, 1, "1", "yes", "YES", "active", "true", " True ", "on"])
def test_a_flag_is_true_in_many_ways(value: Any) -> None:
    assert read(flag=value).flag is True


@pytest.mark.parametrize("value", [False, 0, "0", "no", "inactive", "false", "False", "off"])
def test_a_flag_is_false_in_many_ways(value: Any) -> None:
    assert read(flag=value).flag is False


@pytest.mark.parametrize("value", [2, "maybe", 1.0, "2"])
def test_another_word_is_no_flag(value: Any) -> None:
    refused("data.flag", f"expected a boolean, got {value!r}", {"flag": value})


# Texts.


def test_null_in_a_text_is_none_and_not_the_word() -> None:
    assert read(text=None).text is None
    assert read(text="").text == ""
    assert read(text=" a ").text == " a "


@pytest.mark.parametrize(("value", "text"), [(5, "5"), (5.5, "5.5"), (0, "0")])
def test_a_number_in_a_text_is_its_digits(value: Any, text: str) -> None:
    assert read(text=value).text == text


@pytest.mark.parametrize(("value", "kind"), [(True, "True"), (["a"], "a list"), ({"a": 1}, "an object")])
def test_another_thing_is_no_text(value: Any, kind: str) -> None:
    refused("data.text", f"expected a string, got {kind}", {"text": value})


# Times.


@pytest.mark.parametrize(
    "value",
    [
        int(MOMENT.timestamp()),
        str(int(MOMENT.timestamp())),
        MOMENT.timestamp(),
        "2026-02-03 04:05:06",
        "2026-02-03T07:35:06+03:30",
        "2026-02-03T04:05:06.000000Z",
    ],
)
def test_a_time_comes_in_four_kinds_and_is_aware_in_utc(value: Any) -> None:
    at = read(at=value).at
    assert at == MOMENT
    assert at is not None
    assert at.tzinfo is UTC
    assert read(since=value).since == MOMENT


def test_microseconds_are_kept() -> None:
    assert read(at="2026-02-03T04:05:06.250000Z").at == MOMENT + timedelta(milliseconds=250)


@pytest.mark.parametrize("value", [0, "0", None, "", 0.0])
def test_no_time_is_none(value: Any) -> None:
    assert read(at=value).at is None


@pytest.mark.parametrize("value", ["yesterday", "2026-02-30", True, 1e300, "9" * 20, [1]])
def test_what_is_no_time_is_refused(value: Any) -> None:
    with pytest.raises(DecodeError) as caught:
        read(at=value)
    assert caught.value.where == "data.at"


def test_a_time_that_has_to_be_there_is() -> None:
    refused("data.since", "expected a time, got 0", {"since": 0})


# States.


@pytest.mark.parametrize("value", [6, "6", 6.0])
def test_a_known_state_is_its_enum(value: Any) -> None:
    assert codec.decode({"state_id": value}, OutboxMessage).state_id is MessageState.SENT


def test_an_unknown_state_is_kept_as_it_came() -> None:
    message = codec.decode({"state_id": "77"}, OutboxMessage)
    assert message.state_id == 77
    assert not isinstance(message.state_id, MessageState)
    assert codec.decode({"message_status": 9}, RecipientReport).message_status == 9
    assert read(colour="blue").colour == "blue"
    assert read(colour="red").colour is Colour.RED


def test_a_word_where_a_states_number_belongs_is_refused() -> None:
    refused("data.state_id", "expected an integer, got 'sent'", {"state_id": "sent"}, OutboxMessage)


# Objects and lists, as PHP writes them.


def test_unknown_fields_are_ignored_and_missing_ones_are_none() -> None:
    assert read(new={"a": [1]}, other=1) == Sample()


def test_a_required_field_that_is_missing_is_named() -> None:
    refused("data.method", "is missing", {}, LoginStep)
    refused("data.token", "is missing", {"method": "sms"}, LoginStep)
    refused("data.rows[1].count", "is missing", {"rows": [{"count": 1}, {}]})
    refused("data.count", "is missing", [], Inner)


def test_an_empty_list_for_an_object_is_an_empty_object() -> None:
    assert codec.decode([], Sample) == Sample()
    assert read(inner=[]).inner is None
    assert read(by_name=[]).by_name == {}
    assert codec.decode({"operators_sent": []}, BulkStats) == BulkStats()


def test_an_empty_object_or_null_for_a_list_is_an_empty_list() -> None:
    assert read(rows={}, tags={}, by_name=None) == Sample()
    assert read(rows=None, tags=None) == Sample()
    assert codec.decode({}, list[Place]) == []
    assert codec.decode(None, Page[Place]) == Page[Place]()
    assert codec.decode({}, Page[Place]) == Page[Place]()


def test_lists_and_objects_are_read_through_and_through() -> None:
    sample = read(rows=[{"count": "1"}], tags=["a", 5], by_name={"x": {"count": 2.0, "price": "3"}}, inner={"count": 4})
    assert sample.rows == [Inner(count=1)]
    assert sample.tags == ("a", "5")
    assert sample.by_name == {"x": Inner(count=2, price=3.0)}
    assert sample.inner == Inner(count=4)


@pytest.mark.parametrize(
    ("value", "kind"), [("abc", "a string"), (5, "a number"), (True, "a boolean"), ([1], "a list")]
)
def test_another_thing_is_no_object_and_is_not_shown(value: Any, kind: str) -> None:
    refused("data", f"expected an object, got {kind}", value)
    refused("data.by_name", f"expected an object, got {kind}", {"by_name": value})


@pytest.mark.parametrize(("value", "kind"), [("abc", "a string"), (5, "a number"), ({"a": 1}, "an object")])
def test_another_thing_is_no_list_and_is_not_shown(value: Any, kind: str) -> None:
    refused("data", f"expected a list, got {kind}", value, Page[Sample])
    refused("data.rows", f"expected a list, got {kind}", {"rows": value})


def test_null_is_no_object() -> None:
    refused("data", "expected an object, got null", None)


def test_a_field_under_a_keyword_is_read_and_named_as_the_api_has_it() -> None:
    assert read(**{"class": "4"}).class_ == 4
    assert codec.decode({"return": "5"}, OutboxMessage).return_ == 5.0
    refused("data.class", "expected an integer, got a list", {"class": [1]})
    refused("data[0].from", "expected a string, got a list", [{"from": []}], Page[InboxMessage])


# One bad row.


def test_one_bad_row_among_good_ones_is_named_by_row_and_field() -> None:
    rows = [{"id": number, "cost": "free" if number == 3 else 10.5} for number in range(5)]
    error = refused("data[3].cost", "expected a number, got 'free'", rows, Page[OutboxMessage])
    assert "data[3].cost: expected a number, got 'free'" in str(error)


def test_a_bad_value_deep_inside_is_named_all_the_way() -> None:
    stats = {"operators_sent": {"mci": {"fa": 1}, "irancell": {"en": "x"}}}
    refused("data.operators_sent.irancell.en", "expected an integer, got 'x'", stats, BulkStats)
    refused("data[1]", "expected an object, got null", [{}, None], list[Place])


def test_what_a_model_itself_refuses_is_named_by_its_object() -> None:
    refused("data.rows[0]", "'count' must be < 100: 100", {"rows": [{"count": 100}]})


def test_a_secret_of_a_wrong_type_is_not_shown() -> None:
    error = refused("data.token", "expected a string, got a list", {"method": "login", "token": ["s3cret"]}, LoginStep)
    assert "s3cret" not in str(error)
    assert "s3cret" not in str(refused("data", "expected an object, got a string", "s3cret", LoginStep))


def test_a_long_value_is_cut() -> None:
    error = refused("data.count", f"expected an integer, got '{'x' * 39}…", {"count": "x" * 500})
    assert len(str(error)) < 160


# Pages.


def test_a_page_has_its_rows_and_figures() -> None:
    meta = {"current_page": "2", "last_page": 3.0, "per_page": "10", "total": 25, "from": 11}
    page = codec.decode([{"id": 1}], Page[Place], meta=meta)
    assert page == Page(items=(Place(id=1),), current_page=2, last_page=3, per_page=10, total=25)
    assert len(page) == 1
    assert list(page) == [Place(id=1)]


@pytest.mark.parametrize("figure", [None, "many", [], 1.5, {}])
def test_a_figure_that_says_nothing_is_none(figure: Any) -> None:
    meta = {"current_page": figure, "last_page": figure, "per_page": figure, "total": figure}
    assert codec.decode([{"id": 1}], Page[Place], meta=meta) == Page(items=(Place(id=1),))


@pytest.mark.parametrize(
    ("page", "has_next"),
    [
        (Page(items=(1,), current_page=1, last_page=2), True),
        (Page(items=(1,), current_page=2, last_page=2), False),
        (Page(items=(1,), current_page=5, last_page=2), False),
        (Page(items=(), current_page=1, last_page=2), False),
        (Page(items=(1, 2), per_page=2), True),
        (Page(items=(1,), per_page=2), False),
        (Page(items=(1,)), True),
    ],
)
def test_a_page_knows_whether_another_may_follow(page: Page[int], has_next: bool) -> None:  # noqa: FBT001 - a parameter of the table
    assert page.has_next is has_next


# The ids of a send.


@pytest.mark.parametrize("name", ["message_outbox_ids", "message_outbox_id", "messages_outbox_id", "bulk_id"])
@pytest.mark.parametrize("ids", [[7, "8"], ["7", 8.0]])
def test_a_sends_ids_come_under_four_names(name: str, ids: list[Any]) -> None:
    assert codec.decode({name: ids}, SendResult).message_outbox_ids == (7, 8)
    assert codec.decode({name: ids[0]}, SendResult).id == 7


def test_the_first_name_that_says_something_counts() -> None:
    assert codec.decode({"message_outbox_ids": None, "bulk_id": "9"}, SendResult).id == 9


@pytest.mark.parametrize(
    ("data", "where", "says"),
    [
        ({}, ".message_outbox_ids", "is missing"),
        ({"message_outbox_ids": None}, ".message_outbox_ids", "is missing"),
        ({"message_outbox_ids": []}, ".message_outbox_ids", "contains no id"),
        ({"message_outbox_ids": {}}, ".message_outbox_ids", "contains no id"),
        ({"message_outbox_ids": {"a": 1}}, ".message_outbox_ids", "expected a list, got an object"),
        ({"message_outbox_ids": [1, 0]}, ".message_outbox_ids[1]", "expected an id, an integer from 1, got 0"),
        ({"message_outbox_ids": [True]}, ".message_outbox_ids[0]", "expected an id, an integer from 1, got True"),
        ({"message_outbox_ids": [None]}, ".message_outbox_ids[0]", "expected an integer, got null"),
        ({"bulk_id": "x"}, ".bulk_id", "expected an integer, got 'x'"),
        ([7], "", "expected an object with message_outbox_ids, got a list"),
        (None, "", "expected an object with message_outbox_ids, got null"),
    ],
)
def test_a_send_without_ids_cannot_be_read(data: Any, where: str, says: str) -> None:
    refused(f"data{where}", says, data, SendResult)


# Writing.


def test_unset_fields_are_not_written() -> None:
    assert codec.encode(OutboxFilters()) == {}
    assert codec.under("filters", OutboxFilters()) == {}
    assert codec.under("filters", None) == {}
    assert codec.under("filters", OutboxFilters(from_exit_count=0)) == {"filters": {"from_exit_count": 0}}


def test_what_is_written_is_exact() -> None:
    at = MOMENT.astimezone(timezone(timedelta(hours=-8)))
    filters = OutboxFilters(number="3000 999", messages_outbox_id=5, send_from_date=at, state_id=77, message="")
    assert codec.encode([filters]) == [
        {
            "number": "+983000999",
            "messages_outbox_id": "5",
            "send_from_date": str(int(MOMENT.timestamp())),
            "state_id": "77",
            "message": "",
        }
    ]
    assert codec.encode(OutboxFilters(state_id=MessageState.CREATING)) == {"state_id": "0"}
    assert codec.encode(date(2026, 5, 1)) == "2026-05-01"
    assert codec.encode(Slice()) == {"start": 0, "size": 0}


def test_a_field_under_a_keyword_is_written_as_the_api_has_it() -> None:
    assert codec.encode(InboxMessage(from_="+989124445566")) == {"from": "+989124445566"}


def test_what_was_written_is_read_again() -> None:
    message = OutboxMessage(messages_outbox_id=5, state_id=MessageState.SENT, time=MOMENT, cost=1.5, return_=0.0)
    assert codec.decode(json.loads(json.dumps(codec.encode(message))), OutboxMessage) == message


# Anything at all.


def answer(endpoint: Endpoint[Any], envelope: Any) -> tuple[Any, Meta] | None:
    """Parse an answer: the result, or None for one of the two errors that it may end in."""
    raw = RawAnswer(status_code=200, content=json.dumps(envelope).encode())
    try:
        data, meta, _ = parse(endpoint, raw)
    except (ApiError, DecodeError):
        return None
    return data, meta


DECODED = {str(endpoint.returns): endpoint for endpoint in ALL if endpoint.returns is not type(None)}
"""One endpoint for each thing that endpoints return."""


@pytest.mark.parametrize("endpoint", DECODED.values(), ids=lambda endpoint: str(endpoint.name))
@given(draw=st.data())
def test_junk_in_a_models_shape_makes_a_model_or_an_error_of_ours(endpoint: Endpoint[Any], draw: st.DataObject) -> None:
    data = draw.draw(shaped(endpoint.returns))
    figures = draw.draw(st.dictionaries(st.sampled_from(["current_page", "last_page", "per_page", "total"]), scalars))
    result = answer(endpoint, {"data": data, "meta": {"status": True, **figures}})
    expected: Any = (bytes | None) if endpoint.returns is bytes else endpoint.returns
    assert result is None or conforms(result[0], expected)


@given(envelope=anything)
def test_junk_instead_of_an_envelope_makes_an_error_of_ours(envelope: Any) -> None:
    for endpoint in (endpoints.PAYMENT_CREDIT, endpoints.SEND_WEBSERVICE, endpoints.SEND_CANCEL):
        assert answer(endpoint, envelope) is None


@given(
    meta=st.dictionaries(
        st.sampled_from(["status", "message", "message_code", "message_parameters", "errors"]), anything, max_size=5
    )
)
def test_junk_in_meta_makes_a_meta_or_an_error_of_ours(meta: Any) -> None:
    result = answer(endpoints.SEND_CANCEL, {"data": None, "meta": meta})
    if result is not None:
        said = result[1]
        assert said.status is True
        assert isinstance(said.message, str)
        assert isinstance(said.message_code, str)
        assert all(isinstance(text, str) for texts in said.errors.values() for text in texts)
        assert str(said)


def test_every_model_can_be_empty_or_says_what_is_missing() -> None:
    for endpoint in DECODED.values():
        raw = RawAnswer(status_code=200, content=b'{"data": {}, "meta": {"status": true}}')
        with contextlib.suppress(DecodeError):
            parse(endpoint, raw)
            continue
        with pytest.raises(DecodeError, match="is missing"):
            parse(endpoint, raw)


def test_the_words_of_a_state_hold_together() -> None:
    assert {state for state in MessageState if state.is_final} >= {MessageState.SENT, MessageState.REJECTED}
    assert not MessageState.SENT.is_failure
    assert MessageState.NO_CREDIT.is_failure
    assert not MessageState.QUEUED.is_failure
    assert [status.name for status in DeliveryStatus if status.is_final] == [
        "DELIVERED",
        "NOT_DELIVERED",
        "BLACKLISTED",
    ]
    assert RecipientReport(message_status=DeliveryStatus.BLACKLISTED).is_final
    assert not RecipientReport(message_status=9).is_final
    assert not RecipientReport().is_final


def test_models_are_what_they_say() -> None:
    assert codec.decode({"credit": 6084.5, "gift_expires_at": None}, Credit) == Credit(credit=6084.5)
    assert codec.decode({"mci": {"fa": "1"}}, Mapping[str, Languages]) == {"mci": Languages(fa=1)}  # type: ignore[type-abstract]  # the hint of a field
