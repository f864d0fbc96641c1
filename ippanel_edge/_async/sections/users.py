"""The section `users`: the sub-users of the account, their tariff and their parents."""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator

import attrs

from ippanel_edge import endpoints
from ippanel_edge._async.pagination import AsyncItems
from ippanel_edge._async.runner import AsyncRun
from ippanel_edge._async.sections.documents import Documents
from ippanel_edge.api import users
from ippanel_edge.config import Defaults
from ippanel_edge.models.common import Page
from ippanel_edge.models.users import NewUser, ParentsTree, Tariff, User, UserChanges, UserFilters
from ippanel_edge.values.checks import ids, paging, texts
from ippanel_edge.wire.call import call


@attrs.frozen(repr=False, eq=False)
class Users:
    """The sub-users of the account."""

    _run: AsyncRun
    _defaults: Defaults

    @property
    def documents(self) -> Documents:
        """The documents that the service requires from a user."""
        return Documents(self._run, self._defaults)

    async def list(self, *, page: int = 1, per_page: int = 10, filters: UserFilters | None = None) -> Page[User]:
        """List sub-users.

        Args:
            page: the page, from 1.
            per_page: rows per page, at most 1,000.
            filters: the users to select; all if omitted.

        Source: user/list-users.md.
        """
        return await self._run(
            call(
                endpoints.USERS_LIST,
                query={
                    **paging(page, per_page=per_page, check=self._defaults.validate),
                    **users.filters(filters, check=self._defaults.validate),
                },
            )
        )

    def iter_list(self, *, filters: UserFilters | None = None, per_page: int = 100) -> AsyncIterator[User]:
        """Iterate over all sub-users, fetching pages lazily.

        Args:
            filters: the users to select; all if omitted.
            per_page: rows per page, at most 1,000.

        Source: user/list-users.md.
        """
        return AsyncItems(lambda page: self.list(page=page, per_page=per_page, filters=filters))

    async def show(self, user_id: int) -> User:
        """Return one sub-user.

        Args:
            user_id: the id of the user.

        Raises:
            NotFound: the user does not exist or is not your sub-user.

        Source: user/show-user.md.
        """
        return await self._run(call(endpoints.USERS_SHOW, query=ids(user_id=user_id)))

    async def register(self, user: NewUser) -> None:
        """Create a sub-user.

        Args:
            user: the new user.

        Raises:
            InvalidArgument: the password or the national code is invalid, or a date is not Gregorian.
            ValidationFailed: the user name is taken, or the name does not match the civil registry.

        Source: user/register-user.md.
        """
        return await self._run(call(endpoints.USERS_REGISTER, json=users.new_user(user, check=self._defaults.validate)))

    async def update(self, user_id: int, changes: UserChanges) -> None:
        """Change a sub-user.

        Args:
            user_id: the id of the user.
            changes: the fields to change; unset fields stay unchanged.

        Raises:
            InvalidArgument: no field is set, or a field violates its rule.
            NotFound: the user does not exist or is not your sub-user.

        Source: user/update-user.md.
        """
        return await self._run(
            call(endpoints.USERS_UPDATE, json=users.changes(user_id, changes, check=self._defaults.validate))
        )

    async def check_exists(self, user_name: str) -> bool:
        """Return whether a user name is taken.

        Args:
            user_name: letters A-Z and a-z, digits, ``-`` and ``.``.

        Returns:
            True if it is taken, False if it is available.

        Raises:
            ValidationFailed: it is not a valid user name.

        Source: user/check-exist.md.
        """
        return await self._run(call(endpoints.USERS_CHECK_EXISTS, json=texts(user_name=user_name)))

    async def tariff(self) -> builtins.list[Tariff]:
        """List the price of an SMS part on each type of line: one row for MCI, one for the other operators.

        Source: user/user-tariff.md.
        """
        return await self._run(call(endpoints.USERS_TARIFF))

    async def parents_tree(self, user_id: int) -> ParentsTree:
        """Return the parents of a sub-user.

        Args:
            user_id: the id of the user.

        Source: user/parents-tree.md.
        """
        return await self._run(call(endpoints.USERS_PARENTS_TREE, query=ids(user_id=user_id)))
