# Generated from ippanel_edge/_async/caller.py by tests/tools/generate_sync.py: edit that, not this.
"""What a section needs of its client: the one function that carries a call out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from ippanel_edge.endpoints import Endpoint
from ippanel_edge.wire.files import Upload

T = TypeVar("T")


class Caller(Protocol):
    """Carries out a call of an endpoint and gives what it returns."""

    def __call__(
        self,
        endpoint: Endpoint[T],
        *,
        path: Mapping[str, object] | None = None,
        query: Mapping[str, object] | None = None,
        json: object = None,
        form: Mapping[str, object] | None = None,
        files: Sequence[tuple[str, Upload]] = (),
    ) -> T:
        """Carry it out; what is None in the arguments is left out of the request."""
        ...
