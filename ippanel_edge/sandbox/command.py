"""The command that runs the sandbox as an HTTP server: `ippanel-edge sandbox`, or `python -m ippanel_edge.sandbox`.

Nothing outside the standard library is imported before the options are checked, so that `--help` is fast and a missing
extra is named.
"""

from __future__ import annotations

import argparse
import re
import shlex
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from types import FrameType

    from ippanel_edge.sandbox.server import Sandbox

FAST_FACTOR: Final = 60.0
"""How many times sooner deliveries, reviews and scheduled sends happen with `--clock fast`."""

_KEY: Final = re.compile(r"[!-~]+")  # printable ASCII without spaces, as an Authorization header needs it
_LINE: Final = re.compile(r"\+98[0-9A-Za-z]{3,20}")
_STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_CHECK_SECONDS: Final = 0.5


def main(argv: Sequence[str] | None = None, *, prog: str = "python -m ippanel_edge.sandbox") -> int:
    """Run the server until SIGINT or SIGTERM; return the exit code.

    Args:
        argv: the arguments without the program name; those of the process by default.
        prog: the name of the command in its help.

    Raises:
        SystemExit: an argument is invalid, or help was asked for.
    """
    options = _parser(prog).parse_args(argv)
    try:
        from ippanel_edge.sandbox.clock import SandboxClock  # noqa: PLC0415 - loaded after the options are checked
        from ippanel_edge.sandbox.server import Sandbox  # noqa: PLC0415 - it needs the extra
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        return _fail(f"the sandbox requires {package}; run pip install 'ippanel-edge[sandbox]'", 2)
    with _stop_event() as stop:
        try:
            sandbox = Sandbox(
                SandboxClock(factor=options.clock),
                host=options.host,
                port=options.port,
                allow_hosts=options.allow_host,
                db=options.db,
                api_key=options.key,
                from_number=options.from_number,
                max_messages=options.max_messages,
            )
            if options.review is not None:
                sandbox.state.review = options.review
            sandbox.start()
        except (OSError, ValueError) as error:
            return _fail(f"the sandbox cannot start on {options.host}:{options.port}: {error}", 1)
        try:
            if not options.quiet:
                print(_announcement(sandbox), flush=True)  # noqa: T201 - the output of the command
            # A wait without a timeout cannot be interrupted on Windows.
            while not stop.wait(_CHECK_SECONDS):
                pass
        finally:
            sandbox.stop()
    return 0


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog, description="Run a local simulation of IPPanel Edge as an HTTP server until Ctrl-C or SIGTERM."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=8010, help="port; 0 selects a free one (default: %(default)s)")
    parser.add_argument("--key", type=_key, metavar="KEY", help="API key of the main account (default: sandbox-key)")
    parser.add_argument(
        "--from",
        type=_line,
        metavar="LINE",
        dest="from_number",
        help="sender line of the main account, such as +983000505 (default: +983000100200)",
    )
    parser.add_argument(
        "--db", metavar="FILE", help="SQLite file that keeps the state; without it, the state is lost at the end"
    )
    parser.add_argument(
        "--clock",
        type=_factor,
        default=1.0,
        metavar="real|fast[:FACTOR]",
        help=f"fast: deliveries, reviews and scheduled sends happen FACTOR times sooner ({FAST_FACTOR:g} by default)",
    )
    parser.add_argument(
        "--review",
        type=_on_or_off,
        metavar="on|off",
        help="whether each send except pattern sends waits for a review (default: off, or as kept in the db file)",
    )
    parser.add_argument(
        "--max-messages",
        type=_positive,
        metavar="N",
        help="keep only the newest N messages of outbox and inbox (default: 100,000)",
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a further host name to answer to, such as that of a container; may be repeated",
    )
    parser.add_argument("--quiet", action="store_true", help="print nothing except errors")
    return parser


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) <= 65_535:  # noqa: PLR2004 - the highest port
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, got {text!r}")


def _positive(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a positive integer, got {text!r}")


def _key(text: str) -> str:
    if _KEY.fullmatch(text):
        return text
    raise argparse.ArgumentTypeError("expected printable ASCII characters without spaces")


def _line(text: str) -> str:
    if _LINE.fullmatch(text):
        return text
    raise argparse.ArgumentTypeError(f"expected a line in E.164 form such as +983000505, got {text!r}")


def _factor(text: str) -> float:
    kind, separator, number = text.partition(":")
    if kind == "real" and not separator:
        return 1.0
    if kind == "fast":
        try:
            factor = float(number) if separator else FAST_FACTOR
        except ValueError:
            factor = 0.0
        if 0 < factor < float("inf"):
            return factor
    raise argparse.ArgumentTypeError(f"expected real, fast or fast:FACTOR such as fast:10, got {text!r}")


def _on_or_off(text: str) -> bool:
    if text not in {"on", "off"}:
        raise argparse.ArgumentTypeError(f"expected on or off, got {text!r}")
    return text == "on"


def _announcement(sandbox: Sandbox) -> str:
    return (
        "# The sandbox is ready. Paste these lines into another terminal:\n"
        f"export IPPANEL_BASE_URL={shlex.quote(sandbox.base_url)}\n"
        f"export IPPANEL_API_KEY={shlex.quote(sandbox.api_key)}\n"
        f"export IPPANEL_FROM_NUMBER={sandbox.from_number}\n"
        f"# Phone inbox: {sandbox.origin}/\n"
        f"# Control address: {sandbox.origin}/sandbox"
    )


def _fail(message: str, code: int) -> int:
    print(message, file=sys.stderr)  # noqa: T201 - the output of the command
    return code


@contextmanager
def _stop_event() -> Generator[threading.Event]:
    """Yield an event that the first SIGINT or SIGTERM sets; a second one has its usual effect."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        restore()

    def restore() -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)

    previous = {number: signal.signal(number, on_signal) for number in _STOP_SIGNALS}
    try:
        yield stop
    finally:
        restore()
