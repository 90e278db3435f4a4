"""How long does a sale take, from the basket to a durable entry, while sync sends what is owed?

The limit is a bare insert of the same bytes into an encrypted database with the same settings,
each beside one sale, so that both see the same disk and the same neighbours.
"""

import time
from contextlib import ExitStack
from pathlib import Path

import apsw

from bench.figure import Figure, Size, figure, percentile
from bench.tills import BY, LINES, fill, open_checkout, open_day
from holdfast.core.basket import UNLIMITED, Act, Basket, add_product
from holdfast.core.catalogue import Price, Product
from holdfast.core.ids import Sku
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Sale, Tender
from holdfast.core.tax import TaxRate
from holdfast.infra.clock import SystemClock
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.sqlite import checkpoint, immediate, open_database
from holdfast.register.checkout import Checkout
from holdfast.register.keeper import SyncKeeper
from holdfast.register.till import writing
from holdfast.register.till.database import QUERIES, read_till
from holdfast.register.till.places import place
from tests.office import Office

_TAX = TaxRate(code="standard", name="VAT", rate_e6=81_000, inclusive=True, valid_from="2020-01-01")
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
        basket = _basket(checkout, number)
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


def _basket(checkout: Checkout, number: int) -> Basket:
    """Four products scanned, as a cashier would; each is on the disk before the next."""
    begun = checkout.begin(by=BY)
    assert isinstance(begun, Basket), f"a basket, not {begun}"
    basket: Basket | Refusal = begun
    for line in range(LINES):
        sku = Sku(f"40{(number * 7 + line * 131) % 5_000:05d}")
        product = Product(
            sku=sku, description=f"Article {sku} in a box of twelve, blue", tax_code=_TAX.code,
            department="household goods",
        )  # fmt: skip
        price = Price(sku=sku, unit_price_e4=1_990_000, currency="EUR", valid_from="2020-01-01")
        act = Act(by=BY, at_ms=begun.began_at_ms + 4_000 * line, limits=UNLIMITED)
        basket = checkout.change(lambda now, a=act, p=product, q=price: add_product(now, a, p, q, _TAX))
    assert isinstance(basket, Basket), f"a basket, not {basket}"
    return basket


def _last_entry(till: apsw.Connection) -> bytes:
    """The bytes of the entry that was just stored."""
    at = writing.read_head(till)
    assert at is not None, "a till that sold has a head"
    return QUERIES.entry_data(till, id=place(at.n, at.head.seq))
