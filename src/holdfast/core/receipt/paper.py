"""A receipt as lines of N columns, for a printer that knows no more than characters, and for plain mail."""

import unicodedata
from collections.abc import Iterator
from typing import Literal

import msgspec

from holdfast.core.receipt.model import Receipt, ReceiptLine, ReceiptTax
from holdfast.core.receipt.texts import text

COLUMNS_MIN, COLUMNS_MAX = 24, 80
INDENT = "  "
_NO_WIDTH = "\N{WORD JOINER}\N{ZERO WIDTH SPACE}\N{SOFT HYPHEN}"
_SPACES = str.maketrans({"\N{NO-BREAK SPACE}": " ", "\N{NARROW NO-BREAK SPACE}": " ", "\N{THIN SPACE}": " "})

Weight = Literal["plain", "bold", "code"]


class PaperLine(msgspec.Struct, frozen=True):
    """One line, no wider than the paper."""

    text: str
    weight: Weight = "plain"
    """`bold` where the printer can. `code`: here stands the picture of the code; the text is below it."""


def paper(receipt: Receipt, columns: int) -> tuple[PaperLine, ...]:
    """The receipt on paper of so many columns."""
    assert COLUMNS_MIN <= columns <= COLUMNS_MAX, "a receipt's paper is neither a strip nor a page"
    return tuple(_lines(receipt, columns))


def _lines(receipt: Receipt, columns: int) -> Iterator[PaperLine]:
    yield from _head(receipt, columns)
    yield PaperLine(_rule(columns))
    for line in receipt.lines:
        yield from _plain(_line(line, columns))
    yield PaperLine(_rule(columns))
    for sum in receipt.sums:
        weight: Weight = "bold" if sum.is_total else "plain"
        yield from (PaperLine(found, weight) for found in pair(sum.name, sum.amount, columns))
    if receipt.taxes:
        yield PaperLine("")
        yield from _plain(_tax_table(receipt.taxes, columns))
    if receipt.values:
        yield PaperLine("")
    for said in receipt.values:
        yield from _plain(wrapped(said, columns))
    if receipt.note:
        yield PaperLine("")
        yield from _plain(wrapped(receipt.note, columns))
    for place, found in enumerate(_centred(receipt.sale.document, columns)):
        yield PaperLine(found, "plain" if place else "code")
    for foot in receipt.footer:
        yield from _plain(_centred(foot, columns))


def _head(receipt: Receipt, columns: int) -> Iterator[PaperLine]:
    for place, name in enumerate(receipt.header):
        for found in _centred(name, columns):
            yield PaperLine(found, "plain" if place else "bold")
    for said in (*receipt.address, receipt.tax_id):
        yield from _plain(_centred(said, columns))
    yield PaperLine("")
    for said in (receipt.kind, receipt.copy):
        for found in _centred(said, columns):
            yield PaperLine(found, "bold")
    facts = (
        ("receipt.number", receipt.sale.document),
        ("receipt.date", receipt.at),
        ("receipt.business-date", receipt.business_date_text),
        ("receipt.register", receipt.register),
        ("receipt.served-by", receipt.served_by),
        ("receipt.customer", receipt.sale.customer or ""),
    )
    for key, value in facts:
        if value:
            yield from _plain(pair(text(key), value, columns))
    if receipt.points:
        yield from _plain(pair(receipt.points_name, receipt.points, columns))


def _plain(lines: Iterator[str] | list[str]) -> Iterator[PaperLine]:
    return (PaperLine(line) for line in lines)


def _line(line: ReceiptLine, columns: int) -> Iterator[str]:
    yield from pair(line.description, line.tax_letter, columns)
    each = text("receipt.each", quantity=line.quantity, price=line.unit_price)
    yield from pair(INDENT + each, line.amount, columns)
    for extra in line.extras:
        for found in wrapped(extra, columns - len(INDENT)):
            yield INDENT + found


def _tax_table(taxes: tuple[ReceiptTax, ...], columns: int) -> list[str]:
    """A table where it fits, else each tax on lines of its own."""
    head = (text("receipt.tax"), text("receipt.net"), text("receipt.tax"), text("receipt.gross"))
    rows = [head, *((f"{tax.letter} {tax.name}", tax.net, tax.tax, tax.gross) for tax in taxes)]
    rows = [tuple(printable(cell) for cell in row) for row in rows]
    widths = [max(width(row[place]) for row in rows) for place in range(4)]
    if sum(widths) + 3 > columns:
        return [line for row in rows[1:] for line in _stacked(row, columns)]
    first = columns - sum(widths[1:]) - 3
    return [
        " ".join([_left(row[0], first), *(_right(row[place], widths[place]) for place in (1, 2, 3))])
        for row in rows
    ]


def _stacked(row: tuple[str, ...], columns: int) -> Iterator[str]:
    name, net, tax, gross = row
    yield from wrapped(name, columns)
    for key, amount in (("receipt.net", net), ("receipt.tax", tax), ("receipt.gross", gross)):
        yield from pair(INDENT + text(key), amount, columns)


# ---- lines of text -----------------------------------------------------------------------------


def printable(said: str) -> str:
    """Without characters that have no width, and with blanks that every printer has."""
    return "".join(character for character in said.translate(_SPACES) if character not in _NO_WIDTH)


def width(said: str) -> int:
    """Columns that a text takes: two for a wide character, none for one that joins the one before."""
    return sum(_width_of(character) for character in said)


def _width_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def wrapped(said: str, columns: int) -> list[str]:
    """Lines no wider than `columns`, broken at blanks where there are any."""
    lines: list[str] = []
    line = ""
    for word in printable(said).split():
        for piece in _pieces(word, columns):
            joined = f"{line} {piece}" if line else piece
            if width(joined) > columns:
                lines.append(line)
                joined = piece
            line = joined
    return [*lines, line] if line else lines


def _pieces(word: str, columns: int) -> Iterator[str]:
    piece = ""
    for character in word:
        if piece and width(piece + character) > columns:
            yield piece
            piece = ""
        piece += character
    yield piece


def pair(left: str, right: str, columns: int) -> list[str]:
    """`left` at the left edge and `right` at the right one, on one line where both fit."""
    indent = left[: len(left) - len(left.lstrip(" "))]
    left, right = printable(left.strip()), printable(right)
    if not right:
        return [indent + line for line in wrapped(left, columns - len(indent))]
    gap = columns - len(indent) - width(left) - width(right)
    if gap >= 1:
        return [indent + left + " " * gap + right]
    lines = [indent + line for line in wrapped(left, columns - len(indent))]
    gap = columns - width(lines[-1]) - width(right) if lines else 0
    if gap >= 1:
        return [*lines[:-1], lines[-1] + " " * gap + right]
    return [*lines, *(_right(line, columns) for line in wrapped(right, columns))]


def centred(said: str, columns: int) -> str:
    """In the middle; a text that is too wide stays as it is."""
    return " " * max(0, (columns - width(said)) // 2) + said


def _centred(said: str, columns: int) -> list[str]:
    return [centred(line, columns) for line in wrapped(said, columns)]


def _left(said: str, columns: int) -> str:
    return said + " " * (columns - width(said))


def _right(said: str, columns: int) -> str:
    return " " * max(0, columns - width(said)) + said


def _rule(columns: int) -> str:
    return "-" * columns
