"""Exact totals of what is stored, against figures counted by hand."""

from holdfast.core.ids import CustomerNumber, Sku
from holdfast.core.sale import AccountAdjusted, ExternalDocument, StockAdjusted, StockLine
from holdfast.core.sync.messages import Ack
from holdfast.hq.totals import read_stock, read_totals
from holdfast.infra.postgres.connect import Pool
from tests.hq_fixtures import HeadOfficeUnderTest
from tests.journal_samples import STAMP, SampleJournal, sale

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures"]


def external(reference: str, date: str, country: str = "United Kingdom") -> ExternalDocument:
    return ExternalDocument(reference=reference, business_date=date, country=country)


def test_nothing_comes_to_nothing(hq_pool: Pool) -> None:
    totals = read_totals(hq_pool)
    assert (totals.rows, totals.amount, totals.quantity, totals.busiest_day) == (0, "0", "0", "")
    assert read_stock(hq_pool) == {}


def test_figures_of_a_few_documents(postgres_hq: HeadOfficeUnderTest, hq_pool: Pool) -> None:
    journal = SampleJournal().open()
    postgres_hq.enrol(journal)
    # Two lines each: 1 × A1 at 1.00 and 2 × B2 at 0.75.
    journal.sell(2, reference="1").sell(1, reference="2").sell(1)
    journal.append(
        "stock_adjusted", 1,
        StockAdjusted(
            document=sale("W1").document, reason="damaged", at_ms=STAMP.at_ms,
            external=external("3", "2010-12-02"),
            lines=(
                StockLine(line=1, sku=Sku("A1"), quantity_milli=-10_000),
                StockLine(line=2, sku=Sku("a1"), quantity_milli=-500),
            ),
        ),
    )  # fmt: skip
    journal.append(
        "account_adjusted", 1,
        AccountAdjusted(
            document=sale("W2").document, reason="bad debt", currency="GBP", amount_minor=-1_106_206,
            at_ms=STAMP.at_ms, customer=CustomerNumber("17850"),
            external=external("A5", "2010-12-02", "EIRE"),
            lines=(StockLine(line=1, sku=Sku("B"), quantity_milli=1_000, unit_price_e4=-110_620_600),),
        ),
    )  # fmt: skip
    assert isinstance(postgres_hq.ingest.receive_batch(journal.origin, journal.batch()), Ack)
    totals = read_totals(hq_pool)
    # The second document under reference 1 is the first one again.
    assert (totals.rows, totals.invoices, totals.documents, totals.business_days) == (9, 4, 5, 2)
    assert (totals.write_off_lines, totals.account_adjustment_lines) == (2, 1)
    assert (totals.price_zero_lines, totals.negative_price_lines, totals.lines_without_customer) == (2, 1, 8)
    assert (totals.stock_codes, totals.countries, totals.waiting) == (4, 2, 0)
    assert (totals.largest_quantity, totals.largest_invoice_lines) == ("10", 2)
    assert (totals.busiest_day, totals.busiest_day_lines) == (STAMP.date, 6)
    assert totals.quantity == "-0.5"
    assert totals.amount == "-11054.56"
    assert [(row.currency, row.documents, row.total_minor) for row in totals.charged] == [
        ("GBP", 4, -1_105_456)
    ]
    assert totals.stock_differences == 0
    assert read_stock(hq_pool) == {"A1": "-13", "B2": "-6", "a1": "-0.5"}
