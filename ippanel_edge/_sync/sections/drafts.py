# Generated from ippanel_edge/_async/sections/drafts.py by tests/codegen/generate_sync.py: edit that, not this.
"""Drafts: texts kept for later, and the groups that hold them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import attrs

from ippanel_edge import endpoints
from ippanel_edge._sync.pagination import Items
from ippanel_edge._sync.runner import Caller
from ippanel_edge.config import Defaults
from ippanel_edge.models.common import Page
from ippanel_edge.models.drafts import Draft, DraftGroup
from ippanel_edge.values.checks import identities, identity, identity_if_given, paging, text

LONGEST_MESSAGE: Final = 1400
LONGEST_TITLE: Final = 200


@attrs.frozen(repr=False, eq=False)
class DraftGroups:
    """The groups that hold drafts, at most 20."""

    _call: Caller
    _defaults: Defaults

    def list(self, *, page: int = 1, per_page: int = 10) -> Page[DraftGroup]:
        """List the groups.

        Args:
            page: from 1.
            per_page: rows a page, at most 1,000.

        Raises:
            ConfigurationError: the page is out of its limits.

        Source: draft/list-draft-group.md.
        """
        return self._call(endpoints.DRAFTS_GROUPS_LIST, query=paging(page, per_page, check=self._defaults.validate))

    def iter_list(self, *, per_page: int = 100) -> Iterator[DraftGroup]:
        """Walk all groups, page by page.

        Args:
            per_page: rows a page, at most 1,000.

        Source: draft/list-draft-group.md.
        """
        return Items(lambda page: self.list(page=page, per_page=per_page))

    def create(self, title: str) -> None:
        """Make a group. The service does not answer its id: `list` has it.

        Args:
            title: its name, at most 200 characters.

        Raises:
            ConfigurationError: the title is empty or too long.
            ValidationFailed: there are 20 groups already.

        Source: draft/create-draft-group.md.
        """
        return self._call(
            endpoints.DRAFTS_GROUPS_CREATE,
            json={"title": text(title, argument="title", most=LONGEST_TITLE, check=self._defaults.validate)},
        )

    def update(self, draft_group_id: int, title: str) -> None:
        """Rename a group.

        Args:
            draft_group_id: from `list`.
            title: its new name, at most 200 characters.

        Raises:
            ConfigurationError: the title is empty or too long.
            ApiError: there is no such group.

        Source: draft/update-draft-group.md.
        """
        return self._call(
            endpoints.DRAFTS_GROUPS_UPDATE,
            json={
                "draft_group_id": identity(draft_group_id, argument="draft_group_id"),
                "title": text(title, argument="title", most=LONGEST_TITLE, check=self._defaults.validate),
            },
        )

    def delete(self, draft_group_id: int) -> None:
        """Delete a group with its drafts.

        Args:
            draft_group_id: from `list`.

        Raises:
            ApiError: there is no such group.

        Source: draft/delete-draft-group.md.
        """
        return self._call(
            endpoints.DRAFTS_GROUPS_DELETE,
            json={"draft_group_id": identity(draft_group_id, argument="draft_group_id")},
        )


def _groups(drafts: Drafts) -> DraftGroups:
    return DraftGroups(drafts._call, drafts._defaults)  # noqa: SLF001 - a section makes its own part


@attrs.frozen(repr=False, eq=False)
class Drafts:
    """Texts kept for later, at most 200.

    Attributes:
        groups: the groups that hold them.
    """

    _call: Caller
    _defaults: Defaults
    groups: DraftGroups = attrs.field(init=False, default=attrs.Factory(_groups, takes_self=True))

    def list(self, draft_group_id: int | None = None, *, page: int = 1, per_page: int = 10) -> Page[Draft]:
        """List drafts.

        Args:
            draft_group_id: those of one group; all where unset.
            page: from 1.
            per_page: rows a page, at most 1,000.

        Raises:
            ConfigurationError: the page is out of its limits.

        Source: draft/list-draft.md.
        """
        return self._call(
            endpoints.DRAFTS_LIST,
            query={
                **paging(page, per_page, check=self._defaults.validate),
                "draft_group_id": identity_if_given(draft_group_id, argument="draft_group_id"),
            },
        )

    def iter_list(self, draft_group_id: int | None = None, *, per_page: int = 100) -> Iterator[Draft]:
        """Walk all drafts, page by page.

        Args:
            draft_group_id: those of one group; all where unset.
            per_page: rows a page, at most 1,000.

        Source: draft/list-draft.md.
        """
        return Items(lambda page: self.list(draft_group_id, page=page, per_page=per_page))

    def create(self, draft_group_id: int, message: str) -> None:
        """Keep a text. The service does not answer its id: `list` has it.

        Args:
            draft_group_id: from `groups.list`.
            message: the text, at most 1,400 characters.

        Raises:
            ConfigurationError: the text is empty or too long.
            ValidationFailed: there is no such group, or there are 200 drafts already.

        Source: draft/create-draft.md.
        """
        return self._call(
            endpoints.DRAFTS_CREATE,
            json={
                "draft_group_id": identity(draft_group_id, argument="draft_group_id"),
                "message": text(message, argument="message", most=LONGEST_MESSAGE, check=self._defaults.validate),
            },
        )

    def update(self, draft_id: int, message: str) -> None:
        """Change a text.

        Args:
            draft_id: from `list`.
            message: the new text, at most 1,400 characters.

        Raises:
            ConfigurationError: the text is empty or too long.
            ApiError: there is no such draft.

        Source: draft/update-draft.md.
        """
        return self._call(
            endpoints.DRAFTS_UPDATE,
            json={
                "draft_id": identity(draft_id, argument="draft_id"),
                "message": text(message, argument="message", most=LONGEST_MESSAGE, check=self._defaults.validate),
            },
        )

    def delete(self, draft_ids: Iterable[int]) -> None:
        """Delete drafts.

        Args:
            draft_ids: from `list`; at least one.

        Raises:
            ConfigurationError: no ids, or not ids.
            ApiError: one of them does not exist.

        Source: draft/delete-draft.md.
        """
        return self._call(endpoints.DRAFTS_DELETE, json={"draft_ids": identities(draft_ids, argument="draft_ids")})
