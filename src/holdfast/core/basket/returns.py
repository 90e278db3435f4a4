"""Goods coming back, with a receipt or without one (PO3)."""

import msgspec

from holdfast.core.basket.discounts import returned_within
from holdfast.core.basket.limits import Act
from holdfast.core.basket.line import BasketLine, Origin
from holdfast.core.basket.lines import more_than_sold, product_line, quantity_of, scanned_s
from holdfast.core.basket.value import Basket, CodeBound, next_line, with_line_added
from holdfast.core.bounds import reason_refusal
from holdfast.core.catalogue import Price, Product
from holdfast.core.ids import DocumentNumber
from holdfast.core.loyalty.points import Brought, Earned, earned_by
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Sale, SaleLine
from holdfast.core.tax import NO_TURNOVER, TaxKey, TaxRate


class Returnable(msgspec.Struct, frozen=True, kw_only=True):
    """A sold line, and how much of it can still come back as far as this register knows."""

    document: DocumentNumber
    currency: str
    sold: SaleLine
    tax: TaxKey
    """The tax that was charged, whatever the rate is by now."""
    remaining_milli: int
    remaining_minor: int
    earned: Earned | None = None
    """Points that the whole sale earned."""


def returnable(
    sale: Sale, line: int, returned_milli: int = 0, returned_minor: int = 0
) -> Returnable | Refusal:
    """Line `line` of a sale, less what came back before; both given as positive sums."""
    assert returned_milli >= 0, "what came back is a positive sum"
    sold = next((found for found in sale.lines if found.line == line), None)
    if sold is None:
        return Refusal("return.no-line", f"Receipt {sale.document} has no line {line}.")
    if sold.quantity_milli <= 0:
        return Refusal("return.of-return", f"Line {line} of {sale.document} is a return itself.")
    if sold.tax_code == NO_TURNOVER.code:
        return Refusal(
            "return.value", f"{sold.description} is no goods and does not come back. Pay it out instead."
        )
    remaining_milli = sold.quantity_milli - returned_milli
    if remaining_milli <= 0:
        return Refusal("return.nothing-left", f"All of line {line} of {sale.document} has come back already.")
    return Returnable(
        document=sale.document,
        currency=sale.currency,
        sold=sold,
        tax=_tax_charged(sale, sold.tax_code),
        remaining_milli=remaining_milli,
        remaining_minor=max(0, sold.amount_minor - returned_minor),
        earned=earned_by(sale),
    )


def _tax_charged(sale: Sale, code: str) -> TaxKey:
    """A sale has one rate per code; taken-over history may state none, and then none comes back."""
    for tax in sale.taxes:
        if tax.tax_code == code:
            return TaxKey(code, tax.rate_e6, tax.inclusive)
    return TaxKey(code, 0, True)


def add_return(
    basket: Basket, act: Act, found: Returnable, quantity_milli: int | None = None
) -> Basket | Refusal:
    """Bring back a sold line, or the positive quantity given of it, at what was paid for it."""
    if refusal := _cannot_return(basket) or _already_there(basket, found):
        return refusal
    if found.currency != basket.currency:
        return Refusal(
            "basket.other-currency", f"That receipt is in {found.currency}, this return in {basket.currency}."
        )
    wanted = found.remaining_milli if quantity_milli is None else quantity_milli
    quantity = quantity_of(found.sold.unit, wanted)
    if isinstance(quantity, Refusal):
        return quantity
    if quantity > found.remaining_milli:
        return more_than_sold(found.remaining_milli)
    grown = with_line_added(basket, _brought_line(basket, act, found, quantity))
    return grown if isinstance(grown, Refusal) else returned_within(basket, grown, act)


def brought(basket: Basket) -> Brought:
    """The receipts that the basket brings goods back of, with what each earned (LY4)."""
    return {line.origin.document: line.origin.earned for line in basket.lines if line.origin}


def _brought_line(basket: Basket, act: Act, found: Returnable, quantity_milli: int) -> BasketLine:
    sold = found.sold
    return BasketLine(
        line=next_line(basket),
        sku=sold.sku,
        description=sold.description,
        quantity_milli=-quantity_milli,
        unit_price_e4=sold.unit_price_e4,
        tax=found.tax,
        unit=sold.unit,
        department=sold.department,
        scanned_s=scanned_s(basket, act),
        origin=Origin(
            document=found.document,
            line=sold.line,
            remaining_milli=found.remaining_milli,
            remaining_minor=found.remaining_minor,
            discounts=sold.discounts,
            earned=found.earned,
        ),
    )


def add_return_without_receipt(
    basket: Basket,
    act: Act,
    product: Product,
    price: Price,
    tax: TaxRate,
    quantity_milli: int | None = None,
    *,
    reason: str,
) -> Basket | Refusal:
    """Bring back a product that no receipt names, at the price and tax in force; the reason is kept
    as the line's comment, and much of it needs a manager."""
    if refusal := _cannot_return(basket) or reason_refusal(reason):
        return refusal
    line = product_line(basket, act, product, price, tax, quantity_milli)
    if isinstance(line, Refusal):
        return line
    brought = msgspec.structs.replace(line, quantity_milli=-line.quantity_milli, note=reason)
    grown = with_line_added(basket, brought)
    return grown if isinstance(grown, Refusal) else returned_within(basket, grown, act)


def add_return_by_code(
    basket: Basket,
    act: Act,
    bound: CodeBound,
    product: Product,
    price: Price,
    tax: TaxRate,
    quantity_milli: int | None = None,
) -> Basket | Refusal:
    """Bring back a product on a receipt of which only the signed code is known (PO8).

    At the price and tax in force, with a manager where a return without receipt needs one, and never more
    than was paid on that receipt.
    """
    if refusal := _cannot_return(basket) or _other_code(basket, bound):
        return refusal
    line = product_line(basket, act, product, price, tax, quantity_milli)
    if isinstance(line, Refusal):
        return line
    brought = msgspec.structs.replace(line, quantity_milli=-line.quantity_milli, against=bound.document)
    grown = with_line_added(msgspec.structs.replace(basket, by_code=bound), brought)
    return grown if isinstance(grown, Refusal) else returned_within(basket, grown, act)


def _other_code(basket: Basket, bound: CodeBound) -> Refusal | None:
    if basket.by_code == bound or (basket.by_code is None and not basket.lines):
        return None
    return Refusal("return.other-receipt", "This return is for another receipt. Conclude or void it first.")


def _cannot_return(basket: Basket) -> Refusal | None:
    if basket.kind == "return":
        return None
    return Refusal("basket.is-sale", "This is a sale. Conclude or void it, then begin a return.")


def _already_there(basket: Basket, found: Returnable) -> Refusal | None:
    for line in basket.lines:
        if line.origin and (line.origin.document, line.origin.line) == (found.document, found.sold.line):
            return Refusal(
                "return.already-there",
                f"That is line {line.line} of this return. Change its quantity instead.",
            )
    return None
