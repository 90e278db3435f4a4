"""*End a transfer*: what is on its way still is written off, by an administrator and for a reason.

What a store received that was not sent to it is put right by the same act. It is a dated movement between
stores and in none of them: nobody at head office has seen the goods, and what lies in a store is counted.
"""

import itertools
from collections.abc import Callable, Sequence

import msgspec
import psycopg

from holdfast.core.bounds import id_refusal, reason_refusal
from holdfast.core.ids import ID_RANDOM_BYTES, StoreId, encode_id
from holdfast.core.refusals import Refusal
from holdfast.core.stock.places import transit_to
from holdfast.core.stock.services import RegisterOwing
from holdfast.hq.standing import Register
from holdfast.hq.stock.owing import owing_by_store
from holdfast.hq.stock.views import TransferLine, transfer_lines
from holdfast.infra.clock import Clock, Randomness
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq.stock", "ending.sql", Engine.POSTGRES)

ENDED_SHOWN = 2_000


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """What ending a transfer would do now."""

    reference: str
    """Under which it is done; done twice under it, it is done once."""
    transfer: str
    sent_by: str
    """Empty: what sent it is not here."""
    sent_to: str
    at_ms: int
    lines: tuple[TransferLine, ...]
    """Products of which something is left."""
    owing: tuple[RegisterOwing, ...]
    """Of the stores that it is about: what they bring may be of this transfer."""


class EndedLine(msgspec.Struct, frozen=True, kw_only=True):
    """What was moved on the way to a store."""

    store: StoreId
    sku: str
    description: str
    quantity_milli: int
    """Below zero: written off."""


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """An act that ended a transfer."""

    reference: str
    transfer: str
    at_ms: int
    admin: str
    reason: str
    lines: tuple[EndedLine, ...]


class TransferBook:
    """Ending transfers. Thread-safe."""

    def __init__(
        self, pool: Pool, registers: Callable[[], Sequence[Register]], clock: Clock, randomness: Randomness
    ) -> None:
        self._pool, self._registers = pool, registers
        self._clock, self._randomness = clock, randomness

    def preview(self, transfer: str) -> Ending | Refusal:
        """What is left of it; no lines: nothing is."""
        with self._pool.connection() as conn:
            lines = transfer_lines(conn, transfer)
        if not lines:
            return _unknown(transfer)
        first, owing = lines[0], owing_by_store(self._registers())
        stores = {StoreId(first.sent_by), *(each.store for line in lines for each in line.stores)}
        return Ending(
            reference=encode_id(self._randomness.bytes(ID_RANDOM_BYTES)), transfer=first.transfer,
            sent_by=first.sent_by, sent_to=first.sent_to, at_ms=first.at_ms,
            lines=tuple(line for line in lines if line.left),
            owing=tuple(each for store in sorted(stores) for each in owing.get(store, ())),
        )  # fmt: skip

    def done(self, transfer: str) -> list[Ended]:
        """When it was ended, newest first."""
        with self._pool.connection() as conn:
            return _ended(conn, transfer)

    def end(self, transfer: str, reference: str, typed: str, reason: str, by: str) -> Ended | Refusal:
        """Do it. `typed`: the transfer's number, typed by whoever means it. Once under a reference."""
        refusal = reason_refusal(reason) or id_refusal("The reference", reference)
        if refusal is None and typed.strip() != transfer:
            refusal = Refusal("stock.not-typed", f"Type {transfer} to end it. Nothing was changed.")
        if refusal is not None:
            return refusal
        with self._pool.connection() as conn:
            list(_sql.lock(conn, transfer=transfer))
            known = _sql.transfer_of(conn, reference=reference)
            if known is None:
                lines = transfer_lines(conn, transfer)
                if not any(line.left for line in lines):
                    return _nothing_left(transfer) if lines else _unknown(transfer)
                self._put(conn, transfer, lines, reference, reason.strip(), by)
            elif known != transfer:
                return Refusal("stock.reference", "Load the page again.")
            return next(each for each in _ended(conn, transfer) if each.reference == reference)

    def _put(
        self,
        conn: psycopg.Connection,
        transfer: str,
        lines: Sequence[TransferLine],
        reference: str,
        reason: str,
        by: str,
    ) -> None:
        at_ms, left = self._clock.now_ms(), [(line, each) for line in lines for each in line.left]
        _sql.add(
            conn,
            [
                {
                    "reference": reference, "transfer": transfer, "store": each.store, "sku": line.sku,
                    "description": line.description, "quantity_milli": -each.left_milli, "at_ms": at_ms,
                    "admin": by, "reason": reason,
                }
                for line, each in left
            ],
        )  # fmt: skip
        _sql.move(
            conn,
            [
                {"place": transit_to(each.store), "sku": line.sku, "quantity_milli": -each.left_milli}
                for line, each in left
            ],
        )


def _ended(conn: psycopg.Connection, transfer: str) -> list[Ended]:
    rows = _sql.ended(conn, transfer=transfer, at_most=ENDED_SHOWN)
    return [
        Ended(
            reference=reference, transfer=transfer, at_ms=at_ms, admin=admin, reason=reason,
            lines=tuple(
                EndedLine(store=StoreId(store), sku=sku, description=description, quantity_milli=milli)
                for *_, store, sku, description, milli in found
            ),
        )
        for (reference, at_ms, admin, reason), found in itertools.groupby(rows, key=lambda row: row[:4])
    ]  # fmt: skip


def _unknown(transfer: str) -> Refusal:
    return Refusal("stock.no-such-transfer", f"Head office knows no transfer {transfer[:64]!r}.")


def _nothing_left(transfer: str) -> Refusal:
    return Refusal("stock.nothing-left", f"Nothing of {transfer} is on its way. Nothing was changed.")
