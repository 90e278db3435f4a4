"""The fleet as the pages show it (P6): what each register owes, may owe, or has said that it does not.

Core decides what is owed; here are its facts. All of ten thousand registers take three queries and
are kept for a second, so that many open pages cost one look.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from holdfast.core.faults import MalformedFault
from holdfast.core.ids import EpochId
from holdfast.core.monitoring.owed import EpochKnowledge, Owing, owing_of_epoch, owing_of_register
from holdfast.core.sync.limits import CLOCK_SKEW_REPORT_MS
from holdfast.core.sync.messages import Heartbeat, decode
from holdfast.hq.web.templating import span
from holdfast.infra.clock import Clock
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, Queries, load_queries

SILENCE_LIMIT_MS = 60_000
"""Silent for longer, a register may owe. An idle one is in touch every 15 s."""
KEPT_MS = 1_000
_queries: Queries = load_queries("holdfast.hq.web.registers", "fleet.sql", Engine.POSTGRES)
_ORDER = {"blocked": 0, "owes": 1, "may-owe": 2, "nothing": 3, "complete": 4}


class Feed(NamedTuple):
    """A feed as a register has it, and as it could have it."""

    name: str
    n: int
    newest_n: int
    current: bool


class Register(msgspec.Struct, frozen=True, kw_only=True):
    """One register as head office knows it."""

    origin: str
    kind: str
    store: str
    series: str
    currency: str
    name: str
    software: str
    owing: str
    applied_seq: int
    """Of its newest epoch."""
    last_contact_ms: int | None
    blocked_code: str | None
    blocked_detail: str | None
    heartbeat_ms: int | None
    """When its last signed word arrived; None: it never spoke."""
    may_owe_since_ms: int | None
    skew_ms: int | None
    owed_count: int = 0
    owed_minor: int = 0
    owed_oldest_ms: int | None = None
    owed_dates: tuple[str, ...] = ()
    business_date: str = ""
    day_open: bool = False
    connection: str = ""
    disk_free_bytes: int = 0
    problems: tuple[str, ...] = ()
    feeds: tuple[Feed, ...] = ()

    @property
    def state(self) -> str:
        """What the list is filtered and ordered by."""
        return "blocked" if self.blocked_code else self.owing

    @property
    def skewed(self) -> bool:
        return self.skew_ms is not None and abs(self.skew_ms) > CLOCK_SKEW_REPORT_MS

    @property
    def skew_text(self) -> str:
        if self.skew_ms is None:
            return "–"
        return f"{'−' if self.skew_ms < 0 else '+'}{span(self.skew_ms)}"

    @property
    def disk_text(self) -> str:
        return f"{self.disk_free_bytes / 1e9:,.1f} GB" if self.disk_free_bytes else "–"

    @property
    def stale_feeds(self) -> list[str]:
        return [feed.name for feed in self.feeds if not feed.current]


class Branch(msgspec.Struct, frozen=True):
    """One branch of one epoch."""

    chain: int
    epoch: str
    branch: int
    fork_seq: int
    head_seq: int
    head_hash: bytes
    segment: str | None
    cause: str | None
    safe_seq: int | None
    claimed_seq: int | None = None
    state: str = ""


class Amount(NamedTuple):
    currency: str
    minor: int


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The fleet in five figures."""

    total: int
    up_to_date: int
    owing: int
    may_owe: int
    owed_count: int
    owed: tuple[Amount, ...]


class Fleet:
    """Reads the fleet; thread-safe."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: tuple[int, tuple[Register, ...]] | None = None

    def all(self) -> tuple[Register, ...]:
        """Every register in service, those that need attention first. Up to a second old."""
        with self._lock:  # one thread looks, the others wait for what it finds
            now_ms = self._clock.monotonic_ms()
            if self._kept is None or now_ms - self._kept[0] > KEPT_MS:
                self._kept = (self._clock.monotonic_ms(), tuple(sorted(self._read(None)[0], key=_urgency)))
            return self._kept[1]

    def find(self, search: str, state: str) -> list[Register]:
        """Those whose name, store or series has the text in it, in that state; empty: any."""
        wanted = search.lower()
        return [
            found
            for found in self.all()
            if (not state or found.state == state)
            and (not wanted or wanted in f"{found.name}\n{found.store}\n{found.series}".lower())
        ]

    def summary(self) -> Summary:
        """The figures of the overview."""
        found = self.all()
        owed: Counter[str] = Counter()
        for register in found:
            owed[register.currency] += register.owed_minor
        states = Counter(register.owing for register in found)
        return Summary(
            total=len(found),
            up_to_date=states["nothing"] + states["complete"],
            owing=states["owes"],
            may_owe=states["may-owe"],
            owed_count=sum(register.owed_count for register in found),
            owed=tuple(Amount(currency, minor) for currency, minor in sorted(owed.items()) if minor),
        )

    def attention(self, limit: int = 8) -> list[Register]:
        """The most urgent of those that are not up to date."""
        return [register for register in self.all() if register.state not in ("nothing", "complete")][:limit]

    def one(self, origin: str) -> tuple[Register, list[Branch]] | None:
        """A register and its branches, newest first."""
        registers, knowledge, claimed = self._read(origin)
        if not registers:
            return None
        with self._pool.connection() as conn:
            branches = [Branch(*row) for row in _queries.branches(conn, origin=origin)]
        silent_ms = _silent_ms(registers[0].heartbeat_ms, self._clock.now_ms())
        states = {
            known.epoch: owing_of_epoch(known, silent_ms, SILENCE_LIMIT_MS).value
            for known in knowledge.get(origin, ())
        }
        return registers[0], [
            msgspec.structs.replace(
                branch,
                state=states.get(EpochId(branch.epoch), ""),
                claimed_seq=claimed.get((origin, branch.epoch)),
            )
            for branch in branches
        ]

    def _read(
        self, origin: str | None
    ) -> tuple[list[Register], Mapping[str, tuple[EpochKnowledge, ...]], Mapping[tuple[str, str], int]]:
        with self._pool.connection() as conn:
            origins = _queries.origins(conn, origin=origin)
            chains = _queries.chains(conn, origin=origin)
            claims = {(row[0], row[1]): row[2:] for row in _queries.claims(conn, origin=origin)}
            newest = dict(_queries.feed_versions(conn))
        knowledge = _knowledge(chains, claims)
        applied = {row[0]: row[5] for row in chains if row[2] == 0}  # the last main branch of each counts
        now_ms = self._clock.now_ms()
        registers = [
            _register(row, knowledge.get(row[0], ()), applied.get(row[0], 0), newest, now_ms)
            for row in origins
        ]
        return registers, knowledge, {place: highest for place, (highest, _) in claims.items()}


def _knowledge(
    chains: Iterable[Sequence[Any]], claims: Mapping[tuple[str, str], tuple[int, int | None]]
) -> dict[str, tuple[EpochKnowledge, ...]]:
    """By origin, what is known of each of its epochs. The newest main branch is the open epoch."""
    newest: dict[str, str] = {}
    branches: defaultdict[tuple[str, str], list[Sequence[Any]]] = defaultdict(list)
    for row in chains:
        branches[(row[0], row[1])].append(row)
        if row[2] == 0:
            newest[row[0]] = row[1]
    for origin, epoch in claims:
        branches[(origin, epoch)] += []  # an epoch of which nothing but a claim is known
    found: defaultdict[str, list[EpochKnowledge]] = defaultdict(list)
    for (origin, epoch), rows in branches.items():
        head_seq = max((row[5] for row in rows), default=0)
        missing = claims.get((origin, epoch), (0, None))[1]
        found[origin].append(
            EpochKnowledge(
                epoch=EpochId(epoch),
                applied_seq=head_seq,
                # A head that a copy of the disk claimed may lie below ours, and is missing all the same.
                claimed_seq=head_seq if missing is None else max(missing, head_seq + 1),
                is_open=newest.get(origin) in (epoch, None),
                closed_at_seq=max((row[6] for row in rows if row[6] is not None), default=None),
                declared_lost=bool(rows) and all(row[7] for row in rows),
            )
        )
    return {origin: tuple(known) for origin, known in found.items()}


def _register(
    row: Sequence[Any],
    epochs: tuple[EpochKnowledge, ...],
    applied_seq: int,
    newest: Mapping[str, int],
    now_ms: int,
) -> Register:
    origin, kind, store, series, currency, name, _, software, heard_ms, statement, skew_ms, contact_ms = row[
        :12
    ]
    owing = owing_of_register(epochs, _silent_ms(heard_ms, now_ms), SILENCE_LIMIT_MS)
    beat = _heartbeat(statement)
    if beat is not None and beat.owed_count and owing in (Owing.NOTHING, Owing.COMPLETE):
        owing = Owing.OWES
    base = Register(
        origin=origin,
        kind=kind,
        store=store,
        series=series,
        currency=currency,
        name=name or series,
        software=software if beat is None else beat.software or software,
        owing=owing.value,
        applied_seq=applied_seq,
        last_contact_ms=contact_ms if heard_ms is None else max(heard_ms, contact_ms or heard_ms),
        blocked_code=row[12],
        blocked_detail=row[13],
        heartbeat_ms=heard_ms,
        may_owe_since_ms=heard_ms if owing is Owing.MAY_OWE else None,
        skew_ms=skew_ms,
    )
    return base if beat is None else _with_word(base, beat, newest)


def _with_word(register: Register, beat: Heartbeat, newest: Mapping[str, int]) -> Register:
    """What it said itself, last."""
    feeds = tuple(
        Feed(feed, have[1], newest[feed], have[1] >= newest[feed])
        for feed, have in sorted(beat.feeds.items())
        if feed in newest
    )
    return msgspec.structs.replace(
        register,
        owed_count=beat.owed_count,
        owed_minor=beat.owed_minor,
        owed_oldest_ms=beat.owed_oldest_ms,
        owed_dates=beat.owed_dates,
        business_date=beat.business_date,
        day_open=beat.day_open,
        connection=beat.state,
        disk_free_bytes=beat.disk_free_bytes,
        problems=beat.problems,
        feeds=feeds,
    )


def _heartbeat(statement: bytes | None) -> Heartbeat | None:
    if statement is None:
        return None
    try:
        return decode(statement, Heartbeat)
    except MalformedFault:
        return None  # of a version that this one cannot read; contact and claims stand by themselves


def _silent_ms(heard_ms: int | None, now_ms: int) -> int | None:
    return None if heard_ms is None else now_ms - heard_ms


def _urgency(register: Register) -> tuple[int, str, str, str]:
    return _ORDER.get(register.state, 0), register.store, register.name, register.origin
