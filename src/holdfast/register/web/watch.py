"""Watching what changes outside a request: the line's mode, what is owed, an outage to warn of.

One thread looks a few times a second at two databases on this machine and wakes the open pages. It also
carries out what the sync process asks of checkout, so that all writing of the journal is in this process.
"""

import os
import signal
import threading
from collections.abc import Callable
from typing import TypeVar

import msgspec
import structlog

from holdfast.core.connection import Mode
from holdfast.core.faults import DamagedFault, Fault
from holdfast.core.work_mode import WorkMode
from holdfast.infra.clock import Clock
from holdfast.infra.web import Wakeups
from holdfast.register.checkout import Checkout, Owed
from holdfast.register.sync.reference_file import ReferenceFile
from holdfast.register.sync.requests import Inbox, carry_out_all
from holdfast.register.sync.status import LinkStatus, read_status
from holdfast.register.web.drills import Drills

T = TypeVar("T")

CHANGED = "status"
"""The key that pages wait for."""
LOOK_EVERY_S = 0.2
REFRESH_EVERY_MS = 15_000
"""Ages are shown in minutes: without any change the line is written anew this often."""
TIDY_AFTER_MS = 2_000
TIDY_AFTER_LOOKS = 100
"""A till that is never quiet is tidied after so many commits: about 300 pages of its log, while SQLite
would have a sale move them at 4,000."""
FAULT_PAUSE_S = 1.0
_log = structlog.get_logger(__name__)


class Outage(msgspec.Struct, frozen=True):
    """An outage that began while a transaction was open, and that nobody has read of yet (SW1)."""

    since_ms: int
    at_start: bool = False
    """Head office was not heard since this till was started: whoever signed in before that was certain is
    told as at a start (SW12)."""


class Watch:
    """Keeps the newest status; `link`, `owed` and `outage` may be read from any thread."""

    def __init__(
        self,
        file: ReferenceFile,
        checkout: Checkout,
        clock: Clock,
        wakeups: Wakeups,
        sync_lost_ms: Callable[[], int | None],
    ) -> None:
        """`file` may be written: requests of the sync process are closed over it."""
        self._file = file
        self._connection = file.connection()
        self._inbox = Inbox(self._connection)
        self._checkout = checkout
        self._clock = clock
        self._wakeups = wakeups
        self.sync_lost_ms = sync_lost_ms
        self._stop = threading.Event()
        self._look_now = threading.Event()
        self._thread = threading.Thread(target=self._run, name="holdfast-watch", daemon=True)
        self._refreshed_ms = 0
        self._began_ms = clock.now_ms()
        self._worked_ms = clock.monotonic_ms()
        self._untidied = 1
        """Commits since the last tidying; the first one is for what a start left."""
        self.outage: Outage | None = None
        self.on_link: Callable[[LinkStatus], None] = lambda _: None
        """Hears each look at the line, and which feeds came over it."""
        self.drills = Drills(checkout, clock, lambda: wakeups.wake(CHANGED))
        self.link: LinkStatus = self._whole(lambda: read_status(self._connection))
        self.owed: Owed = checkout.owed(self.link.applied)
        self.work: WorkMode = checkout.work_mode()
        self._was_reachable = self._reachable()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._look_now.set()
        self._thread.join(10)

    def look(self) -> None:
        """Something was committed: do not wait for the next look."""
        self._worked_ms = self._clock.monotonic_ms()
        self._untidied += 1
        self._look_now.set()

    def accept_outage(self, since_ms: int | None = None) -> None:
        """*Continue* was pressed; None: whichever outage it is, it was told of."""
        if since_ms is not None and self.drills.accept(since_ms):
            since_ms = None  # that a drill ended tells of the outage too
            self._wakeups.wake(CHANGED)
        if self.outage is not None and since_ms in (None, self.outage.since_ms):
            self.outage = None
            self._wakeups.wake(CHANGED)

    def head_office_ms(self) -> int | None:
        """Its time at the last contact."""
        return self.link.head_office_ms

    def mode(self) -> Mode:
        """How the till works now: offline also by hand, in a drill, and where no sync process runs."""
        is_cut = self.sync_lost_ms() is not None or self.work.is_offline or self.drills.on is not None
        return Mode.OFFLINE if is_cut else self.link.mode

    @property
    def is_broken(self) -> bool:
        """A bug ended it: what the page says of the line would be old."""
        return not self._stop.is_set() and not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._try_once()
                self._look_now.wait(LOOK_EVERY_S)
                self._look_now.clear()
        finally:
            if not self._stop.is_set():
                # Only a bug gets here. A till that shows an old status is worse than one that starts anew.
                os.kill(os.getpid(), signal.SIGTERM)

    def _whole(self, work: Callable[[], T]) -> T:
        """`work` over the file that is in place now; a damaged one is set aside, and the till goes on."""
        self._follow()
        try:
            return work()
        except DamagedFault as fault:
            if not self._file.renew(fault):
                raise
        self._follow()
        return work()

    def _follow(self) -> None:
        connection = self._file.connection()
        if connection is not self._connection:
            self._connection, self._inbox = connection, Inbox(connection)

    def _try_once(self) -> None:
        try:
            self._whole(self._once)
        except Fault as fault:
            # The page shows what was known; the next look may find the disk or the lock free again.
            _log.warning("watch", code=fault.code, fault=fault.sentence)
            self._stop.wait(FAULT_PAUSE_S)

    def _once(self) -> None:
        now_ms = self._clock.now_ms()
        if carry_out_all(self._inbox, self._checkout, now_ms):
            self.look()  # there may be more to do
        link = read_status(self._connection)
        work = self._checkout.work_mode()
        is_away = link.mode is Mode.OFFLINE or self.sync_lost_ms() is not None
        if self.drills.look(line_is_away=is_away, by_hand=work.is_offline):
            self.look()  # what it wrote is owed
        drill = self.drills.on
        owed = self._checkout.owed(link.applied if drill is None else drill.without(link.applied))
        outage = self._warn_of(now_ms, link)
        is_stale = self._clock.monotonic_ms() - self._refreshed_ms > REFRESH_EVERY_MS
        shown = (*_told(self.link), self.owed, self.outage, self.work)
        self.link, self.owed, self.outage, self.work = link, owed, outage, work
        self.on_link(link)
        if shown != (*_told(link), owed, outage, work) or is_stale:
            self._refreshed_ms = self._clock.monotonic_ms()
            self._wakeups.wake(CHANGED)
        self._tidy()

    def _reachable(self) -> bool:
        return self.link.mode is not Mode.OFFLINE and self.sync_lost_ms() is None

    def _warn_of(self, now_ms: int, link: LinkStatus) -> Outage | None:
        """One warning an outage, and only where it meets an open transaction."""
        reachable = link.mode is not Mode.OFFLINE and self.sync_lost_ms() is None
        was_reachable, self._was_reachable = self._was_reachable, reachable
        if reachable:
            return None
        if was_reachable and not link.forced:
            basket = self._checkout.basket()
            at_start = (link.last_contact_ms or 0) < self._began_ms
            if at_start or (basket is not None and basket.lines):
                return Outage(since_ms=link.since_ms or now_ms, at_start=at_start)
        return self.outage

    def _tidy(self) -> None:
        """Once after some quiet, so that the next sale finds a short WAL."""
        is_quiet = self._clock.monotonic_ms() - self._worked_ms > TIDY_AFTER_MS
        if self._untidied >= TIDY_AFTER_LOOKS or (self._untidied and is_quiet):
            self._checkout.tidy()
            self._untidied = 0


def _told(link: LinkStatus) -> tuple[object, ...]:
    """What a page says of the line; the time of the last contact alone wakes none."""
    return (
        link.mode,
        link.since_ms,
        link.forced,
        link.blocked_code,
        link.problems,
        link.reach,
        link.tried,
        tuple((feed, age.checked_ms) for feed, age in link.feeds.items()),
    )
