"""Head office in the simulation: the shipped ingest over the in-memory store."""

import msgspec

from holdfast.core.faults import Fault
from holdfast.core.ids import EpochId, OriginId, StoreId
from holdfast.core.ingest.facts import OriginFacts
from holdfast.core.journal.chain import Verify
from holdfast.core.monitoring.owed import EpochKnowledge, Owing, owing_of_epoch
from holdfast.core.sync import messages
from holdfast.core.sync.receiver import Keys, Refused
from holdfast.hq.incarnation import new_incarnation
from holdfast.hq.ingest import Ingest
from holdfast.hq.store.port import OriginRecord
from holdfast.simulation.network import Answer
from holdfast.simulation.signing import SimKey
from holdfast.simulation.stores import SimStore
from holdfast.simulation.world import NodeClock, World, WorldRandomness

SILENCE_LIMIT_MS = 3_600_000


class SimHeadOffice:
    """One process over one store. A crash loses nothing that was committed."""

    def __init__(self, world: World, key: SimKey, verify: Verify) -> None:
        self.world = world
        self.clock = NodeClock(world)
        self.randomness = WorldRandomness(world)
        self.store = SimStore(new_incarnation(self.randomness))
        self.alive = True
        self.key = key
        self._verify = verify
        self.keys: dict[OriginId, Keys] = {}
        self._backup: SimStore | None = None
        self._losses_explained = 0
        self._losses_unexplained = 0
        self.ingest = self._new_ingest()

    def _new_ingest(self) -> Ingest:
        return Ingest(self.store, self.key, self._verify, self.clock, self.randomness)

    def enrol(self, origin: OriginId, series: str, key: SimKey) -> None:
        self.keys[origin] = Keys({key.key_id: key.public_bytes})
        facts = OriginFacts(origin=origin, store=StoreId("S1"), series=series, currency="GBP")
        with self.store.transaction(None) as transaction:
            transaction.enrol(OriginRecord(facts=facts), key.key_id, key.public_bytes)

    # Life and death

    def restart(self) -> None:
        """After a crash: another process over the same store."""
        self.alive = True
        self.ingest = self._new_ingest()

    def backup(self) -> None:
        """A verified backup: what it holds is *safe* from now on."""
        self._backup = self.store.copy()
        for number, held in self._backup.tables.chains.items():
            record = self.store.tables.chains[number]
            self.store.tables.chains[number] = msgspec.structs.replace(record, safe=held.facts.head)

    def restore(self, *, noticed: bool) -> None:
        """The database comes back older. By our own command the incarnation changes at once; by
        somebody else's tool, only once a register shows what is missing."""
        if self._backup is None:
            return
        self._losses_unexplained = self.losses_unexplained
        self.store = self._backup.copy()
        self.restart()
        self._losses_explained = self.store.alerts("lost-state") + (0 if noticed else 1)
        if noticed:
            with self.store.transaction(None) as transaction:
                fresh = new_incarnation(self.randomness)
                now_ms = self.clock.now_ms()
                transaction.begin_incarnation(transaction.incarnation(), fresh, now_ms, "restored", "")

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
        try:
            answer = self._answer(origin, kind, body)
        except Fault as fault:
            return Answer(503 if fault.retriable else 500, b"", fault.code, fault.sentence)
        if isinstance(answer, Refused):
            return Answer(answer.status, b"", answer.code, answer.detail)
        return Answer(200, messages.encode(answer))

    def _answer(self, origin: OriginId, kind: str, body: bytes) -> msgspec.Struct:
        if kind == "heartbeat":
            return self.ingest.heartbeat(origin, messages.decode(body, messages.SignedStatement))
        if kind == "offer":
            return self.ingest.receive_offer(origin, body)
        assert kind == "entries", "there are three kinds of requests"
        return self.ingest.receive_batch(origin, body)

    # What it knows of what it does not have

    def owing(self) -> dict[tuple[OriginId, EpochId], Owing]:
        """For each epoch that it has heard of, what it would show."""
        tables = self.store.tables
        newest: dict[OriginId, EpochId] = {}
        shown: dict[tuple[OriginId, EpochId], Owing] = {}
        for number in sorted(tables.chains):
            facts = tables.chains[number].facts
            if facts.branch == 0:
                newest[facts.origin] = facts.epoch
        for record in tables.chains.values():
            facts = record.facts
            key = (facts.origin, facts.epoch)
            claimed = [seq for origin, epoch, seq, _ in tables.claims if (origin, epoch) == key]
            known = EpochKnowledge(
                epoch=facts.epoch,
                applied_seq=facts.head.seq,
                claimed_seq=max(claimed, default=0),
                is_open=newest[facts.origin] == facts.epoch,
                closed_at_seq=record.closed_at_seq,
            )
            heard = tables.contacts.get(facts.origin, (None, None, None))[0]
            silent_ms = None if heard is None else self.clock.now_ms() - heard
            found = owing_of_epoch(known, silent_ms, SILENCE_LIMIT_MS)
            shown[key] = max(shown.get(key, found), found, key=_concern)
        return shown


def _concern(owing: Owing) -> int:
    """Of two branches of an epoch, show the one that worries more."""
    return [Owing.COMPLETE, Owing.NOTHING, Owing.MAY_OWE, Owing.OWES].index(owing)
