"""What holds of every concluded document: asserted where one is made, checkable wherever one is read.

Each check is a small function with a name, and gives what is wrong rather than raising, so
that one wrong document hides nothing in another.
"""

from collections.abc import Callable

from holdfast.core.foreign_cash import is_foreign_in_order
from holdfast.core.money import CURRENCIES, ROUNDING_RULES, RoundingRule, line_amount_minor
from holdfast.core.sale import Sale

_RULES: dict[str, RoundingRule] = {rule: rule for rule in ROUNDING_RULES}


def lines_are_numbered(sale: Sale) -> bool:
    """From 1 without gaps; voided lines are numbered on after the others."""
    numbers = [line.line for line in (*sale.lines, *sale.voided_lines)]
    return bool(sale.lines) and numbers == list(range(1, len(numbers) + 1))


def lines_go_one_way(sale: Sale) -> bool:
    """A document sells or brings back: no line moves nothing, and none moves the other way."""
    ways = {(line.quantity_milli > 0) - (line.quantity_milli < 0) for line in sale.lines}
    return len(ways) <= 1 and 0 not in ways


def amounts_are_quantity_times_price(sale: Sale) -> bool:
    """Each amount is quantity × price, rounded by the document's rule, less the line's discounts."""
    currency = CURRENCIES.get(sale.currency)
    rule = _RULES.get(sale.rounding_rule)
    if currency is None or rule is None:
        return False
    for line in sale.lines:
        gross_minor = line_amount_minor(line.quantity_milli, line.unit_price_e4, currency, rule)
        for discount in line.discounts:
            gross_minor -= discount.amount_minor
        if line.amount_minor != gross_minor:
            return False
    return True


def taxes_cover_the_lines(sale: Sale) -> bool:
    """By tax code, Σ line amounts = Σ net, plus the tax where prices contain it."""
    by_code: dict[str, int] = {}
    for line in sale.lines:
        by_code[line.tax_code] = by_code.get(line.tax_code, 0) + line.amount_minor
    for tax in sale.taxes:
        covered_minor = tax.net_minor + (tax.tax_minor if tax.inclusive else 0)
        by_code[tax.tax_code] = by_code.get(tax.tax_code, 0) - covered_minor
    return not any(by_code.values())


def total_is_lines_and_added_tax(sale: Sale) -> bool:
    """Σ line amounts + exclusive tax = total."""
    added = sum([tax.tax_minor for tax in sale.taxes if not tax.inclusive])
    return sum([line.amount_minor for line in sale.lines]) + added == sale.total_minor


def tenders_pay_the_total(sale: Sale) -> bool:
    """Σ tenders = total + rounding."""
    return sum([tender.amount_minor for tender in sale.tenders]) == sale.total_minor + sale.rounding_minor


def foreign_cash_is_worth_its_rate(sale: Sale) -> bool:
    """Each foreign amount × its rate, rounded by the document's rule, is what it counted as."""
    rule = _RULES.get(sale.rounding_rule, "half-up")
    return all(is_foreign_in_order(tender, sale.currency, rule) for tender in sale.tenders)


INVARIANTS: tuple[Callable[[Sale], bool], ...] = (
    lines_are_numbered,
    lines_go_one_way,
    amounts_are_quantity_times_price,
    taxes_cover_the_lines,
    total_is_lines_and_added_tax,
    tenders_pay_the_total,
    foreign_cash_is_worth_its_rate,
)


def broken_invariants(sale: Sale) -> list[str]:
    """Names of the invariants that do not hold; empty for a document in order."""
    return [check.__name__ for check in INVARIANTS if not check(sale)]
