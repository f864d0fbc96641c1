"""Samples of the payment endpoints."""

from __future__ import annotations

from datetime import UTC, datetime

from ippanel_edge import endpoints
from ippanel_edge.models.payment import Credit
from tests.contract.sample import Sample, ok

SAMPLES = [
    Sample(
        endpoint=endpoints.PAYMENT_CREDIT,
        call=lambda client: client.payment.credit(),
        answer=ok(
            {
                "credit": 81250.75,
                "yesterday_credit": "90000",
                "gift": 0,
                "gift_expires_at": None,
                "updated_at": "2026-02-03 04:05:06",
            }
        ),
        returns=Credit(
            credit=81250.75,
            yesterday_credit=90000.0,
            gift=0.0,
            gift_expires_at=None,
            updated_at=datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC),
        ),
    ),
]
