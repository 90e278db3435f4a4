"""Cards of a standalone terminal at the till: what was taken there, and what goes back there (CP17, PO3)."""

import msgspec

from holdfast.core.basket import Act, Basket
from holdfast.core.bounds import reason_refusal
from holdfast.core.card_tender import CardPayment, card_tender, to_refund
from holdfast.core.ids import DocumentNumber
from holdfast.core.money import parse_minor, plain_amount
from holdfast.core.pricing import price
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Sale, Tender
from holdfast.core.tender import CASH, Due
from holdfast.register.web.desk import Desk
from holdfast.register.web.messages import say

Paid = Sale | Due | Refusal


def cards_to_refund(desk: Desk) -> tuple[CardPayment, ...]:
    """What of the open return is to go back to cards before anything is paid out in cash."""
    basket = desk.checkout.basket()
    if basket is None or basket.kind != "return":
        return ()
    brought: list[tuple[int, tuple[CardPayment, ...]]] = []
    for document in dict.fromkeys(line.origin.document for line in basket.lines if line.origin):
        payments = desk.checkout.card_payments(document)
        if payments:
            brought.append((_worth_minor(basket, document), payments))
    return to_refund(brought, basket.tenders) if brought else ()


def value_to_refund(desk: Desk) -> int:
    """What of the open return was paid by gift card or memo, and is to go to one before cash is paid out.

    Where part of a receipt came back before, no more is known than what it was paid by: at the most that.
    """
    basket = desk.checkout.basket()
    if basket is None or basket.kind != "return":
        return 0
    wanted = 0
    for document in dict.fromkeys(line.origin.document for line in basket.lines if line.origin):
        found = desk.receipt(document)
        paid = sum(tender.amount_minor for tender in found.sale.tenders if tender.hold) if found else 0
        wanted += min(max(0, paid), _worth_minor(basket, document)) if paid else 0
    done = -sum(tender.amount_minor for tender in basket.tenders if tender.hold)
    return max(0, wanted - done)


def _worth_minor(basket: Basket, document: DocumentNumber) -> int:
    """What comes back of one receipt, taxes included, as a positive sum."""
    lines = tuple(line for line in basket.lines if line.origin and line.origin.document == document)
    return max(0, -price(msgspec.structs.replace(basket, lines=lines)).total_minor)


def take_card(desk: Desk, text: str, reference: str) -> Paid:
    """The amount that the terminal took, as text or `exact`; not more than is due: no change comes of it."""
    with desk.lock:
        priced = desk.checkout.priced()
        if priced is None:
            return Refusal("basket.none", say("basket.nothing"))
        due = desk.due(priced)
        currency = desk.till.currency
        amount = due.amount_minor if text == "exact" else parse_minor(text, currency)
        if isinstance(amount, Refusal):
            return amount
        if amount > due.amount_minor > 0:
            over = plain_amount(amount - due.amount_minor, currency)
            return Refusal("tender.too-much", say("card.too-much", amount=over))
        return _taken(desk, card_tender(amount, reference))


def refund_card(desk: Desk, which: str, reference: str) -> Paid:
    """The terminal paid back what goes to one card. `which`: as `payment_name`."""
    with desk.lock:
        found = next((each for each in cards_to_refund(desk) if payment_name(each) == which), None)
        priced = desk.checkout.priced()
        if found is None or priced is None:
            return Refusal("tender.card-unknown", say("card.nothing-left"))
        amount_minor = min(found.left_minor, -desk.due(priced).amount_minor)
        return _taken(desk, card_tender(-amount_minor, reference, found.original))


def pay_out_instead(desk: Desk, reason: str, act: Act) -> Paid:
    """In cash what a card paid, for a reason that stands on record; with who approved it."""
    with desk.lock:
        priced = desk.checkout.priced()
        if priced is None:
            return Refusal("basket.none", say("basket.nothing"))
        due = desk.due(priced)
        if refusal := reason_refusal(reason):
            return refusal
        if due.cash_minor >= 0:
            return Refusal("tender.nothing-due", say("card.nothing-left"))
        if act.approved_by:
            desk.checkout.change(lambda basket: msgspec.structs.replace(basket, approved_by=act.approved_by))
        return desk.take(Tender(kind=CASH, amount_minor=due.cash_minor, reference=reason.strip()))


def payment_name(payment: CardPayment) -> str:
    """How a form names a card payment."""
    return f"{payment.original.document}|{payment.original.tender}"


def _taken(desk: Desk, tender: Tender | Refusal) -> Paid:
    return tender if isinstance(tender, Refusal) else desk.take(tender)
