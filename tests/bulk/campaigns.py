"""The campaigns of the tests: their terms, their rows, and the texts that the service must receive for them."""

from __future__ import annotations

from typing import Any, Final

import attrs

from ippanel_edge.bulk.records import Kind, Method

MESSAGE: Final = "Spring sale"
PATTERN: Final = "welcome"


@attrs.frozen(kw_only=True)
class Sample:
    """A campaign.

    Attributes:
        method: the method that sends it.
        rows: the number of its rows.
        chunk_size: the maximum number of rows of a request; None for the default.
        first: the number of its first row, so that campaigns have different recipients.
    """

    method: Method
    rows: int
    chunk_size: int | None = 5
    first: int = 0

    @property
    def kind(self) -> Kind:
        """What its rows have in common."""
        if self.method is Method.PATTERN:
            return Kind.PATTERN
        return Kind.ONE_TEXT if self.method in {Method.WEBSERVICE, Method.FILE} else Kind.OWN_TEXT

    @property
    def terms(self) -> dict[str, Any]:
        """The arguments of `Campaign.open`."""
        size = None if self.method is Method.PATTERN else self.chunk_size
        common: dict[str, Any] = {"method": self.method, "chunk_size": size}
        match self.kind:
            case Kind.ONE_TEXT:
                return {**common, "message": MESSAGE}
            case Kind.OWN_TEXT:
                return common
            case Kind.PATTERN:
                return {**common, "pattern": PATTERN, "params": ["name", "points"]}

    @property
    def numbers(self) -> list[str]:
        """The recipients, in E.164."""
        return [f"+98912{self.first + index:07}" for index in range(self.rows)]

    @property
    def items(self) -> list[Any]:
        """The rows, for `Campaign.load`."""
        match self.kind:
            case Kind.ONE_TEXT:
                return list(self.numbers)
            case Kind.OWN_TEXT:
                return [(number, f"Hello {index}") for index, number in enumerate(self.numbers)]
            case Kind.PATTERN:
                return [(number, {"name": "Sara", "points": index}) for index, number in enumerate(self.numbers)]

    @property
    def expected(self) -> list[tuple[str, str]]:
        """The number and the text of each row."""
        match self.kind:
            case Kind.ONE_TEXT:
                return [(number, MESSAGE) for number in self.numbers]
            case Kind.OWN_TEXT:
                return [(number, f"Hello {index}") for index, number in enumerate(self.numbers)]
            case Kind.PATTERN:
                texts = [f"Sara عزیز، {index} امتیاز گرفتید." for index in range(self.rows)]
                return list(zip(self.numbers, texts, strict=True))


def sample_of(method: Method, rows: int, *, first: int = 0, chunk_size: int | None = 5) -> Sample:
    """Return a campaign. That of a pattern has a request for each row, so it gets a fifth of the rows."""
    return Sample(
        method=method, rows=rows // 5 if method is Method.PATTERN else rows, first=first, chunk_size=chunk_size
    )
