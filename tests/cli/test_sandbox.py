"""`ippanel-edge sandbox`: it passes its options to the command of the sandbox, which other tests cover."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import httpx
import pytest

from tests.cli.commands import Cli, environment, process


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot send a signal to a single process")
def test_it_runs_the_sandbox_until_a_signal_and_prints_the_addresses_and_the_variables() -> None:
    with process("sandbox", "--port", "0", "--key", "my-key") as child:
        assert child.stdout is not None
        printed = [child.stdout.readline().strip() for _ in range(6)]
        variables = dict(line.removeprefix("export ").split("=", 1) for line in printed if line.startswith("export "))
        origin = variables["IPPANEL_BASE_URL"].removesuffix("/v1")
        assert variables["IPPANEL_API_KEY"] == "my-key"
        assert f"# Phone inbox: {origin}/" in printed
        assert f"# Control address: {origin}/sandbox" in printed
        assert httpx.get(f"{origin}/", trust_env=False).headers["content-type"].startswith("text/html")
        assert httpx.get(f"{origin}/sandbox/state", trust_env=False).json()["api_key"] == "my-key"
        child.send_signal(signal.SIGTERM)
        assert child.communicate(timeout=20) == ("", "")
        assert child.returncode == 0


def test_its_help_and_errors_name_the_command(cli: Cli) -> None:
    done = cli("sandbox", "--help")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("usage: ippanel-edge sandbox ")
    wrong = cli("sandbox", "--port", "http")
    assert (wrong.code, wrong.out) == (2, "")
    assert "ippanel-edge sandbox: error: argument --port: expected a port" in wrong.err
    assert "sandbox" in cli("-h").out


def test_a_missing_extra_is_one_line_that_names_it() -> None:
    code = "import sys; sys.modules['starlette'] = None; from ippanel_edge.cli import main; sys.exit(main(['sandbox']))"
    done = subprocess.run(  # noqa: S603 - the code is a constant
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment()
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "the sandbox requires starlette; run pip install 'ippanel-edge[sandbox]'\n"
