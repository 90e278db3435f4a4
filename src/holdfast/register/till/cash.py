"""Shifts, moved cash and Z reports as the till keeps them; all within the caller's transaction.

Nothing here costs a sale anything: what the drawer holds is the day's totals, which a sale adds to anyway,
and the sums of everything else.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import apsw
import msgspec

from holdfast.core.cash import sums
from holdfast.core.cash.moves import Moved
from holdfast.core.cash.shift import ShiftClosed, ShiftOpened
from holdfast.core.cash.sums import effects, listed, shift_of
from holdfast.core.cash.z_report import ChainPlace, Counters, DayFigures, ZReport
from holdfast.core.ids import DocumentNumber, EpochId
from holdfast.core.journal.writer import Stamp
from holdfast.core.totals import DayTotals
from holdfast.infra.queries import Engine, load_queries
from holdfast.register.till.database import sql_of
from holdfast.register.till.places import seq_of

_SQL = load_queries(__name__.rpartition(".")[0], "cash.sql", Engine.SQLITE)
_DAY_TOTALS, _ALL_DAY_TOTALS = sql_of("day_totals"), sql_of("all_day_totals")
_encoder = msgspec.json.Encoder()
_totals = msgspec.json.Decoder(DayTotals)
_opened = msgspec.json.Decoder(ShiftOpened)
_closed = msgspec.json.Decoder(ShiftClosed)
_report = msgspec.json.Decoder(ZReport)

Statements = apsw.Connection | apsw.Cursor
SumKey = tuple[str, int, str, str]
"""Business date, shift, kind, currency."""
Z_LISTED_MAX = 400


class ShiftRow(NamedTuple):
    """A shift from its opening, and to its end if it came."""

    opened: ShiftOpened
    opened_at_ms: int
    closed: ShiftClosed | None
    closed_at_ms: int | None
    totals_before: DayTotals
    """What the business date had come to when it began."""


class ZRow(NamedTuple):
    """A Z report and when it was written."""

    report: ZReport
    at_ms: int


class LastZ(NamedTuple):
    """The newest Z report of this database."""

    report: ZReport
    at: ChainPlace


def _run(on: Statements, name: str, *values: Any) -> list[Any]:
    """All rows; one that is not read would hold the database as it is now."""
    query: Any = getattr(_SQL, name)
    return on.execute(query.sql, values).fetchall()


# ---- writing -----------------------------------------------------------------------------------


def project(on: Statements, entry: int, body: msgspec.Struct, stamp: Stamp) -> None:
    """What an entry of any kind but a sale does here. `entry`: its place."""
    for moved in effects(body):
        _run(on, "add_sum", stamp.date, shift_of(body), *_row(moved))
    if isinstance(body, ShiftOpened):
        before = _encoder.encode(_totals_of(on, stamp.date)).decode()
        opened = _encoder.encode(body).decode()
        _run(on, "open_shift", body.shift, stamp.date, stamp.at_ms, opened, before)
    elif isinstance(body, ShiftClosed):
        _run(on, "close_shift", stamp.at_ms, _encoder.encode(body).decode(), body.shift)
    elif isinstance(body, ZReport):
        _, _, last_document = _day_row(on, stamp.date)
        report = _encoder.encode(body).decode()
        _run(on, "add_z", body.number, entry, stamp.date, stamp.at_ms, last_document, report)


def keep_purged(on: Statements, kept: Iterable[tuple[SumKey, Moved]]) -> None:
    """What purged entries had added, so that the sums can still be checked."""
    for (date, shift, _, _), moved in kept:
        _run(on, "add_purged_sum", date, shift, *_row(moved))


def _row(moved: Moved) -> tuple[object, ...]:
    return moved.kind, moved.currency, moved.times, moved.amount_minor


# ---- reading -----------------------------------------------------------------------------------


def keyed(date: str, body: msgspec.Struct) -> list[tuple[SumKey, Moved]]:
    """What a body adds, under the keys of the table."""
    return [((date, shift_of(body), moved.kind, moved.currency), moved) for moved in effects(body)]


def all_sums(on: Statements, *, purged: bool = False) -> dict[SumKey, tuple[int, int]]:
    """Times and amount by key; of `purged` entries alone, or of all."""
    rows = _run(on, "purged_sums" if purged else "all_sums")
    return {tuple(key): (times, amount_minor) for *key, times, amount_minor in rows}


def shift_row(on: Statements, number: int) -> ShiftRow | None:
    rows = _run(on, "shift", number)
    if not rows:
        return None
    [(opened, opened_at_ms, closed, closed_at_ms, before)] = rows
    ended = None if closed is None else _closed.decode(closed)
    return ShiftRow(_opened.decode(opened), opened_at_ms, ended, closed_at_ms, _totals.decode(before))


def all_shifts(on: Statements) -> dict[int, tuple[ShiftOpened, ShiftClosed | None]]:
    return {
        number: (_opened.decode(opened), None if closed is None else _closed.decode(closed))
        for number, opened, closed in _run(on, "all_shifts")
    }


def z_report(on: Statements, number: int) -> ZRow | None:
    rows = _run(on, "z", number)
    return ZRow(_report.decode(rows[0][0]), rows[0][1]) if rows else None


def z_reports(on: Statements, limit: int, before: int | None) -> list[ZRow]:
    """Newest first; `before` a number for the page after it."""
    first = (1 << 63) - 1 if before is None else before
    return [
        ZRow(_report.decode(report), at_ms)
        for report, at_ms in _run(on, "zs", first, min(limit, Z_LISTED_MAX))
    ]


def newest_z(on: Statements) -> int:
    """The number of the newest Z report; 0: there is none."""
    return _run(on, "newest_z")[0][0]


def zs_after(on: Statements, number: int) -> list[tuple[int, int]]:
    """Number and wall time of the Z reports that follow, in order."""
    return _run(on, "zs_after", number)


def all_z_reports(on: Statements) -> dict[int, ZReport]:
    return {number: _report.decode(report) for number, report in _run(on, "all_zs")}


def last_z(on: Statements) -> LastZ | None:
    rows = _run(on, "last_z")
    if not rows:
        return None
    [(report, entry, epoch, hash)] = rows
    return LastZ(_report.decode(report), ChainPlace(EpochId(epoch), seq_of(entry), hash))


def last_shift(on: Statements) -> int:
    """The highest number of a shift in this database; 0: none."""
    return _run(on, "last_shift")[0][0]


def counters(on: Statements, but: DayTotals) -> Counters:
    """How far Z reports and shifts were numbered in this database. Before its first report the grand totals
    are those of all its days `but` what that report will add: a till may be older than its reports."""
    last, shift = last_z(on), last_shift(on)
    if last is not None:
        return msgspec.structs.replace(last.report.counters, shift=shift)
    ever = _all_totals(on) - but
    return Counters(shift=shift, grand_total_minor=ever.sold_minor, grand_returned_minor=ever.returned_minor)


def drawer(on: Statements, home: str) -> dict[str, int]:
    """What the drawer must hold, by currency; home cash is always there."""
    return sums.content(home, _all_totals(on), _moved(_run(on, "sums_by_kind")))


def shift_moved(on: Statements, date: str, shift: int) -> tuple[Moved, ...]:
    """What moved in one shift."""
    return _moved(_run(on, "sums_of_shift", date, shift))


def shift_totals(on: Statements, row: ShiftRow) -> DayTotals:
    """What the documents of a shift that is open came to."""
    return _totals_of(on, row.opened.business_date) - row.totals_before


class Since(NamedTuple):
    """What happened since the Z report before, and which documents are the first and the last of it."""

    figures: DayFigures
    first_document: int | None
    last_document: int | None


def since_last_z(on: Statements, date: str, home: str) -> Since:
    """Of a business date; it may have had reports already."""
    totals, first, last = _day_row(on, date)
    earlier = _run(on, "zs_of_date", date)
    shifts = {number for (number,) in _run(on, "shifts_of_date", date)}
    moved = {(each.kind, each.currency): each for each in _moved(_run(on, "sums_of_date", date))}
    reported, totals = 0, totals - DayTotals()
    for text, last_document in earlier:
        report = _report.decode(text)
        totals = totals - report.totals
        moved = sums.add(moved, report.moved, -1)
        shifts -= set(report.shifts)
        reported = max(reported, last_document or 0)
    if reported and first is not None:
        [(first,)] = _run(on, "first_document_after", reported, first)
    figures = DayFigures(
        business_date=date,
        currency=home,
        totals=totals,
        moved=listed(moved),
        drawer_minor=drawer(on, home),
        shifts=tuple(sorted(shifts)),
    )
    return Since(figures, first, None if first is None else last)


def numbered(since: Since, first: DocumentNumber | None, last: DocumentNumber | None) -> DayFigures:
    """The figures with the numbers of their documents."""
    return msgspec.structs.replace(since.figures, first_document=first, last_document=last)


def _moved(rows: list[Any]) -> tuple[Moved, ...]:
    return listed(
        {
            (kind, currency): Moved(kind=kind, currency=currency, times=times, amount_minor=amount_minor)
            for kind, currency, times, amount_minor in rows
        }
    )


def _day_row(on: Statements, date: str) -> tuple[DayTotals, int | None, int | None]:
    rows: list[Any] = on.execute(_DAY_TOTALS, (date,)).fetchall()
    if not rows:
        return DayTotals(), None, None
    [(text, first, last)] = rows
    return _totals.decode(text), first, last


def _totals_of(on: Statements, date: str) -> DayTotals:
    return _day_row(on, date)[0]


def _all_totals(on: Statements) -> DayTotals:
    rows: list[Any] = on.execute(_ALL_DAY_TOTALS).fetchall()
    return sum((_totals.decode(text) for _, text in rows), DayTotals())
