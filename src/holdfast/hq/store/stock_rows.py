"""Counts and settings to zero as rows of PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import psycopg

from holdfast.core.ids import Sku, StoreId
from holdfast.core.stock.marks import Derived, Mark, sum_by_sku
from holdfast.hq.store.refusals import refusals
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq.store", "stock.sql", Engine.POSTGRES)


class PostgresStockLedger:
    """`StockLedger` on one connection, within its transaction."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self._conn = conn

    def marked_ms(self, store: StoreId) -> int | None:
        return _sql.marked(self._conn, store=store)

    def lock(self, store: StoreId) -> None:
        list(_sql.lock(self._conn, store=store))

    def marks(self, store: StoreId, since_ms: int, skus: Collection[Sku] | None) -> Sequence[Mark]:
        wanted = None if skus is None else list(skus)
        return [_mark(row) for row in _sql.marks(self._conn, store=store, since_ms=since_ms, skus=wanted)]

    def before(self, mark: Mark, skus: Collection[Sku] | None) -> Mapping[Sku, int]:
        wanted = None if skus is None else list(skus)
        rows = _sql.before(self._conn, store=mark.store, skus=wanted, at_ms=mark.at_ms, mark=mark.mark)
        return {Sku(sku): milli for sku, milli in rows}

    def timezone(self, store: StoreId) -> str:
        return _sql.timezone(self._conn, store=store)

    def last_moment_ms(self, chain: int) -> int:
        return _sql.last_moment(self._conn, chain=chain)

    def put_moments(self, at_ms: Mapping[tuple[int, int], int]) -> None:
        rows = [{"chain": chain, "seq": seq, "at_ms": at} for (chain, seq), at in at_ms.items()]
        with refusals():
            _sql.add_moment(self._conn, rows)

    def put(self, store: StoreId, marks: Sequence[Mark], derived: Sequence[Derived], now_ms: int) -> None:
        with refusals():
            self._put(store, marks, derived, now_ms)

    def _put(self, store: StoreId, marks: Sequence[Mark], derived: Sequence[Derived], now_ms: int) -> None:
        if marks:
            _sql.add_mark(
                self._conn,
                [
                    {
                        "store": store, "sku": mark.sku, "mark": mark.mark, "kind": mark.kind,
                        "at_ms": mark.at_ms, "figure_milli": mark.figure_milli, "staff": mark.by,
                        "reason": mark.reason, "booked_at_ms": now_ms,
                    }
                    for mark in marks
                ],
            )  # fmt: skip
        if derived:
            _sql.add_derived(
                self._conn,
                [
                    {
                        "store": store, "sku": each.sku, "mark": each.mark, "cause": each.cause,
                        "quantity_milli": each.quantity_milli, "chain": each.chain, "seq": each.seq,
                        "booked_at_ms": now_ms,
                    }
                    for each in derived
                ],
            )  # fmt: skip
            _sql.move(
                self._conn,
                [
                    {"store": store, "sku": sku, "quantity_milli": milli}
                    for sku, milli in sum_by_sku(derived).items()
                    if milli
                ],
            )


def _mark(row: tuple[Any, ...]) -> Mark:
    mark, kind, store, sku, at_ms, figure_milli, by, reason = row
    return Mark(
        mark=mark, kind=kind, store=StoreId(store), sku=Sku(sku), at_ms=at_ms,
        figure_milli=figure_milli, by=by, reason=reason,
    )  # fmt: skip
