"""The basket: the open transaction at a register, as a value, and what may be done to it.

Every operation takes a basket and gives back another, or a `Refusal` and nothing has changed.
The register keeps the value on disk at each step; it survives a round trip through JSON. A
basket is a sale or a return, never both, as the journal's documents are (PO1, PO2, PO3).
"""

from holdfast.core.basket.discounts import (
    discount_line,
    discount_total,
    reducible_minor,
    remove_line_discounts,
    remove_total_discounts,
)
from holdfast.core.basket.limits import UNLIMITED, Act, Limits
from holdfast.core.basket.line import BasketLine, Charge, Origin, Reduction, charge
from holdfast.core.basket.lines import add_product, change_quantity, note_line, override_price, void_line
from holdfast.core.basket.returns import (
    Returnable,
    add_return,
    add_return_by_code,
    add_return_without_receipt,
    brought,
    returnable,
)
from holdfast.core.basket.value import Basket, CodeBound, Kind, begin, line_of, note_transaction, set_customer

__all__ = [
    "UNLIMITED",
    "Act",
    "Basket",
    "BasketLine",
    "Charge",
    "CodeBound",
    "Kind",
    "Limits",
    "Origin",
    "Reduction",
    "Returnable",
    "add_product",
    "add_return",
    "add_return_by_code",
    "add_return_without_receipt",
    "begin",
    "brought",
    "change_quantity",
    "charge",
    "discount_line",
    "discount_total",
    "line_of",
    "note_line",
    "note_transaction",
    "override_price",
    "reducible_minor",
    "remove_line_discounts",
    "remove_total_discounts",
    "returnable",
    "set_customer",
    "void_line",
]
