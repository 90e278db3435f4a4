"""Projection: one entry's body to rows. Validates before anything reaches a database."""

import datetime
import functools
import hashlib
from typing import Any, cast

import msgspec

from holdfast.core import totals
from holdfast.core.ids import StoreId
from holdfast.core.ingest.cash import cash_problem
from holdfast.core.ingest.central import central_problem
from holdfast.core.ingest.customers import customer_problem
from holdfast.core.ingest.facts import OriginFacts
from holdfast.core.ingest.rows import DayCount, DayKey, Rows
from holdfast.core.journal.entry import Entry, Unprojectable
from holdfast.core.sale import AccountAdjusted, ExternalDocument, Sale, StockAdjusted, StockLine
from holdfast.core.stock.entries import CountedLine, StockCounted, StockTransferred
from holdfast.core.stock.places import transit_to
from holdfast.core.tax import NO_TURNOVER

INT64 = 1 << 63
_NO_TURNOVER = NO_TURNOVER.code
"""Of a gift card's line, which is no goods."""
_NUL = b"\\u0000"
"""Cheap look at the bytes; only where it finds something is the body searched."""

Document = Sale | StockAdjusted | StockCounted | StockTransferred | AccountAdjusted


def validate(entry: Entry, body: msgspec.Struct) -> Unprojectable | None:
    """Why this body can make no rows; None: it can. What a database would refuse is found here.

    Text with NUL cannot stand in PostgreSQL; totals that do not add up would make every report
    wrong. Numbers and lengths are bounded by the bodies' types.
    """
    if not is_date(entry.date):
        return Unprojectable("invalid-date", f"{entry.date!r} is no date")
    if _NUL in bytes(entry.body) or not isinstance(body, Document):
        found = _find_unstorable(msgspec.to_builtins(body, builtin_types=(bytes,)))
        if found is not None:
            return found
    if not isinstance(body, Document):
        return cash_problem(entry, body) or customer_problem(body)
    if body.external is not None and not is_date(body.external.business_date):
        return Unprojectable("invalid-date", f"{body.external.business_date!r} is no date")
    for number, line in enumerate(body.lines, 1):
        if line.line != number:
            return Unprojectable("invalid-lines", "lines are not numbered 1, 2, 3, …")
    if isinstance(body, Sale):
        return _validate_sale(body)
    return _validate_stock(body) if isinstance(body, StockCounted | StockTransferred) else None


def _validate_stock(body: StockCounted | StockTransferred) -> Unprojectable | None:
    if isinstance(body, StockCounted):
        if len({line.sku for line in body.lines}) < len(body.lines):
            return Unprojectable("invalid-lines", "a product is counted twice")
    elif any((line.quantity_milli < 0) != (body.way == "sent") for line in body.lines):
        return Unprojectable("invalid-lines", "what is sent is negative, and what is received positive")
    return None


def _validate_sale(sale: Sale) -> Unprojectable | None:
    due = paid = taxed = 0
    for line in sale.lines:
        due += line.amount_minor
    for tax in sale.taxes:
        taxed += tax.tax_minor
        if not tax.inclusive:
            due += tax.tax_minor
    if not -INT64 < taxed < INT64:
        return Unprojectable("out-of-range", "the sum of the taxes is beyond 64 bits")
    if due != sale.total_minor:
        return Unprojectable("totals", "Σ line amounts + tax added is not the total")
    for tender in sale.tenders:
        paid += tender.amount_minor
    if paid != sale.total_minor + sale.rounding_minor:
        return Unprojectable("totals", "Σ tenders is not the total + rounding")
    return central_problem(sale)


def _find_unstorable(value: Any) -> Unprojectable | None:
    """The first text with NUL, or number beyond 64 bits, anywhere in a body."""
    pending: list[Any] = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            fields = cast(dict[Any, Any], item)
            pending += [*fields.keys(), *fields.values()]
        elif isinstance(item, (list, tuple)):
            pending += cast(list[Any], item)
        elif isinstance(item, str) and "\x00" in item:
            return Unprojectable("invalid-text", "a text holds the character NUL")
        elif isinstance(item, int) and not -INT64 < item < INT64:
            return Unprojectable("out-of-range", "a number is beyond 64 bits")
    return None


@functools.lru_cache(maxsize=1024)
def is_date(text: str) -> bool:
    """A batch has few dates, and each is asked for with every entry."""
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def external_of(body: msgspec.Struct) -> ExternalDocument | None:
    return body.external if isinstance(body, Document) else None


def content_of(body: Document) -> bytes:
    """Fingerprint of what a document says, without what a second entering changes by itself."""
    said = {
        "lines": [
            (line.sku, line.description, line.quantity_milli, line.unit_price_e4) for line in body.lines
        ],
        "customer": body.customer,
        "external": body.external,
    }
    return hashlib.sha256(msgspec.json.encode(said)).digest()


def posting_period(business_date: str, open_period: str) -> str:
    """The month of the business date, or the first open one where that month is closed (P7)."""
    return max(business_date[:7], open_period)


def project(
    rows: Rows, chain: int, entry: Entry, body: Document, origin: OriginFacts, open_period: str
) -> None:
    """Adds the rows of one document. The body was validated."""
    external = body.external
    date = entry.date if external is None else external.business_date
    seq = entry.seq
    if isinstance(body, Sale):
        total, tax, rounding = body.total_minor, _tax_minor(body), body.rounding_minor
        began, currency = body.began_at_ms, body.currency
        _project_payment(rows, chain, seq, body)
        if entry.type == "return":
            _project_return(rows, chain, seq, body)
    else:
        total = body.amount_minor if isinstance(body, AccountAdjusted) else 0
        tax, rounding, began = 0, 0, body.at_ms
        currency = body.currency if isinstance(body, AccountAdjusted) else origin.currency
    rows.appended["document"].append(
        (
            chain,
            seq,
            entry.type,
            body.document,
            origin.origin,
            origin.store,
            date,
            posting_period(date, open_period),
            entry.at_ms,
            began,
            currency,
            total,
            tax,
            rounding,
            len(body.lines),
            body.customer,
            None if external is None else external.reference,
            "" if external is None else external.country,
            body.by,
        )
    )
    _project_lines(rows, chain, seq, origin.store, date, body)
    if isinstance(body, StockTransferred):
        rows.appended["stock_transfer"].append(
            (
                *(chain, seq, body.transfer, body.way, origin.store, body.other),
                *(body.document, body.at_ms, body.by),
            )
        )
        place = transit_to(body.other if body.way == "sent" else origin.store)
        for line in body.lines:
            rows.stock[place, line.sku] -= line.quantity_milli
    key = DayKey(origin.origin, date)
    day = rows.days.get(key)
    if day is None:
        day = rows.days[key] = DayCount()
    day.documents += 1
    day.total_minor += total
    day.tax_minor += tax
    day.cash_minor += totals.drawer_minor(body)


def stock_sign(body: Document) -> int:
    """A sale takes off the shelf, an adjustment says what it does; accounts and counts move no goods."""
    if isinstance(body, Sale):
        return -1
    return 1 if isinstance(body, StockAdjusted | StockTransferred) else 0


def _tax_minor(sale: Sale) -> int:
    total = 0
    for tax in sale.taxes:
        total += tax.tax_minor
    return total


def _project_lines(rows: Rows, chain: int, seq: int, store: StoreId, date: str, body: Document) -> None:
    """Lines and stock. The innermost loop of ingest: each row is one expression."""
    if isinstance(body, Sale):
        rows.appended["document_line"] += [
            (
                chain,
                seq,
                line.line,
                store,
                date,
                line.sku,
                line.description,
                line.quantity_milli,
                line.unit_price_e4,
                line.amount_minor,
                line.tax_code,
                line.department,
                0 if line.tax_code == _NO_TURNOVER else -line.quantity_milli,
                line.scanned_s,
            )
            for line in body.lines
        ]
    else:
        sign = stock_sign(body)
        rows.appended["document_line"] += [
            _movement_row(chain, seq, store, date, line, line.quantity_milli * sign) for line in body.lines
        ]
    if isinstance(body, AccountAdjusted | StockCounted):
        return
    stock, sign = rows.stock, stock_sign(body)
    lines = body.lines
    if isinstance(body, Sale) and body.values:
        lines = [line for line in body.lines if line.tax_code != _NO_TURNOVER]
    for line in lines:
        key = (store, line.sku)
        stock[key] = stock.get(key, 0) + line.quantity_milli * sign


def _project_return(rows: Rows, chain: int, seq: int, sale: Sale) -> None:
    """Which receipts it names: what came back on one of them twice, only head office can know (PO8)."""
    rows.appended["document_return"] += [
        (
            chain,
            seq,
            line.line,
            line.original.document,
            line.original.line,
            -line.quantity_milli,
            -line.amount_minor,
        )
        for line in sale.lines
        if line.original is not None
    ]


def _movement_row(
    chain: int, seq: int, store: StoreId, date: str, line: StockLine | CountedLine, stock_milli: int
) -> tuple[object, ...]:
    return (
        *(chain, seq, line.line, store, date, line.sku, line.description),
        *(line.quantity_milli, line.unit_price_e4, 0, "", "", stock_milli, 0),
    )


def _project_payment(rows: Rows, chain: int, seq: int, sale: Sale) -> None:
    tenders = rows.appended["document_tender"]
    for number, tender in enumerate(sale.tenders, 1):
        tenders.append((chain, seq, number, tender.kind, tender.amount_minor, tender.reference))
        if tender.foreign_currency:
            rows.appended["document_foreign_cash"].append(
                (chain, seq, number, tender.foreign_currency, tender.foreign_minor, tender.rate_e8)
            )
    taxes = rows.appended["document_tax"]
    for tax in sale.taxes:
        taxes.append((chain, seq, tax.tax_code, tax.rate_e6, tax.inclusive, tax.net_minor, tax.tax_minor))
