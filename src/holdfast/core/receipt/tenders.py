"""A tender in words and figures, the same on screen and receipt (PO2)."""

import msgspec

from holdfast.core.card_tender import CARD
from holdfast.core.central.accounts import Kind
from holdfast.core.receipt.figures import Figures
from holdfast.core.receipt.texts import text
from holdfast.core.sale import Tender
from holdfast.core.tender import CASH, CHANGE, IMPORTED

_NAMES = {CARD: "pay.card", CASH: "pay.cash", CHANGE: "pay.change", IMPORTED: "pay.paid"}
_NAMES_OF_REFUNDS = {CARD: "pay.refunded.card", CASH: "pay.refunded.cash", IMPORTED: "pay.refunded"}

_CENTRAL = frozenset(kind.value for kind in Kind)


class Given(msgspec.Struct, frozen=True):
    """A tender as screen and receipt say it."""

    name: str
    """`Cash`, or `US$20.00 at 0.915`."""
    amount: str
    """What it counted as."""
    handed: str
    """What passed over the counter, in its own currency."""


def given(tender: Tender, figures: Figures) -> Given:
    """The tender in words and figures; without a sign, which its name tells."""
    amount = figures.money(abs(tender.amount_minor))
    if tender.foreign_currency:
        handed = figures.foreign_of(tender.foreign_minor, tender.foreign_currency)
        rate = figures.exchange_rate(tender.rate_e8)
        return Given(text("pay.foreign", amount=handed, rate=rate), amount, handed)
    if tender.kind in _CENTRAL:
        way = "pay.back" if tender.amount_minor < 0 else "pay.by"
        return Given(text(f"{way}.{tender.kind}", end=tender.reference), amount, amount)
    names = _NAMES | _NAMES_OF_REFUNDS if tender.amount_minor < 0 else _NAMES
    name = text(names[tender.kind]) if tender.kind in names else tender.kind
    if tender.kind == CARD:
        name = text("pay.slip", name=name, reference=tender.reference)
    return Given(name, amount, amount)
