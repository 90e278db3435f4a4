"""Head office in the simulation: the shipped ingest over the in-memory store."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import msgspec

from holdfast.core.central.accounts import HoldKey
from holdfast.core.central.numbers import MAC_KEY_BYTES
from holdfast.core.faults import Fault
from holdfast.core.ids import EpochId, IncarnationId, KeyId, OriginId, StoreId
from holdfast.core.ingest import decide
from holdfast.core.ingest.facts import OriginFacts
from holdfast.core.journal.chain import Position, Verify
from holdfast.core.monitoring.owed import EpochKnowledge, Owing, is_of_life, owing_of_epoch, silent_ms
from holdfast.core.sync import messages
from holdfast.core.sync.batch import decode_batch
from holdfast.core.sync.commands import Command
from holdfast.core.sync.enrolment import Certificate, sign_certificate
from holdfast.core.sync.receiver import Keys
from holdfast.hq.central.desk import CentralDesk
from holdfast.hq.incarnation import new_incarnation
from holdfast.hq.ingest import Ingest
from holdfast.hq.knowledge import knowledge_of
from holdfast.hq.offers import settled_claims
from holdfast.hq.store.central_port import Numbered
from holdfast.hq.store.port import HeadOfficeStore, OriginRecord
from holdfast.infra.clock import Clock, Randomness
from holdfast.infra.keys import SigningKey
from holdfast.simulation.allowances import MemoryAllowances
from holdfast.simulation.desk import Desk, SimCommands, SimFeeds, answer_of, answer_within
from holdfast.simulation.documents import TOMORROW
from holdfast.simulation.ledger import Ledger
from holdfast.simulation.network import JSON_KINDS, Answer, of_tomorrow
from holdfast.simulation.signing import SimKey
from holdfast.simulation.stores import SimStore
from holdfast.simulation.world import HOUR_MS, NodeClock, TapedRandomness, World

SILENCE_LIMIT_MS = 86_400_000
Rows = Mapping[str, msgspec.Struct | None]
"""Of a feed, by key; None deletes."""
Told = tuple[OriginId, EpochId, int, bytes]


class Office(Protocol):
    """A second head office over another store, which must do and answer what the first one does."""

    def begin(self, first: "SimHeadOffice") -> None: ...
    def enrol(self, record: OriginRecord, key_id: KeyId, public_key: bytes) -> None: ...
    def rekey(self, origin: OriginId, key_id: KeyId, public_key: bytes) -> None: ...
    def handle(self, token: str, kind: str, body: bytes, expected: Answer) -> None: ...
    def handle_within(self, origin: OriginId, kind: str, body: bytes, expected: Answer) -> None: ...
    def publish(self, feed: str, rows: Rows, expected: tuple[int, int]) -> None: ...
    def issue(self, origin: OriginId, kind: str, arguments: dict[str, str], expected: Command) -> None: ...
    def open_accounts(self, accounts: Sequence[Numbered]) -> None: ...
    def open_value(self) -> None: ...
    @property
    def desk(self) -> Desk: ...
    def retry_quarantine(self, expected: tuple[int, int] | str) -> None: ...
    def fail_next_commit(self, failing: int) -> None: ...
    def restart(self) -> None: ...
    def backup(self) -> None: ...
    def restore(self, *, noticed: bool) -> None: ...
    def compare(self, store: SimStore) -> list[str]: ...


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


@dataclasses.dataclass
class Heard:
    """What head office was told; goes with the database, as a backup's copy does."""

    heads: set[Told] = dataclasses.field(default_factory=set[Told])
    """Every head, by a signed word."""
    words: set[bytes] = dataclasses.field(default_factory=set[bytes])
    """Every heartbeat that counted."""
    bytes: set[Told] = dataclasses.field(default_factory=set[Told])
    """Every entry of which more than the hash came, since the first one was damaged anywhere."""

    def copy(self) -> "Heard":
        return Heard(set(self.heads), set(self.words), set(self.bytes))


class SimHeadOffice:
    """One process over one store. A crash loses nothing that was committed."""

    def __init__(self, world: World, ledger: Ledger, key: SimKey, verify: Verify) -> None:
        self.world, self.ledger = world, ledger
        self.clock = NodeClock(world)
        self.tape = TapedRandomness(world)
        self.store = SimStore(new_incarnation(self.tape))
        self.alive = True
        self.is_of_tomorrow = False
        self.key = key
        self.twin: Office | None = None
        self.heard = Heard()
        self._verify = verify
        self._backup: tuple[SimStore, Heard] | None = None
        self._losses_explained = 0
        self._losses_unexplained = 0
        self._spent: set[bytes] = set()
        self._shown: dict[tuple[OriginId, str, str, int], int] = {}
        """Versions that registers showed to be lost, and when first."""
        self.restores = 0
        self._put_back_in: IncarnationId | None = None
        self.numbered_twice: set[IncarnationId] = set()
        """Lives in which a load took a version's number that a restore nobody told of had taken away: until
        somebody shows the loss, nobody can tell the two versions apart."""
        self.desk = self._new_desk()

    def _new_desk(self) -> Desk:
        ingest = Ingest(
            self.store, self.key, self._verify, self.clock, self.tape, number_key=bytes(MAC_KEY_BYTES)
        )
        return Desk(
            ingest,
            SimFeeds(self.store, self.key),
            SimCommands(self.store, self.key, self.clock),
            CentralDesk(self.store, self.clock, bytes(MAC_KEY_BYTES)),
            MemoryAllowances(self.store, self.clock.now_ms),
        )

    # Who is enrolled

    def enrol(
        self, origin: OriginId, series: str, store: StoreId, key: SigningKey | SimKey, *, kind: str
    ) -> Certificate | None:
        """Another register or store server, and head office's word on who it is."""
        facts = OriginFacts(origin=origin, store=store, series=series, currency="GBP")
        record = OriginRecord(facts=facts, kind=kind)
        with self.store.transaction(None) as transaction:
            transaction.enrol(record, key.key_id, key.public_bytes)
        if self.twin is not None:
            self.twin.enrol(record, key.key_id, key.public_bytes)
        return self._certificate(origin, key.key_id)

    def rekey(self, origin: OriginId, key: SigningKey) -> Certificate | None:
        """A person gives it another key, as `hq register rekey` does; None: it is not known (any more)."""
        if origin not in self.store.tables.origins:
            return None
        with self.store.transaction(None) as transaction:
            transaction.give_key(origin, key.key_id, key.public_bytes, 0)
        self.desk.ingest.end_sessions(origin, but=key.key_id)
        if self.twin is not None:
            self.twin.rekey(origin, key.key_id, key.public_bytes)
        return self._certificate(origin, key.key_id)

    def _certificate(self, origin: OriginId, key_id: KeyId) -> Certificate | None:
        with self.store.transaction(None) as transaction:
            identity = transaction.identity(origin, key_id)
        return None if identity is None else sign_certificate(identity, self.key)

    def keys(self, session: OriginId) -> Mapping[OriginId, Keys]:
        """Whose journals that session may bring, and by which keys."""
        return self.store.speaks_for(session)

    # What people there do

    def publish(self, feed: str, rows: Rows) -> None:
        life = self.store.tables.incarnations[-1][0]
        if self._put_back_in == life:
            self.numbered_twice.add(life)
        changed = self.desk.feeds.put(feed, rows)
        if self.twin is not None:
            self.twin.publish(feed, rows, changed)

    def issue(self, origin: OriginId, kind: str, arguments: dict[str, str]) -> Command | None:
        """A command to a register; None: it is not known (any more)."""
        if origin not in self.store.tables.origins:
            return None
        command = self.desk.commands.issue(origin, kind, by="admin", arguments=arguments)
        assert isinstance(command, Command), "it is a kind that there is"
        if self.twin is not None:
            self.twin.issue(origin, kind, arguments, command)
        return command

    def open_accounts(self, accounts: Sequence[Numbered]) -> None:
        """Cards that are made, and customers who may owe."""
        with self.store.transaction(None) as transaction:
            transaction.central.open(accounts, 0)
        if self.twin is not None:
            self.twin.open_accounts(accounts)

    def held(self) -> list[tuple[HoldKey, int]]:
        """Locks that stand, and since when."""
        holds = self.store.tables.central.holds
        return [(key, hold.since_ms) for key, hold in holds.items() if not hold.ended]

    @property
    def waits_for_registers(self) -> bool:
        """It was restored, and holds no value until it knows what they did since."""
        with self.store.transaction(None) as transaction:
            return transaction.central.is_waiting()

    def open_value(self) -> None:
        """All have answered, or an admin says so."""
        self.store.tables.central.waiting[""] = False
        if self.twin is not None:
            self.twin.open_value()

    def take_back(self, key: HoldKey, by: str, reason: str) -> None:
        """A person, or the policy, releases a lock."""
        for desk in (self.desk, *(() if self.twin is None else (self.twin.desk,))):
            desk.central.take_back(key, by=by, reason=reason)

    # Life and death

    def crash(self) -> None:
        self.alive = False

    def restart(self) -> None:
        """After a crash: another process over the same store."""
        self.alive = True
        self.desk = self._new_desk()
        if self.twin is not None:
            self.twin.restart()

    def upgrade(self) -> None:
        """The next version, which reads what waited for it; and tries again at each restart after it."""
        self.is_of_tomorrow = True
        with self.speaking():
            result = retried(self.desk.ingest)
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
        self._backup = (copied, self.heard.copy())
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
        self.restores += 1
        store, heard = self._backup
        self.store, self.heard = store.copy(), heard.copy()
        self.alive = True
        self.desk = self._new_desk()
        self._losses_explained = self.store.alerts("lost-state") + (0 if noticed else 1)
        self.tape.rewind()
        self._put_back_in = None if noticed else self.store.tables.incarnations[-1][0]
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

    def handle(self, token: str, kind: str, body: bytes) -> Answer | None:
        """One request in the session of that token, where it needs one; None while the process is down."""
        if not self.alive:
            return None
        with self.speaking():
            answer = answer_of(self.desk, token, kind, body)
            if self.twin is not None:
                self.twin.handle(token, kind, body, answer)
        return self._answered(kind, body, answer)

    def handle_within(self, origin: OriginId, kind: str, body: bytes) -> Answer | None:
        """The same in the session of `origin`, which somebody has taken over."""
        if not self.alive:
            return None
        with self.speaking():
            answer = answer_within(self.desk, origin, kind, body)
            if self.twin is not None:
                self.twin.handle_within(origin, kind, body, answer)
        return self._answered(kind, body, answer)

    def _answered(self, kind: str, body: bytes, answer: Answer) -> Answer:
        if answer.status != 200:
            return answer
        self._note_told(kind, body, answer)
        is_plain = kind in JSON_KINDS and self.is_of_tomorrow
        return Answer(200, of_tomorrow(answer.body)) if is_plain else answer

    def _note_told(self, kind: str, body: bytes, answer: Answer) -> None:
        if kind == "offer":
            offer = messages.decode(body, messages.Offer)
            heads = [Position(e.head.epoch, e.head.seq, e.head.hash) for e in offer.epochs]
            self.heard.heads |= {(offer.origin, head.epoch, head.seq, head.hash) for head in heads}
        elif kind == "heartbeat":
            word = messages.decode(body, messages.SignedStatement).statement
            beat = messages.decode(word, messages.Heartbeat)
            self._note_shown(beat)
            if beat.head is not None:
                self.heard.heads.add((beat.origin, beat.head.epoch, beat.head.seq, beat.head.hash))
            if not messages.decode(answer.body, messages.HeartbeatReply).again:
                if word in self.heard.words:
                    self.ledger.broken.append(f"P6: an old word of {beat.origin} counts as a new one")
                self.heard.words.add(word)
        elif kind == "entries" and self.ledger.damaged:
            if messages.decode(answer.body, messages.Ack).held is not None:
                batch = decode_batch(body)
                place = (batch.header.origin, batch.header.epoch)
                self.heard.bytes |= {(*place, e.seq, e.hash) for e in batch.entries if e.readable}
        elif kind == "session":
            nonce = messages.decode(body, messages.SessionRequest).nonce
            if nonce in self._spent:
                self.ledger.broken.append("keys: one challenge opened two sessions")
            self._spent.add(nonce)

    def _note_shown(self, beat: messages.Heartbeat) -> None:
        """A register that runs on more than there is here shows that it was lost. It is not believed twice in
        an hour, but then it is."""
        life = self.store.tables.incarnations[-1][0]
        for feed, (of, n) in beat.feeds.items():
            if of != life or n <= self.store.tables.feeds[feed]:
                continue
            shown_ms = self._shown.setdefault((beat.origin, life, feed, n), self.world.now_ms)
            if self.world.now_ms - shown_ms > 2 * HOUR_MS:
                words = (
                    f"{beat.origin} shows {feed} {n}, which head office lost, and that goes on in its life"
                )
                self.ledger.broken.append(f"feeds: {words}")

    # What it knows of what it does not have

    def owing(self) -> dict[tuple[OriginId, EpochId], Owing]:
        """For each epoch that it has heard of, what its pages would show; of several branches, the worst."""
        shown: dict[tuple[OriginId, EpochId], Owing] = {}
        tables = self.store.tables
        for origin in tables.origins:
            heard, beat = tables.heartbeats.get(origin), self._beat(origin)
            spoke = (
                heard is not None and beat is not None and is_of_life(beat.nonce, tables.incarnations[-1][0])
            )
            silent = silent_ms(heard[0] if heard is not None and spoke else None, self.clock.now_ms())
            for known in self.knowledge(origin):
                key = (origin, known.epoch)
                found = owing_of_epoch(known, silent, SILENCE_LIMIT_MS)
                shown[key] = max(shown.get(key, found), found, key=_concern)
        return shown

    def knowledge(self, origin: OriginId) -> list[EpochKnowledge]:
        """Of each of its epochs, as `hq/fleet.py` reads it."""
        chains = [_chain_row(self.store, number) for number in self.store.tables.chains_of.get(origin, ())]
        beat = self._beat(origin)
        current = None if beat is None or beat.head is None else beat.head.epoch
        return knowledge_of(chains, self._open_claims(origin), (), current)

    def _beat(self, origin: OriginId) -> messages.Heartbeat | None:
        """Its last signed word."""
        heard = self.store.tables.heartbeats.get(origin)
        return None if heard is None else messages.decode(heard[1].statement, messages.Heartbeat)

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
