"""The catalogue: products, and their prices by business date (PO1).

Rows are there before they count: a price with a later date is known to the register today
and used from that business date on, connected or not.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from holdfast.core.bounds import PRICE_E4_MAX, id_refusal, text_refusal
from holdfast.core.ids import Sku
from holdfast.core.refusals import Refusal

Unit = Literal["each", "kg"]
"""`each` is counted in whole pieces, `kg` is weighed."""

BARCODES_MAX = 50


class Product(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One row of the catalogue feed."""

    sku: Sku
    description: str
    """What screen and receipt say."""
    tax_code: str
    unit: Unit = "each"
    department: str = ""
    barcodes: tuple[str, ...] = ()
    """Each as the scanner reads it; leading zeros count."""


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the price feed: what a unit costs from a business date on."""

    sku: Sku
    unit_price_e4: int
    currency: str
    valid_from: str
    """ISO date; in force until a later row of the same product and currency begins."""


def price_on(prices: Iterable[Price], sku: Sku, currency: str, business_date: str) -> Price | Refusal:
    """The price in force on a business date; of two rows of one date the later in `prices`."""
    found: Price | None = None
    for price in prices:
        begun = price.sku == sku and price.currency == currency and price.valid_from <= business_date
        if begun and (found is None or price.valid_from >= found.valid_from):
            found = price
    return found or Refusal(
        "catalogue.no-price",
        f"Product {sku[:40]} has no price in {currency[:10]} on {business_date}. Tell head office.",
    )


def product_refusal(product: Product) -> Refusal | None:
    """Why this product cannot be sold, or taken in by a feed; None if it can."""
    if len(product.barcodes) > BARCODES_MAX:
        return Refusal(
            "catalogue.barcodes",
            f"Product {product.sku[:40]!r} has over {BARCODES_MAX} barcodes. Remove some.",
        )
    refusals = [
        id_refusal("The stock code", product.sku),
        text_refusal("The description", product.description),
        id_refusal("The tax code", product.tax_code),
        text_refusal("The department", product.department),
        *(id_refusal("A barcode", barcode) for barcode in product.barcodes),
    ]
    return next((refusal for refusal in refusals if refusal), None)


def price_refusal(unit_price_e4: int) -> Refusal | None:
    """Why nothing can be sold at this price; None if it can. Zero is a price: a gift."""
    if 0 <= unit_price_e4 <= PRICE_E4_MAX:
        return None
    return Refusal("catalogue.price-out-of-range", "That price is below zero or far too high. Check it.")
