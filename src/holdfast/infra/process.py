"""Child processes that end with their parent, however the parent ends: also by `kill -9`.

Linux sends a child its *parent-death signal* when the **thread** that started it ends, not when the process
does. So every child here is started from one thread that lasts as long as the process; callers may be threads
of any length.

A child is started through this very file, run as a script (it imports the standard library alone): it
changes the account if it must, asks for the parent-death signal, checks that the parent is still there, and
becomes the program. In `preexec_fn` this would be Python between fork and exec, which can deadlock in a
process with threads.
"""

import contextlib
import ctypes
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import IO

_PR_SET_PDEATHSIG = 1
_CLONE_NEWUSER = 0x10000000
_SPAWN_TIMEOUT_S = 30.0
_GENTLE_NICE = 15
_NOT_STARTED_RC = 125  # as `env` and `docker run` use it: the program itself never began

Stream = int | IO[bytes] | None


@dataclass(frozen=True)
class RunAs:
    """Under which account a child runs.

    `uid` None: the account of this process. `in_namespace`: in a user namespace of its own, where it looks
    like `uid` while to the machine it stays the account of this process; so it reaches what this process
    owns.
    """

    uid: int | None = None
    gid: int = 0
    in_namespace: bool = False

    def spell(self) -> str:
        """The form in which the script below reads it."""
        if self.uid is None:
            return "self"
        return f"{'namespace' if self.in_namespace else 'account'}:{self.uid}:{self.gid}"


SELF = RunAs()


def die_with_parent(parent_pid: int, death_signal: signal.Signals = signal.SIGKILL) -> None:
    """Call in a child: the kernel sends it `death_signal` when its parent (the starting thread of it) ends.

    `parent_pid` is what the parent saw as its own pid: a parent that ended before this call is noticed by it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent_pid:
        os.kill(os.getpid(), death_signal)


def spawn_child(
    argv: Sequence[str | os.PathLike[str]],
    *,
    run_as: RunAs = SELF,
    death_signal: signal.Signals = signal.SIGTERM,
    stdin: Stream = subprocess.DEVNULL,
    stdout: Stream = None,
    stderr: Stream = None,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    gentle: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a program that gets `death_signal` when this process ends, with no inherited descriptors.

    It has a session of its own, so that Ctrl-C in a terminal reaches this process alone, which then stops its
    children in order. A program that cannot be started ends with code 125 and a sentence on its stderr.
    `gentle`: it takes what processor time others leave.
    """
    command = [
        sys.executable, "-I", "-S", __file__,
        str(os.getpid()), str(int(death_signal)), run_as.spell(), *[os.fspath(a) for a in argv],
    ]  # fmt: skip
    child = _on_lasting_thread(
        lambda: subprocess.Popen(
            command,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=None if env is None else dict(env),
            cwd=cwd,
            close_fds=True,
            start_new_session=True,
        )
    )
    if gentle:
        with contextlib.suppress(OSError):  # it may have ended already
            os.setpriority(os.PRIO_PROCESS, child.pid, _GENTLE_NICE)
    return child


def end_child(
    child: subprocess.Popen[bytes],
    *,
    grace_s: float = 10.0,
    ask: signal.Signals = signal.SIGTERM,
) -> int:
    """Ask a child to end, wait for `grace_s`, then kill it; its return code. It may have ended already."""
    if child.poll() is None:
        child.send_signal(ask)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return child.wait(grace_s)
        child.kill()
    return child.wait(_SPAWN_TIMEOUT_S)


def can_use_namespace(uid: int) -> bool:
    """Whether this machine lets us start a child in a user namespace; many containers do not."""
    try:
        nothing = [sys.executable, "-I", "-S", "-c", ""]
        probe = spawn_child(nothing, run_as=RunAs(uid, uid, in_namespace=True), stderr=subprocess.DEVNULL)
        return probe.wait(_SPAWN_TIMEOUT_S) == 0
    except subprocess.TimeoutExpired:
        return False


# ---- the thread that starts children -----------------------------------------------------------

_Start = Callable[[], subprocess.Popen[bytes]]


class _Spawner(threading.Thread):
    """Starts children for the rest of the process's life."""

    def __init__(self) -> None:
        super().__init__(name="holdfast-spawner", daemon=True)
        self.pid = os.getpid()
        self.requests: queue.SimpleQueue[tuple[_Start, Future[subprocess.Popen[bytes]]]] = queue.SimpleQueue()

    def run(self) -> None:
        while True:
            start, answer = self.requests.get()
            try:
                answer.set_result(start())
            except (OSError, ValueError, TypeError, subprocess.SubprocessError) as refusal:
                answer.set_exception(refusal)


_spawner: _Spawner | None = None
_spawner_lock = threading.Lock()


def _on_lasting_thread(start: _Start) -> subprocess.Popen[bytes]:
    global _spawner
    with _spawner_lock:
        if _spawner is None or _spawner.pid != os.getpid():  # a forked process has no copy of the thread
            _spawner = _Spawner()
            _spawner.start()
        spawner = _spawner
    answer: Future[subprocess.Popen[bytes]] = Future()
    spawner.requests.put((start, answer))
    return answer.result(_SPAWN_TIMEOUT_S)


# ---- run as a script: become the program -------------------------------------------------------


def _become(arguments: Sequence[str]) -> None:
    parent_pid, death_signal, run_as, *argv = arguments
    libc = ctypes.CDLL(None, use_errno=True)
    if run_as != "self":
        kind, uid, gid = run_as.split(":")
        (_enter_namespace if kind == "namespace" else _change_account)(libc, int(uid), int(gid))
    # Only now: the kernel forgets the parent-death signal whenever the account changes.
    die_with_parent(int(parent_pid), signal.Signals(int(death_signal)))
    for ignored in (
        signal.SIGPIPE,
        signal.SIGXFSZ,
        signal.SIGINT,
    ):  # by Python or nohup; exec would keep that
        signal.signal(ignored, signal.SIG_DFL)
    os.execvp(argv[0], argv)


def _change_account(_libc: ctypes.CDLL, uid: int, gid: int) -> None:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def _enter_namespace(libc: ctypes.CDLL, uid: int, gid: int) -> None:
    own_uid, own_gid = os.geteuid(), os.getegid()
    if libc.unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWUSER)")
    for name, line in (
        ("setgroups", "deny"),  # the kernel wants it before an unprivileged gid_map
        ("gid_map", f"{gid} {own_gid} 1"),
        ("uid_map", f"{uid} {own_uid} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(line)


if __name__ == "__main__":
    try:
        _become(sys.argv[1:])
    except OSError as refusal:
        sys.stderr.write(f"holdfast could not start {sys.argv[4]}: {refusal}\n")
        sys.exit(_NOT_STARTED_RC)
