"""What goes down: feeds as signed pages, and all of them as one signed snapshot.

A load takes the feed's next version, one for each page full of changed rows; rows that say what
they said keep theirs. So a page is bounded, and never ends in the middle of a version.
"""

import threading
from collections.abc import Collection, Mapping
from typing import Any

import msgspec
import psycopg

from holdfast.core.ids import IncarnationId
from holdfast.core.journal.chain import Signer
from holdfast.core.sync.feed import FEEDS, FeedPage, FeedRow, Snapshot, pack
from holdfast.core.sync.limits import FEED_PAGE_ROWS
from holdfast.infra.clock import Clock
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq", "feeds.sql", Engine.POSTGRES)

PACKED_MAX = 32
"""Signed answers kept: a price change is pulled by the whole fleet at once."""


class Feeds:
    """Reads and writes feeds. Thread-safe."""

    def __init__(self, pool: Pool, signer: Signer, clock: Clock) -> None:
        self._pool = pool
        self._signer = signer
        self._clock = clock
        self._lock = threading.Lock()
        self._packed: dict[tuple[object, ...], bytes] = {}

    def versions(self) -> dict[str, int]:
        """The newest n of each feed."""
        with self._pool.connection() as conn:
            return {feed: n for feed, n, _ in _sql.versions(conn)}

    def newest(self, feed: str) -> tuple[IncarnationId, int]:
        """Head office's life, and the feed's version in it."""
        with self._pool.connection() as conn:
            return IncarnationId(_sql.incarnation(conn)), _sql.version(conn, feed=feed)

    def newest_change(self, feed: str) -> tuple[int, int | None]:
        """The feed's version, and when it came about; None: nothing was ever put in."""
        with self._pool.connection() as conn:
            return next((n, at_ms) for name, n, at_ms in _sql.versions(conn) if name == feed)

    # ---- down

    def page(self, feed: str, incarnation: IncarnationId | None, since_n: int) -> bytes:
        """A signed page of what changed after `since_n`; from the beginning for another incarnation."""
        assert feed in FEEDS, "the caller knows the feed"
        with self._pool.connection() as conn:
            current = IncarnationId(_sql.incarnation(conn))
            since_n = since_n if incarnation == current else 0
            newest = _sql.version(conn, feed=feed)
            key = (feed, current, since_n, newest)
            packed = self._packed.get(key)
            if packed is not None:
                return packed
            page = _page(conn, feed, current, since_n, newest)
        return self._keep(key, pack("feed", page, self._signer))

    def snapshot(self) -> bytes:
        """All feeds from their beginning, signed: what a register takes first, or from a USB stick."""
        with self._pool.connection() as conn:
            conn.execute("set transaction isolation level repeatable read")
            current = IncarnationId(_sql.incarnation(conn))
            newest = {feed: n for feed, n, _ in _sql.versions(conn)}
            key = ("snapshot", current, *(newest[feed] for feed in FEEDS))
            packed = self._packed.get(key)
            if packed is not None:
                return packed
            pages: list[FeedPage] = []
            for feed in FEEDS:
                pages += _all_pages(conn, feed, current, newest[feed])
        snapshot = Snapshot(incarnation=current, made_at_ms=self._clock.now_ms(), pages=tuple(pages))
        return self._keep(key, pack("snapshot", snapshot, self._signer))

    def _keep(self, key: tuple[object, ...], packed: bytes) -> bytes:
        with self._lock:
            self._packed[key] = packed
            while len(self._packed) > PACKED_MAX:
                self._packed.pop(next(iter(self._packed)))
        return packed

    # ---- in

    def rows(self, feed: str) -> dict[str, msgspec.Raw]:
        """Every row that is not deleted."""
        with self._pool.connection() as conn:
            return {key: msgspec.Raw(body.encode()) for key, body in _sql.bodies(conn, feed=feed)}

    def known(self, feed: str, keys: Collection[str]) -> dict[str, str]:
        """What rows of these keys say now, as JSON; those that are not there, or deleted, are left out."""
        with self._pool.connection() as conn:
            return dict(_sql.known(conn, feed=feed, keys=list(keys)))

    def put(self, feed: str, rows: Mapping[str, msgspec.Struct | None]) -> tuple[int, int]:
        """Store rows (None deletes); (how many changed, the feed's version). All of them or none."""
        with self._pool.connection() as conn:
            return self.put_in(conn, feed, rows)

    def put_in(
        self, conn: psycopg.Connection[Any], feed: str, rows: Mapping[str, msgspec.Struct | None]
    ) -> tuple[int, int]:
        """`put` in a transaction of the caller's."""
        encoded = {
            key: None if body is None else msgspec.json.encode(body).decode() for key, body in rows.items()
        }
        n = self.lock(conn, feed)
        known = dict(_sql.known(conn, feed=feed, keys=list(encoded)))
        changed = sorted(key for key, body in encoded.items() if known.get(key) != body)
        if not changed:
            return 0, n
        versions = [n + 1 + place // FEED_PAGE_ROWS for place in range(len(changed))]
        bodies = [encoded[key] for key in changed]
        _sql.put(conn, feed=feed, keys=changed, bodies=bodies, versions=versions)
        _sql.move_version(conn, feed=feed, n=versions[-1], at_ms=self._clock.now_ms())
        return len(changed), versions[-1]

    def lock(self, conn: psycopg.Connection[Any], feed: str) -> int:
        """Until the transaction's end nobody else changes the feed; its version."""
        return _sql.lock_feed(conn, feed=feed)

    def rows_in(self, conn: psycopg.Connection[Any], feed: str, prefix: str) -> list[tuple[str, str]]:
        """Key and JSON of the rows whose key begins so."""
        return list(_sql.beginning(conn, feed=feed, prefix=prefix))


def _all_pages(conn: object, feed: str, incarnation: IncarnationId, newest: int) -> list[FeedPage]:
    pages: list[FeedPage] = []
    since_n, more = 0, True
    while more:
        page = _page(conn, feed, incarnation, since_n, newest)
        pages.append(page)
        assert page.to_n > since_n or not page.more, "each page brings the reader on"
        since_n, more = page.to_n, page.more
    return pages


def _page(conn: object, feed: str, incarnation: IncarnationId, since_n: int, newest: int) -> FeedPage:
    """At most two versions' rows are read to fill a page; the last whole version ends it."""
    found = _sql.changed(conn, feed=feed, since=since_n, limit=2 * FEED_PAGE_ROWS + 1)
    ends = [place for place in range(1, len(found)) if found[place][2] != found[place - 1][2]] + (
        [len(found)] if len(found) <= 2 * FEED_PAGE_ROWS else []
    )
    within = [end for end in ends if end <= FEED_PAGE_ROWS]
    end = within[-1] if within else (ends[0] if ends else 0)
    rows = found[:end]
    more = end < len(found)
    return FeedPage(
        feed=feed,
        incarnation=incarnation,
        since_n=since_n,
        to_n=rows[-1][2] if more else newest,
        more=more,
        rows=tuple(
            FeedRow(key, msgspec.Raw(b"null" if deleted else body.encode()))
            for key, body, _, deleted in rows
            if since_n or not deleted  # who begins anew has nothing to delete
        ),
    )
