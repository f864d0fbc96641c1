"""Decoding arbitrary values: the result is a valid model or an error of the SDK."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippanel_edge import endpoints
from ippanel_edge.endpoints import ALL, Endpoint
from ippanel_edge.errors import ApiError, DecodeError
from ippanel_edge.models.common import Meta
from ippanel_edge.models.payment import Credit
from ippanel_edge.models.reports import (
    Languages,
    RecipientReport,
)
from ippanel_edge.models.states import DeliveryStatus, MessageState
from ippanel_edge.wire import codec
from ippanel_edge.wire.reply import RawAnswer, parse
from tests.unit.junk import anything, conforms, scalars, shaped


def parsed(endpoint: Endpoint[Any], envelope: Any) -> tuple[Any, Meta] | None:
    """Return the data and meta of a response, or None if parsing raises ApiError or DecodeError."""
    raw = RawAnswer(status_code=200, content=json.dumps(envelope).encode())
    try:
        data, meta, _ = parse(endpoint, raw)
    except (ApiError, DecodeError):
        return None
    return data, meta


DECODED = {str(endpoint.returns): endpoint for endpoint in ALL if endpoint.returns is not type(None)}
"""One endpoint for each return type."""


@pytest.mark.parametrize("endpoint", DECODED.values(), ids=lambda endpoint: str(endpoint.name))
@given(draw=st.data())
def test_nearly_valid_data_results_in_a_valid_model_or_in_an_sdk_error(
    endpoint: Endpoint[Any], draw: st.DataObject
) -> None:
    data = draw.draw(shaped(endpoint.returns))
    numbers = draw.draw(st.dictionaries(st.sampled_from(["current_page", "last_page", "per_page", "total"]), scalars))
    result = parsed(endpoint, {"data": data, "meta": {"status": True, **numbers}})
    expected: Any = (bytes | None) if endpoint.returns is bytes else endpoint.returns
    assert result is None or conforms(result[0], expected)


@given(envelope=anything)
def test_an_arbitrary_value_instead_of_an_envelope_results_in_an_sdk_error(envelope: Any) -> None:
    for endpoint in (endpoints.PAYMENT_CREDIT, endpoints.SEND_WEBSERVICE, endpoints.SEND_CANCEL):
        assert parsed(endpoint, envelope) is None


@given(
    meta=st.dictionaries(
        st.sampled_from(["status", "message", "message_code", "message_parameters", "errors"]), anything, max_size=5
    )
)
def test_arbitrary_values_in_meta_result_in_a_valid_meta_or_in_an_sdk_error(meta: Any) -> None:
    result = parsed(endpoints.SEND_CANCEL, {"data": None, "meta": meta})
    if result is not None:
        decoded_meta = result[1]
        assert decoded_meta.status is True
        assert isinstance(decoded_meta.message, str)
        assert isinstance(decoded_meta.message_code, str)
        assert all(isinstance(text, str) for texts in decoded_meta.errors.values() for text in texts)
        assert str(decoded_meta)


def test_an_empty_object_is_accepted_or_the_missing_field_is_reported() -> None:
    for endpoint in DECODED.values():
        raw = RawAnswer(status_code=200, content=b'{"data": {}, "meta": {"status": true}}')
        with contextlib.suppress(DecodeError):
            parse(endpoint, raw)
            continue
        with pytest.raises(DecodeError, match="is missing"):
            parse(endpoint, raw)


def test_states_are_classified_as_final_or_failed() -> None:
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


def test_unset_fields_default_to_none_and_nested_models_are_parsed() -> None:
    assert codec.decode({"credit": 6084.5, "gift_expires_at": None}, Credit) == Credit(credit=6084.5)
    assert codec.decode({"mci": {"fa": "1"}}, Mapping[str, Languages]) == {"mci": Languages(fa=1)}  # type: ignore[type-abstract]  # a Mapping is a valid type of a field
