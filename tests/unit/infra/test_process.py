"""Children end with their parent, whichever thread started them and however the parent ended."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from holdfast.infra.process import RunAs, can_use_namespace, end_child, spawn_child


def eventually(holds: Callable[[], bool], timeout_s: float = 5.0) -> bool:
    """Whether something comes true within the time."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.01)
    return holds()


def is_running(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] != "Z"
    return False


PARENT = """
import sys, time
from holdfast.infra.process import spawn_child
child = spawn_child(["sleep", "60"])
print(child.pid, flush=True)
time.sleep(60)
"""

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(60)
"""


def test_child_ends_with_a_parent_that_was_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child_pid = int(parent.stdout.readline())
    assert is_running(child_pid)
    parent.kill()
    parent.wait(60)
    parent.stdout.close()
    assert eventually(lambda: not is_running(child_pid))


def test_child_outlives_the_thread_that_asked_for_it() -> None:
    children: list[subprocess.Popen[bytes]] = []
    thread = threading.Thread(target=lambda: children.append(spawn_child(["sleep", "60"])))
    thread.start()
    thread.join(60)
    try:
        time.sleep(0.2)
        assert children[0].poll() is None
    finally:
        end_child(children[0])


def test_child_inherits_no_descriptor() -> None:
    read_end, write_end = os.pipe()
    os.set_inheritable(write_end, True)
    child = spawn_child(["ls", "/proc/self/fd"], stdout=subprocess.PIPE)
    listed = child.communicate(timeout=60)[0].decode().split()
    os.close(read_end)
    os.close(write_end)
    assert set(listed) <= {"0", "1", "2", "3"}  # 3 is the folder that `ls` reads


def test_a_child_that_ignores_the_request_is_killed() -> None:
    child = spawn_child([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    assert end_child(child, grace_s=0.2) == -signal.SIGKILL
    child.stdout.close()
    assert end_child(child) == -signal.SIGKILL  # ending it twice is fine


def test_a_program_that_is_not_there_says_so() -> None:
    child = spawn_child(["/nowhere/at-all"], stderr=subprocess.PIPE)
    said = child.communicate(timeout=60)[1].decode()
    assert child.returncode == 125
    assert "/nowhere/at-all" in said


def test_signals_that_python_ignores_are_default_again() -> None:
    child = spawn_child(["sh", "-c", "kill -PIPE $$; echo survived"], stdout=subprocess.PIPE)
    assert child.communicate(timeout=60)[0] == b""
    assert child.returncode == -signal.SIGPIPE


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change the account")
def test_root_starts_a_child_under_another_account() -> None:
    child = spawn_child(["id", "-u"], run_as=RunAs(65534, 65534), stdout=subprocess.PIPE)
    assert child.communicate(timeout=60)[0] == b"65534\n"


def test_a_child_in_a_namespace_looks_like_another_account_and_owns_what_we_own() -> None:
    if not can_use_namespace(65534):
        pytest.skip("this machine refuses user namespaces")
    child = spawn_child(
        ["sh", "-c", "id -u; test -O /proc/self/exe; cat /proc/self/status"],
        run_as=RunAs(65534, 65534, in_namespace=True),
        stdout=subprocess.PIPE,
    )
    assert child.communicate(timeout=60)[0].startswith(b"65534\n")
