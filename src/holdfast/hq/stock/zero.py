"""*Set a store's stock to zero*: a mark over the whole store, written once under its own reference (ST3).

Whatever the store's registers sold before and bring later is netted at it, and leaves zero.
"""

from collections.abc import Callable, Sequence

import msgspec
import psycopg

from holdfast.core.bounds import id_refusal, reason_refusal
from holdfast.core.ids import ID_RANDOM_BYTES, Sku, StoreId, encode_id
from holdfast.core.refusals import Refusal
from holdfast.core.stock.marks import EVERY_PRODUCT, ZERO, Mark
from holdfast.core.stock.services import RegisterOwing
from holdfast.hq.standing import Register
from holdfast.hq.stock.owing import owing_by_store
from holdfast.hq.stock.settling import add_marks
from holdfast.hq.store.stock_rows import PostgresStockLedger
from holdfast.infra.clock import Clock, Randomness
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq.stock", "zero.sql", Engine.POSTGRES)

LARGEST_SHOWN = 20
DONE_SHOWN = 20


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What setting a store to zero would do now."""

    reference: str
    """Under which it is done; done twice under it, it is done once."""
    store: StoreId
    name: str
    above: int
    above_milli: int
    below: int
    below_milli: int
    largest: tuple[tuple[Sku, int], ...]
    owing: tuple[RegisterOwing, ...]

    @property
    def products(self) -> int:
        return self.above + self.below


class Zeroed(msgspec.Struct, frozen=True, kw_only=True):
    """A store that was set to zero."""

    reference: str
    store: StoreId
    at_ms: int
    admin: str
    reason: str
    products: int
    added_milli: int
    taken_milli: int
    owing: tuple[RegisterOwing, ...]


class ZeroBook:
    """Setting stores to zero. Thread-safe."""

    def __init__(
        self, pool: Pool, registers: Callable[[], Sequence[Register]], clock: Clock, randomness: Randomness
    ) -> None:
        self._pool, self._registers = pool, registers
        self._clock, self._randomness = clock, randomness

    def preview(self, store: str) -> Preview | Refusal:
        """The figures as they are now, and who still owes."""
        with self._pool.connection() as conn:
            found = _sql.store(conn, store=store)
            if found is None:
                return Refusal("store.unknown", f"Head office knows no store {store[:64]!r}.")
            above, above_milli, below, below_milli = _sql.preview(conn, store=store)
            largest = _sql.largest(conn, store=store, at_most=LARGEST_SHOWN)
            return Preview(
                reference=encode_id(self._randomness.bytes(ID_RANDOM_BYTES)),
                store=StoreId(found[0]), name=found[1],
                above=above, above_milli=above_milli, below=below, below_milli=below_milli,
                largest=tuple((Sku(sku), milli) for sku, milli in largest),
                owing=self._owing(StoreId(store)),
            )  # fmt: skip

    def done(self, store: str) -> list[Zeroed]:
        """When that store was set to zero, newest first."""
        with self._pool.connection() as conn:
            return [_zeroed(row) for row in _sql.done(conn, store=store, at_most=DONE_SHOWN)]

    def set(self, store: str, reference: str, typed: str, reason: str, by: str) -> Zeroed | Refusal:
        """Do it. `typed`: the store's code, typed by whoever means it. Once under a reference."""
        refusal = reason_refusal(reason) or id_refusal("The reference", reference)
        if refusal is None and typed.strip() != store:
            refusal = Refusal(
                "stock.not-typed", f"Type {store} to set its stock to zero. Nothing was changed."
            )
        if refusal is not None:
            return refusal
        owing = self._owing(StoreId(store))
        with self._pool.connection() as conn:
            if _sql.store(conn, store=store) is None:
                return Refusal("store.unknown", f"Head office knows no store {store[:64]!r}.")
            return self._set(conn, StoreId(store), reference, reason.strip(), by, owing)

    def _set(
        self,
        conn: psycopg.Connection,
        store: StoreId,
        reference: str,
        reason: str,
        by: str,
        owing: tuple[RegisterOwing, ...],
    ) -> Zeroed | Refusal:
        ledger = PostgresStockLedger(conn)
        ledger.lock(store)
        known = _sql.known(conn, reference=reference)
        if known is not None:
            done = _zeroed(known)
            return done if done.store == store else Refusal("stock.reference", "Load the page again.")
        now_ms = self._clock.now_ms()
        mark = Mark(
            mark=reference, kind=ZERO, store=store, sku=EVERY_PRODUCT, at_ms=now_ms, figure_milli=0,
            by=by, reason=reason,
        )  # fmt: skip
        derived = add_marks(ledger, [mark], now_ms)
        own = [each.quantity_milli for each in derived if each.mark == reference]
        done = Zeroed(
            reference=reference, store=store, at_ms=now_ms, admin=by, reason=reason, products=len(own),
            added_milli=sum(milli for milli in own if milli > 0),
            taken_milli=-sum(milli for milli in own if milli < 0),
            owing=owing,
        )  # fmt: skip
        fields = msgspec.structs.asdict(done)
        _sql.add(conn, **{**fields, "owing": msgspec.json.encode(owing).decode()})
        return done

    def _owing(self, store: StoreId) -> tuple[RegisterOwing, ...]:
        return owing_by_store(self._registers()).get(store, ())


def _zeroed(row: tuple[object, ...]) -> Zeroed:
    *fields, owing = row
    return msgspec.convert(
        {**dict(zip(Zeroed.__struct_fields__, fields, strict=False)), "owing": owing}, Zeroed
    )
