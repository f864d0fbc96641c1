"""The control address, the faults and the event feed of a sandbox that keeps its state in a file."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from ippanel_edge import EdgeClient, OutcomeUnknown
from ippanel_edge.sandbox import Fault, Sandbox


def test_a_message_without_a_response_is_saved_and_a_reset_is_too(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.db"
    with Sandbox(db=path) as sandbox:
        sandbox.fail("send", with_=Fault.RESET_AFTER_ACCEPT)
        with (
            EdgeClient(sandbox.api_key, base_url=sandbox.base_url, from_number=sandbox.from_number) as client,
            pytest.raises(OutcomeUnknown),
        ):
            client.send.webservice(["09121234567"], "hello")
    with Sandbox(db=path) as sandbox, httpx.Client(base_url=sandbox.origin, trust_env=False) as http:
        (row,) = http.get("/sandbox/messages").json()
        assert row["text"] == "hello"
        events = sandbox.events.subscribe()
        sandbox.clock.advance(60)
        assert [event.data["status"] for event in events.take() if event.kind == "status"] == ["delivered"]
        assert http.post("/sandbox/reset").status_code == 200
    with Sandbox(db=path) as sandbox:
        assert sandbox.state.outbox == {}
        assert sandbox.state.receive("09121234567", sandbox.from_number, "hi").sequence > 1
