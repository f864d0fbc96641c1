"""Numbers for the rows of campaigns, and what a sandbox accepted of them."""

from __future__ import annotations

from pathlib import Path

from ippanel_edge.sandbox import Sandbox


def numbers(count: int, first: int = 0) -> list[str]:
    return [f"0912{first + index:07}" for index in range(count)]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def accepted(sandbox: Sandbox) -> list[tuple[str, str]]:
    """Return the (number, text) pairs that the sandbox accepted, in their order."""
    return [
        (recipient.number, recipient.text)
        for message in sandbox.state.outbox.values()
        for recipient in message.recipients
    ]
