"""What a cashier can do at the till, one method an act; each answers from the local database (P5).

Acts are done one at a time, so that two taps in a row are two acts in order. A `Refusal` changed nothing.
"""

import re
import threading
from collections.abc import Callable
from typing import TypeVar

import msgspec

from holdfast.core import basket as baskets
from holdfast.core.basket import Act, Basket, CodeBound, Kind
from holdfast.core.basket.suspended import Suspended
from holdfast.core.business_day import DayClosed, DayOpened, day_required
from holdfast.core.central.at_till import TillHold
from holdfast.core.customers import CustomerRow, Details
from holdfast.core.foreign_cash import CurrencyRate, foreign_due_minor, foreign_tender
from holdfast.core.ids import CustomerNumber, DocumentNumber, Sku, StaffId, TransactionId
from holdfast.core.journal.bodies import ReceiptReprinted
from holdfast.core.loyalty.parameters import IN_USE
from holdfast.core.money import CURRENCIES, parse_decimal, parse_e4, parse_milli, parse_minor
from holdfast.core.parameters import BEGUN_WITH
from holdfast.core.pricing import Priced as PricedBasket
from holdfast.core.receipt.code import (
    CODE_CHARS_MAX,
    ReceiptFacts,
    looks_like_code,
    read_code,
    returns_refusal,
    used,
)
from holdfast.core.receipt.issued import Issued
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Sale, Tender, TransactionVoided
from holdfast.core.tender import CASH, Due, Till, due, foreign_change_refusal
from holdfast.core.work_mode import Work, WorkModeChanged
from holdfast.register.checkout import AlreadyRecorded, Checkout, Document, DocumentRow
from holdfast.register.receipts.codes import ReceiptCodes
from holdfast.register.web.messages import say
from holdfast.register.web.shelf import Offer, Priced, Shelf

_TIMES = re.compile(r"\s*([0-9]+(?:[.,][0-9]{1,3})?)\s*[*×x]\s*(\S.*)", re.IGNORECASE)
_DOCUMENT = re.compile(r"\s*(\S+-[0-9A-HJKMNP-TV-Z]{5}-[0-9]{6,12})\s*\Z", re.IGNORECASE)

T = TypeVar("T")


class Found(msgspec.Struct, frozen=True):
    """No single product is meant: these may be."""

    offers: list[Offer]
    quantity: str = ""


class Weigh(msgspec.Struct, frozen=True):
    """The product is sold by weight, and nobody has said how much."""

    offer: Offer


class ShowReceipt(msgspec.Struct, frozen=True):
    """What was scanned is the number of a receipt."""

    number: DocumentNumber
    refusal: Refusal | None = None
    """Why nothing of it comes back any more."""


class ComesBack(msgspec.Struct, frozen=True):
    """What was scanned is the code of another register's receipt: what is scanned next comes back on it."""

    facts: ReceiptFacts
    left_minor: int
    """What can still be paid back on it, as far as this register knows."""


Scanned = Basket | Found | Weigh | ShowReceipt | ComesBack | Refusal


class Desk:
    """The acts of one till; thread-safe."""

    def __init__(
        self,
        checkout: Checkout,
        shelf: Shelf,
        head_office_ms: Callable[[], int | None],
        on_commit: Callable[[], None],
        codes: ReceiptCodes,
    ) -> None:
        """`head_office_ms`: its time at the last contact. `on_commit`: something new is owed."""
        self.checkout = checkout
        self.shelf = shelf
        self._head_office_ms = head_office_ms
        self._on_commit = on_commit
        self._codes = codes
        self._return_reason = ""
        self._returned_on: CodeBound | None = None
        self._lock = threading.RLock()

    # ---- the business day --------------------------------------------------------------------

    def business_date(self) -> str | None:
        """The open one."""
        day = self.checkout.day()
        return day.business_date if day.open else None

    def offered_date(self) -> str:
        return self.checkout.offered_date(self._head_office_ms())

    def open_day(self, date: str, act: Act, float_minor: int | None = None) -> DayOpened | Refusal:
        """`float_minor`: with its first shift, and so much home cash in the drawer."""
        with self._lock:
            opened = self.checkout.open_day(
                date or None,
                by=act.by,
                approved_by=_approver(act),
                head_office_ms=self._head_office_ms(),
                float_minor=float_minor,
            )
            return self._committed(opened)

    def close_day(self, act: Act) -> DayClosed | Refusal:
        with self._lock:
            return self._committed(self.checkout.close_day(by=act.by))

    # ---- how this register works ----------------------------------------------------------------

    def choose_work_mode(
        self, work: Work, reason: str, act: Act, *, line: str, may: bool
    ) -> WorkModeChanged | Refusal:
        """Offline by hand, or as the line is."""
        with self._lock:
            return self._committed(self.checkout.choose_work_mode(work, reason, act, line=line, may=may))

    # ---- finding and adding products ---------------------------------------------------------

    def scan(self, text: str, act: Act) -> Scanned:
        """What a scanner or a person entered: a code, a name, `3*CODE`, or a receipt's number."""
        text = text.strip()[:CODE_CHARS_MAX]
        if looks_like_code(text):
            return self._by_code(text)
        if number := _DOCUMENT.match(text):
            return ShowReceipt(DocumentNumber(number[1].upper()))
        quantity = ""
        if times := _TIMES.match(text):
            quantity, text = times[1].replace(",", "."), times[2].strip()
        product = self.shelf.by_code(text)
        if product is not None:
            return self.add(product.sku, quantity, act)
        date = day_required(self.checkout.day())
        if isinstance(date, Refusal):
            return date
        offers = self.shelf.search(text, date) if text else []
        if not offers:
            return Refusal("basket.unknown", say("basket.unknown", text=text))
        return Found(offers, quantity)

    def add(self, sku: Sku, quantity: str, act: Act) -> Basket | Weigh | Refusal:
        """One piece, or the quantity or weight given as text, of a product."""
        with self._lock:
            date = day_required(self.checkout.day())
            if isinstance(date, Refusal):
                return date
            found = self.shelf.priced(sku, date)
            if isinstance(found, Refusal):
                return found
            quantity_milli = _quantity(quantity)
            if isinstance(quantity_milli, Refusal):
                return quantity_milli
            if quantity_milli is None and found.product.unit == "kg":
                return Weigh(_offer_of(found))
            open_basket = self.checkout.basket()
            kind: Kind = "return" if self.is_returning else "sale"
            if open_basket is not None and not self._is_free(open_basket):
                kind = open_basket.kind
            if kind == "return":
                return self._change("return", act, lambda b: self._bring(b, act, found, quantity_milli))
            return self._change(
                "sale",
                act,
                lambda b: baskets.add_product(b, act, found.product, found.price, found.tax, quantity_milli),
            )

    def _bring(self, basket: Basket, act: Act, found: Priced, quantity_milli: int | None) -> Basket | Refusal:
        bound = basket.by_code or (None if basket.lines else self._returned_on)
        if bound is not None:
            return baskets.add_return_by_code(
                basket, act, bound, found.product, found.price, found.tax, quantity_milli
            )
        reason = self._return_reason or next((line.note for line in reversed(basket.lines) if line.note), "")
        return baskets.add_return_without_receipt(
            basket, act, found.product, found.price, found.tax, quantity_milli, reason=reason
        )

    def _change(
        self, kind: Kind, act: Act, operation: Callable[[Basket], Basket | Refusal]
    ) -> Basket | Refusal:
        """Change the open basket. Where there is none, or an empty one of another kind, one opens, for the
        same customer; what is refused opens none."""
        basket = self.checkout.basket()
        if basket is not None and (basket.kind == kind or not self._is_free(basket)):
            return self.checkout.change(operation)
        customer = basket.customer if basket else None
        return self.checkout.begin(
            by=act.by,
            kind=kind,
            parameters=self.shelf.settings(BEGUN_WITH),
            first=lambda begun: operation(msgspec.structs.replace(begun, customer=customer)),
        )

    @staticmethod
    def _is_free(basket: Basket | None) -> bool:
        """Nothing is in the way of a sale or a return: at most a customer was chosen."""
        return basket is None or not (basket.lines or basket.voided_lines)

    # ---- lines -------------------------------------------------------------------------------

    def change_quantity(self, line: int, text: str, act: Act) -> Basket | Refusal:
        quantity_milli = _quantity(text)
        if isinstance(quantity_milli, Refusal):
            return quantity_milli
        if quantity_milli is None:
            return Refusal("basket.quantity", say("basket.ask-quantity", text=text))
        return self._on_basket(lambda b: baskets.change_quantity(b, act, line, quantity_milli))

    def override_price(self, line: int, text: str, reason: str, act: Act) -> Basket | Refusal:
        price_e4 = parse_e4(_plain(text))
        if isinstance(price_e4, Refusal):
            return price_e4
        return self._on_basket(lambda b: baskets.override_price(b, act, line, price_e4, reason))

    def discount_line(self, line: int, text: str, reason: str, act: Act) -> Basket | Refusal:
        """`10%` or an amount."""
        given = self._reduction(text)
        if isinstance(given, Refusal):
            return given
        percent_e2, amount_minor = given
        return self._on_basket(
            lambda b: baskets.discount_line(
                b, act, line, percent_e2=percent_e2, amount_minor=amount_minor, reason=reason
            )
        )

    def remove_line_discounts(self, line: int, act: Act) -> Basket | Refusal:
        return self._on_basket(lambda b: baskets.remove_line_discounts(b, act, line))

    def discount_total(self, text: str, reason: str, act: Act) -> Basket | Refusal:
        """`10%` or an amount, off the whole sale."""
        given = self._reduction(text)
        if isinstance(given, Refusal):
            return given
        percent_e2, amount_minor = given
        return self._on_basket(
            lambda b: baskets.discount_total(
                b, act, percent_e2=percent_e2, amount_minor=amount_minor, reason=reason
            )
        )

    def remove_total_discounts(self) -> Basket | Refusal:
        return self._on_basket(baskets.remove_total_discounts)

    def note_line(self, line: int, note: str) -> Basket | Refusal:
        return self._on_basket(lambda b: baskets.note_line(b, line, note.strip()))

    def void_line(self, line: int, act: Act) -> Basket | Refusal:
        return self._on_basket(lambda b: baskets.void_line(b, act, line))

    def void(self, reason: str, act: Act) -> TransactionVoided | Refusal:
        """Give the whole transaction up."""
        with self._lock:
            voided = self.checkout.void(reason=reason, by=act.by, approved_by=_approver(act))
            if isinstance(voided, TransactionVoided):
                self.end_return()
            return self._committed(voided)

    def _on_basket(self, operation: Callable[[Basket], Basket | Refusal]) -> Basket | Refusal:
        with self._lock:
            return self.checkout.change(operation)

    def _reduction(self, text: str) -> tuple[int, int] | Refusal:
        text = _plain(text)
        if text.endswith("%"):
            percent = parse_decimal(text[:-1].strip(), 2)
            return percent if isinstance(percent, Refusal) else (percent, 0)
        amount = parse_minor(text, self.till.currency)
        return amount if isinstance(amount, Refusal) else (0, amount)

    # ---- customers -----------------------------------------------------------------------------

    def set_customer(self, number: CustomerNumber | None, act: Act) -> Basket | Refusal | None:
        """Whose transaction this is; one opens where there is none. None: nobody's, and none is open."""
        with self._lock:
            basket = self.checkout.basket()
            if number is None and (basket is None or self._is_free(basket)):
                self.checkout.void(reason="", by=act.by)
                return None
            kind: Kind = "return" if self.is_returning else "sale"
            return self._change(kind, act, lambda b: baskets.set_customer(b, number))

    def create_customer(self, details: Details, act: Act) -> CustomerRow | Refusal:
        """Somebody new, in this register's own series."""
        with self._lock:
            return self._committed(self.checkout.create_customer(details, act))

    def change_customer(self, known: CustomerRow, details: Details, act: Act) -> CustomerRow | Refusal:
        """All that is known of somebody, anew."""
        with self._lock:
            return self._committed(self.checkout.change_customer(known, details, act))

    # ---- stock ---------------------------------------------------------------------------------

    def record_stock(
        self, type: str, make: Callable[[DocumentNumber], Document | Refusal], list_id: str
    ) -> Document | AlreadyRecorded | Refusal:
        """A count, an adjustment or one end of a transfer: an entry under the next number, once of a list."""
        with self._lock:
            return self._committed(self.checkout.record(type, make, reference=list_id))

    # ---- suspended transactions ----------------------------------------------------------------

    def suspend(self, note: str, act: Act) -> Suspended | Refusal:
        """Put the open transaction aside for somebody who comes back; the next customer's is a sale."""
        with self._lock:
            kept = self.checkout.suspend(act, note)
            if isinstance(kept, Suspended):
                self.end_return()
            return kept

    def recall(self, transaction: TransactionId) -> Basket | Refusal:
        """Take one up again; a return that nothing was scanned for is over."""
        with self._lock:
            recalled = self.checkout.recall(transaction)
            if isinstance(recalled, Basket):
                self.end_return()
            return recalled

    def void_suspended(
        self, transaction: TransactionId, reason: str, act: Act
    ) -> TransactionVoided | Refusal:
        """Give one up that nobody comes back for."""
        with self._lock:
            return self._committed(self.checkout.void_suspended(transaction, act, reason))

    # ---- returns -----------------------------------------------------------------------------

    def begin_return(self, reason: str) -> Refusal | None:
        """What is scanned next comes back without a receipt, for this reason."""
        with self._lock:
            if not self._is_free(self.checkout.basket()):
                return Refusal("basket.open", say("return.basket-open"))
            self._return_reason = reason.strip()
            return None

    @property
    def is_returning(self) -> bool:
        """Whether the next product opens a return."""
        return bool(self._return_reason) or self._returned_on is not None

    def end_return(self) -> None:
        """The customer keeps the goods after all; nothing was scanned yet."""
        self._return_reason = ""
        self._returned_on = None

    def _by_code(self, text: str) -> ShowReceipt | ComesBack | Refusal:
        """A receipt's code begins a return: of the lines in the own journal, or else on its facts alone."""
        code = read_code(text)
        if isinstance(code, Refusal):
            return code
        with self._lock:
            number = code.facts.document
            own = self.checkout.issued(number)
            if own is not None:
                refusal = self._codes.own_refusal(code, own)
                return refusal or ShowReceipt(number, None if self._has_left(own) else used(number))
            date = day_required(self.checkout.day())
            if isinstance(date, Refusal):
                return date
            came_back_minor = self.checkout.came_back_minor(number)
            currency = self.checkout.config.currency
            refusal = self._codes.refusal(code, date) or returns_refusal(
                code.facts, currency, came_back_minor
            )
            if refusal is None and not self._is_free(self.checkout.basket()):
                refusal = Refusal("basket.open", say("return.basket-open"))
            if refusal is not None:
                return refusal
            self._return_reason = ""
            self._returned_on = CodeBound(
                document=number, total_minor=code.facts.total_minor, came_back_minor=came_back_minor
            )
            return ComesBack(code.facts, self._returned_on.left_minor)

    def _has_left(self, issued: Issued) -> bool:
        """Whether anything of a sale can still come back."""
        sale = issued.sale
        if sale.total_minor <= 0:
            return True  # a return, or a gift: its page says what it is
        left = (self.checkout.returnable(sale.document, line.line) for line in sale.lines)
        return any(not isinstance(found, Refusal) for found in left)

    def bring_back(self, number: DocumentNumber, quantities: dict[int, str], act: Act) -> Basket | Refusal:
        """Bring back lines of a receipt: line → quantity as text."""
        with self._lock:
            if not self._is_free(self.checkout.basket()):
                return Refusal("basket.open", say("return.basket-open"))
            if not quantities:
                return Refusal("return.nothing-chosen", say("return.nothing-chosen"))
            chosen: list[tuple[baskets.Returnable, int | None]] = []
            for line, text in quantities.items():
                found = self.checkout.returnable(number, line)
                quantity_milli = _quantity(text)
                if isinstance(found, Refusal):
                    return found
                if isinstance(quantity_milli, Refusal):
                    return quantity_milli
                chosen.append((found, quantity_milli))
            issued = self.checkout.issued(number)
            buyer = None if issued is None else issued.sale.customer
            return self._change("return", act, lambda basket: _bring_all(_of(basket, buyer), act, chosen))

    # ---- paying ------------------------------------------------------------------------------

    @property
    def lock(self) -> threading.RLock:
        """Held over an act of another room that looks first and then does."""
        return self._lock

    @property
    def till(self) -> Till:
        """How cash is counted for the open transaction."""
        basket = self.checkout.basket()
        currency = CURRENCIES[self.checkout.config.currency]
        return Till.of(currency, basket.rounding_rule if basket else "half-up")

    def tenders(self) -> tuple[Tender, ...]:
        """What was given so far for the open transaction."""
        basket = self.checkout.basket()
        return basket.tenders if basket else ()

    def due(self, priced: PricedBasket) -> Due:
        return due(priced.total_minor, self.tenders(), self.till)

    def currencies(self) -> tuple[CurrencyRate, ...]:
        """Foreign cash that is taken today."""
        date = self.business_date()
        return self.shelf.currencies(date) if date else ()

    def pay(self, text: str, act: Act, *, currency: str = "", rate_e8: int = 0) -> Sale | Due | Refusal:
        """Take cash: the amount as text, or `exact`. A `Due` when something is still to be paid.

        `currency`: the foreign one that it is in, at the rate that the cashier saw.
        """
        with self._lock:
            priced = self.checkout.priced()
            if priced is None:
                return Refusal("basket.none", say("basket.nothing"))
            open_due = self.due(priced)
            tender = self._tender(text, open_due, currency, rate_e8)
            if isinstance(tender, Tender):
                tender = foreign_change_refusal(open_due, tender, act, self.till) or tender
            return tender if isinstance(tender, Refusal) else self.take(tender)

    def take(self, tender: Tender | None, *, hold: TillHold | None = None) -> Sale | Due | Refusal:
        """One tender, or none where nothing is left to hand over. `hold`: what this till vouches for."""
        with self._lock:
            taken = self.checkout.conclude() if tender is None else self.checkout.take(tender, hold=hold)
            if isinstance(taken, Basket):
                priced = self.checkout.priced()
                assert priced is not None, "a basket was kept"
                return self.due(priced)
            if isinstance(taken, Sale):
                self.end_return()
            return self._committed(taken)

    def _tender(self, text: str, due: Due, currency: str, rate_e8: int) -> Tender | Refusal | None:
        """What was handed over; None where nothing is left to hand over."""
        if currency and currency != self.till.currency.code:
            return self._foreign_tender(text, due, currency, rate_e8)
        amount = due.cash_minor if text == "exact" else parse_minor(_plain(text), self.till.currency)
        if isinstance(amount, Refusal):
            return amount
        return Tender(kind=CASH, amount_minor=amount) if amount else None

    def _foreign_tender(self, text: str, due: Due, currency: str, rate_e8: int) -> Tender | Refusal:
        rate = next((taken for taken in self.currencies() if taken.currency == currency), None)
        if rate is None or due.cash_minor < 0:
            return Refusal("tender.not-taken", say("pay.not-taken", currency=currency[:3]))
        if rate.rate_e8 != rate_e8:  # a feed came in since the customer was told
            return Refusal("tender.rate-changed", say("pay.rate-changed", currency=currency))
        exact = foreign_due_minor(due.cash_minor, rate)
        amount = exact if text == "exact" else parse_minor(_plain(text), rate.money)
        return amount if isinstance(amount, Refusal) else foreign_tender(amount, rate, self.till.rule)

    def hand_back(self) -> tuple[Tender, ...] | Refusal:
        """Give back what was given in parts; it is the answer."""
        return self.checkout.hand_back()

    # ---- receipts ----------------------------------------------------------------------------

    def documents(self, limit: int) -> list[DocumentRow]:
        return self.checkout.documents(limit)

    def receipt(self, number: DocumentNumber) -> Issued | None:
        """A sale or return of this till; None where it has none of that number, or purged it."""
        return self.checkout.issued(number)

    def print_again(self, number: DocumentNumber, act: Act) -> Refusal | None:
        """Journal that a copy of a receipt is printed, and who asked for it; whoever has two can bring the
        same goods back twice."""
        if self.receipt(number) is None:
            return Refusal("receipt.unknown", say("basket.no-receipt", number=number[:40]))
        body = ReceiptReprinted(of=number, by=act.by, approved_by=act.approved_by)
        self._committed(self.checkout.append("receipt_reprinted", 1, body))
        return None

    def committed(self, result: T) -> T:
        """For acts of other rooms: tell sync, unless it was refused."""
        return self._committed(result)

    def _committed(self, result: T) -> T:
        if not isinstance(result, Refusal):
            self._on_commit()
        return result


def _of(basket: Basket, buyer: CustomerNumber | None) -> Basket:
    """A return takes points back from whoever earned them, where nobody else was chosen."""
    if buyer is None or basket.customer is not None or basket.parameters.get(IN_USE) is not True:
        return basket
    return msgspec.structs.replace(basket, customer=buyer)


def _bring_all(
    basket: Basket, act: Act, chosen: list[tuple[baskets.Returnable, int | None]]
) -> Basket | Refusal:
    for found, quantity_milli in chosen:
        grown = baskets.add_return(basket, act, found, quantity_milli)
        if isinstance(grown, Refusal):
            return grown
        basket = grown
    return basket


def _approver(act: Act) -> StaffId | None:
    return act.approved_by or None


def _plain(text: str) -> str:
    """As people type figures: a comma is a point too, and blanks count for nothing."""
    return "".join(text.split()).replace(",", ".")


def _quantity(text: str) -> int | Refusal | None:
    plain = _plain(text)
    if not plain:
        return None
    quantity = parse_milli(plain)
    return (
        Refusal(quantity.code, say("basket.ask-quantity", text=text[:20]))
        if isinstance(quantity, Refusal)
        else quantity
    )


def _offer_of(found: Priced) -> Offer:
    return Offer(
        sku=found.product.sku,
        description=found.product.description,
        unit=found.product.unit,
        department=found.product.department,
        unit_price_e4=found.price.unit_price_e4,
    )
