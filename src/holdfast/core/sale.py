"""The bodies of document entries: what a sale, a return, a void or an adjustment records.

These structs are both what pricing yields and what the journal stores, so nothing is
translated between basket and entry. Quantities are in thousandths of the unit
(`quantity_milli`), unit prices in ten-thousandths of the major unit (`unit_price_e4`), every
other amount in the currency's minor unit. A return carries negative quantities and amounts.

What no database could store does not decode. `gc=False`: no body refers to itself, and the
collector would otherwise walk thousands of them in every batch.
"""

from typing import Annotated

import msgspec

from holdfast.core.bounds import Int64, Key, Text
from holdfast.core.central.accounts import HoldKey
from holdfast.core.central.entries import HOLDS_MAX, MOVEMENTS_MAX, ValueMovement
from holdfast.core.ids import CustomerNumber, DocumentNumber, Sku, StaffId, TransactionId


class Discount(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """What was taken off one line, by a line discount or its share of a total discount."""

    kind: str
    """`line` or `total`."""
    amount_minor: Int64
    """Positive: taken off. On a return line negative, as all amounts are."""
    percent_e2: Int64 = 0
    """Hundredths of a percent where the discount was given as a percentage."""
    reason: str = ""
    by: StaffId = StaffId("")


class OriginalLine(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """The sold line that a return line brings back (PO3)."""

    document: Annotated[DocumentNumber, msgspec.Meta(max_length=256)]
    line: Int64
    """0: one of that receipt's, nobody knows which; only its signed code was there."""


class SaleLine(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """One line as it was charged. The text is the receipt's: catalogues change later."""

    line: Int64
    """From 1, gapless within the document."""
    sku: Annotated[Sku, msgspec.Meta(max_length=256)]
    description: Text
    quantity_milli: Int64
    unit_price_e4: Int64
    """Charged price of one unit before discounts; equals the list price unless overridden."""
    amount_minor: Int64
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
    scanned_s: Int64 = 0
    """Whole seconds from the transaction's beginning to this line."""
    original: OriginalLine | None = None


class TaxTotal(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """Tax of one code over the document, computed on the sum of its lines."""

    tax_code: str
    rate_e6: Int64
    """Millionths: 20 % is 200,000."""
    inclusive: bool
    net_minor: Int64
    tax_minor: Int64


class OriginalTender(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """The tender of a receipt that a refund goes back to (PO3)."""

    document: Annotated[DocumentNumber, msgspec.Meta(max_length=256)]
    tender: Int64
    """Its place on the receipt, from 1."""


class Tender(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """One payment. Change stands as its own tender of kind `change`, negative."""

    kind: str
    """`cash`, `change`, `foreign_cash`, `card_standalone`; others arrive with their subjects. `imported` for
    history."""
    amount_minor: Int64
    """In the document's currency, also of what was given in another."""
    reference: str = ""
    """Of a card, what the terminal's slip says; of cash, why it is paid out in a card's place."""
    foreign_currency: str = ""
    """What was handed over where that is not the document's currency; else empty."""
    foreign_minor: Int64 = 0
    """How much of it, in its own minor units."""
    rate_e8: Int64 = 0
    """Hundred-millionths of the document's currency for one unit of the foreign one."""
    original: OriginalTender | None = None
    """On a refund to a card: the payment that it goes back to."""
    hold: HoldKey = HoldKey("")
    """Of central value: the till's hold that it is paid under."""
    points: Int64 = 0
    """Of points: how many pay this amount."""


class ExternalDocument(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """The document of another system that this one stands for (history taken over).

    `reference` is unique in the chain per entry type: entering it again is no operation.
    """

    reference: Key
    business_date: str
    """ISO date. The document's own; a later re-entry keeps it though the register's day moved on."""
    country: str = ""


class Sale(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """Body of the entry types `sale` and `return`, version 1."""

    document: Annotated[DocumentNumber, msgspec.Meta(max_length=256)]
    transaction: TransactionId
    currency: str
    lines: tuple[SaleLine, ...]
    taxes: tuple[TaxTotal, ...]
    tenders: tuple[Tender, ...]
    total_minor: Int64
    """What was due before cash rounding; Σ tenders = total + rounding."""
    began_at_ms: Int64
    rounding_minor: Int64 = 0
    """Added to the total to reach the smallest coin, where paid in cash."""
    rounding_rule: str = "half-up"
    by: StaffId = StaffId("")
    approved_by: StaffId = StaffId("")
    customer: CustomerNumber | None = None
    voided_lines: tuple[SaleLine, ...] = ()
    note: str = ""
    external: ExternalDocument | None = None
    values: Annotated[tuple[ValueMovement, ...], msgspec.Meta(max_length=MOVEMENTS_MAX)] = ()
    """What it does to gift cards, memos, points and customers' accounts."""


class TransactionVoided(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """Body of `transaction_voided`, version 1: a basket given up; it takes no number."""

    transaction: TransactionId
    currency: str
    lines: tuple[SaleLine, ...]
    began_at_ms: Int64
    reason: str
    by: StaffId = StaffId("")
    approved_by: StaffId = StaffId("")
    given_back: tuple[Tender, ...] = ()
    """What had been taken of a payment in parts."""
    held: Annotated[tuple[HoldKey, ...], msgspec.Meta(max_length=HOLDS_MAX)] = ()
    """Keys of central value that it gives up (GC3)."""


class StockLine(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """A movement of stock outside a sale; negative takes off the shelf."""

    line: Int64
    sku: Annotated[Sku, msgspec.Meta(max_length=256)]
    quantity_milli: Int64
    description: Text = ""
    unit_price_e4: Int64 = 0


class StockAdjusted(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """Body of `stock_adjusted`, version 1: write-off, count difference, correction."""

    document: Annotated[DocumentNumber, msgspec.Meta(max_length=256)]
    reason: str
    lines: tuple[StockLine, ...]
    at_ms: Int64
    by: StaffId = StaffId("")
    customer: CustomerNumber | None = None
    external: ExternalDocument | None = None
    note: Text = ""
    approved_by: StaffId = StaffId("")


class AccountAdjusted(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """Body of `account_adjusted`, version 1: value without goods, such as a bad debt."""

    document: Annotated[DocumentNumber, msgspec.Meta(max_length=256)]
    reason: str
    currency: str
    lines: tuple[StockLine, ...]
    amount_minor: Int64
    at_ms: Int64
    by: StaffId = StaffId("")
    customer: CustomerNumber | None = None
    external: ExternalDocument | None = None
