"""Models of drafts: texts kept for later, and the groups that hold them."""

from __future__ import annotations

from datetime import datetime

import attrs


@attrs.frozen(kw_only=True)
class Draft:
    """A text kept for later. Source: draft/list-draft.md.

    Attributes:
        draft_id: its id.
        draft_group_id: the group that holds it.
        user_id: whose it is.
        time: when it was made (UTC); None where the service does not know.
        message: the text.
        type: such as ``normal``.
    """

    draft_id: int | None = None
    draft_group_id: int | None = None
    user_id: int | None = None
    time: datetime | None = None
    message: str | None = None
    type: str | None = None


@attrs.frozen(kw_only=True)
class DraftGroup:
    """A named group of drafts. Source: draft/list-draft-group.md.

    Attributes:
        draft_group_id: its id.
        user_id: whose it is.
        title: its name.
        time: when it was made (UTC); None where the service does not know.
    """

    draft_group_id: int | None = None
    user_id: int | None = None
    title: str | None = None
    time: datetime | None = None
