"""The till's journal as its sender sees it: read-only, beside the process that writes it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import apsw

from holdfast.core.ids import EpochId, OriginId
from holdfast.core.journal.chain import ZERO_HASH, SignedHead, Signer, link, sign_head
from holdfast.core.sync.batch import StoredEntry, proved_count
from holdfast.core.sync.messages import Receipt
from holdfast.core.sync.ports import Piece
from holdfast.infra.sqlite import UNREADABLE, faults
from holdfast.register.till.database import QUERIES, sql_of
from holdfast.register.till.places import last_place, place, seq_of

_ROW_OVERHEAD_BYTES = 64
_LINKS_OF_A_PAGE_MAX = 200
_PIECE = sql_of("piece")
_EPOCHS = sql_of("epochs")
_LAST_LINK = sql_of("last_link")
_LAST_ENTRY = sql_of("last_entry")
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
    purged, goes out as its hash and what remains of it: the chain goes on over the hash. Where an entry
    and its link are both gone, the chain ends before it; `damaged` says so, and other epochs flow (P10).
    """

    def __init__(self, connection: apsw.Connection, signer: Signer, reference: Receipts) -> None:
        self._connection = connection
        self._signer = signer
        self._reference = reference
        with faults(connection):
            self._origin = OriginId(QUERIES.origin(connection))
        self._numbers: dict[EpochId, int] = {}
        self._signed: dict[EpochId, SignedHead] = {}
        self._heads_proved: dict[tuple[int, int], tuple[int, bytes]] = {}
        self._damaged: dict[EpochId, int] = {}

    @property
    def origin(self) -> OriginId:
        return self._origin

    def heads(self) -> Sequence[SignedHead]:
        with faults(self._connection):
            try:
                rows = QUERIES.epoch_heads(self._connection)
                heads = [(EpochId(epoch), seq_of(row_id), hash) for _, epoch, row_id, hash, *_ in rows]
            except UNREADABLE:
                heads = self._proved_heads()
        return [self._sign(*head) for head in heads]

    def hash_at(self, epoch: EpochId, seq: int) -> bytes | None:
        n = self._number(epoch)
        if n is None or not 1 <= seq <= seq_of(last_place(n)):
            return None
        with faults(self._connection):
            try:
                return QUERIES.hash_at(self._connection, id=place(n, seq))
            except UNREADABLE:
                return self._proved(n, seq)

    def first_seq(self, epoch: EpochId) -> int:
        """All of an epoch, always."""
        return 1

    def piece(self, epoch: EpochId, first_seq: int, entries_max: int, bytes_max: int) -> Piece | None:
        n = self._number(epoch)
        if n is None:
            return None
        previous = ZERO_HASH if first_seq == 1 else self.hash_at(epoch, first_seq - 1)
        first = place(n, first_seq)
        last = min(first + entries_max - 1, last_place(n))
        with faults(self._connection):
            rows = [] if previous is None else self._rows(n, first, last, bytes_max)
            if previous is None or not rows:
                if first_seq <= (self._head_seq(n) or 0):
                    self._damaged[epoch] = first_seq
                return None
        self._damaged.pop(epoch, None)
        entries = tuple(_checked(previous, rows))
        entries = entries[: proved_count(entries)]
        head = entries[-1]
        return Piece(previous, entries, self._sign(epoch, head.seq, head.hash))

    def receipts(self) -> Sequence[Receipt]:
        return self._reference.receipts()

    @property
    def damaged(self) -> Mapping[EpochId, int]:
        """Epochs that cannot be sent on: the first seq that nothing on this disk proves any more."""
        return self._damaged

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
        key_id = self._signer.key_id
        if kept is None or (kept.seq, kept.hash, kept.key_id) != (seq, hash, key_id):
            kept = self._signed[epoch] = sign_head(self._origin, epoch, seq, hash, self._signer)
        return kept

    # ---- reading, also from a disk that does not give all back ----------------------------------

    def _rows(self, n: int, first: int, last: int, bytes_max: int) -> list[_Row]:
        """Rows in order, up to `bytes_max`; at least one if there is one that can be proved."""
        try:
            rows = _until(bytes_max, self._connection.execute(_PIECE, {"first": first, "last": last}))
        except UNREADABLE:
            begin, end = seq_of(first), min(seq_of(last), self._head_seq(n) or 0)
            return _until(bytes_max, self._salvaged(n, self._proved(n, begin - 1), begin, end))
        # A mended till lacks what was lost with its link: the chain ends before that.
        return [row for at, row in enumerate(rows) if row[0] == first + at]

    def _salvaged(self, n: int, previous: bytes | None, first_seq: int, last_seq: int) -> Iterator[_Row]:
        """One row at a time, as far as each is proved: a page that cannot be read takes no more with it."""
        anchors = self._anchors(n)
        for seq in range(first_seq, last_seq + 1):
            row_id = place(n, seq)
            data = self._or_none(QUERIES.entry_data, row_id)
            hash = self._or_none(QUERIES.hash_at, row_id) or anchors.get(seq)
            if hash is None and data is not None and previous is not None:
                hash = link(previous, data)  # the link's own page is gone; the entry still proves it
            if hash is None:
                return
            previous = hash
            yield row_id, hash, data

    def _anchors(self, n: int) -> dict[int, bytes]:
        """Hashes that head office signed, and that this register found in its chain when it kept them."""
        receipts = self._reference.receipts()
        return {given.seq: given.hash for given in receipts if self._number(given.epoch) == n}

    def _proved(self, n: int, seq: int) -> bytes | None:
        """The hash at a seq: read, or where its page is gone walked from one before it; None: no proof."""
        hash = self._link(n, seq)
        if hash is not None:
            return hash
        anchors = self._anchors(n)
        for known in range(seq, max(0, seq - _LINKS_OF_A_PAGE_MAX) - 1, -1):
            hash = anchors.get(known) or self._link(n, known)
            if hash is not None:
                walked = [found for _, found, _ in self._salvaged(n, hash, known + 1, seq)]
                return (hash, *walked)[-1] if len(walked) == seq - known else None
        return None

    def _link(self, n: int, seq: int) -> bytes | None:
        return self._or_none(QUERIES.hash_at, place(n, seq)) if seq else ZERO_HASH

    def _or_none(self, read: Callable[..., bytes | None], row_id: int) -> bytes | None:
        try:
            return read(self._connection, id=row_id)
        except UNREADABLE:
            return None

    # ---- heads of a damaged chain ---------------------------------------------------------------

    def _proved_heads(self) -> list[tuple[EpochId, int, bytes]]:
        """Each epoch's head, or the furthest entry of it that can be proved; none where nothing can."""
        found: list[tuple[EpochId, int, bytes]] = []
        for n, epoch in self._connection.execute(_EPOCHS).fetchall():
            assert isinstance(n, int), "an epoch's ordinal"
            head = self._proved_head(n)
            if head is not None:
                found.append((EpochId(str(epoch)), *head))
        return found

    def _proved_head(self, n: int) -> tuple[int, bytes] | None:
        seq = self._head_seq(n)
        if seq is None:
            return None
        at = self._heads_proved.get((n, seq))
        if at is None:
            at = self._heads_proved[(n, seq)] = self._furthest_proved(n, seq)
        if at[0] < seq:
            self._damaged[self._epoch_of(n)] = at[0] + 1
        return at if at[0] else None

    def _furthest_proved(self, n: int, seq: int) -> tuple[int, bytes]:
        for known in range(seq, max(0, seq - _LINKS_OF_A_PAGE_MAX) - 1, -1):
            hash = self._proved(n, known)
            if hash is not None:
                return known, hash
        return 0, ZERO_HASH

    def _head_seq(self, n: int) -> int | None:
        """The last seq of an epoch, by its links or its entries: a purge leaves the last one."""
        for statement in (_LAST_LINK, _LAST_ENTRY):
            try:
                rows = self._connection.execute(statement, (place(n, 0), last_place(n))).fetchall()
            except UNREADABLE:
                continue
            if rows and isinstance(rows[0][0], int):
                return seq_of(rows[0][0])
        return None

    def _epoch_of(self, n: int) -> EpochId:
        return EpochId(QUERIES.epoch_of(self._connection, n=n)[0])


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
