"""The plugin in sessions of pytest: what it loads, each kind of asynchronous test, isolation and missing packages.

The inner sessions run in processes of their own. They find the plugin by its entry point, so install the package.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points

import pytest

from ippanel_edge import testing

pytest_plugins = ["pytester"]

Run = Callable[..., pytest.RunResult]

SYNC = """
def test_in_memory(edge_sandbox, edge_sync_client):
    edge_sync_client.send.pattern("otp", "09123456789", {"code": "48213"})
    assert edge_sandbox.last_otp("09123456789") == "48213"
    assert ":" not in edge_sandbox.base_url.removeprefix("http://")

def test_over_a_server(edge_sync_client, edge_server, edge_sandbox):
    assert edge_server is edge_sandbox
    assert edge_sync_client.send.webservice("09123456789", "Hello").id
    edge_server.assert_sent_once("09123456789", containing="Hello")
    assert ":" in edge_server.base_url.removeprefix("http://")
"""

ASYNC = """
import pytest
{marks}

async def test_in_memory(edge_sandbox, edge_client):
    await edge_client.send.pattern("otp", "09123456789", {{"code": "48213"}})
    assert edge_sandbox.last_otp("09123456789") == "48213"
    assert ":" not in edge_sandbox.base_url.removeprefix("http://")

async def test_over_a_server(edge_client, edge_server, edge_sandbox):
    assert edge_server is edge_sandbox
    assert (await edge_client.send.webservice("09123456789", "Hello")).id
    edge_server.assert_sent_once("09123456789", containing="Hello")
    assert ":" in edge_server.base_url.removeprefix("http://")

async def test_both_clients(edge_client, edge_sync_client, edge_sandbox):
    await edge_client.send.webservice("09123456789", "Hello")
    edge_sync_client.send.webservice("09123456789", "Hello again")
    assert [message.text for message in edge_sandbox.sent] == ["Hello", "Hello again"]
"""


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Return a function that runs tests in a process, in which each warning is an error."""

    def run(source: str, *arguments: str) -> pytest.RunResult:
        pytester.makepyfile(source)
        return pytester.runpytest_subprocess("-Werror", "-pno:cacheprovider", *arguments)

    return run


def test_the_plugin_is_registered_by_its_entry_point() -> None:
    (entry,) = entry_points(group="pytest11", name="ippanel_edge")
    assert entry.value == "ippanel_edge.testing"


def test_synchronous_tests(run: Run) -> None:
    run(SYNC, "-pno:asyncio").assert_outcomes(passed=2)


STRICT = ("-oasyncio_mode=strict", "-oasyncio_default_fixture_loop_scope=function")
AUTO = ("-oasyncio_mode=auto", "-oasyncio_default_fixture_loop_scope=function")


@pytest.mark.parametrize(
    ("marks", "arguments"),
    [
        pytest.param("pytestmark = pytest.mark.asyncio", STRICT, id="strict"),
        pytest.param("pytestmark = pytest.mark.asyncio(loop_scope='module')", STRICT, id="strict, one loop"),
        pytest.param("", AUTO, id="auto"),
    ],
)
def test_tests_of_pytest_asyncio(run: Run, marks: str, arguments: tuple[str, ...]) -> None:
    run(ASYNC.format(marks=marks), *arguments).assert_outcomes(passed=3)


def test_tests_of_anyio_on_asyncio_and_trio(run: Run) -> None:
    marks = """
pytestmark = pytest.mark.anyio

@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param
"""
    run(ASYNC.format(marks=marks), "-pno:asyncio").assert_outcomes(passed=6)


def test_tests_in_processes_of_xdist(run: Run) -> None:
    source = """
import pytest

@pytest.mark.parametrize("number", range(8))
def test_alone(edge_environment, number):
    from ippanel_edge import EdgeClient
    with EdgeClient() as client:
        client.send.webservice("09123456789", "Hello")
    assert edge_environment.sent_to("09123456789").outbox_id == 1001
"""
    run(source, "-pno:asyncio", "-n2").assert_outcomes(passed=8)


def test_in_memory_no_socket_is_opened(run: Run) -> None:
    # An event loop wakes itself through a pair of connected sockets, which are not of a network.
    source = """
import socket
import pytest
from pytest_socket import SocketBlockedError

@pytest.mark.anyio
async def test_client(edge_sandbox, edge_client, edge_sync_client):
    with pytest.warns(UserWarning, match="tried to use"), pytest.raises(SocketBlockedError):
        socket.socket(socket.AF_INET)
    await edge_client.send.webservice("09123456789", "Hello")
    edge_sync_client.send.webservice("09123456789", "Hello again")
    assert len(edge_sandbox.sent) == 2
"""
    run(source, "-pno:asyncio", "--disable-socket", "--allow-unix-socket").assert_outcomes(passed=2)


def test_nothing_leaks_from_one_test_to_the_next(run: Run) -> None:
    source = """
import os
import socket
import threading
from urllib.parse import urlsplit

import pytest
from ippanel_edge import ConfigurationError

NAMES = ("IPPANEL_API_KEY", "IPPANEL_BASE_URL", "IPPANEL_FROM_NUMBER")
kept = {}

def settings():
    return {name: os.environ.get(name) for name in NAMES}

def test_first(edge_environment, edge_sync_client):
    kept.update(client=edge_sync_client, url=edge_environment.base_url, sandbox=edge_environment)
    edge_sync_client.send.webservice("09123456789", "Hello")
    edge_environment.state.review = True
    edge_environment.faults.add(500)
    edge_environment.advance(3600)
    assert settings() == {
        "IPPANEL_API_KEY": edge_environment.api_key,
        "IPPANEL_BASE_URL": edge_environment.base_url,
        "IPPANEL_FROM_NUMBER": edge_environment.from_number,
    }

def test_second(edge_server, edge_sync_client):
    assert edge_server is not kept["sandbox"]
    edge_server.assert_nothing_sent()
    assert edge_server.state.review is False
    assert edge_sync_client.send.webservice("09123456789", "Hello").id == 1001
    assert abs((edge_server.clock.now() - kept["sandbox"].clock.now()).total_seconds() + 3600) < 60

def test_third(edge_sandbox):
    assert settings() == {"IPPANEL_API_KEY": None, "IPPANEL_BASE_URL": "https://before.example", **{NAMES[2]: None}}
    assert [thread.name for thread in threading.enumerate()] == ["MainThread"]
    with pytest.raises(ConfigurationError, match="the client is closed"):
        kept["client"].payment.credit()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", urlsplit(kept["url"]).port))
"""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPPANEL_BASE_URL", "https://before.example")
        result = run(source, "-pno:asyncio")
    result.assert_outcomes(passed=3)


def test_a_failed_assertion_ends_in_the_test(run: Run) -> None:
    source = """
def test_wrong(edge_sandbox, edge_sync_client):
    edge_sync_client.send.webservice("09123456780", "Hello")
    edge_sandbox.sent_to("09123456789")
"""
    result = run(source, "-pno:asyncio")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            ">   *edge_sandbox.sent_to(*",
            "E   *AssertionError: expected a message to +989123456789; 1 message was sent, nearest first:",
            "E   *to +989123456780 from +983000100200 (webservice): 'Hello'",
            "",
            "test_a_failed_assertion_ends_in_the_test.py:3: AssertionError",
        ]
    )
    result.stdout.no_fnmatch_line("*testing/sandbox.py*")


def test_the_plugin_can_be_turned_off(run: Run) -> None:
    result = run("def test_missing(edge_sandbox): ...", "-pno:asyncio", "-pno:ippanel_edge")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'edge_sandbox' not found"])


@pytest.mark.parametrize("package", ["starlette", "uvicorn", "python_multipart"])
def test_without_the_extra_only_a_test_that_uses_a_fixture_fails(
    run: Run, pytester: pytest.Pytester, package: str
) -> None:
    pytester.makeconftest(f"""
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {package!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

for name in [name for name in sys.modules if name.partition(".")[0] == {package!r}]:
    del sys.modules[name]
sys.meta_path.insert(0, Missing())
""")
    source = """
def test_other(): ...
def test_client(edge_client): ...
def test_environment(edge_environment): ...
"""
    result = run(source, "-pno:asyncio")
    result.assert_outcomes(passed=1, errors=2)
    message = f"the fixture edge_sandbox requires {package}*, which is not installed; "
    result.stdout.fnmatch_lines([f"{message}run pip install 'ippanel-edge[[]sandbox[]]'"] * 2)
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_missing_module_of_another_package_is_not_hidden(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest("""
import sys
sys.modules["ippanel_edge.testing.messages"] = None
""")
    result = run("def test_sandbox(edge_sandbox): ...", "-pno:asyncio")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["E   ModuleNotFoundError: *ippanel_edge.testing.messages*"])


def loaded_by_the_plugin() -> tuple[set[str], float]:
    """Return the modules that the plugin imports in a process with pytest, and the time in milliseconds."""
    code = """
import sys, time, pytest
before = set(sys.modules)
began = time.perf_counter()
import ippanel_edge.testing
ended = time.perf_counter()
print((ended - began) * 1000, *set(sys.modules) - before)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - the code above
    milliseconds, *names = run.stdout.split()
    return set(names), float(milliseconds)


def test_the_plugin_imports_nothing_and_takes_no_time_at_the_start() -> None:
    loaded, times = zip(*(loaded_by_the_plugin() for _ in range(5)), strict=True)
    assert loaded[0] == {"ippanel_edge", "ippanel_edge._version", "ippanel_edge.testing"}
    assert min(times) < 5


def test_a_session_that_uses_no_fixture_does_not_import_the_sdk(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    source = """
import sys

def test_modules():
    assert "ippanel_edge.testing" in sys.modules
    heavy = {"httpx", "starlette", "uvicorn", "attrs", "attr", "anyio", "asyncio", "openpyxl"}
    assert heavy.isdisjoint(sys.modules)
    assert not [name for name in sys.modules if name.startswith("ippanel_edge.sandbox")]
"""
    run(source, "-pippanel_edge.testing").assert_outcomes(passed=1)


def test_an_unknown_name_of_the_module_is_an_error() -> None:
    assert testing.EdgeSandbox.__name__ == "EdgeSandbox"
    assert testing.SentMessage.__name__ == "SentMessage"
    with pytest.raises(AttributeError, match="has no attribute 'Nonsense'"):
        getattr(testing, "Nonsense")  # noqa: B009 - a type checker rejects the plain form
