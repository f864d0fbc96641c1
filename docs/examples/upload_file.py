"""Send one message to the numbers of a CSV file, and a different message to each row of another file.

Usage: python upload_file.py

The files are written to a temporary folder first, so that the example is complete.
"""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

from ippanel_edge import EdgeClient


def write(path: Path, rows: list[list[str]]) -> Path:
    """Write a CSV file in UTF-8 with commas, which is what the service reads."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, EdgeClient() as client:
        numbers = write(Path(folder, "numbers.csv"), [["phone_number"], ["09123456789"], ["09351234567"]])
        result = client.send.file(numbers, "The shop is open today.")
        print("one message for all rows:", len(result.message_outbox_ids), "id")

        rows = [["recipient", "message"], ["09123456789", "Hello Amir"], ["09351234567", "Hello Sara"]]
        result = client.send.peer_to_peer_file(write(Path(folder, "messages.csv"), rows))
        print("a message for each row:", len(result.message_outbox_ids), "ids")


if __name__ == "__main__":
    main()
