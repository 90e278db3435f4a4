"""Searching the till's own documents: by number, business date, amount and product (PO4).

Nothing is indexed for it, so that a sale costs what it cost: rows are looked at newest first, some at a time,
and the answer says where to go on.
"""

from typing import NamedTuple

import apsw
import msgspec

from holdfast.core.ids import DocumentNumber, EpochId, Sku, document_number
from holdfast.core.journal.bodies import REGISTRY
from holdfast.core.journal.entry import Unprojectable, decode_entry
from holdfast.core.sale import Sale, StockAdjusted
from holdfast.infra.queries import Engine, load_queries
from holdfast.register.till.database import QUERIES
from holdfast.register.till.history import DocumentRow, row_of
from holdfast.register.till.places import epoch_of, place

ROWS_AT_ONCE = 200
"""Between two such looks a sale that waits goes first."""
_END = (1 << 63) - 1

_QUERIES = load_queries(__name__.rpartition(".")[0], "search.sql", Engine.SQLITE)


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for; all that is given must hold."""

    number: str = ""
    """The number, or how it ends."""
    business_date: str = ""
    amount_minor: int | None = None
    """The total, whether it was sold or came back."""
    words: tuple[str, ...] = ()
    """Each begins a word of one product's description, or its stock code."""
    sku: Sku | None = None

    @property
    def looks_inside(self) -> bool:
        """Whether the documents themselves must be read."""
        return bool(self.words) or self.sku is not None

    @property
    def is_empty(self) -> bool:
        return self == Query()


class Looked(NamedTuple):
    """What one look found."""

    found: list[DocumentRow]
    before: DocumentNumber | None
    """Where the next one goes on; None: all was looked at."""
    rows: int


def look(connection: apsw.Connection, query: Query, before: DocumentNumber | None) -> Looked:
    """The next rows, and those of them that fit."""
    first, end = _range(connection, query, before)
    rows = _QUERIES.documents_between(connection, first=first, before=end, limit=ROWS_AT_ONCE)
    found: list[DocumentRow] = []
    last: DocumentNumber | None = None
    for row_id, epoch, series, number, seq, type_, business_date, at_ms, total_minor in rows:
        row = DocumentRow(
            document=document_number(series, EpochId(epoch), number),
            epoch=EpochId(epoch),
            seq=seq,
            type=type_,
            business_date=business_date,
            at_ms=at_ms,
            total_minor=total_minor,
        )
        last = row.document
        if _fits(query, row) and (not query.looks_inside or _holds(connection, query, row_id, seq)):
            found.append(row)
    return Looked(found, last if len(rows) == ROWS_AT_ONCE else None, len(rows))


def _range(connection: apsw.Connection, query: Query, before: DocumentNumber | None) -> tuple[int, int]:
    """Row ids from and before which to look."""
    end = _END if before is None else row_of(connection, before) or 0
    if not query.business_date:
        return 0, end
    first = _QUERIES.first_of_date(connection, business_date=query.business_date)
    last = _QUERIES.last_of_date(connection, business_date=query.business_date)
    return (0, 0) if first is None or last is None else (first, min(end, last + 1))


def _fits(query: Query, row: DocumentRow) -> bool:
    return row.document.endswith(query.number) and query.amount_minor in (None, abs(row.total_minor))


def _holds(connection: apsw.Connection, query: Query, row_id: int, seq: int) -> bool:
    """Whether a line of it is of that product; of one that was purged nobody knows."""
    data = QUERIES.entry_data(connection, id=place(epoch_of(row_id), seq))
    body = None if data is None else REGISTRY.decode(decode_entry(data))
    if body is None or isinstance(body, Unprojectable) or not isinstance(body, Sale | StockAdjusted):
        return False
    return any(_is_of(query, line.sku, line.description) for line in body.lines)


def _is_of(query: Query, sku: Sku, description: str) -> bool:
    if query.sku is not None:
        return sku == query.sku
    words = (sku.casefold(), *description.casefold().split())
    return all(any(word.startswith(wanted) for word in words) for wanted in query.words)
