"""Discounts on lines and on the total, and whether they need a manager (PO1)."""

import msgspec

from holdfast.core.basket.limits import Act, act_refusal, needs_manager, percent_text
from holdfast.core.basket.line import BasketLine, Reduction, charge, exceeds, reductions_minor
from holdfast.core.basket.value import Basket, line_of, size_refusal, with_line_replaced
from holdfast.core.bounds import AMOUNT_MINOR_MAX, DISCOUNTS_MAX, LINES_MAX, PERCENT_E2_WHOLE, text_refusal
from holdfast.core.refusals import Refusal


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
    return sum(charge(line, basket.money, basket.rounding_rule).amount_minor for line in basket.lines)


def changed(basket: Basket, act: Act, old: BasketLine, new: BasketLine) -> Basket | Refusal:
    """`new` in place of `old`, if the limits still hold: less goods must not make a discount greater."""
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
    e2_max = act.limits.line_discount_e2_max
    if not exceeds(line.reductions, gross_minor, basket.rounding_rule, e2_max):
        return line
    if not act.approved_by:
        return needs_manager(f"A discount of over {percent_text(e2_max)} on a line")
    return msgspec.structs.replace(line, reductions=_approved(line.reductions, act))


def total_within(basket: Basket, act: Act) -> Basket | Refusal:
    """The basket, if its discounts on the total are inside limits and bounds."""
    if not basket.total_reductions:
        return basket
    if refusal := size_refusal(basket):
        return refusal
    e2_max = act.limits.total_discount_e2_max
    if not exceeds(basket.total_reductions, reducible_minor(basket), basket.rounding_rule, e2_max):
        return basket
    if not act.approved_by:
        return needs_manager(f"A discount of over {percent_text(e2_max)} on the total")
    return msgspec.structs.replace(
        basket, total_reductions=_approved(basket.total_reductions, act), approved_by=act.approved_by
    )


def returned_within(before: Basket, after: Basket, act: Act) -> Basket | Refusal:
    """`after`, if what it brings back without receipt may be (PO3); bringing back less always may."""
    limit_minor = act.limits.return_without_receipt_minor_max
    if limit_minor >= LINES_MAX * AMOUNT_MINOR_MAX:  # spares a long return a sum at each line
        return after
    brought_minor = _without_receipt_minor(after)
    if brought_minor <= limit_minor or brought_minor <= _without_receipt_minor(before):
        return after
    if not act.approved_by:
        return needs_manager("Bringing back so much without a receipt")
    return msgspec.structs.replace(after, approved_by=act.approved_by)


def _without_receipt_minor(basket: Basket) -> int:
    return -sum(
        charge(line, basket.money, basket.rounding_rule).amount_minor
        for line in basket.lines
        if line.origin is None
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
_MORE_THAN_COST = Refusal("basket.discount", "That is more than it costs. Enter less.")
