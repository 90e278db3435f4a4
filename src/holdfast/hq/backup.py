"""Backups of head office: verified before they count, and the safe cursors that follow from them."""

import re
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psycopg

from holdfast.core.faults import ConfigurationFault
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

_sql = load_queries("holdfast.hq", "safe.sql", Engine.POSTGRES)

_NAME = re.compile(r"\d{8}T\d{6}\.\d{6}Z")
"""A backup is named by its time, so names sort as times do."""
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


def take_backup(
    pool: Pool,
    dsn: str,
    folder: Path,
    clock: Clock,
    incarnation: IncarnationId,
    progress: Progress = silent,
) -> BackupRow:
    """Back up into a new folder inside `folder`, prove it, and move the safe cursors to what it holds.

    Raises as `infra.postgres.backup.backup`; then no cursor moved.
    """
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    made = infra.backup(
        dsn,
        folder / name,
        cursors_sql=safe.CURSORS_SQL,
        checks=CHECKS,
        labels={"incarnation": incarnation},
        progress=progress,
    )
    row = BackupRow(
        backup=name,
        path=str(made.path),
        manifest_sha256=made.manifest_sha256,
        taken_at_ms=int(made.manifest.at.timestamp() * 1_000),
        verified_at_ms=clock.now_ms(),
        bytes=sum(file.stat().st_size for file in made.path.rglob("*") if file.is_file()),
    )
    with pool.connection() as conn:
        _sql.add_backup(conn, **msgspec.structs.asdict(row))
    safe.advance(pool, name, safe.cursors_of(made), clock.now_ms())
    return row


def backups(pool: Pool) -> list[BackupRow]:
    """Those that were verified, newest first. Their folders may have been moved since."""
    with pool.connection() as conn:
        return [BackupRow(*row) for row in _sql.backups(conn)]


def refuse_older(backup_dir: Path) -> None:
    """Registers may have deleted what a newer backup made safe; ConfigurationFault where there is one."""
    newer = sorted(
        path.name
        for path in backup_dir.parent.iterdir()
        if _NAME.fullmatch(path.name) and path.name > backup_dir.name and path.is_dir()
    )
    if _NAME.fullmatch(backup_dir.name) and newer:
        raise ConfigurationFault(
            f"{backup_dir.parent} holds a newer backup, {newer[-1]}. Registers may have deleted "
            "what it holds, so restore that one. Where it cannot be used, move it away first."
        )


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


def remove_backup(folder: Path, row: BackupRow) -> None:
    """Delete a backup's files; what it made safe was so while it was there, and newer ones hold more."""
    path = Path(row.path)
    assert path.parent == folder, "only a backup of this head office is removed"
    shutil.rmtree(path)
