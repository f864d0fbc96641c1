"""Models of payment: the account's credit."""

from __future__ import annotations

from datetime import datetime

import attrs


@attrs.frozen(kw_only=True)
class Credit:
    """The account's credit, in Rials. Source: payment/my-credit.md.

    Attributes:
        credit: what may be spent now.
        yesterday_credit: what there was a day ago.
        gift: credit that was given and may expire.
        gift_expires_at: when the gift ends (UTC); None where there is none.
        updated_at: when the figures were made (UTC).
    """

    credit: float | None = None
    yesterday_credit: float | None = None
    gift: float | None = None
    gift_expires_at: datetime | None = None
    updated_at: datetime | None = None
