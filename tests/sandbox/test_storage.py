"""The db file of the sandbox: all that survives a restart, what is refused, and that each request is saved."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import attrs
import httpx
import pytest

from ippanel_edge import EdgeClient
from ippanel_edge.sandbox import Sandbox, SandboxClock
from ippanel_edge.sandbox.faults import Fault
from ippanel_edge.sandbox.records import TokenKind
from ippanel_edge.sandbox.storage import VERSION, StorageError
from ippanel_edge.sandbox.views import phone_messages
from tests.sandbox import test_all_endpoints as endpoints
from tests.sandbox.caller import Caller, accepted
from tests.sandbox.conftest import START

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from ippanel_edge.sandbox.state import SandboxState

NUMBER = "+989121234567"
CREDIT = "/api/payment/credit/mine"
DERIVED = {
    *("clock", "lock", "uncharged", "recent_messages", "events", "progress"),
    *("_token_limit", "_recipient_count", "_setting_changes"),
}
"""The attributes of a state that are compared otherwise, or that only exist in memory."""

STAGES = ("login", "messages", "banks", "phonebooks", "patterns", "drafts_and_tickets", "users", "others")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sandbox.db"


def opened(path: Path, **options: Any) -> Sandbox:
    return Sandbox(SandboxClock(START, frozen=True), db=path, **options)


def contents(state: SandboxState) -> dict[str, object]:
    """Return all that a state holds."""
    names = [field.name for field in attrs.fields(type(state)) if field.name not in DERIVED]
    return {name: getattr(state, name) for name in names}


class CheckingApp:
    """Compares, when a response begins, the file with the state in memory, and keeps the names of what differs."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.app: ASGIApp = sandbox.app
        self.requests = 0
        self.differences: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_checked(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.requests += 1
                self.differences += [f"{name} after {scope['path']}" for name in self._different_names()]
            await send(message)

        await self.app(scope, receive, send_checked)

    def _different_names(self) -> list[str]:
        storage = self.sandbox._storage
        assert storage is not None
        loaded = contents(storage._load(SandboxClock()))
        return [name for name, value in contents(self.sandbox.state).items() if loaded[name] != value]


def test_the_file_has_all_changes_after_each_request_of_every_endpoint(path: Path) -> None:
    sandbox = Sandbox(SandboxClock(datetime.now(UTC), frozen=True), db=path)
    checking = CheckingApp(sandbox)
    sandbox.app = checking

    async def call_all() -> set[str]:
        session = endpoints.Session(sandbox, "asyncio")
        stages: list[Callable[[endpoints.Session], Any]] = [getattr(endpoints, f"_{name}") for name in STAGES]
        for stage in stages:
            await stage(session)
        await session.close()
        return session.seen

    with sandbox:
        assert len(anyio.run(call_all)) == 89
    assert checking.requests > 89
    assert checking.differences == []


def test_messages_ids_tokens_credit_and_settings_survive_a_restart(path: Path) -> None:
    with opened(path) as sandbox:
        call = Caller(sandbox)
        (first,) = accepted(call.webservice(NUMBER))
        sandbox.state.receive(NUMBER, sandbox.from_number, "لغو")
        sandbox.state.notify(NUMBER, "کد")
        user = next(iter(sandbox.state.users.values()))
        token = sandbox.state.issue_token(user, TokenKind.SESSION, 3600)
        sandbox.state.review, sandbox.state.delivery_seconds = True, 0.5
        sandbox.clock.advance(5)
        before, credit = contents(sandbox.state), call.credit()
    with opened(path) as sandbox:
        call = Caller(sandbox)
        assert contents(sandbox.state) == before
        assert sandbox.clock.now() == START + timedelta(seconds=5)
        assert call("GET", CREDIT, key=token.value).status_code == 200
        assert call.credit() == credit
        assert call.webservice(NUMBER).status_code == 429  # the same text, 5 seconds later
        assert accepted(call.webservice(NUMBER, message="another")) == [first + 1]
        sandbox.clock.advance(40)
        assert accepted(call.webservice(NUMBER)) == [first + 2]


def test_the_order_of_all_messages_and_the_watch_on_their_statuses_survive_a_restart(path: Path) -> None:
    with opened(path) as sandbox:
        accepted(Caller(sandbox).webservice(NUMBER))
        sandbox.state.receive(NUMBER, sandbox.from_number, "salam")
        sandbox.state.notify(NUMBER, "code: 4821")
        (otp,) = accepted(Caller(sandbox).send("pattern", code="otp", recipients=[NUMBER], params={"code": "4821"}))
        keys = [message.key for message in phone_messages(sandbox.state)]
        last_event = sandbox.events.last_id
    with opened(path) as sandbox:
        assert [message.key for message in phone_messages(sandbox.state)] == keys
        assert sandbox.state.outbox[otp].pattern_code == "otp"
        assert (last_event > 0, sandbox.events.last_id) == (True, 0), "events are not stored"
        events = sandbox.events.subscribe()
        sandbox.clock.advance(4)
        statuses = [event.data["status"] for event in events.take() if event.kind == "status"]
        assert statuses == ["delivered", "delivered"]
        sandbox.state.reset()
    with opened(path) as sandbox:
        assert list(phone_messages(sandbox.state)) == []


def test_a_scheduled_message_is_charged_after_a_restart(path: Path) -> None:
    with opened(path) as sandbox:
        (scheduled,) = accepted(Caller(sandbox).webservice(NUMBER, send_time="2030-01-15 10:00:00"))
        credit = Caller(sandbox).credit()
    with opened(path) as sandbox:
        sandbox.clock.advance(3600)
        assert Caller(sandbox).credit() < credit
        assert Caller(sandbox).report(scheduled)["state_id"] == 6


def test_a_change_of_any_collection_in_python_survives(path: Path) -> None:
    with opened(path) as sandbox:
        state = sandbox.state
        for number in range(3):
            state.receive(NUMBER, sandbox.from_number, f"text {number}")
        (message_id,) = accepted(Caller(sandbox).webservice(NUMBER))
        del state.inbox[0]
        state.inbox[0].seen = True
        state.packages.clear()
        state.drafts.update({})
        state.users = dict(list(state.users.items())[::-1])
        state.blacklist.add("+989120000001")
        state.api_keys["another"] = next(iter(state.users))
        state.tariffs |= {9: attrs.evolve(state.tariffs[1], tariff_id=9)}
        state.tickets.setdefault(7, None)  # type: ignore[arg-type] # removed again below
        state.ticket_categories.popitem()
        del state.tickets[7]
        state.outbox.pop(message_id)
        before = contents(state)
    with opened(path) as sandbox:
        assert contents(sandbox.state) == before
        assert list(sandbox.state.users) == list(before["users"])  # type: ignore[call-overload] # a dict
        assert [message.text for message in sandbox.state.inbox] == ["text 1", "text 2"]


def test_the_store_stays_bounded_in_the_file(path: Path) -> None:
    with opened(path, max_messages=20) as sandbox:
        call = Caller(sandbox)
        ids = [accepted(call.webservice(f"+9891212345{number:02d}"))[0] for number in range(50)]
        for number in range(50):
            sandbox.state.receive(NUMBER, sandbox.from_number, str(number))
    with opened(path) as sandbox:
        kept = list(sandbox.state.outbox)
        assert kept == ids[-len(kept) :]
        assert 18 <= len(kept) <= 20
        assert 18 <= len(sandbox.state.inbox) <= 20
        assert sandbox.state.inbox[-1].text == "49"
        assert sandbox.state.max_messages == 20


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
def test_only_the_owner_may_read_the_files(path: Path) -> None:
    path.touch(mode=0o644)
    with opened(path) as sandbox:
        accepted(Caller(sandbox).webservice(NUMBER))
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        assert set(modes) >= {"sandbox.db"}
        assert set(modes.values()) == {0o600}


@pytest.mark.parametrize("content", [b"a text that is no database at all" * 100, "another database"])
def test_a_file_of_another_program_is_refused_and_unchanged(path: Path, content: bytes | str) -> None:
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE other (a)")
        connection.close()
    before = path.read_bytes()
    with pytest.raises(StorageError, match=r"sandbox\.db is not a file of the sandbox; choose another name"):
        opened(path)
    assert path.read_bytes() == before


def test_a_file_of_another_version_is_refused(path: Path) -> None:
    opened(path).stop()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(StorageError, match=f"has version {VERSION + 1}, but .* uses version {VERSION}"):
        opened(path)


def test_a_file_that_another_sandbox_uses_is_refused(path: Path) -> None:
    with opened(path) as sandbox:
        with pytest.raises(StorageError, match="another sandbox uses"):
            opened(path)
        assert accepted(Caller(sandbox).webservice(NUMBER))
    opened(path).stop()


def test_a_missing_folder_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        opened(tmp_path / "missing" / "sandbox.db")


def test_a_stopped_sandbox_with_a_file_cannot_be_started_again(path: Path) -> None:
    sandbox = opened(path)
    sandbox.stop()
    sandbox.stop()
    with pytest.raises(RuntimeError, match="create a new Sandbox"):
        sandbox.start()


def test_db_and_state_together_raise_value_error(path: Path) -> None:
    with pytest.raises(ValueError, match="expected either db or state"):
        Sandbox(state=Sandbox().state, db=path)
    assert not path.exists()


def test_a_key_that_another_account_has_releases_the_file(path: Path) -> None:
    with pytest.raises(ValueError, match="choose a different one"):
        opened(path, api_key="sandbox-sub-user-key")
    opened(path).stop()


def test_a_key_of_digits_stays_text(path: Path) -> None:
    with opened(path) as sandbox:
        pattern = sandbox.state.patterns["otp"]
        sandbox.state.patterns["0123"] = attrs.evolve(pattern, code="0123")
    with opened(path) as sandbox:
        assert list(sandbox.state.patterns) == ["otp", "welcome", "pending", "0123"]


def test_a_key_and_a_line_given_at_first_are_kept(path: Path) -> None:
    opened(path, api_key="mine", from_number="+983000505").stop()
    with opened(path) as sandbox:
        assert (sandbox.api_key, sandbox.from_number) == ("mine", "+983000505")
        assert accepted(Caller(sandbox).webservice(NUMBER))


def test_a_response_is_not_success_if_the_change_could_not_be_saved(path: Path) -> None:
    sandbox = opened(path)
    assert sandbox._storage is not None
    sandbox._storage._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        Caller(sandbox).webservice(NUMBER)
    sandbox._storage._connection.execute("PRAGMA query_only = OFF")
    sandbox.stop()  # saves what is missing
    with opened(path) as sandbox:
        assert [message.recipients[0].number for message in sandbox.state.outbox.values()] == [NUMBER]


def test_an_accepted_message_is_saved_before_a_fault_breaks_its_connection(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[int] = []

    async def break_connection(*_: object, **__: object) -> None:
        assert sandbox._storage is not None
        query = "SELECT count(*) FROM records WHERE kind = 'outbox'"
        saved.extend(count for (count,) in sandbox._storage._connection.execute(query))

    monkeypatch.setattr("ippanel_edge.sandbox.app.break_connection", break_connection)
    with opened(path) as sandbox:
        sandbox.fail("send", with_=Fault.RESET_AFTER_ACCEPT)
        with pytest.raises(AssertionError):  # the test client misses the response
            Caller(sandbox).webservice(NUMBER)
    assert saved == [1]


def test_a_message_that_was_sent_stays_sent_when_the_clock_has_another_speed(path: Path) -> None:
    with Sandbox(SandboxClock(START, frozen=True, factor=600), db=path) as sandbox:
        sandbox.clock.advance(10)
        (sent,) = accepted(Caller(sandbox).webservice(NUMBER, send_time="2030-01-15 10:00:10"))
        sandbox.clock.advance(30 * 60 / 600 + 1)
        assert Caller(sandbox).report(sent)["state_id"] == 6
    for _ in range(2):  # what the first restart records is saved
        with opened(path) as sandbox:
            assert Caller(sandbox).report(sent)["state_id"] == 6
            assert Caller(sandbox).statuses(sent) == {NUMBER: "2"}
            assert sandbox.clock.factor == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_killed_server_loses_no_finished_request(path: Path) -> None:
    def start() -> tuple[subprocess.Popen[str], dict[str, str]]:
        command = [sys.executable, "-m", "ippanel_edge.sandbox", "--port", "0", "--db", str(path)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - the command is constant
        assert process.stdout is not None
        lines = [process.stdout.readline().strip().removeprefix("export ") for _ in range(6)]
        return process, dict(line.split("=", 1) for line in lines if "=" in line)

    def client(settings: dict[str, str]) -> EdgeClient:
        return EdgeClient("sandbox-key", base_url=settings["IPPANEL_BASE_URL"], from_number="+983000100200")

    process, settings = start()
    with process, client(settings) as edge:
        sent = [edge.send.webservice([NUMBER], f"text {number}").id for number in range(20)]
        credit = edge.payment.credit().credit
        process.send_signal(signal.SIGKILL)
    process, settings = start()
    with process:
        with client(settings) as edge:
            assert {message.messages_outbox_id for message in edge.reports.iter_outbox()} == set(sent)
            assert edge.payment.credit().credit == credit
            body = {
                "sending_type": "webservice",
                "from_number": "+983000100200",
                "message": "text 19",
                "params": {"recipients": [NUMBER]},
            }
            url = f"{settings['IPPANEL_BASE_URL']}/api/send"
            answer = httpx.post(url, json=body, headers={"Authorization": "sandbox-key"}, trust_env=False)
            assert answer.status_code == 429
            assert edge.send.webservice([NUMBER], "text 20").id == sent[-1] + 1
        process.kill()
