"""Head office in the simulation: the shipped ingest over the in-memory store."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import msgspec

from holdfast.core.faults import Fault
from holdfast.core.ids import EpochId, OriginId, StoreId
from holdfast.core.ingest import decide
from holdfast.core.ingest.facts import OriginFacts
from holdfast.core.journal.chain import Position, Verify
from holdfast.core.monitoring.owed import Owing, is_of_life, owing_of_epoch, silent_ms
from holdfast.core.sync import messages
from holdfast.core.sync.receiver import Keys, Refused
from holdfast.hq.incarnation import new_incarnation
from holdfast.hq.ingest import Ingest
from holdfast.hq.knowledge import knowledge_of
from holdfast.hq.offers import settled_claims
from holdfast.hq.store.port import HeadOfficeStore, OriginRecord
from holdfast.infra.clock import Clock, Randomness
from holdfast.simulation.documents import TOMORROW
from holdfast.simulation.network import Answer, of_tomorrow
from holdfast.simulation.signing import SimKey
from holdfast.simulation.stores import SimStore
from holdfast.simulation.world import NodeClock, TapedRandomness, World

SILENCE_LIMIT_MS = 86_400_000
Told = tuple[OriginId, EpochId, int, bytes]


class Office(Protocol):
    """A second head office over another store, which must do and answer what the first one does."""

    def begin(self, first: "SimHeadOffice") -> None: ...
    def enrol(self, record: OriginRecord, key: SimKey) -> None: ...
    def handle(self, origin: OriginId, kind: str, body: bytes, expected: Answer) -> None: ...
    def retry_quarantine(self, expected: tuple[int, int] | str) -> None: ...
    def fail_next_commit(self, failing: int) -> None: ...
    def restart(self) -> None: ...
    def backup(self) -> None: ...
    def restore(self, *, noticed: bool) -> None: ...
    def compare(self, store: SimStore) -> list[str]: ...


def answer_of(ingest: Ingest, origin: OriginId, kind: str, body: bytes) -> Answer:
    """What an ingest over whatever store says to a request in the session of `origin`."""
    try:
        if kind == "heartbeat":
            reply = ingest.heartbeat(origin, messages.decode(body, messages.SignedStatement))
        elif kind == "offer":
            reply = ingest.receive_offer(origin, body)
        else:
            assert kind == "entries", "there are three kinds of requests"
            reply = ingest.receive_batch(origin, body)
    except Fault as fault:
        return Answer(503 if fault.retriable else 500, b"", fault.code, fault.sentence)
    if isinstance(reply, Refused):
        return Answer(reply.status, b"", reply.code, reply.detail)
    return Answer(200, messages.encode(reply))


def retried(ingest: Ingest) -> tuple[int, int] | str:
    """What trying the quarantine again came to, or the fault that ended it."""
    try:
        return ingest.retry_quarantine()
    except Fault as fault:
        return fault.code


def begin_restored(store: HeadOfficeStore, clock: Clock, randomness: Randomness) -> None:
    """Our own restore command says at once that state was lost."""
    with store.transaction(None) as transaction:
        fresh = new_incarnation(randomness)
        transaction.begin_incarnation(transaction.incarnation(), fresh, clock.now_ms(), "restored", "")


@contextmanager
def speaking(version: Any) -> Iterator[None]:
    """Head office runs with the entry types of this version. Simulated nodes share one process."""
    before, decide.REGISTRY = decide.REGISTRY, version
    try:
        yield
    finally:
        decide.REGISTRY = before


class SimHeadOffice:
    """One process over one store. A crash loses nothing that was committed."""

    def __init__(self, world: World, key: SimKey, verify: Verify) -> None:
        self.world = world
        self.clock = NodeClock(world)
        self.tape = TapedRandomness(world)
        self.store = SimStore(new_incarnation(self.tape))
        self.alive = True
        self.is_of_tomorrow = False
        self.key = key
        self.twin: Office | None = None
        self.told: set[Told] = set()
        """Every head that it was told by a signed word; goes with the database, as a backup's copy does."""
        self._verify = verify
        self.keys: dict[OriginId, Keys] = {}
        self._backup: tuple[SimStore, set[Told]] | None = None
        self._losses_explained = 0
        self._losses_unexplained = 0
        self.ingest = self._new_ingest()

    def _new_ingest(self) -> Ingest:
        return Ingest(self.store, self.key, self._verify, self.clock, self.tape)

    def enrol(self, origin: OriginId, series: str, store: StoreId, key: SimKey, *, kind: str) -> None:
        self.keys[origin] = Keys({key.key_id: key.public_bytes})
        facts = OriginFacts(origin=origin, store=store, series=series, currency="GBP")
        record = OriginRecord(facts=facts, kind=kind)
        with self.store.transaction(None) as transaction:
            transaction.enrol(record, key.key_id, key.public_bytes)
        if self.twin is not None:
            self.twin.enrol(record, key)

    # Life and death

    def crash(self) -> None:
        self.alive = False

    def restart(self) -> None:
        """After a crash: another process over the same store."""
        self.alive = True
        self.ingest = self._new_ingest()
        if self.twin is not None:
            self.twin.restart()

    def upgrade(self) -> None:
        """The next version, which reads what waited for it; and tries again at each restart after it."""
        self.is_of_tomorrow = True
        with self.speaking():
            result = retried(self.ingest)
            if self.twin is not None:
                self.twin.retry_quarantine(result)

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """The process's own version reads, and its chance is taped anew."""
        with speaking(TOMORROW if self.is_of_tomorrow else decide.REGISTRY):
            self.tape.rewind()
            yield

    def fail_next_commit(self, failing: int) -> None:
        self.store.failing_commits = failing
        if self.twin is not None:
            self.twin.fail_next_commit(failing)

    def backup(self) -> None:
        """A verified backup: what it holds is *safe* from now on."""
        copied = self.store.copy()
        self._backup = (copied, set(self.told))
        for number, held in copied.tables.chains.items():
            record = self.store.tables.chains[number]
            if held.facts.head.seq > held.facts.fork_seq:
                self.store.tables.chains[number] = msgspec.structs.replace(record, safe=held.facts.head)
        if self.twin is not None:
            self.twin.backup()

    def restore(self, *, noticed: bool) -> None:
        """The database comes back older. By our own command the incarnation changes at once; by
        somebody else's tool, only once a register shows what is missing."""
        if self._backup is None:
            return
        self._losses_unexplained = self.losses_unexplained
        store, told = self._backup
        self.store, self.told = store.copy(), set(told)
        self.alive = True
        self.ingest = self._new_ingest()
        self._losses_explained = self.store.alerts("lost-state") + (0 if noticed else 1)
        self.tape.rewind()
        if noticed:
            begin_restored(self.store, self.clock, self.tape)
        if self.twin is not None:
            self.twin.restore(noticed=noticed)

    @property
    def losses_unexplained(self) -> int:
        """How often registers found it to have lost state with no restore to blame. A restore that
        nobody told it of explains one."""
        losses = self.store.alerts("lost-state")
        return self._losses_unexplained + max(0, losses - self._losses_explained)

    # Requests

    def handle(self, origin: OriginId, kind: str, body: bytes) -> Answer | None:
        """One request in the session of `origin`; None while the process is down."""
        if not self.alive:
            return None
        with self.speaking():
            answer = answer_of(self.ingest, origin, kind, body)
            if self.twin is not None:
                self.twin.handle(origin, kind, body, answer)
        if answer.status != 200:
            return answer
        self._note_told(kind, body)
        return Answer(200, of_tomorrow(answer.body)) if self.is_of_tomorrow else answer

    def _note_told(self, kind: str, body: bytes) -> None:
        if kind == "offer":
            offer = messages.decode(body, messages.Offer)
            heads = [Position(e.head.epoch, e.head.seq, e.head.hash) for e in offer.epochs]
            self.told |= {(offer.origin, head.epoch, head.seq, head.hash) for head in heads}
        elif kind == "heartbeat":
            beat = messages.decode(
                messages.decode(body, messages.SignedStatement).statement, messages.Heartbeat
            )
            if beat.head is not None:
                self.told.add((beat.origin, beat.head.epoch, beat.head.seq, beat.head.hash))

    # What it knows of what it does not have

    def owing(self) -> dict[tuple[OriginId, EpochId], Owing]:
        """For each epoch that it has heard of, what its pages would show; of several branches, the worst."""
        shown: dict[tuple[OriginId, EpochId], Owing] = {}
        tables = self.store.tables
        for origin in tables.origins:
            chains = [_chain_row(self.store, number) for number in sorted(tables.chains)]
            heard = tables.heartbeats.get(origin)
            mine = [row for row in chains if row["origin"] == origin]
            beat = None if heard is None else messages.decode(heard[1].statement, messages.Heartbeat)
            current = None if beat is None or beat.head is None else beat.head.epoch
            spoke = (
                heard is not None and beat is not None and is_of_life(beat.nonce, tables.incarnations[-1][0])
            )
            silent = silent_ms(heard[0] if heard is not None and spoke else None, self.clock.now_ms())
            for known in knowledge_of(mine, self._open_claims(origin), (), current):
                key = (origin, known.epoch)
                found = owing_of_epoch(known, silent, SILENCE_LIMIT_MS)
                shown[key] = max(shown.get(key, found), found, key=_concern)
        return shown

    def _open_claims(self, origin: OriginId) -> dict[str, int]:
        """Epoch → highest claimed seq that is not here, as `hq/fleet.sql` finds it."""
        epochs = {epoch for owner, epoch, _, _ in self.store.tables.claims if owner == origin}
        with self.store.transaction(None) as transaction:
            claims = transaction.claims(origin, epochs)
            settled = settled_claims(transaction, origin, claims)
        highest: dict[str, int] = {}
        for claim in claims:
            if claim not in settled:
                highest[claim.epoch] = max(highest.get(claim.epoch, 0), claim.seq)
        return highest


def _chain_row(store: SimStore, number: int) -> dict[str, Any]:
    record, opened = store.tables.chains[number], store.tables.opened.get(number)
    parent = (opened or {}).get("parent") or {}
    return {
        "origin": record.facts.origin,
        "chain": number,
        "epoch": record.facts.epoch,
        "branch": record.facts.branch,
        "head_seq": record.facts.head.seq,
        "closed_at_seq": record.closed_at_seq,
        "cause": None if opened is None else opened["cause"],
        "parent_epoch": parent.get("epoch"),
        "declared_lost_at_ms": None,
    }


def _concern(owing: Owing) -> int:
    """Of two branches of an epoch, show the one that worries more."""
    return [Owing.COMPLETE, Owing.NOTHING, Owing.MAY_OWE, Owing.OWES].index(owing)
