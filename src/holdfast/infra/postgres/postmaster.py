"""What `postmaster.pid` in a data folder says, and whether it still says the truth.

After a power cut or `kill -9` the file stays. PostgreSQL itself ignores it when no process has that number,
but refuses to start when the number went to another process of the same account, which is usual in a
container, where numbers are few. So the file is removed when its process is surely not a server on this
folder. Callers hold the folder's lock.
"""

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from holdfast.core.faults import ConfigurationFault
from holdfast.infra.postgres.progress import Progress

_PID_FILE = "postmaster.pid"


@dataclass(frozen=True)
class Postmaster:
    """A server as its pid file describes it."""

    pid: int
    socket_dir: str
    state: str  # starting, ready, stopping, standby; empty while it is very young


def read_postmaster(data_dir: Path) -> Postmaster | None:
    """What the pid file says; None where there is none or it is torn."""
    try:
        lines = (data_dir / _PID_FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return None
    lines += [""] * (8 - len(lines))
    if not lines[0].strip().isdigit():
        return None
    return Postmaster(int(lines[0]), socket_dir=lines[4].strip(), state=lines[7].strip())


def is_running(postmaster: Postmaster, data_dir: Path) -> bool:
    """Whether that process lives and is a server on this folder."""
    try:
        argv = Path(f"/proc/{postmaster.pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    if os.path.basename(argv[0]) not in (b"postgres", b"postmaster"):
        return False  # also a zombie, whose command line is empty
    return os.fsencode(data_dir) in argv or _works_in(postmaster.pid, data_dir)


def _works_in(pid: int, data_dir: Path) -> bool:
    """A server's working folder is its data folder; started by hand it may be spelled in another way."""
    try:
        return os.path.samefile(f"/proc/{pid}/cwd", data_dir)
    except FileNotFoundError:
        return False
    except PermissionError:
        return True  # another account's server: rather refuse than share its data


def wait_for_predecessor(data_dir: Path, progress: Progress, timeout_s: float) -> None:
    """Wait until a server whose launcher was killed has ended, then clear away a stale pid file.

    Raises ConfigurationFault when it is still there after `timeout_s`: somebody started it by hand.
    """
    deadline = time.monotonic() + timeout_s
    while (postmaster := read_postmaster(data_dir)) is not None and is_running(postmaster, data_dir):
        if time.monotonic() > deadline:
            raise ConfigurationFault(
                f"A PostgreSQL server (process {postmaster.pid}) still runs on {data_dir}, and no Holdfast "
                f"started it. Stop it with: kill -INT {postmaster.pid}"
            )
        progress("Waiting for the former database server to end", None)
        time.sleep(0.05)
    with contextlib.suppress(FileNotFoundError):
        (data_dir / _PID_FILE).unlink()
