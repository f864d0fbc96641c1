"""The curl commands of docs/en/sandbox-control.md, run as requests against a sandbox."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Final

import httpx
import pytest

from ippanel_edge import EdgeClient
from ippanel_edge.sandbox import Fault, Sandbox

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "en" / "sandbox-control.md"
COMMANDS: Final = re.findall(r"^(?:\$ )?curl (.+)$", PAGE.read_text("utf-8"), re.MULTILINE)
EXPECTED: Final = {"sned": 422, "/inbound": 201, "/faults": 201}
"""The status of a command that contains this text; the first one that matches, otherwise 200."""


def request_of(command: str, base: str) -> httpx.Request:
    """Return the request of a curl command with the options -d and -X."""
    method, url, content = "", "", ""
    words = iter(shlex.split(command))
    for word in words:
        match word:
            case "-X":
                method = next(words)
            case "-d":
                content = next(words)
            case _:
                url = word
    assert url.startswith("http://127.0.0.1:8010/sandbox/"), command
    return httpx.Request(
        method or ("POST" if content else "GET"), f"{base}{httpx.URL(url).raw_path.decode()}", content=content.encode()
    )


@pytest.mark.parametrize("command", [command for command in COMMANDS if "/events" not in command])
def test_a_curl_command_works_as_the_page_shows(command: str) -> None:
    with (
        Sandbox() as sandbox,
        EdgeClient(sandbox.api_key, base_url=sandbox.base_url, from_number=sandbox.from_number) as client,
    ):
        sandbox.state.review = "/review" in command
        assert client.send.webservice(["09121234567"], "Your code is 4821").id == 1001
        request = request_of(command, sandbox.base_url.removesuffix("/v1"))
        with httpx.Client(trust_env=False) as http:
            response = http.send(request)
        expected = next((status for text, status in EXPECTED.items() if text in command), 200)
        assert response.status_code == expected, response.text


def test_the_page_names_every_fault() -> None:
    text = PAGE.read_text("utf-8")
    assert len(COMMANDS) >= 10
    assert [fault for fault in Fault if f"| `{fault}` |" not in text] == []
