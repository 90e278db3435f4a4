"""Running `pg_dump` and `pg_restore` against any server."""

import os
import re
import shutil
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from holdfast.core.faults import ConfigurationFault, UnavailableFault
from holdfast.infra.postgres import binaries as wheel
from holdfast.infra.postgres.cluster import fault_from_output
from holdfast.infra.postgres.connect import where
from holdfast.infra.postgres.progress import Progress
from holdfast.infra.process import end_child, spawn_child


@dataclass(frozen=True)
class Tools:
    """The folder of `pg_dump` and `pg_restore` of one version."""

    folder: Path

    def path(self, program: str) -> Path:
        """The path of one of them."""
        return self.folder / program


def tools_for(conn: psycopg.Connection[Any]) -> Tools:
    """Tools that understand this server: not older than it, and speaking TLS where the connection does."""
    server_major = conn.info.server_version // 10000
    newest = wheel.newest()
    if newest.major >= server_major and not conn.pgconn.ssl_in_use:
        return Tools(newest.folder)
    for major, folder in _installed():
        if major >= server_major:
            return Tools(folder)
    raise ConfigurationFault(
        f"To back up the PostgreSQL {server_major} server at {where(conn)}, Holdfast needs pg_dump "
        f"{server_major} "
        f"or newer. Install it (on Debian: postgresql-client-{server_major}) and put it on the PATH."
    )


def _installed() -> Iterator[tuple[int, Path]]:
    """Tools of the machine itself, with their major versions."""
    found = shutil.which("pg_dump")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        if (folder / "pg_dump").exists():
            yield wheel.major_of(folder / "pg_dump"), folder


def run_tool(
    argv: Sequence[str | os.PathLike[str]],
    dsn: str,
    log: Path,
    steps: Mapping[str, int],
    *,
    failure: str,
    progress: Progress,
    timeout_s: float,
    gentle: bool = False,
) -> None:
    """Run a tool with `--dbname` of `dsn`, its words going into `log`; it ends with this process.

    `steps` maps a verbose line's beginning to how often it will come, for `progress`. Raises DatabaseFault or
    StorageFullFault beginning with `failure`, or UnavailableFault after `timeout_s`.
    """
    given = conninfo_to_dict(dsn)
    password = given.pop("password", None)
    env = dict(os.environ) | ({"PGPASSWORD": str(password)} if password is not None else {})  # not in `ps`
    with open(log, "wb") as output:
        child = spawn_child(
            [*argv, "--dbname", make_conninfo("", **given)],
            stdout=output,
            stderr=output,
            env=env,
            cwd=log.parent,
            gentle=gentle,
        )
    deadline = time.monotonic() + timeout_s
    try:
        while child.poll() is None:
            if time.monotonic() > deadline:
                raise UnavailableFault(f"{failure}: it did not end within {timeout_s:.0f} s.")
            _tell(log, steps, progress)
            time.sleep(0.05)
    finally:
        end_child(child, ask=signal.SIGTERM)
        _tell(log, steps, progress)
    if child.returncode != 0:
        raise fault_from_output(failure, log.read_text(encoding="utf-8", errors="replace"))


def _tell(log: Path, steps: Mapping[str, int], progress: Progress) -> None:
    """The last step that the log names, and how many of all were named."""
    said = log.read_text(encoding="utf-8", errors="replace")
    wanted = "|".join(map(re.escape, steps))
    found = re.findall(rf"(?:{wanted}).*", said)
    if found:
        progress(found[-1][:1].upper() + found[-1][1:], min(1.0, len(found) / max(1, sum(steps.values()))))
