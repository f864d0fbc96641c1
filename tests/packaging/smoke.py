"""Run by the Python of an environment that holds the built wheel and no extra: what a first user gets.

Only the standard library and the package are used; `nox -s build` runs it. It is no test of pytest's.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import threading
import unittest
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import ippanel_edge
from ippanel_edge import AsyncEdgeClient, EdgeClient

if TYPE_CHECKING:
    from collections.abc import Generator

KEY = "a-key-of-nobody"
LINE = "+983000717000"
CORE = {"anyio", "attrs", "cattrs", "httpcore", "httpx", "sniffio"}
EXTRAS = ("openpyxl", "orjson", "phonenumbers", "pyotp", "rich", "starlette", "uvicorn")
ANSWER: dict[str, object] = {
    "data": {"message_outbox_ids": [7001]},
    "meta": {"status": True, "message": "ok", "message_code": "200-1", "message_parameters": [], "errors": {}},
}


class _Service(BaseHTTPRequestHandler):
    """Answers each send with an id, and keeps what it was sent."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, str | None, dict[str, object]]] = []  # noqa: RUF012 - one for all of a server's requests

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append((self.path, self.headers["Authorization"], body))
        answer = json.dumps(ANSWER).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Say nothing."""


@contextmanager
def _service() -> Generator[str, None, None]:
    _Service.seen.clear()
    server = HTTPServer(("127.0.0.1", 0), _Service)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class TheInstalledWheel(unittest.TestCase):
    """What is true of the package as it is installed."""

    def test_it_is_the_wheel_and_not_the_checkout(self) -> None:
        assert Path(str(ippanel_edge.__file__)).is_relative_to(sys.prefix), ippanel_edge.__file__

    def test_its_version_is_its_metadata_s(self) -> None:
        assert metadata.version("ippanel-edge") == ippanel_edge.__version__

    def test_its_core_needs_six_libraries(self) -> None:
        needs = [need for need in metadata.requires("ippanel-edge") or [] if "extra ==" not in need]
        assert {re.split(r"[^\w-]", need)[0] for need in needs} == CORE, needs

    def test_it_says_that_it_is_typed(self) -> None:
        assert (Path(str(ippanel_edge.__file__)).parent / "py.typed").exists()

    def test_tests_and_docs_are_not_in_it(self) -> None:
        parts = {file.parts[0] for file in metadata.files("ippanel-edge") or []}
        assert parts == {"ippanel_edge", f"ippanel_edge-{ippanel_edge.__version__}.dist-info"}, parts

    def test_it_works_without_any_extra(self) -> None:
        assert not [name for name in EXTRAS if find_spec(name)]

    def test_importing_it_brings_no_extra_in_and_no_warning(self) -> None:
        code = f"import sys, ippanel_edge; print(*(name for name in {EXTRAS} if name in sys.modules))"
        done = subprocess.run(  # noqa: S603 - our own code
            [sys.executable, "-I", "-W", "error", "-c", code], capture_output=True, text=True, check=True
        )
        assert (done.stdout.strip(), done.stderr) == ("", "")

    def test_it_sends_and_waits(self) -> None:
        with _service() as url, EdgeClient(KEY, base_url=url, from_number=LINE) as client:
            result = client.send.webservice("0912 345 67 89", "سلام")
        self._check(result.id)

    def test_it_sends_and_does_not_wait(self) -> None:
        async def send(url: str) -> int:
            async with AsyncEdgeClient(KEY, base_url=url, from_number=LINE) as client:
                return (await client.send.webservice("0912 345 67 89", "سلام")).id

        with _service() as url:
            result = asyncio.run(send(url))
        self._check(result)

    def _check(self, result: int) -> None:
        assert result == 7001
        ((path, authorization, body),) = _Service.seen
        assert (path, authorization) == ("/v1/api/send", KEY)
        assert (body["sending_type"], body["from_number"], body["message"]) == ("webservice", LINE, "سلام")
        assert body["params"] == {"recipients": ["+989123456789"]}


if __name__ == "__main__":
    unittest.main(verbosity=2)
