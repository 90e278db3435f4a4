"""A backup of any PostgreSQL database that counts only once it was restored and compared.

Head office may call a sale *safe*, and registers delete it, on the word of a backup. So each is restored
into a throwaway server before it gets its name, and its manifest holds the cursors as of the very snapshot
it contains.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from holdfast.core.faults import ConfigurationFault, StorageFullFault
from holdfast.infra.postgres.connect import connect, translated_faults
from holdfast.infra.postgres.launcher import EmbeddedPostgres
from holdfast.infra.postgres.load import load_dump
from holdfast.infra.postgres.manifest import DUMP, FORMAT, VERSION, Manifest, seal
from holdfast.infra.postgres.places import sync_folder
from holdfast.infra.postgres.progress import Progress, silent
from holdfast.infra.postgres.snapshot import (
    ask,
    database_size_bytes,
    exported_snapshot,
    snapshot_time,
    table_counts,
)
from holdfast.infra.postgres.socketdir import discard_scratch
from holdfast.infra.postgres.tools import run_tool, tools_for

_JOBS = 2
_INCOMPLETE = ".incomplete"


@dataclass(frozen=True)
class Backup:
    """A verified backup on the disk. Keep `manifest_sha256` elsewhere to notice a forged one at a restore."""

    path: Path
    manifest: Manifest
    manifest_sha256: str


def backup(
    dsn: str,
    target_dir: str | os.PathLike[str],
    *,
    cursors_sql: str,
    checks: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    progress: Progress = silent,
    timeout_s: float = 6 * 3600.0,
    gentle: bool = False,
) -> Backup:
    """Dump the database at `dsn` into the new folder `target_dir`, restore that for proof, and seal it.

    `cursors_sql` and `checks` (name to SQL) are plain selects, read in the snapshot that is dumped and
    compared with the restored copy, as is every table's row count. Sales go on meanwhile. The folder appears
    whole or not at all. `gentle`: slower, and takes what processor time others leave.

    Raises ConfigurationFault (folder in use, no fitting pg_dump), StorageFullFault (before it is too late),
    UnavailableFault, or DatabaseFault where the copy is not true.
    """
    target = Path(os.path.realpath(target_dir))
    target.parent.mkdir(parents=True, exist_ok=True)
    with _alone_in(target.parent):
        if target.exists():
            raise ConfigurationFault(f"{target} exists already. Give a new folder for each backup.")
        _discard_leftovers(target.parent)
        work = target.with_name(target.name + _INCOMPLETE)
        proof = work / "proof"
        # Others may pass through: where root runs PostgreSQL as another user, that user verifies in here.
        work.mkdir(mode=0o711)
        with contextlib.ExitStack() as undo:
            undo.callback(shutil.rmtree, work, ignore_errors=True)
            contents = work / "contents"
            contents.mkdir(mode=0o700)
            manifest = _dump(
                dsn, contents, cursors_sql, checks or {}, labels or {}, progress, timeout_s, gentle=gentle
            )
            _prove(contents, manifest, proof, progress, timeout_s, gentle=gentle)
            progress("Sealing the backup", None)
            manifest_sha256 = seal(contents, manifest)
            contents.rename(target)
            sync_folder(target.parent)
        return Backup(target, manifest, manifest_sha256)


def _discard_leftovers(folder: Path) -> None:
    """What killed backups left in this folder, which this process alone uses now: they fill the disk."""
    for work in folder.glob(f"*{_INCOMPLETE}"):
        if (work / "contents").is_dir() or (work / "proof").is_dir():  # made here, and by nobody else
            discard_scratch(work, work / "proof" / "data")


def _dump(
    dsn: str,
    contents: Path,
    cursors_sql: str,
    checks: Mapping[str, str],
    labels: Mapping[str, str],
    progress: Progress,
    timeout_s: float,
    *,
    gentle: bool,
) -> Manifest:
    jobs = 1 if gentle else _JOBS
    with connect(dsn, name="backup") as conn, translated_faults():
        _check_room(conn, contents)
        with exported_snapshot(conn) as snapshot:
            counts = table_counts(conn)
            run_tool(
                [
                    tools_for(conn).path("pg_dump"), "--format=directory", f"--jobs={jobs}", "--compress=1",
                    f"--snapshot={snapshot}", "--no-owner", "--no-privileges", "--lock-wait-timeout=60s",
                    "--verbose", "--file", contents / DUMP,
                ],
                dsn,
                contents.parent / "dump.log",
                {"dumping contents of table": len(counts)},
                failure="The database cannot be backed up",
                progress=progress,
                timeout_s=timeout_s,
                gentle=gentle,
            )  # fmt: skip
            return Manifest(
                format=FORMAT,
                version=VERSION,
                at=snapshot_time(conn),
                server_version=conn.info.parameter_status("server_version") or str(conn.info.server_version),
                database=conn.info.dbname,
                labels=dict(labels),
                counts=counts,
                cursors=ask(conn, {"cursors": cursors_sql})["cursors"],
                checks=ask(conn, checks),
            )


def _prove(
    contents: Path, manifest: Manifest, scratch: Path, progress: Progress, timeout_s: float, *, gentle: bool
) -> None:
    """Load the dump into a server of its own, and compare."""
    scratch.mkdir(mode=0o711)
    progress("Restoring the backup for proof", None)
    with EmbeddedPostgres(scratch / "data", durable=False, gentle=gentle) as server:
        load_dump(
            contents,
            server.dsn,
            manifest,
            scratch / "restore.log",
            jobs=1 if gentle else _JOBS,
            progress=progress,
            timeout_s=timeout_s,
            gentle=gentle,
        )


def _check_room(conn: psycopg.Connection[Any], folder: Path) -> None:
    """The dump and the restored copy must fit; a backup never fills the disk that sales are stored on."""
    needed = 2 * database_size_bytes(conn)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StorageFullFault(
            f"The backup needs about {needed / 1e9:.1f} GB in {folder.parent.parent}, and {free / 1e9:.1f} "
            "GB are "
            "free. Make room or give another folder."
        )


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """One backup at a time in a folder."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise ConfigurationFault(
            f"Another backup into {folder} is under way. Wait for it, then try again."
        ) from None
    finally:
        os.close(handle)
