"""One launcher at a time on a data folder. The kernel ends the lock with the process that holds it."""

import fcntl
import os
from pathlib import Path

from holdfast.core.faults import ConfigurationFault


class FolderLock:
    """An exclusive lock on a data folder, held from `acquire` to `release` or to the end of this process."""

    def __init__(self, lock_file: Path, what: Path) -> None:
        self._lock_file = lock_file
        self._what = what
        self._handle: int | None = None

    def acquire(self) -> None:
        """Take the lock, or raise ConfigurationFault naming the process that has it. Never waits."""
        self._lock_file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(handle, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(handle)
            raise ConfigurationFault(
                f"The database in {self._what} is already in use by another Holdfast (process {holder}). "
                "Stop that one first, or give this one a folder of its own."
            ) from None
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode("ascii"))
        self._handle = handle

    def release(self) -> None:
        """Give the lock back, if it is held. The file stays: a removed one would lock nothing."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
