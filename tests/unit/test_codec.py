"""Decoding and encoding models: all formats of the API are parsed, and errors name the invalid row and field."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import attrs
import pytest

from ippanel_edge.errors import DecodeError, Outcome
from ippanel_edge.models.auth import LoginStep
from ippanel_edge.models.banks import Place
from ippanel_edge.models.common import Page
from ippanel_edge.models.reports import (
    BulkStats,
    InboxMessage,
    OutboxFilters,
    OutboxMessage,
    RecipientReport,
)
from ippanel_edge.models.send import SendResult, Slice
from ippanel_edge.models.states import MessageState
from ippanel_edge.wire import codec

TIME = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


class Colour(StrEnum):
    RED = "red"


@attrs.frozen(kw_only=True)
class Inner:
    """A nested model."""

    count: int = attrs.field(validator=attrs.validators.lt(100))
    price: float | None = None


@attrs.frozen(kw_only=True)
class Sample:
    """A model with one field of each supported type."""

    count: int | None = None
    price: float | None = None
    flag: bool | None = None
    text: str | None = None
    at: datetime | None = None
    since: datetime = TIME
    colour: Colour | str | None = None
    inner: Inner | None = None
    rows: list[Inner] = attrs.field(factory=list[Inner])
    tags: Sequence[str] = ()
    by_name: Mapping[str, Inner] = attrs.field(factory=dict[str, Inner])
    class_: int | None = attrs.field(default=None, metadata={"name": "class"})


def decoded(**data: Any) -> Sample:
    return codec.decode(data, Sample)


def assert_rejected(where: str, message: str, data: Any, cls: Any = Sample) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        codec.decode(data, cls)
    assert (caught.value.where, caught.value.args[0]) == (where, message)
    assert caught.value.outcome is Outcome.UNKNOWN
    return caught.value


# Numbers.


@pytest.mark.parametrize("value", [6, 6.0, "6", " 6 ", "6.0", "+6", "۶", "6e0"])
def test_an_int_is_parsed_from_an_int_a_str_or_a_float(value: Any) -> None:
    assert decoded(count=value).count == 6
    assert type(decoded(count=value).count) is int


@pytest.mark.parametrize("value", [3990.2, "3990.2", " 3990.20 "])
def test_a_float_is_parsed_from_a_number_or_a_str(value: Any) -> None:
    assert decoded(price=value).price == 3990.2


@pytest.mark.parametrize("value", [12, "12", "12.0", 12.0])
def test_an_integral_amount_is_parsed_as_a_float(value: Any) -> None:
    assert decoded(price=value).price == 12.0
    assert type(decoded(price=value).price) is float


def test_a_bool_is_parsed_as_an_int() -> None:
    assert decoded(count=True).count == 1


@pytest.mark.parametrize("field", ["count", "price", "flag", "at", "colour", "inner"])
@pytest.mark.parametrize("blank", [None, "", "  "])
def test_null_and_a_blank_string_are_parsed_as_none(field: str, blank: Any) -> None:
    assert getattr(decoded(**{field: blank}), field) is None


@pytest.mark.parametrize("value", ["x", "1_0", "1,000", "0x6", "1 2", "nan", "infinity", "6.5", 6.5, 1e999, "1" * 41])
def test_a_value_that_is_not_an_int_is_rejected(value: Any) -> None:
    shown = repr(value) if len(repr(value)) <= 40 else f"{value!r}"[:40] + "…"
    assert_rejected("data.count", f"expected an integer, got {shown}", {"count": value})


@pytest.mark.parametrize("value", ["x", "1_0", "nan", "inf", "1e999", 1e999, True])
def test_a_value_that_is_not_a_number_is_rejected(value: Any) -> None:
    assert_rejected("data.price", f"expected a number, got {value!r}", {"price": value})


def test_a_huge_number_is_not_shown_in_the_error() -> None:
    assert_rejected("data.price", "expected a number, got a huge number", {"price": 10**4000})
    assert decoded(count=10**4000).count == 10**4000


# Booleans.


@pytest.mark.parametrize("value", [True, 1, "1", "yes", "YES", "active", "true", " True ", "on"])
def test_all_supported_forms_of_true_are_parsed(value: Any) -> None:
    assert decoded(flag=value).flag is True


@pytest.mark.parametrize("value", [False, 0, "0", "no", "inactive", "false", "False", "off"])
def test_all_supported_forms_of_false_are_parsed(value: Any) -> None:
    assert decoded(flag=value).flag is False


@pytest.mark.parametrize("value", [2, "maybe", 1.0, "2"])
def test_a_value_that_is_not_a_bool_is_rejected(value: Any) -> None:
    assert_rejected("data.flag", f"expected a boolean, got {value!r}", {"flag": value})


# Strings.


def test_null_in_a_str_field_is_parsed_as_none() -> None:
    assert decoded(text=None).text is None
    assert decoded(text="").text == ""
    assert decoded(text=" a ").text == " a "


@pytest.mark.parametrize(("value", "text"), [(5, "5"), (5.5, "5.5"), (0, "0")])
def test_a_number_in_a_str_field_is_converted_to_str(value: Any, text: str) -> None:
    assert decoded(text=value).text == text


@pytest.mark.parametrize(("value", "kind"), [(True, "True"), (["a"], "a list"), ({"a": 1}, "an object")])
def test_a_value_that_is_not_a_str_or_a_number_is_rejected_in_a_str_field(value: Any, kind: str) -> None:
    assert_rejected("data.text", f"expected a string, got {kind}", {"text": value})


# Times.


@pytest.mark.parametrize(
    "value",
    [
        int(TIME.timestamp()),
        str(int(TIME.timestamp())),
        TIME.timestamp(),
        "2026-02-03 04:05:06",
        "2026-02-03T07:35:06+03:30",
        "2026-02-03T04:05:06.000000Z",
    ],
)
def test_all_time_formats_are_parsed_as_aware_datetimes_in_utc(value: Any) -> None:
    at = decoded(at=value).at
    assert at == TIME
    assert at is not None
    assert at.tzinfo is UTC
    assert decoded(since=value).since == TIME


def test_microseconds_are_preserved() -> None:
    assert decoded(at="2026-02-03T04:05:06.250000Z").at == TIME + timedelta(milliseconds=250)


@pytest.mark.parametrize("value", [0, "0", None, "", 0.0])
def test_zero_null_and_an_empty_string_are_parsed_as_no_time(value: Any) -> None:
    assert decoded(at=value).at is None


@pytest.mark.parametrize("value", ["yesterday", "2026-02-30", True, 1e300, "9" * 20, [1]])
def test_a_value_that_is_not_a_time_is_rejected(value: Any) -> None:
    with pytest.raises(DecodeError) as caught:
        decoded(at=value)
    assert caught.value.where == "data.at"


def test_zero_is_rejected_for_a_required_time() -> None:
    assert_rejected("data.since", "expected a time, got 0", {"since": 0})


# States.


@pytest.mark.parametrize("value", [6, "6", 6.0])
def test_a_known_state_is_parsed_as_an_enum_member(value: Any) -> None:
    assert codec.decode({"state_id": value}, OutboxMessage).state_id is MessageState.SENT


def test_an_unknown_state_is_parsed_as_a_plain_value() -> None:
    message = codec.decode({"state_id": "77"}, OutboxMessage)
    assert message.state_id == 77
    assert not isinstance(message.state_id, MessageState)
    assert codec.decode({"message_status": 9}, RecipientReport).message_status == 9
    assert decoded(colour="blue").colour == "blue"
    assert decoded(colour="red").colour is Colour.RED


def test_a_state_that_is_not_an_int_is_rejected() -> None:
    assert_rejected("data.state_id", "expected an integer, got 'sent'", {"state_id": "sent"}, OutboxMessage)


# Objects and lists, as PHP encodes them.


def test_unknown_fields_are_ignored_and_missing_ones_are_none() -> None:
    assert decoded(new={"a": [1]}, other=1) == Sample()


def test_a_missing_required_field_is_named_in_the_error() -> None:
    assert_rejected("data.method", "is missing", {}, LoginStep)
    assert_rejected("data.token", "is missing", {"method": "sms"}, LoginStep)
    assert_rejected("data.rows[1].count", "is missing", {"rows": [{"count": 1}, {}]})
    assert_rejected("data.count", "is missing", [], Inner)


def test_an_empty_list_is_parsed_as_an_empty_object() -> None:
    assert codec.decode([], Sample) == Sample()
    assert decoded(inner=[]).inner is None
    assert decoded(by_name=[]).by_name == {}
    assert codec.decode({"operators_sent": []}, BulkStats) == BulkStats()


def test_an_empty_object_and_null_are_parsed_as_an_empty_list() -> None:
    assert decoded(rows={}, tags={}, by_name=None) == Sample()
    assert decoded(rows=None, tags=None) == Sample()
    assert codec.decode({}, list[Place]) == []
    assert codec.decode(None, Page[Place]) == Page[Place]()
    assert codec.decode({}, Page[Place]) == Page[Place]()


def test_nested_lists_and_objects_are_parsed() -> None:
    sample = decoded(
        rows=[{"count": "1"}], tags=["a", 5], by_name={"x": {"count": 2.0, "price": "3"}}, inner={"count": 4}
    )
    assert sample.rows == [Inner(count=1)]
    assert sample.tags == ("a", "5")
    assert sample.by_name == {"x": Inner(count=2, price=3.0)}
    assert sample.inner == Inner(count=4)


@pytest.mark.parametrize(
    ("value", "kind"), [("abc", "a string"), (5, "a number"), (True, "a boolean"), ([1], "a list")]
)
def test_a_value_that_is_not_an_object_is_rejected_and_not_shown(value: Any, kind: str) -> None:
    assert_rejected("data", f"expected an object, got {kind}", value)
    assert_rejected("data.by_name", f"expected an object, got {kind}", {"by_name": value})


@pytest.mark.parametrize(("value", "kind"), [("abc", "a string"), (5, "a number"), ({"a": 1}, "an object")])
def test_a_value_that_is_not_a_list_is_rejected_and_not_shown(value: Any, kind: str) -> None:
    assert_rejected("data", f"expected a list, got {kind}", value, Page[Sample])
    assert_rejected("data.rows", f"expected a list, got {kind}", {"rows": value})


def test_null_is_rejected_as_the_top_level_object() -> None:
    assert_rejected("data", "expected an object, got null", None)


def test_a_field_named_like_a_keyword_is_parsed_and_reported_with_its_api_name() -> None:
    assert decoded(**{"class": "4"}).class_ == 4
    assert codec.decode({"return": "5"}, OutboxMessage).return_ == 5.0
    assert_rejected("data.class", "expected an integer, got a list", {"class": [1]})
    assert_rejected("data[0].from", "expected a string, got a list", [{"from": []}], Page[InboxMessage])


# Paths in errors.


def test_an_invalid_row_is_reported_with_its_index_and_field() -> None:
    rows = [{"id": number, "cost": "free" if number == 3 else 10.5} for number in range(5)]
    error = assert_rejected("data[3].cost", "expected a number, got 'free'", rows, Page[OutboxMessage])
    assert "data[3].cost: expected a number, got 'free'" in str(error)


def test_an_invalid_nested_value_is_reported_with_its_full_path() -> None:
    stats = {"operators_sent": {"mci": {"fa": 1}, "irancell": {"en": "x"}}}
    assert_rejected("data.operators_sent.irancell.en", "expected an integer, got 'x'", stats, BulkStats)
    assert_rejected("data[1]", "expected an object, got null", [{}, None], list[Place])


def test_an_error_of_a_models_validator_is_reported_with_the_path_of_the_object() -> None:
    assert_rejected("data.rows[0]", "'count' must be < 100: 100", {"rows": [{"count": 100}]})


def test_a_secret_of_a_wrong_type_is_not_shown_in_the_error() -> None:
    error = assert_rejected(
        "data.token", "expected a string, got a list", {"method": "login", "token": ["s3cret"]}, LoginStep
    )
    assert "s3cret" not in str(error)
    assert "s3cret" not in str(assert_rejected("data", "expected an object, got a string", "s3cret", LoginStep))


def test_a_long_value_is_truncated_in_the_error() -> None:
    error = assert_rejected("data.count", f"expected an integer, got '{'x' * 39}…", {"count": "x" * 500})
    assert len(str(error)) < 160


# Pages.


def test_a_page_contains_its_rows_and_the_pagination_numbers() -> None:
    meta = {"current_page": "2", "last_page": 3.0, "per_page": "10", "total": 25, "from": 11}
    page = codec.decode([{"id": 1}], Page[Place], meta=meta)
    assert page == Page(items=(Place(id=1),), current_page=2, last_page=3, per_page=10, total=25)
    assert len(page) == 1
    assert list(page) == [Place(id=1)]


@pytest.mark.parametrize("number", [None, "many", [], 1.5, {}])
def test_an_invalid_pagination_number_is_parsed_as_none(number: Any) -> None:
    meta = {"current_page": number, "last_page": number, "per_page": number, "total": number}
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
def test_has_next_is_false_only_if_no_page_can_follow(page: Page[int], has_next: bool) -> None:  # noqa: FBT001 - a test parameter
    assert page.has_next is has_next


# The ids of a send.


@pytest.mark.parametrize("name", ["message_outbox_ids", "message_outbox_id", "messages_outbox_id", "bulk_id"])
@pytest.mark.parametrize("ids", [[7, "8"], ["7", 8.0]])
def test_the_ids_of_a_send_are_parsed_from_four_field_names(name: str, ids: list[Any]) -> None:
    assert codec.decode({name: ids}, SendResult).message_outbox_ids == (7, 8)
    assert codec.decode({name: ids[0]}, SendResult).id == 7


def test_the_first_field_that_is_not_null_determines_the_ids() -> None:
    assert codec.decode({"message_outbox_ids": None, "bulk_id": "9"}, SendResult).id == 9


@pytest.mark.parametrize(
    ("data", "where", "message"),
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
def test_a_send_response_without_valid_ids_is_rejected(data: Any, where: str, message: str) -> None:
    assert_rejected(f"data{where}", message, data, SendResult)


# Encoding.


def test_unset_fields_are_not_encoded() -> None:
    assert codec.encode(OutboxFilters()) == {}
    assert codec.encode(OutboxFilters(from_exit_count=0)) == {"from_exit_count": 0}


def test_values_are_encoded_in_the_formats_of_the_api() -> None:
    at = TIME.astimezone(timezone(timedelta(hours=-8)))
    filters = OutboxFilters(number="3000 999", messages_outbox_id=5, send_from_date=at, state_id=77, message="")
    assert codec.encode([filters]) == [
        {
            "number": "+983000999",
            "messages_outbox_id": "5",
            "send_from_date": str(int(TIME.timestamp())),
            "state_id": "77",
            "message": "",
        }
    ]
    assert codec.encode(OutboxFilters(state_id=MessageState.CREATING)) == {"state_id": "0"}
    assert codec.encode(date(2026, 5, 1)) == "2026-05-01"
    assert codec.encode(Slice()) == {"start": 0, "size": 0}


def test_a_field_named_like_a_keyword_is_encoded_with_its_api_name() -> None:
    assert codec.encode(InboxMessage(from_="+989124445566")) == {"from": "+989124445566"}


def test_decoding_an_encoded_model_returns_an_equal_model() -> None:
    message = OutboxMessage(messages_outbox_id=5, state_id=MessageState.SENT, time=TIME, cost=1.5, return_=0.0)
    assert codec.decode(json.loads(json.dumps(codec.encode(message))), OutboxMessage) == message
