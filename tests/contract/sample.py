"""What a contract test needs of an endpoint: a call, the request that it must make, an answer, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from ippanel_edge.endpoints import Endpoint

BASE = "https://edge.example.test/v1"
KEY = "contract-key-0001"
LINE = "+983000111222"


def ok(data: object, **meta: object) -> dict[str, Any]:
    """Make the envelope of a good answer."""
    return {
        "data": data,
        "meta": {
            "status": True,
            "message": "انجام شد",
            "message_parameters": [],
            "message_code": "200-1",
            **meta,
        },
    }


def paged(rows: list[Any], *, path: str, per_page: int = 10, total: int | None = None) -> dict[str, Any]:
    """Make the envelope of the first page of a list."""
    count = len(rows) if total is None else total
    return ok(
        rows,
        **{
            "current_page": 1,
            "from": 1,
            "last_page": -(-count // per_page),
            "path": path,
            "per_page": per_page,
            "to": len(rows),
            "total": count,
        },
    )


@attrs.frozen(kw_only=True)
class Sample:
    """One call of an endpoint.

    Attributes:
        endpoint: the line of endpoints.py.
        call: makes the call; what it returns is awaited on the async side.
        query: the query, name to text.
        json: the JSON body, exactly.
        form: the fields of a form body, name to text or texts; with `files`, those beside the files.
        files: (field, file name, content) of each file of a multipart body.
        path: values of the endpoint's path parameters, as they stand in the address.
        status: of the answer.
        answer: the answer: data that is written as JSON, or bytes.
        headers: of the answer.
        returns: what the call gives.
        name: tells several samples of an endpoint apart.
    """

    endpoint: Endpoint[Any]
    call: Callable[[Any], Any]
    query: Mapping[str, str] = attrs.field(factory=dict[str, str])
    json: object = None
    form: Mapping[str, str | list[str]] | None = None
    files: tuple[tuple[str, str, bytes], ...] = ()
    path: Mapping[str, str] = attrs.field(factory=dict[str, str])
    status: int = 200
    answer: object
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    returns: object
    name: str = ""

    def __str__(self) -> str:
        return f"{self.endpoint.name} {self.name}".strip()

    @property
    def address(self) -> str:
        """The whole address, without the query."""
        path = self.endpoint.path.format(**self.path)
        return (BASE.removesuffix("/v1") if path.startswith("/v2/") else BASE) + path
