"""Counts and settings to zero in memory: what PostgreSQL is compared with."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, MutableMapping, Sequence
from typing import Any

from holdfast.core.ids import Sku, StoreId
from holdfast.core.ingest.rows import COLUMNS, Row
from holdfast.core.stock.marks import EVERY_PRODUCT, Derived, Mark, sum_by_sku
from holdfast.core.stock.moment import moment_ms
from holdfast.hq.store.port import DataFault

Set = Callable[[Any, Any, Any], None]
Append = Callable[[list[Any], Any], None]
_AT = {name: place for place, name in enumerate(COLUMNS["document"])}
_LINE = {name: place for place, name in enumerate(COLUMNS["document_line"])}


class StockTables:
    """The tables of marks."""

    def __init__(self) -> None:
        self.marks: dict[tuple[StoreId, Sku, str], Mark] = {}
        self.derived: list[tuple[StoreId, Derived]] = []
        self.moments: dict[tuple[int, int], int] = {}

    def __copy__(self) -> "StockTables":
        """Rows are values: copying the tables is enough."""
        other = StockTables()
        other.marks, other.derived = self.marks.copy(), self.derived.copy()
        other.moments = self.moments.copy()
        return other


class MemoryStockLedger:
    """`StockLedger` over the tables of one transaction; one transaction at a time, so nothing is locked."""

    def __init__(
        self,
        tables: StockTables,
        levels: MutableMapping[tuple[str, str], int],
        appended: Mapping[str, list[Row]],
        set: Set,
        append: Append,
    ) -> None:
        self._tables, self._levels, self._appended = tables, levels, appended
        self._set, self._append = set, append

    def marked_ms(self, store: StoreId) -> int | None:
        return max((mark.at_ms for mark in self._tables.marks.values() if mark.store == store), default=None)

    def lock(self, store: StoreId) -> None:
        return None

    def marks(self, store: StoreId, since_ms: int, skus: Collection[Sku] | None) -> Sequence[Mark]:
        found = (
            mark
            for mark in self._tables.marks.values()
            if mark.store == store
            and mark.at_ms >= since_ms
            and (skus is None or mark.sku in (EVERY_PRODUCT, *skus))
        )
        return sorted(found, key=lambda mark: mark.order)

    def timezone(self, store: StoreId) -> str:
        return "UTC"

    def last_moment_ms(self, chain: int) -> int:
        places = sorted((place for place in self._tables.moments if place[0] == chain), reverse=True)
        return max((self._tables.moments[place] for place in places[:100]), default=0)

    def put_moments(self, at_ms: Mapping[tuple[int, int], int]) -> None:
        for place, moment in at_ms.items():
            self._set(self._tables.moments, place, moment)

    def before(self, mark: Mark, skus: Collection[Sku] | None) -> Mapping[Sku, int]:
        is_about = (lambda sku: True) if skus is None else frozenset(skus).__contains__
        sums: Counter[Sku] = Counter()
        for (store, sku), milli in self._levels.items():
            if store == mark.store and is_about(sku):
                sums[Sku(sku)] += milli
        for sku, milli in self._after(mark):
            if is_about(sku):
                sums[sku] -= milli
        return dict(sums)

    def _after(self, mark: Mark) -> list[tuple[Sku, int]]:
        later = {
            row[:2]
            for row in self._appended["document"]
            if row[_AT["store"]] == mark.store
            and self._tables.moments.get(row[:2], document_moment(row)) > mark.at_ms
        }
        found = [
            (Sku(row[_LINE["sku"]]), row[_LINE["stock_milli"]])
            for row in self._appended["document_line"]
            if row[:2] in later
        ]
        order = {
            name: each.order for (store, _, name), each in self._tables.marks.items() if store == mark.store
        }
        found += [
            (each.sku, each.quantity_milli)
            for store, each in self._tables.derived
            if store == mark.store and order[each.mark] > mark.order
        ]
        return found

    def put(self, store: StoreId, marks: Sequence[Mark], derived: Sequence[Derived], now_ms: int) -> None:
        for mark in marks:
            if (store, mark.sku, mark.mark) in self._tables.marks:
                raise DataFault("23505: the mark is there already")
            self._set(self._tables.marks, (store, mark.sku, mark.mark), mark)
        for each in derived:
            self._append(self._tables.derived, (store, each))
        for sku, milli in sum_by_sku(derived).items():
            if milli:
                self._set(self._levels, (store, sku), self._levels.get((store, sku), 0) + milli)


def document_moment(row: Row) -> int:
    """When a document's movements happened, from its row."""
    own = None if row[_AT["external_reference"]] is None else str(row[_AT["business_date"]])
    return moment_ms(row[_AT["at_ms"]], own)
