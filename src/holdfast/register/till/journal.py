"""The till's journal as its sender sees it: read-only, beside the process that writes it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import apsw

from holdfast.core.ids import EpochId, OriginId
from holdfast.core.journal.chain import ZERO_HASH, SignedHead, Signer, link, sign_head
from holdfast.core.sync.batch import StoredEntry
from holdfast.core.sync.messages import Receipt
from holdfast.core.sync.ports import Piece
from holdfast.infra.sqlite import faults
from holdfast.register.till.database import QUERIES, sql_of
from holdfast.register.till.places import last_place, place, seq_of

_ROW_OVERHEAD_BYTES = 64
_PIECE = sql_of("piece")


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
        return [self._sign(EpochId(epoch), seq_of(row_id), hash) for _, epoch, row_id, hash, _ in rows]

    def hash_at(self, epoch: EpochId, seq: int) -> bytes | None:
        n = self._number(epoch)
        if n is None or not 1 <= seq <= seq_of(last_place(n)):
            return None
        with faults(self._connection):
            return QUERIES.hash_at(self._connection, id=place(n, seq))

    def piece(self, epoch: EpochId, first_seq: int, entries_max: int, bytes_max: int) -> Piece | None:
        n = self._number(epoch)
        if n is None:
            return None
        previous = ZERO_HASH if first_seq == 1 else self.hash_at(epoch, first_seq - 1)
        if previous is None:
            return None
        first = place(n, first_seq)
        with faults(self._connection):
            rows = self._rows(first, min(first + entries_max - 1, last_place(n)), bytes_max)
        if not rows:
            return None
        entries = tuple(_checked(previous, rows))
        last = entries[-1]
        return Piece(previous, entries, self._sign(epoch, last.seq, last.hash))

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

    def _rows(self, first: int, last: int, bytes_max: int) -> list[tuple[int, bytes, bytes | None]]:
        """(row id, hash, bytes or None) in order, up to `bytes_max`; at least one if there is one."""
        try:
            return _until(bytes_max, self._connection.execute(_PIECE, {"first": first, "last": last}))
        except (apsw.CorruptError, apsw.NotADBError, apsw.IOError):
            return _until(bytes_max, self._salvaged(first, last))

    def _salvaged(self, first: int, last: int) -> Iterator[tuple[int, bytes, bytes | None]]:
        """One row at a time: a page that cannot be read takes no more with it than it holds."""
        previous: bytes | None = None
        for row_id in range(first, last + 1):
            data = self._or_none(lambda at=row_id: QUERIES.entry_data(self._connection, id=at))
            hash = self._or_none(lambda at=row_id: QUERIES.hash_at(self._connection, id=at))
            if hash is None and data is not None and previous is not None:
                hash = link(previous, data)  # the link's own page is gone; the entry still proves it
            if hash is None:
                return
            previous = hash
            yield row_id, hash, data

    def _or_none(self, read: Callable[[], bytes | None]) -> bytes | None:
        try:
            return read()
        except (apsw.CorruptError, apsw.NotADBError, apsw.IOError):
            return None


def _until(
    bytes_max: int, rows: Iterator[tuple[int, bytes, bytes | None]]
) -> list[tuple[int, bytes, bytes | None]]:
    """Rows until `bytes_max` is passed. The one that would pass it stays for the next piece."""
    taken: list[tuple[int, bytes, bytes | None]] = []
    total = 0
    for row in rows:
        total += len(row[2] or b"") + _ROW_OVERHEAD_BYTES
        if taken and total > bytes_max:
            break
        taken.append(row)
    return taken


def _checked(previous: bytes, rows: Sequence[tuple[int, bytes, bytes | None]]) -> Iterator[StoredEntry]:
    for row_id, hash, data in rows:
        whole = data is not None and link(previous, data) == hash
        yield StoredEntry(seq_of(row_id), hash, data or b"", whole)
        previous = hash
