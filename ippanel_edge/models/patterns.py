"""Models of patterns: texts approved once and sent with values for their variables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs

from ippanel_edge.models.states import PatternStatus, VariableType


@attrs.frozen(kw_only=True)
class PatternVariable:
    """A placeholder of a pattern, going in and coming out. Source: pattern/create-pattern.md.

    Attributes:
        name: its name; the message has it as ``%name%``. Needed when it goes in.
        type: ``string``, or ``integer`` for digits only. Needed when it goes in.
        len: its longest value; unset leaves it to the service. In answers 0 where none is set.
    """

    name: str | None = None
    type: VariableType | str | None = None
    len: int | None = None


@attrs.frozen(kw_only=True)
class NewPattern:
    """A pattern to be. Sources: pattern/create-pattern.md, pattern/update-pattern.md.

    Attributes:
        description: what it is for, to whoever reviews it.
        message: the text, with ``%name%`` where a variable's value goes.
        variable: the variables, each of which the message has.
        is_share: whether sub-users may send it.
        title: its name in the panel.
        website: the site that it belongs to.
    """

    description: str
    message: str
    variable: Sequence[PatternVariable]
    is_share: bool = False
    title: str | None = None
    website: str | None = None


@attrs.frozen(kw_only=True)
class PatternRevision:
    """A change of a pattern that waits for the review; its fields are None where nothing waits.

    Attributes:
        type: such as ``sms``.
        variable: the variables to be.
        pattern_status_id: the status to be, by number.
        pattern_status_fa: the same in Persian.
        pattern_message: the text to be.
        pattern_description: the description to be.
        pattern_is_share: whether sub-users may send it then.
        delimiter: what is to stand around a variable's name.
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
class Pattern:
    """A pattern. Sources: pattern/list-pattern.md, pattern/pattern-by-code.md, pattern/create-pattern.md.

    Creating and updating answer a part of the fields. The documents show the logs only empty, so they are kept as JSON
    has them.

    Attributes:
        id: the service's own id; the calls take `pattern_code`.
        user_id: whose it is.
        username: that user's name.
        pattern_code: its code.
        pattern_message: the text.
        admin_comment: what the review says.
        pattern_description: what it is for.
        pattern_status: whether it may be sent; a word that this SDK does not know stays a plain text.
        pattern_status_fa: the same in Persian.
        pattern_status_id: the same by number.
        pattern_is_share: whether sub-users may send it.
        reject_text: why it was rejected.
        type: such as ``sms``.
        variable: the variables.
        delimiter: what stands around a variable's name in the text: ``%``.
        updated_at: when it last changed (UTC).
        time: the same, to the second.
        pattern_type: ``normal``, or ``systemic`` for the service's own.
        readonly: whether it cannot be changed.
        revision: the change that waits for the review.
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


@attrs.frozen(kw_only=True)
class PatternFilters:
    """Which patterns are wanted; unset fields are left out. Source: pattern/list-pattern.md.

    Attributes:
        code: the pattern's code.
        title: its name.
        is_share: whether sub-users may send it.
        state: whether it may be sent.
        type: ``normal`` or ``systemic``.
    """

    code: str | None = None
    title: str | None = None
    is_share: bool | None = None
    state: PatternStatus | str | None = None
    type: str | None = None
