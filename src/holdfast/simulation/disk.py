"""A register's disk in the simulation: what survives a crash, what a restore brings back."""

import copy
from collections.abc import Sequence

import msgspec

from holdfast.core.ids import EpochId, OriginId
from holdfast.core.journal.chain import ZERO_HASH, Position, SignedHead, Signer, sign_head
from holdfast.core.journal.entry import decode_entry
from holdfast.core.journal.writer import Head, Written
from holdfast.core.sync.batch import StoredEntry, proved_count
from holdfast.core.sync.messages import Receipt
from holdfast.core.sync.ports import Piece


class Mark(msgspec.Struct, frozen=True):
    """The high-water mark, outside the database."""

    epoch: EpochId
    seq: int
    hash: bytes


class StoredEpoch:
    """One epoch as the till's database holds it. Purged entries keep their hashes."""

    def __init__(self, epoch: EpochId, opened_at_ms: int) -> None:
        self.epoch = epoch
        self.opened_at_ms = opened_at_ms
        """By the register's own clock: shown to people, never used for order."""
        self.entries: list[StoredEntry] = []
        self.documents = 0

    @property
    def head(self) -> Head:
        last = self.entries[-1]
        return Head(epoch=self.epoch, seq=last.seq, hash=last.hash, documents=self.documents)


class Database:
    """till.db: everything a backup of the data folder takes along."""

    def __init__(self) -> None:
        self.epochs: list[StoredEpoch] = []
        self._known: dict[EpochId, StoredEpoch] = {}
        self.receipts: dict[tuple[EpochId, str], Receipt] = {}
        self.business_date = ""
        self.references: set[str] = set()
        self.purged = 0

    @property
    def head(self) -> Head | None:
        return self.epochs[-1].head if self.epochs else None

    def store(self, written: Written) -> None:
        """One transaction: the entry and all that follows from it."""
        epoch = self.epoch(written.head.epoch)
        if epoch is None:
            epoch = StoredEpoch(written.head.epoch, decode_entry(written.data).at_ms)
            self._add(epoch)
        assert written.seq == len(epoch.entries) + 1, "an epoch is gapless (P4)"
        epoch.entries.append(StoredEntry(written.seq, written.hash, written.data))
        epoch.documents = written.head.documents

    def _add(self, epoch: StoredEpoch) -> None:
        self.epochs.append(epoch)
        self._known[epoch.epoch] = epoch

    def epoch(self, epoch: EpochId) -> StoredEpoch | None:
        return self._known.get(epoch)

    def hash_at(self, epoch: EpochId, seq: int) -> bytes | None:
        known = self._known.get(epoch)
        if known is None or not 1 <= seq <= len(known.entries):
            return None
        return known.entries[seq - 1].hash

    def purge(self, epoch: EpochId, through_seq: int) -> None:
        known = self._known[epoch]
        for index in range(min(through_seq, len(known.entries))):
            entry = known.entries[index]
            if entry.readable:
                known.entries[index] = StoredEntry(entry.seq, entry.hash, b"", False)
                self.purged += 1

    def copy(self) -> "Database":
        """A backup, or a clone: entries are values, so they are shared."""
        other = Database()
        for known in self.epochs:
            epoch = StoredEpoch(known.epoch, known.opened_at_ms)
            epoch.entries = list(known.entries)
            epoch.documents = known.documents
            other._add(epoch)
        other.receipts = copy.copy(self.receipts)
        other.business_date = self.business_date
        other.references = set(self.references)
        other.purged = self.purged
        return other


class DiskJournal:
    """`JournalView` over a disk, signing a head wherever the sender wants to cut."""

    def __init__(self, origin: OriginId, database: Database, signer: Signer) -> None:
        self._origin = origin
        self._database = database
        self._signer = signer

    @property
    def origin(self) -> OriginId:
        return self._origin

    def _sign(self, at: Position) -> SignedHead:
        return sign_head(self._origin, at.epoch, at.seq, at.hash, self._signer)

    def heads(self) -> Sequence[SignedHead]:
        return [self._sign(epoch.head.position) for epoch in self._database.epochs]

    def hash_at(self, epoch: EpochId, seq: int) -> bytes | None:
        return self._database.hash_at(epoch, seq)

    def piece(self, epoch: EpochId, first_seq: int, entries_max: int, bytes_max: int) -> Piece | None:
        known = self._database.epoch(epoch)
        entries = () if known is None else tuple(known.entries[first_seq - 1 : first_seq - 1 + entries_max])
        if known is None or not entries:
            return None
        entries = entries[: proved_count(entries)]
        last = entries[-1]
        previous = ZERO_HASH if first_seq == 1 else known.entries[first_seq - 2].hash
        return Piece(previous, entries, self._sign(Position(epoch, last.seq, last.hash)))

    def receipts(self) -> Sequence[Receipt]:
        return [given for (_, level), given in sorted(self._database.receipts.items()) if level == "applied"]
