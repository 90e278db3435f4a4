"""The fleet: of every register what is applied, what it owes or may owe, and since when (P6)."""

import itertools
import operator
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import psycopg
import structlog

from holdfast.core.faults import Fault, MalformedFault
from holdfast.core.ids import EpochId, IncarnationId, OriginId
from holdfast.core.monitoring.owed import (
    EpochKnowledge,
    Owing,
    is_of_life,
    owing_of_epoch,
    owing_of_register,
    silent_ms,
)
from holdfast.core.sync.messages import Heartbeat, decode
from holdfast.hq.kept import Kept
from holdfast.hq.knowledge import Chain, is_open, knowledge_of
from holdfast.hq.standing import (
    EpochStanding,
    FeedAge,
    LostEpoch,
    Register,
    Summary,
    by_urgency,
    summary_of,
)
from holdfast.infra.clock import Clock
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_log = structlog.get_logger(__name__)
_sql = load_queries("holdfast.hq", "fleet.sql", Engine.POSTGRES)

SILENCE_LIMIT_MS = 5 * 60_000
"""A signed word older than this is no word that nothing is owed."""
STALE_MAX_MS = 10_000
_ORIGINS = _sql.origins.sql.encode()  # pyright: ignore[reportFunctionMemberAccess]
_BY_STORE_AND_NAME = operator.itemgetter(2, 5, 0)
WARM_S = 8.0
"""Sooner than a look is too old to be shown."""
ATTENTION_MAX = 8


class _Seen(NamedTuple):
    """The fleet at a moment."""

    registers: list[Register]
    by_urgency: list[Register]
    summary: Summary


class FleetWatch:
    """A thread that looks at a large fleet now and then, so that no page begins with the long look."""

    def __init__(self, fleet: "Fleet", every_s: float = WARM_S) -> None:
        self._fleet = fleet
        self._every_s = every_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watch-fleet", daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stopped.is_set():
            try:
                self._fleet.keep_warm()
            except Fault as fault:  # the next look may go well
                _log.warning("the fleet could not be looked at", code=fault.code, fault=fault.sentence)
            self._stopped.wait(self._every_s)

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()


class Fleet:
    """Reads the fleet. Thread-safe."""

    def __init__(self, pool: Pool, clock: Clock, silence_limit_ms: int = SILENCE_LIMIT_MS) -> None:
        self._pool = pool
        self._clock = clock
        self._silence_limit_ms = silence_limit_ms
        self._kept = Kept("fleet", self._see, clock, STALE_MAX_MS)
        self._built: dict[str, _Built] = {}

    def registers(self) -> list[Register]:
        """All of them, by store and name: at most a second old, of a large fleet some seconds."""
        return self._kept.get().registers

    def keep_warm(self) -> None:
        """Look again where a look takes long; a small fleet is looked at when somebody asks."""
        self._kept.keep_warm()

    def forget(self) -> None:
        """The next who asks looks again."""
        self._kept.forget()

    def register(self, origin: OriginId) -> Register | None:
        found = self.look(origin)
        return found[0] if found else None

    def by_urgency(self) -> list[Register]:
        """As `registers`, the most urgent first."""
        return self._kept.get().by_urgency

    def summary(self) -> Summary:
        return self._kept.get().summary

    def attention(self, limit: int = ATTENTION_MAX) -> list[Register]:
        """Those that a person should look at, the most urgent first."""
        seen = self._kept.get()
        return seen.by_urgency[: min(limit, seen.summary.attention)]

    def skews(self, origin: OriginId, limit: int = 50) -> list[tuple[int, int]]:
        """(at, skew) in milliseconds where it changed, newest first."""
        with self._pool.connection() as conn:
            return [(at_ms, skew_ms) for at_ms, skew_ms in _sql.skews(conn, origin=origin, limit=limit)]

    # ---- one look

    def _see(self) -> _Seen:
        registers = self.look()
        return _Seen(registers, sorted(registers, key=by_urgency), summary_of(registers))

    def look(self, origin: OriginId | None = None) -> list[Register]:
        """The fleet, or one register, as the database has it now."""
        now_ms = self._clock.now_ms()
        with self._pool.connection() as conn:
            conn.execute("set transaction isolation level repeatable read read only")
            # In binary: as text, the signed words of a large fleet take longer than all the rest.
            rows = conn.execute(_ORIGINS, {"origin": origin}, binary=True).fetchall()
            known = _Known(conn, origin)
        rows.sort(key=_BY_STORE_AND_NAME)
        if origin is not None:
            return [self._register(row, known, now_ms) for row in rows]
        built = {row[0]: self._built_from(row, known, now_ms) for row in rows}
        self._built = built
        return [register for _, register in built.values()]

    def _built_from(self, row: "_Row", known: "_Known", now_ms: int) -> "_Built":
        """The register of these rows; the one of the last look where it was made of the very same."""
        origin, silent = row[0], silent_ms(row[_HEARD_MS], now_ms)
        is_silent = silent is None or silent > self._silence_limit_ms
        made_of = (row, is_silent, known.made_of(origin))
        before = self._built.get(origin)
        if before is not None and before[0] == made_of:
            return before
        return made_of, self._register(row, known, now_ms)

    def _register(self, row: "_Row", known: "_Known", now_ms: int) -> Register:
        (
            origin, kind, store, series, currency, name, enrolled_at_ms, software, replaces, retired_at_ms,
            contact_ms, blocked_code, blocked_detail, heard_ms, statement, skew_ms,
            retired_by, retired_reason,
        ) = row  # fmt: skip
        beat = None if statement is None else _beat(statement)
        said = beat or _NOTHING_SAID
        chains = known.chains(origin)
        claims = known.claims.get(origin, {})
        heard = _Heard(claims, known.claimed_ms.get(origin, {}), beat, heard_ms)
        lost = _lost_states(known.lost.get(origin), chains, heard)
        current = beat.head.epoch if beat is not None and beat.head is not None else None
        given_up = [epoch for epoch, declared in lost.items() if _is_settled(declared, chains, current)]
        knowledge = knowledge_of(chains, claims, given_up, current)
        # What a backup brought back was said to another life of head office: what came after may be lost.
        of_this_life = beat is not None and is_of_life(beat.nonce, known.incarnation)
        silent, limit_ms = silent_ms(heard_ms if of_this_life else None, now_ms), self._silence_limit_ms
        is_silent = silent is None or silent > limit_ms
        owings = [owing_of_epoch(item, silent, limit_ms) for item in knowledge]
        owing = owings[0] if len(owings) == 1 else owing_of_register(tuple(knowledge), silent, limit_ms)
        owes = (
            owing in (Owing.OWES, Owing.MAY_OWE) and beat is not None and not _settled(beat, chains, claims)
        )
        return Register(
            origin=OriginId(origin), kind=kind, store=store, series=series, currency=currency, name=name,
            enrolled_at_ms=enrolled_at_ms, software=software, replaces=replaces, retired_at_ms=retired_at_ms,
            retired_by=retired_by, retired_reason=retired_reason,
            owing=owing.value,
            owed_count=said.owed_count if owes else 0,
            owed_minor=said.owed_minor if owes else 0,
            owed_oldest_ms=said.owed_oldest_ms if owes else None,
            owed_dates=said.owed_dates if owes else (),
            may_owe_since_ms=heard_ms,
            applied_seq=chains[-1]["head_seq"] if chains else 0,
            epochs=tuple(
                _standing(chain, item, of_epoch, lost.get(item.epoch), is_silent=is_silent)
                for chain, item, of_epoch in itertools.zip_longest(chains, knowledge, owings)
            ),
            waiting=known.waiting.get(origin, 0),
            last_contact_ms=contact_ms, last_word_ms=heard_ms,
            blocked_code=blocked_code, blocked_detail=blocked_detail,
            business_date=said.business_date, day_open=said.day_open, skew_ms=skew_ms,
            disk_free_bytes=said.disk_free_bytes, state=said.state, problems=said.problems,
            feeds=() if beat is None else known.ages(beat), readiness=said.readiness,
        )  # fmt: skip


_CHAIN: tuple[str, ...] = (
    "origin", "chain", "epoch", "branch", "fork_seq", "head_seq", "head_hash", "closed_at_seq", "segment",
    "cause", "parent_epoch", "safe_seq",
)  # fmt: skip
_Row = Sequence[Any]
_Built = tuple[tuple[Any, ...], Register]
"""What a register was made of, and the register."""
_HEARD_MS = 13
_NOTHING_SAID = Heartbeat(
    origin=OriginId(""), clock_ms=0, offset_min=0, head=None, owed_count=0, owed_minor=0, currency=""
)
_NONE_LOST: Mapping[str, LostEpoch] = {}


class _Heard(NamedTuple):
    """What a register said that is not here."""

    claims: Mapping[str, int]
    """Epoch → highest claimed seq."""
    claimed_ms: Mapping[str, int]
    """Epoch → when one of its claims came last."""
    beat: Heartbeat | None
    heard_ms: int | None


class _Known:
    """What one look found, by origin."""

    def __init__(self, conn: psycopg.Connection[Any], origin: OriginId | None) -> None:
        self._chains: defaultdict[str, list[_Row]] = defaultdict(list)
        for row in _sql.chains(conn, origin=origin):
            self._chains[row[0]].append(row)
        self.claims: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self.claimed_ms: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for owner, epoch, seq, claimed_at_ms in _sql.open_claims(conn, origin=origin):
            self.claims[owner][epoch] = seq
            self.claimed_ms[owner][epoch] = claimed_at_ms
        self.lost: defaultdict[str, dict[str, LostEpoch]] = defaultdict(dict)
        for row in _sql.lost(conn, origin=origin):
            declared = LostEpoch(*row)
            self.lost[declared.origin][declared.epoch] = declared
        self.waiting: dict[str, int] = dict(_sql.waiting(conn, origin=origin))
        self.feeds = _sql.feeds(conn)
        self.incarnation = IncarnationId(_sql.incarnation(conn))
        self._ages: dict[tuple[tuple[str, tuple[str, int]], ...], tuple[FeedAge, ...]] = {}

    def chains(self, origin: str) -> list[Chain]:
        """Its branches, in the order in which they came."""
        return [dict(zip(_CHAIN, row, strict=True)) for row in self._chains.get(origin, ())]

    def made_of(self, origin: str) -> tuple[Any, ...]:
        """All that is known here of one register: equal where nothing changed."""
        return (
            self._chains.get(origin), self.claims.get(origin), self.claimed_ms.get(origin),
            self.lost.get(origin),
            self.waiting.get(origin), self.feeds, self.incarnation,
        )  # fmt: skip

    def ages(self, beat: Heartbeat) -> tuple[FeedAge, ...]:
        """Of every feed that has rows or that the register has. Most of a fleet runs on the same."""
        runs_on = tuple(beat.feeds.items())
        ages = self._ages.get(runs_on)
        if ages is None:
            ages = self._ages[runs_on] = self._ages_of(beat)
        return ages

    def _ages_of(self, beat: Heartbeat) -> tuple[FeedAge, ...]:
        ages: list[FeedAge] = []
        for feed, newest_n, changed_at_ms, incarnation in self.feeds:
            runs_on = beat.feeds.get(feed, ("", 0))
            current = runs_on[0] == incarnation and runs_on[1] >= newest_n
            if newest_n or runs_on[1]:
                ages.append(
                    FeedAge(
                        feed=feed, n=runs_on[1], newest_n=newest_n,
                        is_current=current, newest_since_ms=changed_at_ms,
                    )
                )  # fmt: skip
        return tuple(ages)


def _beat(statement: bytes) -> Heartbeat | None:
    try:
        return decode(statement, Heartbeat)
    except MalformedFault:  # kept by another version
        return None


def _settled(beat: Heartbeat, chains: Sequence[Chain], claims: Mapping[str, int]) -> bool:
    """Is all of what the register's last word named here; the same seq of another copy is not it."""
    head = beat.head
    if head is None:
        return False
    own = [chain for chain in chains if chain["epoch"] == head.epoch]
    if any((chain["head_seq"], chain["head_hash"]) == (head.seq, head.hash) for chain in own):
        return True
    # Behind a branch's head: the word's own claim stays open for as long as that very entry is not here.
    return any(chain["head_seq"] > head.seq for chain in own) and claims.get(head.epoch, 0) < head.seq


def _lost_states(
    declared: Mapping[str, LostEpoch] | None, chains: Sequence[Chain], heard: _Heard
) -> Mapping[str, LostEpoch]:
    if declared is None:
        return _NONE_LOST
    return {epoch: _lost_state(each, chains, heard) for epoch, each in declared.items()}


def _lost_state(declared: LostEpoch, chains: Sequence[Chain], heard: _Heard) -> LostEpoch:
    """What became of a declaration: anything of the epoch that came since shows that it was not lost."""
    if declared.confirmed_at_ms is None:
        return msgspec.structs.replace(declared, state="proposed")
    held = sum(chain["head_seq"] - chain["fork_seq"] for chain in chains if chain["epoch"] == declared.epoch)
    claimed, arrived = heard.claims.get(declared.epoch, 0), max(0, held - declared.held_entries)
    beat, heard_ms = heard.beat, heard.heard_ms
    named = beat is not None and beat.head is not None and beat.head.epoch == declared.epoch
    spoke = named and heard_ms is not None and heard_ms > declared.confirmed_at_ms
    # Also a claim below the one that was given up: another copy of that register made it.
    spoke = spoke or heard.claimed_ms.get(declared.epoch, 0) > declared.confirmed_at_ms
    if not (arrived or spoke or claimed > declared.claimed_seq):
        return msgspec.structs.replace(declared, state="lost")
    return msgspec.structs.replace(declared, state="returning" if claimed else "recovered", arrived=arrived)


def _is_settled(declared: LostEpoch, chains: Sequence[Chain], current: EpochId | None) -> bool:
    """Does nobody wait for the epoch: given up, or it came back whole and goes on no more."""
    if declared.state == "recovered":
        own = [chain for chain in chains if chain["epoch"] == declared.epoch]
        return not any(is_open(chain, chains, current) for chain in own)
    return declared.state == "lost"


def _standing(
    chain: Chain | None, item: EpochKnowledge, owing: Owing, lost: LostEpoch | None, *, is_silent: bool
) -> EpochStanding:
    return EpochStanding(
        epoch=item.epoch,
        branch=chain["branch"] if chain else 0,
        segment=(chain["segment"] if chain else "") or "",
        cause=(chain["cause"] if chain else "") or "",
        applied_seq=item.applied_seq,
        claimed_seq=item.claimed_seq,
        safe_seq=(chain["safe_seq"] if chain else 0) or 0,
        is_open=item.is_open,
        closed_at_seq=item.closed_at_seq,
        declared_lost=item.declared_lost,
        owing=owing.value,
        is_missing=owing is Owing.MAY_OWE or (owing is Owing.OWES and is_silent),
        lost=lost,
    )
