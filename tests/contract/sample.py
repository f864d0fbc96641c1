"""A sample of an endpoint for the contract tests: a call, its expected request, a response and the expected result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from ippanel_edge.endpoints import Endpoint

BASE = "https://edge.example.test/v1"
KEY = "contract-key-0001"
LINE = "+983000111222"


def ok(data: object, **meta: object) -> dict[str, Any]:
    """Return the envelope of a successful response."""
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
    """Return the envelope of the first page of a list."""
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
        endpoint: the constant in endpoints.py.
        call: makes the call; the async test awaits the returned value.
        query: the expected query parameters.
        json: the expected JSON body.
        form: the expected fields of a form body, each a str or a list of str; with `files`, the other fields.
        files: the expected (field, file name, content) of each file of a multipart body.
        path: the path parameters, percent-encoded.
        status: the status code of the response.
        answer: the body of the response: bytes, or data to be serialised as JSON.
        headers: the headers of the response.
        returns: the expected result of the call.
        name: distinguishes several samples of one endpoint.
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
        """The URL without its query."""
        path = self.endpoint.path.format(**self.path)
        return (BASE.removesuffix("/v1") if path.startswith("/v2/") else BASE) + path
