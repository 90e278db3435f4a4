"""A relay: receives for others and sends on, byte for byte, cut only at the origins' own heads.

It adds no word of its own to a chain: *held* is all that it can promise, *applied* and *safe* are
head office's signed receipts, passed down. So a register can tell a relay that lost its disk from
one that delivered.
"""

from bisect import bisect_left
from collections.abc import Sequence

from holdfast.core.ids import EpochId, OriginId
from holdfast.core.journal.chain import ZERO_HASH, Position, SignedHead
from holdfast.core.sync.batch import Batch, StoredEntry
from holdfast.core.sync.messages import Ack, Receipt
from holdfast.core.sync.ports import Piece


class RelayedChain:
    """One origin's epoch as a relay holds it: contiguous entries and the heads that cut them.

    Where a second branch of the same epoch arrives, it is another `RelayedChain`: the relay
    keeps both and lets head office decide.
    """

    def __init__(self, origin: OriginId, epoch: EpochId, base_seq: int, base_hash: bytes) -> None:
        self.origin = origin
        self.epoch = epoch
        self.base_seq = base_seq
        self._hashes: list[bytes] = [base_hash]
        self._entries: list[StoredEntry] = []
        self._heads: list[SignedHead] = []

    @property
    def head(self) -> Position:
        return Position(self.epoch, self.base_seq + len(self._entries), self._hashes[-1])

    @property
    def heads(self) -> Sequence[SignedHead]:
        return self._heads

    def hash_at(self, seq: int) -> bytes | None:
        index = seq - self.base_seq
        return self._hashes[index] if 0 <= index < len(self._hashes) else None

    def take(self, batch: Batch) -> bool:
        """Joins the batch; False where it does not continue this chain (gap or other branch)."""
        if self.hash_at(batch.header.first_seq - 1) != batch.header.previous_hash:
            return False
        fresh: list[StoredEntry] = []
        for entry in batch.entries:
            known = self.hash_at(entry.seq)
            if known is None:
                fresh.append(entry)
            elif known != entry.hash:
                return False
        self._entries += fresh
        self._hashes += [entry.hash for entry in fresh]
        head = batch.header.head
        at = bisect_left([known.seq for known in self._heads], head.seq)
        if at == len(self._heads) or self._heads[at].seq != head.seq:
            self._heads.insert(at, head)
        return True

    def piece(self, first_seq: int, entries_max: int) -> Piece | None:
        """Entries from `first_seq` to the last head within `entries_max`, else to the next one."""
        previous = self.hash_at(first_seq - 1)
        if previous is None:
            return None
        ahead = [head for head in self._heads if head.seq >= first_seq]
        if not ahead:
            return None
        within = [head for head in ahead if head.seq < first_seq + entries_max]
        head = within[-1] if within else ahead[0]
        entries = self._entries[first_seq - self.base_seq - 1 : head.seq - self.base_seq]
        assert entries, "a head closes at least one entry"
        return Piece(previous, tuple(entries), head)


class Relay:
    """All that a relay holds, and head office's receipts to pass down."""

    def __init__(self) -> None:
        self.chains: dict[tuple[OriginId, EpochId], list[RelayedChain]] = {}
        self.receipts: dict[tuple[OriginId, EpochId, str], Receipt] = {}

    def take(self, batch: Batch) -> RelayedChain | None:
        """The chain that now holds the batch; None on a gap."""
        header = batch.header
        chains = self.chains.setdefault((header.origin, header.epoch), [])
        for chain in chains:
            if chain.take(batch):
                return chain
        if not (header.first_seq == 1 and header.previous_hash == ZERO_HASH):
            joint = [chain for chain in chains if chain.hash_at(header.first_seq - 1) == header.previous_hash]
            if not joint:
                return None
        branch = RelayedChain(header.origin, header.epoch, header.first_seq - 1, header.previous_hash)
        taken = branch.take(batch)
        assert taken, "a branch begins where its batch does"
        chains.append(branch)
        return branch

    def ack(self, chain: RelayedChain, answer: Ack) -> Ack:
        """`answer` completed with what this hop holds and what head office has said."""
        key = (chain.origin, chain.epoch)
        return Ack(
            incarnation=answer.incarnation,
            time_ms=answer.time_ms,
            held=chain.head,
            applied=self.receipts.get((*key, "applied")),
            safe=self.receipts.get((*key, "safe")),
        )

    def keep(self, receipt: Receipt) -> None:
        """A receipt from head office, already verified; a newer incarnation's replaces an older's."""
        self.receipts[(receipt.origin, receipt.epoch, receipt.level)] = receipt
