"""What follows from a journal, added up anew: for a till whose own tables of it cannot all be read."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import apsw

from holdfast.core import business_day, totals
from holdfast.core.business_day import DayState
from holdfast.core.faults import MalformedFault
from holdfast.core.ids import Sku
from holdfast.core.journal.bodies import REGISTRY
from holdfast.core.journal.entry import Entry, Unprojectable, decode_entry
from holdfast.core.sale import Sale
from holdfast.core.totals import DayTotals
from holdfast.register.till.cash_remains import CashRemains
from holdfast.register.till.places import epoch_of, seq_of
from holdfast.register.till.remains import Remains
from holdfast.register.till.writing import (
    Document,
    decode_totals,
    encode_totals,
    returned_rows,
    total_of,
)

DocumentRow = tuple[int, int, str, str, int, int]
"""Id, seq, type, own business date, when, total."""


TABLES = (
    "stock",
    "purged_stock",
    "day_totals",
    "purged_day_totals",
    "returned",
    "reference",
    "dated_back",
    "day",
)  # fmt: skip
"""What is stored here."""


class DayRow(NamedTuple):
    """A business date as the till keeps it."""

    totals: DayTotals
    first_document: int | None
    last_document: int | None


_NO_DAY = DayRow(DayTotals(), None, None)


class Sums:
    """Grows entry by entry, in order; then `store` writes what could not be read, and what is consistent
    with it."""

    def __init__(self) -> None:
        self._stock: Counter[Sku] = Counter()
        self._days: defaultdict[str, DayRow] = defaultdict(lambda: _NO_DAY)
        self._returned: defaultdict[tuple[str, int], tuple[int, int]] = defaultdict(lambda: (0, 0))
        self._references: dict[tuple[str, str], int] = {}
        self._dated_back: dict[tuple[int, str], int] = {}
        self._day = DayState()
        self._cash = CashRemains()

    def add(self, row_id: int, numbered: int, data: bytes) -> DocumentRow | None:
        """An entry, and if it is a document its row under the id `numbered`."""
        try:
            entry = decode_entry(data)
            body = REGISTRY.decode(entry)
        except MalformedFault:
            return None
        if isinstance(body, Unprojectable):
            return None
        self._stock.update(totals.stock_deltas(body))
        self._day = business_day.after(self._day, body)
        day = self._days[entry.date]
        self._cash.add(row_id, entry, body, day.totals, day.last_document)
        self._add_day(entry.date, totals.day_deltas(body), numbered if isinstance(body, Document) else None)
        if isinstance(body, Sale):
            for row in returned_rows(body):
                quantity_milli, amount_minor = self._returned[row["document"], row["line"]]
                self._returned[row["document"], row["line"]] = (
                    quantity_milli + row["quantity_milli"],
                    amount_minor + row["amount_minor"],
                )
        return self._document(entry, body, row_id, numbered) if isinstance(body, Document) else None

    def _add_day(self, date: str, delta: DayTotals, numbered: int | None) -> None:
        if numbered is None and delta == DayTotals():
            return
        before = self._days[date]
        first = numbered if before.first_document is None else before.first_document
        last = before.last_document if numbered is None else numbered
        self._days[date] = DayRow(before.totals + delta, first, last)

    def _document(self, entry: Entry, body: Document, row_id: int, numbered: int) -> DocumentRow:
        date = entry.date
        if body.external is not None:
            date = body.external.business_date
            self._references.setdefault((entry.type, body.external.reference), numbered)
        if date != entry.date:
            self._dated_back[epoch_of(row_id), date] = seq_of(numbered)
        return numbered, seq_of(row_id), entry.type, date, entry.at_ms, total_of(body)

    # ---- storing -----------------------------------------------------------------------------

    def store(self, remains: Remains, into: apsw.Connection) -> None:
        """Each table as it was where it can be read, else as the journal tells it. What entries that are
        not there any more had added stays as sums, as after a purge, so that all can be checked."""
        self._store_stock(remains, into)
        self._store_days(remains, into)
        returned = remains.table("returned", "document, line, quantity_milli, amount_minor")
        own_returned = [(*key, *sums) for key, sums in self._returned.items()]
        _insert(into, "returned", own_returned if returned is None else returned)
        references = remains.table("reference", "type, reference, document")
        own_references = [(*key, document) for key, document in self._references.items()]
        known = {row_id for (row_id,) in into.execute("select id from document").fetchall()}
        kept = own_references if references is None else references
        _insert(into, "reference", [row for row in kept if row[2] in known])
        dated_back = remains.table("dated_back", "n, business_date, last_number")
        known_epochs = {n for (n,) in into.execute("select n from epoch").fetchall()}
        own_dated_back = [(*key, number) for key, number in self._dated_back.items()]
        _insert(
            into,
            "dated_back",
            [row for row in (own_dated_back if dated_back is None else dated_back) if row[0] in known_epochs],
        )
        self._cash.store(remains, into)
        day = remains.table("day", "business_date, is_open, shift, has_shifts")
        own = self._day
        own_day = [(own.business_date, int(own.open), own.shift, int(own.has_shifts))]
        set_day = "update day set business_date = ?, is_open = ?, shift = ?, has_shifts = ?"
        into.executemany(set_day, day or own_day)

    def _store_stock(self, remains: Remains, into: apsw.Connection) -> None:
        kept = remains.table("stock", "sku, quantity_milli")
        purged = Counter(dict(remains.table("purged_stock", "sku, quantity_milli") or ()))
        if kept is None:
            stock = dict(purged)
            for sku, milli in self._stock.items():
                stock[sku] = stock.get(sku, 0) + milli
        else:
            stock = dict(kept)
            purged = Counter(stock)
            purged.subtract(self._stock)
        _insert(into, "stock", list(stock.items()))
        _insert(into, "purged_stock", [row for row in purged.items() if row[1]])

    def _store_days(self, remains: Remains, into: apsw.Connection) -> None:
        kept = remains.table("day_totals", "business_date, totals, first_document, last_document")
        purged = {
            date: decode_totals(text)
            for date, text in remains.table("purged_day_totals", "business_date, totals") or ()
        }
        if kept is None:
            days = {date: _NO_DAY._replace(totals=day) for date, day in purged.items()}
            for date, own in self._days.items():
                days[date] = own._replace(totals=days.get(date, _NO_DAY).totals + own.totals)
        else:
            days = {date: DayRow(decode_totals(text), *ends) for date, text, *ends in kept}
            purged = {date: day.totals - self._days[date].totals for date, day in days.items()}
        rows = [(date, encode_totals(day), *ends) for date, (day, *ends) in days.items()]
        _insert(into, "day_totals", rows)
        sums = [(date, encode_totals(day)) for date, day in purged.items() if day != DayTotals()]
        _insert(into, "purged_day_totals", sums)


def _insert(into: apsw.Connection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        into.executemany(f"insert into {table} values ({', '.join('?' * len(rows[0]))})", rows)
