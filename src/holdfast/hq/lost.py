"""Epochs declared lost: two people give up what they may owe; if it comes, it is taken in all the same (P6).

The first person proposes and says why; another confirms; until then anybody may withdraw. What arrives later
is stored as ever, and shows that the epoch was not lost.
"""

from collections.abc import Sequence
from typing import Any

import psycopg

from holdfast.core.bounds import text_refusal
from holdfast.core.ids import EpochId, OriginId
from holdfast.core.refusals import Refusal
from holdfast.hq.fleet import EpochStanding, Fleet, LostEpoch
from holdfast.infra.clock import Clock
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq", "lost.sql", Engine.POSTGRES)

REASON_CHARS_MAX = 500
HISTORY_MAX = 50


class LostBook:
    """Proposes, confirms and withdraws; one transaction a call."""

    def __init__(self, pool: Pool, fleet: Fleet, clock: Clock) -> None:
        self._pool = pool
        self._fleet = fleet
        self._clock = clock

    def propose(self, origin: OriginId, epoch: EpochId, *, by: str, reason: str) -> int | Refusal:
        """The first of two people gives the epoch up; the proposal's number."""
        reason = " ".join(reason.split())
        if not reason:
            return Refusal("lost.reason", "Say why: what happened to the register or its disk.")
        if refusal := text_refusal("The reason", reason, REASON_CHARS_MAX):
            return refusal
        if refusal := self._not_missing(origin, epoch):
            return refusal
        with self._pool.connection() as conn:
            _sql.lock_origin(conn, origin=origin)
            if _sql.proposed(conn, origin=origin, epoch=epoch) is not None:
                return Refusal(
                    "lost.proposed", "That is proposed already. Another person confirms it, or withdraws it."
                )
            held, claimed = _known(conn, origin, epoch)
            return _sql.propose(
                conn, origin=origin, epoch=epoch, reason=reason, by=by, at_ms=self._clock.now_ms(),
                held=held, claimed=claimed,
            )  # fmt: skip

    def confirm(self, origin: OriginId, epoch: EpochId, *, by: str) -> Refusal | None:
        """The second person: from now on nobody is asked for the rest of this epoch."""
        if refusal := self._not_missing(origin, epoch):
            return refusal
        with self._pool.connection() as conn:
            _sql.lock_origin(conn, origin=origin)
            proposed = _sql.proposed(conn, origin=origin, epoch=epoch)
            if proposed is None:
                return _NOTHING_PROPOSED
            number, proposed_by = proposed
            if proposed_by == by:
                return Refusal(
                    "lost.two-people",
                    "It takes two people: you proposed it, so another administrator must confirm it.",
                )
            held, claimed = _known(conn, origin, epoch)
            _sql.confirm(conn, id=number, by=by, at_ms=self._clock.now_ms(), held=held, claimed=claimed)
        return None

    def withdraw(self, origin: OriginId, epoch: EpochId, *, by: str) -> Refusal | None:
        """Anybody takes a proposal back that nobody confirmed yet."""
        with self._pool.connection() as conn:
            _sql.lock_origin(conn, origin=origin)
            proposed = _sql.proposed(conn, origin=origin, epoch=epoch)
            if proposed is None:
                return _NOTHING_PROPOSED
            _sql.withdraw(conn, id=proposed[0], by=by, at_ms=self._clock.now_ms())
        return None

    def history(self, origin: OriginId, epoch: EpochId) -> Sequence[LostEpoch]:
        """Every declaration of that epoch, newest first, withdrawn ones too."""
        with self._pool.connection() as conn:
            rows = _sql.history(conn, origin=origin, epoch=epoch, limit=HISTORY_MAX)
        return [LostEpoch(*row) for row in rows]

    def _not_missing(self, origin: OriginId, epoch: EpochId) -> Refusal | None:
        """Why this epoch is not one to be declared lost."""
        register = self._fleet.register(origin)
        if register is None:
            return Refusal("origin.unknown", f"No register {origin[:64]!r} is enrolled.")
        branches = [standing for standing in register.epochs if standing.epoch == epoch]
        if not branches:
            return Refusal("epoch.unknown", f"{register.name} has no epoch {epoch[:64]!r}.")
        return None if any(may_be_lost(standing) for standing in branches) else _NOT_MISSING


def may_be_lost(standing: EpochStanding) -> bool:
    """Whether something of that epoch may be missing that nobody brings."""
    return standing.is_missing


_NOTHING_PROPOSED = Refusal(
    "lost.nothing-proposed", "Nothing is proposed for that epoch: somebody was first."
)
_NOT_MISSING = Refusal(
    "lost.not-missing",
    "Only an epoch that may owe can be declared lost. This one is complete, given up already, or its "
    "register is in touch and brings what it owes.",
)


def _known(conn: psycopg.Connection[Any], origin: OriginId, epoch: EpochId) -> tuple[int, int]:
    """(entries held, highest claimed seq that is not)."""
    held = _sql.held(conn, origin=origin, epoch=epoch)
    return held or 0, _sql.claimed(conn, origin=origin, epoch=epoch) or 0
