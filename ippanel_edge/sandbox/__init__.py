"""A local simulation of the IPPanel Edge service, for tests and experiments; it never sends an SMS.

with Sandbox() as sandbox:
    client = EdgeClient(sandbox.api_key, base_url=sandbox.base_url, from_number=sandbox.from_number)
"""

from __future__ import annotations

from ippanel_edge.sandbox.app import create_app
from ippanel_edge.sandbox.clock import SandboxClock
from ippanel_edge.sandbox.server import Sandbox
from ippanel_edge.sandbox.state import SandboxState

__all__ = ["Sandbox", "SandboxClock", "SandboxState", "create_app"]
