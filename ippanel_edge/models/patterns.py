"""Models of patterns: message templates that are approved once and sent with values for their variables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs

from ippanel_edge.models.common import Model
from ippanel_edge.models.fields import checked
from ippanel_edge.models.states import PatternStatus, VariableType


@attrs.frozen(kw_only=True, field_transformer=checked)
class PatternVariable(Model):
    """A variable of a pattern, in requests and responses. Source: pattern/create-pattern.md.

    Attributes:
        name: the variable's name, written ``%name%`` in the message. Required in requests.
        type: ``string``, or ``integer`` for digits only. Required in requests.
        len: the maximum length of a value; if unset, the service decides. 0 in responses if there is no maximum.
    """

    name: str | None = None
    type: VariableType | str | None = None
    len: int | None = None


@attrs.frozen(kw_only=True, field_transformer=checked)
class NewPattern(Model):
    """A pattern to create or update. Sources: pattern/create-pattern.md, pattern/update-pattern.md.

    Attributes:
        description: the purpose of the pattern, for the reviewer.
        message: the message text, with ``%name%`` in place of a variable's value.
        variable: the variables, each of which must occur in the message.
        is_share: whether sub-users can send the pattern.
        title: the pattern's name in the panel.
        website: the website that uses the pattern.
    """

    description: str
    message: str
    variable: Sequence[PatternVariable]
    is_share: bool = False
    title: str | None = None
    website: str | None = None


@attrs.frozen(kw_only=True)
class PatternRevision(Model):
    """A change of a pattern that is pending review; the fields are None if no change is pending.

    Attributes:
        type: the type, such as ``sms``.
        variable: the new variables.
        pattern_status_id: the new status as a number.
        pattern_status_fa: the new status in Persian.
        pattern_message: the new message text.
        pattern_description: the new description.
        pattern_is_share: whether sub-users can send the pattern after the change.
        delimiter: the new delimiter around variable names.
    """

    type: str | None = None
    variable: tuple[PatternVariable, ...] | None = None
    pattern_status_id: int | None = None
    pattern_status_fa: str | None = None
    pattern_message: str | None = None
    pattern_description: str | None = None
    pattern_is_share: bool | None = None
    delimiter: str | None = None


@attrs.frozen(kw_only=True)
class Pattern(Model):
    """A pattern. Sources: pattern/list-pattern.md, pattern/pattern-by-code.md, pattern/create-pattern.md.

    The responses of create and update contain only some of the fields. The API documentation only shows empty logs, so
    the log fields contain JSON as received.

    Attributes:
        id: the internal id of the service; the calls take `pattern_code` instead.
        user_id: the id of the pattern's owner.
        username: the user name of the pattern's owner.
        pattern_code: the pattern's code.
        pattern_message: the message text.
        admin_comment: the reviewer's comment.
        pattern_description: the purpose of the pattern.
        pattern_status: the status, which decides whether the pattern can be sent; an unknown value stays a plain str.
        pattern_status_fa: the status in Persian.
        pattern_status_id: the status as a number.
        pattern_is_share: whether sub-users can send the pattern.
        reject_text: the reason for a rejection.
        type: the type, such as ``sms``.
        variable: the variables.
        delimiter: the delimiter around variable names in the message: ``%``.
        updated_at: the time of the last change (UTC).
        time: the time of the last change (UTC), to the second.
        pattern_type: ``normal``, or ``systemic`` for patterns of the service itself.
        readonly: whether the pattern cannot be changed.
        revision: the change that is pending review.
    """

    id: str | None = None
    partner_id: int | None = None
    verifier_user_id: int | None = None
    verifier_partner_id: int | None = None
    title: str | None = None
    username: str | None = None
    user_id: int | None = None
    pattern_code: str | None = None
    pattern_message: str | None = None
    admin_comment: str | None = None
    pattern_description: str | None = None
    website: str | None = None
    pattern_status: PatternStatus | str | None = None
    pattern_status_fa: str | None = None
    pattern_status_id: int | None = None
    pattern_is_share: bool | None = None
    reject_text: str | None = None
    type: str | None = None
    variable: tuple[PatternVariable, ...] = ()
    delimiter: str | None = None
    updated_at: datetime | None = None
    time: datetime | None = None
    pattern_type: str | None = None
    readonly: bool | None = None
    pattern_state_revision: str | None = None
    pattern_message_revision: str | None = None
    pattern_is_share_revision: bool | None = None
    pattern_description_revision: str | None = None
    pattern_delimiter_revision: str | None = None
    pattern_variable_revision: tuple[PatternVariable, ...] | None = None
    pattern_type_revision: str | None = None
    pattern_state_log: Any = None
    pattern_message_log: Any = None
    pattern_is_share_log: Any = None
    pattern_description_log: Any = None
    pattern_delimiter_log: Any = None
    pattern_variable_log: Any = None
    pattern_type_log: Any = None
    revision: PatternRevision | None = None
    pattern_log: Any = None


@attrs.frozen(kw_only=True, field_transformer=checked)
class PatternFilters(Model):
    """Filters of the list of patterns; unset fields are omitted. Source: pattern/list-pattern.md.

    Attributes:
        code: the pattern's code.
        title: the pattern's name.
        is_share: whether sub-users can send the pattern.
        state: the status.
        type: ``normal`` or ``systemic``.
    """

    code: str | None = None
    title: str | None = None
    is_share: bool | None = None
    state: PatternStatus | str | None = None
    type: str | None = None
