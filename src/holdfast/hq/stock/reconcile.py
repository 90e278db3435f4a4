"""The proof that registers, store and head office agree on stock, or what entry is behind a difference (ST2).

Every register says now and then what it moved by its own tables, as a digest with a place in its journal.
Head office adds up what it holds of that very journal up to that place: nothing on its way disturbs.
"""

import enum
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import psycopg

from holdfast.core import totals
from holdfast.core.ids import EpochId, OriginId, Sku
from holdfast.core.ingest.decide import prepare_entry
from holdfast.core.journal.bodies import REGISTRY
from holdfast.core.journal.entry import Unprojectable
from holdfast.core.stock.services import RegisterOwing, stock_digest
from holdfast.core.sync.batch import StoredEntry
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq.stock", "reconcile.sql", Engine.POSTGRES)

DIFFERENCES_SHOWN = 100
_EPOCHS_MAX = 1_000


class Proof(enum.StrEnum):
    """What was found of one register."""

    AGREES = "agrees"
    OWES = "owes"
    """What it told of is not all here: nothing can differ yet."""
    SILENT = "never said"
    ENTRIES = "entries"
    """It differs by entries that took no effect here, and by nothing else."""
    DIFFERS = "differs"


class Behind(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that is behind a difference."""

    chain: int
    seq: int
    why: str
    moved: tuple[tuple[Sku, int], ...]
    """What it would move; empty where nobody can read it."""


class OfRegister(msgspec.Struct, frozen=True, kw_only=True):
    """One register held against head office."""

    origin: OriginId
    name: str
    proof: Proof
    epoch: str = ""
    seq: int = 0
    products: int = 0
    at_ms: int | None = None
    applied_seq: int = 0
    entries: tuple[Behind, ...] = ()


class Difference(msgspec.Struct, frozen=True):
    """A product whose level is not the sum of its movements."""

    sku: str
    level_milli: int
    moved_milli: int


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """One store."""

    store: str
    registers: tuple[OfRegister, ...]
    differences: tuple[Difference, ...]
    owing: tuple[RegisterOwing, ...]

    @property
    def agrees(self) -> bool:
        return not self.differences and not any(
            each.proof in (Proof.ENTRIES, Proof.DIFFERS) for each in self.registers
        )


def reconcile(pool: Pool, store: str, owing: tuple[RegisterOwing, ...]) -> Reconciliation:
    """All as of one moment. It adds up all that the store's registers ever moved."""
    with pool.connection() as conn:
        conn.execute("set transaction isolation level repeatable read read only")
        registers = [_register(conn, row) for row in _sql.registers(conn, store=store)]
        rows = _sql.differences(conn, store=store, at_most=DIFFERENCES_SHOWN)
        return Reconciliation(
            store=store,
            registers=tuple(registers),
            differences=tuple(Difference(*row) for row in rows),
            owing=owing,
        )


def _register(conn: psycopg.Connection[Any], row: Sequence[Any]) -> OfRegister:
    origin, name, series, epoch, seq, products, digest, at_ms = row
    found = OfRegister(origin=OriginId(origin), name=name or series, proof=Proof.SILENT)
    if epoch is None:
        return found
    found = msgspec.structs.replace(found, epoch=epoch, seq=seq, products=products, at_ms=at_ms)
    path, applied_seq = _path(list(_sql.chains(conn, origin=origin)), epoch, seq)
    found = msgspec.structs.replace(found, applied_seq=applied_seq)
    if not path or applied_seq < seq:
        return msgspec.structs.replace(found, proof=Proof.OWES)
    where = {"chains": list(path), "through": list(path.values())}
    moved = Counter({Sku(sku): milli for sku, milli in _sql.moved(conn, **where)})
    if stock_digest(moved.items()) == digest:
        return msgspec.structs.replace(found, proof=Proof.AGREES)
    epochs = {chain: epoch for chain, epoch, *_ in _sql.chains(conn, origin=origin)}
    entries = [_behind(found.origin, EpochId(epochs[each[0]]), each) for each in _sql.waiting(conn, **where)]
    for entry in entries:
        for sku, milli in entry.moved:
            moved[sku] += milli
    explained = stock_digest(moved.items()) == digest
    return msgspec.structs.replace(
        found,
        proof=Proof.ENTRIES if explained else Proof.DIFFERS,
        entries=tuple(entry for entry in entries if entry.moved or not explained),
    )


def _path(chains: Sequence[Sequence[Any]], epoch: str, seq: int) -> tuple[dict[int, int], int]:
    """Chain → up to which entry it counts: the named epoch, and those before it in the same database.

    With it how far the named epoch is here.
    """
    main = {of: (chain, head, parent, at) for chain, of, branch, head, parent, at in chains if not branch}
    path: dict[int, int] = {}
    applied_seq = main[epoch][1] if epoch in main else 0
    at: str | None = epoch
    for _ in range(_EPOCHS_MAX):
        if at is None or at not in main or main[at][0] in path:
            break
        chain, _, parent, parent_seq = main[at]
        path[chain] = seq
        at, seq = parent, parent_seq or 0
    return path, applied_seq


def _behind(origin: OriginId, epoch: EpochId, row: Sequence[Any]) -> Behind:
    chain, seq, status, cause, hash, data = row
    item = prepare_entry(origin, epoch, StoredEntry(seq, hash, data, cause != "unreadable"))
    # What waits for another reason than itself can be read all the same.
    body = item.body if item.entry is None else REGISTRY.decode(item.entry)
    moved = {} if isinstance(body, Unprojectable) else totals.stock_deltas(body)
    return Behind(
        chain=chain,
        seq=seq,
        why=cause or status,
        moved=tuple((sku, milli) for sku, milli in moved.items() if milli),
    )
