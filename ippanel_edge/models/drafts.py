"""Models of drafts (stored message texts) and their groups."""

from __future__ import annotations

from datetime import datetime

import attrs

from ippanel_edge.models.common import Model


@attrs.frozen(kw_only=True)
class Draft(Model):
    """A stored message text. Source: draft/list-draft.md.

    Attributes:
        draft_id: the draft's id.
        draft_group_id: the id of the draft's group.
        user_id: the id of the draft's owner.
        time: the creation time (UTC); None if unknown.
        message: the message text.
        type: the type, such as ``normal``.
    """

    draft_id: int | None = None
    draft_group_id: int | None = None
    user_id: int | None = None
    time: datetime | None = None
    message: str | None = None
    type: str | None = None


@attrs.frozen(kw_only=True)
class DraftGroup(Model):
    """A named group of drafts. Source: draft/list-draft-group.md.

    Attributes:
        draft_group_id: the group's id.
        user_id: the id of the group's owner.
        title: the group's name.
        time: the creation time (UTC); None if unknown.
    """

    draft_group_id: int | None = None
    user_id: int | None = None
    title: str | None = None
    time: datetime | None = None
