"""Rows as COPY reads them: the fast way and the careful way say the same."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.ingest.rows import COLUMNS
from holdfast.hq.store import copy_rows

TEXTS = st.text(st.sampled_from("ab\t\n\r\\N\"',{}é漢 ") | st.characters(exclude_categories=["Cs"]))
TENDERS = st.lists(st.tuples(*[st.integers(0, 9)] * 3, TEXTS, st.integers(-9, 9), TEXTS), min_size=1)


def unescaped(field: str) -> str:
    """As PostgreSQL reads a field of COPY's text form."""
    out, at = "", 0
    marks = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}
    while at < len(field):
        if field[at] == "\\":
            out, at = out + marks[field[at + 1]], at + 2
        else:
            out, at = out + field[at], at + 1
    return out


@given(TENDERS)
def test_any_text_comes_out_as_it_went_in(rows: list[tuple[object, ...]]) -> None:
    lines = copy_rows.encode("document_tender", rows).decode().split("\n")
    assert lines.pop() == ""
    read = [tuple(unescaped(field) for field in line.split("\t")) for line in lines]
    assert read == [tuple(str(value) for value in row) for row in rows]


def test_null_is_told_from_its_spelling() -> None:
    columns = COLUMNS["document"]
    row: list[object] = ["x"] * len(columns)
    row[columns.index("customer")] = None
    row[columns.index("external_reference")] = "\\N"
    fields = copy_rows.encode("document", [tuple(row)]).decode().rstrip("\n").split("\t")
    assert fields[columns.index("customer")] == "\\N"
    assert fields[columns.index("external_reference")] == "\\\\N"
