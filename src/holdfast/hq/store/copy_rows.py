"""Rows as COPY reads them, built by hand: ten thousand sales a second leave no time for adapters.

Text is built without a look at its content, then the whole is counted once: a tab, a line feed or a
backslash too many shows that some text needs escaping, and only then is each looked at. `entry`
goes in binary, because its bytes would double as text.
"""

import datetime
import functools
import struct
from collections.abc import Callable, Sequence

from holdfast.core.ingest.rows import COLUMNS, Row

_BEGIN = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
"""Before the rows of a binary COPY."""
_END = struct.pack("!h", -1)
"""After them."""
_POSTGRES_DAY_0 = datetime.date(2000, 1, 1).toordinal()
_NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

STOCK_CHANGE = "stock_change"
_COLUMNS = {**COLUMNS, STOCK_CHANGE: ("store", "sku", "quantity_milli")}
NULLABLE: dict[str, tuple[int, ...]] = {
    table: tuple(columns.index(name) for name in names)
    for table, columns, names in (
        ("document", COLUMNS["document"], ("customer", "external_reference")),
        ("alert", COLUMNS["alert"], ("origin", "chain", "seq")),
        ("shift_declared", COLUMNS["shift_declared"], ("counted_minor",)),
    )
}
_FORMATS = {table: "\t".join(["%s"] * len(columns)) + "\n" for table, columns in _COLUMNS.items()}


def statement(table: str) -> str:
    """The COPY that takes what `encode` gives."""
    binary = " (format binary)" if table in _BINARY else ""
    return f"copy {table} ({', '.join(_COLUMNS[table])}) from stdin{binary}"


def encode(table: str, rows: Sequence[Row]) -> bytes:
    """The rows in COPY's form. UnicodeEncodeError, struct.error: one of them cannot stand in a database."""
    binary = _BINARY.get(table)
    return binary(rows) if binary is not None else _text(table, rows)


def _text(table: str, rows: Sequence[Row]) -> bytes:
    form, nulls = _FORMATS[table], 0
    filled = rows
    if table in NULLABLE:
        filled = [_filled(row, NULLABLE[table]) for row in rows]
        nulls = sum(row[place] is None for row in rows for place in NULLABLE[table])
    text = "".join([form % row for row in filled])
    plain = (
        text.count("\n") == len(rows)
        and text.count("\t") == len(rows) * (len(_COLUMNS[table]) - 1)
        and text.count("\\") == nulls
        and "\r" not in text
    )
    if not plain:
        text = "".join([form % tuple(map(_escaped, row)) for row in rows])
    return text.encode()


def _filled(row: Row, places: tuple[int, ...]) -> Row:
    for place in places:
        if row[place] is None:
            row = (*row[:place], _NULL, *row[place + 1 :])
    return row


def _escaped(value: object) -> object:
    if value is None:
        return _NULL
    return value.translate(_ESCAPES) if isinstance(value, str) else value


# ---- binary ------------------------------------------------------------------------------------

_ENTRY_HEAD = struct.Struct("!hiiiqi32s")
_LENGTH = struct.Struct("!i")


@functools.lru_cache(maxsize=1024)
def _sized(text: str) -> bytes:
    """A text with its length; an entry's type and status are a few words."""
    encoded = text.encode()
    return _LENGTH.pack(len(encoded)) + encoded


@functools.lru_cache(maxsize=1024)
def _date(date: str | None) -> bytes:
    if date is None:
        return b"\xff\xff\xff\xff"
    days = datetime.date.fromisoformat(date).toordinal() - _POSTGRES_DAY_0
    return struct.pack("!ii", 4, days)


def _bigint(value: int | None) -> bytes:
    return b"\xff\xff\xff\xff" if value is None else struct.pack("!iq", 8, value)


def _entries(rows: Sequence[Row]) -> bytes:
    parts = [_BEGIN]
    for chain, seq, hash, type, version, date, at_ms, status, data in rows:
        parts += (
            _ENTRY_HEAD.pack(9, 4, chain, 8, seq, 32, hash),
            _sized(type),
            struct.pack("!ih", 2, version),
            _date(date),
            _bigint(at_ms),
            _sized(status),
            _LENGTH.pack(len(data)),
            data,
        )
    parts.append(_END)
    return b"".join(parts)


def _references(rows: Sequence[Row]) -> bytes:
    parts = [_BEGIN]
    # Sorted, so that two batches never wait for each other's reference in a circle.
    for type, reference, chain, seq, content in sorted(rows):
        name = reference.encode()
        parts += (
            b"\x00\x05",
            _sized(type),
            _LENGTH.pack(len(name)),
            name,
            struct.pack("!iiiqi", 4, chain, 8, seq, len(content)),
            content,
        )
    parts.append(_END)
    return b"".join(parts)


_BINARY: dict[str, Callable[[Sequence[Row]], bytes]] = {"entry": _entries, "reference": _references}
