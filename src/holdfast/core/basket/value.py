"""The basket as a value, and the bounds that hold after every change of it."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from holdfast.core.basket.line import BasketLine, Charge, Reduction, charge, discount_of, sale_line
from holdfast.core.bounds import (
    AMOUNT_MINOR_MAX,
    LINES_BYTES_MAX,
    LINES_MAX,
    TAXES_MAX,
    id_refusal,
    text_refusal,
)
from holdfast.core.central.accounts import NUMBERED
from holdfast.core.central.at_till import Holds
from holdfast.core.ids import CustomerNumber, DocumentNumber, StaffId, TransactionId
from holdfast.core.money import CURRENCIES, Currency, RoundingRule, currency_of
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Tender
from holdfast.core.tax import TaxKey

Kind = Literal["sale", "return"]
"""Also the type of the entry that it becomes."""

_encoder = msgspec.json.Encoder()


class CodeBound(msgspec.Struct, frozen=True, kw_only=True):
    """The receipt that a return is against, where its signed code is all that is known of it (PO8)."""

    document: DocumentNumber
    total_minor: int
    came_back_minor: int
    """Of the total, before this return, as far as this register knows."""

    @property
    def left_minor(self) -> int:
        return self.total_minor - self.came_back_minor


class Basket(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One open transaction."""

    transaction: TransactionId
    currency: str
    began_at_ms: int
    by: StaffId = StaffId("")
    kind: Kind = "sale"
    rounding_rule: RoundingRule = "half-up"
    lines: tuple[BasketLine, ...] = ()
    voided_lines: tuple[BasketLine, ...] = ()
    total_reductions: tuple[Reduction, ...] = ()
    """Discounts on the total, taken after those on lines, in this order."""
    customer: CustomerNumber | None = None
    note: str = ""
    approved_by: StaffId = StaffId("")
    """The last manager who approved something in it."""
    tenders: tuple[Tender, ...] = ()
    """What the customer handed over so far, where it does not pay the whole yet."""
    holds: Holds = ()
    """Central value that this transaction holds, or asked for (GC2)."""
    by_code: CodeBound | None = None
    """On a return: what bounds it where goods come back on another register's receipt."""
    parameters: dict[str, bool | int | str | list[str]] = {}
    """Those that head office had set for a transaction that began then; it goes by them to its end (GC8)."""
    lines_bytes: int = 0
    """Encoded size of all lines without shares of total discounts; kept below the journal's bound."""

    @property
    def money(self) -> Currency:
        return CURRENCIES[self.currency]


def begin(
    transaction: TransactionId,
    currency: str,
    at_ms: int,
    by: StaffId,
    kind: Kind = "sale",
    rounding_rule: RoundingRule = "half-up",
    parameters: Mapping[str, bool | int | str | list[str]] = {},
) -> Basket | Refusal:
    """An empty basket."""
    found = currency_of(currency)
    if isinstance(found, Refusal):
        return found
    refusal = id_refusal("The transaction's id", transaction) or text_refusal("The staff id", by)
    return refusal or Basket(
        transaction=transaction,
        currency=currency,
        began_at_ms=at_ms,
        by=by,
        kind=kind,
        rounding_rule=rounding_rule,
        parameters=dict(parameters),
    )


def note_transaction(basket: Basket, note: str) -> Basket | Refusal:
    """Set the transaction's comment; empty takes it away."""
    return text_refusal("The comment", note) or msgspec.structs.replace(basket, note=note)


def set_customer(basket: Basket, customer: CustomerNumber | None) -> Basket | Refusal:
    """Name the customer, or nobody. What is held of one customer's is never left in another's sale."""
    if customer is not None and (refusal := id_refusal("The customer's number", customer)):
        return refusal
    if customer != basket.customer:
        for hold in basket.holds:
            if hold.kind not in NUMBERED and hold.account != customer:
                return Refusal(
                    "customer.held", f"Take the {hold.words} off first, then choose another customer."
                )
    return msgspec.structs.replace(basket, customer=customer)


def line_of(basket: Basket, line: int) -> BasketLine | Refusal:
    """The line with this id."""
    for found in basket.lines:
        if found.line == line:
            return found
    return Refusal("basket.no-line", f"Line {line} is not in this transaction, or was voided.")


def next_line(basket: Basket) -> int:
    return len(basket.lines) + len(basket.voided_lines) + 1


def with_line_added(basket: Basket, line: BasketLine) -> Basket | Refusal:
    """The basket with a new last line, inside all bounds."""
    if next_line(basket) > LINES_MAX:
        return _FULL
    if refusal := _tax_fits(basket, line.tax):
        return refusal
    charged = charge(line, basket.money, basket.rounding_rule)
    grown = msgspec.structs.replace(
        basket,
        lines=(*basket.lines, line),
        lines_bytes=basket.lines_bytes + _bytes_of(line, charged),
    )
    return _amount_refusal(charged) or size_refusal(grown) or grown


def with_line_replaced(basket: Basket, old: BasketLine, new: BasketLine) -> Basket | Refusal:
    """The basket with `new` in place of its line `old`, inside all bounds."""
    before = charge(old, basket.money, basket.rounding_rule)
    after = charge(new, basket.money, basket.rounding_rule)
    grown = msgspec.structs.replace(
        basket,
        lines=tuple(new if line is old else line for line in basket.lines),
        lines_bytes=basket.lines_bytes - _bytes_of(old, before) + _bytes_of(new, after),
    )
    return _amount_refusal(after) or size_refusal(grown) or grown


def _tax_fits(basket: Basket, tax: TaxKey) -> Refusal | None:
    """A sale has one rate per code, so that its lines need not repeat it; a return may have several."""
    if any(line.tax == tax for line in reversed(basket.lines)):
        return None
    others = {line.tax for line in basket.lines}
    if basket.kind == "sale" and any(other.code == tax.code for other in others):
        return Refusal(
            "basket.tax-changed",
            f"The tax of code {tax.code} changed since this sale began. Conclude or void it first.",
        )
    if len(others) >= TAXES_MAX:
        return Refusal("basket.taxes", "Too many different taxes. Conclude this transaction, then go on.")
    return None


def _bytes_of(line: BasketLine, charged: Charge) -> int:
    """Its size in the entry, with the comma. Its number there is at most as long as its id."""
    return len(_encoder.encode(sale_line(line, line.line, charged))) + 1


def size_refusal(basket: Basket) -> Refusal | None:
    """Why the basket would be too large an entry; None if it fits (P10)."""
    shares = [discount_of("total", given, AMOUNT_MINOR_MAX) for given in basket.total_reductions]
    share_bytes = len(_encoder.encode(shares)) + len(',"discounts":') if shares else 0
    lines = len(basket.lines) + len(basket.voided_lines)
    return _FULL if basket.lines_bytes + lines * share_bytes > LINES_BYTES_MAX else None


def _amount_refusal(charged: Charge) -> Refusal | None:
    if abs(charged.gross_minor) <= AMOUNT_MINOR_MAX:
        return None
    return Refusal("basket.amount", "The amount of this line is far too high. Check quantity and price.")


_FULL = Refusal(
    "basket.full", "This transaction is full. Conclude it, then go on in a new one; or remove long comments."
)
