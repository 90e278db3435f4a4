"""How long does a sale take, from the basket to a durable entry, while sync sends what is owed?

The limit is a bare insert of the same bytes into an encrypted database with the same settings,
each beside one sale, so that both see the same disk and the same neighbours.
"""

import time
from contextlib import ExitStack
from pathlib import Path

import apsw

from bench.figure import Figure, Size, figure, percentile
from bench.tills import LINES, fill, open_checkout, open_day, scan
from holdfast.core.sale import Sale, Tender
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


def run(folder: Path, size: Size) -> list[Figure]:
    with ExitStack() as stack:
        office = stack.enter_context(Office(folder / "office"))
        home = office.register("R01", folder / "till")
        open_day(home)
        fill(home, size.entries)
        keeper = SyncKeeper(home, SystemClock("UTC"))
        keeper.start()
        stack.callback(keeper.stop)
        sales, bare = _measure(home, size.sales, keeper, stack)
    p50, p99 = percentile(sales, 50), percentile(sales, 99)
    bare_p50, bare_p99 = percentile(bare, 50), percentile(bare, 99)
    name = f"sale of {LINES} lines, durable, {size.entries:,} entries, sync draining"
    limit = "bare encrypted FULL insert, same bytes"
    return [
        figure(f"{name}, p50", p50, "ms", limit=(limit, bare_p50), at_most=0.6, ratio_at_most=3.5),
        figure(f"{name}, p99", p99, "ms", limit=(limit, bare_p99), at_most=5.0),
    ]


def _measure(
    home: RegisterHome, sales: int, keeper: SyncKeeper, stack: ExitStack
) -> tuple[list[float], list[float]]:
    """(milliseconds of each sale, of each bare insert)."""
    checkout = open_checkout(home)
    stack.callback(checkout.close)
    bare = _bare_database(home)
    stack.callback(bare.close)
    till = read_till(home, DatabaseKey.load(home.database_key), checkout.origin)
    stack.callback(till.close)
    taken: list[float] = []
    bare_taken: list[float] = []
    for number in range(sales):
        basket = scan(checkout, number)
        tender = Tender(kind="cash", amount_minor=100_000)
        began = time.perf_counter_ns()
        sold = checkout.conclude([tender])
        taken.append((time.perf_counter_ns() - began) / 1e6)
        assert isinstance(sold, Sale), f"a sale, not {sold} of {basket}"
        keeper.wake()
        data = _last_entry(till)
        began = time.perf_counter_ns()
        with immediate(bare):
            bare.execute("insert into entry (data) values (?)", (data,))
        bare_taken.append((time.perf_counter_ns() - began) / 1e6)
        if number % _TIDY_EVERY == 0:
            checkout.tidy()
            checkpoint(bare)
    return taken, bare_taken


def _bare_database(home: RegisterHome) -> apsw.Connection:
    connection = open_database(
        home.till.with_name("bare.db"), DatabaseKey.load(home.database_key), create=True
    )
    connection.execute("create table entry (id integer primary key, data blob not null) strict")
    return connection


def _last_entry(till: apsw.Connection) -> bytes:
    """The bytes of the entry that was just stored."""
    at = writing.read_head(till)
    assert at is not None, "a till that sold has a head"
    return QUERIES.entry_data(till, id=place(at.n, at.head.seq))
