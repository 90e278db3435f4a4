"""Backups by themselves: without one nothing ever becomes *safe*, and no register may delete anything (P1).

A thread of `hq serve` takes a verified backup when one is due, keeps the newest few, and writes down why it
could not. It takes no lock that ingest waits for, and what processor time others leave.
"""

import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import psycopg
import structlog

from holdfast.core.faults import DatabaseFault, Fault, UnavailableFault
from holdfast.hq.backup import BackupRow, backups, note_failed, note_mended, remove_surplus
from holdfast.infra.clock import Clock
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.postgres.progress import Progress

HOUR_MS = 3_600_000
FIRST_AFTER_MS = 10 * 60_000
"""From the start of a service that has no backup yet to its first one."""
SETTLE_MS = 2 * 60_000
"""Registers come back first, then a backup that is overdue."""
RETRY_MS = 15 * 60_000
"""After one that failed; a full disk does not empty by itself at once."""
LOOK_S = 20.0
_STOP_S = 20.0
_log = structlog.get_logger(__name__)

Take = Callable[[Path, Progress], BackupRow]


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """How often, where to, and how many stay."""

    every_ms: int
    folder: Path
    keep: int


class StoppedFault(UnavailableFault):
    """Head office ends, and the backup under way with it."""

    code = "backup.stopped"


class BackupKeeper:
    """Takes backups until `stop`, one at a time."""

    def __init__(
        self, pool: Pool, take: Take, schedule: Schedule, clock: Clock, *, look_s: float = LOOK_S
    ) -> None:
        self._pool = pool
        self._take = take
        self._schedule = schedule
        self._clock = clock
        self._look_s = look_s
        self._began_ms = clock.monotonic_ms()
        self._failed_ms: int | None = None
        self._taken_ms: int | None = None
        self._stopped = threading.Event()
        self._wanted = threading.Event()
        self._woken = threading.Event()
        self._since_ms: int | None = None
        self._thread = threading.Thread(target=self._keep, name="keep-backups", daemon=True)
        self._thread.start()

    @property
    def under_way_since_ms(self) -> int | None:
        """When the backup began that is being taken; None: none is."""
        return self._since_ms

    def now(self) -> None:
        """Take one as soon as may be, whenever the next is due."""
        self._wanted.set()
        self._woken.set()

    def stop(self) -> None:
        """End the backup under way. What it wrote is removed, or by the next one."""
        self._stopped.set()
        self._woken.set()
        self._thread.join(_STOP_S)

    # ---- in its own thread

    def _keep(self) -> None:
        while not self._stopped.is_set():
            try:
                if self._wanted.is_set() or self._is_due():
                    self._wanted.clear()
                    self._attempt()
            except (Fault, psycopg.Error) as fault:  # the next look may go well
                _log.warning("backups cannot be looked after", fault=str(fault))
            self._woken.wait(self._look_s)
            self._woken.clear()

    def _is_due(self) -> bool:
        newest = backups(self._pool, limit=1)
        now_ms = self._clock.monotonic_ms()
        return is_due(
            self._schedule.every_ms,
            age_ms=self._clock.now_ms() - newest[0].taken_at_ms if newest else None,
            served_ms=now_ms - self._began_ms,
            failed_ms=None if self._failed_ms is None else now_ms - self._failed_ms,
            taken_ms=None if self._taken_ms is None else now_ms - self._taken_ms,
        )

    def _attempt(self) -> None:
        schedule = self._schedule
        self._since_ms = self._clock.now_ms()
        try:
            row = self._take(schedule.folder, self._progress)
            note_mended(self._pool, self._clock.now_ms())
            gone = remove_surplus(self._pool, schedule.folder, schedule.keep, self._clock.now_ms())
        except StoppedFault:
            return
        except (Fault, psycopg.Error) as error:
            if self._stopped.is_set():
                return  # its connection was cut by our own end
            self._failed_ms = self._clock.monotonic_ms()
            fault = error if isinstance(error, Fault) else DatabaseFault(f"The backup failed: {error}")
            _log.error("the backup failed", code=fault.code, fault=fault.sentence)
            note_failed(self._pool, fault.code, fault.sentence, self._clock.now_ms())
        else:
            self._failed_ms = None
            self._taken_ms = self._clock.monotonic_ms()
            _log.info("backup taken", backup=row.backup, took_ms=row.took_ms, removed=len(gone))
        finally:
            self._since_ms = None

    def _progress(self, _sentence: str, _fraction: float | None) -> None:
        if self._stopped.is_set():
            raise StoppedFault("Head office ends; the next backup is taken when it serves again.")


def is_due(
    every_ms: int, *, age_ms: int | None, served_ms: int, failed_ms: int | None, taken_ms: int | None
) -> bool:
    """Whether to take a backup now.

    `age_ms`: of the newest good one, None where there is none; a clock that was put back makes it negative,
    and says nothing. `failed_ms`, `taken_ms`: since the last failure and the last good one of this process,
    whatever the clock did meanwhile.
    """
    if failed_ms is not None and failed_ms < min(RETRY_MS, every_ms):
        return False
    if taken_ms is not None:
        return taken_ms >= every_ms
    if age_ms is None:
        return served_ms >= min(FIRST_AFTER_MS, every_ms)
    return served_ms >= min(SETTLE_MS, every_ms) and not 0 <= age_ms < every_ms


def schedule_of(every_h: int, folder: Path, keep: int) -> Schedule | None:
    """The settings' schedule; None: backups are taken by command alone."""
    return None if every_h == 0 else Schedule(every_ms=every_h * HOUR_MS, folder=folder, keep=keep)
