"""Taxes: rates in force by business date, and the tax of a document (PO1).

Tax is computed once per tax on the sum of its lines, not line by line, so that a receipt's
tax is what its printed totals say. Rounding is odd about zero: a return of all that was
sold brings back exactly the tax that was charged (PO3).
"""

from collections.abc import Iterable

import msgspec

from holdfast.core.bounds import RATE_E6_MAX, RATE_E6_WHOLE, id_refusal, text_refusal
from holdfast.core.money import RoundingRule, round_ratio
from holdfast.core.refusals import Refusal
from holdfast.core.sale import TaxTotal


class TaxRate(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the tax feed: the rate of a code from a business date on."""

    code: str
    name: str
    rate_e6: int
    """Millionths: 20 % is 200,000, and 8.875 % is 88,750."""
    inclusive: bool
    """Whether prices contain the tax."""
    valid_from: str
    """ISO date; in force until a later row of the same code begins."""

    @property
    def key(self) -> "TaxKey":
        return TaxKey(self.code, self.rate_e6, self.inclusive)


class TaxKey(msgspec.Struct, frozen=True, array_like=True):
    """What tells one tax of a document from another: returns may bring back a former rate."""

    code: str
    rate_e6: int
    inclusive: bool


NO_TURNOVER = TaxKey("central-value", 0, True)
"""Of lines that sell or pay out central value: a gift card is a voucher for goods yet unknown, so it is no
supply, bears no tax and is no turnover until it pays for some (decision 0032). No feed has this code."""


def tax_on(rates: Iterable[TaxRate], code: str, business_date: str) -> TaxRate | Refusal:
    """The rate of `code` in force on a business date; of two rows of one date the later in `rates`."""
    found: TaxRate | None = None
    for rate in rates:
        begun = rate.code == code and rate.valid_from <= business_date
        if begun and (found is None or rate.valid_from >= found.valid_from):
            found = rate
    return found or Refusal(
        "tax.no-rate", f"No tax rate of code {code[:40]!r} is in force on {business_date}. Tell head office."
    )


def tax_refusal(tax: TaxKey) -> Refusal | None:
    """Why this tax cannot be charged; None if it can."""
    if refusal := id_refusal("The tax code", tax.code):
        return refusal
    if not 0 <= tax.rate_e6 <= RATE_E6_MAX:
        return Refusal(
            "tax.out-of-range", f"The rate of tax code {tax.code!r} is out of range. Tell head office."
        )
    return None


def tax_rate_refusal(rate: TaxRate) -> Refusal | None:
    """Why this row of a feed cannot be taken in; None if it can."""
    return tax_refusal(rate.key) or text_refusal("The name of the tax", rate.name)


def tax_total(tax: TaxKey, lines_minor: int, rule: RoundingRule) -> TaxTotal:
    """Net and tax of the sum of one tax's lines, rounded once."""
    if tax.inclusive:
        tax_minor = round_ratio(lines_minor * tax.rate_e6, RATE_E6_WHOLE + tax.rate_e6, rule)
        net_minor = lines_minor - tax_minor
    else:
        tax_minor = round_ratio(lines_minor * tax.rate_e6, RATE_E6_WHOLE, rule)
        net_minor = lines_minor
    return TaxTotal(
        tax_code=tax.code,
        rate_e6=tax.rate_e6,
        inclusive=tax.inclusive,
        net_minor=net_minor,
        tax_minor=tax_minor,
    )


def tax_totals(lines: Iterable[tuple[TaxKey, int]], rule: RoundingRule) -> tuple[TaxTotal, ...]:
    """The taxes of (tax, line amount in minor units), in the order in which they first occur."""
    sums: dict[TaxKey, int] = {}
    for tax, amount_minor in lines:
        sums[tax] = sums.get(tax, 0) + amount_minor
    return tuple(tax_total(tax, total, rule) for tax, total in sums.items())


def added_tax_minor(taxes: Iterable[TaxTotal]) -> int:
    """Tax that comes on top of the lines: that of exclusive rates."""
    return sum(tax.tax_minor for tax in taxes if not tax.inclusive)
