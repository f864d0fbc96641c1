"""The rule of the payment section: the credit of the caller."""

from __future__ import annotations

from ippanel_edge.sandbox.replies import Reply, ok
from ippanel_edge.sandbox.routes import Call, serves


@serves("payment.credit", "GET", "/api/payment/credit/mine")
def credit(call: Call) -> Reply:
    """Return the credit of the caller in Rials."""
    call.check()
    user = call.user
    return ok(
        {
            "credit": user.credit,
            "yesterday_credit": user.yesterday_credit,
            "gift": user.gift,
            "gift_expires_at": None,
            "updated_at": f"{call.now:%Y-%m-%d %H:%M:%S}",
        }
    )
