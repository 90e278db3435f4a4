"""`docs/tutorial.md` as a new user follows it: each command, and what he does at the tills between them."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from bench.cashier import MILK, cashier_at
from holdfast.core.connection import Mode
from holdfast.infra.config import RegisterHome
from holdfast.infra.web import free_port
from holdfast.register.standing import Standing, read_standing

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"
WAIT_S = 120.0
GOES_ON = "# goes on running: "
CODE = re.compile(r"\b[0-9a-z]{4}(?:-[0-9a-z]{4}){3}\b")
PORTS = ("8460", "8470", "8471")


class Block(NamedTuple):
    """What is typed at once, under its heading."""

    section: str
    text: str


def blocks() -> list[Block]:
    """All of the tutorial, in order."""
    found: list[Block] = []
    for part in re.split(r"^## ", TUTORIAL.read_text(), flags=re.MULTILINE):
        section = part.splitlines()[0]
        found += [Block(section, text) for text in re.findall(r"^```sh\n(.*?)^```$", part, re.DOTALL | re.M)]
    return found


class Learner:
    """Types the blocks into terminals, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = {port: str(free_port()) for port in PORTS}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._code = ""
        self.said: list[str] = []
        """What each block printed, but those that go on running."""

    def url(self, port: str) -> str:
        """Of what the tutorial has at that port."""
        return f"http://127.0.0.1:{self._ports[port]}"

    def type(self, block: str) -> None:
        """As it stands there, but for the ports, and the code that was printed last."""
        for port, free in self._ports.items():
            block = block.replace(port, free)
        block = block.replace("xxxx-xxxx-xxxx-xxxx", self._code)
        paths = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        if block.startswith(GOES_ON):
            name, command = block.removeprefix(GOES_ON).split("\n", 1)
            log = (self._folder / f"{len(self._running)}.log").open("wb")
            self._running[name] = subprocess.Popen(
                ["bash", "-c", f"exec {command}"], cwd=self._folder, env=paths, stdout=log, stderr=log
            )
            log.close()
            return
        script = f"set -eu\n{block}\npwd >&3"
        reading, writing = os.pipe()
        done = subprocess.run(
            ["bash", "-c", f"exec 3>&{writing}\n{script}"], cwd=self._folder, env=paths, pass_fds=(writing,),
            capture_output=True, text=True, timeout=WAIT_S, check=False,
        )  # fmt: skip
        os.close(writing)
        with os.fdopen(reading) as told:
            folder = told.read().strip()
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        self._folder = Path(folder)
        self.said.append(done.stdout)
        self._code = next(iter(CODE.findall(done.stdout)), self._code)

    def stop(self, name: str) -> None:
        """Ctrl-C in its terminal."""
        process = self._running.pop(name)
        process.send_signal(signal.SIGINT)
        process.wait(WAIT_S)

    def close(self) -> None:
        for name in list(self._running):
            self.stop(name)

    def standing(self, till: str) -> Standing:
        """What `register status` tells."""
        return read_standing(RegisterHome(self._folder / till))

    def owed(self) -> list[int]:
        """By both registers, in sales."""
        return [self.standing(till).owed_count for till in ("till1", "till2")]


@pytest.fixture
def learner(tmp_path: Path) -> Iterator[Learner]:
    found = Learner(tmp_path)
    yield found
    found.close()


def wait_until(condition: object) -> None:
    assert callable(condition)
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)


def answers(url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(url, timeout=WAIT_S, follow_redirects=True).status_code < 500
    return False


def sell(learner: Learner, port: str, teas: int) -> None:
    """A tea for each customer."""
    with cashier_at(learner.url(port)) as cashier:
        for _ in range(teas):
            cashier.sell((MILK,))


def test_the_tutorial_is_what_a_new_user_sees(learner: Learner) -> None:
    seen: list[str] = []
    for section, block in blocks():
        if section not in seen:
            seen.append(section)
            if section == "4. A sale":
                sell(learner, "8470", 1)
                wait_until(lambda: learner.owed() == [0, 0])
            elif section == "5. The outage":
                learner.stop("head office")
                wait_until(lambda: learner.standing("till1").mode == Mode.OFFLINE.value)
                sell(learner, "8470", 3)
                sell(learner, "8471", 1)
        learner.type(block)
        if block.startswith(GOES_ON):
            port = "8460" if "head office" in block else "8470" if "first" in block else "8471"
            wait_until(lambda at=port: answers(learner.url(at)))
        elif section == "5. The outage":
            assert learner.owed() == [3, 1]
        if block.startswith(f"{GOES_ON}head office, again"):
            wait_until(lambda: learner.owed() == [0, 0])
    assert len(seen) == 8, seen
    totals, proof = learner.said[-2], learner.said[-1]
    assert re.search(r"charged\W+22\.50 EUR", totals), totals
    assert proof.count("in order") == 3, proof
