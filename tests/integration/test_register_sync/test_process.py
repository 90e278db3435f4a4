"""The sync process as it is run: a child that is woken by its parent, and ends with it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from holdfast.core.connection import Mode as Link
from holdfast.infra.config import RegisterHome
from holdfast.infra.process import end_child, spawn_child
from holdfast.register.sync.process import listen, stop_on_signals
from tests.integration.test_register_sync.conftest import GENEROUS_S, Till, eventually
from tests.integration.test_register_sync.head_office import HeadOffice
from tests.integration.test_register_sync.test_upload import all_arrived, nothing_owed
from tests.register_fixture import sell_one


@pytest.fixture
def child(till: Till, home: RegisterHome) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "holdfast", "register", "sync", "--home", str(home.path)]
    child = spawn_child(command, stdin=subprocess.PIPE)
    yield child
    end_child(child)
    if child.stdin is not None:
        child.stdin.close()


def test_the_child_sends_when_it_is_woken_and_stops_when_asked(
    till: Till, office: HeadOffice, child: subprocess.Popen[bytes]
) -> None:
    sell_one(till.checkout)
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
    eventually(lambda: till.status().mode is Link.ONLINE)
    sell_one(till.checkout)
    assert child.stdin is not None
    os.write(child.stdin.fileno(), b"w")
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
    child.send_signal(signal.SIGTERM)
    assert child.wait(GENEROUS_S) == 0


def test_the_child_ends_when_its_parents_pipe_closes(till: Till, child: subprocess.Popen[bytes]) -> None:
    eventually(lambda: till.status().mode is Link.ONLINE)
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(GENEROUS_S) == 0


def test_a_killed_child_is_followed_by_one_that_goes_on(
    till: Till, office: HeadOffice, home: RegisterHome
) -> None:
    command = [sys.executable, "-m", "holdfast", "register", "sync", "--home", str(home.path)]
    for _ in range(3):
        child = spawn_child(command, stdin=subprocess.PIPE)
        sell_one(till.checkout)
        eventually(lambda: office.documents())
        child.kill()
        child.wait(GENEROUS_S)
        assert child.stdin is not None
        child.stdin.close()
    till.start_sync()
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
    assert len(office.entries()) == till.checkout.head().seq


def test_a_signal_that_meets_the_stopping_itself_holds_nothing_up() -> None:
    """A process whose parent died hears of it twice, the second time within the first."""
    kept = {signum: signal.getsignal(signum) for signum in (signal.SIGTERM, signal.SIGINT)}
    stop = threading.Event()
    try:
        stop_on_signals(stop)
        with stop._cond:  # type: ignore[attr-defined]  # as in the middle of `set` or `wait`
            for _ in range(3):
                os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.01)
        assert stop.wait(GENEROUS_S)
    finally:
        for signum, handler in kept.items():
            signal.signal(signum, handler)


def test_wake_bytes_are_handed_on_once_each() -> None:
    reading, writing = os.pipe()
    heard: list[str] = []
    stop = threading.Event()
    os.write(writing, b"wwwnw")
    os.close(writing)
    listen(heard.append, stop, reading)
    os.close(reading)
    assert heard == ["w", "n"]
    assert stop.is_set()
