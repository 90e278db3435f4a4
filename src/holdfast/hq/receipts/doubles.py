"""What came back twice: returns of several registers on one receipt, found once all of them are here (PO8).

A register refuses what it knows of; two registers that were offline know nothing of each other. Ingest stores
which receipt a return names, and here it is compared with what was sold. Whoever comes last, sale or return,
completes the picture: a return whose receipt never arrived is looked at again now and then.
"""

from typing import Any, NamedTuple

import psycopg

from holdfast.core.ids import DocumentNumber
from holdfast.core.receipt.doubles import CameBack, SoldLine, returned_twice
from holdfast.infra.clock import Clock
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq.receipts", "receipts.sql", Engine.POSTGRES)

AT_ONCE = 500
"""Receipts looked at in one transaction."""
AGAIN_AFTER_MS = 60_000
"""So long a return waits before its receipt is looked for again."""


def check_returns(pool: Pool, clock: Clock, at_most: int = AT_ONCE) -> int:
    """Look at receipts that new returns name, and tell people of those on which too much came back; how many
    were looked at. None where another process looks just now."""
    now_ms = clock.now_ms()
    with pool.connection() as conn:
        if not _sql.may_check(conn):
            return 0
        found = list(_sql.unchecked(conn, waits_before=now_ms - AGAIN_AFTER_MS, limit=at_most))
        for (document,) in found:
            _check(conn, DocumentNumber(document), now_ms)
        return len(found)


class KnownReturns(NamedTuple):
    """What head office knows of a receipt."""

    is_here: bool
    returns: list[CameBack]


def returns_on(pool: Pool, document: DocumentNumber) -> KnownReturns:
    """Whether a receipt's own document arrived, and what came back on it, line by line."""
    with pool.connection() as conn:
        return KnownReturns(
            bool(_sql.sold(conn, document=document)),
            [_came_back(row) for row in _sql.came_back(conn, document=document)],
        )


def _came_back(row: tuple[Any, ...]) -> CameBack:
    number, register, date, line, quantity_milli, amount_minor, *_ = row
    return CameBack(
        document=DocumentNumber(number),
        register=register,
        date=date,
        line=line,
        quantity_milli=quantity_milli,
        amount_minor=amount_minor,
    )


def _check(conn: psycopg.Connection[Any], document: DocumentNumber, now_ms: int) -> None:
    sold = list(_sql.sold(conn, document=document))
    if not sold:
        _sql.mark_tried(conn, document=document, now_ms=now_ms)
        return
    rows = list(_sql.came_back(conn, document=document))
    returns = [_came_back(row) for row in rows]
    lines = [SoldLine(line, quantity_milli) for line, quantity_milli, *_ in sold]
    told = returned_twice(document, lines, sold[0][2], sold[0][3], returns)
    if told is not None and rows:
        *_, origin, chain, seq, _ = next(row for row in reversed(rows) if not row[-1])
        _sql.raise_alert(conn, origin=origin, chain=chain, seq=seq, detail=told)
    _sql.mark_checked(conn, document=document)
