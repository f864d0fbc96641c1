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
            settings = dict(process.stdout.readline().strip().rsplit(None, 1) for _ in range(3))
            with EdgeClient(
                settings["API key"], base_url=settings["base URL"], from_number=settings["sender line"]
            ) as client:
                assert client.send.pattern("otp", "09121110001", {"code": "4821"}).id > 0
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=20)
        finally:
            process.kill()
    assert (process.returncode, stderr) == (0, "")
