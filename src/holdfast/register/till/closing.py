"""Ending a shift and a business day: what is written then, within the caller's transaction (PO5)."""

from typing import Protocol

import apsw
import msgspec

from holdfast.core import business_day
from holdfast.core.business_day import DayClosed, DayState
from holdfast.core.cash.shift import ShiftClosed, ShiftOpened, abandon
from holdfast.core.cash.z_report import ChainPlace, Counters, DayFigures, z_report
from holdfast.core.ids import StaffId
from holdfast.core.journal.writer import Stamp, Written
from holdfast.core.refusals import Refusal
from holdfast.infra.config import RegisterConfig
from holdfast.register.till import cash, history, writing
from holdfast.register.till.writing import Place


class Writer(Protocol):
    """What ending a day needs of the till."""

    config: RegisterConfig
    connection: apsw.Connection

    def place(self) -> Place: ...

    def stamp(self, date: str | None = None) -> Stamp: ...

    def append(self, at: Place, type: str, version: int, body: msgspec.Struct, stamp: Stamp) -> Written: ...

    def counters(self, but: DayFigures) -> Counters:
        """The highest that is known, in the database or beside it."""
        ...

    def count(self, counters: Counters) -> None:
        """Remember these beside the database, once the transaction is committed."""
        ...


def figures(till: Writer, date: str) -> DayFigures:
    """What happened on a business date since its last Z report."""
    since = cash.since_last_z(till.connection, date, till.config.currency)
    first, last = since.first_document, since.last_document
    return cash.numbered(
        since,
        None if first is None else history.number_of(till.connection, first),
        None if last is None else history.number_of(till.connection, last),
    )


def open_shift(till: Writer, day: DayState) -> ShiftOpened | None:
    """The shift that is open."""
    row = cash.shift_row(till.connection, day.shift) if day.shift else None
    return None if row is None else row.opened


def end_day(till: Writer, day: DayState, *, by: StaffId, cause: str) -> DayClosed | Refusal:
    """A shift that nobody counted any more (`cause`), then the Z report, then the end of the day."""
    date = business_day.day_required(day)
    if isinstance(date, Refusal):
        return date
    stamp = till.stamp(date)
    if day.shift:
        till.append(till.place(), "shift_closed", 1, abandoned(till, day, by=by, cause=cause), stamp)
    _write_z(till, date, stamp, by)
    closed = _closing(till, day, by)
    if isinstance(closed, DayClosed):
        till.append(till.place(), "day_closed", 1, closed, stamp)
    return closed


def abandoned(till: Writer, day: DayState, *, by: StaffId, cause: str) -> ShiftClosed:
    """The end of a shift whose drawer nobody counts."""
    row = cash.shift_row(till.connection, day.shift)
    assert row is not None, "the open shift is known"
    held = cash.drawer(till.connection, till.config.currency)
    totals = cash.shift_totals(till.connection, row)
    moved = cash.shift_moved(till.connection, row.opened.business_date, row.opened.shift)
    return abandon(row.opened, held, totals, moved, by=by, cause=cause)


def _write_z(till: Writer, date: str, stamp: Stamp, by: StaffId) -> None:
    at, last = till.place(), cash.last_z(till.connection)
    now = figures(till, date)
    head = ChainPlace(at.head.epoch, at.head.seq, at.head.hash)
    report = z_report(now, till.counters(now), head, None if last is None else last.at, by=by)
    till.append(at, "z_report", 1, report, stamp)
    till.count(report.counters)


def _closing(till: Writer, day: DayState, by: StaffId) -> DayClosed | Refusal:
    found = writing.read_totals(till.connection, day.business_date or "")
    first, last = found.first_document, found.last_document
    return business_day.close_day(
        day,
        found.totals,
        currency=till.config.currency,
        by=by,
        first_document=None if first is None else history.number_of(till.connection, first),
        last_document=None if last is None else history.number_of(till.connection, last),
    )
