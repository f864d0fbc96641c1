"""The section `numbers`: the sender lines of the account and their assignment to sub-users."""

from __future__ import annotations

from collections.abc import AsyncIterator

import attrs

from ippanel_edge import endpoints
from ippanel_edge._async.pagination import AsyncItems
from ippanel_edge._async.runner import AsyncRun
from ippanel_edge.api.numbers import line_and_user
from ippanel_edge.config import Defaults
from ippanel_edge.models.common import Page
from ippanel_edge.models.numbers import Number
from ippanel_edge.values.checks import bools, paging
from ippanel_edge.wire.call import call


@attrs.frozen(repr=False, eq=False)
class Numbers:
    """The sender lines of the account, and their assignment to sub-users."""

    _run: AsyncRun
    _defaults: Defaults

    async def list(self, *, page: int = 1, per_page: int = 10) -> Page[Number]:
        """List the sender lines of the account.

        Args:
            page: the page, from 1.
            per_page: rows per page, at most 1,000.

        Source: numbers/list-numbers.md.
        """
        return await self._run(
            call(endpoints.NUMBERS_LIST, query=paging(page, per_page=per_page, check=self._defaults.validate))
        )

    def iter_list(self, *, per_page: int = 100) -> AsyncIterator[Number]:
        """Iterate over all sender lines of the account, fetching pages lazily.

        Args:
            per_page: rows per page, at most 1,000.

        Source: numbers/list-numbers.md.
        """
        return AsyncItems(lambda page: self.list(page=page, per_page=per_page))

    async def assign(
        self,
        *,
        send: bool,
        gets: bool,
        number_id: int | None = None,
        number: str | None = None,
        target_user_id: int | None = None,
        target_user: str | None = None,
    ) -> None:
        """Assign a sender line to a sub-user. Name the line and the user each by id, by name, or by both.

        Args:
            send: whether the user may send from the line.
            gets: whether the user receives its incoming messages.
            number_id: the line's id, from `list`.
            number: the line, in any format.
            target_user_id: the user's id.
            target_user: the user name.

        Raises:
            InvalidArgument: the line or the user is not named.
            ValidationFailed: the line or the user does not exist, or the line is assigned already.

        Source: numbers/assign-number.md.
        """
        return await self._run(
            call(
                endpoints.NUMBERS_ASSIGN,
                json={
                    **line_and_user(
                        number_id=number_id, number=number, target_user_id=target_user_id, target_user=target_user
                    ),
                    **bools(send=send, gets=gets),
                },
            )
        )

    async def unassign(
        self,
        *,
        number_id: int | None = None,
        number: str | None = None,
        target_user_id: int | None = None,
        target_user: str | None = None,
    ) -> None:
        """Unassign a sender line from a sub-user. Name the line and the user each by id, by name, or by both.

        Args:
            number_id: the line's id, from `list`.
            number: the line, in any format.
            target_user_id: the user's id.
            target_user: the user name.

        Raises:
            InvalidArgument: the line or the user is not named.
            ValidationFailed: the line or the user does not exist, or the line is not assigned.

        Source: numbers/unassign-number.md.
        """
        return await self._run(
            call(
                endpoints.NUMBERS_UNASSIGN,
                json=line_and_user(
                    number_id=number_id, number=number, target_user_id=target_user_id, target_user=target_user
                ),
            )
        )
