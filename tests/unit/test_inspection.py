"""Whether httpx or httpcore is patched: then httpx's client makes the requests, so that a mock receives them."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any, Final

import httpcore
import httpx
import pytest
import respx

from ippanel_edge.wire import inspection
from ippanel_edge.wire.inspection import is_patched

METHODS: Final = [
    pytest.param(getattr(importlib.import_module(p), k), n, id=f"{k}.{n}") for p, k, n in inspection._REPLACED
]


class Wrapper:
    """A callable object that forwards attributes to what it wraps, as those of wrapt do."""

    def __init__(self, wrapped: Any) -> None:
        self.__wrapped__ = wrapped

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__wrapped__, name)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self.__wrapped__(*arguments, **options)


def plain(wrapped: Any) -> Any:
    def method(*arguments: Any, **options: Any) -> Any:
        return wrapped(*arguments, **options)

    return method


def wrapped_by_functools(wrapped: Any) -> Any:
    return functools.wraps(wrapped)(plain(wrapped))


def partial_method(wrapped: Any) -> Any:
    return functools.partialmethod(wrapped)


@pytest.fixture(autouse=True)
def _not_patched() -> None:
    assert not is_patched()


@pytest.mark.parametrize(("owner", "name"), METHODS)
@pytest.mark.parametrize("patch", [plain, wrapped_by_functools, Wrapper, partial_method])
def test_a_replaced_method_is_seen_and_so_is_its_return(
    owner: type, name: str, patch: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, name, patch(getattr(owner, name)))
    assert is_patched()
    assert is_patched(), "the second look gives the same"
    monkeypatch.undo()
    assert not is_patched()


@pytest.mark.parametrize(("package", "name"), sorted({(package, kind) for package, kind, _ in inspection._REPLACED}))
def test_a_replaced_class_is_seen_and_so_is_its_return(
    package: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.import_module(package)
    monkeypatch.setattr(module, name, type(name, (getattr(module, name),), {}))
    assert is_patched()
    monkeypatch.undo()
    assert not is_patched()


def test_a_method_that_was_replaced_at_the_first_look_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "_originals", {})
    monkeypatch.setattr(httpcore.ConnectionPool, "handle_request", plain(httpcore.ConnectionPool.handle_request))
    assert is_patched()


def test_a_release_without_one_of_the_methods_is_not_patched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "_originals", {})
    monkeypatch.delattr(httpx.AsyncClient, "_transport_for_url")
    assert not is_patched()


def test_a_mock_is_seen_while_it_is_active() -> None:
    with respx.mock:
        assert is_patched()
    assert not is_patched()


def test_subclasses_are_not_patches() -> None:
    class Client(httpx.Client):
        def send(self, *arguments: Any, **options: Any) -> httpx.Response:
            return super().send(*arguments, **options)

    with Client():
        assert not is_patched()
