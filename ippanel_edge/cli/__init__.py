"""The command line `ippanel-edge`: it parses the options, runs a command, and turns errors into exit codes."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Final

__all__ = ["main"]

ENV_DEBUG: Final = "IPPANEL_DEBUG"
"""Any value but 0 shows the traceback of an error."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: the arguments; those of the process if omitted.

    Raises:
        SystemExit: -h or --version was given (0), or the usage is wrong (2).
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given[:1] == ["sandbox"]:
        from ippanel_edge.sandbox import command  # noqa: PLC0415 - importing the package stays cheap

        return command.main(given[1:], prog="ippanel-edge sandbox")
    from ippanel_edge.cli.options import parse  # noqa: PLC0415

    options = parse(given)
    from ippanel_edge.cli.bulk import run  # noqa: PLC0415 - not needed for -h
    from ippanel_edge.cli.output import Output  # noqa: PLC0415

    logger = logging.getLogger("ippanel_edge")
    if not logger.handlers and not os.environ.get("IPPANEL_LOG"):  # without a handler, Python writes warnings to stderr
        logger.addHandler(logging.NullHandler())
    output = Output(as_json=options.json)
    with _sigterm_as_ctrl_c():
        result = run(options, output)
    if result.error is not None:
        if os.environ.get(ENV_DEBUG, "0") not in {"", "0"}:
            output.trace("".join(traceback.format_exception(result.error)))
        output.error(result.message)
    output.result({**result.values, "exit_code": int(result.exit_code)})
    return int(result.exit_code)


@contextmanager
def _sigterm_as_ctrl_c() -> Generator[None]:
    """End in the same way on SIGTERM as on Ctrl-C: requests in progress finish."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return

    def interrupt(signum: int, frame: FrameType | None) -> None:
        handler = signal.getsignal(signal.SIGINT)  # that of the event loop, while it runs
        assert callable(handler)  # noqa: S101 - nothing here ignores SIGINT
        handler(signum, frame)

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
