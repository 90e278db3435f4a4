"""Writing the till: one entry, its document number and its projections, within the caller's transaction.

Nothing here is remembered between calls: head and next number are read from the database each
time, under its write lock, so that two processes on one till never take the same number (P4).
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import apsw
import msgspec

from holdfast.core import business_day, totals
from holdfast.core.basket import Basket
from holdfast.core.business_day import DayState
from holdfast.core.ids import EpochId
from holdfast.core.journal.bodies import DOCUMENT_TYPES, EpochOpened
from holdfast.core.journal.writer import Head, Stamp, Written
from holdfast.core.parameters import Value
from holdfast.core.sale import AccountAdjusted, Sale, StockAdjusted
from holdfast.core.stock.entries import StockCounted, StockTransferred
from holdfast.core.totals import DayTotals
from holdfast.register.till import cash
from holdfast.register.till.database import sql_of
from holdfast.register.till.places import place, seq_of

Document = Sale | StockAdjusted | StockCounted | StockTransferred | AccountAdjusted
"""What takes a document number."""

NO_DATE = "1970-01-01"
"""The date of entries before the first business day. A clock that is ahead must not say in the journal
that all days until then are complete."""

_basket_decoder = msgspec.json.Decoder(Basket)


class _Begun(msgspec.Struct, frozen=True):
    """Of an open basket."""

    parameters: dict[str, Value] = {}


_begun_decoder = msgspec.json.Decoder(_Begun)
_totals_decoder = msgspec.json.Decoder(DayTotals)
_encoder = msgspec.json.Encoder()

Statements = apsw.Connection | apsw.Cursor
"""What runs them. A cursor that is kept runs one in half the time; it must be left without rows to read."""

# Run with their values in the order in which they are named: by name costs a microsecond for each.
_HEAD = sql_of("head")
_ADD_EPOCH = sql_of("add_epoch")
_ADD_LINK = sql_of("add_link")
_ADD_ENTRY = sql_of("add_entry")
_ADD_DOCUMENT = sql_of("add_document")
_PUT_DATED_BACK = sql_of("put_dated_back")
_ADD_STOCK = sql_of("add_stock")
_ADD_RETURNED = sql_of("add_returned")
_DAY = sql_of("day")
_SET_DAY = sql_of("set_day")
_DAY_TOTALS = sql_of("day_totals")
_SET_DAY_TOTALS = sql_of("set_day_totals")
_BASKET = sql_of("basket")
_SET_BASKET = sql_of("set_basket")
_STANDING = sql_of("standing")


class Place(NamedTuple):
    """The journal's head, its epoch's ordinal in this database, and what its documents are worth together."""

    n: int
    head: Head
    value_minor: int


class TotalsOfDay(NamedTuple):
    """A business date's totals, and the row ids of its first and last document."""

    totals: DayTotals
    first_document: int | None
    last_document: int | None


NO_TOTALS = TotalsOfDay(DayTotals(), None, None)


class Standing(NamedTuple):
    """What concluding a sale begins from, as one look at the database."""

    basket: Basket | None
    day: DayState
    place: Place


# ---- reading -----------------------------------------------------------------------------------


def _rows(on: Statements, statement: str, values: tuple[Any, ...] = ()) -> list[Any]:
    """All rows: one that is not read would hold the database as it is now."""
    return on.execute(statement, values).fetchall()


def read_head(on: Statements) -> Place | None:
    """Where the journal stands; None before its first entry."""
    rows = _rows(on, _HEAD)
    return _place(*rows[0]) if rows else None


def read_day(on: Statements) -> DayState:
    [row] = _rows(on, _DAY)
    return _day(*row)


def _day(business_date: str | None, is_open: int, shift: int, has_shifts: int) -> DayState:
    return DayState(business_date=business_date, open=bool(is_open), shift=shift, has_shifts=bool(has_shifts))


def read_basket(on: Statements) -> Basket | None:
    [(data,)] = _rows(on, _BASKET)
    return None if data is None else _basket_decoder.decode(data)


def read_begun_with(on: Statements) -> dict[str, Value] | None:
    """The parameters of the open basket alone: its lines are passed over unread."""
    [(data,)] = _rows(on, _BASKET)
    return None if data is None else _begun_decoder.decode(data).parameters


def read_standing(on: Statements) -> Standing:
    """Basket, day and head of a till that was started."""
    [(data, business_date, is_open, shift, has_shifts, *head)] = _rows(on, _STANDING)
    basket = None if data is None else _basket_decoder.decode(data)
    return Standing(basket, _day(business_date, is_open, shift, has_shifts), _place(*head))


def _place(n: int, epoch: str, row_id: int, hash: bytes, documents: int, value_minor: int) -> Place:
    head = Head(epoch=EpochId(epoch), seq=seq_of(row_id), hash=hash, documents=documents)
    return Place(n, head, value_minor)


def read_totals(on: Statements, business_date: str) -> TotalsOfDay:
    rows = _rows(on, _DAY_TOTALS, (business_date,))
    if not rows:
        return NO_TOTALS
    [(text, first, last)] = rows
    return TotalsOfDay(_totals_decoder.decode(text), first, last)


def decode_totals(text: str) -> DayTotals:
    return _totals_decoder.decode(text)


def encode_totals(day: DayTotals) -> str:
    return _encoder.encode(day).decode()


# ---- writing -----------------------------------------------------------------------------------


def write_basket(on: Statements, basket: Basket | None) -> None:
    """Keep the open basket, or none."""
    data = None if basket is None else _encoder.encode(basket)
    on.execute(_SET_BASKET, (data,))


def store(on: Statements, at: Place, written: Written, body: msgspec.Struct, stamp: Stamp) -> None:
    """Store the entry that follows `at`, with all that follows from it."""
    is_document = written.type in DOCUMENT_TYPES
    assert is_document == isinstance(body, Document), "a document type has a document's body"
    value_minor = at.value_minor + (total_of(body) if isinstance(body, Document) else 0)
    _store_entry(on, at.n, written, value_minor)
    if isinstance(body, Document):
        _store_document(on, at.n, written, body, stamp)
    _project(on, at.n, written, body, stamp)


def store_opening(on: Statements, written: Written, body: EpochOpened, stamp: Stamp) -> int:
    """Store the first entry of a new epoch; its ordinal."""
    parent = body.parent
    parent_epoch, parent_seq = (None, None) if parent is None else (parent.epoch, parent.seq)
    row = (written.head.epoch, body.series, body.segment, body.cause, parent_epoch, parent_seq, stamp.at_ms)
    [(n,)] = _rows(on, _ADD_EPOCH, row)
    _store_entry(on, n, written, 0)
    return n


def _store_entry(on: Statements, n: int, written: Written, value_minor: int) -> None:
    row_id = place(n, written.seq)
    on.execute(_ADD_LINK, (row_id, written.hash, written.head.documents, value_minor))
    on.execute(_ADD_ENTRY, (row_id, written.type, written.data))


def _store_document(on: Statements, n: int, written: Written, body: Document, stamp: Stamp) -> None:
    date = stamp.date if body.external is None else body.external.business_date
    number = written.head.documents
    if date != stamp.date:
        on.execute(_PUT_DATED_BACK, (n, date, number))
    row = (place(n, number), written.seq, written.type, date, stamp.at_ms, total_of(body))
    on.execute(_ADD_DOCUMENT, row)


def document_row(n: int, written: Written) -> int:
    """The row id of the document that this entry of the `n`-th epoch is."""
    assert written.type in DOCUMENT_TYPES, "only documents are numbered"
    return place(n, written.head.documents)


def total_of(body: Document) -> int:
    """What the document is worth in minor units; moved goods alone are worth nothing here."""
    if isinstance(body, Sale):
        return body.total_minor
    return body.amount_minor if isinstance(body, AccountAdjusted) else 0


def _project(on: Statements, n: int, written: Written, body: msgspec.Struct, stamp: Stamp) -> None:
    """The same folds as `core.journal.fold`, so that `holdfast verify` finds no difference."""
    stock = totals.stock_deltas(body)
    if stock:
        on.executemany(_ADD_STOCK, [moved for moved in stock.items() if moved[1]])
    numbered = place(n, written.head.documents) if isinstance(body, Document) else None
    _add_totals(on, stamp.date, totals.day_deltas(body), numbered)
    if isinstance(body, Sale):
        rows = list(returned_rows(body))
        if rows:
            on.executemany(_ADD_RETURNED, rows)
        return
    before = read_day(on)
    day = business_day.after(before, body)
    if day != before:
        on.execute(_SET_DAY, (day.business_date, int(day.open), day.shift, int(day.has_shifts)))
    cash.project(on, place(n, written.seq), body, stamp)


def _add_totals(on: Statements, business_date: str, delta: DayTotals, numbered: int | None) -> None:
    if numbered is None and delta == NO_TOTALS.totals:
        return
    before = read_totals(on, business_date)
    first = numbered if before.first_document is None else before.first_document
    last = before.last_document if numbered is None else numbered
    on.execute(_SET_DAY_TOTALS, (business_date, encode_totals(before.totals + delta), first, last))


def returned_rows(sale: Sale) -> Iterator[dict[str, Any]]:
    """What a document brings back of sold lines, as positive sums (PO3), and what it refunds of card
    payments, each under minus its place on the receipt: no line has such a number.

    Where only a receipt's code was known its line is 0, and the tax that comes on top is counted with it: the
    code names a total, and no lines.
    """
    counted = False
    for line in sale.lines:
        if line.original is None:
            continue
        amount_minor = -line.amount_minor
        if not line.original.line and not counted:
            counted = True
            amount_minor += sum(other.amount_minor for other in sale.lines) - sale.total_minor
        yield {
            "document": line.original.document,
            "line": line.original.line,
            "quantity_milli": -line.quantity_milli,
            "amount_minor": amount_minor,
        }
    for tender in sale.tenders:
        if tender.original is not None:
            yield {
                "document": tender.original.document,
                "line": -tender.original.tender,
                "quantity_milli": 0,
                "amount_minor": -tender.amount_minor,
            }
