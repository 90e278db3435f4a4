"""A register's `reference.db` in the simulation: the schema, queries and stores that ship, over SQLite in
memory."""

import functools
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeVar, cast

import apsw

from holdfast.core.ids import EpochId, IncarnationId, OriginId
from holdfast.core.journal.chain import SignedHead
from holdfast.core.refusals import Refusal
from holdfast.core.sync.feed import FeedPage
from holdfast.core.sync.messages import Receipt
from holdfast.infra.migrations import load_migrations, migrate_sqlite
from holdfast.register.sync.catalogue import Catalogue
from holdfast.register.sync.feed_store import FeedStore, Version
from holdfast.register.sync.reference import Reference
from holdfast.register.sync.requests import Inbox

T = TypeVar("T")

CURRENCY = "GBP"


@functools.cache
def _empty() -> bytes:
    """The file as its migrations make it."""
    connection = apsw.Connection(":memory:")
    migrate_sqlite(connection, load_migrations("holdfast.register.sync"))
    return connection.serialize("main")


class RememberedReference(Reference):
    """Reads what it wrote once: one process after the other has the file, and most asks are the same."""

    def __init__(self, connection: apsw.Connection, origin: OriginId) -> None:
        super().__init__(connection, origin)
        self._known: dict[str, Any] = {}

    def receipts(self) -> tuple[Receipt, ...]:
        return self._remembered("receipts", super().receipts)

    def safe_receipts(self) -> tuple[Receipt, ...]:
        return self._remembered("safe", super().safe_receipts)

    def applied(self) -> Mapping[EpochId, int]:
        return self._remembered("applied", super().applied)

    def incarnation(self) -> IncarnationId | None:
        return self._remembered("incarnation", super().incarnation)

    def see_incarnation(self, incarnation: IncarnationId, now_ms: int) -> bool:
        if incarnation == self.incarnation():
            return True
        is_newest = super().see_incarnation(incarnation, now_ms)
        self._known.clear()
        return is_newest

    def keep(self, receipts: Iterable[Receipt], head: SignedHead | None, now_ms: int) -> None:
        given = tuple(receipts)
        if head is not None or not self._known.get("kept", frozenset()).issuperset(given):
            self._known.clear()
            super().keep(given, head, now_ms)
            self._known["kept"] = frozenset(given)

    def _remembered(self, name: str, look: Callable[[], T]) -> T:
        if name not in self._known:
            self._known[name] = look()
        return self._known[name]


class RememberedFeeds(FeedStore):
    """The same of the versions that are sold from."""

    def __init__(self, connection: apsw.Connection) -> None:
        super().__init__(connection)
        self._known: dict[str, Version | None] = {}

    def current(self, feed: str) -> Version | None:
        if feed not in self._known:
            self._known[feed] = super().current(feed)
        return self._known[feed]

    def checked(self, feeds: Collection[str], *, made_ms: int, now_ms: int) -> None:
        """Of no account here: no page shows when."""

    def take(self, page: FeedPage, *, made_ms: int, now_ms: int) -> Refusal | None:
        refusal = super().take(page, made_ms=made_ms, now_ms=now_ms)
        self._known.clear()
        return refusal

    def sweep(self) -> int:
        """Only what a page may have left behind."""
        return 0 if self._known else super().sweep()


class ReferenceDatabase:
    """The file, and what is read of it."""

    def __init__(self, origin: OriginId, content: bytes | None = None) -> None:
        self._origin = origin
        self._connection = apsw.Connection(":memory:")
        self._connection.deserialize("main", _empty() if content is None else content)
        self.reference = RememberedReference(self._connection, origin)
        self.feeds = RememberedFeeds(self._connection)
        self.inbox = Inbox(self._connection)
        self.catalogue = Catalogue(self._connection, CURRENCY)

    def copy(self) -> "ReferenceDatabase":
        return ReferenceDatabase(self._origin, self._connection.serialize("main"))

    def applied(self) -> Mapping[EpochId, Receipt]:
        """By epoch, whatever incarnation gave them."""
        return {receipt.epoch: receipt for receipt in self.reference.receipts()}

    def rows(self, feed: str) -> dict[str, bytes]:
        """What is sold from: key → body."""
        version = self.feeds.current(feed)
        if version is None:
            return {}
        statement = "select key, body from feed_row where feed = ? and generation = ?"
        found = self._connection.execute(statement, (feed, version.generation))
        return {str(key): bytes(cast(bytes, body)) for key, body in found}
