"""What entries other than sales do to a drawer: a fold by kind and currency (PO5).

    content of a drawer = Σ sales in cash (core/totals.py) + Σ what is here

All of it adds up, so the order of entries does not matter: an end of shift adds what was over or short, and
the content is then what was counted.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from holdfast.core.cash.moves import WAYS, CashMoved, DrawerOpened, Moved
from holdfast.core.cash.shift import ShiftClosed, ShiftOpened
from holdfast.core.totals import DayTotals

OPENING = "opening"
"""Put in, or taken out, between the last count and the float of a shift."""
OVER_SHORT = "over_short"
NO_SALE = "no_sale"
KINDS = (OPENING, *WAYS, OVER_SHORT, NO_SALE)
"""In the order in which reports list them."""

Sums = Mapping[tuple[str, str], Moved]
"""By kind and currency."""


def effects(body: msgspec.Struct) -> tuple[Moved, ...]:
    """What one body adds. Most add nothing."""
    if isinstance(body, CashMoved):
        return (Moved(kind=body.kind, currency=body.currency, times=1, amount_minor=body.amount_minor),)
    if isinstance(body, DrawerOpened):
        return (Moved(kind=NO_SALE, currency="", times=1, amount_minor=0),)
    if isinstance(body, ShiftOpened):
        put_in = body.put_in_minor
        return (Moved(kind=OPENING, currency=body.currency, times=1, amount_minor=put_in),)
    if isinstance(body, ShiftClosed):
        return tuple(
            Moved(kind=OVER_SHORT, currency=each.currency, times=1, amount_minor=each.over_short_minor)
            for each in body.declared
            if each.counted_minor is not None
        )
    return ()


def shift_of(body: msgspec.Struct) -> int:
    """The shift that it counts to; 0: none."""
    return body.shift if isinstance(body, CashMoved | DrawerOpened | ShiftOpened | ShiftClosed) else 0


def add(sums: Sums, moved: Iterable[Moved], sign: int = 1) -> dict[tuple[str, str], Moved]:
    """The sums with these added, or taken off."""
    grown = dict(sums)
    for each in moved:
        key = (each.kind, each.currency)
        before = grown.get(key)
        grown[key] = Moved(
            kind=each.kind,
            currency=each.currency,
            times=sign * each.times + (before.times if before else 0),
            amount_minor=sign * each.amount_minor + (before.amount_minor if before else 0),
        )
    return grown


def listed(sums: Sums) -> tuple[Moved, ...]:
    """As entries and reports list them; what comes to nothing is left out."""
    kept = [moved for moved in sums.values() if moved.times or moved.amount_minor]
    return tuple(sorted(kept, key=_rank))


def _rank(moved: Moved) -> tuple[int, str, str]:
    place = KINDS.index(moved.kind) if moved.kind in KINDS else len(KINDS)
    return place, moved.kind, moved.currency


def content(home: str, totals: DayTotals, moved: Iterable[Moved]) -> dict[str, int]:
    """What a drawer holds by currency, after all sales and all moves since its first day. Home cash is always
    there; a foreign currency once it was taken."""
    held = {home: totals.drawer_minor}
    for currency, taken in totals.foreign_cash.items():
        held[currency] = held.get(currency, 0) + taken.foreign_minor
    for currency, amount_minor in _amounts(moved):
        held[currency] = held.get(currency, 0) + amount_minor
    return held


def _amounts(moved: Iterable[Moved]) -> Iterator[tuple[str, int]]:
    for each in moved:
        if each.currency:
            yield each.currency, each.amount_minor
