"""Taking head office's feeds in: whole pages, in order, never an older one, never half a catalogue.

A page of the current incarnation changes the current generation in one transaction. Another
incarnation, or a snapshot, fills a generation beside it in small transactions, so that nobody else waits for
the database, and becomes current in one step once its last page is in. A cut line resumes it.
"""

from collections.abc import Callable, Collection, Iterator, Sequence

import apsw
import msgspec

from holdfast.core.ids import IncarnationId
from holdfast.core.refusals import Refusal
from holdfast.core.sync.feed import FEEDS, FeedPage, FeedRow, is_newer
from holdfast.register.sync.customers import CUSTOMERS
from holdfast.register.sync.database import QUERIES, read, write
from holdfast.register.sync.feed_rows import drop_row, put_row

Row = tuple[int, IncarnationId, int, int, int]

CHUNK_ROWS = 1_000
"""Rows of one transaction where nobody sees them yet: about 30 ms of the write lock."""


class Version(msgspec.Struct, frozen=True):
    """A generation of a feed: what it holds and how new that is."""

    generation: int
    incarnation: IncarnationId
    n: int
    made_ms: int
    checked_ms: int


class Since(msgspec.Struct, frozen=True):
    """What to ask head office for next."""

    incarnation: IncarnationId | None
    n: int


class FeedStore:
    """The feeds over one connection that may write."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def current(self, feed: str) -> Version | None:
        """What is sold from."""
        return self._version(QUERIES.current_version, feed)

    def since(self, feed: str, incarnation: IncarnationId) -> Since:
        """From where on to ask, given the incarnation that head office is in."""
        for version in (self.current(feed), self._staged(feed)):
            if version is not None and version.incarnation == incarnation:
                return Since(incarnation, version.n)
        return Since(incarnation, 0)

    def is_current(self, feed: str, newest: tuple[IncarnationId, int]) -> bool:
        have = self.current(feed)
        return have is not None and (have.incarnation, have.n) == newest

    def checked(self, feeds: Collection[str], *, made_ms: int, now_ms: int) -> None:
        """Head office has nothing newer than the current generations of these."""

        def store() -> None:
            for feed in feeds:
                QUERIES.checked(self._connection, feed=feed, made_ms=made_ms, checked_ms=now_ms)

        if feeds:
            write(self._connection, store)

    def take(self, page: FeedPage, *, made_ms: int, now_ms: int) -> Refusal | None:
        """Take a page whose signature holds; a refusal leaves everything as it was.

        `made_ms`: head office's time when it made the page.
        """
        if page.feed not in FEEDS:
            return Refusal("feed.unknown", f"Head office sent the feed {page.feed[:40]!r}, not known here.")
        have = self.current(page.feed)
        if have is not None and have.incarnation == page.incarnation:
            return self._take_newer(have, page, made_ms, now_ms)
        return self._stage(page, made_ms, now_ms)

    def take_whole(self, page: FeedPage, *, made_ms: int, now_ms: int) -> Refusal | None:
        """Take a snapshot's page in place of all rows, unless it is not newer than they are.

        Between incarnations only head office's time tells, and an old snapshot is still well signed.
        """
        have = self.current(page.feed)
        if have is not None and have.incarnation == page.incarnation and page.to_n <= have.n:
            return None
        if have is not None and have.incarnation != page.incarnation and made_ms < have.made_ms:
            return Refusal(
                "feed.older",
                "This snapshot is older than what the register already has. Make a new one at head office.",
            )
        if page.feed not in FEEDS or page.since_n != 0 or page.more:
            return Refusal("feed.malformed", f"The snapshot's feed {page.feed[:40]!r} is not whole.")
        write(self._connection, lambda: QUERIES.drop_staged(self._connection, feed=page.feed))
        return self._stage(page, made_ms, now_ms)

    def sweep(self) -> int:
        """Delete a bounded piece of what former generations left; rows deleted. Call until 0."""

        def sweep_once() -> int:
            connection = self._connection
            swept = sum(QUERIES.sweep_rows(connection, feed=feed, at_most=CHUNK_ROWS) for feed in FEEDS)
            swept += QUERIES.sweep_prices(connection, at_most=CHUNK_ROWS)
            swept += CUSTOMERS.sweep_words(connection, at_most=CHUNK_ROWS)
            for product, generation, sku in QUERIES.stale_products(connection, at_most=CHUNK_ROWS):
                QUERIES.sweep_product_search(connection, id=product)
                QUERIES.drop_barcodes(connection, generation=generation, sku=sku)
                swept += QUERIES.sweep_product(connection, id=product)
            return swept

        return write(self._connection, sweep_once)

    def _take_newer(self, have: Version, page: FeedPage, made_ms: int, now_ms: int) -> Refusal | None:
        if not page.rows and not page.more and page.to_n == have.n:
            self.checked((page.feed,), made_ms=made_ms, now_ms=now_ms)
            return None
        if not is_newer((have.incarnation, have.n), page):
            return _replayed(page, have.n)

        def store() -> None:
            self._put(page.feed, have.generation, page.rows)
            self._advance(page, have.generation, made_ms, now_ms)

        write(self._connection, store)
        return None

    def _stage(self, page: FeedPage, made_ms: int, now_ms: int) -> Refusal | None:
        staged = self._staged(page.feed)
        if staged is None or staged.incarnation != page.incarnation:
            if page.since_n != 0:
                return _replayed(page, 0)
            staged = self._begin(page)
        elif page.since_n != 0 and not is_newer((staged.incarnation, staged.n), page):
            return _replayed(page, staged.n)
        for chunk in _chunks(page.rows):
            write(self._connection, lambda rows=chunk: self._put(page.feed, staged.generation, rows))

        def finish() -> None:
            self._advance(page, staged.generation, made_ms, now_ms)
            if not page.more:
                QUERIES.drop_current(self._connection, feed=page.feed)
                QUERIES.make_current(self._connection, feed=page.feed, generation=staged.generation)

        write(self._connection, finish)
        return None

    def _begin(self, page: FeedPage) -> Version:
        def begin() -> Version:
            QUERIES.drop_staged(self._connection, feed=page.feed)
            generation = QUERIES.next_generation(self._connection, feed=page.feed)
            QUERIES.add_staged(
                self._connection, feed=page.feed, generation=generation, incarnation=page.incarnation
            )
            return Version(generation, page.incarnation, 0, 0, 0)

        return write(self._connection, begin)

    def _put(self, feed: str, generation: int, rows: Sequence[FeedRow]) -> None:
        for row in rows:
            if row.deleted:
                drop_row(self._connection, feed, generation, row.key)
            else:
                put_row(self._connection, feed, generation, row.key, bytes(row.body))

    def _advance(self, page: FeedPage, generation: int, made_ms: int, now_ms: int) -> None:
        changed = QUERIES.advance_version(
            self._connection,
            feed=page.feed,
            generation=generation,
            n=page.to_n,
            made_ms=made_ms,
            checked_ms=now_ms,
        )
        assert changed == 1, "a page goes into a generation that is there"

    def _staged(self, feed: str) -> Version | None:
        return self._version(QUERIES.staged_version, feed)

    def _version(self, query: Callable[..., Row | None], feed: str) -> Version | None:
        row = read(self._connection, lambda: query(self._connection, feed=feed))
        return None if row is None else Version(*row)


def _chunks(rows: Sequence[FeedRow]) -> Iterator[Sequence[FeedRow]]:
    for start in range(0, len(rows), CHUNK_ROWS):
        yield rows[start : start + CHUNK_ROWS]


def _replayed(page: FeedPage, have_n: int) -> Refusal:
    return Refusal(
        "feed.replayed",
        f"Head office's {page.feed} {page.since_n} to {page.to_n} do not continue version {have_n}, "
        "which this register has. They were not taken.",
    )
