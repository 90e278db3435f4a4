"""A till's page in this process, over the register that ships: staff of each role, a product to sell, and a
clock and a line that a test moves."""

import contextlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from argon2 import PasswordHasher
from litestar import Litestar
from litestar.testing import TestClient

from holdfast.core.connection import Mode
from holdfast.core.ids import IncarnationId, StaffId
from holdfast.core.journal.bodies import REGISTRY
from holdfast.core.journal.entry import decode_entry
from holdfast.core.operations import OPERATIONS, ROLES, Operation, RoleRow
from holdfast.core.sync.feed import FeedPage, FeedRow
from holdfast.infra.clock import ManualClock
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.web import Wakeups
from holdfast.register.keeper import SyncKeeper
from holdfast.register.serve import _services
from holdfast.register.sync.catalogue import StaffMember
from holdfast.register.sync.feed_store import FeedStore
from holdfast.register.sync.reference_file import ReferenceFile, open_reference
from holdfast.register.web.shelf import Shelf
from holdfast.register.web.watch import Watch
from tests.lent_pages import borrow, give_back
from tests.register_fixture import CASHIER, MANAGER, make_outbox, make_register, open_checkout, scan
from tests.unit.core.shop import BEGAN_MS, MUG, STANDARD, done, price_of

_PINS = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PIN = "1234"
STAFF = {role.id: StaffId(role.id) for role in ROLES}
"""A member of staff of each role, numbered by it."""


def member(number: str, role: str, *, active: bool = True) -> StaffMember:
    return StaffMember(
        id=StaffId(number), name=f"Ms {number}", role=role, pin_hash=_PINS.hash(PIN), active=active
    )


_said = itertools.count(1)
"""What head office says later takes the place of what it said before, also to a till started anew."""


class StaffedTill:
    """One register and its page. Use `staffed_till`."""

    def __init__(
        self, home: RegisterHome, file: ReferenceFile, table: Mapping[str, Operation], seed: int = 1
    ) -> None:
        config = load_config(home.config, RegisterConfig)
        self._url = f"http://{config.listen_host}:{config.listen_port}"
        self._store = FeedStore(file.connection())
        self.clock = ManualClock(BEGAN_MS)
        self.checkout = open_checkout(home, self.clock, seed)
        self.feed("staff", {role: member(role, role) for role in STAFF})
        self.feed("products", {MUG.sku: MUG})
        self.feed("prices", {f"{MUG.sku}|2020-01-01|EUR": price_of(MUG)})
        self.feed("taxes", {f"{STANDARD.code}|{STANDARD.valid_from}": STANDARD})
        wakeups = Wakeups()
        watch = Watch(file, self.checkout, self.clock, wakeups, lambda: None)
        made = _services(
            home, config, self.checkout, Shelf(file, "EUR"), self.clock, watch, wakeups,
            SyncKeeper(home, self.clock, ["none"]), make_outbox(home, self.clock),
        )  # fmt: skip
        self.services = replace(made, operations=table)
        self._pages = borrow()
        self.app: Litestar = self._pages.lend(self.services)

    def feed(self, name: str, rows: Mapping[str, msgspec.Struct]) -> None:
        """What head office says now, in place of all that it said before."""
        page = FeedPage(
            feed=name,
            incarnation=IncarnationId(f"i{next(_said)}"),
            since_n=0,
            to_n=1,
            more=False,
            rows=tuple(FeedRow(key, msgspec.Raw(msgspec.json.encode(row))) for key, row in rows.items()),
        )
        assert self._store.take(page, made_ms=1, now_ms=1) is None

    def roles(self, *rows: RoleRow) -> None:
        self.feed("roles", {row.key: row for row in rows})

    def work(self, mode: Mode) -> None:
        """As the watch saw the line last."""
        watch = self.services.watch
        watch.link = msgspec.structs.replace(watch.link, mode=mode)

    @contextlib.contextmanager
    def browser(self, role: str = "") -> Iterator[TestClient[Any]]:
        """A browser of its own; with a role somebody is signed in."""
        with TestClient(self.app, base_url=self._url) as client:
            if role:
                said = client.post("/sign-in", data={"staff": STAFF[role], "pin": PIN})
                assert said.status_code == 200, said.text
            yield client

    def ready(self) -> None:
        """The day is open, one line in the basket, and no drill goes on."""
        checkout = self.checkout
        self.services.watch.drills.end("ended")
        if not checkout.day().open:
            done(checkout.open_day(by=CASHIER, approved_by=MANAGER))
        if checkout.basket() is None:
            done(checkout.begin(by=CASHIER))
        basket = checkout.basket()
        if basket is not None and not basket.lines:
            scan(checkout)

    def give_back_pages(self) -> None:
        give_back(self._pages)

    def journalled(self, type: str) -> list[Any]:
        """The bodies of all entries of a type, in order."""
        with self.checkout._till.reading() as connection:
            rows = connection.execute("select data from entry order by id").fetchall()
        entries = [decode_entry(row[0]) for row in rows if isinstance(row[0], bytes)]
        return [REGISTRY.decode(entry) for entry in entries if entry.type == type]


@contextlib.contextmanager
def staffed_till(folder: Path, table: Mapping[str, Operation] = OPERATIONS) -> Iterator[StaffedTill]:
    """A register in `folder` that was never in contact, with `table` in force."""
    home = make_register(folder)
    open_reference(home, DatabaseKey.load(home.database_key)).close()
    file = ReferenceFile(home, DatabaseKey.load(home.database_key))
    till = StaffedTill(home, file, table)
    try:
        yield till
    finally:
        till.services.points.stop()
        till.give_back_pages()
        till.checkout.close()
        file.close()
