"""The page docs/en/adding-an-endpoint.md, applied to a copy of the project, adds an endpoint; each piece is needed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

import pytest
from markdown_it import MarkdownIt

from tests.codegen.files import ROOT

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

NAME: Final = "payment.invoice"
PAGE: Final = ROOT / "docs" / "en" / "adding-an-endpoint.md"
PATCHES: Final = {
    token.content.splitlines()[1].removeprefix("+++ b/"): token.content
    for token in MarkdownIt().parse(PAGE.read_text("utf-8"))
    if token.type == "fence" and token.info == "diff"
}
"""The patches of the page: path to unified diff."""

MESSAGES: Final = {
    "ippanel_edge/endpoints.py": f"{NAME}: add the line to ippanel_edge/endpoints.py",
    "ippanel_edge/models/payment.py": "Invoice: add the class to ippanel_edge/models/payment.py",
    "ippanel_edge/_async/sections/payment.py": f"{NAME}: add the method to ippanel_edge/_async/sections/payment.py",
    "tests/contract/samples/payment.py": f"{NAME}: add a Sample to tests/contract/samples/payment.py",
    "ippanel_edge/sandbox/rules/payment.py": f"{NAME}: add a rule to ippanel_edge/sandbox/rules/payment.py",
}
"""The message of the failed test if a piece is missing: path of the piece to message."""

CHECKS: Final = (
    "tests/contract",
    "tests/docs/test_reference.py",
    "tests/unit/test_generate_models.py::test_the_generated_file_is_up_to_date",
    "tests/unit/test_generate_sync.py::test_the_generated_files_are_up_to_date",
    "tests/sandbox/test_all_endpoints.py::test_every_endpoint_works_over_http[sync]",
)
SELECTION: Final = f"{NAME} or not test_contract"
"""Of test_contract.py, only the tests of the new endpoint."""

pytestmark = pytest.mark.xdist_group("adding_an_endpoint")


def copy_with(patches: Collection[str], copy: Path) -> Path:
    """Copy the project and apply patches of the page.

    Args:
        patches: the paths of the patches.
        copy: the folder to create.
    """
    for name in ("ippanel_edge", "tests", "docs"):
        shutil.copytree(ROOT / name, copy / name)  # with __pycache__, so that little is compiled again
    for name in ("pyproject.toml", "README.md"):
        shutil.copy2(ROOT / name, copy / name)
    git = shutil.which("git")
    assert git, "the patches are applied with git"
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(copy.parent)}
    for path in patches:
        applied = subprocess.run(  # noqa: S603 - the arguments are constants of this module
            [git, "apply", "-"],
            input=PATCHES[path],
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=copy,
            env=environment,
            check=False,
        )
        assert applied.returncode == 0, f"update the patch of {path} in {PAGE.name}: {applied.stderr}"
    return copy


def python(copy: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a copy; its modules are those of the copy."""
    variables = {
        name: value for name, value in os.environ.items() if not name.startswith(("COV_", "COVERAGE_", "PYTEST_"))
    }
    return subprocess.run(  # noqa: S603 - the arguments are constants of this module
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=copy,
        env={**variables, "PYTHONPATH": str(copy), "PYTHONUTF8": "1", **environment},
        check=False,
    )


def pytest_in(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run tests in a copy, without conftest.py and other plugins: they are not needed, and take most of the time."""
    plugins = ("-p", "no:cacheprovider", "-p", "pytest_timeout")
    options = ("-q", "--noconftest", *plugins, "-o", "addopts=--import-mode=importlib")
    return python(copy, "-m", "pytest", *options, *arguments, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")


def test_the_page_has_one_patch_for_each_of_the_five_pieces() -> None:
    assert list(PATCHES) == list(MESSAGES)


def test_the_page_adds_an_endpoint_that_passes_every_check(tmp_path: Path) -> None:
    copy = copy_with(PATCHES, tmp_path / "copy")
    stale = python(copy, "-m", "tests.codegen.generate_models", "--check")
    assert stale.returncode == 1
    assert "run `nox -s generate`" in stale.stdout

    generated = python(copy, "-m", "tests.codegen")
    assert generated.returncode == 0, generated.stdout + generated.stderr
    assert "def invoice(self, invoice_id: int) -> Invoice:" in (
        copy / "ippanel_edge/_sync/sections/payment.py"
    ).read_text("utf-8")
    assert f"### {NAME}\n" in (copy / "docs/en/reference/payment.md").read_text("utf-8")

    tested = pytest_in(copy, "-p", "anyio.pytest_plugin", "-k", SELECTION, *CHECKS)
    assert tested.returncode == 0, tested.stdout + tested.stderr


if find_spec("mypy") is not None:  # in the session `types`, which runs it

    def test_the_files_of_the_page_have_correct_types(tmp_path: Path) -> None:
        copy = copy_with(PATCHES, tmp_path / "copy")
        python(copy, "-m", "tests.codegen.generate_models")  # endpoints.py takes the model from the exports
        cache = str(ROOT / ".mypy_cache" / "adding_an_endpoint")  # kept between runs: without it mypy needs a minute
        checked = python(copy, "-m", "mypy", "--cache-dir", cache, *PATCHES)
        assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("path", MESSAGES)
def test_a_missing_piece_is_reported_with_its_file(path: str, tmp_path: Path) -> None:
    copy = copy_with([other for other in PATCHES if other != path], tmp_path / "copy")
    tested = pytest_in(copy, "tests/contract/test_completeness.py")
    assert tested.returncode == 1, tested.stdout + tested.stderr
    assert MESSAGES[path] in tested.stdout
