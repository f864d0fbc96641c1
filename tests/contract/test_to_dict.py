"""Every model, result or argument, becomes a dict that `json.dumps` can write, without its secrets."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, cast

import attrs
import pytest

from ippanel_edge import DeliveryStatus, MessageState, Meta, Page, Secret, models
from ippanel_edge.models import (
    BulkStats,
    Languages,
    LoginStep,
    Model,
    NewUser,
    OutboxMessage,
    PatternContact,
    PeerMessage,
    RecipientReport,
    SendResult,
)
from tests.contract.catalogue import SAMPLES
from tests.contract.sample import Sample

CLASSES: list[Any] = [
    kind for kind in (getattr(models, name) for name in models.__all__) if isinstance(kind, type) and attrs.has(kind)
]


def all_models(value: object) -> Iterator[Model]:
    """Yield each model in a result, at any depth."""
    if isinstance(value, Model):
        yield value
        value = [getattr(value, field.name) for field in attrs.fields(cast("Any", type(value)))]
    if isinstance(value, Mapping):
        value = cast("Mapping[object, object]", value).values()
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for item in cast("Iterable[object]", value):
            yield from all_models(item)


def assert_equals_json(written: Any, value: Any) -> None:
    """Compare a value of the parsed JSON with the value of the model."""
    kind = cast("Any", type(value))  # its checks do not narrow the type of `value`, which stays Any
    if issubclass(kind, Model):
        fields = attrs.fields(kind)
        assert list(written) == [field.name for field in fields]
        for field in fields:
            assert_equals_json(written[field.name], getattr(value, field.name))
    elif issubclass(kind, tuple | list):
        assert repr(written).startswith("[")
        for item, expected in zip(written, value, strict=True):
            assert_equals_json(item, expected)
    elif issubclass(kind, Mapping):
        assert list(written) == list(map(str, value))
        for key, expected in value.items():
            assert_equals_json(written[str(key)], expected)
    elif isinstance(value, Secret):
        assert written == "***"
    elif isinstance(value, datetime):
        assert datetime.fromisoformat(written) == value
        assert written.endswith("+00:00")
    elif isinstance(value, date):
        assert date.fromisoformat(written) == value
    else:
        assert written == (value.value if isinstance(value, enum.Enum) else value)


def test_every_model_has_to_dict() -> None:
    assert [kind.__name__ for kind in CLASSES if not issubclass(kind, Model)] == []


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_the_result_of_a_documented_sample_becomes_json(sample: Sample) -> None:
    for model in all_models(sample.returns):
        assert_equals_json(json.loads(json.dumps(model.to_dict())), model)


def test_the_samples_contain_most_classes_of_results() -> None:
    found = {type(model) for sample in SAMPLES for model in all_models(sample.returns)}
    assert {Page, SendResult, OutboxMessage, RecipientReport, BulkStats, LoginStep} <= found
    assert len(found) > len(CLASSES) / 2


def test_times_enums_and_tuples_become_json() -> None:
    moment = datetime(2025, 6, 30, 18, 7, 6, tzinfo=UTC)
    message = OutboxMessage(messages_outbox_id=7, state_id=MessageState.SENT, time=moment)
    written = message.to_dict()
    assert (written["messages_outbox_id"], written["state_id"], written["time"]) == (7, 6, "2025-06-30T18:07:06+00:00")
    assert type(written["state_id"]) is int
    assert SendResult(message_outbox_ids=(1, 2)).to_dict() == {"message_outbox_ids": [1, 2]}


@pytest.mark.parametrize("status", [9, None])
def test_an_unknown_enum_value_stays_as_it_is(status: int | None) -> None:
    assert RecipientReport(message_status=status).to_dict()["message_status"] == status


def test_nested_models_and_mappings_become_dicts() -> None:
    rows = (RecipientReport(recipient="+989124445566", message_status=DeliveryStatus.DELIVERED),)
    page = Page(items=rows, total=1).to_dict()
    assert page["items"] == [rows[0].to_dict()]
    assert page["total"] == 1
    stats = BulkStats(operators_sent={"mci": Languages(fa=1, en=2)})
    assert stats.to_dict()["operators_sent"] == {"mci": {"fa": 1, "en": 2}}
    raw = {"status": True, "errors": {"field": ["x"]}}
    assert Meta(status=True, errors={"field": ("x",)}, raw=raw).to_dict()["raw"] == raw


def test_a_secret_is_masked() -> None:
    assert LoginStep(method="login", token="the-token").to_dict() == {"method": "login", "token": "***"}
    user = NewUser(
        user_name="amir",
        password="Strong-1",
        national_code="0084575948",
        birth_date=date(1990, 1, 2),
        mobile_number="09124445566",
        acl_id=1,
    )
    assert "Strong-1" not in json.dumps(user.to_dict())
    assert user.to_dict()["birth_date"] == "1990-01-02"


def test_the_classes_of_arguments_become_dicts_as_well() -> None:
    assert PeerMessage(recipients="09124445566", message="x").to_dict() == {
        "recipients": ["+989124445566"],
        "message": "x",
    }
    assert PatternContact(id=1, options={7: "x"}).to_dict()["options"] == {"7": "x"}
