# Generated from ippanel_edge/_async/pagination.py by tests/codegen/generate_sync.py: edit that, not this.
"""Walking a list page by page: nothing is fetched before it is asked for, and nothing is left open when one stops."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, Self, TypeVar

import attrs

from ippanel_edge.models.common import Page

T = TypeVar("T")


class Items(Iterator[T], Generic[T]):
    """The rows of all pages, in order. An iterator without a body to close: it may be left at any row."""

    def __init__(self, fetch: Callable[[int], Page[T]]) -> None:
        self._fetch = fetch
        self._page: Page[T] | None = None
        self._number = 0
        self._row = 0

    def __iter__(self) -> Self:
        """Iterate from where it stands."""
        return self

    def __next__(self) -> T:
        """Give the next row, fetching the next page where this one is used up; after an error it may be asked again.

        It ends after an empty page, after the last page that the service names (as its latest answer has it, so a
        list that shrinks on the way ends too), or, where it names none, after a page that is not full or that comes a
        second time.
        """
        while self._page is None or self._row >= len(self._page):
            if self._page is not None and not self._page.has_next:
                raise StopIteration
            number = self._number + 1
            page = self._fetch(number)
            if page.last_page is None and self._page is not None and page.items == self._page.items:
                page = attrs.evolve(page, items=())  # the same again: the service does not turn pages here
            # The number that was asked for counts: an answer that does not say its own, or says another, ends too.
            self._page = attrs.evolve(page, current_page=number)
            self._number = number
            self._row = 0
        item = self._page.items[self._row]
        self._row += 1
        return item
