"""What a journal body adds to stock, to the business day's totals and to the drawer.

The register's projections, head office's and every check of them use these same folds, so
that they cannot differ (ST2, PO5). Any body may be passed: most add nothing.
"""

import msgspec

from holdfast.core.foreign_cash import FOREIGN_CASH
from holdfast.core.ids import Sku
from holdfast.core.sale import Sale, StockAdjusted, StockLine, TransactionVoided
from holdfast.core.stock.entries import StockTransferred
from holdfast.core.tax import NO_TURNOVER

_DRAWER_KINDS = frozenset({"cash", "change"})
DRAWER_TENDERS = _DRAWER_KINDS | {FOREIGN_CASH}
"""What goes into the drawer or comes out of it."""


def _no_sums() -> dict[str, int]:
    return {}


class ForeignSum(msgspec.Struct, frozen=True, kw_only=True):
    """Foreign cash of one currency. They add up: a + b."""

    foreign_minor: int = 0
    """In its own minor units."""
    amount_minor: int = 0
    """What it counted as in the home currency."""

    def __add__(self, other: "ForeignSum") -> "ForeignSum":
        return ForeignSum(
            foreign_minor=self.foreign_minor + other.foreign_minor,
            amount_minor=self.amount_minor + other.amount_minor,
        )


class DayTotals(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Sums over documents of one currency; X and Z reports show them (PO5). They add up: a + b."""

    sales: int = 0
    returns: int = 0
    voids: int = 0
    """Transactions given up; they count nowhere else."""
    total_minor: int = 0
    """Less what came back."""
    rounding_minor: int = 0
    """To the smallest coin; Σ tenders = total + rounding."""
    net_minor: dict[str, int] = msgspec.field(default_factory=_no_sums)
    """By tax code, without tax."""
    tax_minor: dict[str, int] = msgspec.field(default_factory=_no_sums)
    """By tax code."""
    tenders_minor: dict[str, int] = msgspec.field(default_factory=_no_sums)
    """By kind of tender; `change` is its own kind, and negative."""
    drawer_minor: int = 0
    """What came into the drawer in home cash, less what went out."""
    foreign_cash: dict[str, ForeignSum] = {}
    """By currency: it lies in the drawer apart."""
    returned_minor: int = 0
    """What documents with a total below zero came to, as a positive sum."""
    departments_minor: dict[str, int] = {}
    """Lines as they were charged, less what came back, by department; empty: of none."""

    @property
    def documents(self) -> int:
        """Sales and returns: what took a document number."""
        return self.sales + self.returns

    @property
    def value_minor(self) -> int:
        """Of the total: gift cards and other central value sold, less paid out. It is no turnover."""
        return self.net_minor.get(NO_TURNOVER.code, 0)

    @property
    def sold_minor(self) -> int:
        """What documents with a total above zero came to; it never falls."""
        return self.total_minor + self.returned_minor

    def __add__(self, other: "DayTotals") -> "DayTotals":
        return DayTotals(
            sales=self.sales + other.sales,
            returns=self.returns + other.returns,
            voids=self.voids + other.voids,
            total_minor=self.total_minor + other.total_minor,
            rounding_minor=self.rounding_minor + other.rounding_minor,
            net_minor=_sum_by_key(self.net_minor, other.net_minor),
            tax_minor=_sum_by_key(self.tax_minor, other.tax_minor),
            tenders_minor=_sum_by_key(self.tenders_minor, other.tenders_minor),
            drawer_minor=self.drawer_minor + other.drawer_minor,
            foreign_cash=_sum_foreign(self.foreign_cash, other.foreign_cash),
            returned_minor=self.returned_minor + other.returned_minor,
            departments_minor=_sum_by_key(self.departments_minor, other.departments_minor),
        )

    def __sub__(self, other: "DayTotals") -> "DayTotals":
        """What this has beyond the other; a key that comes to nothing is left out."""
        return DayTotals(
            sales=self.sales - other.sales,
            returns=self.returns - other.returns,
            voids=self.voids - other.voids,
            total_minor=self.total_minor - other.total_minor,
            rounding_minor=self.rounding_minor - other.rounding_minor,
            net_minor=_less_by_key(self.net_minor, other.net_minor),
            tax_minor=_less_by_key(self.tax_minor, other.tax_minor),
            tenders_minor=_less_by_key(self.tenders_minor, other.tenders_minor),
            drawer_minor=self.drawer_minor - other.drawer_minor,
            foreign_cash=_less_foreign(self.foreign_cash, other.foreign_cash),
            returned_minor=self.returned_minor - other.returned_minor,
            departments_minor=_less_by_key(self.departments_minor, other.departments_minor),
        )


def _less_by_key(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    sums = _sum_by_key(one, {key: -value for key, value in other.items()})
    return {key: value for key, value in sums.items() if value}


def _less_foreign(one: dict[str, ForeignSum], other: dict[str, ForeignSum]) -> dict[str, ForeignSum]:
    less = {
        currency: ForeignSum(foreign_minor=-had.foreign_minor, amount_minor=-had.amount_minor)
        for currency, had in other.items()
    }
    return {currency: left for currency, left in _sum_foreign(one, less).items() if left != ForeignSum()}


def _sum_by_key(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    sums = dict(one)
    for key, value in other.items():
        sums[key] = sums.get(key, 0) + value
    return sums


def _sum_foreign(one: dict[str, ForeignSum], other: dict[str, ForeignSum]) -> dict[str, ForeignSum]:
    sums = dict(one)
    for currency, added in other.items():
        sums[currency] = sums[currency] + added if currency in sums else added
    return sums


def is_return(sale: Sale) -> bool:
    """A document whose every line brings goods back; its entry's type is `return`."""
    return bool(sale.lines) and all(line.quantity_milli < 0 for line in sale.lines)


def stock_deltas(body: msgspec.Struct) -> dict[Sku, int]:
    """Thousandths by stock code: a sale takes off, a return puts back, an adjustment and a transfer say it.

    A code whose movements cancel out is there with 0. An adjusted account, a voided transaction and a count
    have moved no goods: what a count differs by, head office alone can know (`core.stock.marks`).
    """
    deltas: dict[Sku, int] = {}
    if isinstance(body, Sale):
        for line in body.lines:
            if line.tax_code != NO_TURNOVER.code:  # a gift card is no goods
                deltas[line.sku] = deltas.get(line.sku, 0) - line.quantity_milli
    elif isinstance(body, StockAdjusted | StockTransferred):
        _add_movements(deltas, body.lines)
    return deltas


def _add_movements(deltas: dict[Sku, int], lines: tuple[StockLine, ...]) -> None:
    for line in lines:
        deltas[line.sku] = deltas.get(line.sku, 0) + line.quantity_milli


def drawer_minor(body: msgspec.Struct) -> int:
    """Home cash into the drawer, less change and refunds out of it."""
    if not isinstance(body, Sale):
        return 0
    return sum(tender.amount_minor for tender in body.tenders if tender.kind in _DRAWER_KINDS)


def foreign_cash(body: msgspec.Struct) -> dict[str, ForeignSum]:
    """Foreign cash into the drawer, by currency."""
    sums: dict[str, ForeignSum] = {}
    if isinstance(body, Sale):
        for tender in body.tenders:
            if tender.kind == FOREIGN_CASH:
                added = ForeignSum(foreign_minor=tender.foreign_minor, amount_minor=tender.amount_minor)
                sums = _sum_foreign(sums, {tender.foreign_currency: added})
    return sums


def day_deltas(body: msgspec.Struct) -> DayTotals:
    """What one body adds to its business day."""
    if isinstance(body, TransactionVoided):
        return DayTotals(voids=1)
    if not isinstance(body, Sale):
        return DayTotals()
    net: dict[str, int] = {}
    tax: dict[str, int] = {}
    tenders: dict[str, int] = {}
    departments: dict[str, int] = {}
    for line in body.lines:
        departments[line.department] = departments.get(line.department, 0) + line.amount_minor
    for total in body.taxes:
        net[total.tax_code] = net.get(total.tax_code, 0) + total.net_minor
        tax[total.tax_code] = tax.get(total.tax_code, 0) + total.tax_minor
    for tender in body.tenders:
        tenders[tender.kind] = tenders.get(tender.kind, 0) + tender.amount_minor
    returned = is_return(body)
    return DayTotals(
        sales=0 if returned else 1,
        returns=1 if returned else 0,
        total_minor=body.total_minor,
        rounding_minor=body.rounding_minor,
        net_minor=net,
        tax_minor=tax,
        tenders_minor=tenders,
        drawer_minor=drawer_minor(body),
        foreign_cash=foreign_cash(body),
        returned_minor=max(0, -body.total_minor),
        departments_minor=departments,
    )
