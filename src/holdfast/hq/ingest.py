"""The head office that ships, over any store: what it answers to offers, batches and heartbeats.

Nothing here knows HTTP or SQL. The simulator runs this very class over the store in memory.
"""

import hmac
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from holdfast.core.faults import MalformedFault, SignatureFault, TooLargeFault, UnavailableFault
from holdfast.core.ids import IncarnationId, KeyId, OriginId
from holdfast.core.ingest.decide import Stretch, prepare_entry, reconsider
from holdfast.core.journal.chain import HASH_BYTES, ZERO_HASH, Position, Signer, Verify
from holdfast.core.journal.entry import SEQ_END, is_id
from holdfast.core.monitoring.owed import is_fresh, is_of_life, next_nonce
from holdfast.core.sync.batch import Batch
from holdfast.core.sync.limits import CLOCK_SKEW_REPORT_MS
from holdfast.core.sync.messages import (
    Ack,
    Challenge,
    EpochCursor,
    Heartbeat,
    HeartbeatReply,
    Offer,
    OfferReply,
    Receipt,
    SessionOpened,
    SessionRequest,
    SignedStatement,
    decode,
    heartbeat_statement,
    receipt_statement,
    sign_receipt,
)
from holdfast.core.sync.receiver import Keys, Refused, receive_batch, receive_offer
from holdfast.hq.central.settling import settle_events
from holdfast.hq.entrance import Entrance
from holdfast.hq.incarnation import begin_after_loss, is_name
from holdfast.hq.intake import RACES_MAX, store_batch
from holdfast.hq.offers import EpochStand, lost_receipt, note_head, remember_claims, stands
from holdfast.hq.pacing import Pacing
from holdfast.hq.sessions import OpenSession, Sessions
from holdfast.hq.stock.settling import settle_stock
from holdfast.hq.store.port import (
    ChainRecord,
    DataFault,
    HeadOfficeStore,
    News,
    RaceFault,
    Transaction,
    Waiting,
)
from holdfast.infra.clock import Clock, Randomness, SystemRandomness

SKEW_CHANGE_MS = 1_000
"""A skew is recorded anew when it changed by more than a slow network alone explains."""
SAFE_RECEIPTS_MAX = 8
HEARTBEAT_BYTES_MAX = 64 << 10
DETAIL_CHARS_MAX = 500
NONCE_BYTES = 12
BELIEVED_EVERY_MS = 3_600_000
LIVES_MAX = 16
"""So many incarnations that a register names are looked up; it has seen few."""
RETRY_BLOCK = 200
RETRIES_MAX = 100_000


class Ingest:
    """Takes journals and answers. Thread-safe: every call is one transaction of the store."""

    def __init__(
        self,
        store: HeadOfficeStore,
        signer: Signer,
        verify: Verify,
        clock: Clock,
        randomness: Randomness | None = None,
        *,
        number_key: bytes,
    ) -> None:
        """`number_key`: how numbers of cards and memos are known again (`core.central.numbers`)."""
        self._store = store
        self._signer = signer
        self._verify = verify
        self._clock = clock
        self._randomness = randomness or SystemRandomness()
        self._sessions = Sessions(clock, self._randomness, verify)
        self._entrance = Entrance(store, self._sessions, signer, clock)
        self._pacing = Pacing()
        self._number_key = number_key
        self._believed: dict[OriginId, int] = {}
        """When a register's word alone last began an incarnation."""

    # ---- sessions

    def incarnation(self) -> IncarnationId:
        with self._store.transaction(None) as transaction:
            return transaction.incarnation()

    def challenge(self) -> Challenge:
        """What a register is to sign."""
        return self._sessions.challenge(self.incarnation())

    def open_session(self, request: SessionRequest) -> SessionOpened | Refused:
        """A session, or why none."""
        return self._entrance.open(request, self.incarnation())

    def end_sessions(self, origin: OriginId, *, but: KeyId) -> None:
        """Another key than this one does not go on: it gave way."""
        self._sessions.end(origin, but=but)

    def session(self, token: str) -> OpenSession | None:
        return self._sessions.of(token)

    # ---- offers

    def receive_offer(self, session: OriginId, body: bytes) -> OfferReply | Refused:
        """An offer as it came, from the origin whose session it is."""
        offer = receive_offer(body, origins=self._speaks_for(session), verify=self._verify)
        if isinstance(offer, Refused):
            self._note_unless_over(session, offer)
            return offer
        return self.offer(offer)

    def offer(self, offer: Offer) -> OfferReply:
        """Where head office stands in each epoch of an authenticated offer."""
        now_ms = self._clock.now_ms()
        heads = [
            Position(offered.head.epoch, offered.head.seq, offered.head.hash) for offered in offer.epochs
        ]
        with self._store.transaction(offer.origin) as transaction:
            incarnation = self._incarnation_after(transaction, offer, now_ms)
            remember_claims(transaction, offer.origin, heads, now_ms)
            found = stands(transaction, offer)
            transaction.touch(offer.origin, now_ms)
        return OfferReply(
            incarnation=incarnation,
            time_ms=now_ms,
            cursors=tuple(self._cursor(incarnation, offer.origin, stand) for stand in found),
        )

    def _incarnation_after(self, transaction: Transaction, offer: Offer, now_ms: int) -> IncarnationId:
        """The incarnation, a new one where this offer shows that state was lost."""
        current, origin = transaction.incarnation(), offer.origin
        unknown = _unknown_lives(transaction, current, [receipt.incarnation for receipt in offer.receipts])
        own = [
            receipt
            for receipt in offer.receipts
            if (receipt.incarnation == current or receipt.incarnation in unknown)
            and self._is_own(receipt, origin)
        ]
        for receipt in own:
            if receipt.incarnation != current:
                detail = (
                    f"{origin} holds a receipt of incarnation {receipt.incarnation}, which is not known here"
                )
                return begin_after_loss(
                    transaction, current, self._randomness, now_ms, detail, receipt.incarnation
                )
        lost = lost_receipt(transaction, offer, own)
        if lost is None:
            return current
        detail = f"{origin} holds a receipt for entry {lost.seq} of {lost.epoch}, which is not here"
        return begin_after_loss(transaction, current, self._randomness, now_ms, detail)

    def _is_own(self, receipt: Receipt, origin: OriginId) -> bool:
        """Did this head office sign it. Ed25519 gives one signature to one statement."""
        if receipt.origin != origin or receipt.level != "applied":
            return False
        statement = receipt_statement(
            receipt.level, receipt.incarnation, origin, receipt.epoch, receipt.seq, receipt.hash
        )
        return receipt.key_id == self._signer.key_id and hmac.compare_digest(
            receipt.signature, self._signer.sign(statement)
        )

    def _cursor(self, incarnation: IncarnationId, origin: OriginId, stand: EpochStand) -> EpochCursor:
        return EpochCursor(
            epoch=stand.epoch,
            tips=stand.tips,
            claimed=stand.claimed,
            known_sample=0 if stand.known is None else stand.known.seq,
            applied=self._receipt("applied", incarnation, origin, stand.known),
            safe=self._receipt("safe", incarnation, origin, stand.safe),
        )

    def _receipt(
        self, level: str, incarnation: IncarnationId, origin: OriginId, at: Position | None
    ) -> Receipt | None:
        return None if at is None else sign_receipt(level, incarnation, origin, at, self._signer)

    # ---- batches

    def receive_batch(self, session: OriginId, body: bytes) -> Ack | Refused:
        """A batch as it came. One that does not authenticate is no record."""
        batch = receive_batch(body, origins=self._speaks_for(session), verify=self._verify)
        if isinstance(batch, Refused):
            self._note_unless_over(session, batch)
            return batch
        return self.take(batch)

    def take(self, batch: Batch) -> Ack:
        """Decide and store an authenticated batch; what the answer says is on disk when it is given."""
        now_ms = self._clock.now_ms()
        taken = store_batch(self._store, Stretch.of(batch), batch.header.head, self._number_key, now_ms)
        decision, origin = taken.decision, batch.header.origin
        if decision.head is None:
            return Ack(incarnation=taken.incarnation, time_ms=now_ms, send_from=decision.send_from)
        for key in decision.rows.keys:
            if key.origin == origin:
                self.end_sessions(origin, but=KeyId(key.key_id))
        # Signed after the commit, never before: a receipt is a promise.
        return Ack(
            incarnation=taken.incarnation,
            time_ms=now_ms,
            held=decision.head,
            applied=self._receipt("applied", taken.incarnation, origin, decision.head),
            fork=taken.branch > 0,
        )

    # ---- heartbeats

    def heartbeat(self, session: OriginId, statement: SignedStatement) -> HeartbeatReply:
        """A register's signed word about itself, kept as it was signed.

        Raises SignatureFault or MalformedFault; then nothing is kept.
        """
        try:
            return self._heartbeat(session, statement)
        except SignatureFault as fault:
            self.note_refused(session, Refused(403, "key.signature", fault.sentence))
            raise

    def _heartbeat(self, session: OriginId, statement: SignedStatement) -> HeartbeatReply:
        beat, now_ms = _read_beat(statement), self._clock.now_ms()
        origin = beat.origin
        for _ in range(RACES_MAX):
            try:
                news, newest, unclear, is_new = self._keep_beat(session, beat, statement, now_ms)
                break
            except RaceFault:
                continue
        else:
            raise UnavailableFault(f"{origin}'s heartbeat met others {RACES_MAX} times. Send it again.")
        active_ms, idle_ms = self._pacing.probes_ms()
        receipts = [self._receipt("safe", news.incarnation, origin, record.safe) for record in newest]
        return HeartbeatReply(
            incarnation=news.incarnation,
            time_ms=now_ms,
            probe_active_ms=active_ms,
            probe_idle_ms=idle_ms,
            start_after_ms=self._pacing.start_slot_ms(origin, beat.owed_count, now_ms),
            offer=unclear,
            nonce=news.nonce,
            again=not is_new,
            safe=tuple(receipt for receipt in receipts if receipt is not None),
            feeds={feed: (news.incarnation, n) for feed, n in news.feeds.items()},
        )

    def _keep_beat(
        self, session: OriginId, beat: Heartbeat, statement: SignedStatement, now_ms: int
    ) -> tuple[News, Sequence[ChainRecord], bool, bool]:
        """Keep it, without the origin's lock: a word must not wait for the batch that is being stored.

        An old word said again refreshes nothing; what it claims is noted, for it once was so.
        What an offer and a batch write too comes in their order, claims before contact, or the two would
        wait for each other in a circle.
        """
        origin, skew_ms = beat.origin, beat.clock_ms - now_ms
        with self._store.transaction(None) as transaction:
            keys = transaction.speaks_for(session) if is_id(session) else {}
            known = keys.get(origin, Keys({}))
            if statement.key_id in known.former:
                raise UnavailableFault(f"{origin} signs with another key by now. Send it signed anew.")
            if not self._holds(known.public, statement):
                refused = f"the heartbeat of {origin[:64]} in the session of {session} does not verify"
                raise SignatureFault(refused)
            news = transaction.news(origin)
            if self._shows_loss(transaction, beat, news, now_ms):
                news = transaction.news(origin)
            newest = transaction.newest_chains(origin, SAFE_RECEIPTS_MAX)
            unclear = beat.head is not None and note_head(transaction, origin, beat.head, newest, now_ms)
            is_new = is_fresh(beat.nonce, news.nonce, news.incarnation)
            if is_new or not is_of_life(news.nonce, news.incarnation):
                fresh = next_nonce(news.incarnation, self._randomness.bytes(NONCE_BYTES))
                news = msgspec.structs.replace(news, nonce=fresh)
            if is_new:
                transaction.put_heartbeat(origin, statement, skew_ms, now_ms, news.nonce)
                _record_skew(transaction, origin, news.skew_ms, skew_ms, now_ms)
            else:
                transaction.put_nonce(origin, news.nonce)
        return news, newest, unclear, is_new

    def _shows_loss(self, transaction: Transaction, beat: Heartbeat, news: News, now_ms: int) -> bool:
        """Does it run on feeds that head office does not know any more; then another incarnation began.

        It is the register's word alone, so one of them is not believed twice in an hour.
        """
        lives = [IncarnationId(incarnation) for incarnation, _ in beat.feeds.values()]
        unknown = _unknown_lives(transaction, news.incarnation, lives)
        ahead = [
            feed
            for feed, (incarnation, n) in beat.feeds.items()
            if incarnation == news.incarnation and n > news.feeds.get(feed, n)
        ]
        at_ms, believed_ms = self._clock.monotonic_ms(), self._believed.get(beat.origin)
        if not (unknown or ahead) or (believed_ms is not None and at_ms - believed_ms < BELIEVED_EVERY_MS):
            return False
        self._believed[beat.origin] = at_ms
        lost = next(iter(unknown), None)
        what = f"version {beat.feeds[ahead[0]][1]} of {ahead[0]}" if ahead else f"feeds of incarnation {lost}"
        detail = f"{beat.origin} runs on {what}, which is not known here"
        begin_after_loss(transaction, news.incarnation, self._randomness, now_ms, detail, lost)
        return True

    def _holds(self, keys: Mapping[KeyId, bytes], statement: SignedStatement) -> bool:
        public_key = keys.get(statement.key_id)
        signed = heartbeat_statement(statement.statement)
        return public_key is not None and self._verify(public_key, statement.signature, signed)

    # ---- refusals

    def _speaks_for(self, session: OriginId) -> Mapping[OriginId, Keys]:
        return self._store.speaks_for(session) if is_id(session) else {}

    def note_refused(self, origin: OriginId, refused: Refused) -> None:
        """Show the origin as blocked; it keeps what it has, and sells on."""
        if origin not in self._speaks_for(origin):
            return
        detail = refused.detail[:DETAIL_CHARS_MAX].replace("\x00", "\ufffd")
        with self._store.transaction(origin) as transaction:
            transaction.block(origin, refused.code, detail, self._clock.now_ms())

    def _note_unless_over(self, session: OriginId, refused: Refused) -> None:
        if not refused.code.startswith("session."):
            self.note_refused(session, refused)

    # ---- quarantine

    def retry_quarantine(self) -> tuple[int, int]:
        """Try every waiting entry again, each by itself: (taken now, still waiting)."""
        after, taken, tried = (0, 0), 0, 0
        while tried < RETRIES_MAX:
            with self._store.transaction(None) as transaction:
                block = transaction.waiting(after, RETRY_BLOCK)
            if not block:
                break
            for waiting in block:
                tried += 1
                taken += self._retry(waiting)
                after = (waiting.chain, waiting.entry.seq)
        return taken, tried - taken

    def _retry(self, waiting: Waiting) -> bool:
        for _ in range(RACES_MAX):
            try:
                with self._store.transaction(waiting.origin) as transaction:
                    return self._retry_in(transaction, waiting)
            except RaceFault:
                continue
        raise UnavailableFault(f"an entry of {waiting.origin} met others {RACES_MAX} times")

    def _retry_in(self, transaction: Transaction, waiting: Waiting) -> bool:
        item = prepare_entry(waiting.origin, waiting.epoch, waiting.entry)
        # Its place is known: nothing is joined, so what stands before it does not matter.
        lone = Stretch(waiting.origin, waiting.epoch, waiting.entry.seq, ZERO_HASH, (waiting.entry,))
        facts = transaction.facts(lone)
        chain = next(known for known in facts.chains if known.chain == waiting.chain)
        rows, status, cause = reconsider(facts, chain, item, transaction.references)
        place = (waiting.chain, waiting.entry.seq)
        if cause is None:
            try:
                with transaction.savepoint():
                    transaction.put([rows])
                    settle_stock(transaction, rows, self._clock.now_ms(), chain.branch)
                    if rows.values:
                        now_ms = self._clock.now_ms()
                        settle_events(transaction, rows.values, waiting.origin, self._number_key, now_ms)
                    transaction.resolve(*place, status, self._clock.now_ms())
                return True
            except DataFault as fault:
                transaction.attempted(*place, "database", fault.sentence)
                return False
        transaction.attempted(*place, cause.cause, cause.detail)
        return False


def _unknown_lives(
    transaction: Transaction, current: IncarnationId, named: Iterable[IncarnationId]
) -> Collection[IncarnationId]:
    """Those of the named incarnations that this head office never heard of: it was put back since."""
    others = [name for name in dict.fromkeys(named) if name != current and is_name(name)][:LIVES_MAX]
    return set(others).difference(transaction.known_incarnations(others)) if others else ()


def _read_beat(statement: SignedStatement) -> Heartbeat:
    """The heartbeat in a statement that nobody verified yet. Raises MalformedFault."""
    if len(statement.statement) > HEARTBEAT_BYTES_MAX:
        raise TooLargeFault(f"a heartbeat has at most {HEARTBEAT_BYTES_MAX} bytes")
    beat = decode(statement.statement, Heartbeat)
    head = beat.head
    if head is not None and not (
        is_id(head.epoch) and 1 <= head.seq < SEQ_END and len(head.hash) == HASH_BYTES
    ):
        raise MalformedFault("the heartbeat's head has not the form it must have")
    if not abs(beat.clock_ms) < 1 << 53:
        raise MalformedFault("the heartbeat's clock is out of range")
    return beat


def _record_skew(
    transaction: Transaction, origin: OriginId, before_ms: int | None, skew_ms: int, now_ms: int
) -> None:
    if before_ms is not None and abs(skew_ms - before_ms) < SKEW_CHANGE_MS:
        return
    transaction.record_skew(origin, skew_ms, now_ms)
    was_far = before_ms is not None and abs(before_ms) > CLOCK_SKEW_REPORT_MS
    if abs(skew_ms) > CLOCK_SKEW_REPORT_MS and not was_far:
        transaction.alert("clock", origin, f"the clock of {origin} is off by {skew_ms / 1_000:+.1f} s")
