"""Models that every section shares: the page of a list, the meta of an answer, and the flags of fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

import attrs

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Meta:
    """What the API says about an answer, beside its data.

    Attributes:
        status: whether the API carried the call out; None where the answer has no meta.
        message: the API's own text, mostly Persian.
        message_code: such as ``200-1``.
        message_parameters: values that belong into the message.
        errors: field errors, field name to texts.
        raw: the meta object as it came.
    """

    status: bool | None = None
    message: str = ""
    message_code: str = ""
    message_parameters: Sequence[Any] = ()
    errors: Mapping[str, Sequence[str]] = attrs.field(factory=dict[str, Sequence[str]])
    raw: Mapping[str, Any] = attrs.field(factory=dict[str, Any], repr=False)


@attrs.frozen(kw_only=True)
class Page(Generic[T]):
    """One page of a list. Iterate it, take its len, or ask `has_next`; the `iter_…` methods walk all pages.

    Attributes:
        items: the page's rows, in the service's order.
        current_page: this page's number, from 1.
        last_page: the last page's number, None where the service does not say.
        per_page: rows a page at the most, None where the service does not say.
        total: rows in all, None where the service does not say.
    """

    items: tuple[T, ...] = ()
    current_page: int = 1
    last_page: int | None = None
    per_page: int | None = None
    total: int | None = None

    def __iter__(self) -> Iterator[T]:
        """Iterate the page's rows."""
        return iter(self.items)

    def __len__(self) -> int:
        """Count the page's rows (not those of the whole list: that is `total`)."""
        return len(self.items)

    @property
    def has_next(self) -> bool:
        """Whether a further page may have rows; False after an empty page, whatever the service says."""
        if not self.items:
            return False
        if self.last_page is not None:
            return self.current_page < self.last_page
        return self.per_page is None or len(self.items) >= self.per_page
