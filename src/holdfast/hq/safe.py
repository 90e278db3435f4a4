"""Safe: a chain up to where a verified backup or a synchronous standby holds it too.

Only that may be deleted at a register (P1).
"""

import re
import threading
from collections.abc import Sequence
from typing import Any

import msgspec
import psycopg
import structlog

from holdfast.core.faults import DatabaseFault, Fault
from holdfast.infra.clock import Clock
from holdfast.infra.postgres.backup import Backup
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq", "safe.sql", Engine.POSTGRES)

_log = structlog.get_logger(__name__)

STANDBY_EVERY_S = 10.0
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


def advance_by_standby(pool: Pool, now_ms: int) -> int:
    """Move the safe cursors to what a synchronous standby has on its disk; how many moved.

    Nothing moves where commits wait for no standby, or where this account may not see them
    (it needs `pg_monitor`).
    """
    with pool.connection() as conn:
        if not _sql.standby_names(conn):
            return 0
        cursors = [Cursor(chain, seq, hash) for chain, seq, hash in _sql.heads(conn)]
        standby = _sql.standby_holding(conn, position=_sql.position(conn)) if cursors else None
    return 0 if standby is None else advance(pool, f"standby {standby}", cursors, now_ms)


class SafeWatch:
    """A thread that looks now and then how far the synchronous standby is, until `stop`."""

    def __init__(self, pool: Pool, clock: Clock, every_s: float = STANDBY_EVERY_S) -> None:
        self._pool = pool
        self._clock = clock
        self._every_s = every_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watch-standby", daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stopped.wait(self._every_s):
            try:
                advance_by_standby(self._pool, self._clock.now_ms())
            except Fault as fault:  # the next look may go well; what is not safe stays at the registers
                _log.warning("the standby cannot be asked", code=fault.code, fault=fault.sentence)

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()


def begin_restored(conn: psycopg.Connection[Any], fresh: str, now_ms: int, detail: str) -> None:
    """A restored database begins another incarnation before anybody speaks to it."""
    number, _ = _sql.incarnation(conn)
    _sql.begin_incarnation(conn, number=number + 1, incarnation=fresh, at_ms=now_ms, detail=detail)
    _sql.add_alert(conn, detail=detail)
