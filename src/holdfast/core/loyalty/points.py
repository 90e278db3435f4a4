"""Points for what was bought: so many for each whole unit of the currency, from the document as it was
concluded, online and offline alike (LY4).

They are one movement of the document itself, so that they accrue once, whenever and however often it arrives.
"""

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType

import msgspec

from holdfast.core.central.accounts import AMOUNT_MAX, AccountId, Act, Kind
from holdfast.core.central.entries import MOVEMENTS_MAX, ValueMovement
from holdfast.core.ids import DocumentNumber
from holdfast.core.loyalty.parameters import IN_USE, PER_UNIT, PER_UNIT_DEFAULT
from holdfast.core.money import CURRENCIES
from holdfast.core.sale import Sale, SaleLine

Settings = Mapping[str, bool | int | str | list[str]]
"""What an open transaction began with, by the parameter's name."""


class Earned(msgspec.Struct, frozen=True, kw_only=True):
    """What a sale earned, of which a return of its goods takes back its share."""

    account: AccountId
    points: int
    goods_minor: int
    """What its goods were charged at, without a tax on top; above zero."""


Brought = Mapping[DocumentNumber, Earned | None]
"""The receipts whose goods a return brings back; None: nobody earned by that one."""

NOTHING_BROUGHT: Brought = MappingProxyType({})


def earned_by(sale: Sale) -> Earned | None:
    """What a return of this sale's goods takes back; None where nobody earned by it."""
    goods_minor = sum(line.amount_minor for line in _goods(sale))
    for movement in sale.values:
        if movement.act is Act.EARN and movement.amount > 0 and goods_minor > 0:
            return Earned(account=movement.account, points=movement.amount, goods_minor=goods_minor)
    return None


def with_points(sale: Sale, begun_with: Settings, *, told: bool, brought: Brought = NOTHING_BROUGHT) -> Sale:
    """The document with what its customer earns by it, or gives back; where nobody does it is as it was.

    `told`: head office is in reach, so that the receipt says how many.
    """
    if begun_with.get(IN_USE) is not True:
        return sale
    moved = _taken_back(sale, brought)
    customer = None if sale.customer is None else AccountId(sale.customer)
    if customer is not None:
        moved[customer] = moved.get(customer, 0) + earned(sale, begun_with.get(PER_UNIT), brought)
    movements = [
        ValueMovement(
            kind=Kind.POINTS, act=Act.EARN, account=account, amount=points, told=told and account == customer
        )
        for account, points in moved.items()
        if points
    ]
    room = max(0, MOVEMENTS_MAX - len(sale.values))
    return msgspec.structs.replace(sale, values=(*sale.values, *movements[:room])) if movements else sale


def earned(sale: Sale, per_unit: object = None, brought: Brought = NOTHING_BROUGHT) -> int:
    """Points for a document, by what it is worth; negative for what it brings back, but for goods of receipts
    that are known. What was paid by points earns none, nor does value that is only carried over: a gift card
    sold, a payment on account."""
    each = per_unit if type(per_unit) is int else PER_UNIT_DEFAULT
    goods = _goods(sale)
    goods_minor = sum(line.amount_minor for line in goods)
    known_minor = sum(line.amount_minor for line in goods if _receipt(line) in brought)
    bought_minor = goods_minor + sum(tax.tax_minor for tax in sale.taxes if not tax.inclusive)
    if known_minor:  # the rest has its share of a tax on top
        bought_minor = round(Fraction(bought_minor * (goods_minor - known_minor), goods_minor))
    by_points_minor = sum(tender.amount_minor for tender in sale.tenders if tender.kind == Kind.POINTS)
    counts_minor = bought_minor - by_points_minor
    if bought_minor >= 0:
        counts_minor = max(0, counts_minor)  # points that paid for a gift card take none away
    unit_minor = 10 ** CURRENCIES[sale.currency].digits
    points = min(abs(counts_minor) // unit_minor * each, AMOUNT_MAX)
    return points if counts_minor > 0 else -points


def _taken_back(sale: Sale, brought: Brought) -> dict[AccountId, int]:
    """From whoever earned by the receipts, in proportion to what of their goods comes back; never more."""
    back_minor = Counter[DocumentNumber]()
    for line in sale.lines:
        if line.original is not None and line.original.document in brought:
            back_minor[line.original.document] -= line.amount_minor
    moved: dict[AccountId, int] = {}
    for document, minor in back_minor.items():
        if (sold := brought[document]) is not None:
            points = min(sold.points * minor // sold.goods_minor, sold.points)
            moved[sold.account] = moved.get(sold.account, 0) - max(0, points)
    return moved


def _goods(sale: Sale) -> list[SaleLine]:
    """Lines that are not only value carried over."""
    carried = {movement.line for movement in sale.values if movement.line}
    return [line for line in sale.lines if line.line not in carried]


def _receipt(line: SaleLine) -> DocumentNumber | None:
    return None if line.original is None else line.original.document


def told_points(sale: Sale) -> int:
    """What a receipt says was earned with it, or taken back; 0: nothing is said (LY4)."""
    return sum(movement.amount for movement in sale.values if movement.act is Act.EARN and movement.told)
