"""What head office knows of a register, as its pages and commands tell it (P6)."""

import enum
from collections import Counter, defaultdict
from collections.abc import Sequence

import msgspec

from holdfast.core.ids import EpochId, OriginId
from holdfast.core.readiness import Readiness
from holdfast.core.sync.limits import CLOCK_SKEW_REPORT_MS


class LostEpoch(msgspec.Struct, frozen=True, gc=False):
    """What two people said of an epoch that may owe: that nobody waits for the rest of it."""

    id: int
    origin: OriginId
    epoch: EpochId
    reason: str
    proposed_by: str
    proposed_at_ms: int
    confirmed_by: str | None
    confirmed_at_ms: int | None
    withdrawn_by: str | None
    withdrawn_at_ms: int | None
    held_entries: int
    """Entries that were here then, over all branches."""
    claimed_seq: int
    """The highest head that was claimed and not here then; 0: none."""
    state: str = ""
    """`proposed`, `lost`, `returning` (some of it came since), `recovered` (all that is known of)."""
    arrived: int = 0
    """Entries that came since."""


class EpochStanding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One branch of one epoch."""

    epoch: EpochId
    branch: int
    segment: str
    cause: str
    applied_seq: int
    claimed_seq: int
    safe_seq: int
    is_open: bool
    closed_at_seq: int | None
    declared_lost: bool
    owing: str
    is_missing: bool = False
    """Something may be missing that nobody brings: it is silent, or ended without a closing entry."""
    lost: LostEpoch | None = None


class FeedAge(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Which version of a feed a register runs on."""

    feed: str
    n: int
    newest_n: int
    is_current: bool
    newest_since_ms: int | None


class Urgency(enum.IntEnum):
    """The most urgent first."""

    BLOCKED = 0
    WAITING = 1
    """Entries in quarantine."""
    SPEAKS_RETIRED = 2
    OWES = 3
    MAY_OWE = 4
    FINE = 5
    RETIRED = 6


_URGENCY = {
    ("owes", False): Urgency.OWES,
    ("owes", True): Urgency.OWES,
    ("may-owe", False): Urgency.MAY_OWE,
    ("may-owe", True): Urgency.MAY_OWE,
    ("nothing", False): Urgency.FINE,
    ("complete", False): Urgency.FINE,
    ("complete", True): Urgency.RETIRED,
}


class Register(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A register (or a store server) as head office knows it."""

    origin: OriginId
    kind: str
    store: str
    series: str
    currency: str
    name: str
    enrolled_at_ms: int
    software: str
    replaces: OriginId | None
    retired_at_ms: int | None
    """Out of service: it closed its journal, another took its place, or somebody declared it. What it may owe
    is told as of any other."""
    retired_by: str | None
    """Who declared it; None: nobody had to, or it is in service."""
    retired_reason: str | None
    owing: str
    """`owes`, `may-owe`, `nothing` or `complete`."""
    owed_count: int
    """Documents, by its last signed word; 0 once all of what it named is here."""
    owed_minor: int
    owed_oldest_ms: int | None
    owed_dates: tuple[str, ...]
    may_owe_since_ms: int | None
    """Its last signed word; None: never heard."""
    applied_seq: int
    """Of its newest epoch."""
    epochs: tuple[EpochStanding, ...]
    waiting: int
    """Entries in quarantine."""
    last_contact_ms: int | None
    last_word_ms: int | None
    blocked_code: str | None
    blocked_detail: str | None
    business_date: str
    day_open: bool
    skew_ms: int | None
    disk_free_bytes: int
    state: str
    problems: tuple[str, ...]
    feeds: tuple[FeedAge, ...]
    readiness: Readiness | None = None
    """Whether it would survive an outage, by its last word; None: it did not say."""

    @property
    def skewed(self) -> bool:
        return self.skew_ms is not None and abs(self.skew_ms) > CLOCK_SKEW_REPORT_MS

    @property
    def skew_text(self) -> str:
        return "–" if self.skew_ms is None else f"{self.skew_ms / 1_000:+.1f} s"

    @property
    def stale_feeds(self) -> tuple[str, ...]:
        return tuple(age.feed for age in self.feeds if not age.is_current)

    @property
    def is_retired(self) -> bool:
        return self.retired_at_ms is not None

    @property
    def speaks_retired(self) -> bool:
        """It was taken out of service, and is in touch all the same, in an epoch that goes on."""
        return self.is_retired and self.owing == "nothing"

    @property
    def needs_attention(self) -> bool:
        return self.urgency < Urgency.FINE

    @property
    def urgency(self) -> "Urgency":
        """How soon a person should look at it: the order of every list."""
        if self.blocked_code is not None:
            return Urgency.BLOCKED
        if self.waiting:
            return Urgency.WAITING
        if self.speaks_retired:
            return Urgency.SPEAKS_RETIRED
        return _URGENCY[self.owing, self.is_retired]


def by_urgency(register: Register) -> tuple[int, int]:
    """Sorts the most urgent first: of those that owe the one with the oldest sale, of those that may owe the
    one that is silent for longest. The others keep their order: a list does not move under its reader."""
    urgency = register.urgency
    if urgency is Urgency.OWES:
        return urgency, register.owed_oldest_ms or 0
    if urgency is Urgency.MAY_OWE:
        return urgency, register.last_contact_ms or 0
    return urgency, 0


class Amount(msgspec.Struct, frozen=True):
    minor: int
    currency: str


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The fleet in a few figures."""

    total: int
    """In service, or retired and not done with."""
    retired: int
    """Out of service, and all of theirs is here or was given up."""
    up_to_date: int
    owing: int
    may_owe: int
    blocked: int
    waiting: int
    """Entries in quarantine."""
    attention: int
    """Registers that a person should look at."""
    owed_count: int
    owed: tuple[Amount, ...]


def summary_of(registers: Sequence[Register]) -> Summary:
    owed: defaultdict[str, int] = defaultdict(int)
    for register in registers:
        if register.owed_minor:
            owed[register.currency] += register.owed_minor
    urgencies = Counter(register.urgency for register in registers)
    owing = Counter(register.owing for register in registers)
    return Summary(
        total=len(registers) - urgencies[Urgency.RETIRED],
        retired=urgencies[Urgency.RETIRED],
        up_to_date=urgencies[Urgency.FINE],
        owing=owing["owes"],
        may_owe=owing["may-owe"],
        blocked=urgencies[Urgency.BLOCKED],
        waiting=sum(register.waiting for register in registers),
        attention=sum(count for urgency, count in urgencies.items() if urgency < Urgency.FINE),
        owed_count=sum(register.owed_count for register in registers),
        owed=tuple(Amount(minor, currency) for currency, minor in sorted(owed.items())),
    )
