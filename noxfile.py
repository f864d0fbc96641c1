"""Sessions for development and CI; `nox -l` lists them. They need only Python and pip.

The sessions use the Python that runs nox, and keep their environments in .nox between runs.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import nox
from packaging.requirements import Requirement

nox.needs_version = ">=2025.2.9"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "types", "sync", "tests", "docs", "build"]

PROJECT = nox.project.load_toml("pyproject.toml")


def install(session: nox.Session, *groups: str, extras: str = "all", more: Sequence[str] = ()) -> None:
    """Install the package in editable mode, with extras and the dependency groups that the session needs."""
    session.install("-q", "-e", f".[{extras}]", *nox.project.dependency_groups(PROJECT, *groups), *more)


IN_PARALLEL = ("-n", "auto", "--dist", "worksteal")
"""pytest's arguments for one process per core. No test depends on another, so any process may run any test."""


OVER_FAST = ("--transport=fast", "tests/client", "tests/faults", "tests/sandbox/test_all_endpoints.py")
"""pytest's arguments for the tests that use the network, over the fast transport."""


def pytest(session: nox.Session, *arguments: str, env: Mapping[str, str] | None = None) -> None:
    """Run the tests on all cores; arguments after `--` on the command line are added."""
    session.run("python", "-m", "pytest", *IN_PARALLEL, *arguments, *session.posargs, env=env)


@nox.session
def demo(session: nox.Session) -> None:
    """Run the demo: send a CSV file through the local sandbox."""
    install(session, "demo", extras="sandbox")
    session.run("python", "docs/examples/send_csv.py", *session.posargs)


@nox.session
def quick(session: nox.Session) -> None:
    """Run the unit and contract tests except the property tests; `-- ARGUMENTS` are passed to pytest."""
    wanted, installed = Path("pyproject.toml"), Path(session.bin, "installed.toml")
    if not installed.exists() or installed.read_text("utf-8") != wanted.read_text("utf-8"):  # pip takes several seconds
        install(session, "tests")
        shutil.copyfile(wanted, installed)
    pytest(session, "-q", "-m", "not hypothesis", "tests/unit", "tests/contract")


@nox.session
def tests(session: nox.Session) -> None:
    """Run all tests, over both transports, and report branch coverage.

    With `-- ARGUMENTS`, run pytest with them instead, in one process.
    """
    install(session, "tests", "httpx2")
    session.run("coverage", "erase")
    if not session.posargs:  # first, so that the result of the whole suite stands at the end
        session.run("coverage", "run", "-m", "pytest", *IN_PARALLEL, *OVER_FAST)
    session.run("coverage", "run", "-m", "pytest", *(session.posargs or IN_PARALLEL))
    if not session.posargs:
        session.run("coverage", "combine", "--quiet")
        session.run("coverage", "report")


@nox.session
def full(session: nox.Session) -> None:
    """Run every check that a change must pass: tests, lint, types, sync, docs, build and lowest."""
    for name in ("tests", "lint", "types", "sync", "docs", "build", "lowest"):
        session.notify(name, [])


@nox.session
def nightly(session: nox.Session) -> None:
    """Run what is too slow for every change: fuzz, faults, kills, fast and audit."""
    for name in ("fuzz", "faults", "kills", "fast", "audit"):
        session.notify(name, [])


@nox.session
def lint(session: nox.Session) -> None:
    """Run ruff, codespell, and zizmor over the workflows; `-- ARGUMENTS` are passed to `ruff check`."""
    session.install("-q", *nox.project.dependency_groups(PROJECT, "lint"))
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", "--check")
    session.run("codespell")
    session.run("zizmor", "--offline", "--quiet", ".github/workflows")


@nox.session
def audit(session: nox.Session) -> None:
    """Look up known vulnerabilities of the dependencies on PyPI."""
    install(session)
    session.install("-q", "pip-audit")
    session.run("pip-audit", "--progress-spinner", "off", "--skip-editable")


@nox.session
def types(session: nox.Session) -> None:
    """Run mypy and pyright in strict mode, also on the endpoint recipe, and check that every public name is typed."""
    install(session, "types")
    session.run("mypy")
    session.run("python", "-m", "pytest", "-q", "tests/docs/test_adding_an_endpoint.py", "-k", "correct_types")
    session.run("pyright", "--warnings")
    session.run("pyright", "--ignoreexternal", "--verifytypes", "ippanel_edge")


@nox.session
def sync(session: nox.Session) -> None:
    """Check that the generated sync client is up to date; with `-- write`, generate it."""
    session.install("-q", *nox.project.dependency_groups(PROJECT, "sync"))
    check = () if session.posargs == ["write"] else ("--check",)
    session.run("python", "-m", "tests.codegen.generate_sync", *check)


@nox.session
def generate(session: nox.Session) -> None:
    """Write all generated files: the models' exports, the sync client, the reference; `-- --check` compares them."""
    install(session, "generate", extras="sandbox")
    session.run("python", "-m", "tests.codegen", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation into a temporary folder; with `-- serve`, serve it and rebuild on changes."""
    session.install("-q", *nox.project.dependency_groups(PROJECT, "docs"))
    session.env["NO_MKDOCS_2_WARNING"] = "1"  # hides an advertisement that mkdocs prints on each run
    if session.posargs == ["serve"]:
        session.run("mkdocs", "serve", "-f", "docs/mkdocs.yml")
    else:
        session.run("mkdocs", "build", "-q", "--strict", "-f", "docs/mkdocs.yml", "-d", f"{session.create_tmp()}/site")


@nox.session
def bench(session: nox.Session) -> None:
    """Measure against other clients and the targets, and write docs/en/performance.md; `-- --short` for CI."""
    install(session, "bench")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """Build the sdist and the wheel, install the wheel alone and send with it; `-- FOLDER` keeps the files there."""
    session.install("-q", "build", "virtualenv")
    folder = Path(session.create_tmp())
    dist = Path(session.posargs[0]) if session.posargs else folder / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    session.run("python", "-m", "build", "-o", str(dist), silent=True)
    (wheel,) = dist.glob("*.whl")
    session.run("virtualenv", "-q", "--clear", str(folder / "core"))
    python = str(folder / "core" / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    session.run(python, "-m", "pip", "install", "-q", str(wheel), external=True)
    session.run(python, "-m", "pip", "check", external=True)
    session.run(python, "-I", "-W", "error", "tests/packaging/smoke.py", external=True)


@nox.session
def lowest(session: nox.Session) -> None:
    """Run all tests with the lowest versions of the core dependencies that pyproject.toml allows."""
    bounds: list[str] = []
    for requirement in map(Requirement, PROJECT["project"]["dependencies"]):
        (bound,) = (part.version for part in requirement.specifier if part.operator == ">=")
        bounds.append(f"{requirement.name}=={bound}")
    install(session, "tests", more=bounds)
    pytest(session)


@nox.session
def fast(session: nox.Session) -> None:
    """Run all tests over the fast transport."""
    install(session, "tests")
    pytest(session, "--transport=fast")


@nox.session
def faults(session: nox.Session) -> None:
    """Run the network fault tests; with `-- write`, also write their table in the documentation."""
    install(session, "tests")
    if session.posargs == ["write"]:
        session.run("python", "-m", "pytest", *IN_PARALLEL, "tests/faults", "-k", "not the_table_in_the_documentation")
        table = "tests/faults/test_matrix.py::test_the_table_in_the_documentation_is_up_to_date"
        session.run("python", "-m", "pytest", table, env={"FAULTS_WRITE_TABLE": "1"})
    else:
        pytest(session, "tests/faults")


@nox.session
def kills(session: nox.Session) -> None:
    """Run the tests that kill the workers of campaigns, with 300 kills for each kind of ledger."""
    install(session, "tests")
    pytest(session, "tests/bulk", "-k", "kill", "--timeout", "3600", env={"IPPANEL_KILLS": "300"})


@nox.session
def fuzz(session: nox.Session) -> None:
    """Run the property tests with many more examples."""
    install(session, "tests")
    pytest(session, "--hypothesis-profile", "nightly", "-m", "hypothesis", "--timeout", "7200")
