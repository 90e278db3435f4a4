"""What this till itself did to stock: since a place in its journal, and all of it as one statement."""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Final

import apsw
import msgspec

from holdfast.core import totals
from holdfast.core.faults import MalformedFault
from holdfast.core.ids import EpochId, Sku
from holdfast.core.journal.bodies import REGISTRY
from holdfast.core.journal.entry import Unprojectable, decode_entry
from holdfast.core.stock.entries import StockCounted, StockTransferred
from holdfast.core.stock.services import Statement, StockDigest
from holdfast.infra.queries import Engine, Queries, load_queries
from holdfast.register.till import writing
from holdfast.register.till.database import QUERIES
from holdfast.register.till.places import last_place, place, seq_of

_QUERIES: Final[Queries] = load_queries("holdfast.register.till", "stock.sql", Engine.SQLITE)

_AT_ONCE = 256
_REST_S = 0.001


class Own(msgspec.Struct):
    """Own movements above places in the journal, grown as the journal grows."""

    applied: Mapping[EpochId, int]
    """Above these."""
    through: dict[int, int] = msgspec.field(default_factory=dict[int, int])
    """Epoch's ordinal → up to which seq it was read."""
    moved: dict[Sku, int] = msgspec.field(default_factory=dict[Sku, int])
    counted: dict[Sku, int] = msgspec.field(default_factory=dict[Sku, int])
    """Figures that were counted here since; `moved` is what moved after."""
    received: Counter[tuple[str, Sku]] = msgspec.field(default_factory=Counter[tuple[str, Sku]])
    """What was received here of each transfer."""

    def estimate(self, sku: Sku, level_milli: int | None) -> int | None:
        """What lies in the store now: the figure, corrected; None: nobody knows a figure."""
        figure = self.counted.get(sku, level_milli)
        return None if figure is None else figure + self.moved.get(sku, 0)


def grow(connection: apsw.Connection, own: Own) -> None:
    """Read what is new: after a long outage some tenths of a second at the first look, and then nothing."""
    for n, epoch in QUERIES.epochs(connection):
        first = own.through.get(n, own.applied.get(EpochId(epoch), 0)) + 1
        for row_id, data in _QUERIES.movements_after(connection, first=place(n, first), last=last_place(n)):
            own.through[n] = seq_of(row_id)
            _take(own, data)


def _take(own: Own, data: bytes) -> None:
    try:
        body = REGISTRY.decode(decode_entry(data))
    except MalformedFault:  # a damaged one: `holdfast verify` tells of it
        return
    if isinstance(body, Unprojectable):
        return
    if isinstance(body, StockCounted):
        for line in body.lines:
            own.counted[line.sku] = line.quantity_milli
            own.moved.pop(line.sku, None)
        return
    if isinstance(body, StockTransferred) and body.way == "received":
        for line in body.lines:
            own.received[body.transfer, line.sku] += line.quantity_milli
    for sku, milli in totals.stock_deltas(body).items():
        own.moved[sku] = own.moved.get(sku, 0) + milli


def epochs(connection: apsw.Connection) -> list[EpochId]:
    """In the order of their opening."""
    return [EpochId(epoch) for _, epoch in QUERIES.epochs(connection)]


def statement(connection: apsw.Connection) -> Statement | None:
    """What the till's own table says it moved, as of the head of its journal; None before its first entry.

    For a connection beside the writer's: all of it is one moment, and it rests often, for a busy thread would
    hold up a sale of the same process.
    """
    connection.execute("begin")
    try:
        at = writing.read_head(connection)
        if at is None:
            return None
        digest, after = StockDigest(), ""
        while rows := list(_QUERIES.moved(connection, after=after, at_most=_AT_ONCE)):
            digest.add((Sku(sku), milli) for sku, milli in rows)
            after = rows[-1][0]
            time.sleep(_REST_S)
    finally:
        connection.execute("commit")
    return Statement(epoch=at.head.epoch, seq=at.head.seq, products=digest.products, digest=digest.done())
