"""Models of payment: the account's credit."""

from __future__ import annotations

from datetime import datetime

import attrs

from ippanel_edge.models.common import Model


@attrs.frozen(kw_only=True)
class Credit(Model):
    """The account's credit. Source: payment/my-credit.md.

    Attributes:
        credit: the current credit.
        yesterday_credit: the credit of the previous day.
        gift: gift credit, which can expire.
        gift_expires_at: the expiry time of the gift credit (UTC); None if there is none.
        updated_at: the time at which the figures were calculated (UTC).
    """

    credit: float | None = None
    yesterday_credit: float | None = None
    gift: float | None = None
    gift_expires_at: datetime | None = None
    updated_at: datetime | None = None
