# Generated from ippanel_edge/_async/sections/__init__.py by tests/codegen/generate_sync.py: edit that, not this.
"""The 14 sections of the API, each loaded on first use. Each method is a docstring and one return."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ippanel_edge._sync.sections.auth import Auth
    from ippanel_edge._sync.sections.banks import Banks
    from ippanel_edge._sync.sections.drafts import Drafts
    from ippanel_edge._sync.sections.geolocation import Geolocation
    from ippanel_edge._sync.sections.jobs import Jobs
    from ippanel_edge._sync.sections.numbers import Numbers
    from ippanel_edge._sync.sections.packages import Packages
    from ippanel_edge._sync.sections.patterns import Patterns
    from ippanel_edge._sync.sections.payment import Payment
    from ippanel_edge._sync.sections.phonebooks import Phonebooks
    from ippanel_edge._sync.sections.reports import Reports
    from ippanel_edge._sync.sections.send import Send
    from ippanel_edge._sync.sections.tickets import Tickets
    from ippanel_edge._sync.sections.users import Users

__all__ = [
    "Auth",
    "Banks",
    "Drafts",
    "Geolocation",
    "Jobs",
    "Numbers",
    "Packages",
    "Patterns",
    "Payment",
    "Phonebooks",
    "Reports",
    "Send",
    "Tickets",
    "Users",
]


def __getattr__(name: str) -> object:
    """Import the class of a section on first use."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{name.lower()}"), name)
    globals()[name] = value
    return value
