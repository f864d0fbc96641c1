"""Runs the example program of `nox -s demo`: it accounts for every row of the file, and the figures are constant."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "send_csv.py"


def test_the_example_sends_the_file_and_accounts_for_every_row() -> None:
    run = subprocess.run([sys.executable, EXAMPLE], capture_output=True, text=True, check=True, timeout=120)  # noqa: S603 - the command is constant
    rows = [line.split("│") for line in run.stdout.splitlines() if "│" in line]
    printed = {cells[1].strip(): cells[2].strip() for cells in rows}
    assert {name: printed[name] for name in FIGURES} == FIGURES
    assert "0912123456 " in run.stdout


FIGURES = {
    "rows read": "1,230",
    "invalid rows set aside": "10",
    "duplicates left out": "37",
    "SMS parts": "1,257",
    "requests": "12",
    "sent": "1,183",
    "rejected": "0",
    "unknown": "0",
    "delivered": "1,181",
    "not delivered": "2",
}
