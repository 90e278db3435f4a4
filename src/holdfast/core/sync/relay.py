"""A relay: receives for others and sends on, byte for byte, cut only at the origins' own heads.

It adds no word of its own to a chain: *held* is all that it can promise, *applied* and *safe* are
head office's signed receipts, passed down. So a register can tell a relay that lost its disk from
one that delivered.
"""

from bisect import bisect_left
from collections.abc import Sequence

from holdfast.core.ids import EpochId, IncarnationId, OriginId
from holdfast.core.journal.chain import ZERO_HASH, Position, SignedHead
from holdfast.core.sync.batch import Batch, StoredEntry, proved_count
from holdfast.core.sync.messages import Ack, EpochCursor, EpochOffer, Offer, OfferReply, Receipt
from holdfast.core.sync.ports import Piece

ENTRY_OVERHEAD_BYTES = 64
"""Around an entry in a batch: its length, and the hash of an unreadable one."""
RECEIPTS_MAX = 64
"""Receipts kept of one epoch and level: copies of a register may stand at several places."""


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
        self._bytes: list[int] = [0]
        """What the entries up to each come to in a batch."""
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
        completed: list[StoredEntry] = []
        for entry in batch.entries:
            known = self.hash_at(entry.seq)
            if known is None:
                fresh.append(entry)
            elif known != entry.hash:
                return False
            elif entry.readable and entry.seq > self.base_seq and not self._entry(entry.seq).readable:
                completed.append(entry)
        for entry in completed:
            self._entries[entry.seq - self.base_seq - 1] = entry
        self._entries += fresh
        self._measure(min((entry.seq for entry in (*completed, *fresh)), default=self.head.seq + 1))
        self._hashes += [entry.hash for entry in fresh]
        head = batch.header.head
        at = bisect_left([known.seq for known in self._heads], head.seq)
        if at == len(self._heads) or self._heads[at].seq != head.seq:
            self._heads.insert(at, head)
        return True

    def _measure(self, from_seq: int) -> None:
        """Count the entries' bytes from there on anew."""
        del self._bytes[from_seq - self.base_seq :]
        for entry in self._entries[from_seq - self.base_seq - 1 :]:
            self._bytes.append(self._bytes[-1] + len(entry.data) + ENTRY_OVERHEAD_BYTES)

    def _entry(self, seq: int) -> StoredEntry:
        return self._entries[seq - self.base_seq - 1]

    def piece(self, first_seq: int, entries_max: int, bytes_max: int) -> Piece | None:
        """Entries from `first_seq` to the last head within `entries_max` and `bytes_max`, else to the next
        one: what stands between two heads came in one batch, so every receiver takes it in one (P10).

        Between two heads nothing readable stands before an unreadable entry, for so each batch came; where
        pieces are joined it might, and they are not.
        """
        previous = self.hash_at(first_seq - 1)
        if previous is None:
            return None
        ahead = [head for head in self._heads if head.seq >= first_seq]
        if not ahead:
            return None
        before = self._bytes[first_seq - 1 - self.base_seq]
        within = [
            head
            for head in ahead
            if head.seq < first_seq + entries_max
            and self._bytes[head.seq - self.base_seq] - before <= bytes_max
        ]
        head = within[-1] if within else ahead[0]
        entries = self._entries[first_seq - self.base_seq - 1 : head.seq - self.base_seq]
        assert entries, "a head closes at least one entry"
        proved = proved_count(entries)
        if proved < len(entries):
            head = next(head for head in reversed(ahead) if head.seq < first_seq + proved)
            entries = entries[: head.seq - first_seq + 1]
        return Piece(previous, tuple(entries), head)


class Relay:
    """All that a relay holds, and head office's receipts to pass down."""

    def __init__(self) -> None:
        self._chains: dict[OriginId, dict[EpochId, list[RelayedChain]]] = {}
        self._receipts: dict[OriginId, dict[tuple[EpochId, str], dict[bytes, Receipt]]] = {}
        self._elsewhere: dict[tuple[OriginId, EpochId], tuple[Position, ...]] = {}
        """Heads that head office holds and this relay does not: another copy of a register's
        database reached it by another way."""
        self._claimed: dict[tuple[OriginId, EpochId], Position] = {}
        """The highest head that head office ever heard of, by a word that went past this relay."""

    def forget(self, origin: OriginId) -> None:
        """Head office does not take its signatures any more: they were made with a key that gave way, or one
        that it forgot. The register holds all of it still, and signs it anew when it finds it missing here.
        """
        self._chains.pop(origin, None)

    def chains(self, origin: OriginId, epoch: EpochId) -> Sequence[RelayedChain]:
        """The branches of an epoch in order of arrival."""
        return self._chains.get(origin, {}).get(epoch, ())

    def lanes(self, origin: OriginId) -> Sequence["RelayView"]:
        """Journals to send on: the first branches of all epochs, then the second ones, …"""
        epochs = self._chains.get(origin, {})
        count = max((len(chains) for chains in epochs.values()), default=0)
        return [RelayView(self, origin, lane) for lane in range(count)]

    def epochs(self, origin: OriginId) -> Sequence[EpochId]:
        """In order of arrival."""
        return list(self._chains.get(origin, {}))

    def take(self, batch: Batch) -> RelayedChain | None:
        """The chain that now holds the batch; None on a gap."""
        header = batch.header
        chains = self.chains(header.origin, header.epoch)
        for chain in chains:
            if chain.take(batch):
                return chain
        begins = header.first_seq == 1 and header.previous_hash == ZERO_HASH
        joins = any(chain.hash_at(header.first_seq - 1) == header.previous_hash for chain in chains)
        if not (begins or joins):
            return None
        branch = RelayedChain(header.origin, header.epoch, header.first_seq - 1, header.previous_hash)
        taken = branch.take(batch)
        assert taken, "a branch begins where its batch does"
        self._chains.setdefault(header.origin, {}).setdefault(header.epoch, []).append(branch)
        return branch

    def answer_batch(self, batch: Batch, incarnation: IncarnationId, time_ms: int) -> Ack:
        """Takes a batch, and says so for its own head: beyond it the chain may be that of another copy of the
        register, which it could not check, and would doubt for ever."""
        taken = self.take(batch) is not None
        head = batch.header.head
        return Ack(
            incarnation=incarnation,
            time_ms=time_ms,
            held=Position(head.epoch, head.seq, head.hash) if taken else None,
            send_from=0 if taken else 1,
            fork=self.has_twin(batch.header.origin, batch.header.epoch),
        )

    def answer_offer(self, offer: Offer, incarnation: IncarnationId, time_ms: int) -> OfferReply:
        """What this hop holds of the epochs offered, and every receipt for them."""
        return OfferReply(
            incarnation=incarnation,
            time_ms=time_ms,
            cursors=tuple(self._cursor(offer.origin, offered) for offered in offer.epochs),
        )

    def _cursor(self, origin: OriginId, offered: EpochOffer) -> EpochCursor:
        epoch = offered.head.epoch
        chains = self.chains(origin, epoch)
        known = [(seq, hash) for seq, hash in offered.samples if _holds(chains, seq, hash)]
        return EpochCursor(
            epoch=epoch,
            tips=tuple(chain.head for chain in chains),
            claimed=self._claimed.get((origin, epoch)),
            elsewhere=self._elsewhere.get((origin, epoch), ()),
            known_sample=max((seq for seq, _ in known), default=0),
            applied=self._receipt(origin, offered, "applied"),
            safe=self._receipt(origin, offered, "safe"),
        )

    def _receipt(self, origin: OriginId, offered: EpochOffer, level: str) -> Receipt | None:
        """The furthest receipt over the very chain that is offered."""
        epoch, samples = offered.head.epoch, set(offered.samples)
        branches = [
            (chain, seq)
            for chain in self.chains(origin, epoch)
            if (seq := max((seq for seq, hash in samples if chain.hash_at(seq) == hash), default=0))
        ]
        found = [
            receipt
            for hash, receipt in self._receipts.get(origin, {}).get((epoch, level), {}).items()
            if (receipt.seq, hash) in samples
            or any(receipt.seq <= seq and chain.hash_at(receipt.seq) == hash for chain, seq in branches)
        ]
        return max(found, key=lambda receipt: receipt.seq, default=None)

    def learn(self, origin: OriginId, reply: OfferReply) -> None:
        """Head office's answer to an offer of `origin` that was passed up; its receipts verified."""
        for cursor in reply.cursors:
            chains = self.chains(origin, cursor.epoch)
            elsewhere = tuple(tip for tip in cursor.tips if not _holds(chains, tip.seq, tip.hash))
            self._elsewhere[(origin, cursor.epoch)] = elsewhere
            if cursor.claimed is not None:
                self._claimed[(origin, cursor.epoch)] = cursor.claimed
            for receipt in (cursor.applied, cursor.safe):
                if receipt is not None:
                    self.keep(receipt)

    def has_twin(self, origin: OriginId, epoch: EpochId) -> bool:
        """Is another copy of this origin's database known to have sold in this epoch."""
        return len(self.chains(origin, epoch)) > 1 or bool(self._elsewhere.get((origin, epoch)))

    def keep(self, receipt: Receipt) -> None:
        """A receipt from head office, already verified."""
        of_origin = self._receipts.setdefault(receipt.origin, {})
        held = of_origin.setdefault((receipt.epoch, receipt.level), {})
        held[receipt.hash] = receipt
        if len(held) > RECEIPTS_MAX:
            held.pop(next(iter(held)))

    def applied(self, origin: OriginId) -> Sequence[Sequence[Receipt]]:
        """Every applied receipt held for an origin, by epoch, the latest first."""
        return [
            tuple(reversed(held.values()))
            for (_, level), held in self._receipts.get(origin, {}).items()
            if level == "applied"
        ]


def _holds(chains: Sequence[RelayedChain], seq: int, hash: bytes) -> bool:
    return any(chain.hash_at(seq) == hash for chain in chains)


class RelayView:
    """One lane of an origin's journal as a relay sends it on (`ports.JournalView`)."""

    def __init__(self, relay: Relay, origin: OriginId, lane: int) -> None:
        self._relay = relay
        self._origin = origin
        self._lane = lane

    @property
    def origin(self) -> OriginId:
        return self._origin

    def _chain(self, epoch: EpochId) -> RelayedChain | None:
        chains = self._relay.chains(self._origin, epoch)
        return chains[self._lane] if self._lane < len(chains) else None

    def heads(self) -> Sequence[SignedHead]:
        chains = [self._chain(epoch) for epoch in self._relay.epochs(self._origin)]
        return [chain.heads[-1] for chain in chains if chain is not None]

    def hash_at(self, epoch: EpochId, seq: int) -> bytes | None:
        chain = self._chain(epoch)
        if chain is None:
            return None
        if seq >= chain.base_seq:
            return chain.hash_at(seq)
        trunk = self._relay.chains(self._origin, epoch)[0]
        return trunk.hash_at(seq)

    def first_seq(self, epoch: EpochId) -> int:
        chain = self._chain(epoch)
        return 1 if chain is None else chain.base_seq + 1

    def piece(self, epoch: EpochId, first_seq: int, entries_max: int, bytes_max: int) -> Piece | None:
        """None below a branch's own beginning: the first lane brings what both share."""
        chain = self._chain(epoch)
        return None if chain is None else chain.piece(first_seq, entries_max, bytes_max)

    def receipts(self) -> Sequence[Receipt]:
        found = (self._furthest(held) for held in self._relay.applied(self._origin))
        return [receipt for receipt in found if receipt is not None]

    def _furthest(self, held: Sequence[Receipt]) -> Receipt | None:
        """Over this lane's own chain. The latest is the furthest nearly always: only it is looked up."""
        furthest: Receipt | None = None
        for receipt in held:
            if furthest is not None and receipt.seq <= furthest.seq:
                continue
            if self.hash_at(receipt.epoch, receipt.seq) == receipt.hash:
                furthest = receipt
        return furthest
