"""How long the tests in here look. Imported by test modules alone: only then is hypothesis' profile the chosen one."""

from __future__ import annotations

from typing import Final

from hypothesis import settings

EACH: Final = settings().max_examples
LONG: Final = settings(max_examples=5 * EACH)
"""500 examples each time, 25,000 by `nox -s fuzz`."""
MIDDLE: Final = settings(max_examples=max(500, EACH))
"""500 examples each time, 5,000 by `nox -s fuzz`: for what has many properties."""
