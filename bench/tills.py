"""Registers for benchmarks: made without a head office, and filled with sales faster than one could sell."""

import base64
import hashlib
import random
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import apsw
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

    return Article(sku, text, tuple(price * n for n in PIECES), tuple(line(n) for n in PIECES))


def fill(home: RegisterHome, entries: int, seed: int = 1) -> float:
    """Append that many sales of four lines to the register's journal, in few transactions; the mean size
    of an entry in bytes.

    The result is what selling them would have left: chain, numbers, projections and mark. The day
    must be open, and the register not be selling.
    """
    config = load_config(home.config, RegisterConfig)
    connection = open_till(home, DatabaseKey.load(home.database_key), config.origin)
    mark = HighWaterMark(home.mark)
    try:
        filling = _Filling(connection, config, random.Random(seed), entries)
        for done in range(0, entries, _BLOCK):
            with immediate(connection):
                filling.append(min(_BLOCK, entries - done))
        checkpoint(connection)
        at = writing.read_head(connection)
        assert at is not None, "a filled till has a head"
        head = at.head
        mark.write(Mark(head.epoch, head.seq, head.hash, head.documents, filling.date))
        return filling.bytes / entries
    finally:
        mark.close()
        connection.close()


class _Filling:
    """Sales as fast as SQLite takes them: their bytes are put together from pieces encoded once."""

    def __init__(
        self, connection: apsw.Connection, config: RegisterConfig, chance: random.Random, entries: int
    ) -> None:
        at, day = writing.read_head(connection), writing.read_day(connection)
        assert at is not None, "a till that was started has a head"
        assert day.open, "fill a till whose day is open"
        assert day.business_date is not None, "an open day has a date"
        self.connection, self.date, self.bytes = connection, day.business_date, 0
        self._chance = chance
        self._articles = articles()
        self._at_ms = time.time_ns() // 1_000_000 - entries * 46_000
        self._series, self._epoch = config.series, at.head.epoch
        self._template = _template(config, at.head.epoch, self.date)

    def append(self, count: int) -> None:
        at = writing.read_head(self.connection)
        assert at is not None, "a till that was started has a head"
        hash, value_minor = at.head.hash, at.value_minor
        links: list[tuple[int, bytes, int, int]] = []
        entries: list[tuple[int, str, bytes]] = []
        documents: list[tuple[int, int, str, str, int, int]] = []
        stock: Counter[Sku] = Counter()
        totals = DayTotals()
        for step in range(1, count + 1):
            seq, number = at.head.seq + step, at.head.documents + step
            data, sold, lines = self._entry(seq, number)
            hash = hashlib.sha256(hash + data).digest()
            value_minor += sold.total_minor
            links.append((place(at.n, seq), hash, number, value_minor))
            entries.append((place(at.n, seq), "sale", data))
            documents.append((place(at.n, number), seq, "sale", self.date, self._at_ms, sold.total_minor))
            totals = sold if step == 1 else _sum(totals, sold)
            for sku, milli in lines:
                stock[sku] -= milli
        self.bytes += sum(len(data) for _, _, data in entries)
        self.connection.executemany(sql_of("add_link"), links)
        self.connection.executemany(sql_of("add_entry"), entries)
        self.connection.executemany(sql_of("add_document"), documents)
        self.connection.executemany(sql_of("add_stock"), list(stock.items()))
        before = writing.read_totals(self.connection, self.date)
        QUERIES.set_day_totals(
            self.connection,
            business_date=self.date,
            totals=writing.encode_totals(before.totals + totals),
            first_document=before.first_document or documents[0][0],
            last_document=documents[-1][0],
        )

    def _entry(self, seq: int, number: int) -> tuple[bytes, DayTotals, list[tuple[Sku, int]]]:
        """An entry's bytes, what it adds to the day, and which goods left."""
        chance = self._chance
        self._at_ms += chance.randrange(1_000, 90_000)
        total, parts, moved = 0, list[bytes](), list[tuple[Sku, int]]()
        for line in range(1, LINES + 1):
            article = self._articles[chance.randrange(ARTICLES)]
            pieces = chance.choice((1, 1, 1, 1, 2, 3))
            total += article.amounts_minor[pieces - 1]
            parts.append(b'{"line":%d%b' % (line, article.encoded[pieces - 1]))
            moved.append((article.sku, 1_000 * pieces))
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
