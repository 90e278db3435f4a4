"""A suspended basket: put aside for somebody who comes back, and taken up again as it was (PO4).

It is the whole basket, whatever it carries: what a tender holds at head office (a gift card's lock, under its
key) stays in it, and is released like the open one's: by the sale, or by voiding it.
"""

import msgspec

from holdfast.core.basket.limits import Act, act_refusal
from holdfast.core.basket.value import Basket
from holdfast.core.bounds import text_refusal
from holdfast.core.ids import StaffId
from holdfast.core.refusals import Refusal

SUSPENDED_MAX = 50
"""At one register: more is a queue that nobody comes back to."""


class Suspended(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One basket put aside."""

    basket: Basket
    business_date: str
    at_ms: int
    by: StaffId = StaffId("")
    note: str = ""
    """For whom it is kept: "blue coat, fetches her purse"."""


NOTHING = Refusal("suspend.nothing", "There is nothing in this transaction to suspend.")
FULL = Refusal(
    "suspend.full",
    f"{SUSPENDED_MAX} transactions are suspended already. Conclude one, or have a manager void it.",
)
GONE = Refusal("suspend.gone", "That transaction is no longer suspended. Somebody recalled or voided it.")
_PAID_IN_PART = Refusal(
    "suspend.paid-in-part",
    "Part of it is paid. Hand that back, or conclude the sale; then it can be suspended.",
)


def suspend(basket: Basket, act: Act, note: str, business_date: str) -> Suspended | Refusal:
    """Put a basket aside. Money that was handed over is not put aside with it; what a card holds is."""
    if not basket.lines and not basket.voided_lines:
        return NOTHING
    if any(not tender.hold for tender in basket.tenders):
        return _PAID_IN_PART
    note = note.strip()
    if refusal := text_refusal("The note", note) or act_refusal(act):
        return refusal
    return Suspended(basket=basket, business_date=business_date, at_ms=act.at_ms, by=act.by, note=note)


def recall(kept: Suspended, business_date: str) -> Basket | Refusal:
    """Take it up again, on the business date of its prices and taxes alone."""
    if kept.business_date != business_date:
        return Refusal(
            "suspend.other-day",
            f"It was suspended on {kept.business_date}, and prices and taxes are of that day. Have a manager "
            "void it, and scan it again.",
        )
    return kept.basket


def close_refusal(count: int) -> Refusal | None:
    """Why the day cannot end while some are suspended; None: none is."""
    if not count:
        return None
    what = "1 transaction is" if count == 1 else f"{count} transactions are"
    return Refusal(
        "day.suspended",
        f"{what} still suspended. Recall and conclude, or have a manager void what nobody comes back for; "
        "then close the day.",
    )
