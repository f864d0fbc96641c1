"""Run the command line: `python -m ippanel_edge.cli`."""

import sys

from ippanel_edge.cli import main

if __name__ == "__main__":
    sys.exit(main())
