"""Foreign cash from a CSV to a till that takes it, and from there to head office's totals (PO2)."""

import re
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import psycopg
import pytest

from holdfast.core.basket import Basket
from holdfast.core.foreign_cash import CurrencyRate, accepted_on, foreign_due_minor, foreign_tender
from holdfast.core.ids import OriginId, StoreId
from holdfast.core.ingest.facts import OriginFacts
from holdfast.core.sale import Sale, Tender
from holdfast.core.sync.batch import encode_batch
from holdfast.core.sync.messages import Ack, Receipt
from holdfast.hq.catalogue import KINDS
from holdfast.hq.store.port import OriginRecord
from holdfast.hq.totals import TenderTotals, read_totals
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey, SigningKey
from holdfast.infra.postgres.connect import Pool
from holdfast.register.till.database import read_till
from holdfast.register.till.journal import TillJournal
from holdfast.register.verify import verify_register
from tests.hq_fixtures import HeadOfficeUnderTest
from tests.hq_web_fixtures import ServedHeadOffice, csrf_of
from tests.journal_samples import SampleJournal
from tests.register_fixture import CASHIER, DATE, ORIGIN, make_register, scan, sell_one, selling
from tests.unit.core.shop import done

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures", "tests.hq_web_fixtures"]

DOLLARS = Tender(
    kind="foreign_cash", amount_minor=915, foreign_currency="USD", foreign_minor=1_000, rate_e8=91_500_000
)


class NoReceipts:
    def receipts(self) -> Sequence[Receipt]:
        return ()


@pytest.fixture
def home(tmp_path: Path) -> RegisterHome:
    return make_register(tmp_path / "register")


def loaded(text: str) -> list[CurrencyRate]:
    """Rows as head office reads them from a file."""
    columns = ("currency", "home", "rate", "smallest", "valid_from", "accepted")
    rows = [
        KINDS["currencies"].read(dict(zip(columns, line.split(","), strict=False))) for line in text.split()
    ]
    return [row for _, row in rows if isinstance(row, CurrencyRate)]


RATES = loaded(
    """USD,EUR,0.915,1,2025-01-01
    USD,EUR,0.93,1,2025-12-01
    GBP,EUR,1.1524,5,2025-01-01
    JPY,EUR,0.00612345,1000,2025-01-01,no
    CHF,GBP,0.88,10,2025-01-01"""
)


def buy(home: RegisterHome) -> list[Sale]:
    """Mugs at 4.99: for dollars, for pounds and euro in parts, and for euro."""
    with selling(home) as checkout:
        dollar, pound = sorted(accepted_on(RATES, "EUR", DATE), key=lambda rate: rate.currency != "USD")
        done(checkout.begin(by=CASHIER))
        scan(checkout)
        due = foreign_due_minor(499, dollar)
        first = done(checkout.take(done(foreign_tender(due, dollar, "half-up"))))
        done(checkout.begin(by=CASHIER))
        for _ in range(2):
            scan(checkout)
        part = done(checkout.take(done(foreign_tender(500, pound, "half-up"))))
        assert isinstance(part, Basket)
        second = done(checkout.take(Tender(kind="cash", amount_minor=1_000)))
        third = sell_one(checkout, cash_minor=500)
        assert isinstance(first, Sale)
        assert isinstance(second, Sale)
        return [first, second, third]


def send(home: RegisterHome, office: HeadOfficeUnderTest) -> None:
    """All that the till has written, as its sender cuts it."""
    key = SigningKey.load(home.signing_key)
    facts = OriginFacts(origin=OriginId(ORIGIN), store=StoreId("S1"), series="R01", currency="EUR")
    with office.store.transaction(None) as transaction:
        transaction.enrol(
            OriginRecord(facts=facts, name="R01", kind="register"), key.key_id, key.public_bytes
        )
    with closing(read_till(home, DatabaseKey.load(home.database_key), ORIGIN)) as connection:
        journal = TillJournal(connection, key, NoReceipts())
        (head,) = journal.heads()
        piece = journal.piece(head.epoch, 1, 1_000, 1 << 22)
        assert piece is not None
        batch = encode_batch(ORIGIN, head.epoch, piece.previous_hash, piece.entries, piece.head)
    assert isinstance(office.ingest.receive_batch(ORIGIN, batch), Ack)


def test_what_was_taken_is_the_same_at_the_till_and_at_head_office(
    home: RegisterHome, postgres_hq: HeadOfficeUnderTest, memory_hq: HeadOfficeUnderTest, hq_pool: Pool
) -> None:
    sales = buy(home)
    assert [[(t.kind, t.amount_minor) for t in sale.tenders] for sale in sales] == [
        [("foreign_cash", 549), ("change", -50)],
        [("foreign_cash", 576), ("cash", 1_000), ("change", -578)],
        [("cash", 500), ("change", -1)],
    ]
    for office in (postgres_hq, memory_hq):
        send(home, office)
    assert postgres_hq.dump() == memory_hq.dump(), "each store keeps the same rows"
    assert postgres_hq.verify().differences == ()
    assert verify_register(home).differences == ()
    with selling(home, seed=2) as checkout:
        day, drawer = checkout.totals(DATE), checkout.foreign_drawer()
    found = read_totals(hq_pool).tenders

    def paid(kind: str, tenders: int, amount: int, foreign: str = "", foreign_minor: int = 0) -> TenderTotals:
        return TenderTotals(
            currency="EUR",
            kind=kind,
            foreign_currency=foreign,
            tenders=tenders,
            amount_minor=amount,
            foreign_minor=foreign_minor,
        )

    assert found == (
        paid("cash", 2, 1_500),
        paid("change", 3, -629),
        paid("foreign_cash", 1, 576, "GBP", 500),
        paid("foreign_cash", 1, 549, "USD", 600),
    )
    for row in found:
        if row.foreign_currency:
            assert (row.foreign_minor, row.amount_minor) == (
                drawer[row.foreign_currency].foreign_minor,
                drawer[row.foreign_currency].amount_minor,
            )
    assert sum(row.amount_minor for row in found) == day.total_minor + day.rounding_minor


@pytest.mark.parametrize(
    "tampering",
    [
        "update document_foreign_cash set foreign_minor = 900",
        "update document_foreign_cash set rate_e8 = rate_e8 + 1",
        "update document_foreign_cash set currency = 'CAD'",
        "delete from document_foreign_cash",
        "insert into document_foreign_cash select * from document_foreign_cash",
        "insert into document_foreign_cash values (1, 3, 1, 'USD', 1, 1)",
    ],
)
def test_foreign_cash_that_differs_from_the_journal_is_found(
    postgres_hq: HeadOfficeUnderTest, tampering: str
) -> None:
    journal = SampleJournal().open().sell(1, total_minor=915, tenders=(DOLLARS,)).sell(1)
    postgres_hq.enrol(journal)
    assert isinstance(postgres_hq.ingest.receive_batch(journal.origin, journal.batch()), Ack)
    assert postgres_hq.verify().differences == ()
    assert postgres_hq.dsn is not None
    with psycopg.connect(postgres_hq.dsn, autocommit=True) as conn:
        conn.execute(tampering.encode())
    assert {found.code for found in postgres_hq.verify().differences} == {"document"}


def test_a_rate_beyond_64_bits_waits_and_holds_up_nothing(
    postgres_hq: HeadOfficeUnderTest, memory_hq: HeadOfficeUnderTest
) -> None:
    """P10."""
    wrong = Tender(
        kind="foreign_cash", amount_minor=915, foreign_currency="USD", foreign_minor=1, rate_e8=1 << 63
    )
    journal = SampleJournal().open().sell(1, total_minor=915, tenders=(wrong,)).sell(1)
    for office in (postgres_hq, memory_hq):
        office.enrol(journal)
        assert isinstance(office.ingest.receive_batch(journal.origin, journal.batch()), Ack)
    verified = postgres_hq.verify()
    assert (verified.waiting, verified.documents, verified.differences) == (1, 1, ())
    assert postgres_hq.dump() == memory_hq.dump()


def test_head_office_s_pages_show_it_by_currency(office: ServedHeadOffice) -> None:
    journal = office.enrol(SampleJournal().open().sell(1, total_minor=915, tenders=(DOLLARS,)).sell(1))
    office.session(journal).post("/v1/sync/entries", content=journal.batch())
    client = office.signed_in()
    day = client.get("/sales?from=2026-09-21&to=2026-09-21").text
    assert "Paid in foreign cash" in day
    assert "10.00 USD" in day
    assert "Paid in foreign cash" not in client.get("/sales?from=2026-09-22").text
    sale = client.get("/sales/1/2").text
    for expected in ("Foreign cash", "10.00 USD at 0.915", "9.15 GBP"):
        assert expected in sale


def test_rates_are_loaded_on_the_page_of_data_with_their_bad_rows_named(office: ServedHeadOffice) -> None:
    """What is wrong is said by line, column and reason, and the good rows go into the feed."""
    client = office.signed_in()
    text = client.get("/data").text
    assert "home currency for one unit" in text
    csrf = csrf_of(text)
    rows = "currency,home,rate,smallest\nUSD,GBP,0.79,1\nUSD,USD,1,1\nCHF,GBP,O.88,1\n"
    page = client.post(
        "/data/preview",
        data={"csrf": csrf, "kind": "currencies"},
        files={"file": ("rates.csv", rows.encode(), "text/csv")},
    ).text
    flat = re.sub(r"\s+", " ", page)
    assert re.search(r'class="num">3</th><td>home</td><td>[^<]*home currency itself', flat)
    assert re.search(r'class="num">4</th><td>rate</td><td>[^<]*not a number', flat)
    take = dict(
        re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.split('action="/data/take"')[1])
    )
    assert "1 of 1 rows are new or changed, 2 left out" in client.post("/data/take", data=take).text
    (row,) = office.services.head_office.feeds.rows("currencies").values()
    assert msgspec.json.decode(row, type=CurrencyRate) == CurrencyRate(
        currency="USD", home="GBP", rate_e8=79_000_000, smallest_minor=100, valid_from="0001-01-01"
    )
