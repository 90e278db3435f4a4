"""Alerts and quarantine as the pages read them."""

from collections.abc import Sequence

import msgspec

from holdfast.infra.clock import Clock
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

LIST_MAX = 500
_queries = load_queries("holdfast.hq.web", "alert_book.sql", Engine.POSTGRES)

_KINDS = {
    "fork": ("Two copies sold", "Find out which disk was copied, and take one of the two out of service."),
    "quarantine": (
        "An entry waits",
        "It is kept, and counted as waiting. If its version is newer, upgrade head office; else ask support.",
    ),
    "lost-state": (
        "Head office lost state",
        "A register showed a receipt for what is not here. What registers keep is being sent again.",
    ),
    "lost-life": (
        "Head office was put back",
        "A register showed what a later head office signed. What registers keep is being sent again.",
    ),
    "backup": (
        "No backup could be taken",
        "Mend what is named here; head office tries again by itself. Until then registers delete nothing.",
    ),
    "restored": ("Head office was restored", "Registers send again what the backup lacks."),
    "unknown-register": (
        "An unknown register presents itself",
        "Was head office restored, and does the register not come back by itself: enrol it anew, and keep "
        "its folder. If nobody knows it, somebody tries the door.",
    ),
    "session-refused": (
        "Somebody used a register's name",
        "Is it the register itself (its page says Blocked), give it another key there. Else somebody tries "
        "the door; the register goes on.",
    ),
    "readmitted": (
        "A register was taken back",
        "A restore had taken away that it, or its key, was known. Check that it is one of yours.",
    ),
    "rekeyed": ("A register was given another key", "Check that this was ordered here."),
    "recovered-key": (
        "A register's database key was recovered",
        "Whoever has it can read that register's database. Check that this was ordered here.",
    ),
    "clock": (
        "A clock is far off",
        "Set the clock and the time zone of that machine. Its sales keep their business dates.",
    ),
    "returned-twice": (
        "Goods came back twice on one receipt",
        "Registers that could not hear of each other paid back more than was paid. Look at the returns that "
        "are named, and at who approved them.",
    ),
    "z-report": (
        "A Z report and the sales do not agree",
        "Look at the day closing: were entries lost, or do some wait? It is compared again as more arrives.",
    ),
    "central-value": (
        "Value moved with a remark",
        "The report of differences says what, at which register, and who released its lock, if anybody.",
    ),
    "central-proof": (
        "Central value does not add up",
        "The page Proof names the accounts. Nobody may have changed the ledger's tables: ask support.",
    ),
    "clone": ("A register's disk was copied", "Only one of the two may go on. Enrol the other one anew."),
}


_UPGRADE = "Upgrade head office: it is tried again by itself then."
_ASK = "Keep it, and ask support: the register wrote something that does not add up."
_CAUSES = {
    "unknown-type": ("A newer kind of entry", _UPGRADE),
    "newer-version": ("A newer version of an entry", _UPGRADE),
    "unreadable": (
        "Unreadable at its register",
        "Its disk lost it. Bring the register's backup back, or ask support.",
    ),
    "reference-conflict": (
        "Its number stands already",
        "Another document of other content has that external number. Find out which of the two is right.",
    ),
    "totals": ("Its sums do not agree", _ASK),
    "database": (
        "The database refused it",
        "Ask support, with the detail: a rule of it is in the way.",
    ),
}


def _words(code: str) -> str:
    return code.replace("-", " ").replace(".", ": ").capitalize()


class Alert(msgspec.Struct, frozen=True):
    """One thing that somebody must look at."""

    id: int
    kind: str
    origin: str | None
    register: str | None
    store: str | None
    chain: int | None
    seq: int | None
    detail: str
    raised_at_ms: int
    acknowledged_at_ms: int | None
    acknowledged_by: str | None

    @property
    def heading(self) -> str:
        """What happened, in a few words."""
        return _KINDS.get(self.kind, (_words(self.kind), ""))[0]

    @property
    def cure(self) -> str:
        """What to do about it."""
        return _KINDS.get(
            self.kind, ("", "Look at the register, and acknowledge this once it is understood.")
        )[1]


class Waiting(msgspec.Struct, frozen=True):
    """An entry that could take no effect yet."""

    chain: int
    seq: int
    origin: str
    register: str
    store: str
    epoch: str
    cause: str
    detail: str
    since_ms: int
    attempts: int

    @property
    def heading(self) -> str:
        """Why it waits, in a few words."""
        return _CAUSES.get(self.cause, (_words(self.cause), ""))[0]

    @property
    def cure(self) -> str:
        """What lets it take effect."""
        return _CAUSES.get(self.cause, ("", _ASK))[1]


class AlertBook:
    """Reads and acknowledges; one transaction a call."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    def open_count(self) -> int:
        """How many nobody has acknowledged."""
        with self._pool.connection() as conn:
            return _queries.open_count(conn)

    def open(self, origin: str | None = None, limit: int = LIST_MAX) -> Sequence[Alert]:
        """Unacknowledged ones, newest first."""
        with self._pool.connection() as conn:
            return [Alert(*row) for row in _queries.open_alerts(conn, origin=origin, limit=limit)]

    def seen(self) -> Sequence[Alert]:
        """The last acknowledged ones."""
        with self._pool.connection() as conn:
            return [Alert(*row) for row in _queries.seen_alerts(conn, limit=50)]

    def acknowledge(self, id: int, by: str) -> None:
        """Somebody has looked at it. Harmless the second time."""
        with self._pool.connection() as conn:
            _queries.acknowledge(conn, id=id, by=by, now_ms=self._clock.now_ms())

    def waiting(self, origin: str | None = None) -> Sequence[Waiting]:
        """Entries in quarantine, oldest first."""
        with self._pool.connection() as conn:
            return [Waiting(*row) for row in _queries.waiting(conn, origin=origin, limit=LIST_MAX)]
