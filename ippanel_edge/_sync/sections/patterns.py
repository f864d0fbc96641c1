# Generated from ippanel_edge/_async/sections/patterns.py by tests/codegen/generate_sync.py: edit that, not this.
"""Patterns: texts approved once and sent with values. Sending one is `send.pattern`."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from ippanel_edge import endpoints
from ippanel_edge._sync.pagination import Items
from ippanel_edge._sync.runner import Caller
from ippanel_edge.api import patterns
from ippanel_edge.config import Defaults
from ippanel_edge.models.common import Page
from ippanel_edge.models.patterns import NewPattern, Pattern, PatternFilters
from ippanel_edge.values.checks import text


@attrs.frozen(repr=False, eq=False)
class Patterns:
    """Texts approved once; only active ones can be sent."""

    _call: Caller
    _defaults: Defaults

    def list(self, *, page: int = 1, per_page: int = 10, filters: PatternFilters | None = None) -> Page[Pattern]:
        """List patterns.

        Args:
            page: from 1.
            per_page: rows a page, at most 100.
            filters: which patterns; all where unset.

        Raises:
            ConfigurationError: the page is out of its limits.

        Source: pattern/list-pattern.md.
        """
        return self._call(
            endpoints.PATTERNS_LIST,
            query=patterns.listing(self._defaults, page=page, per_page=per_page, filters=filters),
        )

    def iter_list(self, *, filters: PatternFilters | None = None, per_page: int = 100) -> Iterator[Pattern]:
        """Walk all patterns, page by page.

        Args:
            filters: which patterns; all where unset.
            per_page: rows a page, at most 100.

        Source: pattern/list-pattern.md.
        """
        return Items(lambda page: self.list(page=page, per_page=per_page, filters=filters))

    def get(self, pattern_code: str) -> Pattern:
        """Give one pattern.

        Args:
            pattern_code: its code.

        Raises:
            NotFound: there is no such pattern.

        Source: pattern/pattern-by-code.md.
        """
        return self._call(endpoints.PATTERNS_GET, path={"pattern_code": text(pattern_code, argument="pattern_code")})

    def create(self, pattern: NewPattern) -> Pattern:
        """Make a pattern. It is pending, and can be sent once the review has passed it.

        Args:
            pattern: its text and variables; each ``%name%`` of the text is declared, and the other way round.

        Raises:
            ConfigurationError: text and variables do not agree, or something is empty.
            ValidationFailed: the service refuses it.

        Source: pattern/create-pattern.md.
        """
        return self._call(endpoints.PATTERNS_CREATE, json=patterns.body(self._defaults, pattern))

    def update(self, pattern_code: str, pattern: NewPattern) -> Pattern:
        """Replace a pattern; the review has to pass it again.

        Args:
            pattern_code: its code.
            pattern: all of it anew, as for `create`.

        Raises:
            ConfigurationError: text and variables do not agree, or something is empty.
            NotFound: there is no such pattern.

        Source: pattern/update-pattern.md.
        """
        return self._call(
            endpoints.PATTERNS_UPDATE,
            path={"pattern_code": text(pattern_code, argument="pattern_code")},
            json=patterns.body(self._defaults, pattern),
        )

    def delete(self, pattern_code: str) -> None:
        """Delete a pattern.

        Args:
            pattern_code: its code.

        Raises:
            NotFound: there is no such pattern.

        Source: pattern/delete-pattern.md.
        """
        return self._call(endpoints.PATTERNS_DELETE, path={"pattern_code": text(pattern_code, argument="pattern_code")})
