"""A campaign of a synchronous program: one line, with the arguments of the asynchronous form."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from ippanel_edge.bulk import Counts, send_campaign, send_campaign_sync
from ippanel_edge.sandbox import Sandbox


def test_a_synchronous_program_sends_a_campaign_in_one_line(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPPANEL_API_KEY", sandbox.api_key)
    monkeypatch.setenv("IPPANEL_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("IPPANEL_FROM_NUMBER", sandbox.from_number)
    report = send_campaign_sync(tmp_path / "a.db", ["09121234567", "0935 123 4567"], message="a")
    assert report.counts == Counts(sent=2)


def test_both_forms_have_the_same_signature() -> None:
    assert inspect.signature(send_campaign) == inspect.signature(send_campaign_sync)
