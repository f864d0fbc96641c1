"""Tests of a library that is not installed are not collected: nothing is skipped."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore = [] if find_spec("httpx2") else ["test_httpx2.py"]
