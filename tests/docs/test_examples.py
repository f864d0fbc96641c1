"""Runs every script of docs/examples as a file, against a sandbox of its own, and checks what it prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs
import procrastinate
import pytest

from ippanel_edge.sandbox import Sandbox
from ippanel_edge.sandbox.defaults import PASSWORD, USERNAME

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "docs" / "examples").glob("*.py"))
WITH_ITS_OWN_SANDBOX = {"send_csv.py"}
"""Scripts that test_example.py tests."""
WITH_POSTGRES = {"bulk_celery.py", "bulk_procrastinate.py", "bulk_taskiq.py"}


@attrs.frozen(kw_only=True)
class Expected:
    """How a script is run, and what it prints: one regular expression for each line."""

    lines: Sequence[str]
    arguments: Sequence[str] = ()
    prepare: Callable[[Sandbox], object] = attrs.field(default=lambda _: None)
    check: Callable[[Sandbox], bool] = attrs.field(default=lambda _: True)


def _deliver_fast(sandbox: Sandbox) -> None:
    sandbox.state.delivery_seconds = 0.2


def _receive(sandbox: Sandbox) -> None:
    sandbox.state.receive("+989123456789", sandbox.from_number, "stop")
    sandbox.state.receive("+989351234567", sandbox.from_number, "hello")


def _has_one_login(sandbox: Sandbox) -> bool:
    return len(sandbox.state.tokens) == 1


def _has_sent_three(sandbox: Sandbox) -> bool:
    return sorted(len(message.recipients) for message in sandbox.state.outbox.values()) == [1, 2, 2]


_CHUNKS = [
    "chunk 1: 2 rows sent",
    "chunk 2: 2 rows sent",
    "chunk 3: 1 rows sent",
    "chunk 1 is not pending: nothing to do",
]

EXPECTED = {
    "send_otp.py": Expected(lines=[r"sent as message \d+"], check=lambda sandbox: len(sandbox.state.outbox) == 1),
    "send_otp_sync.py": Expected(lines=[r"sent as message \d+"], arguments=["0935 123 4567"]),
    "handle_outcomes.py": Expected(
        arguments=["09123456789", "+989990000004", "+989990000005", "+989990000007"],
        lines=[
            r"\+989123456789 sent as message \d+",
            r"\+989990000004 rejected: ValidationFailed",
            r"\+989990000005 unknown, and the outbox does not have it: a person decides",
            r"\+989990000007 unknown, but the outbox has it: message \d+",
        ],
    ),
    "delivery_report.py": Expected(
        arguments=["09123456789", "+989990000002", "+989990000003"],
        prepare=_deliver_fast,
        lines=[
            r"\+989123456789 DELIVERED",
            r"\+989990000002 NOT_DELIVERED",
            r"\+989990000003 BLACKLISTED",
            r"reason ALL_FINAL state SENT",
            r"cost [\d.]+ Rials",
        ],
    ),
    "follow_inbox.py": Expected(
        arguments=["2"],
        prepare=_receive,
        lines=[r"\+989123456789 to \+983000100200 stop", r"\+989351234567 to \+983000100200 hello"],
    ),
    "pattern_and_price.py": Expected(
        lines=[r"ucs-2 \d+ units 1 part", r"price [\d.]+ Rials \(MCI\), [\d.]+ .*", r"sent as message \d+"]
    ),
    "schedule_and_cancel.py": Expected(lines=["cancelled"]),
    "upload_file.py": Expected(lines=["one message for all rows: 1 id", "a message for each row: 2 ids"]),
    "shared_login.py": Expected(
        lines=["logged in", "worker 0 is sandbox", "worker 1 is sandbox", "worker 2 is sandbox"], check=_has_one_login
    ),
    "threads.py": Expected(
        arguments=["09123456789", "+989990000008"],
        lines=[r"09123456789 sent as message \d+", r"\+989990000008 rejected"],
    ),
    "bulk_celery.py": Expected(lines=_CHUNKS, check=_has_sent_three),
    "bulk_taskiq.py": Expected(lines=_CHUNKS, check=_has_sent_three),
    "bulk_procrastinate.py": Expected(
        arguments=["load", "load", "work", "show", "--once"],
        lines=[
            "loaded 5 rows, 0 were there before",
            "loaded 0 rows, 5 were there before",
            "sent 5, pending 0, unknown 0",
        ],
        check=_has_sent_three,
    ),
    "test_with_respx.py": Expected(lines=[r"\.\.\. .*", r"3 passed in .*"]),
}


def _command(script: Path, arguments: Sequence[str]) -> list[str]:
    """Return the command of a script; a test module is run by pytest, with none of this project's settings.

    The example of Celery is run with a worker in its process.
    """
    if script.name == "bulk_celery.py":
        return [sys.executable, str(Path(__file__).with_name("celery_worker.py"))]
    if script.name.startswith("test_"):
        return [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, str(script)]
    return [sys.executable, str(script), *arguments]


def _database(conninfo: str) -> str:
    """Return a database with the tables of Procrastinate."""
    app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=conninfo))
    with app.open():
        app.schema_manager.apply_schema()
    return conninfo


@pytest.mark.parametrize("script", SCRIPTS, ids=[script.name for script in SCRIPTS])
def test_an_example_runs_as_a_file(script: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if script.name in WITH_ITS_OWN_SANDBOX:
        return
    assert script.name in EXPECTED, f"docs/examples/{script.name}: add its output to EXPECTED in {Path(__file__).name}"
    expected = EXPECTED[script.name]
    with Sandbox() as sandbox:
        expected.prepare(sandbox)
        settings = {
            "IPPANEL_API_KEY": sandbox.api_key,
            "IPPANEL_BASE_URL": sandbox.base_url,
            "IPPANEL_FROM_NUMBER": sandbox.from_number,
            "IPPANEL_USERNAME": USERNAME,
            "IPPANEL_PASSWORD": PASSWORD,
            "PYTHONIOENCODING": "utf-8",
            "BROKER_URL": "memory://",
        }
        if script.name in WITH_POSTGRES:
            settings["DATABASE_URL"] = _database(request.getfixturevalue("database"))
        run = subprocess.run(  # noqa: S603 - our own example
            _command(script, expected.arguments),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            cwd=tmp_path,
            env={**os.environ, **settings},
            check=False,
        )
    assert run.returncode == 0, run.stderr or run.stdout
    lines = [line.rstrip() for line in run.stdout.splitlines() if line.strip()]
    matches = [re.fullmatch(pattern, line) for pattern, line in zip(expected.lines, lines, strict=False)]
    assert len(lines) == len(expected.lines), run.stdout
    assert all(matches), run.stdout
    assert expected.check(sandbox)


def test_nothing_is_expected_of_a_script_that_does_not_exist() -> None:
    assert EXPECTED.keys() | WITH_ITS_OWN_SANDBOX == {script.name for script in SCRIPTS}
