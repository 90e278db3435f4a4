"""What is done to a basket's lines: sell, change the quantity, override the price, void (PO1, PO2)."""

import msgspec

from holdfast.core.basket.discounts import FROM_RECEIPT, changed, total_within
from holdfast.core.basket.limits import Act, Limits, act_refusal, approval_needed, percent_text
from holdfast.core.basket.line import BasketLine
from holdfast.core.basket.value import Basket, line_of, next_line, with_line_added, with_line_replaced
from holdfast.core.bounds import PERCENT_E2_WHOLE, QUANTITY_MILLI_MAX, reason_refusal, text_refusal
from holdfast.core.catalogue import Price, Product, price_refusal, product_refusal
from holdfast.core.ids import StaffId
from holdfast.core.money import plain_decimal
from holdfast.core.refusals import Refusal
from holdfast.core.tax import TaxRate, tax_refusal

_SCANNED_S_MAX = 10_000_000


def add_product(
    basket: Basket, act: Act, product: Product, price: Price, tax: TaxRate, quantity_milli: int | None = None
) -> Basket | Refusal:
    """Sell a product at the price and tax in force; one piece, or the weight that is given."""
    if basket.kind != "sale":
        return Refusal("basket.is-return", "This is a return. Conclude or void it, then sell in a new one.")
    line = product_line(basket, act, product, price, tax, quantity_milli)
    return line if isinstance(line, Refusal) else with_line_added(basket, line)


def product_line(
    basket: Basket, act: Act, product: Product, price: Price, tax: TaxRate, quantity_milli: int | None
) -> BasketLine | Refusal:
    """A line of this product with a positive quantity, not yet in the basket."""
    assert price.sku == product.sku, "a product is sold at its own price"
    assert tax.code == product.tax_code, "a product is sold with its own tax"
    if price.currency != basket.currency:
        return Refusal(
            "basket.other-currency",
            f"The price is in {price.currency[:10]}, this sale in {basket.currency}. Tell head office.",
        )
    refusal = product_refusal(product) or price_refusal(price.unit_price_e4) or tax_refusal(tax.key)
    if refusal:
        return refusal
    quantity = quantity_of(product.unit, quantity_milli)
    if isinstance(quantity, Refusal):
        return quantity
    return BasketLine(
        line=next_line(basket),
        sku=product.sku,
        description=product.description,
        quantity_milli=quantity,
        unit_price_e4=price.unit_price_e4,
        tax=tax.key,
        unit=product.unit,
        department=product.department,
        scanned_s=scanned_s(basket, act),
    )


def quantity_of(unit: str, quantity_milli: int | None) -> int | Refusal:
    """The quantity to sell or bring back, positive; a weight must be given, pieces are whole."""
    if quantity_milli is None:
        if unit == "kg":
            return Refusal("basket.weight-needed", "This product is weighed. Put it on the scale.")
        return 1_000
    if quantity_milli <= 0:
        return Refusal(
            "basket.quantity",
            "A quantity is more than zero. To take a line off, void it; to take goods back, begin a return.",
        )
    if quantity_milli > QUANTITY_MILLI_MAX:
        return Refusal("basket.quantity", "That quantity is far too high. Check it.")
    if unit != "kg" and quantity_milli % 1_000:
        return Refusal("basket.whole-pieces", "This product is sold in whole pieces. Enter a whole number.")
    return quantity_milli


def scanned_s(basket: Basket, act: Act) -> int:
    """Seconds since the beginning; 0 where the clock was set back in between."""
    return min(max(0, (act.at_ms - basket.began_at_ms) // 1_000), _SCANNED_S_MAX)


def change_quantity(basket: Basket, act: Act, line: int, quantity_milli: int) -> Basket | Refusal:
    """Set a line's quantity; given as a positive number on a return too."""
    old = line_of(basket, line)
    if isinstance(old, Refusal):
        return old
    quantity = quantity_of(old.unit, quantity_milli)
    if isinstance(quantity, Refusal):
        return quantity
    if old.origin and quantity > old.origin.remaining_milli:
        return more_than_sold(old.origin.remaining_milli)
    signed = -quantity if basket.kind == "return" else quantity
    return changed(basket, act, old, msgspec.structs.replace(old, quantity_milli=signed))


def more_than_sold(remaining_milli: int) -> Refusal:
    """PO3: never more than was sold where it can be known."""
    left = plain_decimal(remaining_milli, 3).rstrip("0").rstrip(".")
    return Refusal("return.more-than-sold", f"Only {left} of this line can still be brought back.")


def override_price(basket: Basket, act: Act, line: int, unit_price_e4: int, reason: str) -> Basket | Refusal:
    """Charge another price for a line; setting the list price again undoes it."""
    old = line_of(basket, line)
    if isinstance(old, Refusal):
        return old
    if old.origin:
        return FROM_RECEIPT
    if refusal := price_refusal(unit_price_e4) or reason_refusal(reason) or act_refusal(act):
        return refusal
    list_e4 = old.unit_price_e4 if old.list_price_e4 is None else old.list_price_e4
    if unit_price_e4 == list_e4:
        new = msgspec.structs.replace(
            old, unit_price_e4=list_e4, list_price_e4=None, override_reason="", override_by=StaffId("")
        )
        return changed(basket, act, old, new)
    against_e4 = list_e4 - unit_price_e4 if basket.kind == "sale" else unit_price_e4 - list_e4

    def is_within(limits: Limits) -> bool:
        return against_e4 * PERCENT_E2_WHOLE <= list_e4 * limits.override_e2_max

    if not is_within(act.limits):
        what = f"Moving a price by over {percent_text(act.limits.override_e2_max)}"
        if refusal := approval_needed(act, what, is_within):
            return refusal
        basket = msgspec.structs.replace(basket, approved_by=act.approved_by)
    new = msgspec.structs.replace(
        old,
        unit_price_e4=unit_price_e4,
        list_price_e4=list_e4,
        override_reason=reason,
        override_by=act.by,
    )
    return changed(basket, act, old, new)


def note_line(basket: Basket, line: int, note: str) -> Basket | Refusal:
    """Set a line's comment; empty takes it away."""
    old = line_of(basket, line)
    if isinstance(old, Refusal):
        return old
    if refusal := text_refusal("The comment", note):
        return refusal
    return with_line_replaced(basket, old, msgspec.structs.replace(old, note=note))


def void_line(basket: Basket, act: Act, line: int) -> Basket | Refusal:
    """End a line without effect; it stays on record (PO2)."""
    old = line_of(basket, line)
    if isinstance(old, Refusal):
        return old
    lines = tuple(kept for kept in basket.lines if kept is not old)
    voided = (*basket.voided_lines, old)
    return total_within(msgspec.structs.replace(basket, lines=lines, voided_lines=voided), act)
