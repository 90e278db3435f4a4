"""The sync process: child of a serving register, with the network in one thread and its parts in one each.

Its parent wakes it with single bytes on its standard input:

    w  an entry was written         n  sync now               u  somebody is at the till
    m  somebody chose how to work: look what the till says
    l  a real-time call of the till was lost: probe at once

It ends with its parent, on SIGTERM, and when that pipe closes.
"""

import contextlib
import os
import select
import signal
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import structlog

from holdfast import __version__
from holdfast.core.faults import Fault, KeyFault
from holdfast.core.sync.messages import HeartbeatReply
from holdfast.core.sync.sender import Policy
from holdfast.infra.clock import Clock, Randomness, SystemClock, SystemRandomness
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config
from holdfast.infra.http import HttpClient
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.logs import configure_logs
from holdfast.infra.surroundings import Surroundings
from holdfast.register.sync.board import Board
from holdfast.register.sync.books import Books
from holdfast.register.sync.caller import Shared
from holdfast.register.sync.chosen import Chosen
from holdfast.register.sync.commands import Commander, Hands
from holdfast.register.sync.credentials import Credentials
from holdfast.register.sync.feeds import Feeder
from holdfast.register.sync.keeper import RETRY_S, Keeper
from holdfast.register.sync.line import Line
from holdfast.register.sync.part import Part
from holdfast.register.sync.prober import Prober
from holdfast.register.sync.reference_file import damaged_copy
from holdfast.register.sync.rotation import KeyRing
from holdfast.register.sync.surveyor import Surveyor
from holdfast.register.sync.trust import load_trust, tls_context
from holdfast.register.sync.uploader import Uploader
from holdfast.register.till import mending

KEEP_S = 1.0
JOIN_S = 10.0
_log = structlog.get_logger(__name__)


class StoppedFault(Fault):
    """A part of the sync process ended by a bug; the log has it. The parent starts the process again."""

    code = "sync.stopped"
    retriable = True


class SyncProcess:
    """All parts of one register's sync, in this process."""

    def __init__(
        self, home: RegisterHome, clock: Clock, randomness: Randomness, *, policy: Policy | None = None
    ) -> None:
        """ConfigurationFault, KeyFault, DatabaseFault, StorageFullFault: why it cannot begin."""
        self._config = load_config(home.config, RegisterConfig)
        key = DatabaseKey.load(home.database_key)
        keys = KeyRing(home)
        trusted = load_trust(home).head_office_keys
        client = HttpClient(
            self._config.head_office_url,
            context=tls_context(home, self._config),
            agent=f"holdfast/{__version__}",
        )
        origin = self._config.origin
        self._client = client
        self._keeper = Keeper(home, key, clock)
        self._chosen = Chosen(home, key, origin)
        self.board = Board(clock, self._keeper.state())
        aside = damaged_copy(home)
        if aside.exists():
            self.board.trouble(
                "reference",
                "reference.set-aside",
                "The disk did not give back part of reference.db. What could be read of it is in use, and "
                f"head office sends the rest anew. Check the disk, then delete {aside.name}.",
            )
        till_aside = mending.damaged_copy(home)
        if till_aside is not None:
            self.board.trouble(
                "till",
                "till.set-aside",
                "The disk did not give back part of till.db. All that could be read of it is in use. Check "
                f"the disk, and keep {till_aside.name} for support; move it elsewhere, and this line goes.",
            )
        line = Line(client, origin, Credentials(home, origin, keys, trusted), self.board)

        def books() -> Books:
            return Books(home, key, origin, keys)

        shared = Shared(origin, books, line, trusted, self.board, clock, randomness)
        self._prober = Prober(client, self.board, clock, randomness)
        self._uploader = Uploader(shared, policy=policy, on_drained=lambda: self._feeder.drained())
        self._feeder = Feeder(shared, currency=self._config.currency, signer=keys, on_reply=self._heard)
        hands = Hands(
            sync_now=self._uploader.sync_now,
            report=self._feeder.wake,
            resend=self._uploader.resend,
            resending_from=self._uploader.resending_from,
            new_session=line.reset,
            news=self._feeder.hear,
        )
        self._commander = Commander(shared, keys=keys, hands=hands)
        surveyor = Surveyor(shared, self._config.head_office_url, Surroundings())
        self._parts: tuple[Part, ...] = (
            self._prober,
            self._uploader,
            self._feeder,
            self._commander,
            surveyor,
        )
        self.board.on_return(self._uploader.line_returned)
        self.board.on_return(self._commander.line_returned)
        self.board.on_return(lambda _: self._feeder.wake())
        self.board.on_return(surveyor.line_returned)

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`. StoppedFault where a bug ended a part."""
        try:
            self._follow()
            for part in self._parts:
                part.start()
            while not stop.is_set():
                self._follow()
                if not self._keeper.keep(self.board, KEEP_S):
                    stop.wait(RETRY_S)
                self._require_all_alive()
                self._require_reference()
        finally:
            self._end()

    def wake(self, byte: str) -> None:
        """A byte from the parent. An unknown one is of a newer parent: at least somebody is at the till."""
        was_active = self.board.is_active
        self.board.used()
        match byte:
            case "w":
                self._uploader.notify()
            case "n":
                self.board.ask()
                self._uploader.sync_now()
                self._feeder.wake()
            case "m":
                self.board.wake()
            case "l":
                self._prober.wake()
            case _:
                pass
        if not was_active:
            self._prober.wake()

    def _follow(self) -> None:
        """Work as somebody chose at the till."""
        chosen = self._chosen.work_mode()
        if chosen is not None and self.board.follow(chosen):
            self._uploader.sync_now()
            self._feeder.wake()

    def _heard(self, reply: HeartbeatReply) -> None:
        self._prober.pace(reply)
        if reply.start_after_ms > 0:
            self._uploader.hold(reply.start_after_ms)
        if reply.offer:
            self._uploader.locate_again()

    def _require_all_alive(self) -> None:
        for part in self._parts:
            if not part.is_alive():
                fault = StoppedFault(
                    f"The part {part.part} of the sync process stopped. It is started again."
                )
                self.board.fault(part.part, fault)
                self._keeper.keep(self.board, 0.0)
                raise fault

    def _require_reference(self) -> None:
        """Its parts hold `reference.db` open: where it is damaged, or was set aside, all begin anew."""
        damaged, self.board.damaged = self.board.damaged, None
        if self._keeper.is_replaced or (damaged is not None and self._keeper.renew(damaged)):
            raise StoppedFault(
                "A part of reference.db could not be read. It was set aside; the sync process begins anew."
            )

    def _end(self) -> None:
        for part in self._parts:
            part.stop()
        for part in self._parts:
            if part.is_alive():
                part.join(JOIN_S)
        self._client.close()
        self._keeper.close()
        self._chosen.close()


def begin(home: RegisterHome, clock: Clock, randomness: Randomness) -> SyncProcess:
    """The sync process; where a key is missing the till's page says so, and the KeyFault is raised."""
    try:
        return SyncProcess(home, clock, randomness)
    except KeyFault as fault:
        with contextlib.suppress(Fault):
            keeper = Keeper(home, DatabaseKey.load(home.database_key), clock)
            board = Board(clock, keeper.state())
            board.block("key.missing", fault.sentence)
            keeper.keep(board, 0.0)
            keeper.close()
        raise


def main(home: Path) -> None:
    """`holdfast register sync --home DIR`: run until the parent ends or asks for it."""
    configure_logs()
    register_home = RegisterHome(home)
    config = load_config(register_home.config, RegisterConfig)
    process = begin(register_home, SystemClock(config.timezone), SystemRandomness())
    stop = threading.Event()
    stop_on_signals(stop)
    listener = threading.Thread(target=listen, args=(process.wake, stop), name="holdfast-wake", daemon=True)
    listener.start()
    process.run(stop)


def stop_on_signals(stop: threading.Event) -> None:
    """Set `stop` on SIGTERM and SIGINT, in a thread of its own.

    Not in the handler: it interrupts this thread anywhere, also where it holds the event's lock, and would
    wait for itself for ever. So did a process whose parent died, which is told twice.
    """
    heard, told = os.pipe()
    os.set_blocking(told, False)

    def tell(*_: object) -> None:
        with contextlib.suppress(BlockingIOError):  # a full pipe says it already
            os.write(told, b"s")

    def wait() -> None:
        os.read(heard, 1)
        stop.set()

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, tell)
    threading.Thread(target=wait, name="holdfast-signals", daemon=True).start()


def listen(wake: Callable[[str], None], stop: threading.Event, descriptor: int | None = None) -> None:
    """Hand on the parent's bytes; its pipe's end ends this process. Standard input that is no pipe
    (a terminal, a service manager's /dev/null) says nothing."""
    pipe = sys.stdin.fileno() if descriptor is None else descriptor
    if not stat.S_ISFIFO(os.fstat(pipe).st_mode) and not stat.S_ISSOCK(os.fstat(pipe).st_mode):
        return
    while not stop.is_set():
        if not select.select([pipe], [], [], KEEP_S)[0]:
            continue
        data = os.read(pipe, 4096)
        if not data:
            _log.info("sync.parent-ended")
            stop.set()
            return
        for byte in dict.fromkeys(data.decode("latin-1")):
            wake(byte)
