"""Run the local IPPanel Edge sandbox as an HTTP server until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import threading

from ippanel_edge.sandbox import Sandbox


def main() -> None:
    """Run the server until it is interrupted."""
    parser = argparse.ArgumentParser(prog="python -m ippanel_edge.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8010, help="port; 0 selects a free one (default: %(default)s)")
    options = parser.parse_args()
    with Sandbox(host=options.host, port=options.port) as sandbox, contextlib.suppress(KeyboardInterrupt):
        print(  # noqa: T201 - the output of the command
            f"base URL     {sandbox.base_url}\nAPI key      {sandbox.api_key}\nsender line  {sandbox.from_number}",
            flush=True,
        )
        threading.Event().wait()


if __name__ == "__main__":
    main()
