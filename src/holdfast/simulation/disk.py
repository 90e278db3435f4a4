"""A register's disk in the simulation: what survives a crash, what a restore brings back."""

from collections.abc import Sequence

import msgspec

from holdfast.core.ids import EpochId, IncarnationId, OriginId
from holdfast.core.journal.chain import ZERO_HASH, Position, SignedHead, Signer, sign_head
from holdfast.core.journal.entry import decode_entry
from holdfast.core.journal.writer import Head, Written
from holdfast.core.sync.batch import StoredEntry, proved_count
from holdfast.core.sync.messages import Receipt
from holdfast.core.sync.ports import Piece
from holdfast.simulation.reference import ReferenceDatabase
from holdfast.simulation.wallet import Wallet


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
        self.dates: list[str] = []
        """Business date of each entry."""
        self.numbered: list[int] = []
        """Documents up to each entry."""

    @property
    def documents(self) -> int:
        return self.numbered[-1]

    def documents_above(self, seq: int) -> int:
        return self.documents - (self.numbered[seq - 1] if seq else 0)

    @property
    def head(self) -> Head:
        last = self.entries[-1]
        return Head(epoch=self.epoch, seq=last.seq, hash=last.hash, documents=self.documents)


class Memory:
    """What must not come back: lives of head office and versions of feeds that were left behind, commands
    that were done."""

    def __init__(self) -> None:
        self.lives: list[IncarnationId] = []
        """Incarnations in the order in which this disk heard of them."""
        self.done: set[tuple[IncarnationId, int]] = set()
        """Commands carried out."""
        self.feeds: dict[str, tuple[IncarnationId, int]] = {}

    def hear(self, life: IncarnationId) -> None:
        """Head office said which it is in."""
        if life not in self.lives:
            self.lives.append(life)

    def is_older(self, now: tuple[IncarnationId, int], before: tuple[IncarnationId, int]) -> bool:
        """Of two versions of one feed."""
        if now[0] == before[0]:
            return now[1] < before[1]
        return now[0] in self.lives and self.lives.index(now[0]) < self.lives.index(before[0])

    def copy(self) -> "Memory":
        other = Memory()
        other.lives, other.done, other.feeds = list(self.lives), set(self.done), dict(self.feeds)
        return other


class Database:
    """till.db and reference.db: everything a backup of the data folder takes along."""

    def __init__(self, origin: OriginId, reference: ReferenceDatabase | None = None) -> None:
        self.origin = origin
        self.epochs: list[StoredEpoch] = []
        self._known: dict[EpochId, StoredEpoch] = {}
        self.reference = reference or ReferenceDatabase(origin)
        self.business_date = ""
        self.references: set[str] = set()
        self.purged = 0
        self.damaged = 0
        self.memory = Memory()
        """What this disk was told and did: the oracle's, not the register's."""
        self.wallet = Wallet()

    @property
    def head(self) -> Head | None:
        return self.epochs[-1].head if self.epochs else None

    def store(self, written: Written) -> None:
        """One transaction: the entry and all that follows from it."""
        epoch, entry = self.epoch(written.head.epoch), decode_entry(written.data)
        if epoch is None:
            epoch = StoredEpoch(written.head.epoch, entry.at_ms)
            self._add(epoch)
        assert written.seq == len(epoch.entries) + 1, "an epoch is gapless (P4)"
        epoch.entries.append(StoredEntry(written.seq, written.hash, written.data))
        epoch.dates.append(entry.date)
        epoch.numbered.append(written.head.documents)

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

    def purge(self, epoch: EpochId, through_seq: int) -> int:
        """How many went."""
        known, went = self._known[epoch], 0
        for index in range(min(through_seq, len(known.entries))):
            entry = known.entries[index]
            if entry.readable:
                known.entries[index] = StoredEntry(entry.seq, entry.hash, b"", False)
                went += 1
        self.purged += went
        return went

    def damage(self, epoch: EpochId, seq: int) -> StoredEntry | None:
        """A bad sector: of that entry only a piece of its bytes is left, and its hash. What it was."""
        entries = self._known[epoch].entries
        entry = entries[seq - 1]
        if not entry.readable:
            return None
        entries[seq - 1] = StoredEntry(entry.seq, entry.hash, entry.data[: len(entry.data) // 2], False)
        self.damaged += 1
        return entry

    def mend(self, epoch: EpochId, entry: StoredEntry) -> None:
        """The sector reads again, unless a purge or a restore has been there since."""
        known = self._known.get(epoch)
        now = None if known is None or entry.seq > len(known.entries) else known.entries[entry.seq - 1]
        if known is not None and now is not None and now.hash == entry.hash and now.data and not now.readable:
            known.entries[entry.seq - 1] = entry

    def copy(self) -> "Database":
        """A backup, or a clone: entries are values, so they are shared."""
        other = Database(self.origin, self.reference.copy())
        for known in self.epochs:
            epoch = StoredEpoch(known.epoch, known.opened_at_ms)
            epoch.entries = list(known.entries)
            epoch.dates, epoch.numbered = list(known.dates), list(known.numbered)
            other._add(epoch)
        other.business_date = self.business_date
        other.references = set(self.references)
        other.purged, other.damaged = self.purged, self.damaged
        other.memory = self.memory.copy()
        other.wallet = self.wallet
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

    def first_seq(self, epoch: EpochId) -> int:
        return 1

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
        return self._database.reference.reference.receipts()
