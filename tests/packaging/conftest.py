"""Tests that require httpx2 are collected only if it is installed."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore = [] if find_spec("httpx2") else ["test_httpx2.py"]
