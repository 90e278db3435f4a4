"""Backups of head office: verified before they count, and the safe cursors that follow from them."""

import errno
import re
import shutil
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psycopg

from holdfast.core.faults import ConfigurationFault, StorageFullFault
from holdfast.core.ids import IncarnationId
from holdfast.hq import safe
from holdfast.hq.incarnation import new_incarnation
from holdfast.infra.clock import Clock, Randomness
from holdfast.infra.postgres import backup as infra
from holdfast.infra.postgres.connect import Pool, connect, translated_faults
from holdfast.infra.postgres.manifest import Manifest
from holdfast.infra.postgres.progress import Progress, silent
from holdfast.infra.postgres.restore import restore as restore_cluster
from holdfast.infra.postgres.restore import restore_into
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq", "backup.sql", Engine.POSTGRES)

_NAME = re.compile(r"(\d{6,})-\d{8}T\d{6}Z")
"""A backup is named by its number and its time. Only the number orders: clocks are put right."""
LIST_MAX = 100
CHECKS: Mapping[str, str] = {
    "documents": (
        "select type, count(*) as documents, coalesce(sum(total_minor), 0) as total_minor "
        "from document group by type order by type"
    ),
    "lines": (
        "select count(*) as lines, coalesce(sum(quantity_milli), 0) as quantity_milli, "
        "coalesce(sum(quantity_milli::numeric * unit_price_e4), 0) as amount from document_line"
    ),
}
"""Compared in the restored copy, beside the row counts and the cursors."""


class BackupRow(msgspec.Struct, frozen=True):
    """A backup that was verified."""

    backup: str
    path: str
    manifest_sha256: str
    taken_at_ms: int
    verified_at_ms: int
    bytes: int
    took_ms: int | None = None
    by_schedule: bool = False
    removed_at_ms: int | None = None
    """When its files made room for newer ones."""


class Failure(msgspec.Struct, frozen=True):
    """Why the schedule brings no backup about."""

    since_ms: int
    at_ms: int
    tries: int
    code: str
    sentence: str
    """Cause and cure."""


def take_backup(
    pool: Pool,
    dsn: str,
    folder: Path,
    clock: Clock,
    incarnation: IncarnationId,
    progress: Progress = silent,
    *,
    by_schedule: bool = False,
) -> BackupRow:
    """Back up into a new folder inside `folder`, prove it, and move the safe cursors to what it holds.

    One of the schedule takes what processor time others leave. Raises as `infra.postgres.backup.backup`;
    then no cursor moved.
    """
    with pool.connection() as conn:
        number = _sql.next_number(conn, above=max(_numbers_in(folder), default=0))
    assert number is not None, "a sequence gives a number"
    name = f"{number:06d}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    began_s = time.monotonic()
    try:
        made = infra.backup(
            dsn,
            folder / name,
            cursors_sql=safe.CURSORS_SQL,
            checks=CHECKS,
            labels={"incarnation": incarnation},
            progress=progress,
            gentle=by_schedule,
        )
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFullFault(f"The disk of {folder} is full. Make room for the backup.") from error
        raise ConfigurationFault(
            f"The backup folder {folder} cannot be used ({error.strerror}). Let the account that runs "
            "Holdfast write there, or name another folder."
        ) from error
    row = BackupRow(
        backup=name,
        path=str(made.path),
        manifest_sha256=made.manifest_sha256,
        taken_at_ms=int(made.manifest.at.timestamp() * 1_000),
        verified_at_ms=clock.now_ms(),
        bytes=sum(file.stat().st_size for file in made.path.rglob("*") if file.is_file()),
        took_ms=round((time.monotonic() - began_s) * 1_000),
        by_schedule=by_schedule,
    )
    with pool.connection() as conn:
        _sql.add_backup(
            conn,
            number=number,
            backup=row.backup,
            path=row.path,
            manifest_sha256=row.manifest_sha256,
            taken_at_ms=row.taken_at_ms,
            verified_at_ms=row.verified_at_ms,
            bytes=row.bytes,
            took_ms=row.took_ms,
            by_schedule=row.by_schedule,
        )
    safe.advance(pool, name, safe.cursors_of(made), clock.now_ms())
    return row


def backups(pool: Pool, limit: int = LIST_MAX) -> list[BackupRow]:
    """Those that were verified, newest first. Their folders may have been moved since."""
    with pool.connection() as conn:
        return [BackupRow(*row) for row in _sql.backups(conn, limit=limit)]


def failure(pool: Pool) -> Failure | None:
    """Why the schedule brings no backup about; None: its last one went well, or none was due yet."""
    with pool.connection() as conn:
        row = _sql.failure(conn)
    return None if row is None else Failure(*row)


def standby(pool: Pool) -> str | None:
    """The name of the synchronous standby that makes chains safe; None: there is none."""
    with pool.connection() as conn:
        return _sql.standby(conn)


def note_failed(pool: Pool, code: str, sentence: str, now_ms: int) -> int:
    """Keep that a backup failed, and alert once; how often in a row it did."""
    with pool.connection() as conn:
        tries = _sql.failed(conn, at_ms=now_ms, code=code, sentence=sentence)
        if tries == 1:
            _sql.add_alert(conn, detail=sentence)
    return tries


def note_mended(pool: Pool, now_ms: int) -> None:
    """A backup went well: what failed before needs nobody any more."""
    with pool.connection() as conn:
        _sql.mended(conn)
        _sql.close_alerts(conn, at_ms=now_ms)


def remove_surplus(pool: Pool, folder: Path, keep: int, now_ms: int) -> list[BackupRow]:
    """Delete the files of all but the newest `keep` backups of the schedule; those that went.

    What they made safe the newer ones hold too. One that lies elsewhere by now is left alone.
    """
    with pool.connection() as conn:
        surplus = [BackupRow(*row) for row in _sql.surplus(conn, keep=keep)]
    gone: list[BackupRow] = []
    for row in surplus:
        path = Path(row.path)
        if path.parent != folder.resolve() or not _NAME.fullmatch(path.name):
            continue
        shutil.rmtree(path, ignore_errors=True)
        with pool.connection() as conn:
            _sql.removed(conn, backup=row.backup, at_ms=now_ms)
        gone.append(row)
    return gone


def refuse_older(backup_dir: Path) -> None:
    """Registers may have deleted what a newer backup made safe; ConfigurationFault where there is one."""
    own = _NAME.fullmatch(backup_dir.name)
    newest = max(_numbers_in(backup_dir.parent), default=0)
    if own is not None and newest > int(own[1]):
        raise ConfigurationFault(
            f"{backup_dir.parent} holds a newer backup, number {newest}. Registers may have deleted "
            "what it holds, so restore that one. Where it cannot be used, move it away first."
        )


def _numbers_in(folder: Path) -> list[int]:
    """Of the backups that lie there."""
    if not folder.is_dir():
        return []
    named = ((_NAME.fullmatch(path.name), path) for path in folder.iterdir())
    return [int(found[1]) for found, path in named if found is not None and path.is_dir()]


def restore_embedded(
    backup_dir: Path, data_dir: Path, clock: Clock, randomness: Randomness, progress: Progress = silent
) -> tuple[Manifest, Path | None]:
    """Bring a backup back as the embedded server's data, in a new incarnation; the former folder's place.

    Nothing may run on the data. Raises as `infra.postgres.restore.restore`.
    """
    detail = f"restored from the backup {backup_dir.name}"

    def before_swap(dsn: str) -> None:
        with translated_faults(), psycopg.connect(dsn) as conn:
            safe.begin_restored(conn, new_incarnation(randomness), clock.now_ms(), detail)

    restored = restore_cluster(backup_dir, data_dir, before_swap=before_swap, progress=progress)
    return restored.manifest, restored.former


def restore_dsn(
    backup_dir: Path, dsn: str, clock: Clock, randomness: Randomness, progress: Progress = silent
) -> Manifest:
    """The same into an empty database of your own server."""
    manifest = restore_into(backup_dir, dsn, progress=progress)
    conn = connect(dsn, name="restore")
    try:
        with translated_faults(), conn.transaction():
            detail = f"restored from the backup {backup_dir.name}"
            safe.begin_restored(conn, new_incarnation(randomness), clock.now_ms(), detail)
    finally:
        conn.close()
    return manifest
