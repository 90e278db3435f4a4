"""Shifts: one person's responsibility for the drawer, from the float to the count (PO5).

One shift a drawer. A sale belongs to the shift that was open when it was concluded: the order of the journal
tells, so no sale names one. Once a business day has had a shift, nothing is sold in it without one.
"""

from collections.abc import Mapping, Sequence

import msgspec

from holdfast.core.basket.limits import Act, act_refusal
from holdfast.core.bounds import AMOUNT_MINOR_MAX, Int64
from holdfast.core.cash.count import Count, Pieces
from holdfast.core.cash.moves import Moved
from holdfast.core.ids import StaffId
from holdfast.core.refusals import Refusal
from holdfast.core.totals import DayTotals

NEEDS_SOMEBODY_ELSE = "shift.needs-manager"
"""Code of the refusal that a manager's approval cures."""


class ShiftOpened(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Body of `shift_opened`, version 1."""

    shift: Int64
    """Its number at this register, from 1."""
    business_date: str
    currency: str
    float_minor: Int64
    """Home cash in the drawer as the shift began."""
    left_minor: Int64 = 0
    """What the journal says must have been left in it; the difference was put in or taken out."""
    by: StaffId = StaffId("")
    approved_by: StaffId = StaffId("")

    @property
    def put_in_minor(self) -> int:
        return self.float_minor - self.left_minor


class Declared(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One currency of a drawer at the end of a shift."""

    currency: str
    expected_minor: Int64
    """What the journal says must have been in it."""
    counted_minor: Int64 | None = None
    """None: nobody counted."""
    over_short_minor: Int64 = 0
    """Counted less expected: over where positive, short where negative."""
    pieces: tuple[Pieces, ...] = ()


class ShiftClosed(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Body of `shift_closed`, version 1: the declaration, what was expected, and what the shift did."""

    shift: Int64
    business_date: str
    currency: str
    totals: DayTotals
    """Of the shift's own documents."""
    declared: tuple[Declared, ...] = ()
    """Home cash first."""
    moved: tuple[Moved, ...] = ()
    opened_by: StaffId = StaffId("")
    by: StaffId = StaffId("")
    approved_by: StaffId = StaffId("")
    cause: str = ""
    """Why nobody counted, where nobody did: `restored`, `retired`."""


def open_shift(
    act: Act,
    number: int,
    business_date: str,
    currency: str,
    float_minor: int,
    left_minor: int,
) -> ShiftOpened | Refusal:
    """Begin a shift where none is open. `left_minor`: what must be in the drawer now."""
    if not 0 <= float_minor <= AMOUNT_MINOR_MAX:
        return Refusal("shift.float", "The float is zero or more. Count what is in the drawer, and enter it.")
    if refusal := act_refusal(act):
        return refusal
    return ShiftOpened(
        shift=number,
        business_date=business_date,
        currency=currency,
        float_minor=float_minor,
        left_minor=left_minor,
        by=act.by,
        approved_by=act.approved_by,
    )


def still_open(shift: ShiftOpened) -> Refusal:
    """Which one, and the way on."""
    return Refusal(
        "shift.open",
        f"Shift {shift.shift} of {shift.by} is still open. Count the drawer and close it first: "
        "menu, Cash, Close the shift.",
    )


def close_shift(
    act: Act,
    opened: ShiftOpened | None,
    counts: Sequence[Count],
    expected_minor: Mapping[str, int],
    totals: DayTotals,
    moved: tuple[Moved, ...],
    *,
    may_any: bool,
) -> ShiftClosed | Refusal:
    """End the shift with what was counted. `may_any`: this person may close somebody else's."""
    if opened is None:
        return NO_SHIFT
    if opened.by != act.by and not may_any and not act.approved_by:
        return Refusal(
            NEEDS_SOMEBODY_ELSE,
            f"This is the shift of {opened.by}. A manager must approve that you close it.",
        )
    by_currency = {count.currency: count for count in counts}
    lacking = [
        currency
        for currency in (opened.currency, *expected_minor)
        if currency not in by_currency and (currency == opened.currency or expected_minor[currency])
    ]
    if lacking:
        return Refusal(
            "shift.not-counted",
            f"Count what is in the drawer in {lacking[0]} too, and enter it; 0 where there is none.",
        )
    if refusal := act_refusal(act):
        return refusal
    currencies = dict.fromkeys((opened.currency, *sorted(by_currency)))
    declared = tuple(_declared(by_currency[code], expected_minor.get(code, 0)) for code in currencies)
    return _closed(opened, declared, totals, moved, act.by, act.approved_by)


def abandon(
    opened: ShiftOpened,
    expected_minor: Mapping[str, int],
    totals: DayTotals,
    moved: tuple[Moved, ...],
    *,
    by: StaffId,
    cause: str,
) -> ShiftClosed:
    """End a shift whose drawer nobody counts: its day is over, or its register. The drawer stays as it is."""
    others = sorted(code for code in expected_minor if code != opened.currency and expected_minor[code])
    declared = tuple(
        Declared(currency=code, expected_minor=expected_minor.get(code, 0))
        for code in (opened.currency, *others)
    )
    closed = _closed(opened, declared, totals, moved, by, StaffId(""))
    return msgspec.structs.replace(closed, cause=cause)


def _declared(count: Count, expected_minor: int) -> Declared:
    return Declared(
        currency=count.currency,
        expected_minor=expected_minor,
        counted_minor=count.counted_minor,
        over_short_minor=count.counted_minor - expected_minor,
        pieces=count.pieces,
    )


def _closed(
    opened: ShiftOpened,
    declared: tuple[Declared, ...],
    totals: DayTotals,
    moved: tuple[Moved, ...],
    by: StaffId,
    approved_by: StaffId,
) -> ShiftClosed:
    return ShiftClosed(
        shift=opened.shift,
        business_date=opened.business_date,
        currency=opened.currency,
        totals=totals,
        declared=declared,
        moved=moved,
        opened_by=opened.by,
        by=by,
        approved_by=approved_by,
    )


NO_SHIFT = Refusal("shift.none", "No shift is open. Open one first: menu, Cash, Open a shift.")
