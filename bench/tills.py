"""Registers for benchmarks: made without a head office, and filled with sales faster than one could sell."""

import base64
import hashlib
import random
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import msgspec

from holdfast.core.basket import UNLIMITED, Act, Basket, add_product
from holdfast.core.business_day import DayOpened
from holdfast.core.catalogue import Price, Product
from holdfast.core.ids import (
    DocumentNumber,
    EpochId,
    OriginId,
    Sku,
    StaffId,
    StoreId,
    TransactionId,
    document_number,
)
from holdfast.core.journal.entry import encode_entry
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Sale, SaleLine, TaxTotal, Tender
from holdfast.core.tax import TaxRate
from holdfast.core.tender import CASH, CHANGE
from holdfast.core.totals import DayTotals
from holdfast.infra.clock import SystemClock, SystemRandomness
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config
from holdfast.infra.keys import DatabaseKey, SigningKey
from holdfast.infra.mark import HighWaterMark, Mark
from holdfast.infra.sqlite import checkpoint, immediate
from holdfast.register.checkout import Checkout
from holdfast.register.enrolment import establish
from holdfast.register.sync.trust import Trust
from holdfast.register.till import writing
from holdfast.register.till.database import QUERIES, open_till, sql_of
from holdfast.register.till.places import place

BY = StaffId("bench")
LINES = 4
ARTICLES = 5_000
PIECES = (1, 2, 3)
TAX = TaxRate(code="standard", name="VAT", rate_e6=81_000, inclusive=True, valid_from="2020-01-01")
_BLOCK = 20_000


def make_home(folder: Path, head_office_url: str = "http://127.0.0.1:9") -> RegisterHome:
    """A register that no head office knows."""
    home = RegisterHome(folder)
    config = RegisterConfig(
        origin=OriginId("bench"),
        register="B01",
        series="B01",
        store=StoreId("S01"),
        head_office_url=head_office_url,
        currency="EUR",
        timezone="Europe/Zurich",
    )
    office = SigningKey.generate()
    establish(home, config, Trust(head_office_keys={office.key_id: office.public_bytes}))
    return home


def open_checkout(home: RegisterHome) -> Checkout:
    config = load_config(home.config, RegisterConfig)
    return Checkout.open(home, clock=SystemClock(config.timezone), randomness=SystemRandomness())


def open_day(home: RegisterHome) -> None:
    """Begin the business day, as the first act of a new register."""
    checkout = open_checkout(home)
    try:
        if not checkout.day().open:
            assert isinstance(checkout.open_day(by=BY, approved_by=BY), DayOpened)
    finally:
        checkout.close()


def first_sale(folder: Path) -> None:
    """Open the till, sell one thing for cash, close it: what a process does to its first sale."""
    checkout = open_checkout(RegisterHome(folder))
    scan(checkout, 1, lines=1)
    assert isinstance(checkout.conclude(cash_given_minor=100_000), Sale)
    checkout.close()


def scan(checkout: Checkout, number: int, lines: int = LINES) -> Basket:
    """Products into a new basket, as a cashier would; each is on the disk before the next."""
    begun = checkout.begin(by=BY)
    assert isinstance(begun, Basket), f"a basket, not {begun}"
    basket: Basket | Refusal = begun
    for line in range(lines):
        sku = Sku(f"40{(number * 7 + line * 131) % 5_000:05d}")
        product = Product(
            sku=sku,
            description=f"Article {sku} in a box of twelve, blue",
            tax_code=TAX.code,
            department="household goods",
        )
        price = Price(sku=sku, unit_price_e4=1_990_000, currency="EUR", valid_from="2020-01-01")
        act = Act(by=BY, at_ms=begun.began_at_ms + 4_000 * line, limits=UNLIMITED)
        basket = checkout.change(lambda now, a=act, p=product, q=price: add_product(now, a, p, q, TAX))
    assert isinstance(basket, Basket), f"a basket, not {basket}"
    return basket


# ---- filling ---------------------------------------------------------------------------------------


class Article(NamedTuple):
    """A product as the made-up sales hold it."""

    sku: Sku
    text: str
    department: str
    amounts_minor: tuple[int, ...]
    """For one, two, three pieces."""
    encoded: tuple[bytes, ...]
    """A sale's line of so many pieces, but for `{"line":N`."""


def articles(seed: int = 1) -> list[Article]:
    """The shop's range: as random as stock codes, texts and prices of a real one."""
    chance = random.Random(seed)
    words = [
        "".join(chance.choices("bcdfghklmnprstvw", k=2)) + chance.choice("aeiou") * 2 for _ in range(900)
    ]
    return [_article(chance, words) for _ in range(ARTICLES)]


def _article(chance: random.Random, words: list[str]) -> Article:
    sku = Sku(f"40{chance.randrange(10**6):06d}")
    text, price = " ".join(chance.choices(words, k=12)).capitalize(), chance.randrange(95, 9_995, 5)
    department = f"Household and garden {chance.randrange(20)}"

    def line(pieces: int) -> bytes:
        whole = msgspec.json.encode(
            SaleLine(
                line=1, sku=sku, description=text, quantity_milli=1_000 * pieces, unit_price_e4=price * 100,
                amount_minor=price * pieces, tax_code=TAX.code, department=department, scanned_s=7 * pieces,
            )
        )  # fmt: skip
        return whole.removeprefix(b'{"line":1')

    return Article(sku, text, department, tuple(price * n for n in PIECES), tuple(line(n) for n in PIECES))


def fill(home: RegisterHome, entries: int, seed: int = 1) -> None:
    """Append that many sales of four lines to the register's journal, in few transactions.

    The result is what selling them would have left: chain, numbers, projections and mark. The day
    must be open, and the register not be selling.
    """
    with Filling(home, entries, seed) as filling:
        for done in range(0, entries, _BLOCK):
            filling.prepare(min(_BLOCK, entries - done))
            filling.commit()


_articles = articles()


class Filling:
    """Sales as fast as SQLite takes them: their bytes are put together from pieces encoded once."""

    def __init__(self, home: RegisterHome, entries: int, seed: int) -> None:
        """`entries`: of all blocks; the first is so long ago that the last is now."""
        config = load_config(home.config, RegisterConfig)
        self._home = home
        self._connection = open_till(home, DatabaseKey.load(home.database_key), config.origin)
        at, day = writing.read_head(self._connection), writing.read_day(self._connection)
        assert at is not None, "a till that was started has a head"
        assert day.open, "fill a till whose day is open"
        assert day.business_date is not None, "an open day has a date"
        self._date = day.business_date
        self._chance = random.Random(seed)
        self._at_ms = time.time_ns() // 1_000_000 - entries * 46_000
        self._series, self._epoch = config.series, at.head.epoch
        self._template = _template(config, at.head.epoch, self._date)

    def __enter__(self) -> "Filling":
        return self

    def __exit__(self, *_: object) -> None:
        checkpoint(self._connection)
        at = writing.read_head(self._connection)
        assert at is not None, "a filled till has a head"
        mark = HighWaterMark(self._home.mark)
        mark.write(Mark(at.head.epoch, at.head.seq, at.head.hash, at.head.documents, self._date))
        mark.close()
        self._connection.close()

    def prepare(self, count: int) -> None:
        """The next block, in memory."""
        at = writing.read_head(self._connection)
        assert at is not None, "a till that was started has a head"
        hash, value_minor = at.head.hash, at.value_minor
        self._links: list[tuple[int, bytes, int, int]] = []
        self._entries: list[tuple[int, str, bytes]] = []
        self._documents: list[tuple[int, int, str, str, int, int]] = []
        self._stock: Counter[Sku] = Counter()
        self._departments: Counter[str] = Counter()
        self._totals = DayTotals()
        for step in range(1, count + 1):
            seq, number = at.head.seq + step, at.head.documents + step
            data, sold, lines = self._entry(seq, number)
            hash = hashlib.sha256(hash + data).digest()
            value_minor += sold.total_minor
            self._links.append((place(at.n, seq), hash, number, value_minor))
            self._entries.append((place(at.n, seq), "sale", data))
            self._documents.append(
                (place(at.n, number), seq, "sale", self._date, self._at_ms, sold.total_minor)
            )
            self._totals = sold if step == 1 else _sum(self._totals, sold)
            for article, pieces in lines:
                self._stock[article.sku] -= 1_000 * pieces
                self._departments[article.department] += article.amounts_minor[pieces - 1]

    def commit(self) -> float:
        """Store the block in one transaction; `perf_counter` when it was durable, and to be seen."""
        connection = self._connection
        with immediate(connection):
            connection.executemany(sql_of("add_link"), self._links)
            connection.executemany(sql_of("add_entry"), self._entries)
            connection.executemany(sql_of("add_document"), self._documents)
            connection.executemany(sql_of("add_stock"), list(self._stock.items()))
            before = writing.read_totals(connection, self._date)
            added = msgspec.structs.replace(self._totals, departments_minor=dict(self._departments))
            QUERIES.set_day_totals(
                connection,
                business_date=self._date,
                totals=writing.encode_totals(before.totals + added),
                first_document=before.first_document or self._documents[0][0],
                last_document=self._documents[-1][0],
            )
        return time.perf_counter()

    def _entry(self, seq: int, number: int) -> tuple[bytes, DayTotals, list[tuple[Article, int]]]:
        """An entry's bytes, what it adds to the day but for departments, and which goods left."""
        chance = self._chance
        self._at_ms += chance.randrange(1_000, 90_000)
        total, parts, moved = 0, list[bytes](), list[tuple[Article, int]]()
        for line in range(1, LINES + 1):
            article = _articles[chance.randrange(ARTICLES)]
            pieces = chance.choice((1, 1, 1, 1, 2, 3))
            total += article.amounts_minor[pieces - 1]
            parts.append(b'{"line":%d%b' % (line, article.encoded[pieces - 1]))
            moved.append((article, pieces))
        given = (total // 500 + 1) * 500
        tax = (total * 162 + 1_081) // 2_162  # 8.1 % of what is without it, rounded half up
        data = self._template % (
            seq, self._at_ms, document_number(self._series, self._epoch, number).encode(),
            base64.b32encode(chance.randbytes(10)).lower(), b",".join(parts), total - tax, tax, given,
            total - given, total, self._at_ms - 35_000,
        )  # fmt: skip
        day = DayTotals(
            sales=1,
            total_minor=total,
            net_minor={TAX.code: total - tax},
            tax_minor={TAX.code: tax},
            tenders_minor={CASH: given, CHANGE: total - given},
            drawer_minor=total,
        )
        return data, day, moved


def _template(config: RegisterConfig, epoch: EpochId, date: str) -> bytes:
    """A sale's entry as `%` takes it; made from one that was encoded as all are."""
    body = Sale(
        document=DocumentNumber("@D"), transaction=TransactionId("@T"), currency=config.currency, lines=(),
        taxes=(
            TaxTotal(tax_code=TAX.code, rate_e6=TAX.rate_e6, inclusive=True, net_minor=900_000_003,
                     tax_minor=900_000_004),
        ),
        tenders=(
            Tender(kind=CASH, amount_minor=900_000_005), Tender(kind=CHANGE, amount_minor=900_000_006),
        ),
        total_minor=900_000_007, began_at_ms=900_000_008, by=BY,
    )  # fmt: skip
    encoded = encode_entry(
        origin=config.origin, epoch=epoch, seq=900_000_001, type="sale", version=1, at_ms=900_000_002,
        offset_min=60, date=date, body=body,
    )  # fmt: skip
    assert b"%" not in encoded, "nothing in it means something to the operator %"
    for number in range(1, 9):
        encoded = encoded.replace(b"90000000%d" % number, b"%d")
    return encoded.replace(b"@D", b"%b").replace(b"@T", b"%b").replace(b'"lines":[]', b'"lines":[%b]')


def _sum(one: DayTotals, other: DayTotals) -> DayTotals:
    """`one + other`, several times as fast where all keys are the same."""
    return DayTotals(
        sales=one.sales + other.sales,
        total_minor=one.total_minor + other.total_minor,
        net_minor={TAX.code: one.net_minor[TAX.code] + other.net_minor[TAX.code]},
        tax_minor={TAX.code: one.tax_minor[TAX.code] + other.tax_minor[TAX.code]},
        tenders_minor={kind: one.tenders_minor[kind] + other.tenders_minor[kind] for kind in (CASH, CHANGE)},
        drawer_minor=one.drawer_minor + other.drawer_minor,
    )
