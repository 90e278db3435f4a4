"""Killing what a replay consists of, at moments that a seed chooses."""

import contextlib
import os
import random
import signal
import threading
from pathlib import Path
from types import TracebackType

from tests.office import Office

PROC = Path("/proc")


def children_of(pid: int) -> list[int]:
    """Direct children, of any thread of the process; none where it is gone."""
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for thread in (PROC / str(pid) / "task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                found += [int(child) for child in (thread / "children").read_text().split()]
    return found


def runs(pid: int, words: str) -> bool:
    """Whether the process's command line holds these words, one after the other."""
    try:
        return words in (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return False


def kill(pid: int) -> bool:
    """At this instruction; False where it had ended."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


class Chaos:
    """Kills workers, their sync processes and head office while a block of code runs."""

    def __init__(self, replay_pid: int, office: Office, seed: str, every_s: tuple[float, float]) -> None:
        self._replay_pid = replay_pid
        self._office = office
        self._random = random.Random(seed)
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="chaos", daemon=True)
        self._failure: BaseException | None = None
        self.kills = {"register": 0, "sync": 0, "head office": 0}

    def __enter__(self) -> "Chaos":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        if self._failure is not None and error is None:
            raise self._failure

    def _run(self) -> None:
        try:
            while not self._stop.wait(self._random.uniform(*self._every_s)):
                self._strike(self._random.choice(["register", "register", "sync", "head office"]))
        except BaseException as failure:  # noqa: BLE001 (raised again in the test's own thread)
            self._failure = failure

    def _strike(self, victim: str) -> None:
        if victim == "head office":
            self._strike_head_office()
            return
        workers = sorted(pid for pid in children_of(self._replay_pid) if runs(pid, "holdfast.replay.worker"))
        if not workers:
            return
        pid = self._random.choice(workers)
        if victim == "sync":
            syncs = [child for child in children_of(pid) if runs(child, "register sync")]
            if not syncs:
                return
            pid = syncs[0]
        self.kills[victim] += kill(pid)

    def _strike_head_office(self) -> None:
        with self._office.lock:
            if not self._office.is_served:
                return
            self._office.kill()
            self.kills["head office"] += 1
            self._stop.wait(self._random.uniform(0.2, 2.0))
            self._office.start()
