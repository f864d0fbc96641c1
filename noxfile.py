"""What is run by hand, by CI and every night: one session for each (`nox -l`). All they need is Python and pip.

The sessions use the Python that runs nox, and keep their environments in .nox between runs.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import nox
from packaging.requirements import Requirement

nox.needs_version = ">=2025.2.9"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "types", "sync", "tests", "docs", "build"]

PROJECT = nox.project.load_toml("pyproject.toml")


def install(session: nox.Session, *groups: str, extras: str = "all", more: Sequence[str] = ()) -> None:
    """Install the package as it stands, with extras and the groups that the session needs."""
    session.install("-q", "-e", f".[{extras}]", *nox.project.dependency_groups(PROJECT, *groups), *more)


def pytest(session: nox.Session, *arguments: str) -> None:
    """Run the tests; what follows `--` on the command line takes the place of the arguments."""
    session.run("python", "-m", "pytest", *(session.posargs or arguments))


@nox.session
def demo(session: nox.Session) -> None:
    """The main job: send a file of messages, on this machine, and watch where each one goes."""
    install(session, "demo", extras="sandbox")
    session.run("python", "docs/examples/send_csv.py", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """All tests, with coverage of both sides."""
    install(session, "tests", "httpx2")
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *session.posargs)
    if not session.posargs:
        session.run("coverage", "report")


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff: rules and format; codespell; and zizmor over the workflows."""
    session.install("-q", *nox.project.dependency_groups(PROJECT, "lint"))
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", "--check")
    session.run("codespell")
    session.run("zizmor", "--offline", "--quiet", ".github/workflows")


@nox.session
def audit(session: nox.Session) -> None:
    """Known weaknesses of what is installed beside the package. It asks PyPI's advisories, so it is not in .ci/run."""
    install(session)
    session.install("-q", "pip-audit")
    session.run("pip-audit", "--progress-spinner", "off", "--skip-editable")


@nox.session
def types(session: nox.Session) -> None:
    """Mypy and pyright, strict; and every public name typed."""
    install(session, "types")
    session.run("mypy")
    session.run("pyright", "--warnings")
    session.run("pyright", "--ignoreexternal", "--verifytypes", "ippanel_edge")


@nox.session
def sync(session: nox.Session) -> None:
    """Whether the sync side is what the async side says; with `-- write`, make it so."""
    session.install("-q", *nox.project.dependency_groups(PROJECT, "sync"))
    check = () if session.posargs == ["write"] else ("--check",)
    session.run("python", "-m", "tests.codegen.generate_sync", *check)


@nox.session
def generate(session: nox.Session) -> None:
    """Write all generated files: the exports of models, the sync side, the reference. `-- --check` compares them."""
    install(session, "generate", extras="sandbox")
    session.run("python", "-m", "tests.codegen", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site, strictly, into a temporary folder; with `-- serve`, serve it while it is written."""
    session.install("-q", *nox.project.dependency_groups(PROJECT, "docs"))
    session.env["NO_MKDOCS_2_WARNING"] = "1"  # an advertisement on each run
    if session.posargs == ["serve"]:
        session.run("mkdocs", "serve", "-f", "docs/mkdocs.yml")
    else:
        session.run("mkdocs", "build", "-q", "--strict", "-f", "docs/mkdocs.yml", "-d", f"{session.create_tmp()}/site")


@nox.session
def bench(session: nox.Session) -> None:
    """The benchmarks, one after the other; or with `-- NAME ARGUMENTS`, that one."""
    install(session, "bench")
    name, *arguments = session.posargs or ["*"]
    for script in sorted(Path("benchmarks").glob(f"{name}.py")):
        if script.stem != "server":
            session.run("python", "-m", f"benchmarks.{script.stem}", *arguments)


@nox.session
def build(session: nox.Session) -> None:
    """Build the wheel from the sdist, install it alone into an environment of its own, and send with it.

    What is built goes to a temporary folder, or with `-- FOLDER` there.
    """
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
    """All tests on the lowest releases that pyproject.toml allows for the core."""
    bounds: list[str] = []
    for requirement in map(Requirement, PROJECT["project"]["dependencies"]):
        (bound,) = (part.version for part in requirement.specifier if part.operator == ">=")
        bounds.append(f"{requirement.name}=={bound}")
    install(session, "tests", more=bounds)
    pytest(session)


@nox.session
def faults(session: nox.Session) -> None:
    """Every fault against every kind of request, over raw sockets; with `-- write`, write the table of it too."""
    install(session, "tests")
    if session.posargs == ["write"]:
        session.run("python", "-m", "pytest", "tests/faults", env={"FAULTS_WRITE_TABLE": "1"})
    else:
        pytest(session, "tests/faults")


@nox.session
def fuzz(session: nox.Session) -> None:
    """Every night: the property tests, with many more examples."""
    install(session, "tests")
    pytest(session, "--hypothesis-profile", "nightly", "-m", "hypothesis")
