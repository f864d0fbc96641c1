"""The rules of the drafts section: saved message texts and their groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ippanel_edge.sandbox.records import Draft, DraftGroup
from ippanel_edge.sandbox.replies import Reply, invalid, invalid_message, label, ok, page
from ippanel_edge.sandbox.routes import Call, serves

if TYPE_CHECKING:
    from ippanel_edge.sandbox.bodies import Fields

MAX_GROUPS: Final = 20
MAX_DRAFTS: Final = 200
MAX_TITLE_LENGTH: Final = 200
MAX_MESSAGE_LENGTH: Final = 1400


@serves("drafts.groups.list", "GET", "/api/user/draft/group/list")
def list_groups(call: Call) -> Reply:
    """List the groups of the caller, oldest first."""
    number, size = call.query.paging()
    call.check()
    return page(_groups(call), _group_row, number=number, size=size, path=call.path)


@serves("drafts.groups.create", "POST", "/api/user/draft/group")
def create_group(call: Call) -> Reply:
    """Create a group; a user can have at most 20."""
    call.body.name_by_path()
    title = call.body.string("title", max_length=MAX_TITLE_LENGTH)
    call.check()
    if len(_groups(call)) >= MAX_GROUPS:
        raise invalid({"title": [f"حداکثر {MAX_GROUPS} گروه پیش نویس می توانید ایجاد کنید"]})
    group = DraftGroup(call.state.next_id("draft_group"), call.user.user_id, title, call.now)
    call.state.draft_groups[group.group_id] = group
    return ok()


@serves("drafts.groups.update", "PUT", "/api/user/draft/group")
def update_group(call: Call) -> Reply:
    """Rename a group."""
    group = _read_group(call, call.body)
    call.body.name_by_path()
    title = call.body.string("title", max_length=MAX_TITLE_LENGTH)
    call.check()
    if group is not None:
        group.title = title
    return ok()


@serves("drafts.groups.delete", "POST", "/api/user/draft/group/delete")
def delete_group(call: Call) -> Reply:
    """Delete a group and its drafts."""
    group = _read_group(call, call.body)
    call.check()
    if group is not None:
        for draft in _drafts(call):
            if draft.group_id == group.group_id:
                del call.state.drafts[draft.draft_id]
        del call.state.draft_groups[group.group_id]
    return ok()


@serves("drafts.list", "GET", "/api/user/draft/list")
def listing(call: Call) -> Reply:
    """List the drafts of the caller, oldest first, optionally of one group only."""
    number, size = call.query.paging()
    group = _read_group(call, call.query) if call.query.has("draft_group_id") else None
    call.check()
    rows = [draft for draft in _drafts(call) if group is None or draft.group_id == group.group_id]
    return page(rows, _draft_row, number=number, size=size, path=call.path)


@serves("drafts.create", "POST", "/api/user/draft")
def create(call: Call) -> Reply:
    """Create a draft in a group; a user can have at most 200 drafts."""
    group = _read_group(call, call.body)
    call.body.name_by_path()
    message = call.body.string("message", max_length=MAX_MESSAGE_LENGTH)
    call.check()
    if len(_drafts(call)) >= MAX_DRAFTS:
        raise invalid({"message": [f"حداکثر {MAX_DRAFTS} پیش نویس می توانید ایجاد کنید"]})
    if group is not None:
        draft = Draft(call.state.next_id("draft"), group.group_id, call.user.user_id, message, call.now)
        call.state.drafts[draft.draft_id] = draft
    return ok()


@serves("drafts.update", "PUT", "/api/user/draft")
def update(call: Call) -> Reply:
    """Replace the text of a draft."""
    draft_id = call.body.integer("draft_id")
    call.body.name_by_path()
    message = call.body.string("message", max_length=MAX_MESSAGE_LENGTH)
    draft = _find_draft(call, "draft_id", draft_id)
    call.check()
    if draft is not None:
        draft.message = message
    return ok()


@serves("drafts.delete", "POST", "/api/user/draft/delete")
def delete(call: Call) -> Reply:
    """Delete all given drafts or none."""
    ids = call.body.integers("draft_ids")
    drafts = [_find_draft(call, f"draft_ids.{index}", draft_id) for index, draft_id in enumerate(ids)]
    call.check()
    for draft in drafts:
        if draft is not None:
            call.state.drafts.pop(draft.draft_id, None)
    return ok()


def _groups(call: Call) -> list[DraftGroup]:
    return [group for group in call.state.draft_groups.values() if group.user_id == call.user.user_id]


def _drafts(call: Call) -> list[Draft]:
    return [draft for draft in call.state.drafts.values() if draft.user_id == call.user.user_id]


def _read_group(call: Call, fields: Fields) -> DraftGroup | None:
    """Return the group of the caller with the id `draft_group_id`; record an error and return None if it is unknown."""
    group_id = fields.integer("draft_group_id")
    group = call.state.draft_groups.get(group_id)
    if group is not None and group.user_id == call.user.user_id:
        return group
    if group_id:
        fields.add_error("draft_group_id", invalid_message(label("draft_group_id")))
    return None


def _find_draft(call: Call, name: str, draft_id: int) -> Draft | None:
    """Return a draft of the caller; record an error for the field `name` and return None if it is unknown."""
    draft = call.state.drafts.get(draft_id)
    if draft is not None and draft.user_id == call.user.user_id:
        return draft
    if draft_id:
        call.body.add_error(name, invalid_message(label(name)))
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
