"""Head office decides: facts and an authenticated batch in, rows and an answer out. Pure.

stretch ──► what to load      Deciding(facts, stretch).parts ──► Decision with its rows
"""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

import msgspec

from holdfast.core.faults import MalformedFault
from holdfast.core.ids import EpochId, OriginId
from holdfast.core.ingest.cash import CASH_BODIES, project_cash
from holdfast.core.ingest.central import CentralBody, project_central, project_values
from holdfast.core.ingest.customers import CustomerBody, project_customer
from holdfast.core.ingest.facts import ChainFacts, Facts, ReferenceFacts
from holdfast.core.ingest.project import (
    Document,
    content_of,
    external_of,
    is_date,
    posting_period,
    project,
    validate,
)
from holdfast.core.ingest.rows import APPLIED, QUARANTINED, REPEATED, Completed, KeyAnnounced, Rows
from holdfast.core.journal.bodies import REGISTRY, RETIRED, EpochClosed, EpochOpened, KeyRotated
from holdfast.core.journal.chain import ZERO_HASH, Position
from holdfast.core.journal.entry import Entry, Unprojectable, decode_entry
from holdfast.core.sale import Sale
from holdfast.core.sync.batch import Batch, StoredEntry


class PreparedEntry(msgspec.Struct, frozen=True, gc=False):
    """An entry read as far as it can be read here."""

    stored: StoredEntry
    entry: Entry | None
    body: msgspec.Struct | Unprojectable
    reference: "Reference | None"
    """Where the document carries one."""
    content: bytes = b""


class Stretch(msgspec.Struct, frozen=True):
    """Contiguous entries of one epoch as they came: a batch, or a part of one."""

    origin: OriginId
    epoch: EpochId
    first_seq: int
    previous_hash: bytes
    entries: Sequence[StoredEntry]

    @classmethod
    def of(cls, batch: Batch) -> "Stretch":
        header = batch.header
        return cls(header.origin, header.epoch, header.first_seq, header.previous_hash, batch.entries)


Reference = tuple[str, str]
"""(entry type, external reference)."""
References = Mapping[Reference, ReferenceFacts]
LookUp = Callable[[Sequence[Reference]], References]
"""Where the named references stand already; those that stand nowhere are left out."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to store and what to answer. `send_from` set: a gap, nothing is stored."""

    rows: Rows
    chain: int = 0
    head: Position | None = None
    send_from: int = 0
    new_entries: int = 0
    new_branch: bool = False


def prepare_entry(origin: OriginId, epoch: EpochId, stored: StoredEntry) -> PreparedEntry:
    if not stored.readable:
        lost = Unprojectable("unreadable", "the entry became unreadable at its origin")
        return PreparedEntry(stored, None, lost, None)
    try:
        entry = decode_entry(stored.data)
    except MalformedFault as fault:
        return PreparedEntry(stored, None, Unprojectable("malformed", fault.sentence[:500]), None)
    if (entry.origin, entry.epoch, entry.seq) != (origin, epoch, stored.seq):
        wrong = Unprojectable("misplaced", "the entry names another origin, epoch or seq than its place")
        return PreparedEntry(stored, None, wrong, None)
    body = REGISTRY.decode(entry)
    if not isinstance(body, Unprojectable):
        body = validate(entry, body) or body
    external = external_of(body)
    if external is None or isinstance(body, Unprojectable):
        return PreparedEntry(stored, entry, body, None)
    assert isinstance(body, Document), "only documents carry an external reference"
    return PreparedEntry(stored, entry, body, (entry.type, external.reference), content_of(body))


class Deciding:
    """The one place where head office decides what a stretch of a journal does.

    It is a decision in the making: a database stores its first rows while others are decided.
    """

    def __init__(
        self,
        facts: Facts,
        stretch: Stretch,
        look_up: LookUp,
        culprits: Mapping[int, Unprojectable] | None = None,
    ) -> None:
        """`culprits`: entries (by seq) that the database refused in spite of validation; they are
        stored as quarantined."""
        assert facts.origin.origin == stretch.origin, "facts are loaded for the stretch's origin"
        self._facts = facts
        self._stretch = stretch
        self._look_up = look_up
        self._culprits = culprits or {}
        self._fresh: Sequence[StoredEntry] = ()
        self._completed: Sequence[tuple[ChainFacts, StoredEntry]] = ()
        self._chain: ChainFacts | None = None
        self.decision = self._begin()
        """What it comes to; its rows are complete once all `parts` were taken."""

    def _begin(self) -> Decision:
        facts, stretch, rows = self._facts, self._stretch, Rows()
        start = _join(facts, stretch)
        if start is None:
            return Decision(rows, send_from=_send_from(facts))
        chain, index, self._completed = _skip_known(facts, stretch, start)
        last = stretch.entries[-1]
        head = Position(stretch.epoch, last.seq, last.hash)
        self._fresh = stretch.entries[index:]
        if not self._fresh:
            return Decision(rows, chain.chain, head)
        self._chain, new_branch = _place(facts, stretch, rows, chain, self._fresh[0].seq)
        rows.heads[self._chain.chain] = head
        return Decision(rows, self._chain.chain, head, new_entries=len(self._fresh), new_branch=new_branch)

    def parts(self, entries: int) -> Iterator[Rows]:
        """The decision's rows, ever the same object, grown by so many entries at each step."""
        facts, chain, rows = self._facts, self._chain, self.decision.rows
        seen: dict[Reference, ReferenceFacts] = {}
        for begin in range(0, len(self._completed), entries):
            part = self._completed[begin : begin + entries]
            items = self._prepare([stored for _, stored in part], seen)
            for (known, _), item in zip(part, items, strict=True):
                status, waits = _settle(rows, facts, known, item, seen, self._culprits.get(item.stored.seq))
                rows.completed.append(Completed(_entry_row(known, item, status), waits))
            yield rows
        if chain is None:
            return
        for begin in range(0, len(self._fresh), entries):
            for item in self._prepare(self._fresh[begin : begin + entries], seen):
                _append(rows, facts, chain, item, seen, self._culprits.get(item.stored.seq))
            yield rows

    def _prepare(
        self, stored: Sequence[StoredEntry], seen: dict[Reference, ReferenceFacts]
    ) -> Sequence[PreparedEntry]:
        """The entries read, and `seen` grown by where the references stand that they name."""
        origin, epoch = self._stretch.origin, self._stretch.epoch
        items = [prepare_entry(origin, epoch, entry) for entry in stored]
        named = {item.reference for item in items if item.reference is not None} - seen.keys()
        if named:
            seen.update(self._look_up(sorted(named)))
        return items


def _join(facts: Facts, stretch: Stretch) -> ChainFacts | None:
    """The chain that holds what the batch continues; for an unknown epoch's beginning, a new one."""
    if stretch.first_seq == 1:
        if stretch.previous_hash != ZERO_HASH:
            return None
        for chain in facts.chains:
            if chain.branch == 0:
                return chain
        return ChainFacts(
            chain=facts.next_chain,
            origin=stretch.origin,
            epoch=stretch.epoch,
            branch=0,
            head=Position(stretch.epoch, 0, ZERO_HASH),
        )
    for chain in facts.chains:
        if facts.hashes.get((chain.chain, stretch.first_seq - 1)) == stretch.previous_hash:
            return chain
    return None


def _send_from(facts: Facts) -> int:
    main = [chain for chain in facts.chains if chain.branch == 0]
    return main[0].head.seq + 1 if main else 1


def _skip_known(
    facts: Facts, stretch: Stretch, chain: ChainFacts
) -> tuple[ChainFacts, int, Sequence[tuple[ChainFacts, StoredEntry]]]:
    """Passes over what is stored already, following the branch that holds the same hashes.

    Same (origin, epoch, seq) and same hash: already there, no effect (P2), unless only its hash is there
    and now come the bytes. Those are the third that is returned, each with its chain.
    """
    completed: list[tuple[ChainFacts, StoredEntry]] = []
    for index, stored in enumerate(stretch.entries):
        key = stored.seq
        if facts.hashes.get((chain.chain, key)) == stored.hash:
            if stored.readable and (chain.chain, key) in facts.lost:
                completed.append((chain, stored))
            continue
        onward = [
            other
            for other in facts.chains
            if other.parent_chain == chain.chain
            and other.fork_seq == key - 1
            and facts.hashes.get((other.chain, key)) == stored.hash
        ]
        if not onward:
            return chain, index, completed
        chain = onward[0]
        if stored.readable and (chain.chain, key) in facts.lost:
            completed.append((chain, stored))
    return chain, len(stretch.entries), completed


def _place(
    facts: Facts, stretch: Stretch, rows: Rows, chain: ChainFacts, seq: int
) -> tuple[ChainFacts, bool]:
    """Where fresh entries from `seq` on go: on at the chain's head, else on a branch of their own (a fork).

    The second branch becomes an epoch of its own: projected, counted, alerted.
    """
    if not any(known.chain == chain.chain for known in facts.chains):
        rows.new_chains.append(chain)
        return chain, False
    if seq == chain.head.seq + 1:
        return chain, False
    assert seq <= chain.head.seq, "a joined batch leaves no gap"
    parent = facts.hashes.get((chain.chain, seq - 1), ZERO_HASH)
    branch = ChainFacts(
        chain=facts.next_chain,
        origin=stretch.origin,
        epoch=stretch.epoch,
        branch=len(facts.chains),
        head=Position(stretch.epoch, seq - 1, parent),
        fork_seq=seq - 1,
        parent_chain=chain.chain,
    )
    rows.new_chains.append(branch)
    detail = f"entry {seq} differs from the one stored: two copies of this database sold"
    rows.appended["alert"].append(("fork", stretch.origin, branch.chain, seq, detail))
    return branch, True


def _append(
    rows: Rows,
    facts: Facts,
    chain: ChainFacts,
    item: PreparedEntry,
    seen: dict[Reference, ReferenceFacts],
    culprit: Unprojectable | None,
) -> None:
    status, waits = _settle(rows, facts, chain, item, seen, culprit)
    if waits is not None:
        _quarantine(rows, facts, chain, item, waits)
    rows.appended["entry"].append(_entry_row(chain, item, status))


def _settle(
    rows: Rows,
    facts: Facts,
    chain: ChainFacts,
    item: PreparedEntry,
    seen: dict[Reference, ReferenceFacts],
    culprit: Unprojectable | None,
) -> tuple[str, Unprojectable | None]:
    """What an entry does, into `rows`; its status, and why it waits if it does."""
    body = culprit or item.body
    status = APPLIED
    if not isinstance(body, Unprojectable) and item.reference is not None:
        known = seen.get(item.reference)
        if known is None:
            seen[item.reference] = ReferenceFacts(
                chain=chain.chain, seq=item.stored.seq, content=item.content
            )
            rows.appended["reference"].append((*item.reference, chain.chain, item.stored.seq, item.content))
        elif known.content == item.content:
            status = REPEATED
        else:
            body = Unprojectable(
                "reference-conflict", f"{item.reference[1]} stands already, with other content"
            )
    if isinstance(body, Unprojectable):
        return QUARANTINED, _storable(body)
    if status == APPLIED:
        _apply(rows, facts, chain, item, body)
    return status, None


def _storable(cause: Unprojectable) -> Unprojectable:
    return Unprojectable(cause.cause, cause.detail.replace("\x00", "\ufffd"))


def _quarantine(
    rows: Rows, facts: Facts, chain: ChainFacts, item: PreparedEntry, cause: Unprojectable
) -> None:
    seq = item.stored.seq
    rows.appended["quarantine"].append((chain.chain, seq, cause.cause, cause.detail))
    rows.appended["alert"].append(
        ("quarantine", facts.origin.origin, chain.chain, seq, f"entry {seq} waits: {cause.cause}")
    )


def _apply(rows: Rows, facts: Facts, chain: ChainFacts, item: PreparedEntry, body: msgspec.Struct) -> None:
    entry = item.entry
    assert entry is not None, "a readable body has an entry"
    if isinstance(body, Document):
        project(rows, chain.chain, entry, body, facts.origin, facts.open_period)
        if isinstance(body, Sale) and body.values:
            project_values(
                rows, chain.chain, entry, body, facts.origin, posting_period(entry.date, facts.open_period)
            )
    elif isinstance(body, CASH_BODIES):
        project_cash(rows, chain.chain, entry, body, facts.origin)
    elif isinstance(body, CustomerBody):
        project_customer(rows, chain.chain, entry, body, facts.origin)
    elif isinstance(body, CentralBody):
        project_central(rows, chain.chain, entry, body, facts.origin)
    elif isinstance(body, EpochOpened):
        rows.opened[chain.chain] = msgspec.to_builtins(body, builtin_types=(bytes,))
    elif isinstance(body, EpochClosed):
        rows.closed[chain.chain] = entry.seq
        if body.cause == RETIRED:
            rows.retired.append(facts.origin.origin)
    elif isinstance(body, KeyRotated):
        place = (chain.chain, chain.epoch, entry.seq)
        rows.keys.append(
            KeyAnnounced(facts.origin.origin, body.key_id, body.public_key, body.replaces, *place)
        )


def _entry_row(chain: ChainFacts, item: PreparedEntry, status: str) -> tuple[object, ...]:
    stored, entry = item.stored, item.entry
    # A body that nobody could read was not validated either: its date may be none.
    date = entry.date if entry is not None and is_date(entry.date) else None
    return (
        chain.chain,
        stored.seq,
        stored.hash,
        "" if entry is None else entry.type,
        0 if entry is None else entry.version,
        date,
        None if entry is None else entry.at_ms,
        status,
        stored.data,
    )


def reconsider(
    facts: Facts, chain: ChainFacts, item: PreparedEntry, look_up: LookUp
) -> tuple[Rows, str, Unprojectable | None]:
    """What a quarantined entry makes now, after an upgrade or a correction: rows beside its own,
    which stands already, its new status, and why it still waits if it does."""
    rows = Rows()
    seen = {} if item.reference is None else dict(look_up([item.reference]))
    status, waits = _settle(rows, facts, chain, item, seen, None)
    return (rows if waits is None else Rows()), status, waits


def forced(seqs: Set[int], detail: str) -> dict[int, Unprojectable]:
    """Culprits as the database named them."""
    return {seq: Unprojectable("database", detail[:500]) for seq in seqs}
