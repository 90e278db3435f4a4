"""How backups stand, as the overview and their own page show it."""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from holdfast.hq.backup import BackupRow, Failure, backups, failure, standby
from holdfast.hq.backup_keeper import HOUR_MS
from holdfast.hq.service import HeadOffice
from holdfast.infra.postgres.connect import Pool

LATE_FACTOR = 2
"""A backup that is older than so many rounds of the schedule is late, whatever the reason."""


class BackupState(msgspec.Struct, frozen=True, kw_only=True):
    """The schedule and how it goes."""

    rows: Sequence[BackupRow]
    failure: Failure | None
    standby: str | None
    """A synchronous standby makes entries safe too."""
    every_h: int
    """0: by command alone."""
    keep: int
    folder: Path
    on_database_disk: bool
    """What destroys that disk takes the backups with it."""
    under_way_since_ms: int | None
    now_ms: int

    @property
    def last(self) -> BackupRow | None:
        """The last good one."""
        return self.rows[0] if self.rows else None

    @property
    def age_ms(self) -> int | None:
        return None if self.last is None else self.now_ms - self.last.taken_at_ms

    @property
    def next_ms(self) -> int | None:
        """When the next one is due."""
        last = self.last
        return None if last is None or not self.every_h else last.taken_at_ms + self.every_h * HOUR_MS

    @property
    def is_late(self) -> bool:
        age_ms = self.age_ms
        return bool(self.every_h) and age_ms is not None and age_ms > LATE_FACTOR * self.every_h * HOUR_MS

    @property
    def makes_nothing_safe(self) -> bool:
        """Registers can delete nothing, for good, unless somebody acts."""
        return not self.every_h and self.standby is None and self.last is None


def read_state(head_office: HeadOffice, pool: Pool, limit: int = 20) -> BackupState:
    """As of now."""
    config, home = head_office.config, head_office.home
    folder, keeper = home.backups_of(config), head_office.backup_keeper
    return BackupState(
        rows=backups(pool, limit),
        failure=failure(pool),
        standby=standby(pool),
        every_h=config.backup_every_h,
        keep=config.backup_keep,
        folder=folder,
        on_database_disk=not config.dsn and _same_disk(folder, home.postgres),
        under_way_since_ms=None if keeper is None else keeper.under_way_since_ms,
        now_ms=head_office.clock.now_ms(),
    )


def _same_disk(one: Path, other: Path) -> bool:
    try:
        return os.stat(one).st_dev == os.stat(other).st_dev
    except OSError:  # not there yet: nobody knows
        return False
