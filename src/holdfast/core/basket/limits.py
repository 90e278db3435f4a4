"""Who does something at the till, when, and what they may do without a manager (PO1, PO6)."""

from collections.abc import Callable

import msgspec

from holdfast.core.bounds import ID_CHARS_MAX, PERCENT_E2_WHOLE, text_refusal
from holdfast.core.ids import StaffId
from holdfast.core.money import plain_decimal
from holdfast.core.refusals import Refusal


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one member of staff may do alone; beyond it a manager approves. Percentages in hundredths."""

    line_discount_e2_max: int
    total_discount_e2_max: int
    override_e2_max: int
    """How far a price may be moved against the shop: down on a sale, up on a return."""
    return_without_receipt_minor_max: int
    """Sum of a return's lines that name no receipt."""
    refund_minor_max: int = 2**63 - 1
    """Sum of all that one return pays out."""
    foreign_change_minor_max: int = 2**63 - 1
    """Home cash that goes out as change for foreign notes."""


UNLIMITED = Limits(
    line_discount_e2_max=PERCENT_E2_WHOLE,
    total_discount_e2_max=PERCENT_E2_WHOLE,
    override_e2_max=PERCENT_E2_WHOLE,
    return_without_receipt_minor_max=2**63 - 1,
)
"""A manager's own."""


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One act at the till: by whom, when, within which limits, and approved by whom beyond them."""

    by: StaffId
    at_ms: int
    limits: Limits
    approved_by: StaffId = StaffId("")
    """A manager who approves this one act; empty where nobody was asked."""
    approver_limits: Limits = UNLIMITED
    """How far he may go himself."""


def act_refusal(act: Act) -> Refusal | None:
    """Why this act's people cannot be recorded; None if they can."""
    return text_refusal("The staff id", act.by, ID_CHARS_MAX) or text_refusal(
        "The manager's staff id", act.approved_by, ID_CHARS_MAX
    )


def approval_needed(act: Act, what: str, is_within: Callable[[Limits], bool]) -> Refusal | None:
    """Why somebody must (also) approve what goes beyond the act's limits; None where it is approved.

    Whoever approves goes no further than he may go himself. `what` as for `needs_manager`.
    """
    if act.approved_by and is_within(act.approver_limits):
        return None
    if act.approved_by:
        return Refusal(
            "basket.needs-manager", f"{what} needs somebody who may go so far himself. Ask another manager."
        )
    return needs_manager(what)


def needs_manager(what: str) -> Refusal:
    """`what` begins the sentence: "A discount over 10 %"."""
    return Refusal("basket.needs-manager", f"{what} needs a manager. Ask one to approve it.")


def percent_text(percent_e2: int) -> str:
    """Hundredths of a percent for a sentence: 1250 → `12.5 %`."""
    return plain_decimal(percent_e2, 2).rstrip("0").rstrip(".") + " %"
