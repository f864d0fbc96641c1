"""The generated structure functions return what cattrs returns, and leave its errors as they are."""

from __future__ import annotations

import copy
import pickle
from typing import Any, get_args, get_origin

import attrs
import cattrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippanel_edge.endpoints import ALL
from ippanel_edge.errors import DecodeError
from ippanel_edge.models.auth import LoginStep, ResetToken
from ippanel_edge.models.common import Model, Page
from ippanel_edge.models.reports import OutboxMessage, RecipientReport
from ippanel_edge.models.send import SendResult
from ippanel_edge.models.states import DeliveryStatus
from ippanel_edge.models.users import User, UserCredit
from ippanel_edge.wire import codec
from ippanel_edge.wire.structure import structure_fn
from tests.contract.catalogue import SAMPLES
from tests.unit.junk import shaped
from tests.unit.test_codec import Sample


def row_of(returns: Any) -> Any:
    """Return the class of the rows of a page or a list, and any other class itself."""
    return get_args(returns)[0] if get_origin(returns) in (Page, list) else returns


MODELS: dict[str, Any] = {
    row.__name__: row for row in (row_of(endpoint.returns) for endpoint in ALL) if attrs.has(row)
} | {"Sample": Sample}
WITH_CODE = {LoginStep, ResetToken, SendResult}
"""The models whose constructors do more than set fields."""


def by_cattrs() -> cattrs.Converter:
    """Return the converter as it would be without generated functions."""
    converter = codec._make_converter()

    def hook(cls: Any) -> Any:
        return codec._hook_with_places(cls, converter)

    converter.register_structure_hook_factory(attrs.has, hook)
    converter.register_structure_hook(SendResult, codec._structure_send)
    return converter


BY_CATTRS = by_cattrs()


def outcome(converter: cattrs.Converter, data: Any, kind: Any) -> str:
    """Return the details of a model, or the place and the reason of the error."""
    try:
        return repr(converter.structure(data, kind))
    except Exception as error:  # noqa: BLE001 - any kind, as in codec.decode
        return f"error {codec._placed(error)}"


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
@given(draw=st.data())
def test_the_model_or_the_error_is_that_of_cattrs(model: Any, draw: st.DataObject) -> None:
    rows = draw.draw(st.lists(shaped(model), max_size=3))
    assert outcome(codec._CONVERTER, rows, list[model]) == outcome(BY_CATTRS, rows, list[model])


def has_function(model: Any) -> bool:
    def to_none(value: object, _: object) -> None:
        """Structure any value as None."""

    return structure_fn(model, lambda _: to_none, lambda _: to_none) is not None


def test_every_model_without_code_in_its_constructor_has_a_function() -> None:
    assert {model for model in MODELS.values() if not has_function(model)} == WITH_CODE


STRUCTURED = [sample for sample in SAMPLES if row_of(sample.endpoint.returns) in set(MODELS.values()) - WITH_CODE]


@pytest.mark.parametrize("sample", STRUCTURED, ids=lambda sample: f"{sample.endpoint.name} {sample.name}")
def test_the_functions_structure_the_responses_of_the_service_without_help(
    sample: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    data: Any = sample.answer.get("data", sample.answer) or {}
    row: Any = row_of(sample.endpoint.returns)
    kind: Any = list[row] if isinstance(data, list) else row
    expected = outcome(BY_CATTRS, data, kind)
    with_places = codec._hook_with_places

    def without_help(cls: Any, converter: cattrs.Converter) -> Any:
        def structure(value: object, _: object) -> object:
            assert not (isinstance(value, dict) and has_function(cls)), f"{cls.__name__}: {value}"
            return with_places(cls, converter)(value, cls)

        return structure

    monkeypatch.setattr(codec, "_hook_with_places", without_help)
    assert repr(codec._make_converter().structure(data, kind)) == expected


MESSAGE = codec.decode({"messages_outbox_id": "7", "state_id": 6, "time": "1768897800", "cost": 5}, OutboxMessage)


def test_a_structured_model_is_indistinguishable_from_a_constructed_one() -> None:
    constructed = OutboxMessage(**{field.name: getattr(MESSAGE, field.name) for field in attrs.fields(OutboxMessage)})
    assert type(MESSAGE) is OutboxMessage
    assert constructed == MESSAGE
    assert hash(MESSAGE) == hash(constructed)
    assert repr(MESSAGE) == repr(constructed)
    assert pickle.loads(pickle.dumps(MESSAGE)) == copy.deepcopy(MESSAGE) == constructed  # noqa: S301 - our own pickle
    assert attrs.evolve(MESSAGE, part=2) == attrs.evolve(constructed, part=2)


def test_a_structured_model_is_frozen() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        MESSAGE.cost = 1.0  # type: ignore[misc]  # the case
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        delattr(MESSAGE, "cost")


@attrs.frozen(kw_only=True)
class Node(Model):
    """A model that contains itself."""

    id: int
    children: tuple[Node, ...] = ()


def nested(depth: int, innermost: dict[str, Any]) -> dict[str, Any]:
    value: dict[str, Any] = innermost
    for _ in range(depth):
        value = {"id": 1, "children": [value]}
    return value


def test_a_model_that_contains_itself_is_structured() -> None:
    node = codec.decode(nested(2, {"id": "3"}), Node)
    assert node == Node(id=1, children=(Node(id=1, children=(Node(id=3),)),))


def test_an_error_deep_inside_is_found_in_few_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    # A function that called the fallbacks of the inner models would double the attempts with each level.
    attempts = 0

    def count(value: object, _: object = int) -> int:
        nonlocal attempts
        attempts += 1
        return int(str(value))

    converter = codec._make_converter()
    converter.register_structure_hook(int, count)
    monkeypatch.setattr(codec, "_CONVERTER", converter)
    with pytest.raises(DecodeError) as caught:
        codec.decode(nested(20, {"id": "x"}), Node)
    assert caught.value.where == "data" + ".children[0]" * 20 + ".id"
    assert attempts < 500


@pytest.mark.parametrize("value", [3, "3", 3.0])
def test_an_open_enum_is_structured_from_each_form_of_its_value(value: object) -> None:
    assert codec.decode({"message_status": value}, RecipientReport).message_status is DeliveryStatus(3)


def test_a_nested_model_may_be_an_empty_list_or_a_single_value() -> None:
    user = codec.decode({"credit": [], "user_id": "5"}, User)
    assert user == User(user_id=5)
    assert codec.decode({"credit": {"credit": "1.50"}}, User).credit == UserCredit(credit=1.5)
