"""A CSV file of an administrator: its rows by column, and what is wrong with it, each in its place."""

import csv
import io
from collections.abc import Iterator

import msgspec

from holdfast.core.refusals import Refusal

FILE_BYTES_MAX = 256 << 20
FIELD_CHARS_MAX = 10_000
_DELIMITERS = ",;\t"


class BadRow(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with one row."""

    line: int
    """Of the file, from 1; the header is line 1."""
    column: str
    reason: str


class CsvRow(msgspec.Struct, frozen=True):
    """The fields of one row, by the names of the header in lower case, without blanks around."""

    line: int
    fields: dict[str, str]
    problem: str = ""
    """Why the row could not be read at all."""


class CsvFile(msgspec.Struct, frozen=True):
    """A file whose header was understood."""

    columns: tuple[str, ...]
    unknown_columns: tuple[str, ...]
    rows: tuple[CsvRow, ...]


def read_csv(data: bytes, required: tuple[str, ...], optional: tuple[str, ...]) -> CsvFile | Refusal:
    """The rows of a file. A refusal: the file as a whole is not one that can be loaded."""
    if len(data) > FILE_BYTES_MAX:
        return Refusal("csv.too-large", f"The file has over {FILE_BYTES_MAX >> 20} MB. Split it.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return Refusal("csv.encoding", f"The file is not UTF-8 (line {line}). Save it as CSV UTF-8.")
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
    except csv.Error as error:
        return Refusal("csv.header", f"The first line cannot be read: {error}.")
    refusal = _refuse_header(header, required)
    if refusal is not None:
        return refusal
    known = {*required, *optional}
    unknown = tuple(name for name in header if name not in known)
    return CsvFile(tuple(header), unknown, tuple(_rows(reader, header)))


def _refuse_header(header: list[str], required: tuple[str, ...]) -> Refusal | None:
    missing = [name for name in required if name not in header]
    if missing:
        return Refusal(
            "csv.header", f"The first line must name the columns; {', '.join(missing)} is missing."
        )
    twice = sorted({name for name in header if header.count(name) > 1})
    return Refusal("csv.header", f"The column {twice[0]!r} is there twice.") if twice else None


def _rows(reader: "csv.Reader", header: list[str]) -> Iterator[CsvRow]:  # type: ignore[name-defined]
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield CsvRow(line, {}, f"the row cannot be read: {error}")
            continue
        if not any(value.strip() for value in values):
            continue
        fields = dict(zip(header, (value.strip() for value in values), strict=False))
        if len(values) != len(header):
            yield CsvRow(line, fields, f"the row has {len(values)} fields, the header {len(header)}")
        elif any(len(value) > FIELD_CHARS_MAX for value in values):
            yield CsvRow(line, fields, "a field is far too long")
        else:
            yield CsvRow(line, fields)
