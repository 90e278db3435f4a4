"""Safe: a chain up to where a verified backup holds it too. Only that may be deleted at a register (P1)."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec
import psycopg

from holdfast.core.faults import DatabaseFault
from holdfast.infra.postgres.backup import Backup
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq", "safe.sql", Engine.POSTGRES)

CURSORS_SQL = "select chain, head_seq, head_hash from chain where head_seq > fork_seq order by chain"
"""Read in the very snapshot that is dumped, and again in the restored copy."""
_BYTEA = re.compile(r"\\x([0-9a-f]{64})\Z")


class Cursor(msgspec.Struct, frozen=True):
    """A chain's head inside a backup."""

    chain: int
    seq: int
    hash: bytes


def cursors_of(backup: Backup) -> list[Cursor]:
    """What a verified backup holds. DatabaseFault where its manifest does not say so."""
    cursors: list[Cursor] = []
    for row in backup.manifest.cursors.rows:
        match = _BYTEA.match(str(row["head_hash"]))
        if match is None:
            raise DatabaseFault(f"The manifest of the backup in {backup.path} has no hash for a chain.")
        cursors.append(Cursor(int(row["chain"]), int(row["head_seq"]), bytes.fromhex(match[1])))
    return cursors


def advance(pool: Pool, name: str, cursors: Sequence[Cursor], now_ms: int) -> int:
    """Move the safe cursors to what the backup holds; how many moved."""
    with pool.connection() as conn:
        return _sql.advance(
            conn,
            chains=[cursor.chain for cursor in cursors],
            seqs=[cursor.seq for cursor in cursors],
            hashes=[cursor.hash for cursor in cursors],
            backup=name,
            at_ms=now_ms,
        )


def begin_restored(conn: psycopg.Connection[Any], fresh: str, now_ms: int, detail: str) -> None:
    """A restored database begins another incarnation before anybody speaks to it."""
    number, _ = _sql.incarnation(conn)
    _sql.begin_incarnation(conn, number=number + 1, incarnation=fresh, at_ms=now_ms, detail=detail)
    _sql.add_alert(conn, detail=detail)
