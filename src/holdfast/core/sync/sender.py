"""The sender: bytes and time in, bytes and events out. No I/O of its own.

It follows the receiver's answers alone. What it remembers of a conversation can be lost at any
moment: the next offer finds the place again, which is also how a receiver restored from an old
backup is sent what it lacks (P2), and how two copies of one database find each other out (P4).

    LOCATE ──offer──► reply ──► READY ──entries──► ack ──► READY … ──nothing to send──► idle
       ▲                          │ gap · foreign tip · other incarnation · expired session
       └──────────────────────────┘
"""

import enum
from collections.abc import Callable, Sequence

import msgspec

from holdfast.core.faults import MalformedFault
from holdfast.core.ids import EpochId, IncarnationId
from holdfast.core.journal import epochs
from holdfast.core.journal.chain import Position, SignedHead
from holdfast.core.sync.batch import encode_batch
from holdfast.core.sync.limits import BATCH_ENTRIES, BATCH_RAW_BYTES, OFFER_EPOCHS_MAX
from holdfast.core.sync.messages import (
    Ack,
    EpochCursor,
    EpochOffer,
    Offer,
    OfferReply,
    Receipt,
    decode,
    encode,
)
from holdfast.core.sync.ports import JournalView


class State(enum.Enum):
    LOCATE = "locate"
    READY = "ready"
    BLOCKED = "blocked"
    """The receiver refuses this origin's key or form; it sells on, and this is shown."""


class Request(msgspec.Struct, frozen=True):
    """Carry `body` to the receiver; then tell `on_reply`, `on_problem` or `on_lost`."""

    kind: str
    """`offer` or `entries`."""
    body: bytes
    head: SignedHead | None = None
    """That closes the entries."""


class _Batch(msgspec.Struct, frozen=True):
    """A batch ready to go, and where it begins."""

    epoch: EpochId
    first_seq: int
    request: Request


class Idle(msgspec.Struct, frozen=True):
    """Nothing to carry. Ask again at `until_ms`, or at once after `notify`; None: only then."""

    until_ms: int | None


class ReceiptGiven(msgspec.Struct, frozen=True):
    """Head office gave its signed word. The adapter verifies it under the pinned key and keeps it."""

    receipt: Receipt


class Held(msgspec.Struct, frozen=True):
    """The next hop has the chain on disk up to here."""

    position: Position


class EpochNeeded(msgspec.Struct, frozen=True):
    """Head office holds what this database does not: the register must open an epoch (P4)."""

    open: epochs.OpenEpoch


class IncarnationSeen(msgspec.Struct, frozen=True):
    """Head office told its incarnation and time."""

    incarnation: IncarnationId
    time_ms: int
    changed: bool


class Blocked(msgspec.Struct, frozen=True):
    """The receiver refuses for a reason that sending again does not cure."""

    code: str
    detail: str


Event = ReceiptGiven | Held | EpochNeeded | IncarnationSeen | Blocked


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Timing and sizes; a test or head office may state others."""

    batch_entries: int = BATCH_ENTRIES
    few_entries: int = 20
    """No batch is cut smaller than this; some kilobytes."""
    batch_bytes: int = BATCH_RAW_BYTES
    backoff_first_ms: int = 500
    backoff_max_ms: int = 30_000
    attempt_gap_ms: int = 250
    """Least time between attempts while they fail, however many local events come."""
    blocked_retry_ms: int = 60_000
    ask_applied_first_ms: int = 1_000
    """All is sent, and not all is known to be applied (a relay holds it): ask after this long,"""
    ask_applied_max_ms: int = 30_000
    """then less and less often, down to this."""


class Sender:
    """Sends one origin's journal to one receiver, one request in flight.

    A batch that the line lost is tried again smaller, so that a line which carries little still
    carries something.
    """

    def __init__(self, journal: JournalView, *, policy: Policy, jitter: Callable[[], float]) -> None:
        self._journal = journal
        self._policy = policy
        self._jitter = jitter
        self._state = State.LOCATE
        self._resent: dict[EpochId, int] = {}
        """Seq up to which an epoch was sent once more, while it is."""
        self._sent: dict[EpochId, int] = {}
        """Seq up to which the receiver holds this journal's own chain, by epoch."""
        self._incarnation: IncarnationId | None = None
        self._in_flight: Request | None = None
        self._offered: tuple[SignedHead, ...] = ()
        self._unoffered = frozenset[EpochId]()
        """Epochs for which the last offer had no room."""
        self._sent_to: IncarnationId | None = None
        self._doubted: EpochId | None = None
        """The epoch in which the receiver last did not stand where it was thought to."""
        self._turn = 0
        self._entries_max = policy.batch_entries
        """What the line has shown that it carries."""
        self._ahead: _Batch | None = None
        self._not_before_ms = 0
        self._failures = 0
        self._stalls = 0
        self._asked = 0
        self._ask_at_ms: int | None = None
        self._last_attempt_ms = -(1 << 62)

    @property
    def state(self) -> State:
        return self._state

    @property
    def in_flight(self) -> bool:
        return self._in_flight is not None

    def notify(self, now_ms: int) -> None:
        """A local event: a new sale, the link came up, a button. Try at once."""
        if self._state is State.BLOCKED:
            return
        if self._ask_at_ms is not None:
            self._ask_at_ms = min(self._ask_at_ms, now_ms + self._policy.ask_applied_first_ms)
        earliest = self._last_attempt_ms + (self._policy.attempt_gap_ms if self._failures else 0)
        self._not_before_ms = min(self._not_before_ms, max(now_ms, earliest))

    def unblock(self, now_ms: int) -> None:
        """A key was enrolled or a person asked: offer again."""
        self._state = State.LOCATE
        self._not_before_ms = now_ms

    def relocate(self) -> None:
        """Forget where the receiver stands; the next poll offers (a command, a new epoch)."""
        if self._state is not State.BLOCKED:
            self._state = State.LOCATE

    def resend(self, epoch: EpochId, from_seq: int) -> None:
        """Send from there on once more, whatever the receiver says that it holds (it asked for that)."""
        self._resent[epoch] = min(from_seq - 1, self._resent.get(epoch, from_seq - 1))
        self._ahead = None
        self.relocate()

    def poll(self, now_ms: int) -> Request | Idle:
        """What to carry now. Exactly one request is in flight at a time."""
        assert self._in_flight is None, "one request in flight at a time"
        if now_ms < self._not_before_ms:
            return Idle(self._not_before_ms)
        if self._state is State.BLOCKED:
            self._state = State.LOCATE
        if self._ask_at_ms is not None and now_ms >= self._ask_at_ms:
            self._state = State.LOCATE
        request = self._offer() if self._state is State.LOCATE else self._entries()
        if request is None and self._state is State.READY and self._locates_more():
            request = self._offer()
        if request is None:
            return self._await_applied(now_ms)
        self._ask_at_ms = None
        self._in_flight = request
        self._last_attempt_ms = now_ms
        return request

    def read_ahead(self) -> None:
        """While a batch is on its way, make the one after it: neither side then waits for the other."""
        going = self._in_flight
        if going is not None and going.head is not None and self._ahead is None:
            self._ahead = self._batch(going.head.epoch, going.head.seq + 1, self._grown())

    def _await_applied(self, now_ms: int) -> Idle:
        """All is sent. What only a relay holds is not yet applied: ask again, ever less often."""
        applied = {given.epoch: given.seq for given in self._journal.receipts()}
        if all(applied.get(head.epoch, 0) >= head.seq for head in self._journal.heads()):
            self._asked = 0
            return Idle(None)
        if self._ask_at_ms is None:
            policy = self._policy
            wait = min(policy.ask_applied_max_ms, policy.ask_applied_first_ms << min(self._asked, 16))
            self._asked += 1
            self._ask_at_ms = now_ms + wait
        return Idle(self._ask_at_ms)

    def on_reply(self, body: bytes, now_ms: int) -> tuple[Event, ...]:
        """The receiver's answer to the request in flight."""
        request = self._take_in_flight()
        self._failures = 0
        try:
            if request.kind == "offer":
                events = self._on_offer_reply(decode(body, OfferReply))
            else:
                events = self._on_ack(request, decode(body, Ack), now_ms)
        except MalformedFault as fault:
            self._fail(now_ms)
            return (Blocked("reply.malformed", fault.sentence),)
        return events

    def on_problem(self, status: int, code: str, detail: str, now_ms: int) -> tuple[Event, ...]:
        """The receiver refused. 4xx (but time-outs and load) will not pass by itself."""
        self._take_in_flight()
        self._ahead = None
        if status in (408, 425, 429) or status >= 500 or code.startswith("session."):
            self._fail(now_ms)
            return ()
        self._state = State.BLOCKED
        self._not_before_ms = now_ms + self._policy.blocked_retry_ms
        return (Blocked(code, detail),)

    def on_lost(self, now_ms: int) -> None:
        """No answer: refused, timed out, cut. What was sent may or may not have arrived."""
        if self._take_in_flight().head is not None:
            self._entries_max = max(self._policy.few_entries, self._entries_max // 4)
        self._fail(now_ms)

    def _take_in_flight(self) -> Request:
        request = self._in_flight
        assert request is not None, "an answer belongs to a request"
        self._in_flight = None
        return request

    def _fail(self, now_ms: int) -> None:
        """Back off with jitter, and find the place anew: a lost answer may hide a commit."""
        self._state = State.LOCATE if self._state is not State.BLOCKED else self._state
        self._ahead = None
        self._failures += 1
        ceiling = min(
            self._policy.backoff_max_ms, self._policy.backoff_first_ms << min(self._failures - 1, 16)
        )
        self._not_before_ms = now_ms + int(ceiling * (0.5 + 0.5 * self._jitter()))

    def _offer(self) -> Request | None:
        heads = self._window(self._journal.heads())
        if not heads:
            return None
        offer = Offer(
            origin=self._journal.origin,
            epochs=tuple(EpochOffer(head=head, samples=self._samples(head)) for head in heads),
            receipts=tuple(self._journal.receipts()),
        )
        self._offered = heads
        return Request("offer", encode(offer))

    def _window(self, heads: Sequence[SignedHead]) -> tuple[SignedHead, ...]:
        """The heads to offer now: the open epoch's, and of more than fit those first of which nothing is
        known, then in turn those that are not applied, then the others."""
        self._unoffered = frozenset[EpochId]()
        if len(heads) <= OFFER_EPOCHS_MAX:
            return tuple(heads)
        *former, current = heads
        applied = self._applied()
        asked_first: list[SignedHead] = []
        held: list[SignedHead] = []
        known: list[SignedHead] = []
        for head in former:
            if applied.get(head.epoch, 0) >= head.seq:
                known.append(head)
            elif head.epoch in self._sent and head.epoch != self._doubted:
                held.append(head)
            else:
                asked_first.append(head)
        chosen = [*asked_first, *_turned(held, self._turn), *_turned(known, self._turn)]
        del chosen[OFFER_EPOCHS_MAX - 1 :]
        self._turn += OFFER_EPOCHS_MAX - 1
        offered = {head.epoch for head in (*chosen, current)}
        self._unoffered = frozenset(head.epoch for head in heads if head.epoch not in offered)
        return tuple(head for head in heads if head.epoch in offered)

    def _applied(self) -> dict[EpochId, int]:
        """How far each epoch is applied, by the receipts of head office's present life."""
        receipts = self._journal.receipts()
        return {given.epoch: given.seq for given in receipts if given.incarnation == self._incarnation}

    def _is_unlocated(self, head: SignedHead) -> bool:
        """Nobody yet said where the receiver stands in it: there were too many epochs to ask for at once."""
        return head.epoch in self._unoffered and head.epoch not in self._sent

    def _locates_more(self) -> bool:
        """Whether all is sent that is located, and there is more to ask for."""
        if not self._unoffered:
            return False
        applied = self._applied()
        return any(
            self._is_unlocated(head) and applied.get(head.epoch, 0) < head.seq
            for head in self._journal.heads()
        )

    def _samples(self, head: SignedHead) -> tuple[tuple[int, bytes], ...]:
        samples: list[tuple[int, bytes]] = []
        first = self._journal.first_seq(head.epoch)
        for seq in sample_seqs(head.seq, first):
            hash = self._journal.hash_at(head.epoch, seq)
            if hash is not None:
                samples.append((seq, hash))
        return tuple(samples)

    def _on_offer_reply(self, reply: OfferReply) -> tuple[Event, ...]:
        events: list[Event] = [self._see(reply.incarnation, reply.time_ms)]
        cursors = {cursor.epoch: cursor for cursor in reply.cursors}
        if self._sent_to != reply.incarnation:
            self._sent, self._sent_to = {}, reply.incarnation
        self._doubted = None
        for head in self._offered:
            self._sent[head.epoch] = self._common_seq(head.epoch, cursors.get(head.epoch))
        for again, resent in self._resent.items():
            self._sent[again] = min(resent, self._sent.get(again, resent))
        for cursor in reply.cursors:
            events += [ReceiptGiven(given) for given in (cursor.applied, cursor.safe) if given is not None]
        current = self._offered[-1]
        needed = epochs.at_contact(
            Position(current.epoch, current.seq, current.hash),
            _known_heads(cursors.get(current.epoch)),
            self._journal.hash_at,
        )
        if needed is not None:
            events.append(EpochNeeded(needed))
        self._state = State.READY
        return tuple(events)

    def _common_seq(self, epoch: EpochId, cursor: EpochCursor | None) -> int:
        """The furthest place that both chains hold: a tip of theirs in ours, or a sample of ours."""
        if cursor is None:
            return 0
        common = cursor.known_sample
        for tip in cursor.tips:
            if tip.epoch == epoch and self._journal.hash_at(epoch, tip.seq) == tip.hash:
                common = max(common, tip.seq)
        return common

    def _entries(self) -> Request | None:
        for head in self._journal.heads():
            sent = self._sent.get(head.epoch, 0)
            if sent >= head.seq or self._is_unlocated(head):
                continue
            ahead, self._ahead = self._ahead, None
            if ahead is None or (ahead.epoch, ahead.first_seq) != (head.epoch, sent + 1):
                ahead = self._batch(head.epoch, sent + 1, self._entries_max)
            if ahead is not None:
                return ahead.request
        return None

    def _batch(self, epoch: EpochId, first_seq: int, entries_max: int) -> _Batch | None:
        piece = self._journal.piece(
            epoch, first_seq, entries_max, min(self._policy.batch_bytes, BATCH_RAW_BYTES)
        )
        if piece is None:
            return None
        body = encode_batch(self._journal.origin, epoch, piece.previous_hash, piece.entries, piece.head)
        return _Batch(epoch, first_seq, Request("entries", body, piece.head))

    def _grown(self) -> int:
        return min(self._policy.batch_entries, self._entries_max * 2)

    def _on_ack(self, request: Request, ack: Ack, now_ms: int) -> tuple[Event, ...]:
        assert request.head is not None, "an ack belongs to a batch"
        epoch = request.head.epoch
        events: list[Event] = [self._see(ack.incarnation, ack.time_ms)]
        held = ack.held
        if (
            ack.send_from
            or held is None
            or held.epoch != epoch
            or held.seq <= self._sent.get(epoch, 0)
            or self._journal.hash_at(epoch, held.seq) != held.hash
        ):
            self._doubted = epoch
            self._stall(now_ms)
            return tuple(events)
        self._stalls = self._asked = 0
        self._entries_max = self._grown()
        self._sent[epoch] = held.seq
        if epoch in self._resent:
            self._went_on(epoch, held.seq)
        events.append(Held(held))
        if ack.applied is not None:
            events.append(ReceiptGiven(ack.applied))
        if ack.fork:
            self._state = State.LOCATE
        return tuple(events)

    def _went_on(self, epoch: EpochId, seq: int) -> None:
        """Sent once more up to there; past the head, there is nothing more to send once more."""
        self._resent[epoch] = seq
        if all(head.epoch != epoch or head.seq <= seq for head in self._journal.heads()):
            del self._resent[epoch]

    def _stall(self, now_ms: int) -> None:
        """The batch brought us no further: find the place anew; the second time, back off."""
        self._stalls += 1
        if self._stalls > 1:
            # Answers that bring nothing are failures, however promptly they come.
            self._failures = self._stalls - 2
            self._fail(now_ms)
        else:
            self._state = State.LOCATE

    def _see(self, incarnation: IncarnationId, time_ms: int) -> IncarnationSeen:
        changed = self._incarnation is not None and incarnation != self._incarnation
        self._incarnation = incarnation
        if changed:
            # A relay's receipts are of the former life; it asks for new ones with this word: soon ask again.
            self._state, self._asked = State.LOCATE, 0
        return IncarnationSeen(incarnation, time_ms, changed)


def _turned(heads: list[SignedHead], turn: int) -> list[SignedHead]:
    """The same, another one first each turn."""
    at = turn % len(heads) if heads else 0
    return heads[at:] + heads[:at]


def _known_heads(cursor: EpochCursor | None) -> tuple[Position, ...]:
    """Every head of the epoch that the receiver knows of: held, held further up, only claimed."""
    if cursor is None:
        return ()
    claimed = () if cursor.claimed is None else (cursor.claimed,)
    return (*cursor.tips, *cursor.elsewhere, *claimed)


def sample_seqs(head_seq: int, first_seq: int = 1) -> Sequence[int]:
    """Seqs to offer below a head: itself, then thinning out exponentially down to 1, with the one before the
    first that can be sent: a receiver that stands there needs to know it by no other."""
    assert 1 <= first_seq <= head_seq, "an epoch has at least its opening entry, and a branch one of its own"
    seqs = {head_seq, 1, max(1, first_seq - 1)}
    seq, step = head_seq, 1
    while seq - step >= 1:
        seq, step = seq - step, step * 2
        seqs.add(seq)
    return sorted(seqs, reverse=True)
