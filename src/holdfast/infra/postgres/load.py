"""Bringing a dump back into a database, and proving that it says what the original said."""

from pathlib import Path
from typing import Any

import psycopg

from holdfast.core.faults import DatabaseFault
from holdfast.infra.postgres.connect import connection_options, translated_faults
from holdfast.infra.postgres.manifest import DUMP, Manifest
from holdfast.infra.postgres.progress import Progress
from holdfast.infra.postgres.snapshot import ask, table_counts
from holdfast.infra.postgres.tools import run_tool, tools_for


def load_dump(
    folder: Path,
    dsn: str,
    manifest: Manifest,
    log: Path,
    *,
    jobs: int | None,
    progress: Progress,
    timeout_s: float,
    gentle: bool = False,
) -> None:
    """Load a backup's dump into an empty database and compare it with the manifest.

    `jobs` None: in one transaction, whole or not at all; else by so many connections. Raises DatabaseFault.
    """
    with translated_faults(), psycopg.connect(dsn, autocommit=True, **connection_options("restore")) as conn:
        tools = tools_for(conn)
        manner = ["--single-transaction"] if jobs is None else [f"--jobs={jobs}"]
        run_tool(
            [
                tools.path("pg_restore"), "--exit-on-error", "--no-owner", "--no-privileges", "--verbose",
                *manner, folder / DUMP,
            ],
            dsn,
            log,
            {"processing data for table": len(manifest.counts)},
            failure=f"The backup in {folder} cannot be loaded",
            progress=progress,
            timeout_s=timeout_s,
            gentle=gentle,
        )  # fmt: skip
        progress("Comparing the restored database with the original", None)
        compare(conn, manifest, folder)


def compare(conn: psycopg.Connection[Any], manifest: Manifest, folder: Path) -> None:
    """DatabaseFault where a database does not say what the manifest says."""
    counts = table_counts(conn)
    for table in sorted(counts.keys() | manifest.counts.keys()):
        if counts.get(table) != manifest.counts.get(table):
            raise DatabaseFault(
                f"The backup in {folder} is not whole: {table} has {counts.get(table)} rows in it, and had "
                f"{manifest.counts.get(table)}. Take another backup."
            )
    wanted = {"cursors": manifest.cursors} | manifest.checks
    found = ask(conn, {name: finding.sql for name, finding in wanted.items()})
    for name, finding in wanted.items():
        if found[name].rows != finding.rows:
            raise DatabaseFault(
                f"The backup in {folder} is not true: {name} differ from the original. Take another backup."
            )
