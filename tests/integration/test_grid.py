"""What the selling screen shows to touch, from head office's file to the till (PO1)."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

from holdfast.core.catalogue import Price, Product
from holdfast.core.ids import IncarnationId, Sku
from holdfast.core.quick_keys import QuickKey
from holdfast.core.sync import feed as protocol
from holdfast.core.sync.feed import FeedPage, FeedRow
from holdfast.hq.catalogue import Catalogue, LoadReport
from holdfast.hq.feeds import Feeds
from holdfast.infra.clock import ManualClock
from holdfast.infra.keys import DatabaseKey, verify
from holdfast.infra.migrations import load_migrations, migrate_sqlite
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.sqlite import open_database
from holdfast.register.sync.feed_store import FeedStore
from holdfast.register.sync.reference_file import ReferenceFile, open_reference
from holdfast.register.web import grid as grids
from holdfast.register.web.grid import PAGE_TILES, Grid, Place, Sheet
from holdfast.register.web.shelf import Shelf
from tests.hq_fixtures import HEAD_OFFICE_KEY
from tests.integration.test_roles_feed import KEYS
from tests.register_fixture import DATE, make_register

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures"]


class Register:
    """A register's feeds, and the grid over them."""

    def __init__(self, file: ReferenceFile) -> None:
        self.file = file
        self.store = FeedStore(file.connection())
        self.grid = Grid(Shelf(file, "EUR"))
        self._n: dict[str, int] = {}

    def feed(self, name: str, rows: Mapping[str, msgspec.Struct | None]) -> None:
        """More rows of a feed; None deletes one."""
        since, self._n[name] = self._n.get(name, 0), self._n.get(name, 0) + 1
        page = FeedPage(
            feed=name,
            incarnation=IncarnationId("i1"),
            since_n=since,
            to_n=self._n[name],
            more=False,
            rows=tuple(FeedRow(key, msgspec.Raw(msgspec.json.encode(row))) for key, row in rows.items()),
        )
        assert self.store.take(page, made_ms=1, now_ms=1) is None

    def products(self, *products: Product) -> None:
        self.feed("products", {product.sku: product for product in products})

    def shows(self, category: str | None = None, page: int = 1) -> Sheet:
        self.grid.turn_to(Place(category, page))
        return self.grid.sheet(DATE)


@pytest.fixture
def register(tmp_path: Path) -> Iterator[Register]:
    home = make_register(tmp_path / "register")
    key = DatabaseKey.load(home.database_key)
    open_reference(home, key).close()
    with contextlib.closing(ReferenceFile(home, key)) as file:
        yield Register(file)


def product(sku: str, name: str, department: str = "", *barcodes: str) -> Product:
    return Product(
        sku=Sku(sku), description=name, tax_code="S", department=department, barcodes=tuple(barcodes)
    )


def names(sheet: Sheet) -> list[str]:
    return [offer.description for offer in sheet.offers]


def test_categories_are_departments_and_leaf_by_page(register: Register) -> None:
    bread = [product(f"B{n:03}", f"Loaf {n:03}", "bakery" if n % 2 else "Bakery") for n in range(45)]
    register.products(*bread, product("M", "milk", "Dairy", "4001"), product("X", "Voucher"))
    sheet = register.shows("BAKERY")
    assert [name.casefold() for name in sheet.categories] == ["bakery", "dairy", ""]
    assert sheet.place == Place(None), "named as it is written there"
    sheet = register.shows(sheet.categories[0])
    assert (sheet.pages, names(sheet)[0], len(sheet.offers)) == (3, "Loaf 000", PAGE_TILES)
    assert names(register.shows(sheet.categories[0], 3)) == [f"Loaf {n:03}" for n in range(40, 45)]
    assert register.shows(sheet.categories[0], 4).place.page == 1
    assert names(register.shows("")) == ["Voucher"]
    register.feed("products", {"X": None})
    gone = register.grid.sheet(DATE)
    assert gone.place == Place(None)
    assert "" not in gone.categories


def test_without_quick_keys_what_has_no_barcode_is_at_hand(register: Register) -> None:
    assert names(register.shows()) == []
    register.products(product("B", "Bread", "Bakery"), product("M", "Milk", "Dairy", "4001"))
    sheet = register.shows()
    assert (names(sheet), sheet.has_quick_keys) == (["Bread"], False)
    register.products(product("B", "Bread", "Bakery", "4002"))
    assert names(register.shows()) == [], "a scanner finds it now"


def test_prices_are_those_of_the_date(register: Register) -> None:
    register.products(product("B", "Bread", "Bakery"))
    assert register.shows("Bakery").offers[0].unit_price_e4 is None
    price = Price(sku=Sku("B"), unit_price_e4=32_000, currency="EUR", valid_from=DATE)
    register.feed("prices", {f"B|{DATE}|EUR": price})
    assert register.grid.sheet(DATE).offers[0].unit_price_e4 == 32_000
    assert register.grid.sheet("2020-01-01").offers[0].unit_price_e4 is None


def test_quick_keys_come_from_a_file_at_head_office(
    hq_pool: Pool, register: Register, tmp_path: Path
) -> None:
    feeds = Feeds(hq_pool, HEAD_OFFICE_KEY, ManualClock())
    catalogue = Catalogue(feeds)
    register.products(
        product("B", "Bread", "Bakery"), product("M", "Milk", "Dairy", "4001"), product("T", "Tea", "Hot")
    )

    def load(text: str) -> None:
        report = catalogue.load("quick-keys", f"position,sku,label\n{text}".encode())
        assert isinstance(report, LoadReport)
        assert report.taken, report.bad
        have = register.store.current("quick_keys")
        packed = feeds.page("quick_keys", have.incarnation if have else None, have.n if have else 0)
        page = protocol.unpack(packed, "feed", FeedPage, KEYS, verify)
        assert register.store.take(page, made_ms=1, now_ms=1) is None

    load("10,T,\n2,M,A pint\n3,GONE,Nothing\n")
    sheet = register.shows()
    assert (names(sheet), sheet.has_quick_keys) == (["A pint", "Tea"], True)
    changed = catalogue.preview("quick-keys", b"position,sku,label\n2,M,Milk\n1,B,\n")
    assert isinstance(changed, LoadReport)
    assert changed.effects is not None
    assert (changed.effects.new, changed.effects.changed) == (1, 1)
    load("2,,\n1,B,\n")
    assert names(register.shows()) == ["Bread", "Tea"]
    register.feed("products", {"T": None})
    assert names(register.shows()) == ["Bread"]


def test_a_quick_key_that_cannot_be_used_stops_no_other(register: Register) -> None:
    register.products(product("B", "Bread", "Bakery"))
    rows = {"001": QuickKey(position=1, sku=Sku("B")), "002": QuickKey(position=7, sku=Sku("B"))}
    register.feed("quick_keys", rows | {"999": QuickKey(position=999, sku=Sku("B"))})
    assert names(register.shows()) == ["Bread"]


@pytest.mark.parametrize(
    "name", ["categories", "count_of_category", "of_category", "count_of_loose", "loose", "quick_keys"]
)
def test_no_question_of_the_grid_reads_the_whole_catalogue(register: Register, name: str) -> None:
    """With 50,000 products each is answered by seeks in an index."""
    sql = getattr(grids._QUERIES, name).sql
    values = {"category": "c", "at_most": 20, "skipped": 0}
    used = {key: value for key, value in values.items() if f":{key}" in sql}
    plan = [row[3] for row in register.file.connection().execute(f"explain query plan {sql}", used)]
    scans = [step for step in plan if step.startswith("SCAN") and step.split()[1] not in _SMALL]
    assert not scans, plan
    assert not [
        step for step in plan if "TEMP B-TREE" in step and name == "of_category" and "shown" not in step
    ]


_SMALL = {"newest", "step", "shown", "CONSTANT", "version"}
"""Of a page's or a category's size; `CONSTANT ROW`."""


def test_a_register_that_is_upgraded_has_its_categories_at_once(tmp_path: Path) -> None:
    path, key = tmp_path / "reference.db", DatabaseKey.generate()
    migrations = load_migrations("holdfast.register.sync")
    with contextlib.closing(open_database(path, key, create=True)) as connection:
        migrate_sqlite(connection, migrations[:3])
        connection.execute("insert into product (generation, sku) values (1, 'B'), (1, 'M')")
        for row in (product("B", "Bread", " Bakery "), product("M", "Milk", "", "4001")):
            connection.execute(
                "insert into feed_row (feed, generation, key, body) values ('products', 1, ?, ?)",
                (row.sku, msgspec.json.encode(row)),
            )
        migrate_sqlite(connection, migrations)
        rows = connection.execute("select sku, name, category, is_loose from product order by sku").fetchall()
        assert rows == [("B", "Bread", "Bakery", 1), ("M", "Milk", "", 0)]
