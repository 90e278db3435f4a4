"""Registers for benchmarks: made without a head office, and filled with sales faster than one could sell."""

import hashlib
import time
from pathlib import Path

import apsw
import msgspec

from holdfast.core.business_day import DayOpened
from holdfast.core.ids import EpochId, OriginId, Sku, StaffId, StoreId, TransactionId
from holdfast.core.journal.entry import encode_entry
from holdfast.core.sale import Sale, SaleLine, TaxTotal, Tender
from holdfast.core.totals import DayTotals, day_deltas, stock_deltas
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


def sale(document: str, number: int) -> Sale:
    """A sale of four lines, about 1.5 KB as an entry."""
    lines = tuple(
        SaleLine(
            line=line,
            sku=Sku(f"40{(number * 7 + line * 131) % 5_000:05d}"),
            description=f"Article {(number * 7 + line * 131) % 5_000} in a box of twelve, blue",
            quantity_milli=1_000 * (1 + (number + line) % 3),
            unit_price_e4=(199 + 100 * line) * 100,
            amount_minor=(199 + 100 * line) * (1 + (number + line) % 3),
            tax_code="standard",
            department="household goods",
            scanned_s=4 * line,
            note="gift wrapped, receipt without prices" if line == 1 else "",
        )
        for line in range(1, LINES + 1)
    )
    total = sum(line.amount_minor for line in lines)
    tax = total * 81 // 1_081
    return Sale(
        document=document,  # type: ignore[arg-type]
        transaction=TransactionId(hashlib.sha256(document.encode()).hexdigest()[:16]),
        currency="EUR",
        lines=lines,
        taxes=(
            TaxTotal(
                tax_code="standard", rate_e6=81_000, inclusive=True, net_minor=total - tax, tax_minor=tax
            ),
        ),
        tenders=(
            Tender(kind="cash", amount_minor=total + 100),
            Tender(kind="change", amount_minor=-100),
        ),
        total_minor=total,
        began_at_ms=1_790_000_000_000,
        by=BY,
    )


def fill(home: RegisterHome, entries: int) -> int:
    """Append that many sales to the register's journal in few transactions; bytes of one entry.

    The result is what selling them would have left: chain, numbers, projections and mark, but for the
    transactions' own ids. The day must be open.
    """
    config = load_config(home.config, RegisterConfig)
    connection = open_till(home, DatabaseKey.load(home.database_key), config.origin)
    mark = HighWaterMark(home.mark)
    try:
        filling = _Filling(connection, config)
        left = entries
        while left:
            block = min(left, _BLOCK)
            with immediate(connection):
                filling.append(block)
            left -= block
        checkpoint(connection)
        at = writing.read_head(connection)
        assert at is not None, "a filled till has a head"
        head = at.head
        mark.write(Mark(head.epoch, head.seq, head.hash, head.documents, filling.date))
        return len(filling.variants[0].encoded)
    finally:
        mark.close()
        connection.close()


class _Variant:
    """One kind of sale, encoded but for its seq and its number."""

    def __init__(self, config: RegisterConfig, epoch: EpochId, number: int, at_ms: int, date: str) -> None:
        self.body = sale("@NUMBER@", number)
        self.total_minor = self.body.total_minor
        self.encoded = encode_entry(
            origin=config.origin, epoch=epoch, seq=987_654_321, type="sale", version=1, at_ms=at_ms,
            offset_min=60, date=date, body=self.body,
        )  # fmt: skip
        self.before, rest = self.encoded.split(b"987654321")
        self.between, self.after = rest.split(b"@NUMBER@")


class _Filling:
    def __init__(self, connection: apsw.Connection, config: RegisterConfig) -> None:
        at = writing.read_head(connection)
        day = writing.read_day(connection)
        assert at is not None and day.open and day.business_date, "fill a till whose day is open"  # noqa: PT018
        self.connection = connection
        self.date = day.business_date
        self.at_ms = time.time_ns() // 1_000_000
        self.prefix = f"{config.series}-{at.head.epoch[:5].upper()}-".encode()
        self.variants = [
            _Variant(config, at.head.epoch, number, self.at_ms, self.date) for number in range(64)
        ]

    def append(self, count: int) -> None:
        at = writing.read_head(self.connection)
        assert at is not None, "a started till has a head"
        hash, n = at.head.hash, at.n
        links: list[tuple[int, bytes, int]] = []
        entries: list[tuple[int, str, bytes]] = []
        documents: list[tuple[int, int, str, str, int, int]] = []
        for step in range(1, count + 1):
            seq, number = at.head.seq + step, at.head.documents + step
            variant = self.variants[number % len(self.variants)]
            data = b"%b%d%b%b%06d%b" % (
                variant.before, seq, variant.between, self.prefix, number, variant.after
            )  # fmt: skip
            hash = hashlib.sha256(hash + data).digest()
            row_id = place(n, seq)
            links.append((row_id, hash, number))
            entries.append((row_id, "sale", data))
            documents.append((place(n, number), seq, "sale", self.date, self.at_ms, variant.total_minor))
        self.connection.executemany(sql_of("add_link"), links)
        self.connection.executemany(sql_of("add_entry"), entries)
        self.connection.executemany(sql_of("add_document"), documents)
        self._project(n, at.head.documents + 1, at.head.documents + count)

    def _project(self, n: int, first: int, last: int) -> None:
        """What these documents add, as their own projection would have."""
        kinds = len(self.variants)
        before = writing.read_totals(self.connection, self.date)
        totals = before.totals
        stock: dict[str, int] = {}
        for index, variant in enumerate(self.variants):
            times = (last - index) // kinds - (first - 1 - index) // kinds
            totals += _times(day_deltas(variant.body), times)
            for sku, milli in stock_deltas(variant.body).items():
                stock[sku] = stock.get(sku, 0) + milli * times
        self.connection.executemany(sql_of("add_stock"), list(stock.items()))
        QUERIES.set_day_totals(
            self.connection,
            business_date=self.date,
            totals=writing.encode_totals(totals),
            first_document=before.first_document or place(n, first),
            last_document=place(n, last),
        )


def _times(totals: DayTotals, times: int) -> DayTotals:
    """The sum of `times` equal totals."""
    values = msgspec.structs.asdict(totals)
    scaled = {
        name: {key: one * times for key, one in value.items()} if isinstance(value, dict) else value * times
        for name, value in values.items()
    }
    return msgspec.convert(scaled, DayTotals)
