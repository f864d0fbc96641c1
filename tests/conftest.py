"""Shared by all tests: environment variables of the SDK are unset, and hypothesis has two profiles."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from tests.bulk.postgres.server import Server

settings.register_profile("deterministic", deadline=None, derandomize=True, database=None)
settings.register_profile("nightly", deadline=None, max_examples=5_000, print_blob=True)
settings.load_profile("deterministic")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Run property tests without the trace function of coverage: it doubles their time, and no line needs it."""
    if item.get_closest_marker("hypothesis") is None:
        return (yield)
    trace = sys.gettrace()
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(trace)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that runs the tests over another transport."""
    parser.addoption("--transport", choices=("httpx", "fast"), default="httpx", help="the transport of all clients")


@pytest.fixture(scope="session", autouse=True)
def _settings(pytestconfig: pytest.Config) -> Iterator[None]:
    """Unset the IPPANEL_ variables of the environment in which the tests run, and set the transport."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("IPPANEL_"):
                patch.delenv(name)
        if pytestconfig.getoption("--transport") == "fast":
            patch.setenv("IPPANEL_TRANSPORT", "fast")
        yield


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Handle SIGINT as in a terminal, here and in child processes: shells start background jobs with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server of this process. Without a server's programs, the tests fail."""
    if sys.platform == "win32":
        pytest.skip("the tests run PostgreSQL on POSIX systems only: its socket is a file")
    from tests.bulk.postgres.server import running  # noqa: PLC0415 - it imports pwd

    with running() as server:
        yield server


@pytest.fixture(scope="session")
def shared_database(postgres: Server) -> str:
    """The connection string of a database for the tests that use a campaign of their own."""
    return postgres.conninfo(postgres.create_database())


@pytest.fixture
def database(postgres: Server) -> str:
    """The connection string of an empty database."""
    return postgres.conninfo(postgres.create_database())
