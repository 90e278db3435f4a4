"""What a history must come to, counted from its rows by nothing but the standard library."""

import csv
import io
import lzma
import os
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("HOLDFAST_DATA", ROOT.parent / "shared" / "data"))
FILE = FOLDER / "online_retail_v1.csv.xz"

Row = dict[str, str]

TABLE: dict[str, int | str] = {
    "rows": 541_909,
    "invoices": 25_900,
    "business_days": 305,
    "cancellation_invoices": 3_836,
    "cancellation_lines": 9_288,
    "write_off_lines": 1_336,
    "price_zero_lines": 2_515,
    "negative_price_lines": 2,
    "lines_without_customer": 135_080,
    "stock_codes": 4_070,
    "countries": 38,
    "duplicate_rows": 5_268,
    "invoices_with_several_times": 43,
    "largest_invoice_lines": 1_114,
    "largest_quantity": "80995",
    "busiest_day": "2011-12-05",
    "busiest_day_lines": 5_331,
    "quantity": "5176450",
    "amount": "9747747.934",
}
"""As counted by whoever gave the data, beside it in its README."""


def read_rows(limit: int | None) -> list[Row]:
    """The real rows; with `limit`, those of the invoices that begin within so many rows."""
    if not FILE.exists():
        pytest.skip(f"the retailer's history is not here: set HOLDFAST_DATA to its folder ({FILE.name})")
    with lzma.open(FILE, "rb") as raw, io.TextIOWrapper(raw, encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    return rows if limit is None else first_invoices(rows, limit)


def first_invoices(rows: list[Row], count: int) -> list[Row]:
    """Whole invoices: those that begin within the first `count` rows."""
    wanted = {row["InvoiceNo"] for row in rows[:count]}
    return [row for row in rows if row["InvoiceNo"] in wanted]


def write_rows(path: Path, rows: list[Row]) -> Path:
    """The rows as a file to replay."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def figures_of(rows: list[Row]) -> dict[str, int | str]:
    """The table's figures of these rows."""
    invoices = Counter(row["InvoiceNo"] for row in rows)
    days = Counter(row["InvoiceDate"][:10] for row in rows)
    busiest = max(days, key=lambda day: (days[day], day))
    cancelled = [invoice for invoice in invoices if invoice.startswith("C")]
    quantities = [Decimal(row["Quantity"]) for row in rows]
    times = {(row["InvoiceNo"], row["InvoiceDate"]) for row in rows}
    times_of = Counter(invoice for invoice, _ in times)
    return {
        "rows": len(rows),
        "invoices": len(invoices),
        "business_days": len(days),
        "cancellation_invoices": len(cancelled),
        "cancellation_lines": sum(invoices[invoice] for invoice in cancelled),
        "write_off_lines": sum(is_write_off(row) for row in rows),
        "price_zero_lines": sum(Decimal(row["UnitPrice"]) == 0 for row in rows),
        "negative_price_lines": sum(Decimal(row["UnitPrice"]) < 0 for row in rows),
        "lines_without_customer": sum(not row["CustomerID"] for row in rows),
        "stock_codes": len({row["StockCode"] for row in rows}),
        "countries": len({row["Country"] for row in rows}),
        "duplicate_rows": len(rows) - len({tuple(row.values()) for row in rows}),
        "invoices_with_several_times": sum(count > 1 for count in times_of.values()),
        "largest_invoice_lines": max(invoices.values()),
        "largest_quantity": plain(max(map(abs, quantities))),
        "busiest_day": busiest,
        "busiest_day_lines": days[busiest],
        "quantity": plain(sum(quantities)),
        "amount": plain(sum(Decimal(row["UnitPrice"]) * Decimal(row["Quantity"]) for row in rows)),
    }


def is_write_off(row: Row) -> bool:
    return row["Quantity"].startswith("-") and not row["InvoiceNo"].startswith("C")


def quantities_by_code(rows: Iterable[Row]) -> dict[str, int]:
    """Σ quantity by stock code, exactly as the code is written."""
    found: Counter[str] = Counter()
    for row in rows:
        found[row["StockCode"]] += int(row["Quantity"])
    return dict(found)


def stock_by_code(rows: Iterable[Row]) -> dict[str, int]:
    """What is left on the shelf after these rows: sold goods left, returned ones came back, and a negative
    quantity that was written off left too. An adjusted account moves no goods."""
    found: Counter[str] = Counter()
    for row in rows:
        if row["InvoiceNo"].startswith("A"):
            continue
        quantity = int(row["Quantity"])
        found[row["StockCode"]] += quantity if is_write_off(row) else -quantity
    return {code: quantity for code, quantity in found.items() if quantity}


def plain(number: Decimal | int) -> str:
    """Without trailing zeros behind the point, and never with an exponent."""
    text = f"{Decimal(number):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
