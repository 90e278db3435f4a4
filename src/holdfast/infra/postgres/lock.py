"""One launcher at a time on a data folder, and who else uses its server.

The kernel ends a lock with the process that holds it.
"""

import fcntl
import os
import time
from pathlib import Path

from holdfast.core.faults import ConfigurationFault
from holdfast.infra.postgres.progress import Progress, silent

_LOOK_S = 0.05


class InUseFault(ConfigurationFault):
    """Another process runs a server on this folder."""


class FolderLock:
    """An exclusive lock on a data folder, held from `acquire` to `release` or to the end of this process."""

    def __init__(self, lock_file: Path, what: Path) -> None:
        self._lock_file = lock_file
        self._what = what
        self._handle: int | None = None

    def acquire(self, wait_s: float = 0.0, progress: Progress = silent) -> None:
        """Take the lock, or raise InUseFault naming the process that has it, after `wait_s`."""
        deadline, told = time.monotonic() + wait_s, 0.0
        while True:
            try:
                return self._take()
            except InUseFault:
                if time.monotonic() >= deadline:
                    raise
            if time.monotonic() - told >= 1:
                told = time.monotonic()
                progress("Waiting for another Holdfast command to let go of the database", None)
            time.sleep(_LOOK_S)

    def _take(self) -> None:
        self._lock_file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(handle, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(handle)
            raise InUseFault(
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


class SharedUse:
    """Who uses a server beside its owner: an owner that ends waits until they have ended, for a while."""

    def __init__(self, users_file: Path) -> None:
        self._users_file = users_file
        self._handle: int | None = None

    def enter(self) -> bool:
        """Use the server from now on; False: its owner is ending it."""
        return self._lock(fcntl.LOCK_SH)

    def leave(self) -> None:
        """It is not used any more. Harmless the second time."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def end(self, wait_s: float, progress: Progress = silent) -> bool:
        """Let nobody else begin to use it, once nobody does; False: somebody still did after `wait_s`."""
        deadline, told = time.monotonic() + wait_s, 0.0
        while not self._lock(fcntl.LOCK_EX):
            if time.monotonic() >= deadline:
                return False
            if time.monotonic() - told >= 1:
                told = time.monotonic()
                progress("Waiting for another Holdfast command that uses the database too", None)
            time.sleep(_LOOK_S)
        return True

    def _lock(self, kind: int) -> bool:
        assert self._handle is None, "a process uses a server once"
        handle = os.open(self._users_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._handle = handle
        return True
