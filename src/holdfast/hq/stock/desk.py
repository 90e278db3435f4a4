"""Stock as tills ask for it: a product in every store, and what changed in their own (ST1, ST4)."""

import itertools
from collections.abc import Callable, Sequence

import psycopg

from holdfast.core.ids import EpochId, IncarnationId, OriginId, Sku, StoreId
from holdfast.core.stock.services import (
    INCOMING_MAX,
    ROWS_MAX,
    Availability,
    AvailabilityRequest,
    Incoming,
    StockPage,
    StockRequest,
    StoreName,
    StoreStock,
)
from holdfast.hq.standing import Register
from holdfast.hq.stock.owing import owing_by_store
from holdfast.infra.clock import Clock
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq.stock", "desk.sql", Engine.POSTGRES)

INCOMING_FOR_MS = 90 * 86_400_000
"""What was not received for so long is no longer offered; its number can still be typed."""
_INCOMING_LINES_MAX = 2_000
_STORES_MAX = 2_000


class StockServices:
    """What a register in a session may ask. Thread-safe."""

    def __init__(self, pool: Pool, registers: Callable[[], Sequence[Register]], clock: Clock) -> None:
        """`registers`: the fleet, at most some seconds old."""
        self._pool, self._registers, self._clock = pool, registers, clock

    def availability(self, origin: OriginId, asked: AvailabilityRequest) -> Availability:
        """A product in every store, the register's own first."""
        owing = owing_by_store(self._registers())
        with self._pool.connection() as conn:
            own = _sql.store_of(conn, origin=origin)
            rows = list(_sql.availability(conn, sku=asked.sku))
        stores = [
            StoreStock(
                store=StoreId(store), name=name, on_hand_milli=on_hand, in_transit_milli=in_transit,
                owing=owing.get(StoreId(store), ()),
            )
            for store, name, on_hand, in_transit in rows
        ]  # fmt: skip
        stores.sort(key=lambda stock: (stock.store != own, stock.store))
        return Availability(sku=asked.sku, at_ms=self._clock.now_ms(), stores=tuple(stores))

    def page(self, origin: OriginId, asked: StockRequest) -> StockPage:
        """What changed in the register's own store, all as of one moment; its own statement is kept."""
        with self._pool.connection() as conn:
            conn.execute("set transaction isolation level repeatable read")
            if asked.statement is not None:
                self._keep(conn, origin, asked)
            return self._page(conn, origin, asked)

    def _keep(self, conn: psycopg.Connection, origin: OriginId, asked: StockRequest) -> None:
        said = asked.statement
        assert said is not None, "there is something to keep"
        _sql.state(
            conn, origin=origin, epoch=said.epoch, seq=said.seq, products=said.products,
            digest=said.digest, at_ms=self._clock.now_ms(),
        )  # fmt: skip

    def _page(self, conn: psycopg.Connection, origin: OriginId, asked: StockRequest) -> StockPage:
        store, now_ms = _sql.store_of(conn, origin=origin), self._clock.now_ms()
        incarnation, version = _sql.version(conn)
        is_whole = asked.incarnation != incarnation or not 0 < asked.version <= version
        applied = {
            EpochId(epoch): seq for epoch, seq in _sql.applied(conn, origin=origin, epochs=list(asked.epochs))
        }
        since = -1 if is_whole else asked.version
        rows = [
            (Sku(sku), milli)
            for sku, milli in _sql.levels(conn, store=store, version=since, at_most=ROWS_MAX)
        ]
        return StockPage(
            incarnation=IncarnationId(incarnation),
            version=version,
            is_whole=is_whole,
            at_ms=now_ms,
            applied=applied,
            rows=tuple(row for row in rows if row[1] or not is_whole),
            incoming=_incoming(conn, store, now_ms),
            stores=tuple(
                StoreName(StoreId(code), name) for code, name in _sql.stores(conn, at_most=_STORES_MAX)
            ),
        )


def _incoming(conn: psycopg.Connection, store: str, now_ms: int) -> tuple[Incoming, ...]:
    rows = _sql.incoming(conn, store=store, since_ms=now_ms - INCOMING_FOR_MS, at_most=_INCOMING_LINES_MAX)
    by_transfer = itertools.groupby(rows, key=lambda row: (row[0], row[1], row[2]))
    found = [
        Incoming(
            transfer=transfer, origin=StoreId(origin), sent_at_ms=at_ms,
            lines=tuple((Sku(sku), description, milli) for *_, sku, description, milli in lines),
        )
        for (transfer, origin, at_ms), lines in by_transfer
    ]  # fmt: skip
    if len(rows) == _INCOMING_LINES_MAX and len(found) > 1:
        found.pop()  # the rest of its lines may be missing
    return tuple(found[:INCOMING_MAX])
