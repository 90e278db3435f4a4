"""The private folder of a server's socket. Its path is short, because a socket's path may have 107 bytes."""

import contextlib
import os
import re
import shutil
import tempfile
from pathlib import Path

from holdfast.core.faults import ConfigurationFault
from holdfast.infra.postgres.account import give_to
from holdfast.infra.postgres.places import Places, read_note, write_note
from holdfast.infra.process import RunAs

_PREFIX = "holdfast-pg-"
_OURS = re.compile(re.escape(_PREFIX) + r"\w+")
_LONGEST = 107 - len(f"/{_PREFIX}12345678/.s.PGSQL.5432.lock")


def make_socket_dir(places: Places, run_as: RunAs, again: Path | None) -> Path:
    """A new folder that only the server's account enters, noted beside the data; a former one is removed.

    `again` is the folder of the last start by this process: with the same path, pools find the server again.
    """
    remove_socket_dir(places)
    folder = (again and _make_again(again)) or _make_anywhere()
    give_to(run_as, folder)
    write_note(places.socket_file, f"{folder}\n")
    return folder


def _make_again(folder: Path) -> Path | None:
    try:
        folder.mkdir(mode=0o700)
    except (FileExistsError, FileNotFoundError):
        return None  # somebody else's by now
    return folder


def _make_anywhere() -> Path:
    # The account must reach it, so systemd's folder for a service or the machine's temporary one; not a login
    # session's folder, which vanishes with the session.
    candidates = [
        os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0],
        tempfile.gettempdir(),
        "/tmp",
        "/dev/shm",
    ]
    for candidate in candidates:
        fits = (
            candidate and len(os.fsencode(candidate)) <= _LONGEST and os.access(candidate, os.W_OK | os.X_OK)
        )
        if fits:
            return Path(tempfile.mkdtemp(prefix=_PREFIX, dir=candidate))
    raise ConfigurationFault(
        "PostgreSQL needs a folder for its socket with a short path, and none of "
        f"{', '.join(filter(None, candidates))} can be written. Set TMPDIR to one with at most {_LONGEST} "
        "bytes."
    )


def remove_socket_dir(places: Places) -> None:
    """Remove the noted folder, if it looks like one of ours, and the note."""
    noted = read_note(places.socket_file)
    if noted and _OURS.fullmatch(os.path.basename(noted)) and os.path.isabs(noted):
        shutil.rmtree(noted, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        places.socket_file.unlink()


def discard_scratch(scratch: Path, data_dir: Path) -> None:
    """Remove what a killed process left: a folder, and the socket of its server on `data_dir` inside it."""
    remove_socket_dir(Places(data_dir))
    shutil.rmtree(scratch, ignore_errors=True)
