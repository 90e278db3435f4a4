"""How long after a parameter is set at head office do connected registers go by it (GC8)?

Head office is a process of its own; the registers' sync processes run here, each with its own databases. A
change counts as there once it is in the register's own reference database: there the next transaction reads
it.
"""

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import apsw

from bench.figure import Figure, Size, figure, median, percentile
from holdfast.core.parameters import Change, Scope
from holdfast.demo.chain import Place, post
from holdfast.demo.shop import found_shop
from holdfast.hq.parameters.book import Draft
from holdfast.hq.service import HeadOffice
from holdfast.hq.web.process import home_in
from holdfast.infra.clock import SystemClock, SystemRandomness
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.web import free_port
from holdfast.register.checkout import Checkout
from holdfast.register.enrolment import enrol
from holdfast.register.sync.process import SyncProcess
from holdfast.register.sync.reference_file import open_reference
from holdfast.register.sync.status import read_status

STATED_S = 5.0
NAME = "offline.gift-cards"
TIMEOUT_S = 120.0
LOOK_S = 0.005


def run(folder: Path, size: Size) -> list[Figure]:
    folder.chmod(0o711)  # PostgreSQL may run under an account of its own
    series = [f"R{number:02}" for number in range(1, size.fleet + 1)]
    port = free_port()
    codes = found_shop(folder / "hq", port, series).codes
    office = Place("Head office", "hq", folder / "hq", f"http://127.0.0.1:{port}", folder / "hq.log")
    office.start()
    try:
        office.wait_ready()
        homes = [enrol(folder / name, office.url, codes[name], post) for name in series]
        with contextlib.ExitStack() as stack:
            registers = [stack.enter_context(_synced(home)) for home in homes]
            book = stack.enter_context(HeadOffice.open(home_in(folder / "hq"))).parameters
            taken: list[float] = []
            for turn in range(size.returns):
                made = book.make(
                    Draft(name=NAME, scope=Scope("chain"), value=turn % 2 == 0), by="bench", reason="Measured"
                )
                assert isinstance(made, Change), made
                taken += _reached(registers, made.version)
    finally:
        office.end()
    name = f"a parameter at {size.fleet} connected registers, {size.returns} changes"
    stated = ("stated", STATED_S)
    return [
        figure(f"{name}, p99", percentile(taken, 99), "s", limit=stated, ratio_at_most=1.0),
        figure(f"{name}, median", median(taken), "s", limit=stated, ratio_at_most=1.0),
    ]


def _reached(registers: list[apsw.Connection], version: int) -> list[float]:
    """Seconds until each register has that version; a change begins once the one before it is everywhere."""
    began = time.perf_counter()
    waiting, taken = list(registers), list[float]()
    while waiting:
        assert time.perf_counter() - began < TIMEOUT_S, f"{len(waiting)} registers have no version {version}"
        there = [register for register in waiting if _version(register) >= version]
        taken += [time.perf_counter() - began] * len(there)
        waiting = [register for register in waiting if register not in there]
        time.sleep(LOOK_S)
    return taken


@contextlib.contextmanager
def _synced(home: RegisterHome) -> Iterator[apsw.Connection]:
    """A register whose sync runs, supplied and connected; its reference database."""
    Checkout.open(home, clock=SystemClock("UTC"), randomness=SystemRandomness()).close()
    process, stop = SyncProcess(home, SystemClock("UTC"), SystemRandomness()), threading.Event()
    thread = threading.Thread(target=process.run, args=(stop,), daemon=True)
    reference = open_reference(home, DatabaseKey.load(home.database_key))
    thread.start()
    try:
        began = time.monotonic()
        while not _version(reference):
            assert time.monotonic() - began < TIMEOUT_S, f"{home.path} is not supplied"
            time.sleep(LOOK_S)
        yield reference
    finally:
        stop.set()
        process.board.wake()
        thread.join(TIMEOUT_S)
        reference.close()


def _version(reference: apsw.Connection) -> int:
    feed = read_status(reference).feeds.get("parameters")
    return 0 if feed is None else feed.n
