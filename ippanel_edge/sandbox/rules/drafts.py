"""The rules of the drafts section: texts kept for later, and the groups that hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ippanel_edge.sandbox.records import Draft, DraftGroup
from ippanel_edge.sandbox.replies import Answer, invalid, label, not_valid_text, ok, page
from ippanel_edge.sandbox.routes import Call, serves

if TYPE_CHECKING:
    from ippanel_edge.sandbox.bodies import Fields

MOST_GROUPS: Final = 20
MOST_DRAFTS: Final = 200
LONGEST_TITLE: Final = 200
LONGEST_MESSAGE: Final = 1400


@serves("drafts.groups.list", "GET", "/api/user/draft/group/list")
def list_groups(call: Call) -> Answer:
    """List the caller's groups, the oldest first."""
    number, size = call.query.paging()
    call.check()
    return page(_groups(call), _group_row, number=number, size=size, path=call.path)


@serves("drafts.groups.create", "POST", "/api/user/draft/group")
def create_group(call: Call) -> Answer:
    """Make a group; a user has at most 20."""
    title = call.body.text("title", most=LONGEST_TITLE)
    call.check()
    if len(_groups(call)) >= MOST_GROUPS:
        raise invalid({"title": [f"حداکثر {MOST_GROUPS} گروه پیش نویس می توانید ایجاد کنید"]})
    group = DraftGroup(call.world.next_id("draft_group"), call.user.user_id, title, call.now)
    call.world.draft_groups[group.group_id] = group
    return ok()


@serves("drafts.groups.update", "PUT", "/api/user/draft/group")
def update_group(call: Call) -> Answer:
    """Rename a group."""
    group = _read_group(call, call.body)
    title = call.body.text("title", most=LONGEST_TITLE)
    call.check()
    if group is not None:
        group.title = title
    return ok()


@serves("drafts.groups.delete", "POST", "/api/user/draft/group/delete")
def delete_group(call: Call) -> Answer:
    """Delete a group with its drafts."""
    group = _read_group(call, call.body)
    call.check()
    if group is not None:
        for draft in _drafts(call):
            if draft.group_id == group.group_id:
                del call.world.drafts[draft.draft_id]
        del call.world.draft_groups[group.group_id]
    return ok()


@serves("drafts.list", "GET", "/api/user/draft/list")
def listing(call: Call) -> Answer:
    """List the caller's drafts, all or those of one group, the oldest first."""
    number, size = call.query.paging()
    group = _read_group(call, call.query) if call.query.has("draft_group_id") else None
    call.check()
    rows = [draft for draft in _drafts(call) if group is None or draft.group_id == group.group_id]
    return page(rows, _draft_row, number=number, size=size, path=call.path)


@serves("drafts.create", "POST", "/api/user/draft")
def create(call: Call) -> Answer:
    """Keep a text in a group; a user has at most 200."""
    group = _read_group(call, call.body)
    message = call.body.text("message", most=LONGEST_MESSAGE)
    call.check()
    if len(_drafts(call)) >= MOST_DRAFTS:
        raise invalid({"message": [f"حداکثر {MOST_DRAFTS} پیش نویس می توانید ایجاد کنید"]})
    if group is not None:
        draft = Draft(call.world.next_id("draft"), group.group_id, call.user.user_id, message, call.now)
        call.world.drafts[draft.draft_id] = draft
    return ok()


@serves("drafts.update", "PUT", "/api/user/draft")
def update(call: Call) -> Answer:
    """Change a text."""
    draft_id = call.body.integer("draft_id")
    message = call.body.text("message", most=LONGEST_MESSAGE)
    draft = _draft(call, "draft_id", draft_id)
    call.check()
    if draft is not None:
        draft.message = message
    return ok()


@serves("drafts.delete", "POST", "/api/user/draft/delete")
def delete(call: Call) -> Answer:
    """Delete some texts, all of them or none."""
    ids = call.body.integers("draft_ids")
    found = [_draft(call, f"draft_ids.{place}", draft_id) for place, draft_id in enumerate(ids)]
    call.check()
    for draft in found:
        if draft is not None:
            call.world.drafts.pop(draft.draft_id, None)
    return ok()


def _groups(call: Call) -> list[DraftGroup]:
    return [group for group in call.world.draft_groups.values() if group.user_id == call.user.user_id]


def _drafts(call: Call) -> list[Draft]:
    return [draft for draft in call.world.drafts.values() if draft.user_id == call.user.user_id]


def _read_group(call: Call, fields: Fields) -> DraftGroup | None:
    """Read draft_group_id, which must be a group of the caller's; None where it is not, which is noted."""
    group_id = fields.integer("draft_group_id")
    group = call.world.draft_groups.get(group_id)
    if group is not None and group.user_id == call.user.user_id:
        return group
    if group_id:
        fields.fail("draft_group_id", not_valid_text(label("draft_group_id")))
    return None


def _draft(call: Call, name: str, draft_id: int) -> Draft | None:
    """Find a draft of the caller's; None where there is none, which is noted."""
    draft = call.world.drafts.get(draft_id)
    if draft is not None and draft.user_id == call.user.user_id:
        return draft
    if draft_id:
        call.body.fail(name, not_valid_text(label(name)))
    return None


def _group_row(group: DraftGroup) -> dict[str, Any]:
    return {
        "title": group.title,
        "draft_group_id": group.group_id,
        "user_id": group.user_id,
        "time": int(group.created_at.timestamp()),
    }


def _draft_row(draft: Draft) -> dict[str, Any]:
    return {
        "draft_group_id": draft.group_id,
        "user_id": draft.user_id,
        "draft_id": draft.draft_id,
        "time": int(draft.created_at.timestamp()),
        "message": draft.message,
        "type": draft.type,
    }
