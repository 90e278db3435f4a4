"""Verifying central value: the ledger has a row for each movement of an applied entry and says what that
entry says, its balances are the sums of their movements, and what movements name has ended with them (P8)."""

import datetime
from collections import Counter
from collections.abc import Iterator
from typing import Any

import psycopg

from holdfast.core.central.settle import Moved
from holdfast.core.ingest.central import project_values
from holdfast.core.ingest.facts import OriginFacts
from holdfast.core.ingest.rows import Rows
from holdfast.core.journal.entry import Entry
from holdfast.core.sale import Sale
from holdfast.hq.central.proof import ACCOUNTS_AT_ONCE, FAULTS
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq.central", "verify.sql", Engine.POSTGRES)
_proof = load_queries("holdfast.hq.central", "proof.sql", Engine.POSTGRES)
Said = tuple[int, int, tuple[object, ...]]
"""Seq, ordinal, and what the entry says of the movement. What was booked of it, only the moment knew."""


class ValueCheck:
    """One block of a chain's entries after the other; then the ledger by itself."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self._conn = conn
        self._expected: list[Said] = []

    def add(self, chain: int, entry: Entry, sale: Sale, origin: OriginFacts) -> None:
        """A document of the block that took effect."""
        if not sale.values:
            return
        rows = Rows()
        project_values(rows, chain, entry, sale, origin, "")
        for event in rows.values:
            assert isinstance(event, Moved), "a document moves value, and ends no key by a word"
            self._expected.append(_said(event))

    def block(self, chain: int, after: int, through: int) -> list[int]:
        """Seqs of the block's entries whose movements are not what they say."""
        found = [
            (seq, ordinal, _plain(rest))
            for seq, ordinal, *rest in _sql.movements(self._conn, chain=chain, after=after, through=through)
        ]
        expected, self._expected = self._expected, []
        extra, lacking = Counter(found) - Counter(expected), Counter(expected) - Counter(found)
        return sorted({said[0] for said in (*extra, *lacking)})

    def wrong(self) -> Iterator[str]:
        """What is wrong with the ledger by itself."""
        kind = account = ""
        while rows := list(_proof.piece(self._conn, kind=kind, account=account, limit=ACCOUNTS_AT_ONCE)):
            for row in rows:
                yield from (
                    f"{row[0]} {row[1]}: {said}" for said, is_so in zip(FAULTS, row[8:], strict=True) if is_so
                )
            kind, account = rows[-1][0], rows[-1][1]
        for kind, account, key in _sql.unended(self._conn):
            yield f"{kind} {account}: a movement settled the hold {key}, which has not ended"
        for chain, seq, booked in _sql.uneven(self._conn):
            yield f"chain {chain} record {seq}: what was booked over comes to {booked} and not to nothing"
        for allowance in _sql.misused(self._conn):
            yield f"allowance {allowance[0]}: what was used of it is not what movements took"


def _said(event: Moved) -> Said:
    movement = event.movement
    return (
        event.place.seq,
        event.place.ordinal,
        (
            *(movement.kind.value, movement.account, movement.act.value, movement.amount, movement.key),
            *(movement.grant, event.origin, event.store, event.business_date, event.at_ms),
            *(event.transaction, event.currency),
        ),
    )


def _plain(values: list[object]) -> tuple[object, ...]:
    return tuple(value.isoformat() if isinstance(value, datetime.date) else value for value in values)
