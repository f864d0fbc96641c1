"""Numbers of examples. For test modules only: conftest files are imported before the profile is loaded."""

from __future__ import annotations

from typing import Final

from hypothesis import settings

EACH: Final = settings().max_examples
LONG: Final = settings(max_examples=5 * EACH)
"""500 examples by default, 25,000 with `nox -s fuzz`."""
MIDDLE: Final = settings(max_examples=max(500, EACH))
"""500 examples by default, 5,000 with `nox -s fuzz`: for modules with many properties."""
