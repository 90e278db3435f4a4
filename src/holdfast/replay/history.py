"""Reading a history file: rows to lines, and lines to the documents that registers enter.

Nothing is repaired. A row that cannot be read is reported with its line, column and reason, and
takes its whole invoice with it: a document is whole or absent (P3).
"""

import csv
import datetime
import functools
import gzip
import io
import lzma
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from holdfast.core.bounds import PRICE_E4_MAX, QUANTITY_MILLI_MAX, id_refusal, text_refusal
from holdfast.core.faults import ConfigurationFault
from holdfast.core.ids import CustomerNumber, Sku
from holdfast.core.money import parse_e4, parse_milli
from holdfast.core.refusals import Refusal
from holdfast.infra.clock import time_zone
from holdfast.replay.columns import Reading

FIELD_CHARS_MAX = 64 * 1024


class HistoryLine(msgspec.Struct, frozen=True, gc=False):
    """One row, without what its document says for all of them."""

    sku: Sku
    description: str
    """Verbatim: leading and trailing blanks count."""
    quantity_milli: int
    unit_price_e4: int
    scanned_s: int
    """Whole seconds from the document's beginning to this line."""


class HistoryDocument(msgspec.Struct, frozen=True):
    """What one register enters as one document."""

    type: str
    """`sale`, `return`, `stock_adjusted` or `account_adjusted`."""
    reference: str
    """The invoice's number."""
    business_date: str
    """ISO date of its first line."""
    began_at_ms: int
    customer: CustomerNumber | None
    country: str
    lines: tuple[HistoryLine, ...]


class BadRow(msgspec.Struct, frozen=True):
    """A row that cannot be entered."""

    line: int
    """Line of the file, its header being 1."""
    column: str
    reason: str


class History(msgspec.Struct, frozen=True):
    """A file as it was read."""

    documents: tuple[HistoryDocument, ...]
    """In the order in which their invoices first appear."""
    rows: int
    bad: tuple[BadRow, ...]


class _Row(msgspec.Struct, frozen=True, gc=False):
    at_ms: int
    business_date: str
    customer: str
    country: str
    sku: Sku
    description: str
    quantity_milli: int
    unit_price_e4: int


class _Unreadable(Exception):
    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.bad = (column, reason)


def read_history(path: Path, reading: Reading) -> History:
    """All documents of a CSV file, also `.gz` and `.xz`.

    ConfigurationFault where the file cannot be read at all, or lacks a column.
    """
    try:
        with _open(path) as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
            return _read(path, text, reading)
    except OSError as error:
        raise ConfigurationFault(f"{path} cannot be read ({error.strerror or error}).") from error
    except (lzma.LZMAError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationFault(f"{path} is damaged, or not UTF-8 text: {error}.") from error


def _open(path: Path) -> BinaryIO:
    match path.suffix:
        case ".csv":
            return path.open("rb")
        case ".gz":
            return cast(BinaryIO, gzip.open(path))
        case ".xz":
            return cast(BinaryIO, lzma.open(path))
        case _:
            raise ConfigurationFault(f"{path} is no history: its name must end in .csv, .csv.gz or .csv.xz.")


def _read(path: Path, text: Iterable[str], reading: Reading) -> History:
    csv.field_size_limit(FIELD_CHARS_MAX)
    reader = csv.reader(text, strict=True)
    header = next(reader, [])
    places = _places(path, header, reading)
    invoices: dict[str, list[_Row]] = {}
    bad: list[BadRow] = []
    spoiled: set[str] = set()
    parse = _RowParser(places, reading)
    rows = 0
    for fields in reader:
        if not fields:
            continue  # an empty line
        rows += 1
        try:
            if len(fields) != len(header):
                raise _Unreadable("", f"has {len(fields)} columns; the header has {len(header)}")
            invoice, row = parse(fields)
        except _Unreadable as error:
            bad.append(BadRow(reader.line_num, *error.bad))
            if len(fields) > places["invoice"]:
                spoiled.add(fields[places["invoice"]])
            continue
        invoices.setdefault(invoice, []).append(row)
    whole = {invoice: found for invoice, found in invoices.items() if invoice not in spoiled}
    return History(tuple(_documents(whole, reading)), rows, tuple(bad))


def _places(path: Path, header: list[str], reading: Reading) -> dict[str, int]:
    places: dict[str, int] = {}
    for field, name in reading.columns.named.items():
        if name not in header:
            raise ConfigurationFault(
                f"{path} has no column {name!r}; it has {', '.join(header) or 'none'}. "
                f"Name the right one with --column {field}=…"
            )
        places[field] = header.index(name)
    return places


class _RowParser:
    """Fields of one row to their values. Texts repeat a lot, so each is read once."""

    def __init__(self, places: dict[str, int], reading: Reading) -> None:
        self._places = places
        self._names = reading.columns.named
        zone = time_zone(reading.timezone)

        @functools.lru_cache(4096)
        def time_of(text: str) -> tuple[int, str]:
            try:
                local = datetime.datetime.strptime(text, reading.time_format).replace(tzinfo=zone)
            except ValueError:
                form = f"is no time of the form {reading.time_format}"
                raise _Unreadable(self._names["time"], f"{text[:40]!r} {form}") from None
            return int(local.timestamp()) * 1_000, local.date().isoformat()

        self._time_of = time_of
        self._checked = functools.lru_cache(1 << 16)(self._checked_once)
        self._number = functools.lru_cache(1 << 14)(self._number_once)

    def __call__(self, fields: list[str]) -> tuple[str, _Row]:
        at_ms, business_date = self._time_of(self._text(fields, "time"))
        quantity = self._number("quantity", self._text(fields, "quantity"))
        if not quantity:
            raise _Unreadable(self._names["quantity"], "is zero: nothing was sold or brought back")
        row = _Row(
            at_ms,
            business_date,
            self._checked("customer", self._text(fields, "customer")),
            self._checked("country", self._text(fields, "country")),
            Sku(self._checked("sku", self._text(fields, "sku"))),
            self._checked("description", self._text(fields, "description")),
            quantity,
            self._number("price", self._text(fields, "price")),
        )
        return self._checked("invoice", self._text(fields, "invoice")), row

    def _text(self, fields: list[str], field: str) -> str:
        place = self._places.get(field)
        return "" if place is None else fields[place]

    def _checked_once(self, field: str, text: str) -> str:
        needed = field in ("invoice", "sku") or (field == "customer" and text)
        refusal = id_refusal("It", text) if needed else text_refusal("It", text)
        if refusal is not None:
            raise _Unreadable(self._names[field], refusal.sentence)
        return sys.intern(text)

    def _number_once(self, field: str, text: str) -> int:
        number = (parse_milli if field == "quantity" else parse_e4)(text.strip())
        if isinstance(number, Refusal):
            raise _Unreadable(self._names[field], number.sentence)
        if abs(number) > (QUANTITY_MILLI_MAX if field == "quantity" else PRICE_E4_MAX):
            raise _Unreadable(self._names[field], f"{text[:40]!r} is far too large")
        return number


def _documents(invoices: dict[str, list[_Row]], reading: Reading) -> Iterator[HistoryDocument]:
    for invoice, rows in invoices.items():
        by_type: dict[str, list[_Row]] = {}
        for row in rows:
            by_type.setdefault(_type_of(invoice, row, reading), []).append(row)
        for type_, of_type in by_type.items():
            yield _document(type_, invoice, of_type)


def _type_of(invoice: str, row: _Row, reading: Reading) -> str:
    """A document sells or brings back, never both; goods that nobody paid for or brought were written off."""
    if reading.adjusted_prefix and invoice.startswith(reading.adjusted_prefix):
        return "account_adjusted"
    if row.quantity_milli > 0:
        return "sale"
    is_return = reading.cancelled_prefix and invoice.startswith(reading.cancelled_prefix)
    return "return" if is_return else "stock_adjusted"


def _document(type_: str, invoice: str, rows: list[_Row]) -> HistoryDocument:
    first = min(rows, key=lambda row: row.at_ms)
    return HistoryDocument(
        type=type_,
        reference=invoice,
        business_date=first.business_date,
        began_at_ms=first.at_ms,
        customer=CustomerNumber(rows[0].customer) if rows[0].customer else None,
        country=rows[0].country,
        lines=tuple(
            HistoryLine(
                row.sku,
                row.description,
                row.quantity_milli,
                row.unit_price_e4,
                (row.at_ms - first.at_ms) // 1_000,
            )
            for row in rows
        ),
    )
