"""Heartbeat and feeds: says how this register is, hears what is new, and pulls it page after page."""

from collections.abc import Callable

import structlog

from holdfast.core.faults import Fault, SignatureFault
from holdfast.core.ids import IncarnationId
from holdfast.core.journal.chain import Signer
from holdfast.core.refusals import Refusal
from holdfast.core.sync.commands import News
from holdfast.core.sync.feed import FEEDS, FeedPage, unpack
from holdfast.core.sync.messages import HeartbeatReply, decode, encode
from holdfast.core.sync.person_keys import PersonKeysTaken
from holdfast.infra.http import HttpRequest
from holdfast.infra.keys import verify
from holdfast.register.sync.books import Books
from holdfast.register.sync.caller import Caller, Shared
from holdfast.register.sync.feed_store import FeedStore
from holdfast.register.sync.heartbeat import compose, sign
from holdfast.register.sync.line import RefusedFault

HEARTBEAT_S = 20.0
HEARTBEAT_GAP_S = 2.0
"""Least time between two."""
DRAINED_GAP_S = 1.0
"""From the last sale's arrival to the word that nothing is owed: when a whole chain comes back, the others'
sales go first."""
HEARTBEAT_DEADLINE_S = 8.0
PAGE_DEADLINE_S = 30.0
PAGE_BYTES_MAX = 64 << 20
"""Compressed; what it may unpack to is bounded by the core."""
PAGES_MAX = 100_000
"""Of one feed in one go: head office's numbers rise, so this is never reached but by a fault of theirs."""
SWEEPS_A_TURN = 50
PERSON_CALLS_MAX = 1_000
"""In one go: half a million keys."""
PERSONS_AGAIN_MS = 3_600_000
HTTP_NOT_FOUND = 404
_log = structlog.get_logger(__name__)


class FeedRefused(Fault):
    """Head office's page or snapshot does not fit what this register has."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.sentence)
        self.code = refusal.code


class Feeder(Caller):
    """One thread for both: the answer to a heartbeat says which feeds are newer."""

    def __init__(
        self,
        shared: Shared,
        *,
        currency: str,
        signer: Signer,
        on_reply: Callable[[HeartbeatReply], None] = lambda _: None,
    ) -> None:
        super().__init__("feeds", shared)
        self._currency = currency
        self._signer = signer
        self._on_reply = on_reply
        self._beat_ms: int | None = None
        self._drained_ms: int | None = None
        self._nonce = ""
        """Not kept: a process that begins anew says its first word twice."""
        self._news: News | None = None
        self._persons_from_ms = 0
        """Not before this moment is head office told of persons; 0: at once."""

    def drained(self) -> None:
        """From another thread: all that was owed arrived. Head office is to have that in a signed word."""
        self._drained_ms = self._clock.monotonic_ms()
        self.wake()

    def hear(self, news: News) -> None:
        """From another thread: head office told of newer versions. They are pulled before anything else."""
        self._news = news
        self.wake()

    def turn(self) -> float:
        try:
            wait_s = self._exchange()
        except Fault as fault:
            self._board.tried(fault)
            raise
        self._board.tried(None)
        return wait_s

    def _exchange(self) -> float:
        """A heartbeat, and what its answer says is newer; seconds until the next."""
        books = self._books
        self._pull_news(books)
        self._keep_apart()
        reply = self._heartbeat(books)
        if reply.again:
            reply = self._heartbeat(books)
        self._pull(books, reply)
        self._tell_of_persons(books, reply.incarnation)
        for _ in range(SWEEPS_A_TURN):
            if self.is_stopping or not books.feeds.sweep():
                break
        return max(HEARTBEAT_S, reply.probe_idle_ms / 1000) * (0.9 + 0.1 * self.jitter())

    def _keep_apart(self) -> None:
        """However often something asks for a heartbeat: not sooner than a little after the last."""
        now_ms = self._clock.monotonic_ms()
        drained_ms, self._drained_ms = self._drained_ms, None
        waits_s = [
            gap_s - (now_ms - since_ms) / 1000
            for since_ms, gap_s in ((self._beat_ms, HEARTBEAT_GAP_S), (drained_ms, DRAINED_GAP_S))
            if since_ms is not None
        ]
        self.pause(max(waits_s, default=0.0))
        self._beat_ms = self._clock.monotonic_ms()

    # ---- heartbeat -------------------------------------------------------------------------------

    def _heartbeat(self, books: Books) -> HeartbeatReply:
        heartbeat = compose(
            books, self._board, self._clock, origin=self._origin, currency=self._currency, nonce=self._nonce
        )
        answer = self._line.ask(
            HttpRequest(
                method="POST",
                path="/v1/sync/heartbeat",
                body=encode(sign(heartbeat, self._signer)),
                deadline_s=HEARTBEAT_DEADLINE_S,
            ),
            self._began,
        )
        reply = decode(answer.body, HeartbeatReply)
        self._nonce = reply.nonce
        self._board.contact(reply.time_ms, answer.latency_ms)
        if books.reference.see_incarnation(reply.incarnation, self._clock.now_ms()):
            good = [receipt for receipt in reply.safe if self._relies_on(receipt)]
            if good:
                books.reference.keep(good, None, self._clock.now_ms())
        self._on_reply(reply)
        return reply

    # ---- persons ---------------------------------------------------------------------------------

    def _tell_of_persons(self, books: Books, incarnation: IncarnationId) -> None:
        """Keys of persons up, and who was forgotten down into the till."""
        for _ in range(PERSON_CALLS_MAX):
            message = books.forgetting.to_send(incarnation)
            if message is None or self.is_stopping or self._clock.monotonic_ms() < self._persons_from_ms:
                break
            reply = self._line.call(
                HttpRequest(
                    method="POST",
                    path="/v1/sync/person-keys",
                    body=encode(message),
                    deadline_s=HEARTBEAT_DEADLINE_S,
                ),
                self._began,
            )
            if reply.status == HTTP_NOT_FOUND:
                self._wait_for_newer_head_office()
                break
            if not reply.is_success:
                raise RefusedFault(reply.problem())
            books.forgetting.sent(incarnation, message, decode(reply.body, PersonKeysTaken))
        books.forgetting.bring_home(self._clock.now_ms())
        books.forgetting.erase()

    def _wait_for_newer_head_office(self) -> None:
        """It is of a version that knows no customers: names are to come there until it is updated."""
        if not self._persons_from_ms:
            _log.warning("head office knows no customers yet", again_in_ms=PERSONS_AGAIN_MS)
        self._persons_from_ms = self._clock.monotonic_ms() + PERSONS_AGAIN_MS

    # ---- news ------------------------------------------------------------------------------------

    def _pull_news(self, books: Books) -> None:
        """What head office told of, without a heartbeat before: the next one says what is here."""
        news, self._news = self._news, None
        if news is None or news.incarnation != books.reference.incarnation():
            return
        for feed in FEEDS:
            n = news.feeds.get(feed)
            if n is not None and not books.feeds.is_current(feed, (news.incarnation, n)):
                self._bring_up_to_date(books.feeds, feed, news.incarnation, news.time_ms)

    # ---- feeds -----------------------------------------------------------------------------------

    def _pull(self, books: Books, reply: HeartbeatReply) -> None:
        """Every feed of which head office has another version. One that fails stops no other (P10)."""
        if reply.incarnation != books.reference.incarnation():
            raise SignatureFault(
                "Head office runs on a state that it had lost before. Nothing is taken from it until it "
                "notices."
            )
        store, newest = books.feeds, {feed: reply.feeds[feed] for feed in FEEDS if feed in reply.feeds}
        behind = [
            feed
            for feed, (incarnation, n) in newest.items()
            if not store.is_current(feed, (IncarnationId(incarnation), n))
        ]
        known = [feed for feed in newest if feed not in behind]
        store.checked(known, made_ms=reply.time_ms, now_ms=self._clock.now_ms())
        refused: FeedRefused | None = None
        for feed in behind:
            try:
                self._bring_up_to_date(store, feed, reply.incarnation, reply.time_ms)
            except FeedRefused as fault:
                refused = fault
        if refused is not None:
            raise refused

    def _bring_up_to_date(
        self, store: FeedStore, feed: str, incarnation: IncarnationId, made_ms: int
    ) -> None:
        for _ in range(PAGES_MAX):
            page = self._page(store, feed, incarnation)
            refusal = store.take(page, made_ms=made_ms, now_ms=self._clock.now_ms())
            if refusal is not None:
                raise FeedRefused(refusal)
            if not page.more or self.is_stopping:
                return

    def _page(self, store: FeedStore, feed: str, incarnation: IncarnationId) -> FeedPage:
        since = store.since(feed, incarnation)
        answer = self._line.ask(
            HttpRequest(
                method="GET",
                path=f"/v1/sync/feeds/{feed}",
                query={"incarnation": incarnation, "since": since.n},
                deadline_s=PAGE_DEADLINE_S,
                reply_bytes_max=PAGE_BYTES_MAX,
            ),
            self._began,
        )
        page = unpack(answer.body, "feed", FeedPage, self._head_office_keys, verify)
        if page.feed != feed or page.incarnation != incarnation:
            raise FeedRefused(
                Refusal(
                    "feed.replayed",
                    f"Head office was asked for {feed} and something else that it once signed came back.",
                )
            )
        return page
