"""Points for what was bought: so many for each whole unit of the currency, from the document as it was
concluded, online and offline alike (LY4).

They are one movement of the document itself, so that they accrue once, whenever and however often it arrives.
"""

from collections.abc import Mapping

import msgspec

from holdfast.core.central.accounts import AMOUNT_MAX, AccountId, Act, Kind
from holdfast.core.central.entries import MOVEMENTS_MAX, ValueMovement
from holdfast.core.loyalty.parameters import IN_USE, PER_UNIT, PER_UNIT_DEFAULT
from holdfast.core.money import CURRENCIES
from holdfast.core.sale import Sale

Settings = Mapping[str, bool | int | str | list[str]]
"""What an open transaction began with, by the parameter's name."""


def with_points(sale: Sale, begun_with: Settings, *, told: bool) -> Sale:
    """The document with what its customer earns by it, or gives back; without a customer it is as it was.

    `told`: head office is in reach, so that the receipt says how many.
    """
    if sale.customer is None or begun_with.get(IN_USE) is not True or len(sale.values) >= MOVEMENTS_MAX:
        return sale
    points = earned(sale, begun_with.get(PER_UNIT))
    if not points:
        return sale
    movement = ValueMovement(
        kind=Kind.POINTS, act=Act.EARN, account=AccountId(sale.customer), amount=points, told=told
    )
    return msgspec.structs.replace(sale, values=(*sale.values, movement))


def earned(sale: Sale, per_unit: object = None) -> int:
    """Points for a document; negative for what it brings back. What was paid by points earns none, nor does
    value that is only carried over: a gift card sold, a payment on account."""
    each = per_unit if type(per_unit) is int else PER_UNIT_DEFAULT
    carried = {movement.line for movement in sale.values if movement.line}
    bought_minor = sum(line.amount_minor for line in sale.lines if line.line not in carried)
    bought_minor += sum(tax.tax_minor for tax in sale.taxes if not tax.inclusive)
    by_points_minor = sum(tender.amount_minor for tender in sale.tenders if tender.kind == Kind.POINTS)
    counts_minor = bought_minor - by_points_minor
    if bought_minor >= 0:
        counts_minor = max(0, counts_minor)  # points that paid for a gift card take none away
    unit_minor = 10 ** CURRENCIES[sale.currency].digits
    points = min(abs(counts_minor) // unit_minor * each, AMOUNT_MAX)
    return points if counts_minor > 0 else -points


def told_points(sale: Sale) -> int:
    """What a receipt says was earned with it, or taken back; 0: nothing is said (LY4)."""
    return sum(movement.amount for movement in sale.values if movement.act is Act.EARN and movement.told)
