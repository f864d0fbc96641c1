"""Runs docs/examples/bulk_celery.py and a worker of it in one process, so that its broker can be in memory."""

from __future__ import annotations

import runpy
import threading
from pathlib import Path
from typing import Final

from celery.contrib.testing.worker import start_worker
from celery.signals import after_task_publish, task_postrun

EXAMPLE: Final = Path(__file__).parents[2] / "docs" / "examples" / "bulk_celery.py"
ENDS_WITHIN: Final = 60.0


def main() -> None:
    """Run the example, and wait until the worker has run all tasks that it published."""
    published: list[object] = []
    has_run = threading.Semaphore(0)

    def on_publish(**_: object) -> None:
        published.append(None)

    def on_end(**_: object) -> None:
        has_run.release()

    after_task_publish.connect(on_publish)
    task_postrun.connect(on_end)
    example = runpy.run_path(str(EXAMPLE))
    with start_worker(example["app"], perform_ping_check=False):
        example["main"]()
        for _ in published:
            assert has_run.acquire(timeout=ENDS_WITHIN)


if __name__ == "__main__":
    main()
