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
from holdfast.core.stock.marks import COUNT, Mark, Marks, untrue
from holdfast.core.stock.moment import moment_ms
from holdfast.hq.stock.settling import mark_name
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq.stock", "verify.sql", Engine.POSTGRES)


class MarksCheck:
    """Grows by every document that took effect, in any order; then tells what is wrong."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        marks: defaultdict[str, list[Mark]] = defaultdict(list)
        for mark, kind, store, sku, at_ms, figure_milli in _sql.marks(conn):
            marks[store].append(
                Mark(
                    mark=mark, kind=kind, store=StoreId(store), sku=Sku(sku),
                    at_ms=at_ms, figure_milli=figure_milli,
                )
            )  # fmt: skip
        self._kept = {
            (mark.store, mark.mark, mark.sku, mark.at_ms, mark.figure_milli)
            for of_store in marks.values()
            for mark in of_store
            if mark.kind == COUNT
        }
        self._marks = {store: Marks(of_store) for store, of_store in marks.items()}
        self._moments = {(chain, seq): at_ms for chain, seq, at_ms in _sql.moments(conn)}
        self._derived: defaultdict[str, dict[tuple[str, Sku], int]] = defaultdict(dict)
        for store, mark, sku, milli in _sql.derived(conn):
            self._derived[store][mark, Sku(sku)] = int(milli)
        self._before: defaultdict[str, Counter[tuple[str, Sku]]] = defaultdict(Counter)
        self._at_ms: dict[tuple[str, Sku], list[int]] = {}
        self._counted: set[tuple[str, str, Sku, int, int]] = set()

    def add(self, chain: int, branch: int, store: StoreId, entry: Entry, body: Document) -> None:
        """A document of that store. Where nobody counted or set anything, nothing is done."""
        own = None if body.external is None else body.external.business_date
        at_ms = self._moments.get((chain, entry.seq), moment_ms(entry.at_ms, own))
        if isinstance(body, StockCounted):
            mark = mark_name(body.document, branch)
            self._counted |= {(store, mark, line.sku, at_ms, line.quantity_milli) for line in body.lines}
        if store not in self._marks:
            return
        for sku, milli in totals.stock_deltas(body).items():
            marks = self._marks[store].about(sku)
            if (store, sku) not in self._at_ms:
                self._at_ms[store, sku] = [mark.at_ms for mark in marks]
            place = bisect.bisect_left(self._at_ms[store, sku], at_ms)
            if place < len(marks):
                self._before[store][marks[place].mark, sku] += milli

    def moved(self) -> Counter[tuple[str, str]]:
        """What head office moved, by store and product."""
        sums: Counter[tuple[str, str]] = Counter()
        for store, derived in self._derived.items():
            for (_, sku), milli in derived.items():
                sums[store, sku] += milli
        return sums

    def wrong(self) -> Iterator[str]:
        """A sentence for each figure that does not hold, and each count that is not kept as it was said."""
        for store, mark, sku, *_ in sorted(self._kept ^ self._counted):
            yield f"count {mark} of {sku} in {store} is not kept as its entry says it"
        for store, marks in sorted(self._marks.items()):
            for mark, sku in untrue(marks, self._before[store], self._derived[store]):
                yield f"{mark.kind} {mark.mark} of {sku} in {store} is not what was there at its time"
        for store in sorted(self._derived.keys() - self._marks.keys()):
            yield f"head office moved stock in {store}, and nobody counted there"
