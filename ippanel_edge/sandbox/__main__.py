"""Run the local IPPanel Edge sandbox as an HTTP server until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import sys
import threading


def main() -> int:
    """Run the server until it is interrupted; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ippanel_edge.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8010, help="port; 0 selects a free one (default: %(default)s)")
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a further host name to answer to, such as that of a container; may be repeated",
    )
    options = parser.parse_args()
    try:
        from ippanel_edge.sandbox.server import Sandbox  # noqa: PLC0415 - it needs the extra
    except ModuleNotFoundError as error:
        missing = f"the sandbox requires {error.name}; run pip install 'ippanel-edge[sandbox]'"
        print(missing, file=sys.stderr)  # noqa: T201 - the output of the command
        return 2
    sandbox = Sandbox(host=options.host, port=options.port, allow_hosts=options.allow_host)
    with sandbox, contextlib.suppress(KeyboardInterrupt):
        print(  # noqa: T201 - the output of the command
            "# The sandbox is ready. Paste these lines into another terminal:\n"
            f"export IPPANEL_BASE_URL={sandbox.base_url}\n"
            f"export IPPANEL_API_KEY={sandbox.api_key}\n"
            f"export IPPANEL_FROM_NUMBER={sandbox.from_number}",
            flush=True,
        )
        threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
