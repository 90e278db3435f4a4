"""A register to test with: the one that ships, in a folder of its own, and a shop to sell from."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.core.basket import Basket
from holdfast.core.catalogue import Product
from holdfast.core.ids import OriginId, StaffId, StoreId
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Sale
from holdfast.infra.clock import Clock, ManualClock, SeededRandomness
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config
from holdfast.infra.keys import DatabaseKey, SigningKey
from holdfast.register.checkout import Checkout
from holdfast.register.enrolment import establish
from holdfast.register.receipts.jobs import Jobs, open_jobs
from holdfast.register.receipts.outbox import Outbox
from holdfast.register.sync.trust import Trust
from tests.unit.core.shop import BEGAN_MS, MUG, done, sell

ORIGIN = OriginId("reg01")
CASHIER = StaffId("c1")
MANAGER = StaffId("m1")
HEAD_OFFICE = SigningKey(bytes([77]) * 32)
DATE = "2025-10-09"
"""The date of `BEGAN_MS`."""


def make_register(folder: Path, origin: str = ORIGIN, series: str = "R01") -> RegisterHome:
    """An enrolled register that has never sold."""
    home = RegisterHome(folder)
    config = RegisterConfig(
        origin=OriginId(origin),
        register=series,
        series=series,
        store=StoreId("S1"),
        head_office_url="http://127.0.0.1:9",
        currency="EUR",
        timezone="UTC",
    )
    establish(home, config, Trust(head_office_keys={HEAD_OFFICE.key_id: HEAD_OFFICE.public_bytes}))
    return home


def open_checkout(
    home: RegisterHome, clock: ManualClock | None = None, seed: int = 1, vfs: str | None = None
) -> Checkout:
    """Each opening takes another seed, or two epochs of one register would get the same id."""
    return Checkout.open(
        home, clock=clock or ManualClock(BEGAN_MS), randomness=SeededRandomness(seed), vfs=vfs
    )


@contextmanager
def selling(
    home: RegisterHome, clock: ManualClock | None = None, seed: int = 1, vfs: str | None = None
) -> Iterator[Checkout]:
    """A register with its day open."""
    checkout = open_checkout(home, clock, seed, vfs)
    try:
        if not checkout.day().open:
            done(checkout.open_day(by=CASHIER, approved_by=MANAGER))
        yield checkout
    finally:
        checkout.close()


def make_outbox(home: RegisterHome, clock: Clock) -> Outbox:
    """What the till's page asks to print and mail, by the register's settings; nothing carries it out."""
    jobs = Jobs(open_jobs(home, DatabaseKey.load(home.database_key)))
    return Outbox(jobs, load_config(home.config, RegisterConfig), clock, wake=lambda: None)


def scan(checkout: Checkout, product: Product = MUG, quantity_milli: int | None = None) -> Basket:
    return done(checkout.change(lambda basket: sell(basket, product, quantity_milli)))


def sell_one(checkout: Checkout, product: Product = MUG, count: int = 1, cash_minor: int = 100_000) -> Sale:
    """A whole sale in cash, from an empty basket to the durable entry."""
    done(checkout.begin(by=CASHIER))
    for _ in range(count):
        scan(checkout, product, 1_500 if product.unit == "kg" else None)
    return done(checkout.conclude(cash_given_minor=cash_minor))


def refusal_of(answer: object) -> str:
    assert isinstance(answer, Refusal), answer
    return answer.code


def copy_data(home: RegisterHome, to: Path) -> None:
    """What a backup of the data folder takes: neither keys nor mark. The register must be closed."""
    shutil.copytree(home.data, to)


def restore_data(home: RegisterHome, backup: Path) -> None:
    """Put a copy of the data folder back, as after a lost disk."""
    shutil.rmtree(home.data)
    shutil.copytree(backup, home.data)


def clone(home: RegisterHome, to: Path) -> RegisterHome:
    """A whole copy of a closed register: data, keys and mark, as an image of its disk is."""
    shutil.copytree(home.path, to)
    return RegisterHome(to)
