"""Sales, counts and transfers at chosen moments, for tests of stock."""

from holdfast.core.ids import DocumentNumber, OriginId, Sku, StoreId, TransactionId
from holdfast.core.journal import writer
from holdfast.core.sale import ExternalDocument, Sale, SaleLine, StockAdjusted, StockLine
from holdfast.core.stock.entries import CountedLine, StockCounted, StockTransferred, Way
from tests.journal_samples import STAMP, SampleJournal, signing_key

NOON_MS = STAMP.at_ms


def register(n: int) -> SampleJournal:
    """A register that has opened its journal."""
    return SampleJournal(key=signing_key(n), origin=OriginId(f"reg{n:02}")).open(n)


def _write(journal: SampleJournal, type: str, minute: int, body: object) -> None:
    assert journal.head is not None
    stamp = writer.Stamp(at_ms=NOON_MS + minute * 60_000, offset_min=60, date=STAMP.date)
    journal._store(writer.write(journal.origin, journal.head, type, 1, body, stamp))  # type: ignore[arg-type]


def next_number(journal: SampleJournal) -> DocumentNumber:
    """The number that its next document takes."""
    assert journal.head is not None
    return journal.head.next_document("R01")


def sold(
    journal: SampleJournal, minute: int, sku: str, pieces: int, own_date: str | None = None
) -> SampleJournal:
    """So many pieces go at that minute; `own_date`: entered again from paper."""
    number = next_number(journal)
    external = None if own_date is None else ExternalDocument(reference=number, business_date=own_date)
    line = SaleLine(
        line=1, sku=Sku(sku), description=sku, quantity_milli=pieces * 1_000, unit_price_e4=0,
        amount_minor=0, tax_code="S",
    )  # fmt: skip
    body = Sale(
        document=number, transaction=TransactionId(f"t-{number}"), currency="GBP", lines=(line,), taxes=(),
        tenders=(), total_minor=0, began_at_ms=NOON_MS, external=external,
    )  # fmt: skip
    _write(journal, "sale" if pieces > 0 else "return", minute, body)
    return journal


def counted(journal: SampleJournal, minute: int, **pieces: int) -> SampleJournal:
    """So many were there of each."""
    lines = tuple(
        CountedLine(line=number, sku=Sku(sku), quantity_milli=count * 1_000)
        for number, (sku, count) in enumerate(pieces.items(), 1)
    )
    at_ms = NOON_MS + minute * 60_000
    _write(
        journal,
        "stock_counted",
        minute,
        StockCounted(document=next_number(journal), lines=lines, at_ms=at_ms),
    )
    return journal


def adjusted(journal: SampleJournal, minute: int, sku: str, pieces: int) -> SampleJournal:
    line = StockLine(line=1, sku=Sku(sku), quantity_milli=pieces * 1_000)
    at_ms = NOON_MS + minute * 60_000
    body = StockAdjusted(document=next_number(journal), reason="Delivery", lines=(line,), at_ms=at_ms)
    _write(journal, "stock_adjusted", minute, body)
    return journal


def transferred(
    journal: SampleJournal, minute: int, way: Way, other: str, transfer: str = "", **pieces: int
) -> SampleJournal:
    """`transfer`: the number that sent it; this document's own where none is given."""
    number, sign = next_number(journal), -1 if way == "sent" else 1
    lines = tuple(
        StockLine(line=place, sku=Sku(sku), quantity_milli=sign * count * 1_000)
        for place, (sku, count) in enumerate(pieces.items(), 1)
    )
    at_ms = NOON_MS + minute * 60_000
    body = StockTransferred(
        document=number, way=way, transfer=transfer or number, other=StoreId(other), lines=lines, at_ms=at_ms
    )
    _write(journal, "stock_transferred", minute, body)
    return journal
