"""The IPPanel Edge service on this machine, for tests and for trying things out. Nothing leaves the machine.

with Sandbox() as sandbox:
    client = EdgeClient(sandbox.api_key, base_url=sandbox.base_url, from_number=sandbox.from_number)
"""

from __future__ import annotations

from ippanel_edge.sandbox.app import create_app
from ippanel_edge.sandbox.clock import SandboxClock
from ippanel_edge.sandbox.server import Sandbox
from ippanel_edge.sandbox.store import World

__all__ = ["Sandbox", "SandboxClock", "World", "create_app"]
