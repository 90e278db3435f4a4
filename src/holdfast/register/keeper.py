"""Keeping the sync process alive beside the till, and waking it.

It ends with this process however that ends, and is started again when it dies; the till sells on meanwhile.
"""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Sequence

import structlog

from holdfast.infra.clock import Clock
from holdfast.infra.config import RegisterHome
from holdfast.infra.process import end_child, spawn_child

NEW_ENTRY = b"w"
SYNC_NOW = b"n"
IN_USE = b"u"
"""Somebody is at the till: probe often, so that an outage shows within 2 s."""
CALL_LOST = b"l"
"""A real-time call of the till was lost: look at once whether the line is down."""
WORK_CHOSEN = b"m"
"""Somebody chose how to work: what he chose stands in the till's database."""
BACKOFF_S_MIN = 0.25
BACKOFF_S_MAX = 30.0
WELL_AFTER_MS = 30_000
"""Having run this long, it begins anew with the shortest pause."""
END_GRACE_S = 5.0
_log = structlog.get_logger(__name__)


class SyncKeeper:
    """One sync process at a time, until `stop`; `wake` may be called from any thread."""

    def __init__(
        self,
        home: RegisterHome,
        clock: Clock,
        command: Sequence[str] | None = None,
        *,
        what: str = "sync process",
    ) -> None:
        """`what` it is, for the log."""
        self._what = what
        self._command = command or (
            sys.executable, "-m", "holdfast", "register", "sync", "--home", str(home.path)
        )  # fmt: skip
        self._clock = clock
        self._stop = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._lost_ms: int | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._keep, name="holdfast-keeper", daemon=True)

    def start(self) -> None:
        """The first one is under way on return."""
        self._spawn()
        self._thread.start()

    def lost_ms(self) -> int | None:
        """Wall time since when no sync process runs; None: one does."""
        return self._lost_ms

    def wake(self, sign: bytes = NEW_ENTRY) -> None:
        """Let it look at once. Never waits: what cannot be said is found by its next look."""
        with self._lock:
            child = self._child
            if child is None or child.stdin is None:
                return
            # A full pipe says the same already; a broken one belongs to a process that is gone.
            with contextlib.suppress(BlockingIOError, BrokenPipeError):
                os.write(child.stdin.fileno(), sign)

    def stop(self) -> None:
        """End the sync process and start no other."""
        self._stop.set()
        child = self._child
        if child is not None:
            end_child(child, grace_s=END_GRACE_S)
        self._thread.join()

    def _keep(self) -> None:
        pause_s = BACKOFF_S_MIN
        while not self._stop.is_set():
            child = self._child
            assert child is not None, "a sync process was started before it is waited for"
            began_ms = self._clock.monotonic_ms()
            code = child.wait()
            self._forget(child)
            if self._stop.is_set():
                return
            if self._lost_ms is None:
                self._lost_ms = self._clock.now_ms()
            ran_ms = self._clock.monotonic_ms() - began_ms
            pause_s = BACKOFF_S_MIN if ran_ms > WELL_AFTER_MS else min(pause_s * 2, BACKOFF_S_MAX)
            _log.warning(f"{self._what} ended", code=code, ran_ms=ran_ms, again_in_s=pause_s)
            self._spawn_after(pause_s)

    def _spawn_after(self, pause_s: float) -> None:
        """Until it starts: a machine without memory for another process may have some later."""
        while not self._stop.wait(pause_s):
            try:
                self._spawn()
                return
            except OSError as error:
                _log.error(f"{self._what} cannot be started", cause=str(error))
                pause_s = BACKOFF_S_MAX

    def _forget(self, child: subprocess.Popen[bytes]) -> None:
        with self._lock:
            self._child = None
            if child.stdin is not None:
                child.stdin.close()

    def _spawn(self) -> None:
        child = spawn_child(self._command, stdin=subprocess.PIPE)
        assert child.stdin is not None, "its standard input is a pipe"
        os.set_blocking(child.stdin.fileno(), False)
        with self._lock:
            self._child = child
        self._lost_ms = None
