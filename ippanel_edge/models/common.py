"""What all models share: their base class, a page of a list, and the meta object of a response."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from enum import Enum
from typing import Any, Generic, TypeVar, cast

import attrs

from ippanel_edge.values.redaction import MASK
from ippanel_edge.values.secrets import Secret

T = TypeVar("T")


class Model:
    """Base class of the models of requests and responses."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dict that `json.dumps` can write.

        The keys are the names of the attributes. A datetime becomes a str in ISO 8601 with its offset, an enum its
        value (an unknown value stays as it is), a tuple a list, a nested model a dict, and a key of a mapping a str.
        A Secret, such as `LoginStep.token`, becomes ``***``.
        """
        fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(cast("Any", type(self)))
        return {field.name: _plain(getattr(self, field.name)) for field in fields if not field.name.startswith("_")}


def _plain(value: object) -> Any:
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, Mapping):
        pairs = cast("Mapping[object, object]", value).items()
        return {str(_plain(key)): _plain(item) for key, item in pairs}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in cast("Sequence[object]", value)]
    return _plain_scalar(value)


def _plain_scalar(value: object) -> Any:
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value  # a datetime is a date too


@attrs.frozen(kw_only=True)
class Meta(Model):
    """The meta object of a response, which accompanies its data.

    Attributes:
        status: whether the API executed the call; None if the response has no meta object.
        message: the API's message, mostly Persian.
        message_code: the message's code, such as ``200-1``.
        message_parameters: the values of the message's placeholders.
        errors: validation errors: messages by field name.
        raw: the meta object as received.
    """

    status: bool | None = None
    message: str = ""
    message_code: str = ""
    message_parameters: Sequence[Any] = ()
    errors: Mapping[str, Sequence[str]] = attrs.field(factory=dict[str, Sequence[str]])
    raw: Mapping[str, Any] = attrs.field(factory=dict[str, Any], repr=False)


@attrs.frozen(kw_only=True)
class Page(Model, Generic[T]):
    """One page of a list. It supports iteration, `len` and `has_next`; the `iter_…` methods iterate over all pages.

    Attributes:
        items: the page's items, in the order of the service.
        current_page: the page number, from 1.
        last_page: the number of the last page, None if the service does not return it.
        per_page: the maximum number of items per page, None if the service does not return it.
        total: the number of items in the whole list, None if the service does not return it.
    """

    items: tuple[T, ...] = ()
    current_page: int = 1
    last_page: int | None = None
    per_page: int | None = None
    total: int | None = None

    def __iter__(self) -> Iterator[T]:
        """Iterate over the page's items."""
        return iter(self.items)

    def __len__(self) -> int:
        """Return the number of items on the page; `total` is that of the whole list."""
        return len(self.items)

    @property
    def has_next(self) -> bool:
        """Whether there may be items on a following page; always False for an empty page."""
        if not self.items:
            return False
        if self.last_page is not None:
            return self.current_page < self.last_page
        return self.per_page is None or len(self.items) >= self.per_page
