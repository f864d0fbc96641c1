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
_INTERRUPTED: Final = 130
"""`ExitCode.INTERRUPTED`, whose module may not have been imported yet."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: the arguments; those of the process if omitted.

    Raises:
        SystemExit: -h or --version was given (0), or the usage is wrong (2).
    """
    _open_missing_streams()
    try:
        return _main(sys.argv[1:] if arguments is None else list(arguments))
    except KeyboardInterrupt:  # before the command began, for example while its modules are imported
        sys.stderr.write("interrupted; nothing was sent\n")
        return _INTERRUPTED


def _open_missing_streams() -> None:
    """Replace the standard streams that the process was started without. Otherwise other files get their numbers."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - until the process ends


def _main(given: Sequence[str]) -> int:
    if given[:1] == ["sandbox"]:
        from ippanel_edge.sandbox import command  # noqa: PLC0415 - importing the package stays cheap

        return command.main(given[1:], prog="ippanel-edge sandbox")
    from ippanel_edge.cli.options import parse  # noqa: PLC0415

    options = parse(given)
    from ippanel_edge.cli.bulk import run  # noqa: PLC0415 - not needed for -h
    from ippanel_edge.cli.exit_codes import ExitCode  # noqa: PLC0415
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
    if output.problem is None:
        return int(result.exit_code)
    output.error(f"cannot write the output: {output.problem}")
    return int(result.exit_code or ExitCode.ERROR)


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
