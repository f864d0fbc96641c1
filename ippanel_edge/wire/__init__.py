"""The protocol, without I/O. `codec` is loaded on first use, because cattrs is slow to import."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ippanel_edge.wire import codec

__all__ = ["codec"]


def __getattr__(name: str) -> ModuleType:
    """Import the codec on first use."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.{name}")  # this sets the attribute too
