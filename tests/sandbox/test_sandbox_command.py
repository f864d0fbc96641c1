"""`python -m ippanel_edge.sandbox` as a process: its output, its service, and its end on Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from ippanel_edge import EdgeClient


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot send Ctrl-C to a single process")
@pytest.mark.usefixtures("ctrl_c")
def test_command_prints_its_settings_serves_requests_and_stops_on_ctrl_c() -> None:
    command = [sys.executable, "-m", "ippanel_edge.sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - the command is constant
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("# ")
            lines = [process.stdout.readline().strip().removeprefix("export ") for _ in range(3)]
            settings = dict(line.split("=", 1) for line in lines)
            with EdgeClient(
                settings["IPPANEL_API_KEY"],
                base_url=settings["IPPANEL_BASE_URL"],
                from_number=settings["IPPANEL_FROM_NUMBER"],
            ) as client:
                assert client.send.pattern("otp", "09121110001", {"code": "4821"}).id > 0
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=20)
        finally:
            process.kill()
    assert (process.returncode, stderr) == (0, "")


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
