# Generated from ippanel_edge/_async/sections/numbers.py by tests/codegen/generate_sync.py: edit that, not this.
"""Numbers: the sender lines of the account, and who else may use them."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from ippanel_edge import endpoints
from ippanel_edge._sync.pagination import Items
from ippanel_edge._sync.runner import Caller
from ippanel_edge.api.numbers import flag, line_and_user
from ippanel_edge.config import Defaults
from ippanel_edge.models.common import Page
from ippanel_edge.models.numbers import Number
from ippanel_edge.values.checks import paging


@attrs.frozen(repr=False, eq=False)
class Numbers:
    """Sender lines: yours, and those that you give to sub-users."""

    _call: Caller
    _defaults: Defaults

    def list(self, *, page: int = 1, per_page: int = 10) -> Page[Number]:
        """List the lines that may be used.

        Args:
            page: from 1.
            per_page: rows a page, at most 1,000.

        Source: numbers/list-numbers.md.
        """
        return self._call(endpoints.NUMBERS_LIST, query=paging(page, per_page, check=self._defaults.validate))

    def iter_list(self, *, per_page: int = 100) -> Iterator[Number]:
        """Walk all lines that may be used, page by page.

        Args:
            per_page: rows a page, at most 1,000.

        Source: numbers/list-numbers.md.
        """
        return Items(lambda page: self.list(page=page, per_page=per_page))

    def assign(
        self,
        *,
        send: bool,
        gets: bool,
        number_id: int | None = None,
        number: str | None = None,
        target_user_id: int | None = None,
        target_user: str | None = None,
    ) -> None:
        """Give one of your lines to a sub-user. The line and the user are each named by id, by name, or by both.

        Args:
            send: whether the user may send from it.
            gets: whether the user receives what comes in on it.
            number_id: the line's id, from `list`.
            number: the line, in any spelling.
            target_user_id: the user's id.
            target_user: the user's name.

        Raises:
            ConfigurationError: no line or no user is named.
            ValidationFailed: there is no such line or user, or the user has the line already.

        Source: numbers/assign-number.md.
        """
        return self._call(
            endpoints.NUMBERS_ASSIGN,
            json={
                **line_and_user(
                    number_id=number_id, number=number, target_user_id=target_user_id, target_user=target_user
                ),
                "send": flag(send, argument="send"),
                "gets": flag(gets, argument="gets"),
            },
        )

    def unassign(
        self,
        *,
        number_id: int | None = None,
        number: str | None = None,
        target_user_id: int | None = None,
        target_user: str | None = None,
    ) -> None:
        """Take a line back from a sub-user. The line and the user are each named by id, by name, or by both.

        Args:
            number_id: the line's id, from `list`.
            number: the line, in any spelling.
            target_user_id: the user's id.
            target_user: the user's name.

        Raises:
            ConfigurationError: no line or no user is named.
            ValidationFailed: there is no such line or user, or the user does not have the line.

        Source: numbers/unassign-number.md.
        """
        return self._call(
            endpoints.NUMBERS_UNASSIGN,
            json=line_and_user(
                number_id=number_id, number=number, target_user_id=target_user_id, target_user=target_user
            ),
        )
