"""Counting a drawer: by coins and notes, or in total (PO5)."""

from collections.abc import Mapping

import msgspec

from holdfast.core.bounds import AMOUNT_MINOR_MAX, Int64
from holdfast.core.money import Currency
from holdfast.core.refusals import Refusal

PIECES_MAX = 100_000
"""Of one coin or note."""
_KNOWN_E2: dict[str, tuple[int, ...]] = {
    "AUD": (10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20, 10, 5),
    "CAD": (10_000, 5_000, 2_000, 1_000, 500, 200, 100, 25, 10, 5),
    "CHF": (20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20, 10, 5),
    "CZK": (500_000, 200_000, 100_000, 50_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100),
    "DKK": (50_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50),
    "EUR": (50_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20, 10, 5, 2, 1),
    "GBP": (5_000, 2_000, 1_000, 500, 200, 100, 50, 20, 10, 5, 2, 1),
    "NOK": (50_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 100),
    "NZD": (10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20, 10),
    "PLN": (50_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20, 10, 5, 2, 1),
    "SEK": (100_000, 50_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100),
    "USD": (10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 25, 10, 5, 1),
}
"""In hundredths of the unit."""
_JPY = (10_000, 5_000, 2_000, 1_000, 500, 100, 50, 10, 5, 1)
_SERIES_UNITS_MAX = 500


class Pieces(msgspec.Struct, frozen=True):
    """So many of one coin or note."""

    minor: Int64
    """What one of them is worth."""
    count: Int64


class Count(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What somebody counted of one currency."""

    currency: str
    counted_minor: Int64
    pieces: tuple[Pieces, ...] = ()
    """Empty where the sum alone was told."""


def denominations(currency: Currency) -> tuple[int, ...]:
    """Notes and coins in minor units, falling. Of a currency that is not listed the usual 1, 2, 5 series."""
    if currency.code == "JPY":
        return _JPY
    known = _KNOWN_E2.get(currency.code)
    if known is not None:
        return known
    unit = 10**currency.digits
    steps = (step * 10**power for power in range(12, -1, -1) for step in (5, 2, 1))
    return tuple(step for step in steps if currency.coin_minor <= step <= _SERIES_UNITS_MAX * unit)


def count_in_total(currency: Currency, amount_minor: int) -> Count | Refusal:
    """The sum alone."""
    if not 0 <= amount_minor <= AMOUNT_MINOR_MAX:
        return Refusal("cash.count", "What was counted is zero or more, and not that much. Check it.")
    return Count(currency=currency.code, counted_minor=amount_minor)


def count_pieces(currency: Currency, counts: Mapping[int, int]) -> Count | Refusal:
    """Coins and notes: worth of one → how many."""
    known = denominations(currency)
    pieces = tuple(Pieces(minor, counts[minor]) for minor in known if counts.get(minor))
    if any(minor not in known for minor in counts):
        return Refusal("cash.count", "One of these is no coin or note of the currency. Count again.")
    if any(not 0 < piece.count <= PIECES_MAX for piece in pieces):
        return Refusal("cash.count", f"Of one coin or note there are 0 to {PIECES_MAX}. Check the figures.")
    total = sum(piece.minor * piece.count for piece in pieces)
    counted = count_in_total(currency, total)
    return counted if isinstance(counted, Refusal) else msgspec.structs.replace(counted, pieces=pieces)
