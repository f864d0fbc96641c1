"""A local simulation of the IPPanel Edge service, for tests and experiments; it never sends an SMS.

with Sandbox() as sandbox:
    client = EdgeClient(sandbox.api_key, base_url=sandbox.base_url, from_number=sandbox.from_number)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ippanel_edge.sandbox.app import create_app
    from ippanel_edge.sandbox.clock import SandboxClock
    from ippanel_edge.sandbox.faults import Fault
    from ippanel_edge.sandbox.server import Sandbox
    from ippanel_edge.sandbox.state import SandboxState

__all__ = ["Fault", "Sandbox", "SandboxClock", "SandboxState", "create_app"]

_HOMES = {
    "create_app": "app",
    "Fault": "faults",
    "SandboxClock": "clock",
    "Sandbox": "server",
    "SandboxState": "state",
}


def __getattr__(name: str) -> object:
    """Load a public name on first use: the command must be able to say which extra is missing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
