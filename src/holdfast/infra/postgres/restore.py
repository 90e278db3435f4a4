"""Bringing a backup back: as a new data folder of the embedded server, or into an empty database of yours.

The former data folder is renamed, never deleted. Until the last step nothing of it is touched; the steps are

    <data>.new        is built, compared with the manifest and flushed
    <data>.restored   it is renamed to this: from here on the restore counts
    <data>.before-restore-<time>   the former folder
    <data>            the restored one

and a start of the server completes a restore that was cut between the last two.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from holdfast.core.faults import ConfigurationFault
from holdfast.infra.postgres import binaries as wheel
from holdfast.infra.postgres.account import account_for
from holdfast.infra.postgres.cluster import finish_restore, pin_major, run_to_end
from holdfast.infra.postgres.connect import connect, translated_faults
from holdfast.infra.postgres.launcher import EmbeddedPostgres
from holdfast.infra.postgres.load import load_dump
from holdfast.infra.postgres.lock import FolderLock
from holdfast.infra.postgres.manifest import Manifest, read_sealed
from holdfast.infra.postgres.places import Places, sync_folder
from holdfast.infra.postgres.postmaster import is_running, read_postmaster
from holdfast.infra.postgres.progress import Progress, silent
from holdfast.infra.postgres.snapshot import tables
from holdfast.infra.postgres.socketdir import discard_scratch

_JOBS = 2
_SYNC_TIMEOUT_S = 3600.0


@dataclass(frozen=True)
class Restored:
    """What a restore brought back, and where the former data folder is now (None: there was none)."""

    manifest: Manifest
    former: Path | None


def restore(
    backup_dir: str | os.PathLike[str],
    data_dir: str | os.PathLike[str],
    *,
    before_swap: Callable[[str], None] | None = None,
    expect_labels: Mapping[str, str] | None = None,
    expect_manifest_sha256: str | None = None,
    progress: Progress = silent,
    timeout_s: float = 6 * 3600.0,
) -> Restored:
    """Make `data_dir` of the embedded server from a backup, by the newest PostgreSQL installed.

    `before_swap` gets the DSN of the restored and compared database before it takes its place: what must be
    true from its first start on (a new incarnation) is written there. Raises ConfigurationFault while a
    server runs on the folder, and DatabaseFault for a torn, foreign or changed backup; then nothing was
    touched.
    """
    places = Places.of(data_dir)
    folder = Path(os.path.realpath(backup_dir))
    progress("Checking the backup", None)
    manifest = read_sealed(folder, expect_labels or {}, expect_manifest_sha256)
    lock = FolderLock(places.lock_file, places.data_dir)
    with ExitStack() as undo:
        undo.callback(lock.release)
        lock.acquire()
        _refuse_running(places)
        finish_restore(places)
        scratch = places.staging
        discard_scratch(scratch, scratch / "data")
        scratch.mkdir(mode=0o711)
        undo.callback(shutil.rmtree, scratch, ignore_errors=True)
        _build(folder, manifest, scratch, before_swap, progress, timeout_s)
        return Restored(manifest, _swap(scratch / "data", places))


def restore_into(
    backup_dir: str | os.PathLike[str],
    dsn: str,
    *,
    expect_labels: Mapping[str, str] | None = None,
    expect_manifest_sha256: str | None = None,
    progress: Progress = silent,
    timeout_s: float = 6 * 3600.0,
) -> Manifest:
    """Load a backup into an empty database of any server, in one transaction, and compare it.

    Raises ConfigurationFault where the database is not empty, else as `restore`.
    """
    folder = Path(os.path.realpath(backup_dir))
    manifest = read_sealed(folder, expect_labels or {}, expect_manifest_sha256)
    with connect(dsn, name="restore") as conn, translated_faults():
        present = tables(conn)
        if present:
            raise ConfigurationFault(
                f"The database {conn.info.dbname} is not empty (it has {'.'.join(present[0])}). Create a "
                "new one "
                "to restore into."
            )
    log = folder.with_name(folder.name + ".restore.log")
    with ExitStack() as undo:
        undo.callback(log.unlink, missing_ok=True)
        load_dump(folder, dsn, manifest, log, jobs=None, progress=progress, timeout_s=timeout_s)
    return manifest


def _build(
    folder: Path,
    manifest: Manifest,
    scratch: Path,
    before_swap: Callable[[str], None] | None,
    progress: Progress,
    timeout_s: float,
) -> None:
    """A data folder with the backup's contents, stopped cleanly and flushed as a whole."""
    with EmbeddedPostgres(scratch / "data", durable=False) as server:
        load_dump(
            folder,
            server.dsn,
            manifest,
            scratch / "restore.log",
            jobs=_JOBS,
            progress=progress,
            timeout_s=timeout_s,
        )
        _analyze(server.dsn, progress)
        if before_swap is not None:
            before_swap(server.dsn)
    progress("Writing everything to the disk", None)
    initdb = wheel.newest().path("initdb")
    sync = [initdb, "--sync-only", "-D", scratch / "data"]
    run_to_end(
        sync, account_for(scratch / "data"), "The restored database cannot be flushed", _SYNC_TIMEOUT_S
    )


def _analyze(dsn: str, progress: Progress) -> None:
    """Without statistics the first queries after a restore would take the slowest plans."""
    progress("Gathering statistics", None)
    with translated_faults(), psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("analyze")


def _swap(fresh: Path, places: Places) -> Path | None:
    """Put the fresh data folder into place; where the former one is now."""
    former = None
    shutil.rmtree(places.restored, ignore_errors=True)
    fresh.rename(places.restored)
    sync_folder(places.data_dir.parent)
    if places.data_dir.exists():
        former = places.beside(f".before-restore-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")
        places.data_dir.rename(former)
        sync_folder(places.data_dir.parent)
    finish_restore(places)
    pin_major(places, wheel.newest())
    return former


def _refuse_running(places: Places) -> None:
    postmaster = read_postmaster(places.data_dir) if places.data_dir.exists() else None
    if postmaster is not None and is_running(postmaster, places.data_dir):
        raise ConfigurationFault(
            f"A PostgreSQL server (process {postmaster.pid}) runs on {places.data_dir}. Stop it, then "
            "restore."
        )
