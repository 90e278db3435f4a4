"""Shifts, moved cash and Z reports of a damaged till: from its own tables, else as the journal tells."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import apsw
import msgspec

from holdfast.core.cash.shift import ShiftClosed, ShiftOpened
from holdfast.core.cash.z_report import ZReport
from holdfast.core.journal.entry import Entry
from holdfast.core.totals import DayTotals
from holdfast.register.till.cash import SumKey, keyed
from holdfast.register.till.remains import Remains

_SUM = "business_date, shift, kind, currency, times, amount_minor"
_SHIFT = "number, business_date, opened_at_ms, opened, totals_before, closed_at_ms, closed"
_Z = "number, entry, business_date, at_ms, last_document, report"

Sums = Mapping[SumKey, tuple[int, int]]
Row = tuple[object, ...]


class CashRemains:
    """Grows entry by entry, in order; then `store` writes what could not be read."""

    def __init__(self) -> None:
        self._sums: defaultdict[SumKey, tuple[int, int]] = defaultdict(lambda: (0, 0))
        self._shifts: dict[int, Row] = {}
        self._z_reports: list[Row] = []

    def add(
        self, row_id: int, entry: Entry, body: msgspec.Struct, day: DayTotals, last_document: int | None
    ) -> None:
        """`day`: what the entry's business date had come to, and its last document."""
        for key, moved in keyed(entry.date, body):
            times, amount_minor = self._sums[key]
            self._sums[key] = (times + moved.times, amount_minor + moved.amount_minor)
        if isinstance(body, ShiftOpened):
            row = (body.shift, entry.date, entry.at_ms, _json(body), _json(day), None, None)
            self._shifts[body.shift] = row
        elif isinstance(body, ShiftClosed) and body.shift in self._shifts:
            self._shifts[body.shift] = (*self._shifts[body.shift][:5], entry.at_ms, _json(body))
        elif isinstance(body, ZReport):
            self._z_reports.append((body.number, row_id, entry.date, entry.at_ms, last_document, _json(body)))

    def store(self, remains: Remains, into: apsw.Connection) -> None:
        """Each table as it was where it can be read; sums of entries that are gone stay, as after a purge."""
        kept, purged = _sums(remains.table("cash_sum", _SUM)), _sums(remains.table("purged_cash_sum", _SUM))
        all_sums = _plus(purged or {}, self._sums, 1) if kept is None else kept
        gone = (purged or {}) if kept is None else _plus(kept, self._sums, -1)
        _insert(into, "cash_sum", _SUM, [(*key, *sums) for key, sums in all_sums.items()])
        _insert(into, "purged_cash_sum", _SUM, [(*key, *sums) for key, sums in gone.items() if any(sums)])
        shifts = remains.table("shift", _SHIFT)
        _insert(into, "shift", _SHIFT, list(self._shifts.values()) if shifts is None else shifts)
        z_reports = remains.table("z_report", _Z)
        _insert(into, "z_report", _Z, self._z_reports if z_reports is None else z_reports)


def _json(body: msgspec.Struct) -> str:
    return msgspec.json.encode(body).decode()


def _sums(rows: Sequence[Row] | None) -> Sums | None:
    return None if rows is None else {tuple(key): (times, amount) for *key, times, amount in rows}  # pyright: ignore[reportReturnType]


def _plus(one: Sums, other: Sums, sign: int) -> Sums:
    grown = dict(one)
    for key, (times, amount_minor) in other.items():
        before = grown.get(key, (0, 0))
        grown[key] = (before[0] + sign * times, before[1] + sign * amount_minor)
    return grown


def _insert(into: apsw.Connection, table: str, columns: str, rows: Sequence[Row]) -> None:
    if rows:
        blanks = ", ".join("?" * len(rows[0]))
        into.executemany(f"insert into {table} ({columns}) values ({blanks})", rows)
