"""Making a data folder, and knowing which PostgreSQL it belongs to."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from holdfast.core.faults import DatabaseFault, Fault, StorageFullFault
from holdfast.infra.postgres import binaries as wheel
from holdfast.infra.postgres.account import give_to
from holdfast.infra.postgres.binaries import Binaries
from holdfast.infra.postgres.places import Places, read_note, sync_folder, write_note
from holdfast.infra.postgres.progress import Progress
from holdfast.infra.process import RunAs, end_child, spawn_child

SUPERUSER = "holdfast"
_INITDB_TIMEOUT_S = 300.0
_LOG_PREFIX = re.compile(r"^.*? UTC \[\d+\] ")


def server_environment() -> dict[str, str]:
    """Our environment without what would change a server's behaviour from outside."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def create_cluster(binaries: Binaries, folder: Path, run_as: RunAs, *, sync: bool = True) -> None:
    """Run initdb into a new folder; what stands there is removed. The folder is not pinned yet."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    give_to(run_as, folder)
    argv = [
        binaries.path("initdb"), "-D", folder, "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8",
        "--data-checksums", "--no-instructions", *_locale(binaries), *([] if sync else ["--no-sync"]),
    ]  # fmt: skip
    run_to_end(argv, run_as, f"PostgreSQL could not make a database in {folder}", _INITDB_TIMEOUT_S)


def _locale(binaries: Binaries) -> Sequence[str]:
    """Text sorts by code point on every machine; case works beyond ASCII where PostgreSQL has its tables."""
    own_tables = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if binaries.major >= 17 else []
    return ["--locale=C", *own_tables]


def run_to_end(argv: Sequence[str | os.PathLike[str]], run_as: RunAs, failure: str, timeout_s: float) -> str:
    """Run one of PostgreSQL's programs; its output, or a Fault that begins with `failure`."""
    child = spawn_child(
        argv,
        run_as=run_as,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=server_environment(),
        cwd="/",
    )
    try:
        output = child.communicate(timeout=timeout_s)[0].decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        raise DatabaseFault(f"{failure}: it did not end within {timeout_s:.0f} s.") from None
    finally:
        end_child(child)
    if child.returncode != 0:
        raise fault_from_output(failure, output)
    return output


def fault_from_output(failure: str, output: str) -> Fault:
    """The fault that a program's last words mean."""
    if "No space left on device" in output or "Disk quota exceeded" in output:
        return StorageFullFault(f"{failure}: the disk is full. Make room, then try again.")
    lines = [_LOG_PREFIX.sub("", line).strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if any(word in line for word in ("PANIC", "FATAL", "rror:", "ERROR"))]
    said = (telling or lines or ["it said nothing"])[-1]
    return DatabaseFault(f"{failure}: {said}")


def choose_binaries(places: Places) -> Binaries:
    """The PostgreSQL for this data folder; DatabaseFault when data, pin and installation do not fit."""
    pin = read_note(places.major_file)
    on_disk = read_note(places.data_dir / "PG_VERSION")
    if on_disk is None and not is_absent(places.data_dir):
        raise DatabaseFault(
            f"{places.data_dir} exists and is no PostgreSQL database. Move it away, or give another folder."
        )
    if on_disk is None:
        if pin is not None:
            raise DatabaseFault(
                f"The database that was in {places.data_dir} is gone: {places.major_file} says there was "
                "one. "
                f"Put it back or restore a backup; to begin with an empty one, remove {places.major_file}."
            )
        return wheel.newest()
    if pin is not None and pin != on_disk:
        raise DatabaseFault(
            f"{places.data_dir} was made by PostgreSQL {on_disk}, but {places.major_file} pins {pin}. Put "
            "the right "
            "folder back, or restore a backup."
        )
    return wheel.pinned(int(on_disk), places.data_dir)


def is_absent(data_dir: Path) -> bool:
    """Whether there is no data yet: no folder, or an empty one that an admin made."""
    return not data_dir.exists() or next(data_dir.iterdir(), None) is None


def pin_major(places: Places, binaries: Binaries) -> None:
    """Write down which major version the data belongs to."""
    if read_note(places.major_file) != str(binaries.major):
        write_note(places.major_file, f"{binaries.major}\n")


def prepare_cluster(
    places: Places, binaries: Binaries, run_as: RunAs, progress: Progress, *, sync: bool = True
) -> None:
    """Make the data folder where there is none, whole or not at all, and pin its version."""
    if is_absent(places.data_dir):
        progress("Making the database", None)
        create_cluster(binaries, places.staging, run_as, sync=sync)
        places.staging.rename(places.data_dir)  # also onto an empty folder
        sync_folder(places.data_dir.parent)
    pin_major(places, binaries)


def finish_restore(places: Places) -> None:
    """A restore that was cut between its two renames is completed; before them it never happened."""
    if places.restored.exists() and is_absent(places.data_dir):
        version = read_note(places.restored / "PG_VERSION")
        places.restored.rename(places.data_dir)
        sync_folder(places.data_dir.parent)
        if version is not None:
            write_note(places.major_file, f"{version}\n")
