"""Discounts on lines and on the total, and whether they need a manager (PO1)."""

import msgspec

from holdfast.core.basket.limits import UNLIMITED, Act, Limits, act_refusal, approval_needed, percent_text
from holdfast.core.basket.line import BasketLine, Reduction, charge, exceeds, reductions_minor
from holdfast.core.basket.value import Basket, line_of, size_refusal, with_line_replaced
from holdfast.core.bounds import DISCOUNTS_MAX, PERCENT_E2_WHOLE, text_refusal
from holdfast.core.money import plain_amount
from holdfast.core.refusals import Refusal
from holdfast.core.tax import added_tax_minor, tax_totals


def discount_line(
    basket: Basket, act: Act, line: int, *, percent_e2: int = 0, amount_minor: int = 0, reason: str = ""
) -> Basket | Refusal:
    """Take a percentage or an amount off a line, after the discounts it already has."""
    old = line_of(basket, line)
    if isinstance(old, Refusal):
        return old
    if old.origin:
        return FROM_RECEIPT
    given = _reduction(act, percent_e2, amount_minor, reason, len(old.reductions))
    if isinstance(given, Refusal):
        return given
    charged = charge(old, basket.money, basket.rounding_rule)
    if amount_minor > abs(charged.amount_minor):
        return _MORE_THAN_COST
    new = msgspec.structs.replace(old, reductions=(*old.reductions, given))
    return changed(basket, act, old, new)


def remove_line_discounts(basket: Basket, act: Act, line: int) -> Basket | Refusal:
    """Take all its own discounts off a line again."""
    old = line_of(basket, line)
    if isinstance(old, Refusal):
        return old
    return changed(basket, act, old, msgspec.structs.replace(old, reductions=()))


def discount_total(
    basket: Basket, act: Act, *, percent_e2: int = 0, amount_minor: int = 0, reason: str = ""
) -> Basket | Refusal:
    """Take a percentage or an amount off the whole sale; it is shared out over its lines.

    A percentage covers lines added later too. An amount is never more than what is sold.
    """
    if basket.kind != "sale":
        return Refusal("basket.is-return", "A return has no discount on its total. Give it on a line.")
    given = _reduction(act, percent_e2, amount_minor, reason, len(basket.total_reductions))
    if isinstance(given, Refusal):
        return given
    base_minor = reducible_minor(basket)
    before = sum(reductions_minor(basket.total_reductions, base_minor, basket.rounding_rule))
    if amount_minor > base_minor - before:
        return _MORE_THAN_COST
    reductions = (*basket.total_reductions, given)
    return total_within(msgspec.structs.replace(basket, total_reductions=reductions), act)


def remove_total_discounts(basket: Basket) -> Basket:
    """Take all discounts on the total away again."""
    return msgspec.structs.replace(basket, total_reductions=())


def reducible_minor(basket: Basket) -> int:
    """What discounts on the total are computed on: the sum of the lines after their own."""
    return sum(
        charge(line, basket.money, basket.rounding_rule).amount_minor
        for line in basket.lines
        if not line.hold
    )


def changed(basket: Basket, act: Act, old: BasketLine, new: BasketLine) -> Basket | Refusal:
    """`new` in place of `old`, if the limits still hold: less goods must not make a discount greater."""
    if old.hold:
        return HELD_LINE
    if basket.kind == "sale":
        limited = _line_within(basket, act, new)
        if isinstance(limited, Refusal):
            return limited
        if limited is not new:
            basket, new = msgspec.structs.replace(basket, approved_by=act.approved_by), limited
    replaced = with_line_replaced(basket, old, new)
    if isinstance(replaced, Refusal):
        return replaced
    if basket.kind == "return":
        return returned_within(basket, replaced, act)
    return total_within(replaced, act)


def _line_within(basket: Basket, act: Act, line: BasketLine) -> BasketLine | Refusal:
    gross_minor = charge(line, basket.money, basket.rounding_rule).gross_minor

    def is_within(limits: Limits) -> bool:
        return not exceeds(line.reductions, gross_minor, basket.rounding_rule, limits.line_discount_e2_max)

    if is_within(act.limits):
        return line
    what = f"A discount of over {percent_text(act.limits.line_discount_e2_max)} on a line"
    if refusal := approval_needed(act, what, is_within):
        return refusal
    return msgspec.structs.replace(line, reductions=_approved(line.reductions, act))


def total_within(basket: Basket, act: Act) -> Basket | Refusal:
    """The basket, if its discounts on the total are inside limits and bounds."""
    if not basket.total_reductions:
        return basket
    if refusal := size_refusal(basket):
        return refusal
    base_minor = reducible_minor(basket)

    def is_within(limits: Limits) -> bool:
        e2_max = limits.total_discount_e2_max
        return not exceeds(basket.total_reductions, base_minor, basket.rounding_rule, e2_max)

    if is_within(act.limits):
        return basket
    what = f"A discount of over {percent_text(act.limits.total_discount_e2_max)} on the total"
    if refusal := approval_needed(act, what, is_within):
        return refusal
    return msgspec.structs.replace(
        basket, total_reductions=_approved(basket.total_reductions, act), approved_by=act.approved_by
    )


def returned_within(before: Basket, after: Basket, act: Act) -> Basket | Refusal:
    """`after`, if so much may be brought back, with receipt and without (PO3); less always may."""
    if refusal := _over_code(before, after):
        return refusal
    if act.limits == UNLIMITED:  # spares a long return two sums at each line
        return after
    without, paid_out = _without_receipt_minor(after), _paid_out_minor(after)
    grows_without = without > _without_receipt_minor(before)
    grows = paid_out > _paid_out_minor(before)

    def is_within(limits: Limits) -> bool:
        return not (grows_without and without > limits.return_without_receipt_minor_max)

    def is_paid_within(limits: Limits) -> bool:
        return not (grows and paid_out > limits.refund_minor_max)

    approved = False
    for what, holds in (
        ("Bringing back so much without a receipt", is_within),
        ("Paying out so much", is_paid_within),
    ):
        if not holds(act.limits):
            if refusal := approval_needed(act, what, holds):
                return refusal
            approved = True
    return msgspec.structs.replace(after, approved_by=act.approved_by) if approved else after


def _over_code(before: Basket, after: Basket) -> Refusal | None:
    """Never more than was paid on the receipt whose code is known, whoever approves (PO8)."""
    if after.by_code is None:
        return None
    brought_minor = _paid_back_minor(after)
    if brought_minor <= after.by_code.left_minor or brought_minor <= _paid_back_minor(before):
        return None
    left = plain_amount(after.by_code.left_minor, after.money)
    return Refusal(
        "return.more-than-paid",
        f"On receipt {after.by_code.document} only {left} can still be paid back. Take less of it back.",
    )


def _paid_back_minor(basket: Basket) -> int:
    """With the taxes that come on top."""
    goods = [line for line in basket.lines if not line.hold]
    amounts = [charge(line, basket.money, basket.rounding_rule).amount_minor for line in goods]
    taxes = tax_totals(zip([line.tax for line in goods], amounts, strict=True), basket.rounding_rule)
    return -sum(amounts) - added_tax_minor(taxes)


def _without_receipt_minor(basket: Basket) -> int:
    return -sum(
        charge(line, basket.money, basket.rounding_rule).amount_minor
        for line in basket.lines
        if line.origin is None and not line.hold
    )


def _paid_out_minor(basket: Basket) -> int:
    return -sum(
        charge(line, basket.money, basket.rounding_rule).amount_minor
        for line in basket.lines
        if not line.hold
    )


def _reduction(
    act: Act, percent_e2: int, amount_minor: int, reason: str, already: int
) -> Reduction | Refusal:
    if already >= DISCOUNTS_MAX:
        return Refusal("basket.discounts", f"There are {already} discounts already. Remove them first.")
    if (percent_e2 > 0) == (amount_minor > 0) or min(percent_e2, amount_minor) < 0:
        return Refusal("basket.discount", "A discount is a percentage or an amount above zero. Enter one.")
    if percent_e2 > PERCENT_E2_WHOLE:
        return Refusal("basket.discount", "A discount is at most 100 %. Enter less.")
    if refusal := text_refusal("The reason", reason) or act_refusal(act):
        return refusal
    return Reduction(percent_e2=percent_e2, amount_minor=amount_minor, reason=reason, by=act.by)


def _approved(reductions: tuple[Reduction, ...], act: Act) -> tuple[Reduction, ...]:
    return tuple(
        given if given.approved_by else msgspec.structs.replace(given, approved_by=act.approved_by)
        for given in reductions
    )


FROM_RECEIPT = Refusal("return.price-of-receipt", "A line from a receipt comes back at what was paid for it.")
HELD_LINE = Refusal(
    "basket.held-line", "This line stays as it is: head office was asked for it. Take it off, and begin anew."
)
_MORE_THAN_COST = Refusal("basket.discount", "That is more than it costs. Enter less.")
