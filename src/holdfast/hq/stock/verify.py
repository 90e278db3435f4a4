"""Verifying counts and settings to zero: of each figure, that it is what was there at its time."""

import bisect
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import psycopg

from holdfast.core import totals
from holdfast.core.ids import Sku, StoreId
from holdfast.core.ingest.project import Document
from holdfast.core.journal.entry import Entry
from holdfast.core.stock.entries import StockCounted
from holdfast.core.stock.marks import COUNT, Mark, about, untrue
from holdfast.core.stock.moment import moment_ms
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq.stock", "verify.sql", Engine.POSTGRES)


class MarksCheck:
    """Grows by every document that took effect, in any order; then tells what is wrong."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self._marks: defaultdict[str, list[Mark]] = defaultdict(list)
        for mark, kind, store, sku, at_ms, figure_milli in _sql.marks(conn):
            self._marks[store].append(
                Mark(
                    mark=mark, kind=kind, store=StoreId(store), sku=Sku(sku),
                    at_ms=at_ms, figure_milli=figure_milli,
                )
            )  # fmt: skip
        self._derived: defaultdict[str, dict[tuple[str, Sku], int]] = defaultdict(dict)
        for store, mark, sku, milli in _sql.derived(conn):
            self._derived[store][mark, Sku(sku)] = int(milli)
        self._before: defaultdict[str, Counter[tuple[str, Sku]]] = defaultdict(Counter)
        self._about: dict[tuple[str, Sku], tuple[list[int], list[Mark]]] = {}
        self._counted: set[tuple[str, str, Sku, int, int]] = set()

    def add(self, store: StoreId, entry: Entry, body: Document) -> None:
        """A document of that store. Where nobody counted or set anything, nothing is done."""
        own = None if body.external is None else body.external.business_date
        at_ms = moment_ms(entry.at_ms, own)
        if isinstance(body, StockCounted):
            said = {(store, body.document, line.sku, at_ms, line.quantity_milli) for line in body.lines}
            self._counted |= {(str(of), str(mark), sku, when, milli) for of, mark, sku, when, milli in said}
        if store not in self._marks:
            return
        for sku, milli in totals.stock_deltas(body).items():
            moments, marks = self._of(store, sku)
            place = bisect.bisect_left(moments, at_ms)
            if place < len(marks):
                self._before[store][marks[place].mark, sku] += milli

    def _of(self, store: StoreId, sku: Sku) -> tuple[list[int], list[Mark]]:
        found = self._about.get((store, sku))
        if found is None:
            marks = about(self._marks[store], sku)
            found = self._about[store, sku] = ([mark.at_ms for mark in marks], marks)
        return found

    def moved(self) -> Counter[tuple[str, str]]:
        """What head office moved, by store and product."""
        sums: Counter[tuple[str, str]] = Counter()
        for store, derived in self._derived.items():
            for (_, sku), milli in derived.items():
                sums[store, sku] += milli
        return sums

    def wrong(self) -> Iterator[str]:
        """A sentence for each figure that does not hold, and each count that is not kept as it was said."""
        kept = {
            (mark.store, mark.mark, mark.sku, mark.at_ms, mark.figure_milli)
            for marks in self._marks.values()
            for mark in marks
            if mark.kind == COUNT
        }
        for store, mark, sku, *_ in sorted(kept ^ self._counted):
            yield f"count {mark} of {sku} in {store} is not kept as its entry says it"
        for store, marks in sorted(self._marks.items()):
            for mark, sku in untrue(marks, self._before[store], self._derived[store]):
                yield f"{mark.kind} {mark.mark} of {sku} in {store} is not what was there at its time"
        for store in sorted(self._derived.keys() - self._marks.keys()):
            yield f"head office moved stock in {store}, and nobody counted there"
