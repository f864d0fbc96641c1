"""Models that all sections share: a page of a list, and the meta object of a response."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

import attrs

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Meta:
    """The meta object of a response, which accompanies its data.

    Attributes:
        status: whether the API executed the call; None if the response has no meta object.
        message: the API's message, mostly Persian.
        message_code: the message's code, such as ``200-1``.
        message_parameters: the values of the message's placeholders.
        errors: validation errors: messages by field name.
        raw: the meta object as received.
    """

    status: bool | None = None
    message: str = ""
    message_code: str = ""
    message_parameters: Sequence[Any] = ()
    errors: Mapping[str, Sequence[str]] = attrs.field(factory=dict[str, Sequence[str]])
    raw: Mapping[str, Any] = attrs.field(factory=dict[str, Any], repr=False)


@attrs.frozen(kw_only=True)
class Page(Generic[T]):
    """One page of a list. It supports iteration, `len` and `has_next`; the `iter_…` methods iterate over all pages.

    Attributes:
        items: the page's items, in the order of the service.
        current_page: the page number, from 1.
        last_page: the number of the last page, None if the service does not return it.
        per_page: the maximum number of items per page, None if the service does not return it.
        total: the number of items in the whole list, None if the service does not return it.
    """

    items: tuple[T, ...] = ()
    current_page: int = 1
    last_page: int | None = None
    per_page: int | None = None
    total: int | None = None

    def __iter__(self) -> Iterator[T]:
        """Iterate over the page's items."""
        return iter(self.items)

    def __len__(self) -> int:
        """Return the number of items on the page; `total` is that of the whole list."""
        return len(self.items)

    @property
    def has_next(self) -> bool:
        """Whether there may be items on a following page; always False for an empty page."""
        if not self.items:
            return False
        if self.last_page is not None:
            return self.current_page < self.last_page
        return self.per_page is None or len(self.items) >= self.per_page
