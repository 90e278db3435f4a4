"""An embedded PostgreSQL server: a child of this process, reached by a private socket, durable."""

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from holdfast.core.faults import DatabaseFault, StorageFullFault, UnavailableFault
from holdfast.infra.postgres.account import account_for, check_reachable, give_to
from holdfast.infra.postgres.binaries import Binaries
from holdfast.infra.postgres.cluster import (
    SUPERUSER,
    choose_binaries,
    fault_from_output,
    finish_restore,
    prepare_cluster,
    server_environment,
)
from holdfast.infra.postgres.lock import FolderLock
from holdfast.infra.postgres.places import Places
from holdfast.infra.postgres.postmaster import is_running, read_postmaster, wait_for_predecessor
from holdfast.infra.postgres.progress import Progress, silent
from holdfast.infra.postgres.settings import server_arguments
from holdfast.infra.postgres.socketdir import make_socket_dir, remove_socket_dir
from holdfast.infra.process import RunAs, end_child, spawn_child

DATABASE = "holdfast"
_PREDECESSOR_TIMEOUT_S = 60.0
_SHARED_MEMORY_TIMEOUT_S = 10.0
_IMMEDIATE_TIMEOUT_S = 15.0  # the server itself kills its workers after 5 s
_FAST = signal.SIGINT
# Also the signal for the death of the parent. A fast shutdown that reaches PostgreSQL 18 while it recovers
# may never end (its main process then waits for workers that nobody told to stop); an immediate one always
# does.
_IMMEDIATE = signal.SIGQUIT
_STILL_SHARED = "pre-existing shared memory block"
_LOG_TAIL_BYTES = 16_384


class EmbeddedPostgres:
    """One server on one data folder, which this process alone uses.

    It ends with this process, also by `kill -9` of it: the kernel then asks it for an immediate shutdown. It
    is started from a thread that lasts as long as the process, so `start` may be called from any thread.

    `settings` are further `name: value` pairs of PostgreSQL; the durable ones cannot be changed.
    `durable=False` is for data that is worthless until it was verified and synced as a whole:
    `check_durable` refuses such a server. `gentle`: it takes what processor time others leave.
    """

    def __init__(
        self,
        data_dir: str | os.PathLike[str],
        settings: Mapping[str, str] | None = None,
        *,
        durable: bool = True,
        gentle: bool = False,
    ) -> None:
        self.places = Places.of(data_dir)
        self._durable = durable
        self._gentle = gentle
        self._settings = dict(settings or {})
        self._lock = FolderLock(self.places.lock_file, self.places.data_dir)
        self._child: subprocess.Popen[bytes] | None = None
        self._socket_dir: Path | None = None
        self._dsn: str | None = None

    # ---- its life -------------------------------------------------------------------------------

    def start(self, progress: Progress = silent, timeout_s: float = 3600.0, *, wait_s: float = 0.0) -> str:
        """Start the server, making the database where there is none; the DSN, once it answers.

        Recovery after a crash may take minutes; `progress` hears of it each second. Where another process
        runs a server on the folder, its end is waited for up to `wait_s`. Raises
        ConfigurationFault (in use, unreachable), DatabaseFault (cannot be used, with the cure),
        StorageFullFault, or UnavailableFault after `timeout_s`. May be called again, with the same DSN,
        after `stop`, or when `alive()` has become False.
        """
        if self.alive():
            return self.dsn
        self.stop()
        deadline = time.monotonic() + timeout_s
        with ExitStack() as undo:
            undo.callback(self.stop)
            self._lock.acquire(wait_s, progress)
            finish_restore(self.places)
            binaries = choose_binaries(self.places)
            run_as = account_for(self.places.data_dir)
            self._prepare(binaries, run_as, progress)
            self._launch(binaries, run_as, progress, deadline)
            self._dsn = make_conninfo(host=str(self._socket_dir), port=5432, user=SUPERUSER, dbname=DATABASE)
            _ensure_database(self._dsn)
            undo.pop_all()
        return self._dsn

    def stop(self, timeout_s: float = 60.0) -> None:
        """Fast shutdown: connections are cut, the data is checkpointed. Harmless when it is not running.

        A server that is still recovering, or not done after `timeout_s`, is stopped at once; nothing that was
        committed is lost, and the next start recovers.
        """
        if self._child is not None:
            if self._dsn is not None and _answers(self._dsn):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._child.send_signal(_FAST)
                    self._child.wait(timeout_s)
            end_child(self._child, grace_s=_IMMEDIATE_TIMEOUT_S, ask=_IMMEDIATE)
            self._child = None
            remove_socket_dir(self.places)
        self._dsn = None
        self._lock.release()

    def alive(self) -> bool:
        """Whether the server's main process runs. A crashed connection is repaired by the server itself."""
        return self._child is not None and self._child.poll() is None

    @property
    def dsn(self) -> str:
        """The connection string of the database. UnavailableFault while the server is stopped."""
        if self._dsn is None:
            raise UnavailableFault(f"The database server on {self.places.data_dir} is not running.")
        return self._dsn

    @property
    def pid(self) -> int:
        """The process id of the server. UnavailableFault while it is stopped."""
        if self._child is None:
            raise UnavailableFault(f"The database server on {self.places.data_dir} is not running.")
        return self._child.pid

    def __enter__(self) -> "EmbeddedPostgres":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    # ---- starting -------------------------------------------------------------------------------

    def _prepare(self, binaries: Binaries, run_as: RunAs, progress: Progress) -> None:
        places = self.places
        check_reachable(run_as, binaries.path("postgres"))
        check_reachable(run_as, places.data_dir)
        prepare_cluster(places, binaries, run_as, progress, sync=self._durable)
        give_to(run_as, places.data_dir)
        places.data_dir.chmod(0o700)  # volumes and umasks open it to a group, and PostgreSQL refuses that
        places.log_dir.mkdir(mode=0o700, exist_ok=True)
        give_to(run_as, places.log_dir)
        wait_for_predecessor(places.data_dir, progress, _PREDECESSOR_TIMEOUT_S)

    def _launch(self, binaries: Binaries, run_as: RunAs, progress: Progress, deadline: float) -> None:
        """Start the server and wait for it; again where workers of a killed one still hold its memory."""
        give_up = time.monotonic() + _SHARED_MEMORY_TIMEOUT_S
        while True:
            self._socket_dir = make_socket_dir(self.places, run_as, self._socket_dir)
            self._child = self._spawn(binaries, run_as, self._socket_dir)
            output = self._wait_until_ready(self._child, progress, deadline)
            if output is None:
                return
            if _STILL_SHARED not in output or time.monotonic() > give_up:
                raise self._start_fault(output)
            progress("Waiting for the former database server to end", None)
            time.sleep(0.1)

    def _spawn(self, binaries: Binaries, run_as: RunAs, socket_dir: Path) -> subprocess.Popen[bytes]:
        places = self.places
        arguments = server_arguments(socket_dir, places.log_dir, self._settings, durable=self._durable)
        with open(self._early_log, "wb") as early_log:
            return spawn_child(
                [binaries.path("postgres"), "-D", places.data_dir, *arguments],
                run_as=run_as,
                death_signal=_IMMEDIATE,
                stdout=early_log,
                stderr=early_log,
                env=server_environment(),
                cwd="/",
                gentle=self._gentle,
            )

    def _is_ready(self) -> bool:
        postmaster = read_postmaster(self.places.data_dir)
        return (
            self._child is not None
            and postmaster is not None
            and postmaster.pid == self._child.pid
            and postmaster.state == "ready"
        )

    def _wait_until_ready(
        self, child: subprocess.Popen[bytes], progress: Progress, deadline: float
    ) -> str | None:
        """None once the server is ready; its last words if it ended. UnavailableFault after the deadline."""
        began, told = time.monotonic(), 0
        while child.poll() is None:
            if self._is_ready():
                return None
            elapsed_s = time.monotonic() - began
            if time.monotonic() > deadline:
                raise UnavailableFault(
                    f"The database server on {self.places.data_dir} was still starting after "
                    f"{elapsed_s:.0f} s. "
                    f"Start it again to continue; its log is in {self.places.log_dir}."
                )
            if elapsed_s >= told + 1:
                told = int(elapsed_s)
                progress(self._recovery_sentence(told), None)
            time.sleep(0.01 if elapsed_s < 1 else 0.1)
        return self._last_words()

    # ---- what the logs say ----------------------------------------------------------------------

    @property
    def _early_log(self) -> Path:
        return self.places.log_dir / "start.log"

    def _last_words(self) -> str:
        """The end of the start log and of the server's newest log."""
        logs = sorted(self.places.log_dir.glob("postgres-*.log"), key=lambda log: log.stat().st_mtime)[-1:]
        return "".join(_tail(log) for log in [*logs, self._early_log] if log.exists())

    def _recovery_sentence(self, elapsed_s: int) -> str:
        logs = sorted(self.places.log_dir.glob("postgres-*.log"), key=lambda log: log.stat().st_mtime)[-1:]
        steps = re.findall(
            r"LOG:\s+((?:redo in progress|syncing data|resetting).*)", "".join(map(_tail, logs))
        )
        step = f": {steps[-1]}" if steps else ""
        return f"The database is recovering from a crash, {elapsed_s} s so far{step}"

    def _start_fault(self, output: str) -> DatabaseFault | StorageFullFault:
        places = self.places
        failure = f"PostgreSQL did not start on {places.data_dir} (its log is in {places.log_dir})"
        fault = fault_from_output(failure, output)
        assert isinstance(fault, DatabaseFault | StorageFullFault)
        return fault


def running_dsn(data_dir: str | os.PathLike[str]) -> str | None:
    """The DSN of the server that another process runs on this folder, if it answers."""
    places = Places.of(data_dir)
    postmaster = read_postmaster(places.data_dir)
    if postmaster is None or postmaster.state != "ready" or not is_running(postmaster, places.data_dir):
        return None
    dsn = make_conninfo(host=postmaster.socket_dir, port=5432, user=SUPERUSER, dbname=DATABASE)
    # Right after its very first start the server is ready, and has no database of ours yet.
    return dsn if _answers(dsn) else None


def _answers(dsn: str) -> bool:
    """Whether the server takes connections, which it does not while it recovers."""
    try:
        psycopg.connect(dsn, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _ensure_database(dsn: str) -> None:
    """Create our database beside PostgreSQL's own."""
    try:
        with psycopg.connect(dsn, dbname="postgres", autocommit=True, connect_timeout=10) as conn:
            known = conn.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone()
            if known is None:
                conn.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))
    except psycopg.OperationalError as refusal:
        raise UnavailableFault(f"The database server started and did not answer: {refusal}") from refusal


def _tail(log: Path) -> str:
    with open(log, "rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - _LOG_TAIL_BYTES))
        return file.read().decode("utf-8", "replace")
