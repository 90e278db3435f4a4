"""Purging: entries' bytes go where head office holds them *safe*; hashes, numbers and sums stay (P1)."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import apsw

from holdfast.core import totals
from holdfast.core.cash.moves import Moved
from holdfast.core.faults import MalformedFault
from holdfast.core.ids import EpochId, Sku
from holdfast.core.journal.bodies import REGISTRY
from holdfast.core.journal.entry import Unprojectable, decode_entry
from holdfast.core.totals import DayTotals
from holdfast.infra.sqlite import UNREADABLE
from holdfast.register.till import cash
from holdfast.register.till.database import QUERIES
from holdfast.register.till.places import place, seq_of
from holdfast.register.till.writing import decode_totals, encode_totals

ENTRIES_PER_TRANSACTION = 500
"""About 10 ms, so that a sale never waits long for a purge."""
ROWS_LOOKED_AT = 100
"""One by one, where a page of entries is damaged."""
FREE_PAGES_KEPT = 2_000
"""Freed pages that stay in the file for the next sales; more than these go back to the disk."""
FREE_PAGES_AT_A_TIME = 250


class Purged(NamedTuple):
    """What a purge, or a part of one, did."""

    entries: int
    passed_over: int
    """Places that cannot be read, decoded or deleted; what is there stays."""
    next_seq: int | None
    """Where the next part begins; None: nothing is left to purge."""


class Row(NamedTuple):
    """An entry that can go."""

    id: int
    data: bytes


class Found(NamedTuple):
    """What a look at a damaged stretch found."""

    rows: tuple[Row, ...]
    passed_over: int
    next_seq: int | None


def purge_some(connection: apsw.Connection, epoch: EpochId, through_seq: int, first_seq: int = 1) -> Purged:
    """Purge up to `ENTRIES_PER_TRANSACTION` entries of an epoch, within the caller's transaction.

    What they had added is kept as sums, so that the projections can still be checked. DamagedFault and
    MalformedFault where one of them cannot be read: then `look_around` says which can go.
    """
    n = QUERIES.epoch_n(connection, epoch=epoch)
    if n is None or through_seq < first_seq:
        return Purged(0, 0, None)
    found = QUERIES.purgeable(
        connection, first=place(n, first_seq), last=place(n, through_seq), limit=ENTRIES_PER_TRANSACTION
    )
    if not found:
        return Purged(0, 0, None)
    _keep_sums(connection, [data for _, data in found])
    QUERIES.purge(connection, first=found[0][0], last=found[-1][0])
    is_all = len(found) < ENTRIES_PER_TRANSACTION
    return Purged(len(found), 0, None if is_all else seq_of(found[-1][0]) + 1)


def purge_rows(connection: apsw.Connection, rows: Sequence[Row]) -> int:
    """Purge these entries, those of them that are still there, within the caller's transaction."""
    gone = [row.data for row in rows if QUERIES.purge(connection, first=row.id, last=row.id)]
    _keep_sums(connection, gone)
    return len(gone)


def look_around(connection: apsw.Connection, epoch: EpochId, through_seq: int, first_seq: int) -> Found:
    """The next entries that can go, row by row past what cannot be read or decoded. Writes nothing."""
    n = QUERIES.epoch_n(connection, epoch=epoch)
    rows: list[Row] = []
    passed_over, seq = 0, first_seq
    for _ in range(ROWS_LOOKED_AT):
        if n is None or seq > through_seq:
            return Found(tuple(rows), passed_over, None)
        try:
            found = QUERIES.purgeable(connection, first=place(n, seq), last=place(n, through_seq), limit=1)
        except UNREADABLE:
            passed_over += 1
            seq = _behind_damage(connection, n, seq, through_seq)
            continue
        if not found:
            return Found(tuple(rows), passed_over, None)
        [(row_id, data)] = found
        seq = seq_of(row_id) + 1
        if _is_whole(data):
            rows.append(Row(row_id, data))
        else:
            passed_over += 1
    return Found(tuple(rows), passed_over, seq)


def _behind_damage(connection: apsw.Connection, n: int, seq: int, through_seq: int) -> int:
    """The first seq above an unreadable one from which can be read on. By doubling steps: before the
    page there may be a million entries that are gone already, and a look for any of them ends in it."""

    def can_read(from_seq: int) -> bool:
        if from_seq > through_seq:
            return True
        try:
            QUERIES.purgeable(connection, first=place(n, from_seq), last=place(n, through_seq), limit=1)
        except UNREADABLE:
            return False
        return True

    step = 1
    while not can_read(seq + step):
        step *= 2
    bad, good = seq + step // 2, seq + step
    while good - bad > 1:
        middle = (bad + good) // 2
        bad, good = (bad, middle) if can_read(middle) else (middle, good)
    return good


def _is_whole(data: bytes) -> bool:
    """Whether what it had added can be told; an entry that is not whole stays, so that sums stay right."""
    try:
        REGISTRY.decode(decode_entry(data))
    except MalformedFault:
        return False
    return True


def _keep_sums(connection: apsw.Connection, entries: list[bytes]) -> None:
    moved: Counter[Sku] = Counter()
    days = {date: decode_totals(text) for date, text in QUERIES.purged_day_totals(connection)}
    moved_cash: list[tuple[cash.SumKey, Moved]] = []
    for data in entries:
        entry = decode_entry(data)
        body = REGISTRY.decode(entry)
        if isinstance(body, Unprojectable):
            continue  # it had added nothing
        moved.update(totals.stock_deltas(body))
        days[entry.date] = days.get(entry.date, DayTotals()) + totals.day_deltas(body)
        moved_cash += cash.keyed(entry.date, body)
    cash.keep_purged(connection, moved_cash)
    QUERIES.add_purged_stock(
        connection, [{"sku": sku, "quantity_milli": milli} for sku, milli in moved.items()]
    )
    QUERIES.set_purged_day_totals(
        connection, [{"business_date": date, "totals": encode_totals(day)} for date, day in days.items()]
    )


def give_back_some(connection: apsw.Connection) -> None:
    """Shorten the file by some of the pages that purges freed, within the caller's transaction."""
    [(free_pages,)] = connection.execute("pragma freelist_count").fetchall()
    assert isinstance(free_pages, int), "a count of pages"
    if free_pages > FREE_PAGES_KEPT:
        pages = min(FREE_PAGES_AT_A_TIME, free_pages - FREE_PAGES_KEPT)
        connection.execute(f"pragma incremental_vacuum({pages})").fetchall()
