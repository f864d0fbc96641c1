"""The main job, as `nox -s demo` runs it: every row of the file is accounted for, and the figures never change."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "send_csv.py"


def test_the_customers_file_goes_out_and_every_row_is_accounted_for() -> None:
    run = subprocess.run([sys.executable, EXAMPLE], capture_output=True, text=True, check=True, timeout=120)  # noqa: S603 - our own example
    said = {line.split("│")[1].strip(): line.split("│")[2].strip() for line in run.stdout.splitlines() if "│" in line}
    assert {name: said[name] for name in FIGURES} == FIGURES
    assert "09121234567" in run.stdout


FIGURES = {
    "rows read": "1,230",
    "texts sent": "1,183",
    "duplicates left out": "37",
    "bad rows left out": "10",
    "requests made": "12",
    "parts": "1,257",
    "cost in Rials": "1,595,828.5",
    "delivered": "1,181",
    "not delivered": "1",
    "blacklisted": "1",
}
