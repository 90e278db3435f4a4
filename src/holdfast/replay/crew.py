"""The registers of a replay as processes: started, listened to, and started again when they are killed."""

import subprocess
import sys
import threading
from pathlib import Path

import msgspec

from holdfast.infra.process import end_child, spawn_child
from holdfast.replay.progress import NOT_DRAINED_RC, Progress, decoder

STARTS_MAX = 100
_LOG_TAIL_BYTES = 2_000


class Member:
    """One register's worker, over all its lives."""

    def __init__(self, name: str, home: Path, documents: Path, count: int, wait_s: float) -> None:
        self.name = name
        self.count = count
        self.starts = 0
        self.progress = Progress()
        self.recorded_before = 0
        """Entered by its former lives, as far as they told."""
        self._command = [
            sys.executable, "-m", "holdfast.replay.worker", str(home), str(documents), str(wait_s)
        ]  # fmt: skip
        self.log = home.with_name(f"{home.name}.log")
        self._child: subprocess.Popen[bytes] | None = None
        self._listener: threading.Thread | None = None

    @property
    def recorded(self) -> int:
        return self.recorded_before + self.progress.recorded

    @property
    def pid(self) -> int | None:
        return None if self._child is None else self._child.pid

    def start(self) -> None:
        self.starts += 1
        self.recorded_before += self.progress.recorded
        self.progress = Progress()
        with self.log.open("ab") as log:
            self._child = spawn_child(self._command, stdout=subprocess.PIPE, stderr=log)
        self._listener = threading.Thread(target=self._listen, args=(self._child,), daemon=True)
        self._listener.start()

    def poll(self) -> int | None:
        """How it ended; None while it goes on. One that was killed is started again."""
        assert self._child is not None, "a member that was started"
        code = self._child.poll()
        if code is None:
            return None
        assert self._listener is not None, "a member that was started is listened to"
        self._listener.join()
        if code < 0 and self.starts < STARTS_MAX:
            self.start()
            return None
        return code

    def end(self) -> None:
        if self._child is not None:
            end_child(self._child)

    def last_words(self) -> str:
        """The end of its log: why it gave up."""
        with self.log.open("rb") as log:
            log.seek(0, 2)
            log.seek(max(0, log.tell() - _LOG_TAIL_BYTES))
            lines = log.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else "It said nothing."

    def _listen(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdout is not None, "progress comes over a pipe"
        with child.stdout as lines:
            for line in lines:
                try:
                    self.progress = decoder.decode(line)
                except msgspec.DecodeError:
                    return  # it was killed in the middle of a line


def is_success(code: int) -> bool:
    return code == 0


def is_undrained(code: int) -> bool:
    """It entered all, and head office has not confirmed all of it yet."""
    return code == NOT_DRAINED_RC
