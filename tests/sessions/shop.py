"""One register with its page in this process, which can lose its power, be killed and be opened again."""

import atexit
import contextlib
import functools
import logging
import random
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest
from litestar.di import Provide
from litestar.testing import TestClient

from holdfast.core import operations
from holdfast.core.connection import Mode
from holdfast.core.drill import DrillEnded, DrillStarted
from holdfast.core.foreign_cash import CurrencyRate
from holdfast.core.ids import EpochId, IncarnationId, OriginId, StoreId, encode_id
from holdfast.core.journal.bodies import REGISTRY
from holdfast.core.journal.entry import Entry, decode_entry
from holdfast.core.operations import OPERATIONS
from holdfast.core.quick_keys import QuickKey
from holdfast.core.receipt.code import ReceiptFacts, RegisterKey, sign_code
from holdfast.core.sync.feed import FeedPage, FeedRow
from holdfast.core.tax import TaxRate
from holdfast.infra.clock import ManualClock
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config
from holdfast.infra.keys import DatabaseKey, SigningKey
from holdfast.infra.web import Wakeups
from holdfast.register.checkout import Checkout
from holdfast.register.enrolment import establish
from holdfast.register.keeper import SyncKeeper
from holdfast.register.loyalty import PointsWatch, Seen
from holdfast.register.serve import _services
from holdfast.register.sync.feed_store import FeedStore
from holdfast.register.sync.reference_file import ReferenceFile, open_reference
from holdfast.register.sync.trust import Trust
from holdfast.register.web import app, people
from holdfast.register.web.app import create_app
from holdfast.register.web.pages import Pages
from holdfast.register.web.services import Services
from holdfast.register.web.shelf import Shelf
from holdfast.register.web.watch import Watch
from tests.crash.crashvfs import CrashImage, Operation, Recording, crash_images
from tests.register_fixture import HEAD_OFFICE, make_outbox, open_checkout
from tests.sessions.wire import Wire
from tests.staffed_till import _PINS, STAFF, member
from tests.unit.core.shop import APPLES, BEGAN_MS, BOLT, MUG, SALES_TAX, STANDARD, price_of

PRODUCTS = {product.sku: product for product in (MUG, APPLES, BOLT)}
PRICES_E4 = {"MUG": 49_900, "APPLE": 29_900, "BOLT": 3_333}
ELSEWHERE = SigningKey(bytes([55]) * 32)
"""Another register of the chain, whose receipts come here."""
QUICK_KEYS = (QuickKey(position=1, sku=MUG.sku, label="Cup"), QuickKey(position=4, sku=APPLES.sku))
_DISK = Recording()
_PAGES: dict[str, Pages] = {}


class Standing(Services):
    """The services of whichever shop is open: one page serves all, for making one takes longer than a session
    of a cashier."""

    shop: "Shop"

    def __init__(self) -> None:
        """None of its own."""

    def __getattribute__(self, name: str) -> Any:
        return getattr(Standing.shop.services, name)


@functools.cache
def _browser(url: str) -> TestClient[Any]:
    """One for the life of the process; what it was told of a session is forgotten at each start of a till."""

    def services() -> Services:
        return Standing.shop.services

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "Provide", lambda _, **how: Provide(services, **how))
        client = TestClient(create_app(Standing()), base_url=url)
    atexit.register(client.__exit__, None, None, None)
    entered = client.__enter__()
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each request hides what failed
    return entered


class Noted(dict[str, operations.Operation]):
    """The operations table; it knows which rows were looked up."""

    def __init__(self, rows: Mapping[str, operations.Operation]) -> None:
        super().__init__(rows)
        self.seen: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        """As the guard does at each request."""
        self.seen.add(key)
        return super().get(key, default)


class PointsNow(PointsWatch):
    """Asks at once, and not in a thread: a session goes as its seed says."""

    def follow(self, customer: str) -> Seen:
        if customer != self._seen.customer or (customer and self._seen.told is None):
            told = self._ask(customer) if customer else None
            self._seen = Seen(customer=customer, told=told, is_missing=bool(customer) and told is None)
        return self._seen


class ParameterRow(msgspec.Struct):
    """As head office publishes it."""

    value: object


def rate(home: str) -> CurrencyRate:
    """Dollars, in notes."""
    return CurrencyRate(
        currency="USD", home=home, rate_e8=91_537_000, smallest_minor=100, valid_from="2025-01-01"
    )


def foreign_code(home: str, number: int, total_minor: int, date: str) -> tuple[str, str]:
    """(number, code) of a receipt of the other register."""
    facts = ReceiptFacts(
        series="R99",
        epoch=EpochId(encode_id(bytes(16))),
        number=number,
        date=date,
        total_minor=total_minor,
        currency=home,
    )
    return facts.document, sign_code(facts, ELSEWHERE)


class Shop:
    """Use `opened_shop`."""

    applied: Mapping[EpochId, int] = {}
    """How far head office's receipts go."""
    wire: Wire | None = None
    """Real-time calls go by it, where there are any."""
    cut_at = 0
    """How much of what was written the last power cut left."""

    def __init__(
        self,
        folder: Path,
        origin: str,
        home: str,
        chance: random.Random,
        parameters: Mapping[str, object] = {},
        store: str = "S1",
    ) -> None:
        self.origin, self.currency, self._chance = OriginId(origin), home, chance
        self.store = store
        self.home = RegisterHome(folder)
        self.operations = Noted(OPERATIONS)
        self.clock = ManualClock(BEGAN_MS)
        self._openings = 0
        config = RegisterConfig(
            origin=self.origin,
            register=origin.upper(),
            series=origin.upper(),
            store=StoreId(store),
            head_office_url="http://127.0.0.1:9",
            currency=home,
            timezone="UTC",
        )
        establish(self.home, config, Trust(head_office_keys={HEAD_OFFICE.key_id: HEAD_OFFICE.public_bytes}))
        self.parameters = {"shifts": chance.random() > 0.15, **parameters}
        self._published()
        self.mode = Mode.ONLINE
        self._undo = contextlib.ExitStack()
        self.open()

    # ---- the program -------------------------------------------------------------------------

    checkout: Checkout
    services: Services
    browser: TestClient[Any]
    reference: apsw.Connection

    def open(self) -> None:
        """The program starts: the databases as they are, nobody signed in."""
        self._openings += 1
        undo = self._undo = contextlib.ExitStack()
        key, config = DatabaseKey.load(self.home.database_key), load_config(self.home.config, RegisterConfig)
        self.checkout = open_checkout(self.home, self.clock, self._seed(), _DISK.vfs)
        undo.callback(self.checkout.close)
        file = ReferenceFile(self.home, key)
        undo.callback(file.close)
        self.reference = file.connection()
        wakeups = Wakeups()
        outbox = make_outbox(self.home, self.clock)
        undo.callback(outbox._jobs.close)
        watch = Watch(file, self.checkout, self.clock, wakeups, lambda: None)
        with pytest.MonkeyPatch.context() as patch:
            # What stands in for the hash of somebody unknown need not be dear here.
            patch.setattr(people, "PasswordHasher", lambda: _PINS)
            made = _services(
                self.home, config, self.checkout, Shelf(file, self.currency), self.clock, watch, wakeups,
                SyncKeeper(self.home, self.clock, ["none"]), outbox,
            )  # fmt: skip
        pages = _PAGES.setdefault(self.currency, made.pages)  # templates are compiled once
        points = PointsNow(made.real_time, lambda: None)
        self.services = replace(made, operations=self.operations, pages=pages, points=points)
        undo.callback(made.stock.stop)
        if self.wire:
            self.plug(self.wire)
        url = f"http://{config.listen_host}:{config.listen_port}"
        Standing.shop = self
        self.browser = _browser(url)
        self.browser.cookies.clear()
        self.work(self.mode)

    def _seed(self) -> int:
        """Of ids: no other opening, and no other register, draws the same."""
        return zlib.crc32(f"{self.origin} {self._openings}".encode())

    def plug(self, wire: Wire) -> None:
        """From here on head office can be asked."""
        self.wire, wire.written = wire, lambda: len(_DISK.log)
        self.services.real_time._client = wire  # type: ignore[assignment]

    def close(self) -> None:
        """The program ends in good order."""
        self._undo.close()

    def restart(self) -> None:
        self.close()
        self.open()

    def kill(self) -> None:
        """kill -9: what was written is there, whether flushed or not; nothing is closed."""
        files = self._files()
        self.close()
        self._lay_down(files)
        self.open()

    def before_power_cut(self) -> tuple[CrashImage, dict[Path, bytes | None]]:
        """What is on the disk; what is written from now on may get lost. The second is what lies beside the
        database: written after its commits, and not flushed."""
        _DISK.log.clear()
        if self.wire:
            self.wire.holds.clear()
        return CrashImage(0, "start", 0, self._files()), self._beside()

    def written(self) -> list[Operation]:
        """What was written to the till's database since `before_power_cut`."""
        return list(_DISK.log)

    def _beside(self) -> dict[Path, bytes | None]:
        paths = (self.home.mark, self.home.counters)
        return {path: path.read_bytes() if path.exists() else None for path in paths}

    def power_cut(self, start: CrashImage, beside: dict[Path, bytes | None]) -> str:
        """The power goes at some moment since `before_power_cut`; says which."""
        log = list(_DISK.log)
        self.close()
        self.cut_at = point = self._chance.randrange(len(log) + 1)
        images = [start]
        if point:
            images = [
                image for image in crash_images(log[:point], self._openings, start) if image.point == point
            ]
        image = self._chance.choice(images)
        self._lay_down(image.files)
        if point < len(log) or self._chance.random() < 0.5:
            for path, content in beside.items():
                path.unlink(missing_ok=True) if content is None else path.write_bytes(content)
        self.open()
        return f"point {point} of {len(log)}, {image.fate}"

    def _files(self) -> dict[str, bytes]:
        till = self.home.till
        names = (till, till.with_name(f"{till.name}-wal"))
        return {path.name: path.read_bytes() for path in names if path.exists()}

    def _lay_down(self, files: Mapping[str, bytes]) -> None:
        till = self.home.till
        for leftover in till.parent.glob(f"{till.name}-*"):
            leftover.unlink()
        for name, content in files.items():
            till.with_name(name).write_bytes(content)

    def ended_drills(self) -> list[tuple[DrillStarted, DrillEnded]]:
        """All drills that are over, by the till's journal."""
        with self.checkout._till.reading() as connection:
            rows = connection.execute("select data from entry order by id").fetchall()
        found: list[Any] = [REGISTRY.decode(entry) for (data,) in rows if (entry := _of_drill(data))]
        return list(zip(found[::2], found[1::2], strict=False))

    # ---- around it ---------------------------------------------------------------------------

    def work(self, mode: Mode) -> None:
        """As the watch saw the line last."""
        self.mode = mode
        watch = self.services.watch
        watch.link = msgspec.structs.replace(watch.link, mode=mode, applied=self.applied)
        watch.work = self.checkout.work_mode()
        watch.owed = self.checkout.owed({})
        self.services.real_time.heard(watch.mode())

    def _published(self) -> None:
        """Head office's feeds."""
        home = self.currency
        connection = open_reference(self.home, DatabaseKey.load(self.home.database_key))
        store = FeedStore(connection)
        taxes: list[TaxRate] = [STANDARD, SALES_TAX]
        prices = {f"{sku}|2020-01-01|{home}": price_of(product, home) for sku, product in PRODUCTS.items()}
        other = RegisterKey(
            origin=OriginId("r99"),
            register="R99",
            series="R99",
            store="S1",
            public_key=ELSEWHERE.public_bytes,
        )
        feeds: dict[str, Mapping[str, msgspec.Struct]] = {
            "staff": {role: member(role, role) for role in STAFF},
            "products": {str(sku): product for sku, product in PRODUCTS.items()},
            "prices": prices,
            "taxes": {f"{tax.code}|{tax.valid_from}": tax for tax in taxes},
            "currencies": {rate(home).key: rate(home)},
            "parameters": {name: ParameterRow(value) for name, value in self.parameters.items()},
            "register_keys": {ELSEWHERE.key_id: other},
            "quick_keys": {key.key: key for key in QUICK_KEYS},
        }
        for name, rows in feeds.items():
            page = FeedPage(
                feed=name,
                incarnation=IncarnationId("i1"),
                since_n=0,
                to_n=1,
                more=False,
                rows=tuple(FeedRow(key, msgspec.Raw(msgspec.json.encode(row))) for key, row in rows.items()),
            )
            assert store.take(page, made_ms=1, now_ms=1) is None, name
        connection.close()


def _of_drill(data: object) -> Entry | None:
    """The entry where it begins or ends a drill; most are not even read."""
    return decode_entry(data) if isinstance(data, bytes) and b"drill_" in data else None


@contextlib.contextmanager
def opened_shop(
    folder: Path,
    origin: str,
    home: str,
    chance: random.Random,
    parameters: Mapping[str, object] = {},
    store: str = "S1",
) -> Iterator[Shop]:
    """A register that has never sold; its program has ended afterwards."""
    shop = Shop(folder, origin, home, chance, parameters, store)
    try:
        yield shop
    finally:
        shop.close()
