"""The result of a send. It is apart from the other models of sending because every client loads it."""

from __future__ import annotations

import attrs

from ippanel_edge.models.common import Model


@attrs.frozen(kw_only=True)
class SendResult(Model):
    """The result of a send. Source: send/webservice.md.

    Attributes:
        message_outbox_ids: the id of each message that the service created; the report calls take them.
    """

    message_outbox_ids: tuple[int, ...] = attrs.field(
        validator=[attrs.validators.min_len(1), attrs.validators.deep_iterable(attrs.validators.ge(1))]
    )

    @property
    def id(self) -> int:
        """The id, if the send created exactly one message.

        Raises:
            ValueError: there are several ids; use `message_outbox_ids`.
        """
        if len(self.message_outbox_ids) != 1:
            raise ValueError(f"expected one message id, got {len(self.message_outbox_ids)}; use message_outbox_ids")
        return self.message_outbox_ids[0]
