"""Reading back what the till holds: documents, what came back of them, what head office lacks."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import apsw
import msgspec

from holdfast.core.basket import Returnable, returnable
from holdfast.core.card_tender import CardPayment, card_payments
from holdfast.core.central import vouched
from holdfast.core.central.entries import ValueMovement
from holdfast.core.ids import DocumentNumber, EpochId, document_number
from holdfast.core.journal.bodies import REGISTRY
from holdfast.core.journal.entry import Entry, Unprojectable, decode_entry
from holdfast.core.receipt.issued import Issued
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Sale
from holdfast.core.totals import ForeignSum
from holdfast.infra.sqlite import UNREADABLE
from holdfast.register.till.database import QUERIES
from holdfast.register.till.places import epoch_of, last_place, place, seq_of
from holdfast.register.till.writing import Document

_NUMBER = re.compile(r"(.+)-([0-9A-HJKMNP-TV-Z]{5})-([0-9]{6,12})\Z")
DOCUMENTS_MAX = 1_000
"""Rows of one page of documents."""


class DocumentRow(msgspec.Struct, frozen=True, kw_only=True):
    """One document in a list."""

    document: DocumentNumber
    epoch: EpochId
    seq: int
    type: str
    business_date: str
    """The document's own, also where it was entered later."""
    at_ms: int
    total_minor: int


class Owed(msgspec.Struct, frozen=True, kw_only=True):
    """Documents that head office has not applied (P6)."""

    count: int = 0
    value_minor: int = 0
    oldest_at_ms: int | None = None
    """When the first of them was written, as the clock said then."""
    dates: tuple[str, ...] = ()
    """Their business dates, oldest first; also the day on which one of an older date was entered."""


def owed(connection: apsw.Connection, applied: Mapping[EpochId, int]) -> Owed:
    """What is above head office's applied cursors; an epoch that it does not know is owed whole.

    Differences of sums, so that a year offline is counted as fast as a minute.
    """
    try:
        spans = _spans_by_links(connection, applied)
    except UNREADABLE:
        spans = _spans_by_documents(connection, applied)
    oldest: list[int] = []
    dates: set[str] = set()
    for span in spans:
        first, last = place(span.n, span.before + 1), place(span.n, span.documents)
        oldest.append(QUERIES.document_at_ms(connection, id=first))
        rows = QUERIES.dates_between(connection, n=span.n, number=span.before, first=first, last=last)
        dates.update(date for (date,) in rows)
    return Owed(
        count=sum(span.documents - span.before for span in spans),
        value_minor=sum(span.value_minor for span in spans),
        oldest_at_ms=min(oldest, default=None),
        dates=tuple(sorted(dates)),
    )


class _Span(NamedTuple):
    """Documents of an epoch that are owed: those above `before`, and what they are worth together."""

    n: int
    before: int
    documents: int
    value_minor: int


def _spans_by_links(connection: apsw.Connection, applied: Mapping[EpochId, int]) -> list[_Span]:
    spans: list[_Span] = []
    for n, epoch, documents, total_minor in QUERIES.epoch_sums(connection):
        cursor = min(applied.get(epoch, 0), seq_of(last_place(n)))
        counted = QUERIES.counted_at(connection, first=place(n, 0), id=place(n, cursor))
        before, before_minor = counted or (0, 0)
        if before < documents:
            spans.append(_Span(n, before, documents, total_minor - before_minor))
    return spans


def _spans_by_documents(connection: apsw.Connection, applied: Mapping[EpochId, int]) -> list[_Span]:
    """The same from the documents' own rows, where a page of links is damaged: counted, not subtracted."""
    spans: list[_Span] = []
    for n, epoch in QUERIES.epochs(connection):
        documents = seq_of(QUERIES.last_document(connection, first=place(n, 0), last=last_place(n)) or 0)
        before = _documents_up_to(connection, n, documents, applied.get(epoch, 0))
        if before < documents:
            first, last = place(n, before + 1), place(n, documents)
            spans.append(_Span(n, before, documents, QUERIES.worth(connection, first=first, last=last)))
    return spans


def _documents_up_to(connection: apsw.Connection, n: int, documents: int, seq: int) -> int:
    """The last number in an epoch whose entry is not above `seq`; numbers follow seqs."""

    def seq_of_document(number: int) -> int:
        return QUERIES.document_seq(connection, id=place(n, number))

    return bisect_right(range(1, documents + 1), seq, key=seq_of_document)


def documents(
    connection: apsw.Connection, limit: int, before: DocumentNumber | None = None
) -> list[DocumentRow]:
    """Documents, newest first; the page that follows begins before the last one of this."""
    row_id = (1 << 63) - 1 if before is None else row_of(connection, before)
    if row_id is None:
        return []
    rows = QUERIES.documents_before(connection, id=row_id, limit=min(limit, DOCUMENTS_MAX))
    return [
        DocumentRow(
            document=document_number(series, epoch, number),
            epoch=epoch,
            seq=seq,
            type=type_,
            business_date=business_date,
            at_ms=at_ms,
            total_minor=total_minor,
        )
        for _, epoch, series, number, seq, type_, business_date, at_ms, total_minor in rows
    ]


def document(connection: apsw.Connection, number: DocumentNumber) -> Document | None:
    """The document with this number; None where this till has none, or has purged it."""
    row_id = row_of(connection, number)
    entry = None if row_id is None else _entry_of(connection, row_id)
    return None if entry is None else _body_of(entry)


def issued(connection: apsw.Connection, number: DocumentNumber) -> Issued | None:
    """The sale or return with this number, and what its entry says of it; None as `document` says."""
    row_id = row_of(connection, number)
    return None if row_id is None else issued_at(connection, row_id)


def issued_at(connection: apsw.Connection, row_id: int) -> Issued | None:
    """The same by the document's row."""
    entry = _entry_of(connection, row_id)
    sale = None if entry is None else _body_of(entry)
    if entry is None or not isinstance(sale, Sale):
        return None
    return Issued(
        sale=sale,
        type=entry.type,
        epoch=entry.epoch,
        business_date=entry.date if sale.external is None else sale.external.business_date,
        at_ms=entry.at_ms,
        offset_min=entry.offset_min,
    )


def place_of(connection: apsw.Connection, number: DocumentNumber) -> tuple[EpochId, int] | None:
    """Epoch and seq of a document's entry; None where there is none of that number."""
    row_id = row_of(connection, number)
    seq = None if row_id is None else QUERIES.document_seq(connection, id=row_id)
    if row_id is None or seq is None:
        return None
    epoch, _, _ = QUERIES.epoch_of(connection, n=epoch_of(row_id))
    return epoch, seq


def own_memo(
    connection: apsw.Connection, number: str, applied: int, handed: int | None
) -> vouched.OwnMemo | None:
    """A credit memo that this till issued (GC6), by its number, as `core.central.vouched.own_memo` says."""
    n = max((n for n, _ in QUERIES.epochs(connection)), default=0)
    if not n:
        return None
    last = last_place(n)

    def read(first_seq: int, text: str) -> Iterator[tuple[int, ValueMovement]]:
        return _movements(connection, place(n, min(first_seq, seq_of(last))), last, text)

    return vouched.own_memo(read, number, applied, handed)


def _movements(
    connection: apsw.Connection, first: int, last: int, text: str
) -> Iterator[tuple[int, ValueMovement]]:
    """Of the documents that hold a text, a number or an account; each with its entry's seq."""
    for (data,) in QUERIES.entries_with(connection, first=first, last=last, text=text):
        entry = decode_entry(data)
        body = _body_of(entry)
        if isinstance(body, Sale):
            yield from ((entry.seq, movement) for movement in body.values)


def came_back_minor(connection: apsw.Connection, number: DocumentNumber) -> int:
    """What was paid back on a receipt here, of this register or another one."""
    return QUERIES.came_back(connection, document=number)


def _entry_of(connection: apsw.Connection, row_id: int) -> Entry | None:
    seq = QUERIES.document_seq(connection, id=row_id)
    data = None if seq is None else QUERIES.entry_data(connection, id=place(epoch_of(row_id), seq))
    return None if data is None else decode_entry(data)


def _body_of(entry: Entry) -> Document | None:
    body = REGISTRY.decode(entry)
    assert not isinstance(body, Unprojectable), "a till reads what it wrote"
    return body if isinstance(body, Document) else None


def foreign_drawer(connection: apsw.Connection) -> dict[str, ForeignSum]:
    """Foreign cash that the drawer must hold, by currency."""
    return {
        currency: ForeignSum(foreign_minor=foreign_minor, amount_minor=amount_minor)
        for currency, foreign_minor, amount_minor in QUERIES.foreign_drawer(connection)
    }


def number_of(connection: apsw.Connection, row_id: int) -> DocumentNumber:
    """The number of the document in that row."""
    epoch, series, _ = QUERIES.epoch_of(connection, n=epoch_of(row_id))
    return document_number(series, epoch, seq_of(row_id))


def recorded(connection: apsw.Connection, type: str, reference: str) -> DocumentNumber | None:
    """The document of that type that was entered under a reference; None: there is none."""
    row_id = QUERIES.reference_of(connection, type=type, reference=reference)
    return None if row_id is None else number_of(connection, row_id)


def row_of(connection: apsw.Connection, number: DocumentNumber) -> int | None:
    """The row of a document number, whether or not it is taken; None for a series that is not this till's."""
    match = _NUMBER.match(number)
    if match is None:
        return None
    for n, _, series in QUERIES.epochs_of_segment(connection, segment=match[2]):
        if series == match[1]:
            return place(n, int(match[3]))
    return None


def card_payments_of(connection: apsw.Connection, number: DocumentNumber) -> tuple[CardPayment, ...]:
    """What cards paid of a receipt of this till, less what was refunded here (PO3)."""
    found = document(connection, number)
    if not isinstance(found, Sale):
        return ()
    return card_payments(found, dict(QUERIES.refunded_of(connection, document=number)))


def returnable_line(connection: apsw.Connection, number: DocumentNumber, line: int) -> Returnable | Refusal:
    """A sold line of this till and what can still come back of it (PO3)."""
    found = document(connection, number)
    if not isinstance(found, Sale):
        return Refusal("return.no-receipt", f"This register has no receipt {number[:40]}. Check the number.")
    back_milli, back_minor = QUERIES.returned_of(connection, document=number, line=line) or (0, 0)
    return returnable(found, line, back_milli, back_minor)
