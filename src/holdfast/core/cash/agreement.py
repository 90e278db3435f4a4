"""Whether Z reports and head office's own totals of the same documents agree, to the cent (PO5)."""

from collections.abc import Iterator, Mapping

import msgspec

from holdfast.core.money import CURRENCIES, plain_decimal
from holdfast.core.totals import DayTotals

FIGURES_SAID_MAX = 6
"""In one sentence; one more says how many others there are."""


class Unequal(msgspec.Struct, frozen=True):
    """A figure on which the two do not agree."""

    name: str
    z: int
    own: int
    currency: str = ""
    """Of an amount in minor units; empty for a count."""

    def __str__(self) -> str:
        return f"{self.name}: Z says {self._text(self.z)}, head office has {self._text(self.own)}"

    def _text(self, value: int) -> str:
        known = CURRENCIES.get(self.currency)
        return plain_decimal(value, known.digits) if known else str(value)


def unequal(z: DayTotals, own: DayTotals, currency: str) -> tuple[Unequal, ...]:
    """Where the Z reports of a business date (added up) and the documents differ. Voided transactions make no
    document, so nothing is said of them."""
    return tuple(found for found in _pairs(z, own, currency) if found.z != found.own)


def said(found: tuple[Unequal, ...]) -> str:
    """The differences in one sentence."""
    more = len(found) - FIGURES_SAID_MAX
    shown = "; ".join(str(each) for each in found[:FIGURES_SAID_MAX])
    return f"{shown}; and {more} more" if more > 0 else shown


def _pairs(z: DayTotals, own: DayTotals, currency: str) -> Iterator[Unequal]:
    yield Unequal("sales", z.sales, own.sales)
    yield Unequal("returns", z.returns, own.returns)
    yield Unequal("total", z.total_minor, own.total_minor, currency)
    yield Unequal("returned", z.returned_minor, own.returned_minor, currency)
    yield Unequal("rounding", z.rounding_minor, own.rounding_minor, currency)
    yield Unequal("cash into the drawer", z.drawer_minor, own.drawer_minor, currency)
    yield from _by_key("tender", z.tenders_minor, own.tenders_minor, currency)
    yield from _by_key("net of tax", z.net_minor, own.net_minor, currency)
    yield from _by_key("tax", z.tax_minor, own.tax_minor, currency)
    yield from _by_key("department", z.departments_minor, own.departments_minor, currency)
    for code in sorted(z.foreign_cash.keys() | own.foreign_cash.keys()):
        said, have = z.foreign_cash.get(code), own.foreign_cash.get(code)
        yield Unequal(
            f"foreign cash {code}",
            said.foreign_minor if said else 0,
            have.foreign_minor if have else 0,
            code,
        )
        yield Unequal(
            f"value of {code}", said.amount_minor if said else 0, have.amount_minor if have else 0, currency
        )


def _by_key(name: str, z: Mapping[str, int], own: Mapping[str, int], currency: str) -> Iterator[Unequal]:
    for key in sorted(z.keys() | own.keys()):
        yield Unequal(f"{name} {key or '(none)'}", z.get(key, 0), own.get(key, 0), currency)
