"""Registers whose sync runs and has nothing to send, and how long they take once something is owed."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType

from bench.tills import Filling, open_day
from holdfast.infra.clock import SystemClock
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config
from holdfast.infra.keys import DatabaseKey
from holdfast.register.keeper import SyncKeeper
from holdfast.register.sync.reference_file import open_reference
from holdfast.register.sync.status import read_status
from holdfast.register.till.database import QUERIES, read_till
from holdfast.register.till.places import seq_of

TIMEOUT_S = 1_200.0
_LOOK_S = 0.003
_SPARED = 9
"""So many times what a look takes, nobody looks."""


class Draining:
    """Registers with a running sync process each, for a `with` block."""

    def __init__(self, homes: Sequence[RegisterHome]) -> None:
        self._homes = homes
        self._stack = ExitStack()

    def __enter__(self) -> "Draining":
        with ExitStack() as stack:
            self._keepers: list[SyncKeeper] = []
            self._registers: list[Owing] = []
            for home in self._homes:
                open_day(home)
                register = Owing(home)
                stack.callback(register.close)
                self._registers.append(register)
                keeper = SyncKeeper(home, SystemClock("UTC"))
                keeper.start()
                stack.callback(keeper.stop)
                self._keepers.append(keeper)
            self.wait_until_drained()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def drain_s(self, sales_each: int, seed: int = 1) -> float:
        """Seconds until head office has confirmed all, from when the first register owes its sales.

        Each register's sales are there at once, and its sync hears of them then. Of many registers the
        last gets its own a little after the first: that counts as time taken.
        """
        with ExitStack() as stack:
            fillings = [
                stack.enter_context(Filling(home, sales_each, seed * 1_000 + number))
                for number, home in enumerate(self._homes)
            ]
            for filling in fillings:
                filling.prepare(sales_each)
            commits: list[float] = []
            for filling, keeper in zip(fillings, self._keepers, strict=True):
                commits.append(filling.commit())
                keeper.wake()
            self.wait_until_drained()
            return time.perf_counter() - commits[0]

    def wait_until_drained(self) -> None:
        wait_until_drained(self._registers)


def wait_until_drained(registers: Sequence["Owing"]) -> None:
    """Until head office has confirmed all that these registers hold."""
    deadline = time.perf_counter() + TIMEOUT_S
    waiting = list(registers)
    while waiting:
        assert time.perf_counter() < deadline, "head office confirms what it is sent"
        began = time.perf_counter()
        waiting = [register for register in waiting if register.owed()]
        # Looking at twenty registers all the time would take what they are measured by.
        time.sleep(max(_LOOK_S, _SPARED * (time.perf_counter() - began)))


class Owing:
    """What one register owes, read beside its processes."""

    def __init__(self, home: RegisterHome) -> None:
        config = load_config(home.config, RegisterConfig)
        key = DatabaseKey.load(home.database_key)
        self._till = read_till(home, key, config.origin)
        self._reference = open_reference(home, key)

    def owed(self) -> int:
        """Entries that head office has not confirmed."""
        applied = read_status(self._reference).applied
        heads = QUERIES.epoch_heads(self._till)
        return sum(seq_of(row[2]) - applied.get(row[1], 0) for row in heads)

    def close(self) -> None:
        self._reference.close()
        self._till.close()
