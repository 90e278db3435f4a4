"""Documents that move central value, as a simulated till writes them."""

import random
from collections.abc import Sequence

from holdfast.core.central.accounts import GIVES, AccountId, Act, Kind
from holdfast.core.central.allowed import Allowed
from holdfast.core.central.at_till import TillHold, movement_of
from holdfast.core.central.entries import ValueMovement
from holdfast.core.ids import CustomerNumber, DocumentNumber, Sku, TransactionId
from holdfast.core.journal.writer import Stamp
from holdfast.core.sale import Sale, SaleLine, TaxTotal, Tender
from holdfast.core.tender import CASH
from holdfast.simulation.reference import CURRENCY

POINT_MINOR = 100
"""A point for so much."""
Used = tuple[TillHold, int]
"""A hold, and how much of it the document moves."""


def value_sale(
    chance: random.Random, number: str, transaction: TransactionId, stamp: Stamp, used: Sequence[Used]
) -> Sale:
    """Goods, and what is sold, paid out or paid with by these holds; the rest in cash."""
    paid = sum(amount for hold, amount in used if _is_tender(hold))
    lines = [_line(1, "P01", paid + chance.randrange(1, 3_000), "S")]
    tenders: list[Tender] = []
    movements: list[ValueMovement] = []
    for hold, amount in used:
        if _is_tender(hold):
            tenders.append(Tender(kind=hold.kind.value, amount_minor=amount))
            movements.append(movement_of(hold, amount, tender=len(tenders)))
        else:
            charged = amount if hold.act in GIVES else -amount
            lines.append(_line(len(lines) + 1, hold.kind.value, charged, "Z"))
            movements.append(movement_of(hold, amount, line=len(lines)))
    goods = lines[0].amount_minor
    customer = CustomerNumber(f"C{chance.randrange(2)}") if chance.random() < 0.3 else None
    if customer is not None and goods >= POINT_MINOR:
        movements.append(
            ValueMovement(
                kind=Kind.POINTS, act=Act.EARN, account=AccountId(customer), amount=goods // POINT_MINOR
            )
        )
    return _document(number, transaction, stamp, lines, tenders, movements, customer)


def offline_sale(
    chance: random.Random,
    number: str,
    transaction: TransactionId,
    stamp: Stamp,
    allowed: Allowed,
    account: AccountId,
    amount: int,
) -> Sale:
    """Goods, some of them paid by a card that nobody was asked for."""
    lines = [_line(1, "P01", amount + chance.randrange(1, 3_000), "S")]
    tenders = [Tender(kind=allowed.granted.kind.value, amount_minor=amount)]
    moved = ValueMovement(
        kind=allowed.granted.kind,
        act=Act.REDEEM,
        account=account,
        amount=amount,
        grant=allowed.granted.grant,
        tender=1,
    )
    return _document(number, transaction, stamp, lines, tenders, [moved], None)


def memo_return(
    number: str, transaction: TransactionId, stamp: Stamp, account: AccountId, memo: str, amount: int
) -> Sale:
    """Goods come back for a credit memo."""
    issued = ValueMovement(
        kind=Kind.CREDIT_MEMO, act=Act.ISSUE, account=account, amount=amount, tender=1, number=memo
    )
    tenders = [Tender(kind=Kind.CREDIT_MEMO.value, amount_minor=-amount)]
    return _document(number, transaction, stamp, [_line(1, "P01", -amount, "S")], tenders, [issued], None)


def _is_tender(hold: TillHold) -> bool:
    return hold.act in (Act.REDEEM, Act.CHARGE)


def _line(line: int, sku: str, amount_minor: int, tax_code: str) -> SaleLine:
    return SaleLine(
        line=line, sku=Sku(sku), description="tea", quantity_milli=1000 if amount_minor > 0 else -1000,
        unit_price_e4=0, amount_minor=amount_minor, tax_code=tax_code,
    )  # fmt: skip


def _document(
    number: str,
    transaction: TransactionId,
    stamp: Stamp,
    lines: Sequence[SaleLine],
    tenders: list[Tender],
    movements: Sequence[ValueMovement],
    customer: CustomerNumber | None,
) -> Sale:
    total = sum(line.amount_minor for line in lines)
    goods = lines[0].amount_minor
    tax = goods // 6
    taxes = [TaxTotal(tax_code="S", rate_e6=200_000, inclusive=True, net_minor=goods - tax, tax_minor=tax)]
    if len(lines) > 1:
        taxes.append(TaxTotal(tax_code="Z", rate_e6=0, inclusive=True, net_minor=total - goods, tax_minor=0))
    rest = total - sum(tender.amount_minor for tender in tenders)
    if rest:
        tenders.append(Tender(kind=CASH, amount_minor=rest))
    return Sale(
        document=DocumentNumber(number), transaction=transaction, currency=CURRENCY, lines=tuple(lines),
        taxes=tuple(taxes), tenders=tuple(tenders), total_minor=total, began_at_ms=stamp.at_ms,
        customer=customer, values=tuple(movements),
    )  # fmt: skip
