"""A head office and registers as real processes on this machine, for tests and benchmarks.

Everything listens on loopback, on ports that are free, and ends with this process.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

from holdfast.infra.config import HeadOfficeHome, RegisterHome
from holdfast.infra.process import end_child, spawn_child

STORE = "S01"
START_TIMEOUT_S = 180.0
_COMMAND_TIMEOUT_S = 600.0


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def holdfast(*arguments: str | Path, timeout_s: float = _COMMAND_TIMEOUT_S) -> str:
    """Run the command line; its output. AssertionError with what it said where it failed."""
    command = [sys.executable, "-m", "holdfast", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    assert done.returncode == 0, f"holdfast {' '.join(map(str, arguments))}:\n{done.stdout}{done.stderr}"
    return done.stdout


class Office:
    """A head office in a folder: made at first, then served, killed, served again."""

    def __init__(self, folder: Path, *, currency: str = "EUR", timezone: str = "Europe/Zurich") -> None:
        self.home = HeadOfficeHome(folder)
        self.port = free_port()
        self.log = folder.with_name(f"{folder.name}.log")
        self.lock = threading.Lock()
        """For whoever kills and starts it while others may."""
        self._child: subprocess.Popen[bytes] | None = None
        self._currency = currency
        self._timezone = timezone

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "Office":
        if not self.home.config.exists():
            self.create()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def create(self) -> None:
        """`holdfast hq init`, with a port of its own."""
        self.home.path.parent.mkdir(parents=True, exist_ok=True)
        holdfast(
            "hq", "init", "--home", self.home.path, "--store", STORE,
            "--currency", self._currency, "--timezone", self._timezone, "--port", str(self.port),
        )  # fmt: skip

    def start(self) -> None:
        """Serve, and wait until it answers."""
        assert self._child is None, "it is served once"
        with self.log.open("ab") as log:
            self._child = spawn_child(
                [sys.executable, "-m", "holdfast", "hq", "serve", "--home", str(self.home.path)],
                stdout=log,
                stderr=log,
            )
        self._await_answer()

    def stop(self) -> None:
        """Ask it to end, and wait."""
        if self._child is not None:
            end_child(self._child, grace_s=120)
            self._child = None

    def kill(self) -> None:
        """As a power cut does: at this instruction."""
        assert self._child is not None, "it is served"
        os.kill(self._child.pid, signal.SIGKILL)
        self._child.wait()
        self._child = None

    @property
    def is_served(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def register(self, series: str, folder: Path, url: str | None = None) -> RegisterHome:
        """A register enrolled by a one-time code; `url`: how it reaches head office."""
        code = self.code(series)
        folder.parent.mkdir(parents=True, exist_ok=True)
        holdfast("register", "init", "--home", folder, "--hq", url or self.url, "--code", code)
        return RegisterHome(folder)

    def code(self, series: str) -> str:
        """A one-time enrolment code."""
        said = holdfast(
            "hq", "register", "add", "--home", self.home.path, "--store", STORE, "--series", series
        )
        found = [word.strip(".,;") for word in said.split() if word.count("-") == 3 and len(word) >= 19]
        assert found, f"a code in: {said}"
        return found[0]

    def totals(self) -> dict[str, Any]:
        """`holdfast hq totals --json`."""
        return json.loads(holdfast("hq", "totals", "--home", self.home.path, "--json"))

    def _await_answer(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            assert self.is_served, f"head office ended: {self.log.read_text()[-2_000:]}"
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/v1/health", timeout=30):
                return
            time.sleep(0.05)
        raise AssertionError(f"head office does not answer: {self.log.read_text()[-2_000:]}")
