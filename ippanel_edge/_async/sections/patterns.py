"""The section `patterns`: approved message templates. `send.pattern` sends one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import attrs

from ippanel_edge import endpoints
from ippanel_edge._async.pagination import AsyncItems
from ippanel_edge._async.runner import AsyncRun
from ippanel_edge.api import patterns
from ippanel_edge.config import Defaults
from ippanel_edge.models.common import Page
from ippanel_edge.models.patterns import NewPattern, Pattern, PatternFilters
from ippanel_edge.values.checks import texts
from ippanel_edge.wire.call import call


@attrs.frozen(repr=False, eq=False)
class Patterns:
    """Message templates that are approved once; only active ones can be sent."""

    _run: AsyncRun
    _defaults: Defaults

    async def list(self, *, page: int = 1, per_page: int = 10, filters: PatternFilters | None = None) -> Page[Pattern]:
        """List patterns.

        Args:
            page: the page, from 1.
            per_page: rows per page, at most 100.
            filters: the patterns to select; all if omitted.

        Raises:
            InvalidArgument: the page is out of range.

        Source: pattern/list-pattern.md.
        """
        return await self._run(
            call(
                endpoints.PATTERNS_LIST,
                query=patterns.listing(self._defaults, page, per_page, filters),
            )
        )

    def iter_list(self, *, filters: PatternFilters | None = None, per_page: int = 100) -> AsyncIterator[Pattern]:
        """Iterate over all patterns, fetching pages lazily.

        Args:
            filters: the patterns to select; all if omitted.
            per_page: rows per page, at most 100.

        Source: pattern/list-pattern.md.
        """
        return AsyncItems(lambda page: self.list(page=page, per_page=per_page, filters=filters))

    async def get(self, pattern_code: str) -> Pattern:
        """Return one pattern.

        Args:
            pattern_code: the code of the pattern.

        Raises:
            NotFound: the pattern does not exist.

        Source: pattern/pattern-by-code.md.
        """
        return await self._run(call(endpoints.PATTERNS_GET, path=texts(pattern_code=pattern_code)))

    async def create(self, pattern: NewPattern) -> Pattern:
        """Create a pattern. It is pending, and can be sent after it passes review.

        Args:
            pattern: the message and its variables. Each ``%name%`` in the message must be declared, and vice versa.

        Raises:
            InvalidArgument: the message and the variables do not agree, or a text is empty.
            ValidationFailed: the service rejected the pattern.

        Source: pattern/create-pattern.md.
        """
        return await self._run(call(endpoints.PATTERNS_CREATE, json=patterns.body(self._defaults, pattern)))

    async def update(self, pattern_code: str, pattern: NewPattern) -> Pattern:
        """Replace a pattern; it must pass review again.

        Args:
            pattern_code: the code of the pattern.
            pattern: the complete new pattern, as for `create`.

        Raises:
            InvalidArgument: the message and the variables do not agree, or a text is empty.
            NotFound: the pattern does not exist.

        Source: pattern/update-pattern.md.
        """
        return await self._run(
            call(
                endpoints.PATTERNS_UPDATE,
                path=texts(pattern_code=pattern_code),
                json=patterns.body(self._defaults, pattern),
            )
        )

    async def delete(self, pattern_code: str) -> None:
        """Delete a pattern.

        Args:
            pattern_code: the code of the pattern.

        Raises:
            NotFound: the pattern does not exist.

        Source: pattern/delete-pattern.md.
        """
        return await self._run(call(endpoints.PATTERNS_DELETE, path=texts(pattern_code=pattern_code)))
