"""Users: the sub-users of the account, what lines cost them, and who is above them."""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator

import attrs

from ippanel_edge import endpoints
from ippanel_edge._async.pagination import AsyncItems
from ippanel_edge._async.runner import AsyncCaller
from ippanel_edge._async.sections.documents import Documents
from ippanel_edge.api import users
from ippanel_edge.config import Defaults
from ippanel_edge.models.common import Page
from ippanel_edge.models.users import NewUser, ParentsTree, Tariff, User, UserChanges, UserFilters
from ippanel_edge.values.checks import identity, paging, text


@attrs.frozen(repr=False, eq=False)
class Users:
    """The users below you."""

    _call: AsyncCaller
    _defaults: Defaults

    @property
    def documents(self) -> Documents:
        """The papers that the service asks of a user."""
        return Documents(self._call, self._defaults)

    async def list(self, *, page: int = 1, per_page: int = 10, filters: UserFilters | None = None) -> Page[User]:
        """List sub-users.

        Args:
            page: from 1.
            per_page: rows a page, at most 1,000.
            filters: which users; all where unset.

        Source: user/list-users.md.
        """
        return await self._call(
            endpoints.USERS_LIST,
            query={
                **paging(page, per_page, check=self._defaults.validate),
                **users.filters(filters, check=self._defaults.validate),
            },
        )

    def iter_list(self, *, filters: UserFilters | None = None, per_page: int = 100) -> AsyncIterator[User]:
        """Walk all sub-users, page by page.

        Args:
            filters: which users; all where unset.
            per_page: rows a page, at most 1,000.

        Source: user/list-users.md.
        """
        return AsyncItems(lambda page: self.list(page=page, per_page=per_page, filters=filters))

    async def show(self, user_id: int) -> User:
        """Give one sub-user.

        Args:
            user_id: the user's id.

        Raises:
            NotFound: there is no such user below you.

        Source: user/show-user.md.
        """
        return await self._call(endpoints.USERS_SHOW, query={"user_id": identity(user_id, argument="user_id")})

    async def register(self, user: NewUser) -> None:
        """Create a sub-user.

        Args:
            user: who it is.

        Raises:
            ConfigurationError: the password or the national code breaks its rule, or a date is not Gregorian.
            ValidationFailed: the name is taken, or the registry knows the person otherwise.

        Source: user/register-user.md.
        """
        return await self._call(endpoints.USERS_REGISTER, json=users.new_user(user, check=self._defaults.validate))

    async def update(self, user_id: int, changes: UserChanges) -> None:
        """Change a sub-user.

        Args:
            user_id: the user's id.
            changes: what is to change; unset fields stay as they are.

        Raises:
            ConfigurationError: nothing is to change, or a field breaks its rule.
            NotFound: there is no such user below you.

        Source: user/update-user.md.
        """
        return await self._call(
            endpoints.USERS_UPDATE, json=users.changes(user_id, changes, check=self._defaults.validate)
        )

    async def check_exists(self, user_name: str) -> bool:
        """Say whether a user name is taken.

        Args:
            user_name: letters A to Z and a to z, digits, ``-`` and ``.``.

        Returns:
            True: it is taken. False: it is free.

        Raises:
            ValidationFailed: it cannot be a user name.

        Source: user/check-exist.md.
        """
        return await self._call(endpoints.USERS_CHECK_EXISTS, json={"user_name": text(user_name, argument="user_name")})

    async def tariff(self) -> builtins.list[Tariff]:
        """List what a part costs you on each kind of line, in Rials: a row for MCI, a row for the others.

        Source: user/user-tariff.md.
        """
        return await self._call(endpoints.USERS_TARIFF)

    async def parents_tree(self, user_id: int) -> ParentsTree:
        """Give the users above a sub-user.

        Args:
            user_id: the user's id.

        Source: user/parents-tree.md.
        """
        return await self._call(endpoints.USERS_PARENTS_TREE, query={"user_id": identity(user_id, argument="user_id")})
