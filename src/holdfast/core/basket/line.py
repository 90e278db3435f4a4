"""A line of a basket, and what it is charged: quantity × price, less its discounts (PO1, PO3).

A basket keeps what was asked for (10 % off); amounts are computed from it whenever they are
needed, so that a changed quantity changes the discount with it.
"""

import msgspec

from holdfast.core.bounds import PERCENT_E2_WHOLE
from holdfast.core.central.accounts import HoldKey
from holdfast.core.ids import DocumentNumber, Sku, StaffId
from holdfast.core.loyalty.points import Earned
from holdfast.core.money import Currency, RoundingRule, line_amount_minor, round_ratio
from holdfast.core.sale import Discount, OriginalLine, SaleLine
from holdfast.core.tax import TaxKey

_EACH = next(field.default for field in msgspec.structs.fields(SaleLine) if field.name == "unit")
"""The very object: an encoder leaves a default out by identity, and a decoded basket's text is another."""


class Reduction(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """A discount as it was given: either a percentage or an amount, always positive."""

    percent_e2: int = 0
    """Hundredths of a percent: 10 % is 1000."""
    amount_minor: int = 0
    reason: str = ""
    by: StaffId = StaffId("")
    approved_by: StaffId = StaffId("")
    """Set only where it was over the limits of who gave it."""


class Origin(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """The sold line that a return line brings back, and what is left of it to bring."""

    document: DocumentNumber
    line: int
    remaining_milli: int
    remaining_minor: int
    """What was charged for `remaining_milli`, as far as it is known."""
    discounts: tuple[Discount, ...] = ()
    earned: Earned | None = None
    """Points that its sale earned, of which the return takes back its share."""


class BasketLine(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """One line. Texts, price and tax are those of the moment it was added."""

    line: int
    """From 1, in the order of adding; never used again in its basket, also when voided."""
    sku: Sku
    description: str
    quantity_milli: int
    """Negative on a return."""
    unit_price_e4: int
    tax: TaxKey
    unit: str = "each"
    department: str = ""
    list_price_e4: int | None = None
    override_reason: str = ""
    override_by: StaffId = StaffId("")
    reductions: tuple[Reduction, ...] = ()
    note: str = ""
    scanned_s: int = 0
    origin: Origin | None = None
    against: DocumentNumber = DocumentNumber("")
    """The receipt that it comes back on where its signed code is all that is known of it."""
    hold: HoldKey = HoldKey("")
    """The hold whose value it sells or pays out; empty: it is goods."""


class Charge(msgspec.Struct, frozen=True, gc=False):
    """What a line comes to, in minor units; gross = amount + Σ discounts."""

    gross_minor: int
    discounts: tuple[Discount, ...]
    amount_minor: int


def reductions_minor(reductions: tuple[Reduction, ...], base_minor: int, rule: RoundingRule) -> list[int]:
    """What each reduction takes off `base_minor`, one after the other; never more than is left."""
    assert base_minor >= 0, "discounts are computed on magnitudes"
    taken: list[int] = []
    for reduction in reductions:
        left = base_minor - sum(taken)
        wanted = reduction.amount_minor or round_ratio(left * reduction.percent_e2, PERCENT_E2_WHOLE, rule)
        taken.append(min(left, wanted))
    return taken


def exceeds(reductions: tuple[Reduction, ...], base_minor: int, rule: RoundingRule, e2_max: int) -> bool:
    """Whether what nobody approved takes off more than `e2_max` of the base, rounded up."""
    taken = reductions_minor(reductions, base_minor, rule)
    alone = sum(minor for minor, given in zip(taken, reductions, strict=True) if not given.approved_by)
    return alone > -(-base_minor * e2_max // PERCENT_E2_WHOLE)


def charge(line: BasketLine, currency: Currency, rule: RoundingRule) -> Charge:
    """The line's amount before any share of a discount on the total."""
    gross_minor = line_amount_minor(line.quantity_milli, line.unit_price_e4, currency, rule)
    if line.origin:
        discounts = _brought_back(line, line.origin, gross_minor, rule)
    elif line.reductions:
        discounts = _taken_off(line, gross_minor, rule)
    else:
        return Charge(gross_minor, (), gross_minor)
    return Charge(gross_minor, discounts, gross_minor - sum(discount.amount_minor for discount in discounts))


def _taken_off(line: BasketLine, gross_minor: int, rule: RoundingRule) -> tuple[Discount, ...]:
    sign = -1 if gross_minor < 0 else 1
    taken = reductions_minor(line.reductions, abs(gross_minor), rule)
    return tuple(
        discount_of("line", given, sign * minor)
        for given, minor in zip(line.reductions, taken, strict=True)
        if minor
    )


def discount_of(kind: str, given: Reduction, amount_minor: int) -> Discount:
    """A reduction as the journal records its effect on one line."""
    return Discount(
        kind=kind,
        amount_minor=amount_minor,
        percent_e2=given.percent_e2,
        reason=given.reason,
        by=given.by,
    )


def _brought_back(
    line: BasketLine, origin: Origin, gross_minor: int, rule: RoundingRule
) -> tuple[Discount, ...]:
    """Discounts that make the line what was charged for it.

    Each part takes its share of what remains, so the parts of a sold line, however it comes
    back, sum to exactly what it cost (PO3).
    """
    assert 0 < -line.quantity_milli <= origin.remaining_milli, "never more than was sold"
    share = round_ratio(origin.remaining_minor * -line.quantity_milli, origin.remaining_milli, rule)
    off_minor = gross_minor + share
    if not off_minor:
        return ()
    if off_minor == -sum(discount.amount_minor for discount in origin.discounts):
        return tuple(
            msgspec.structs.replace(discount, amount_minor=-discount.amount_minor)
            for discount in origin.discounts
        )
    return (Discount(kind="line", amount_minor=off_minor, reason="share of the line on the receipt"),)


def sale_line(line: BasketLine, number: int, charged: Charge, shares: tuple[Discount, ...] = ()) -> SaleLine:
    """The line as the journal stores it; `shares` are its parts of discounts on the total."""
    return SaleLine(
        line=number,
        sku=line.sku,
        description=line.description,
        quantity_milli=line.quantity_milli,
        unit_price_e4=line.unit_price_e4,
        amount_minor=charged.amount_minor - (sum(share.amount_minor for share in shares) if shares else 0),
        tax_code=line.tax.code,
        unit=_EACH if line.unit == _EACH else line.unit,
        department=line.department,
        list_price_e4=line.list_price_e4,
        override_reason=line.override_reason,
        override_by=line.override_by,
        discounts=charged.discounts + shares,
        note=line.note,
        scanned_s=line.scanned_s,
        original=_original(line),
    )


def _original(line: BasketLine) -> OriginalLine | None:
    if line.origin:
        return OriginalLine(document=line.origin.document, line=line.origin.line)
    return OriginalLine(document=line.against, line=0) if line.against else None
