"""What the routes are given: head office itself, what the pages read, and the web's own state."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from holdfast.core.ids import IncarnationId, OriginId
from holdfast.hq.kept import Kept
from holdfast.hq.retirement import Retirements
from holdfast.hq.service import HeadOffice
from holdfast.hq.web.alert_book import AlertBook
from holdfast.hq.web.days import Day, last_days
from holdfast.hq.web.news import COMMANDS, NewsWatch
from holdfast.hq.web.throttle import Throttle
from holdfast.hq.web.uploads import Uploads
from holdfast.infra.clock import Clock, time_zone
from holdfast.infra.config import HeadOfficeConfig, HeadOfficeHome
from holdfast.infra.postgres.connect import Pool, open_pool
from holdfast.infra.web import Lane, Tls, Wakeups

PAGES = "pages"
"""The key that live pages wait for."""
PAGE_CONNECTIONS = 4
_PAGE_STATEMENT_TIMEOUT_S = 15.0
DAYS_STALE_MAX_MS = 60_000


def commands_key(origin: OriginId) -> str:
    """The key that a register's long poll waits for."""
    return f"{COMMANDS}{origin}"


class Answer(Protocol):
    """Every answer of the protocol that names head office's life."""

    @property
    def incarnation(self) -> IncarnationId: ...


A = TypeVar("A", bound=Answer)


@dataclass
class Services:
    """One head office process."""

    head_office: HeadOffice
    clock: Clock
    zone: ZoneInfo
    tls: Tls | None
    pool: Pool
    """For what the pages read."""
    throttle: Throttle
    alerts: AlertBook
    retirements: Retirements
    days: "Kept[Sequence[Day]]"
    """Totals of the last business dates: over a large chain, of a minute ago."""
    uploads: Uploads
    news: NewsWatch
    incarnation: IncarnationId
    """As the last answer had it: probes are answered without the database."""
    streams: int = 0
    """Pages that are live now."""
    wakeups: Wakeups = field(default_factory=Wakeups)
    ingest_lane: Lane = field(default_factory=lambda: Lane("ingest", threads=4, waiting_max=64))
    service_lane: Lane = field(default_factory=lambda: Lane("service", threads=6, waiting_max=20_000))
    central_lane: Lane = field(default_factory=lambda: Lane("central", threads=6, waiting_max=1_000))
    stock_lane: Lane = field(default_factory=lambda: Lane("stock", threads=2, waiting_max=20_000))
    """All tills ask for their store's figures at once when the line is back: no hold waits behind them."""
    pages: Lane = field(default_factory=lambda: Lane("pages", threads=4, waiting_max=200))

    def saw(self, answer: A) -> A:
        """Remember the incarnation that an answer gives away."""
        self.incarnation = answer.incarnation
        return answer


@contextmanager
def open_services(head_office: HeadOffice) -> Iterator[Services]:
    """Everything that the web server needs beside an open head office."""
    clock = head_office.clock
    with ExitStack() as stack:
        pool = open_pool(
            lambda: head_office.dsn,  # an embedded server that was started again has another
            name="pages",
            max_size=PAGE_CONNECTIONS,
            timeout_s=10.0,
            statement_timeout_s=_PAGE_STATEMENT_TIMEOUT_S,
            down=head_office.database_fault,
        )
        stack.callback(pool.close)
        wakeups = Wakeups()
        news = NewsWatch(head_office.feeds, head_office.command_book, wakeups, clock)
        stack.callback(news.stop)
        services = Services(
            head_office=head_office,
            clock=clock,
            zone=time_zone(head_office.config.timezone),
            tls=tls_of(head_office.home, head_office.config),
            pool=pool,
            throttle=Throttle(clock),
            alerts=AlertBook(pool, clock),
            retirements=Retirements(pool, clock),
            days=Kept("days", lambda: last_days(pool), clock, DAYS_STALE_MAX_MS),
            uploads=Uploads(clock),
            news=news,
            wakeups=wakeups,
            incarnation=head_office.ingest.incarnation(),
        )
        for lane in (
            services.ingest_lane,
            services.service_lane,
            services.central_lane,
            services.stock_lane,
            services.pages,
        ):
            stack.callback(lane.close)
        yield services


def tls_of(home: HeadOfficeHome, config: HeadOfficeConfig) -> Tls | None:
    """The certificate to present; None: plain HTTP, on this machine alone."""
    if not config.tls_certificate:
        return None
    return Tls(home.path / Path(config.tls_certificate), home.path / Path(config.tls_key))
