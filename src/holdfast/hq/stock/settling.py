"""A batch's counts, and what it brings late, settled in the batch's own transaction (P3, ST3)."""

from collections.abc import Sequence

from holdfast.core.ids import Sku, StoreId
from holdfast.core.ingest.rows import COLUMNS, Row, Rows
from holdfast.core.stock.marks import COUNT, Mark, Moved, netted, settled
from holdfast.core.stock.moment import moment_ms
from holdfast.hq.store.port import Transaction

_DOCUMENT = {name: place for place, name in enumerate(COLUMNS["document"])}
_LINE = {name: place for place, name in enumerate(COLUMNS["document_line"])}
_TYPE, _AT_MS = _DOCUMENT["type"], _DOCUMENT["at_ms"]
_EXTERNAL = _DOCUMENT["external_reference"]
COUNTED = "stock_counted"


def settle_stock(transaction: Transaction, rows: Rows, now_ms: int) -> None:
    """After the rows stand. Of a batch in the usual order this is one short question of the store."""
    documents = rows.appended["document"]
    if not documents:
        return
    store, ledger = StoreId(documents[0][_DOCUMENT["store"]]), transaction.stock
    counts = [row for row in documents if row[_TYPE] == COUNTED]
    if counts:
        ledger.lock(store)
    marked_ms = ledger.marked_ms(store)
    if marked_ms is not None:
        late = _late(documents, rows.appended["document_line"], marked_ms)
        if late:
            known = ledger.marks(store, min(each.at_ms for each in late), {each.sku for each in late})
            ledger.put(store, (), netted(late, known), now_ms)
    for count in counts:
        for mark in _marks_of(count, rows.appended["document_line"]):
            add_mark(transaction, mark, now_ms)


def add_mark(transaction: Transaction, mark: Mark, now_ms: int) -> None:
    """One more figure; the store's stock is locked. Its differences move the level; later ones net them."""
    ledger = transaction.stock
    before = ledger.before(mark)
    skus = before.keys() if not mark.sku else [mark.sku]
    later = ledger.marks(mark.store, mark.at_ms, skus)
    ledger.put(mark.store, [mark], settled(mark, before, later), now_ms)


def _late(documents: Sequence[Row], lines: Sequence[Row], marked_ms: int) -> list[Moved]:
    """Movements that happened before the newest mark, and come only now."""
    moments: dict[tuple[int, int], int] = {}
    for row in documents:
        at_ms = row[_AT_MS]
        if row[_EXTERNAL] is not None:
            at_ms = moment_ms(at_ms, str(row[_DOCUMENT["business_date"]]))
        if at_ms <= marked_ms:
            moments[row[0], row[1]] = at_ms
    if not moments:
        return []
    return [
        Moved(
            Sku(line[_LINE["sku"]]), moments[line[0], line[1]], line[_LINE["stock_milli"]], line[0], line[1]
        )
        for line in lines
        if (line[0], line[1]) in moments
    ]


def _marks_of(count: Row, lines: Sequence[Row]) -> list[Mark]:
    own = _DOCUMENT["external_reference"], _DOCUMENT["business_date"]
    at_ms = moment_ms(count[_AT_MS], None if count[own[0]] is None else str(count[own[1]]))
    return [
        Mark(
            mark=count[_DOCUMENT["number"]],
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
