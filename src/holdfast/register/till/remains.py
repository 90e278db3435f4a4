"""What can still be read of a damaged till.db: a page that cannot be read takes no more with it."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

import apsw

from holdfast.infra.sqlite import UNREADABLE
from holdfast.register.till.database import sql_of
from holdfast.register.till.places import epoch_of, last_place, place, seq_of

T = TypeVar("T")

_SEQS_AT_ONCE = 500
_ENDS = (sql_of("last_link"), sql_of("last_entry"))
_LAST_OF_ALL = ("select max(id) from chain", "select max(id) from entry", "select max(n) << 40 from epoch")
_PLACES, _LINK, _ENTRY = sql_of("remains"), sql_of("link_row"), sql_of("entry_row")
_EPOCH, _DOCUMENT = sql_of("epoch_row"), sql_of("document_row")
_GONE = (*UNREADABLE, apsw.SQLError)
"""Of a page, or of the schema's."""


class Link(NamedTuple):
    """A row of the chain."""

    hash: bytes
    documents: int
    value_minor: int


class Bytes(NamedTuple):
    """A row of the entries."""

    type: str
    data: bytes


class Found(NamedTuple):
    """What is left at one seq; an entry may also have been purged."""

    seq: int
    link: Link | None
    entry: Bytes | None


class Remains:
    """A damaged till, read outside transactions: one that met a bad page reads nothing any more."""

    def __init__(self, source: apsw.Connection) -> None:
        self._source = source

    def epochs_max(self, marked_n: int = 0) -> int:
        """The highest ordinal of an epoch that anything is left of."""
        found = [rows[0][0] for sql in _LAST_OF_ALL if (rows := self._rows(sql))]
        return max([marked_n, *(epoch_of(row_id) for row_id in found if isinstance(row_id, int))])

    def epoch(self, n: int) -> tuple[Any, ...] | None:
        """The row of the `n`-th epoch."""
        return self._row(_EPOCH, n)

    def document(self, row_id: int) -> tuple[Any, ...] | None:
        """The row of a document, without its id."""
        return self._row(_DOCUMENT, row_id)

    def table(self, name: str, columns: str) -> list[tuple[Any, ...]] | None:
        """All rows; None where they cannot all be read."""
        return self._rows(f"select {columns} from {name}")

    def knows_the_end_of(self, n: int) -> bool:
        """Whether the last seq of an epoch can be told; else there may have been later ones."""
        return any(self._rows(sql, place(n, 0), last_place(n)) is not None for sql in _ENDS)

    def places(self, n: int, seq_min: int) -> Iterator[Found]:
        """Each seq of an epoch from 1, to its last that is known and at least to `seq_min`."""
        end = max(seq_min, *(self._last(sql, n) for sql in _ENDS))
        first = 1
        while True:
            found = self._some(n, first, first + _SEQS_AT_ONCE - 1)
            if first > end and not any(at.link or at.entry for at in found):
                return
            yield from (at for at in found if at.seq <= end or at.link or at.entry)
            first += _SEQS_AT_ONCE

    def _last(self, sql: str, n: int) -> int:
        rows = self._rows(sql, place(n, 0), last_place(n))
        return seq_of(rows[0][0]) if rows else 0

    def _some(self, n: int, first: int, last: int) -> list[Found]:
        rows = self._rows(_PLACES, place(n, first), place(n, last))
        if rows is None:
            return [self._one(n, seq) for seq in range(first, last + 1)]
        found = {
            seq_of(row_id): Found(seq_of(row_id), Link(*link), None if data is None else Bytes(type, data))
            for row_id, *link, type, data in rows
        }
        return [found.get(seq, Found(seq, None, None)) for seq in range(first, last + 1)]

    def _one(self, n: int, seq: int) -> Found:
        link, entry = self._row(_LINK, place(n, seq)), self._row(_ENTRY, place(n, seq))
        return Found(seq, Link(*link) if link else None, Bytes(*entry) if entry else None)

    def _row(self, sql: str, key: int) -> tuple[Any, ...] | None:
        rows = self._rows(sql, key)
        return rows[0] if rows else None

    def _rows(self, sql: str, *values: int) -> list[Any] | None:
        """None where a page of them, or on the way to them, cannot be read."""
        return _or_none(lambda: self._source.execute(sql, values).fetchall())


def _or_none(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except _GONE:
        return None
