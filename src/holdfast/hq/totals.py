"""Exact totals of everything stored, computed from the documents themselves."""

from decimal import Decimal
from typing import Any

import msgspec

from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq", "totals.sql", Engine.POSTGRES)

_MILLI = Decimal(1_000)
_AMOUNT = Decimal(10_000_000)
"""Thousandths × ten-thousandths of the major unit."""


class CurrencyTotals(msgspec.Struct, frozen=True, kw_only=True):
    """Documents of one currency as they were charged: every line rounded by its document's rule."""

    currency: str
    documents: int
    total_minor: int
    tax_minor: int


class TenderTotals(msgspec.Struct, frozen=True, kw_only=True):
    """What documents of one currency were paid with; foreign cash by its currency."""

    currency: str
    kind: str
    foreign_currency: str
    """Empty for all that is no foreign cash."""
    tenders: int
    amount_minor: int
    """In the documents' currency."""
    foreign_minor: int
    """In the foreign currency's minor units."""


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Counts and sums; decimals are exact text."""

    rows: int
    """Document lines."""
    invoices: int
    """External references."""
    documents: int
    business_days: int
    cancellation_invoices: int
    cancellation_lines: int
    write_off_lines: int
    account_adjustment_lines: int
    price_zero_lines: int
    negative_price_lines: int
    lines_without_customer: int
    stock_codes: int
    countries: int
    duplicate_rows: int
    invoices_with_several_times: int
    largest_invoice_lines: int
    largest_quantity: str
    busiest_day: str
    busiest_day_lines: int
    quantity: str
    amount: str
    """Σ quantity × unit price, unrounded."""
    charged: tuple[CurrencyTotals, ...]
    tenders: tuple[TenderTotals, ...]
    stock_differences: int
    """Stock levels that are not the sum of their movements."""
    waiting: int
    """Entries in quarantine: in none of the figures above."""


def read_totals(pool: Pool) -> Totals:
    """All figures, as of one moment."""
    with pool.connection() as conn:
        conn.execute("set transaction isolation level repeatable read read only")
        counts = _sql.counts(conn)
        lines = _sql.lines(conn)
        busiest = _sql.busiest_day(conn) or ("", 0)
        charged = [_charged(row) for row in _sql.by_currency(conn)]
        tenders = [_paid(row) for row in _sql.by_tender(conn)]
        return Totals(
            rows=counts[0],
            invoices=counts[1],
            documents=counts[2],
            business_days=counts[3],
            cancellation_invoices=counts[4],
            cancellation_lines=counts[5],
            write_off_lines=counts[6],
            account_adjustment_lines=counts[7],
            price_zero_lines=lines[0],
            negative_price_lines=lines[1],
            lines_without_customer=counts[9],
            stock_codes=lines[2],
            countries=counts[8],
            duplicate_rows=_sql.duplicates(conn),
            invoices_with_several_times=_sql.several_times(conn),
            largest_invoice_lines=_sql.largest_invoice(conn),
            largest_quantity=plain(Decimal(lines[3]) / _MILLI),
            busiest_day=busiest[0],
            busiest_day_lines=busiest[1],
            quantity=plain(Decimal(lines[4]) / _MILLI),
            amount=plain(Decimal(lines[5]) / _AMOUNT),
            charged=tuple(charged),
            tenders=tuple(tenders),
            stock_differences=_sql.stock_differences(conn),
            waiting=_sql.waiting(conn),
        )


def read_stock(pool: Pool) -> dict[str, str]:
    """By stock code, over all stores: what is on the shelf since everything began, as exact text."""
    with pool.connection() as conn:
        return {sku: plain(Decimal(milli) / _MILLI) for sku, milli in _sql.stock(conn)}


def plain(value: Decimal) -> str:
    """Without an exponent and without zeros at the end of the fraction."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _charged(row: tuple[Any, ...]) -> CurrencyTotals:
    currency, documents, total_minor, tax_minor = row
    return CurrencyTotals(
        currency=currency, documents=documents, total_minor=int(total_minor), tax_minor=int(tax_minor)
    )


def _paid(row: tuple[Any, ...]) -> TenderTotals:
    currency, kind, foreign_currency, tenders, amount_minor, foreign_minor = row
    return TenderTotals(
        currency=currency,
        kind=kind,
        foreign_currency=foreign_currency,
        tenders=tenders,
        amount_minor=int(amount_minor),
        foreign_minor=int(foreign_minor),
    )
