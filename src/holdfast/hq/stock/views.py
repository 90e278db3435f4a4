"""Stock as head office's pages show it: a store's products, one of them with its movements, transfers."""

import itertools
from collections.abc import Sequence
from typing import Any

import msgspec
import psycopg

from holdfast.core.ids import StoreId
from holdfast.core.stock.transfers import AtStore, Became, became_of
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq.stock", "views.sql", Engine.POSTGRES)

PAGE_ROWS = 100
MARKS_SHOWN = 50
TRANSFERS_SHOWN = 200
TRANSFERS_FOR_MS = 90 * 86_400_000


class Level(msgspec.Struct, frozen=True):
    sku: str
    description: str
    quantity_milli: int
    in_transit_milli: int


class Levels(msgspec.Struct, frozen=True, kw_only=True):
    """A page of one store's products."""

    above: int
    below: int
    sum_milli: int
    rows: tuple[Level, ...]
    more: bool


class OfRegister(msgspec.Struct, frozen=True):
    """What one register moved of a product."""

    name: str
    origin: str
    quantity_milli: int
    lines: int


class Movement(msgspec.Struct, frozen=True):
    """What head office moved at a figure, and the entry that it takes back."""

    mark: str
    quantity_milli: int
    cause: str
    chain: int
    seq: int
    number: str
    booked_at_ms: int


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A count, or a setting to zero."""

    mark: str
    kind: str
    at_ms: int
    figure_milli: int
    staff: str
    reason: str
    chain: int
    seq: int
    movements: tuple[Movement, ...]


class OfProduct(msgspec.Struct, frozen=True, kw_only=True):
    """One product in one store: its level, and what it is made of."""

    sku: str
    description: str
    level_milli: int
    in_transit_milli: int
    registers: tuple[OfRegister, ...]
    head_office_milli: int
    figures: tuple[Figure, ...]

    @property
    def sum_milli(self) -> int:
        return self.head_office_milli + sum(each.quantity_milli for each in self.registers)


class TransferLine(msgspec.Struct, frozen=True, kw_only=True):
    """One product of a transfer."""

    transfer: str
    sent_by: str
    """Empty: what sent it is not here."""
    sent_to: str
    at_ms: int
    chain: int
    seq: int
    sku: str
    description: str
    stores: tuple[AtStore, ...]

    @property
    def became(self) -> Became:
        return became_of(bool(self.sent_by), self.stores)

    @property
    def sent_milli(self) -> int:
        return sum(each.sent_milli for each in self.stores)

    @property
    def received_milli(self) -> int:
        return sum(each.received_milli for each in self.stores)

    @property
    def difference_milli(self) -> int:
        return self.received_milli - self.sent_milli

    @property
    def received_by(self) -> tuple[str, ...]:
        """Stores other than the one that it was sent to."""
        return tuple(each.store for each in self.stores if each.receipts and not each.is_addressed)

    @property
    def left(self) -> tuple[AtStore, ...]:
        """Where it is on its way still, or received without being sent there."""
        return tuple(each for each in self.stores if each.left_milli)

    @property
    def ended(self) -> tuple[AtStore, ...]:
        """Where head office moved it."""
        return tuple(each for each in self.stores if each.ended_milli)


def stores(pool: Pool) -> list[tuple[str, str]]:
    """Code and name."""
    with pool.connection() as conn:
        return [(store, name) for store, name in _sql.stores(conn)]


def levels(pool: Pool, store: str, text: str, offset: int) -> Levels:
    """Products of a store that ever moved, by stock code."""
    with pool.connection() as conn:
        above, below, total = _sql.sums(conn, store=store)
        found = _sql.levels(conn, store=store, text=text, at_most=PAGE_ROWS + 1, offset=offset)
        rows = [Level(*row) for row in found]
    return Levels(
        above=above, below=below, sum_milli=int(total),
        rows=tuple(rows[:PAGE_ROWS]), more=len(rows) > PAGE_ROWS,
    )  # fmt: skip


def product(pool: Pool, store: StoreId, sku: str) -> OfProduct:
    """What a level is made of: each register's movements, and head office's at each figure."""
    with pool.connection() as conn:
        conn.execute("set transaction isolation level repeatable read read only")
        level_milli, in_transit_milli, description = _sql.level(conn, store=store, sku=sku)
        marks = list(_sql.marks(conn, store=store, sku=sku, at_most=MARKS_SHOWN))
        names = [mark[0] for mark in marks]
        moved: dict[str, list[Movement]] = {}
        for row in _sql.derived(conn, store=store, sku=sku, marks=names):
            moved.setdefault(row[0], []).append(Movement(*row))
        places = {number: (chain, seq) for number, chain, seq in _sql.place_of(conn, marks=names)}
        figures = [
            Figure(
                mark=mark, kind=kind, at_ms=at_ms, figure_milli=figure, staff=staff, reason=reason,
                chain=places.get(mark, (0, 0))[0], seq=places.get(mark, (0, 0))[1],
                movements=tuple(moved.get(mark, ())),
            )
            for mark, kind, at_ms, figure, staff, reason, _ in marks
        ]  # fmt: skip
        return OfProduct(
            sku=sku, description=description, level_milli=level_milli, in_transit_milli=in_transit_milli,
            registers=tuple(OfRegister(*row) for row in _sql.of_registers(conn, store=store, sku=sku)),
            head_office_milli=_sql.of_head_office(conn, store=store, sku=sku),
            figures=tuple(figures),
        )  # fmt: skip


def transfers(pool: Pool, now_ms: int) -> list[TransferLine]:
    """The newest, by product, with what became of each."""
    with pool.connection() as conn:
        return _transfers(conn, since_ms=now_ms - TRANSFERS_FOR_MS)


def transfer_lines(conn: psycopg.Connection, transfer: str) -> list[TransferLine]:
    """The products of one, however old it is."""
    return _transfers(conn, transfer) if transfer else []


def _transfers(conn: psycopg.Connection, transfer: str = "", since_ms: int = 0) -> list[TransferLine]:
    rows = _sql.transfers(conn, transfer=transfer, since_ms=since_ms, at_most=TRANSFERS_SHOWN)
    by_line = itertools.groupby(rows, key=lambda row: (row[0], row[1]))
    return [_transfer_line(list(found)) for _, found in by_line]


def _transfer_line(rows: Sequence[tuple[Any, ...]]) -> TransferLine:
    transfer, sku, _, sent_by, sent_to, at_ms, chain, seq, *_ = rows[0]
    return TransferLine(
        transfer=transfer, sent_by=sent_by, sent_to=sent_to, at_ms=at_ms, chain=chain, seq=seq, sku=sku,
        description=max(row[8] for row in rows),
        stores=tuple(
            AtStore(
                store=StoreId(row[2]), sent_milli=row[9], received_milli=row[10], receipts=row[11],
                is_addressed=row[12], ended_milli=row[13],
            )
            for row in rows
        ),
    )  # fmt: skip
