"""The built wheel works in an environment with only its required dependencies.

`nox -s build` runs this file with the Python of that environment. It uses only the standard library and the package.
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

KEY = "a-test-key"
LINE = "+983000717000"
CORE = {"anyio", "attrs", "cattrs", "httpcore", "httpx", "sniffio"}
COMMANDS = {"ippanel-edge", "ippanel-edge.exe"}
EXTRAS = ("openpyxl", "orjson", "phonenumbers", "pyotp", "rich", "starlette", "uvicorn")
RESPONSE: dict[str, object] = {
    "data": {"message_outbox_ids": [7001]},
    "meta": {"status": True, "message": "ok", "message_code": "200-1", "message_parameters": [], "errors": {}},
}


class _Service(BaseHTTPRequestHandler):
    """Responds to each send with an id, and records the requests."""

    protocol_version = "HTTP/1.1"
    requests: list[tuple[str, str | None, dict[str, object]]] = []  # noqa: RUF012 - shared by all requests of the server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.requests.append((self.path, self.headers["Authorization"], body))
        content = json.dumps(RESPONSE).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Do not log."""


@contextmanager
def _service() -> Generator[str, None, None]:
    _Service.requests.clear()
    server = HTTPServer(("127.0.0.1", 0), _Service)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class InstalledWheelTest(unittest.TestCase):
    """Facts about the installed package."""

    def test_the_package_is_imported_from_the_environment(self) -> None:
        assert Path(str(ippanel_edge.__file__)).is_relative_to(sys.prefix), ippanel_edge.__file__

    def test_the_version_matches_the_metadata(self) -> None:
        assert metadata.version("ippanel-edge") == ippanel_edge.__version__

    def test_the_core_requires_six_libraries(self) -> None:
        requirements = [
            requirement for requirement in metadata.requires("ippanel-edge") or [] if "extra ==" not in requirement
        ]
        assert {re.split(r"[^\w-]", requirement)[0] for requirement in requirements} == CORE, requirements

    def test_the_package_contains_py_typed(self) -> None:
        assert (Path(str(ippanel_edge.__file__)).parent / "py.typed").exists()

    def test_the_wheel_contains_no_tests_or_docs(self) -> None:
        files = [file for file in metadata.files("ippanel-edge") or [] if file.name not in COMMANDS]
        parts = {file.parts[0] for file in files}
        assert parts == {"ippanel_edge", f"ippanel_edge-{ippanel_edge.__version__}.dist-info"}, parts

    def test_the_wheel_contains_the_page_of_the_sandbox(self) -> None:
        names = {file.name for file in metadata.files("ippanel-edge") or [] if "web" in file.parts}
        assert names >= {"page.html", "app.css", "app.js", "icon.svg", "theme.js"}, names

    def test_no_extra_is_installed(self) -> None:
        assert not [name for name in EXTRAS if find_spec(name)]

    def test_the_import_loads_no_extra_and_raises_no_warning(self) -> None:
        code = f"import sys, ippanel_edge; print(*(name for name in {EXTRAS} if name in sys.modules))"
        process = subprocess.run(  # noqa: S603 - the command is constant
            [sys.executable, "-I", "-W", "error", "-c", code], capture_output=True, text=True, check=True
        )
        assert (process.stdout.strip(), process.stderr) == ("", "")

    def test_the_sync_client_sends_a_message(self) -> None:
        with _service() as url, EdgeClient(KEY, base_url=url, from_number=LINE) as client:
            result = client.send.webservice("0912 345 67 89", "سلام")
        self._check(result.id)

    def test_the_async_client_sends_a_message(self) -> None:
        async def send(url: str) -> int:
            async with AsyncEdgeClient(KEY, base_url=url, from_number=LINE) as client:
                return (await client.send.webservice("0912 345 67 89", "سلام")).id

        with _service() as url:
            result = asyncio.run(send(url))
        self._check(result)

    def _check(self, result: int) -> None:
        assert result == 7001
        ((path, authorization, body),) = _Service.requests
        assert (path, authorization) == ("/v1/api/send", KEY)
        assert (body["sending_type"], body["from_number"], body["message"]) == ("webservice", LINE, "سلام")
        assert body["params"] == {"recipients": ["+989123456789"]}


if __name__ == "__main__":
    unittest.main(verbosity=2)
