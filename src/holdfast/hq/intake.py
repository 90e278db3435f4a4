"""A batch into the store: decided by core, in one transaction, whatever is in it (P2, P3, P10)."""

import dataclasses
from collections.abc import Iterator, Mapping

import msgspec

from holdfast.core.faults import UnavailableFault
from holdfast.core.ids import IncarnationId
from holdfast.core.ingest.decide import Deciding, Decision, Stretch, forced
from holdfast.core.journal.chain import SignedHead
from holdfast.core.journal.entry import Unprojectable
from holdfast.hq.central.settling import settle_events
from holdfast.hq.stock.settling import settle_stock
from holdfast.hq.store.port import Claim, DataFault, HeadOfficeStore, RaceFault, Transaction

RACES_MAX = 5
"""So often a batch is decided anew because another one was quicker; then the sender tries again."""
PART_ENTRIES = 50
"""Decided between two looks at whether the database can take more; a millisecond or two."""


@dataclasses.dataclass(frozen=True, slots=True)
class Taken:
    """What a batch did."""

    decision: Decision
    branch: int
    incarnation: IncarnationId


def store_batch(
    store: HeadOfficeStore, stretch: Stretch, head: SignedHead, number_key: bytes, now_ms: int
) -> Taken:
    """Decide and store a batch; committed when this returns. `number_key`: see `core.central.numbers`.

    Raises UnavailableFault or StorageFullFault where nothing was stored and a retry can help.
    """
    for _ in range(RACES_MAX):
        try:
            with store.transaction(stretch.origin) as transaction:
                taken = _store(transaction, stretch, number_key, now_ms)
                if taken.decision.head is not None:
                    transaction.put_signed_head(taken.decision.chain, head)
                transaction.touch(stretch.origin, now_ms)
            return taken
        except RaceFault:
            continue
    raise UnavailableFault(f"{stretch.origin}'s batch met others {RACES_MAX} times. Send it again.")


def _store(transaction: Transaction, stretch: Stretch, number_key: bytes, now_ms: int) -> Taken:
    """All of it at once; where a row is refused, each half by itself, down to the culprit."""
    try:
        with transaction.savepoint():
            return _put(transaction, stretch, {}, number_key, now_ms)
    except DataFault as fault:
        refused = fault
    if len(stretch.entries) > 1:
        return _joined([_store(transaction, half, number_key, now_ms) for half in _halves(stretch)])
    # The culprit itself: its bytes are kept, and nothing else of it.
    said = refused.sentence.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
    return _put(transaction, stretch, forced({stretch.first_seq}, said), number_key, now_ms)


def _put(
    transaction: Transaction,
    stretch: Stretch,
    culprits: Mapping[int, Unprojectable],
    number_key: bytes,
    now_ms: int,
) -> Taken:
    facts = transaction.facts(stretch)
    deciding = Deciding(facts, stretch, transaction.references, culprits)
    decision = deciding.decision
    transaction.put(deciding.parts(PART_ENTRIES))
    branches = [
        chain.branch for chain in (*facts.chains, *decision.rows.new_chains) if chain.chain == decision.chain
    ]
    branch = max(branches, default=0)
    settle_stock(transaction, decision.rows, now_ms, branch)
    if decision.rows.values:
        settle_events(transaction, decision.rows.values, stretch.origin, number_key, now_ms)
    for completed in decision.rows.completed:
        transaction.complete(completed, now_ms)
    for opened in decision.rows.opened.values():
        parent = opened.get("parent")
        if parent is not None and opened["cause"] != "replaced":  # then it is of another origin, and known
            # What this origin remembers of the epoch before: head office may owe up to there (P6).
            hash = parent["hash"] if parent["claimed_seq"] == parent["seq"] else None
            claim = Claim(epoch=parent["epoch"], seq=parent["claimed_seq"], hash=hash)
            transaction.claim(stretch.origin, claim, now_ms)
        if lost := opened.get("remembered"):
            claim = Claim(epoch=lost["epoch"], seq=lost["seq"], hash=lost["hash"])
            transaction.claim(stretch.origin, claim, now_ms)
    return Taken(decision, branch, facts.incarnation)


def _halves(stretch: Stretch) -> Iterator[Stretch]:
    """Two batches that follow each other. The cut is not signed; the head of the whole covers it."""
    middle = len(stretch.entries) // 2
    yield msgspec.structs.replace(stretch, entries=stretch.entries[:middle])
    yield msgspec.structs.replace(
        stretch,
        first_seq=stretch.first_seq + middle,
        previous_hash=stretch.entries[middle - 1].hash,
        entries=stretch.entries[middle:],
    )


def _joined(parts: list[Taken]) -> Taken:
    last = parts[-1]
    assert last.decision.send_from == 0, "what follows what was stored leaves no gap"
    return Taken(
        dataclasses.replace(
            last.decision,
            new_entries=sum(part.decision.new_entries for part in parts),
            new_branch=any(part.decision.new_branch for part in parts),
        ),
        last.branch,
        last.incarnation,
    )
