"""Each endpoint has its line, model, method, sample and sandbox rule; a failed test names the file to edit.

A missing piece can break the import of a module that uses it, so each test imports what it needs.
"""

from __future__ import annotations

import ast
import inspect
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.codegen.files import COMMAND, ROOT
from tests.codegen.generate_models import public_classes

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDPOINTS: Final = "ippanel_edge/endpoints.py"
MODELS: Final = "ippanel_edge/models"
METHODS: Final = "ippanel_edge/_async/sections"
SAMPLES: Final = "tests/contract/samples"
RULES: Final = "ippanel_edge/sandbox/rules"


def file_of(folder: str, name: str) -> str:
    """Return the file of a folder that an endpoint belongs in: that of its innermost group, or that of its section."""
    *groups, _ = name.split(".")
    present = [group for group in reversed(groups) if (ROOT / folder / f"{group}.py").exists()]
    return f"{folder}/{(present or groups)[0]}.py"


def missing_models(endpoints: str) -> Iterator[str]:
    """Yield each class that a line of endpoints.py names as `models.X` and that no module of the models defines."""
    defined = {name for file in (ROOT / MODELS).glob("*.py") for name in public_classes(file.read_text("utf-8"))}
    for line in ast.parse(endpoints).body:
        for node in ast.walk(line):
            if not (isinstance(node, ast.Attribute) and ast.unparse(node.value) == "models") or node.attr in defined:
                continue
            endpoint = next(each.value for each in ast.walk(line) if isinstance(each, ast.Constant))
            yield f"{node.attr}: add the class to {file_of(MODELS, str(endpoint))}"


def missing_methods(client: object) -> Iterator[str]:
    """Yield each endpoint that has no method on an async client."""
    for endpoint in import_module("ippanel_edge.endpoints").ALL:
        found: Any = client
        for step in endpoint.name.split("."):
            found = getattr(found, step, None)
        if not callable(found):
            yield f"{endpoint.name}: add the method to {file_of(METHODS, endpoint.name)}"


def unlisted_methods(client: object) -> Iterator[str]:
    """Yield each public method of an async client that calls an endpoint without a line of its own."""
    names = {endpoint.name for endpoint in import_module("ippanel_edge.endpoints").ALL}
    for name, method in calls(client).items():
        if name not in names and "endpoints" in inspect.unwrap(method).__code__.co_names:
            yield f"{name}: add the line to {ENDPOINTS}"


def calls(client: object) -> dict[str, Any]:
    """Return all calls of a client: names, such as `users.documents.list`, to methods."""
    found: dict[str, Any] = {}
    pending: list[tuple[str, object]] = [
        (name, getattr(client, name))
        for name, value in vars(type(client)).items()
        if isinstance(value, cached_property)
    ]
    while pending:
        path, section = pending.pop()
        kind: type[object] = type(section)
        for name in [name for name in vars(kind) if not name.startswith("_")]:
            value: Any = getattr(section, name)
            if inspect.ismethod(value):
                found[f"{path}.{name}"] = value
            else:
                pending.append((f"{path}.{name}", value))
    return found


def missing_samples() -> Iterator[str]:
    """Yield each endpoint without a sample."""
    sampled = {sample.endpoint.name for sample in import_module("tests.contract.catalogue").SAMPLES}
    for endpoint in import_module("ippanel_edge.endpoints").ALL:
        if endpoint.name not in sampled:
            yield f"{endpoint.name}: add a Sample to {file_of(SAMPLES, endpoint.name)}"


def different_rules() -> Iterator[str]:
    """Yield each endpoint without a rule in the sandbox, or with a rule of another method or path, and the converse."""
    rules = {rule.name: rule for rule in import_module("ippanel_edge.sandbox.app").all_endpoints()}
    endpoints = {endpoint.name: endpoint for endpoint in import_module("ippanel_edge.endpoints").ALL}
    for name, endpoint in endpoints.items():
        path = file_of(RULES, name)
        if name not in rules:
            yield f"{name}: add a rule to {path}"
        elif (rules[name].method, rules[name].path) != (endpoint.method, endpoint.path):
            yield f"{name}: change the rule in {path} to {endpoint.method} {endpoint.path}, or the line in {ENDPOINTS}"
    yield from (f"{name}: add the line to {ENDPOINTS}" for name in rules if name not in endpoints)


def report(problems: Iterator[str]) -> None:
    """Fail with one line for each problem."""
    lines = list(problems)
    assert not lines, "\n".join(lines)


@pytest.fixture
def client() -> object:
    return import_module("ippanel_edge").AsyncEdgeClient("contract-key-0001")


def test_every_model_of_the_endpoints_is_defined() -> None:
    report(missing_models((ROOT / ENDPOINTS).read_text("utf-8")))


def test_every_endpoint_has_a_method(client: object) -> None:
    report(missing_methods(client))


def test_every_method_that_calls_an_endpoint_has_a_line(client: object) -> None:
    report(unlisted_methods(client))


def test_every_endpoint_has_a_sample() -> None:
    report(missing_samples())


def test_every_endpoint_has_a_rule_in_the_sandbox() -> None:
    report(different_rules())


def test_both_sides_have_the_same_calls(client: object) -> None:
    sync = import_module("ippanel_edge").EdgeClient("contract-key-0001")
    assert calls(sync).keys() == calls(client).keys(), f"run `{COMMAND}`"


def test_the_names_of_the_endpoints_are_unique() -> None:
    names = [endpoint.name for endpoint in import_module("ippanel_edge.endpoints").ALL]
    assert len(set(names)) == len(names)


def test_the_file_of_a_group_is_preferred_to_that_of_its_section() -> None:
    assert file_of(METHODS, "users.documents.list") == "ippanel_edge/_async/sections/documents.py"
    assert file_of(METHODS, "phonebooks.contacts.add") == "ippanel_edge/_async/sections/phonebooks.py"
    assert file_of(SAMPLES, "unheard.of") == "tests/contract/samples/unheard.py"


def test_a_class_that_is_not_defined_is_reported_with_its_file() -> None:
    lines = (
        'A = Endpoint("payment.credit", "GET", "/a", READ, lambda: models.Credit, "")\n'
        'B = Endpoint("payment.nonsense", "GET", "/b", READ, lambda: models.Page[models.Nonsense], "")\n'
    )
    assert list(missing_models(lines)) == ["Nonsense: add the class to ippanel_edge/models/payment.py"]
