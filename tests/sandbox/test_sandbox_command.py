"""`python -m ippanel_edge.sandbox`, as somebody starts it in a terminal: it says where it is, and ends by Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from ippanel_edge import EdgeClient


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signal that is a Ctrl-C of one process alone")
@pytest.mark.usefixtures("ctrl_c")
def test_it_prints_how_to_reach_it_serves_and_ends_by_ctrl_c() -> None:
    command = [sys.executable, "-m", "ippanel_edge.sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        try:
            assert process.stdout is not None
            said = dict(process.stdout.readline().strip().rsplit(None, 1) for _ in range(3))
            with EdgeClient(said["API key"], base_url=said["base URL"], from_number=said["sender line"]) as client:
                assert client.send.pattern("otp", "09121110001", {"code": "4821"}).id > 0
            process.send_signal(signal.SIGINT)
            _, complaints = process.communicate(timeout=20)
        finally:
            process.kill()
    assert (process.returncode, complaints) == (0, "")
