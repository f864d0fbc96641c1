"""Records the calls that sections create, without sending a request."""

from __future__ import annotations

import json
from typing import Any

from ippanel_edge.wire.call import Call, FormBody, JsonBody, MultipartBody


class CallRecorder:
    """Replaces the `run` of a client: records each call and returns None."""

    def __init__(self) -> None:
        self.calls: list[Call[Any]] = []

    def __call__(self, call: Call[Any]) -> Any:
        self.calls.append(call)

    @property
    def query(self) -> dict[str, str]:
        """The query of the last call."""
        return dict(self.calls[-1].query)

    @property
    def body(self) -> dict[str, Any]:
        """The body of the last call: JSON, or the fields of a form, with a list for each name that ends in "[]"."""
        body = self.calls[-1].body
        if isinstance(body, JsonBody):
            fields: dict[str, Any] = json.loads(body.content)
            return fields
        assert isinstance(body, FormBody | MultipartBody)
        grouped: dict[str, list[str]] = {}
        for name, value in body.fields:
            grouped.setdefault(name, []).append(value)
        return {name: values if name.endswith("[]") else values[0] for name, values in grouped.items()}
