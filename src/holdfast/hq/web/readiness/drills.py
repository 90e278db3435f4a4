"""Drills as head office has them: which documents were made in one, and what came of a register's last."""

from collections.abc import Sequence
from typing import NamedTuple

from holdfast.core.drill import DrillEnded, DrillStarted
from holdfast.core.ids import OriginId
from holdfast.core.journal.bodies import REGISTRY
from holdfast.core.journal.entry import decode_entry
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

SHOWN = 5
_queries = load_queries("holdfast.hq.web.readiness", "drills.sql", Engine.POSTGRES)
CAUSES = {
    "ended": "ended by hand",
    "time": "its time was up",
    "signed-out": "its starter signed out",
    "outage": "a real outage began",
    "by-hand": "the till was set to work offline",
    "restart": "the till was started again",
}
"""Why a drill ended, as people say it."""


class Held(NamedTuple):
    """One drill of a register."""

    started: DrillStarted
    at_ms: int | None
    ended: DrillEnded | None
    """None: it goes on, or its end has not arrived."""

    @property
    def cause(self) -> str:
        return CAUSES.get(self.ended.cause, self.ended.cause) if self.ended else ""


def made_in_drills(pool: Pool, places: Sequence[tuple[int, int]]) -> frozenset[tuple[int, int]]:
    """Of these documents, by chain and seq, those that were made in a drill."""
    if not places:
        return frozenset()
    chains, seqs = zip(*places, strict=True)
    with pool.connection() as conn:
        rows = _queries.in_drills(conn, chains=list(chains), seqs=list(seqs))
        return frozenset((chain, seq) for chain, seq in rows)


def drills_of(pool: Pool, origin: OriginId) -> list[Held]:
    """The last ones of a register, the newest first."""
    with pool.connection() as conn:
        rows = list(_queries.of_register(conn, origin=origin, limit=2 * SHOWN))
    ended: dict[tuple[str, int], DrillEnded] = {}
    held: list[Held] = []
    for _, seq, at_ms, data in rows:
        entry = decode_entry(bytes(data))
        body = REGISTRY.decode(entry)
        if isinstance(body, DrillEnded):
            ended[body.epoch, body.seq] = body
        elif isinstance(body, DrillStarted):
            held.append(Held(body, at_ms, ended.get((entry.epoch, seq))))
    return held[:SHOWN]
