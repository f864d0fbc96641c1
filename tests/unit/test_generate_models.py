"""The generated ippanel_edge.models exports every model class lazily, and the generator detects a stale file."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Final

import pytest

from ippanel_edge import models
from ippanel_edge.models import FileInput, OutboxFilters, PeerMessage, SendResult
from ippanel_edge.values import files
from tests.codegen.files import ROOT, report
from tests.codegen.generate_models import SOURCE, TARGET, check, main, public_classes, render, write

MODULES: Final = sorted(file.stem for file in (ROOT / SOURCE).glob("*.py") if file.stem != "__init__")


def test_the_generated_file_is_up_to_date() -> None:
    problems = check()
    assert not problems, report(problems)


def test_classes_of_several_sections_and_file_input_are_importable_from_models() -> None:
    assert PeerMessage(recipients="09121234567", message="hello").recipients == ("+989121234567",)
    assert SendResult(message_outbox_ids=(7,)).id == 7
    assert OutboxFilters(number="3000717").number == "+983000717"
    assert FileInput is files.FileInput


@pytest.mark.parametrize("name", models.__all__)
def test_every_exported_name_is_loaded_on_access(name: str) -> None:
    assert getattr(import_module("ippanel_edge.models"), name) is not None


def test_all_contains_every_public_class_of_the_modules_and_is_sorted() -> None:
    defined = {
        name
        for module in MODULES
        for name, value in vars(import_module(f"ippanel_edge.models.{module}")).items()
        if isinstance(value, type) and value.__module__ == f"ippanel_edge.models.{module}" and not name.startswith("_")
    }
    assert set(models.__all__) == {*defined, "FileInput"}
    assert models.__all__ == sorted(models.__all__)
    assert dir(models) == models.__all__


def test_an_unknown_name_raises_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"'ippanel_edge\.models' has no attribute 'Nonsense'"):
        getattr(models, "Nonsense")  # noqa: B009 - a type checker rejects the attribute expression


def loaded_by(statement: str) -> set[str]:
    """Return the names of the modules that a statement loads in a new interpreter."""
    code = f"import sys; {statement}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)  # noqa: S603 - the arguments are constants of this test
    return set(run.stdout.split())


def test_importing_models_loads_no_section_module() -> None:
    loaded = loaded_by("import ippanel_edge.models")
    assert not [name for name in loaded if name.startswith(("ippanel_edge.models.", "ippanel_edge.values."))]
    assert "attr" not in loaded


def test_importing_a_class_loads_only_its_section_module() -> None:
    loaded = loaded_by("from ippanel_edge.models import PeerMessage")
    sections = {name for name in loaded if name.startswith("ippanel_edge.models.")}
    assert sections == {f"ippanel_edge.models.{name}" for name in ("common", "fields", "send", "send_result")}


def test_public_classes_are_the_module_level_classes_without_an_underscore() -> None:
    source = "class B:\n    class Inner: ...\nclass A: ...\nclass _Private: ...\ndef function(): ...\nC = 1\n"
    assert public_classes(source) == ["A", "B"]


def test_a_class_defined_in_two_modules_is_rejected() -> None:
    with pytest.raises(SystemExit, match=r"Same is defined in models\.a and models\.b; rename one of them"):
        render({"a": "class Same: ...\n", "b": "class Same: ...\n"})


def test_check_reports_a_new_class_until_the_file_is_written(tmp_path: Path) -> None:
    (tmp_path / SOURCE).mkdir(parents=True)
    module = tmp_path / SOURCE / "orders.py"
    module.write_text("class Order: ...\n")
    assert check(tmp_path) == [f"missing: {TARGET}"]

    write(tmp_path)
    assert check(tmp_path) == []

    module.write_text("class Order: ...\nclass OrderFilters: ...\n")
    (problem,) = check(tmp_path)
    assert problem.startswith(f"out of date: {TARGET}\n")
    assert '\n+    "OrderFilters",\n' in problem


def test_the_check_option_exits_with_0_and_prints_nothing_if_the_file_is_up_to_date(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--check"]) == 0
    assert capsys.readouterr().out == ""
