"""An offer answered: where head office stands in each epoch, and what it was told of the rest.

A sender names its heads and samples of the hashes below them. A sample that is held here proves
that the sender's chain and the stored one are the same up to there, however long they are.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from holdfast.core.ids import EpochId, OriginId
from holdfast.core.journal.chain import Position
from holdfast.core.sync.messages import EpochOffer, Offer, Receipt
from holdfast.hq.store.port import ChainRecord, Claim, Transaction

CLAIMS_MAX = 16
"""Unsettled claims kept of one epoch; the lowest go first, being most likely covered by higher ones."""


class EpochStand(msgspec.Struct, frozen=True, kw_only=True):
    """What is held of one offered epoch."""

    epoch: EpochId
    tips: tuple[Position, ...]
    known: Position | None
    """Highest sample that is held: on it the sender's chain and a stored one agree."""
    safe: Position | None
    """On the sender's own branch, as far as it is known to be."""
    claimed: Position | None


def stands(transaction: Transaction, offer: Offer) -> tuple[EpochStand, ...]:
    """Where head office stands in each epoch of the offer, in its order."""
    epochs = [offered.head.epoch for offered in offer.epochs]
    branches: defaultdict[EpochId, list[ChainRecord]] = defaultdict(list)
    for record in transaction.chains(offer.origin, epochs):
        branches[record.facts.epoch].append(record)
    hashes = transaction.hashes(list(_places(offer, branches)))
    highest = {
        claim.epoch: Position(claim.epoch, claim.seq, claim.hash)
        for claim in transaction.claims(offer.origin, epochs)
        if claim.hash is not None
    }
    return tuple(
        _stand(offered, branches[offered.head.epoch], hashes, highest.get(offered.head.epoch))
        for offered in offer.epochs
    )


def _places(offer: Offer, branches: Mapping[EpochId, list[ChainRecord]]) -> Iterable[tuple[int, int]]:
    for offered in offer.epochs:
        seqs = {seq for seq, _ in offered.samples} | {offered.head.seq}
        for record in branches.get(offered.head.epoch, []):
            chain = record.facts
            yield from ((chain.chain, seq) for seq in seqs if chain.fork_seq < seq <= chain.head.seq)
            if chain.parent_chain is not None:
                yield chain.parent_chain, chain.fork_seq


def _stand(
    offered: EpochOffer,
    records: Sequence[ChainRecord],
    hashes: Mapping[tuple[int, int], bytes],
    claimed: Position | None,
) -> EpochStand:
    epoch = offered.head.epoch
    known, on = None, None
    for seq, hash in (*offered.samples, (offered.head.seq, offered.head.hash)):
        for record in records:
            if hashes.get((record.facts.chain, seq)) == hash and (known is None or seq > known.seq):
                known, on = Position(epoch, seq, hash), record
    return EpochStand(
        epoch=epoch,
        tips=tuple(record.facts.head for record in records),
        known=known,
        safe=None if known is None or on is None else _safe(known, on, records, hashes),
        claimed=claimed,
    )


def _safe(
    known: Position,
    on: ChainRecord,
    records: Sequence[ChainRecord],
    hashes: Mapping[tuple[int, int], bytes],
) -> Position | None:
    """What of the sender's chain is safe: on its branch, or on those that it grew out of."""
    by_number = {record.facts.chain: record for record in records}
    within, record = known, on
    while record.safe is None:
        fork_seq = record.facts.fork_seq
        parent = by_number.get(record.facts.parent_chain or 0)
        hash = None if parent is None else hashes.get((parent.facts.chain, fork_seq))
        if parent is None or hash is None:
            return None
        within, record = Position(known.epoch, fork_seq, hash), parent
    return record.safe if record.safe.seq <= within.seq else within


def remember_claims(
    transaction: Transaction, origin: OriginId, heads: Sequence[Position], now_ms: int
) -> None:
    """Keep the heads that an origin claims by a signed word, and let go of what is settled (P6)."""
    epochs = list(dict.fromkeys(head.epoch for head in heads))
    for head in heads:
        transaction.claim(origin, Claim(epoch=head.epoch, seq=head.seq, hash=head.hash), now_ms)
    claims = transaction.claims(origin, epochs)
    settled = settled_claims(transaction, origin, claims)
    for epoch in epochs:
        own = [claim for claim in claims if claim.epoch == epoch]
        hashed = [claim for claim in own if claim.hash is not None]
        highest = hashed[-1] if hashed else None
        open_ = [claim for claim in own if claim not in settled and claim != highest]
        gone = [claim for claim in own if claim in settled and claim != highest]
        surplus = [claim for claim in open_ if claim.hash is not None][: max(0, len(open_) - CLAIMS_MAX)]
        # In one order everywhere: a heartbeat may be letting go of the same ones.
        transaction.forget_claims(origin, sorted([*gone, *surplus], key=lambda c: (c.seq, c.hash or b"")))


def note_head(
    transaction: Transaction, origin: OriginId, head: Position, newest: Sequence[ChainRecord], now_ms: int
) -> bool:
    """Remember a stated head; whether an offer is to clear up what is held of it.

    Most registers are where they are thought to be, which two looks show.
    """
    tips = [record.facts.head for record in newest if record.facts.epoch == head.epoch]
    claims = transaction.claims(origin, [head.epoch])
    if tips == [head] and all(claim.hash is None or claim.seq <= head.seq for claim in claims):
        return False
    remember_claims(transaction, origin, [head], now_ms)
    return _is_unclear(transaction, origin, head)


def _is_unclear(transaction: Transaction, origin: OriginId, head: Position) -> bool:
    """Is the stated head not held, or is another known that it does not hold: an offer clears that up.

    Of two branches neither holds the other's tip, however far each is: a copy that was told of none before
    the other one's entries came goes on in this epoch until it hears of them (P4).
    """
    chains = [record.facts for record in transaction.chains(origin, [head.epoch])]
    if len(chains) > 1:
        return True
    held = transaction.hashes([(chain.chain, head.seq) for chain in chains])
    claims = transaction.claims(origin, [head.epoch])
    known = [chain.head.seq for chain in chains] + [claim.seq for claim in claims if claim.hash is not None]
    return head.hash not in held.values() or max(known, default=0) > head.seq


def settled_claims(transaction: Transaction, origin: OriginId, claims: Sequence[Claim]) -> list[Claim]:
    """The claims whose very entries are here."""
    chains = [record.facts for record in transaction.chains(origin, {claim.epoch for claim in claims})]
    hashes = transaction.hashes(
        [(chain.chain, claim.seq) for claim in claims for chain in chains if chain.epoch == claim.epoch]
    )

    def settled(claim: Claim) -> bool:
        own = [chain for chain in chains if chain.epoch == claim.epoch]
        if claim.hash is None:
            return any(chain.head.seq >= claim.seq for chain in own)
        return any(hashes.get((chain.chain, claim.seq)) == claim.hash for chain in own)

    return [claim for claim in claims if settled(claim)]


def lost_receipt(transaction: Transaction, offer: Offer, receipts: Iterable[Receipt]) -> Receipt | None:
    """A receipt that head office signed in this life over what it does not hold: state was lost."""
    shown = list(receipts)
    records = transaction.chains(offer.origin, {receipt.epoch for receipt in shown})
    chains = [record.facts for record in records]
    hashes = transaction.hashes(
        [(chain.chain, receipt.seq) for receipt in shown for chain in chains if chain.epoch == receipt.epoch]
    )
    for receipt in shown:
        held = [hashes.get((chain.chain, receipt.seq)) for chain in chains if chain.epoch == receipt.epoch]
        if receipt.hash not in held:
            return receipt
    return None
