"""The bodies of document entries: what a sale, a return, a void or an adjustment records.

These structs are both what pricing yields and what the journal stores, so nothing is
translated between basket and entry. Quantities are in thousandths of the unit
(`quantity_milli`), unit prices in ten-thousandths of the major unit (`unit_price_e4`), every
other amount in the currency's minor unit. A return carries negative quantities and amounts.
"""

import msgspec

from holdfast.core.ids import CustomerNumber, DocumentNumber, Sku, StaffId, TransactionId


class Discount(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What was taken off one line, by a line discount or its share of a total discount."""

    kind: str
    """`line` or `total`."""
    amount_minor: int
    """Positive: taken off. On a return line negative, as all amounts are."""
    percent_e2: int = 0
    """Hundredths of a percent where the discount was given as a percentage."""
    reason: str = ""
    by: StaffId = StaffId("")


class OriginalLine(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The sold line that a return line brings back (PO3)."""

    document: DocumentNumber
    line: int


class SaleLine(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One line as it was charged. The text is the receipt's: catalogues change later."""

    line: int
    """From 1, gapless within the document."""
    sku: Sku
    description: str
    quantity_milli: int
    unit_price_e4: int
    """Charged price of one unit before discounts; equals the list price unless overridden."""
    amount_minor: int
    """quantity × price, rounded by the document's rule, less discounts."""
    tax_code: str
    unit: str = "each"
    department: str = ""
    list_price_e4: int | None = None
    """Set only where the price was overridden."""
    override_reason: str = ""
    override_by: StaffId = StaffId("")
    discounts: tuple[Discount, ...] = ()
    note: str = ""
    scanned_s: int = 0
    """Whole seconds from the transaction's beginning to this line."""
    original: OriginalLine | None = None


class TaxTotal(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Tax of one code over the document, computed on the sum of its lines."""

    tax_code: str
    rate_e6: int
    """Millionths: 20 % is 200,000."""
    inclusive: bool
    net_minor: int
    tax_minor: int


class Tender(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One payment. Change stands as its own tender of kind `change`, negative."""

    kind: str
    """`cash`, `change`, `foreign_cash`; others arrive with their subjects. `imported` for history."""
    amount_minor: int
    """In the document's currency, also of what was given in another."""
    reference: str = ""
    foreign_currency: str = ""
    """What was handed over where that is not the document's currency; else empty."""
    foreign_minor: int = 0
    """How much of it, in its own minor units."""
    rate_e8: int = 0
    """Hundred-millionths of the document's currency for one unit of the foreign one."""


class ExternalDocument(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The document of another system that this one stands for (history taken over).

    `reference` is unique in the chain per entry type: entering it again is no operation.
    """

    reference: str
    business_date: str
    """ISO date. The document's own; a later re-entry keeps it though the register's day moved on."""
    country: str = ""


class Sale(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Body of the entry types `sale` and `return`, version 1."""

    document: DocumentNumber
    transaction: TransactionId
    currency: str
    lines: tuple[SaleLine, ...]
    taxes: tuple[TaxTotal, ...]
    tenders: tuple[Tender, ...]
    total_minor: int
    """What was due before cash rounding; Σ tenders = total + rounding."""
    began_at_ms: int
    rounding_minor: int = 0
    """Added to the total to reach the smallest coin, where paid in cash."""
    rounding_rule: str = "half-up"
    by: StaffId = StaffId("")
    approved_by: StaffId = StaffId("")
    customer: CustomerNumber | None = None
    voided_lines: tuple[SaleLine, ...] = ()
    note: str = ""
    external: ExternalDocument | None = None


class TransactionVoided(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Body of `transaction_voided`, version 1: a basket given up; it takes no number."""

    transaction: TransactionId
    currency: str
    lines: tuple[SaleLine, ...]
    began_at_ms: int
    reason: str
    by: StaffId = StaffId("")
    approved_by: StaffId = StaffId("")
    given_back: tuple[Tender, ...] = ()
    """What had been taken of a payment in parts."""


class StockLine(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A movement of stock outside a sale; negative takes off the shelf."""

    line: int
    sku: Sku
    quantity_milli: int
    description: str = ""
    unit_price_e4: int = 0


class StockAdjusted(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Body of `stock_adjusted`, version 1: write-off, count difference, correction."""

    document: DocumentNumber
    reason: str
    lines: tuple[StockLine, ...]
    at_ms: int
    by: StaffId = StaffId("")
    customer: CustomerNumber | None = None
    external: ExternalDocument | None = None


class AccountAdjusted(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Body of `account_adjusted`, version 1: value without goods, such as a bad debt."""

    document: DocumentNumber
    reason: str
    currency: str
    lines: tuple[StockLine, ...]
    amount_minor: int
    at_ms: int
    by: StaffId = StaffId("")
    customer: CustomerNumber | None = None
    external: ExternalDocument | None = None
