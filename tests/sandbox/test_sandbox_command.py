"""The command of the sandbox: its options, its output, how fast it is ready, and how it stops."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import IO

import attrs
import httpx
import pytest

from ippanel_edge import EdgeClient
from ippanel_edge.sandbox.command import main

CREDIT = "/api/payment/credit/mine"
NUMBER = "09121110001"


@attrs.frozen
class Running:
    """A running command, what it printed, and the environment variables in it."""

    process: subprocess.Popen[str]
    printed: str
    settings: Mapping[str, str]

    def client(self) -> EdgeClient:
        return EdgeClient(
            self.settings["IPPANEL_API_KEY"],
            base_url=self.settings["IPPANEL_BASE_URL"],
            from_number=self.settings["IPPANEL_FROM_NUMBER"],
        )

    def stop(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal; return the exit code and what was written to stderr."""
        self.process.send_signal(number)
        _, stderr = self.process.communicate(timeout=20)
        return self.process.returncode, stderr


@contextlib.contextmanager
def running(*options: str) -> Generator[Running]:
    command = [sys.executable, "-m", "ippanel_edge.sandbox", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - the command is constant
        try:
            printed = _announcement(process.stdout)
            exports = [line.removeprefix("export ") for line in printed.splitlines() if line.startswith("export ")]
            yield Running(process, printed, dict(line.split("=", 1) for line in exports))
        finally:
            process.kill()


def _announcement(stream: IO[str] | None) -> str:
    assert stream is not None
    return "".join(stream.readline() for _ in range(6))


needs_signals = pytest.mark.skipif(os.name == "nt", reason="Windows cannot send a signal to a single process")


@needs_signals
@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_command_prints_its_settings_serves_requests_and_stops_on_a_signal(number: signal.Signals) -> None:
    with running() as command:
        with command.client() as client:
            assert client.send.pattern("otp", NUMBER, {"code": "4821"}).id > 0
        origin = command.settings["IPPANEL_BASE_URL"].removesuffix("/v1")
        assert f"{origin}/\n" in command.printed
        assert f"{origin}/sandbox\n" in command.printed
        assert command.stop(number) == (0, "")


@needs_signals
@pytest.mark.usefixtures("ctrl_c")
def test_command_stops_soon_although_a_request_is_unanswered_and_a_connection_is_idle() -> None:
    with running() as command, httpx.Client(base_url=command.settings["IPPANEL_BASE_URL"], trust_env=False) as client:
        assert client.get(CREDIT).status_code == 401  # its connection stays open
        host, port = client.base_url.host, client.base_url.port
        with socket.create_connection((host, port or 0)) as connection:
            connection.sendall(b"POST /v1/api/send HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
            began = time.perf_counter()
            assert command.stop(signal.SIGTERM) == (0, "")
            assert time.perf_counter() - began < 10  # measured: 1.2 s; the client would wait for minutes


@pytest.mark.usefixtures("ctrl_c")
def test_command_is_ready_within_seconds() -> None:
    began = time.perf_counter()
    with running() as command:
        elapsed = time.perf_counter() - began
        assert command.settings["IPPANEL_API_KEY"] == "sandbox-key"
    assert elapsed < 5  # measured: 0.3 s; the machine of a test may be busy


@pytest.mark.usefixtures("ctrl_c")
def test_the_key_the_line_and_the_review_are_options() -> None:
    with running("--key", "my-key", "--from", "+983000505", "--review", "on") as command, command.client() as client:
        assert command.settings["IPPANEL_API_KEY"] == "my-key"
        assert command.settings["IPPANEL_FROM_NUMBER"] == "+983000505"
        assert client.reports.by_id(client.send.webservice([NUMBER], "salam").id).state_id == 1


@pytest.mark.usefixtures("ctrl_c")
def test_a_key_that_a_shell_would_interpret_is_quoted() -> None:
    with running("--key", "a$b;c") as command:
        assert command.settings["IPPANEL_API_KEY"] == "'a$b;c'"


@pytest.mark.usefixtures("ctrl_c")
def test_a_fast_clock_shortens_the_review_and_the_delivery() -> None:
    with running("--clock", "fast:100000", "--review", "on") as command, command.client() as client:
        outbox_id = client.send.webservice([NUMBER], "salam").id
        client.reports.wait_delivered(outbox_id, timeout=10)
        assert client.reports.by_id(outbox_id).state_id == 6


def test_help_names_the_program_and_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(["--help"], prog="ippanel-edge sandbox")
    assert exit_info.value.code == 0
    assert capsys.readouterr().out.startswith("usage: ippanel-edge sandbox")


def test_the_docs_list_all_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    options = set(re.findall(r"^  (--[a-z-]+)", capsys.readouterr().out, re.MULTILINE))
    page = Path(__file__).parents[2] / "docs" / "en" / "sandbox.md"
    assert set(re.findall(r"^\| `(--[a-z-]+)` \|", page.read_text(encoding="utf-8"), re.MULTILINE)) == options


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--port", "65536"),
        ("--port", "-1"),
        ("--key", "with space"),
        ("--key", ""),
        ("--from", "3000505"),
        ("--clock", "slow"),
        ("--clock", "fast:0"),
        ("--clock", "fast:inf"),
        ("--clock", "real:2"),
        ("--review", "yes"),
        ("--max-messages", "0"),
    ],
)
def test_an_invalid_value_is_an_error_that_names_its_option(
    option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main([f"{option}={value}"])
    assert exit_info.value.code == 2
    assert f"argument {option}: expected" in capsys.readouterr().err


def test_a_taken_port_is_one_line_that_names_the_address(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 1
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert f"127.0.0.1:{port}" in err


@pytest.mark.parametrize(("option", "value"), [("--key", "sandbox-sub-user-key"), ("--from", "+9890009000")])
def test_a_key_or_line_of_another_record_is_refused(
    option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--port", "0", option, value]) == 1
    assert "choose a different one" in capsys.readouterr().err


@pytest.mark.parametrize("module", ["starlette", "uvicorn", "python_multipart", "jinja2"])
def test_command_names_the_extra_if_one_of_its_packages_is_missing(module: str) -> None:
    script = (
        f"import runpy, sys; sys.modules[{module!r}] = None; "
        "runpy.run_module('ippanel_edge.sandbox', run_name='__main__', alter_sys=True)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)  # noqa: S603 - the command is constant
    assert done.returncode == 2
    assert done.stderr.strip().endswith("run pip install 'ippanel-edge[sandbox]'")
    assert len(done.stderr.splitlines()) == 1
