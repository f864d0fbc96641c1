"""Run the local IPPanel Edge sandbox as an HTTP server until Ctrl-C or SIGTERM."""

import sys

from ippanel_edge.sandbox.command import main

if __name__ == "__main__":
    sys.exit(main())
