"""The section `drafts`: saved messages and their groups."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Final

import attrs

from ippanel_edge import endpoints
from ippanel_edge._async.pagination import AsyncItems
from ippanel_edge._async.runner import AsyncRun
from ippanel_edge.config import Defaults
from ippanel_edge.models.common import Page
from ippanel_edge.models.drafts import Draft, DraftGroup
from ippanel_edge.values.checks import check_ids, ids, optional_ids, paging, texts
from ippanel_edge.wire.call import call

MAX_MESSAGE: Final = 1400
MAX_TITLE: Final = 200


@attrs.frozen(repr=False, eq=False)
class DraftGroups:
    """The groups of drafts, at most 20."""

    _run: AsyncRun
    _defaults: Defaults

    async def list(self, *, page: int = 1, per_page: int = 10) -> Page[DraftGroup]:
        """List the groups.

        Args:
            page: the page, from 1.
            per_page: rows per page, at most 1,000.

        Raises:
            InvalidArgument: the page is out of range.

        Source: draft/list-draft-group.md.
        """
        return await self._run(
            call(endpoints.DRAFTS_GROUPS_LIST, query=paging(page, per_page=per_page, check=self._defaults.validate))
        )

    def iter_list(self, *, per_page: int = 100) -> AsyncIterator[DraftGroup]:
        """Iterate over all groups, fetching pages lazily.

        Args:
            per_page: rows per page, at most 1,000.

        Source: draft/list-draft-group.md.
        """
        return AsyncItems(lambda page: self.list(page=page, per_page=per_page))

    async def create(self, title: str) -> None:
        """Create a group. The service does not return its id; use `list`.

        Args:
            title: the name, at most 200 characters.

        Raises:
            InvalidArgument: the title is empty or too long.
            ValidationFailed: 20 groups exist already.

        Source: draft/create-draft-group.md.
        """
        return await self._run(
            call(
                endpoints.DRAFTS_GROUPS_CREATE,
                json=texts(self._defaults.limit(MAX_TITLE), title=title),
            )
        )

    async def update(self, draft_group_id: int, title: str) -> None:
        """Rename a group.

        Args:
            draft_group_id: from `list`.
            title: the new name, at most 200 characters.

        Raises:
            InvalidArgument: the title is empty or too long.
            ApiError: the group does not exist.

        Source: draft/update-draft-group.md.
        """
        return await self._run(
            call(
                endpoints.DRAFTS_GROUPS_UPDATE,
                json={
                    **ids(draft_group_id=draft_group_id),
                    **texts(self._defaults.limit(MAX_TITLE), title=title),
                },
            )
        )

    async def delete(self, draft_group_id: int) -> None:
        """Delete a group and its drafts.

        Args:
            draft_group_id: from `list`.

        Raises:
            ApiError: the group does not exist.

        Source: draft/delete-draft-group.md.
        """
        return await self._run(
            call(
                endpoints.DRAFTS_GROUPS_DELETE,
                json=ids(draft_group_id=draft_group_id),
            )
        )


def _groups(drafts: Drafts) -> DraftGroups:
    return DraftGroups(drafts._run, drafts._defaults)  # noqa: SLF001 - a part of the same section


@attrs.frozen(repr=False, eq=False)
class Drafts:
    """Saved messages, at most 200.

    Attributes:
        groups: the groups of drafts.
    """

    _run: AsyncRun
    _defaults: Defaults
    groups: DraftGroups = attrs.field(init=False, default=attrs.Factory(_groups, takes_self=True))

    async def list(self, draft_group_id: int | None = None, *, page: int = 1, per_page: int = 10) -> Page[Draft]:
        """List drafts.

        Args:
            draft_group_id: the group; all drafts if omitted.
            page: the page, from 1.
            per_page: rows per page, at most 1,000.

        Raises:
            InvalidArgument: the page is out of range.

        Source: draft/list-draft.md.
        """
        return await self._run(
            call(
                endpoints.DRAFTS_LIST,
                query={
                    **paging(page, per_page=per_page, check=self._defaults.validate),
                    **optional_ids(draft_group_id=draft_group_id),
                },
            )
        )

    def iter_list(self, draft_group_id: int | None = None, *, per_page: int = 100) -> AsyncIterator[Draft]:
        """Iterate over all drafts, fetching pages lazily.

        Args:
            draft_group_id: the group; all drafts if omitted.
            per_page: rows per page, at most 1,000.

        Source: draft/list-draft.md.
        """
        return AsyncItems(lambda page: self.list(draft_group_id, page=page, per_page=per_page))

    async def create(self, draft_group_id: int, message: str) -> None:
        """Create a draft. The service does not return its id; use `list`.

        Args:
            draft_group_id: from `groups.list`.
            message: the text, at most 1,400 characters.

        Raises:
            InvalidArgument: the text is empty or too long.
            ValidationFailed: the group does not exist, or 200 drafts exist already.

        Source: draft/create-draft.md.
        """
        return await self._run(
            call(
                endpoints.DRAFTS_CREATE,
                json={
                    **ids(draft_group_id=draft_group_id),
                    **texts(self._defaults.limit(MAX_MESSAGE), message=message),
                },
            )
        )

    async def update(self, draft_id: int, message: str) -> None:
        """Change the text of a draft.

        Args:
            draft_id: from `list`.
            message: the new text, at most 1,400 characters.

        Raises:
            InvalidArgument: the text is empty or too long.
            ApiError: the draft does not exist.

        Source: draft/update-draft.md.
        """
        return await self._run(
            call(
                endpoints.DRAFTS_UPDATE,
                json={
                    **ids(draft_id=draft_id),
                    **texts(self._defaults.limit(MAX_MESSAGE), message=message),
                },
            )
        )

    async def delete(self, draft_ids: Iterable[int]) -> None:
        """Delete drafts.

        Args:
            draft_ids: from `list`; at least one.

        Raises:
            InvalidArgument: the list is empty, or a value is not an id.
            ApiError: a draft does not exist.

        Source: draft/delete-draft.md.
        """
        return await self._run(
            call(endpoints.DRAFTS_DELETE, json={"draft_ids": check_ids(draft_ids, argument="draft_ids")})
        )
