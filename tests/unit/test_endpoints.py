"""Endpoints: the class of a reply is loaded on first use, and an endpoint stays a value that can be copied."""

from __future__ import annotations

import copy
import pickle
from types import NoneType

import pytest

from ippanel_edge import models
from ippanel_edge.endpoints import ALL, READ, REPORTS_OUTBOX, Endpoint


def test_the_class_of_a_reply_may_be_given_by_a_function() -> None:
    endpoint = Endpoint("x.show", "GET", "/x", READ, lambda: models.Page[models.Credit], "")
    assert endpoint.returns == models.Page[models.Credit]


def test_the_function_is_called_once() -> None:
    calls: list[None] = []

    def returns() -> type[bool]:
        calls.append(None)
        return bool

    endpoint = Endpoint("x.show", "GET", "/x", READ, returns, "")
    assert (endpoint.returns, endpoint.returns, len(calls)) == (bool, bool, 1)


def test_an_endpoint_with_a_function_equals_one_with_its_class() -> None:
    by_function = Endpoint[object]("x.show", "GET", "/x", READ, lambda: models.Credit, "")
    by_class = Endpoint[object]("x.show", "GET", "/x", READ, models.Credit, "")
    assert (by_function, hash(by_function)) == (by_class, hash(by_class))
    assert by_function != Endpoint[object]("x.show", "GET", "/x", READ, models.Price, "")


def test_an_endpoint_with_a_function_can_be_copied_and_pickled() -> None:
    endpoint = Endpoint("x.show", "GET", "/x", READ, lambda: models.Page[models.Credit], "", alternate="POST")
    for duplicate in (copy.copy(endpoint), copy.deepcopy(endpoint), pickle.loads(pickle.dumps(endpoint))):  # noqa: S301 - pickled by this test
        assert duplicate == endpoint
        assert duplicate.returns == models.Page[models.Credit]


def test_the_repr_of_an_endpoint_names_it_and_loads_nothing() -> None:
    endpoint = Endpoint[object]("x.show", "GET", "/x", READ, lambda: pytest.fail("called"), "")
    assert repr(endpoint).startswith("Endpoint(name='x.show', method='GET', path='/x', ")


def test_every_listed_endpoint_returns_a_class() -> None:
    assert REPORTS_OUTBOX.returns == models.Page[models.OutboxMessage]  # equal: typing forgets aliases
    classes = {getattr(endpoint.returns, "__origin__", endpoint.returns) for endpoint in ALL}
    assert all(isinstance(each, type) for each in classes)
    assert NoneType in classes
