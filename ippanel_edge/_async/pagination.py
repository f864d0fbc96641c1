"""Iterating over the rows of all pages of a list. Pages are fetched lazily; stopping early leaves nothing open."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, Self, TypeVar

import attrs

from ippanel_edge.models.common import Page

T = TypeVar("T")


class AsyncItems(AsyncIterator[T], Generic[T]):
    """The rows of all pages, in order. The iterator needs no closing."""

    def __init__(self, fetch: Callable[[int], Awaitable[Page[T]]]) -> None:
        self._fetch = fetch
        self._page: Page[T] | None = None
        self._number = 0
        self._row = 0

    def __aiter__(self) -> Self:
        """Return the iterator itself."""
        return self

    async def __anext__(self) -> T:
        """Return the next row; fetch the next page if necessary. It can be called again after an error.

        The iteration ends after an empty page, or after the last page according to the latest response, so that it
        also ends if the list shrinks. If the service does not name the last page, it ends after a page that is not
        full or that equals the previous one.
        """
        while self._page is None or self._row >= len(self._page):
            if self._page is not None and not self._page.has_next:
                raise StopAsyncIteration
            number = self._number + 1
            page = await self._fetch(number)
            if page.last_page is None and self._page is not None and page.items == self._page.items:
                page = attrs.evolve(page, items=())  # same page again: the endpoint ignores `page`
            # The requested number counts: the response may omit its number or name another.
            self._page = attrs.evolve(page, current_page=number)
            self._number = number
            self._row = 0
        item = self._page.items[self._row]
        self._row += 1
        return item
