"""Registers that leave: what a person declares of one that cannot close its journal itself.

A register that can is retired by its own closing entry (`holdfast register retire`). Either way its row
only says that it is out of service and that its series is free: what it owes or may owe is told as of any
other, until it comes or two people declare it lost (P6, `hq/lost.py`). What it sends later is taken in.
"""

from typing import Any

import psycopg

from holdfast.core.bounds import text_refusal
from holdfast.core.ids import OriginId
from holdfast.core.refusals import Refusal
from holdfast.infra.clock import Clock
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq", "retirement.sql", Engine.POSTGRES)

REASON_CHARS_MAX = 500


class Retirements:
    """Declares, and takes back; one transaction a call."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    def declare(self, origin: OriginId, *, by: str, reason: str) -> Refusal | None:
        """The register is out of service from now on. Codes that would give it another key are withdrawn."""
        reason = " ".join(reason.split())
        if not reason:
            return Refusal("retire.reason", "Say why: where the register is, and what happened to it.")
        if refusal := text_refusal("The reason", reason, REASON_CHARS_MAX):
            return refusal
        now_ms = self._clock.now_ms()
        with self._pool.connection() as conn:
            found = _sql.lock_origin(conn, origin=origin)
            if found is None:
                return _unknown(origin)
            name, retired_at_ms, _, _ = found
            if retired_at_ms is not None:
                return Refusal("retire.already", f"{name} is retired already: somebody was first.")
            _sql.declare(conn, origin=origin, by=by, reason=reason, at_ms=now_ms)
            _sql.withdraw_codes(conn, origin=origin, by=by, now_ms=now_ms)
        return None

    def take_back(self, origin: OriginId) -> Refusal | None:
        """A register that was declared retired is in service again, unless its series is another's now."""
        with self._pool.connection() as conn:
            found = _sql.lock_origin(conn, origin=origin)
            if found is None:
                return _unknown(origin)
            name, _, retired_by, is_closed = found
            if retired_by is None or is_closed:
                return Refusal(
                    "retire.not-declared",
                    f"There is nothing to take back: {name} closed its journal, was replaced, or is in "
                    "service. Enrol its machine as a new register to sell with it.",
                )
            return None if _taken_back(conn, origin) else _SERIES_TAKEN


def _taken_back(conn: psycopg.Connection[Any], origin: OriginId) -> bool:
    try:
        with conn.transaction():
            _sql.take_back(conn, origin=origin)
    except psycopg.errors.UniqueViolation:
        return False
    return True


def _unknown(origin: OriginId) -> Refusal:
    return Refusal("origin.unknown", f"No register {origin[:64]!r} is enrolled.")


_SERIES_TAKEN = Refusal(
    "enrol.series",
    "Another register numbers in its series by now. What this one still sends is taken in all the same; to "
    "sell again, its machine is enrolled as a new register.",
)
