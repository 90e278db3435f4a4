"""The till's journal as its sender sees it: read-only, beside the process that writes it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import apsw

from holdfast.core.faults import DatabaseFault
from holdfast.core.ids import EpochId, OriginId
from holdfast.core.journal.chain import ZERO_HASH, SignedHead, Signer, link, sign_head
from holdfast.core.sync.batch import StoredEntry
from holdfast.core.sync.messages import Receipt
from holdfast.core.sync.ports import Piece
from holdfast.infra.sqlite import faults
from holdfast.register.till.database import QUERIES, sql_of
from holdfast.register.till.places import epoch_of, last_place, place, seq_of

_ROW_OVERHEAD_BYTES = 64
_LINKS_OF_A_PAGE_MAX = 200
_PIECE = sql_of("piece")
_UNREADABLE = (apsw.CorruptError, apsw.NotADBError, apsw.IOError)
_Row = tuple[int, bytes, bytes | None]
"""Row id, hash, and the entry's bytes where they are still there."""


class Receipts(Protocol):
    """Where the sync process keeps what head office signed; the reference database is one."""

    def receipts(self) -> Sequence[Receipt]:
        """The furthest applied receipt of each epoch."""
        ...


class TillJournal:
    """`core.sync.ports.JournalView` over a read-only connection. Each call reads committed state.

    An entry whose bytes no longer hash to its stored hash, that SQLite cannot read, or that was
    purged, goes out as its hash and what remains of it: the chain goes on over the hash.
    """

    def __init__(self, connection: apsw.Connection, signer: Signer, reference: Receipts) -> None:
        self._connection = connection
        self._signer = signer
        self._reference = reference
        with faults(connection):
            self._origin = OriginId(QUERIES.origin(connection))
        self._numbers: dict[EpochId, int] = {}
        self._signed: dict[EpochId, SignedHead] = {}

    @property
    def origin(self) -> OriginId:
        return self._origin

    def heads(self) -> Sequence[SignedHead]:
        with faults(self._connection):
            rows = QUERIES.epoch_heads(self._connection)
        return [self._sign(EpochId(epoch), seq_of(row_id), hash) for _, epoch, row_id, hash, *_ in rows]

    def hash_at(self, epoch: EpochId, seq: int) -> bytes | None:
        n = self._number(epoch)
        if n is None or not 1 <= seq <= seq_of(last_place(n)):
            return None
        with faults(self._connection):
            return self._hash(n, seq)

    def piece(self, epoch: EpochId, first_seq: int, entries_max: int, bytes_max: int) -> Piece | None:
        n = self._number(epoch)
        if n is None:
            return None
        previous = ZERO_HASH if first_seq == 1 else self.hash_at(epoch, first_seq - 1)
        if previous is None:
            return None
        first = place(n, first_seq)
        last = min(first + entries_max - 1, last_place(n))
        with faults(self._connection):
            rows = self._rows(previous, first, last, bytes_max)
        if not rows:
            return None
        entries = tuple(_checked(previous, rows))
        head = entries[-1]
        return Piece(previous, entries, self._sign(epoch, head.seq, head.hash))

    def receipts(self) -> Sequence[Receipt]:
        return self._reference.receipts()

    def _number(self, epoch: EpochId) -> int | None:
        found = self._numbers.get(epoch)
        if found is None:
            with faults(self._connection):
                found = QUERIES.epoch_n(self._connection, epoch=epoch)
            if found is not None:
                self._numbers[epoch] = found  # an epoch keeps its ordinal for ever
        return found

    def _sign(self, epoch: EpochId, seq: int, hash: bytes) -> SignedHead:
        kept = self._signed.get(epoch)
        if kept is None or (kept.seq, kept.hash) != (seq, hash):
            kept = self._signed[epoch] = sign_head(self._origin, epoch, seq, hash, self._signer)
        return kept

    # ---- reading, also from a disk that does not give all back ----------------------------------

    def _rows(self, previous: bytes, first: int, last: int, bytes_max: int) -> list[_Row]:
        """Rows in order, up to `bytes_max`; at least one if there is one."""
        try:
            return _until(bytes_max, self._connection.execute(_PIECE, {"first": first, "last": last}))
        except _UNREADABLE:
            return _until(bytes_max, self._salvaged(previous, first, last))

    def _salvaged(self, previous: bytes, first: int, last: int) -> Iterator[_Row]:
        """One row at a time: a page that cannot be read takes no more with it than it holds."""
        end = min(last, self._head_of(epoch_of(first)))
        for row_id in range(first, end + 1):
            data = self._or_none(QUERIES.entry_data, row_id)
            hash = self._or_none(QUERIES.hash_at, row_id)
            if hash is None and data is not None:
                hash = link(previous, data)  # the link's own page is gone; the entry still proves it
            if hash is None:
                raise DatabaseFault(
                    f"Entry {seq_of(row_id)} and its link in the chain are both damaged in "
                    f"{self._connection.filename}. Keep a copy of it for support, and restore it from backup."
                )
            previous = hash
            yield row_id, hash, data

    def _head_of(self, n: int) -> int:
        return next(row_id for number, _, row_id, *_ in QUERIES.epoch_heads(self._connection) if number == n)

    def _hash(self, n: int, seq: int) -> bytes | None:
        row_id = place(n, seq)
        try:
            return QUERIES.hash_at(self._connection, id=row_id)
        except _UNREADABLE:
            return self._proved_hash(n, seq)

    def _proved_hash(self, n: int, seq: int) -> bytes | None:
        """The hash of a link whose page is gone: walked from the last one before it that is there."""
        known = seq - 1
        hash = self._or_none(QUERIES.hash_at, place(n, known)) if known else ZERO_HASH
        while hash is None and known > max(0, seq - _LINKS_OF_A_PAGE_MAX):
            known -= 1
            hash = self._or_none(QUERIES.hash_at, place(n, known)) if known else ZERO_HASH
        if hash is None:
            return None
        walked = [hash, *(found for _, found, _ in self._salvaged(hash, place(n, known + 1), place(n, seq)))]
        return walked[-1]

    def _or_none(self, read: Callable[..., bytes | None], row_id: int) -> bytes | None:
        try:
            return read(self._connection, id=row_id)
        except _UNREADABLE:
            return None


def _until(bytes_max: int, rows: Iterator[_Row]) -> list[_Row]:
    """Rows until `bytes_max` is passed. The one that would pass it stays for the next piece."""
    taken: list[_Row] = []
    total = 0
    for row in rows:
        total += len(row[2] or b"") + _ROW_OVERHEAD_BYTES
        if taken and total > bytes_max:
            break
        taken.append(row)
    return taken


def _checked(previous: bytes, rows: Sequence[_Row]) -> Iterator[StoredEntry]:
    for row_id, hash, data in rows:
        whole = data is not None and link(previous, data) == hash
        yield StoredEntry(seq_of(row_id), hash, data or b"", whole)
        previous = hash
