"""Purging: entries' bytes go where head office holds them *safe*; hashes, numbers and sums stay (P1)."""

from collections import Counter

import apsw

from holdfast.core import totals
from holdfast.core.ids import EpochId, Sku
from holdfast.core.journal.bodies import REGISTRY
from holdfast.core.journal.entry import Unprojectable, decode_entry
from holdfast.core.totals import DayTotals
from holdfast.register.till.database import QUERIES
from holdfast.register.till.places import place
from holdfast.register.till.writing import decode_totals, encode_totals

ENTRIES_PER_TRANSACTION = 500
"""About 10 ms, so that a sale never waits long for a purge."""
FREE_PAGES_KEPT = 2_000
"""Freed pages that stay in the file for the next sales; more than these go back to the disk."""
FREE_PAGES_AT_A_TIME = 250


def purge_some(connection: apsw.Connection, epoch: EpochId, through_seq: int) -> int:
    """Purge up to `ENTRIES_PER_TRANSACTION` entries of an epoch, within the caller's transaction.

    What they had added is kept as sums, so that the projections can still be checked.
    """
    n = QUERIES.epoch_n(connection, epoch=epoch)
    if n is None or through_seq < 1:
        return 0
    rows = QUERIES.purgeable(
        connection, first=place(n, 1), last=place(n, through_seq), limit=ENTRIES_PER_TRANSACTION
    )
    if not rows:
        return 0
    _keep_sums(connection, [data for _, data in rows])
    QUERIES.purge(connection, first=rows[0][0], last=rows[-1][0])
    return len(rows)


def _keep_sums(connection: apsw.Connection, entries: list[bytes]) -> None:
    stock: Counter[Sku] = Counter()
    days = {date: decode_totals(text) for date, text in QUERIES.purged_day_totals(connection)}
    for data in entries:
        entry = decode_entry(data)
        body = REGISTRY.decode(entry)
        if isinstance(body, Unprojectable):
            continue  # it had added nothing
        stock.update(totals.stock_deltas(body))
        days[entry.date] = days.get(entry.date, DayTotals()) + totals.day_deltas(body)
    QUERIES.add_purged_stock(
        connection, [{"sku": sku, "quantity_milli": milli} for sku, milli in stock.items()]
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
