"""How long does a sale take, from the basket to a durable entry, beside a sync process at work?

Twice: while sync drains what a long outage left, as fast as head office takes it on this same machine and
disk; and on an ordinary day, when each sale is sent at once.

The limit is a bare insert of the same bytes into an encrypted database with the same settings,
each beside one sale, so that both see the same disk and the same neighbours.
"""

import time
from contextlib import ExitStack
from pathlib import Path

import apsw

from bench.draining import Owing, wait_until_drained
from bench.figure import Figure, Size, figure, percentile
from bench.tills import LINES, fill, open_checkout, open_day, scan
from holdfast.core.sale import Sale
from holdfast.infra.clock import SystemClock
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.sqlite import checkpoint, immediate, open_database
from holdfast.register.keeper import SyncKeeper
from holdfast.register.till import writing
from holdfast.register.till.database import QUERIES, read_till
from holdfast.register.till.places import place
from tests.office import Office

_TIDY_EVERY = 20
"""Sales between two checkpoints, which a till makes while nobody waits."""
_PAUSE_S = 0.02
"""Between two customers on an ordinary day; real ones take a thousand times as long."""
_STARTED_S = 3.0
"""By then the sync process is at work."""


def run(folder: Path, size: Size) -> list[Figure]:
    with ExitStack() as stack:
        office = stack.enter_context(Office(folder / "office"))
        home = office.register("R01", folder / "till")
        open_day(home)
        fill(home, size.entries)
        owing = Owing(home)
        stack.callback(owing.close)
        keeper = SyncKeeper(home, SystemClock("UTC"))
        keeper.start()
        stack.callback(keeper.stop)
        till = stack.enter_context(_Till(home))
        time.sleep(_STARTED_S)
        while_draining = till.sell(size.sales, keeper)
        is_draining = owing.owed() > 0
        wait_until_drained([owing])
        at_once = till.sell(size.sales, keeper, pause_s=_PAUSE_S)
    assert is_draining, "more is owed than is drained meanwhile"
    return [
        *_figures(f"with {size.entries:,} entries, each sent at once", *at_once),
        *_figures(f"with {size.entries:,} entries, while these are drained", *while_draining),
    ]


def _figures(how: str, sales: list[float], bare: list[float]) -> list[Figure]:
    name, limit = f"durable sale of {LINES} lines, {how}", "bare encrypted FULL insert, same bytes"
    return [
        figure(
            f"{name}, p50",
            percentile(sales, 50),
            "ms",
            limit=(limit, percentile(bare, 50)),
            at_most=0.6,
            ratio_at_most=3.5,
        ),
        figure(f"{name}, p99", percentile(sales, 99), "ms", limit=(limit, percentile(bare, 99)), at_most=5.0),
    ]


class _Till:
    """A till that sells, and a bare database beside it."""

    def __init__(self, home: RegisterHome) -> None:
        self._home = home
        self._key = DatabaseKey.load(home.database_key)
        self._number = 0

    def __enter__(self) -> "_Till":
        self._checkout = open_checkout(self._home)
        self._till = read_till(self._home, self._key, self._checkout.origin)
        self._bare = open_database(self._home.till.with_name("bare.db"), self._key, create=True)
        self._bare.execute("create table entry (id integer primary key, data blob not null) strict")
        return self

    def __exit__(self, *_: object) -> None:
        self._bare.close()
        self._till.close()
        self._checkout.close()

    def sell(
        self, sales: int, keeper: SyncKeeper, *, pause_s: float = 0.0
    ) -> tuple[list[float], list[float]]:
        """(milliseconds of each sale, of each bare insert)."""
        taken: list[float] = []
        bare_taken: list[float] = []
        for _ in range(sales):
            self._number += 1
            time.sleep(pause_s)
            scan(self._checkout, self._number)
            began = time.perf_counter_ns()
            sold = self._checkout.conclude(cash_given_minor=100_000)
            taken.append((time.perf_counter_ns() - began) / 1e6)
            assert isinstance(sold, Sale), f"a sale, not {sold}"
            keeper.wake()
            data = _last_entry(self._till)
            began = time.perf_counter_ns()
            with immediate(self._bare):
                self._bare.execute("insert into entry (data) values (?)", (data,))
            bare_taken.append((time.perf_counter_ns() - began) / 1e6)
            if self._number % _TIDY_EVERY == 0:
                self._checkout.tidy()
                checkpoint(self._bare)
        return taken, bare_taken


def _last_entry(till: apsw.Connection) -> bytes:
    """The bytes of the entry that was just stored."""
    at = writing.read_head(till)
    assert at is not None, "a till that sold has a head"
    return QUERIES.entry_data(till, id=place(at.n, at.head.seq))
