"""What the routes are given: head office itself, the queries of the pages, and the web's own state."""

from dataclasses import dataclass, field
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from holdfast.core.ids import IncarnationId, OriginId
from holdfast.hq.commands import CommandBook
from holdfast.hq.enrolment import Enrolment
from holdfast.hq.feeds import Feeds
from holdfast.hq.ingest import Ingest
from holdfast.hq.web.alerts.read import Alerts
from holdfast.hq.web.auth.accounts import Accounts
from holdfast.hq.web.auth.throttle import Throttle
from holdfast.hq.web.registers.fleet import Fleet
from holdfast.hq.web.sales.documents import Documents
from holdfast.infra.clock import Clock
from holdfast.infra.web import Lane, Wakeups

PAGES = "pages"
"""The key that live pages wait for."""


def commands_key(origin: OriginId) -> str:
    """The key that a register's long poll waits for."""
    return f"commands:{origin}"


class Answer(Protocol):
    """Every answer of the protocol that names head office's life."""

    @property
    def incarnation(self) -> IncarnationId: ...


A = TypeVar("A", bound=Answer)


@dataclass
class Services:
    """One head office process."""

    clock: Clock
    zone: ZoneInfo
    tls: bool
    accounts: Accounts
    throttle: Throttle
    documents: Documents
    alerts: Alerts
    fleet: Fleet
    ingest: Ingest
    enrolment: Enrolment
    feeds: Feeds
    commands: CommandBook
    incarnation: IncarnationId
    """As the last answer had it: probes are answered without the database."""
    streams: int = 0
    """Pages that are live now."""
    wakeups: Wakeups = field(default_factory=Wakeups)
    ingest_lane: Lane = field(default_factory=lambda: Lane("ingest", threads=4, waiting_max=64))
    service_lane: Lane = field(default_factory=lambda: Lane("service", threads=4, waiting_max=20_000))
    pages: Lane = field(default_factory=lambda: Lane("pages", threads=4, waiting_max=200))

    def saw(self, answer: A) -> A:
        """Remember the incarnation that an answer gives away."""
        self.incarnation = answer.incarnation
        return answer
