"""A batch's counts, and what it brings late, settled in the batch's own transaction (P3, ST3)."""

from collections.abc import Sequence

from holdfast.core.ids import Sku, StoreId
from holdfast.core.ingest.rows import COLUMNS, Row, Rows
from holdfast.core.stock.marks import COUNT, EVERY_PRODUCT, Derived, Mark, Marks, Moved, netted, settled
from holdfast.core.stock.moment import believed, is_ahead, moment_ms
from holdfast.hq.store.port import Transaction
from holdfast.hq.store.stock_port import StockLedger
from holdfast.infra.clock import time_zone

_DOCUMENT = {name: place for place, name in enumerate(COLUMNS["document"])}
_LINE = {name: place for place, name in enumerate(COLUMNS["document_line"])}
_TYPE, _AT_MS = _DOCUMENT["type"], _DOCUMENT["at_ms"]
_EXTERNAL, _DATE = _DOCUMENT["external_reference"], _DOCUMENT["business_date"]
COUNTED = "stock_counted"

Place = tuple[int, int]
"""Chain and number of an entry."""


def settle_stock(transaction: Transaction, rows: Rows, now_ms: int, branch: int = 0) -> None:
    """After the rows stand. Of a batch in the usual order this is one short question of the store.

    `branch`: of the chain that the batch is of; above 0 a clone wrote it.
    """
    documents = rows.appended["document"]
    if not documents:
        return
    store, ledger = StoreId(documents[0][_DOCUMENT["store"]]), transaction.stock
    lines = rows.appended["document_line"]
    counts = [row for row in documents if row[_TYPE] == COUNTED]
    if counts:
        ledger.lock(store)
    marked_ms = ledger.marked_ms(store)
    moments = _moments(ledger, store, documents, now_ms)
    if marked_ms is not None:
        late = _late(moments, lines, marked_ms)
        if late:
            known = ledger.marks(store, min(each.at_ms for each in late), {each.sku for each in late})
            ledger.put(store, (), netted(late, Marks(known)), now_ms)
    for count in counts:
        add_marks(ledger, _marks_of(count, moments[count[0], count[1]], lines, branch), now_ms)


def _moments(ledger: StockLedger, store: StoreId, documents: Sequence[Row], now_ms: int) -> dict[Place, int]:
    """When each document moved stock; kept where its row does not say it."""
    own = [None if row[_EXTERNAL] is None else str(row[_DATE]) for row in documents]
    rows = [moment_ms(row[_AT_MS], date) for row, date in zip(documents, own, strict=True)]
    there = rows
    if any(own):
        zone = time_zone(ledger.timezone(store))
        there = [moment_ms(row[_AT_MS], date, zone) for row, date in zip(documents, own, strict=True)]
    if is_ahead(there, now_ms):
        there = believed(there, now_ms, ledger.last_moment_ms(documents[0][0]))
    moments = {(row[0], row[1]): at for row, at in zip(documents, there, strict=True)}
    other = {place: at for (place, at), said in zip(moments.items(), rows, strict=True) if at != said}
    if other:
        ledger.put_moments(other)
    return moments


def add_marks(ledger: StockLedger, marks: Sequence[Mark], now_ms: int) -> Sequence[Derived]:
    """All figures of one document at once; the store's stock is locked. Their differences move the level,
    and later figures net them."""
    if not marks:
        return ()
    first = marks[0]
    skus = None if first.sku == EVERY_PRODUCT else [mark.sku for mark in marks]
    before = ledger.before(first, skus)
    known = Marks(ledger.marks(first.store, first.at_ms, before.keys() if skus is None else skus))
    derived = [each for mark in marks for each in settled(mark, before, known)]
    ledger.put(first.store, marks, derived, now_ms)
    return derived


def _late(moments: dict[Place, int], lines: Sequence[Row], marked_ms: int) -> list[Moved]:
    """Movements that happened before the newest mark, and come only now."""
    late = {place: at_ms for place, at_ms in moments.items() if at_ms <= marked_ms}
    if not late:
        return []
    return [
        Moved(Sku(line[_LINE["sku"]]), late[line[0], line[1]], line[_LINE["stock_milli"]], line[0], line[1])
        for line in lines
        if (line[0], line[1]) in late
    ]


def _marks_of(count: Row, at_ms: int, lines: Sequence[Row], branch: int) -> list[Mark]:
    number = str(count[_DOCUMENT["number"]])
    return [
        Mark(
            mark=mark_name(number, branch),
            kind=COUNT,
            store=StoreId(count[_DOCUMENT["store"]]),
            sku=Sku(line[_LINE["sku"]]),
            at_ms=at_ms,
            figure_milli=line[_LINE["quantity_milli"]],
            by=count[_DOCUMENT["staff"]],
        )
        for line in lines
        if line[:2] == count[:2]
    ]


def mark_name(number: str, branch: int) -> str:
    """A clone counts under the numbers of the till that it is of."""
    return f"{number}#{branch}" if branch else number
