"""Reading a history: what becomes a document of which type, and what is reported instead of entered."""

import gzip
import lzma
from pathlib import Path

import pytest

from holdfast.core.business_day import is_date
from holdfast.core.faults import ConfigurationFault
from holdfast.replay.assign import assign, register_of
from holdfast.replay.columns import Columns, Reading
from holdfast.replay.history import BadRow, History, read_history

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"


def history(tmp_path: Path, rows: str, reading: Reading | None = None, header: str = HEADER) -> History:
    path = tmp_path / "history.csv"
    path.write_text(header + rows, encoding="utf-8")
    return read_history(path, reading or Reading())


def test_an_invoice_becomes_one_sale_with_its_texts_verbatim(tmp_path: Path) -> None:
    found = history(
        tmp_path,
        "1,A, SPACED ,2,2010-12-01 08:26:00,0.775,17850.0,EIRE\n"
        "2,M,,1,2010-12-01 08:27:00,1.00,,France\n"
        "1,m,,3,2010-12-01 08:28:05,0,17850.0,EIRE\n",
    )
    first, second = found.documents
    assert (first.type, first.reference, first.business_date) == ("sale", "1", "2010-12-01")
    assert (first.customer, first.country) == ("17850.0", "EIRE")
    assert [(line.sku, line.description, line.scanned_s) for line in first.lines] == [
        ("A", " SPACED ", 0),
        ("m", "", 125),
    ]
    assert [(line.quantity_milli, line.unit_price_e4) for line in first.lines] == [(2_000, 7_750), (3_000, 0)]
    assert second.customer is None
    assert found.rows == 3


def test_times_are_those_of_the_zone(tmp_path: Path) -> None:
    winter, summer = history(
        tmp_path,
        "1,A,x,1,2010-12-01 08:26:00,1,,\n2,A,x,1,2011-07-01 08:26:00,1,,\n",
    ).documents
    assert winter.began_at_ms == 1_291_191_960_000
    assert (summer.began_at_ms // 60_000) % 1_440 == 7 * 60 + 26, "British summer time is an hour ahead"


def test_types_follow_from_the_prefix_and_the_sign(tmp_path: Path) -> None:
    found = history(
        tmp_path,
        "C1,A,x,-1,2011-01-01 00:00:00,1,,\n"
        "2,A,damaged,-5,2011-01-01 00:00:00,0,,\n"
        "A3,B,Adjust bad debt,1,2011-01-01 00:00:00,-11062.06,,\n"
        "4,A,x,1,2011-01-01 00:00:00,1,,\n"
        "4,A,x,-1,2011-01-01 00:00:00,1,,\n",
    )
    assert [(document.reference, document.type) for document in found.documents] == [
        ("C1", "return"),
        ("2", "stock_adjusted"),
        ("A3", "account_adjusted"),
        ("4", "sale"),
        ("4", "stock_adjusted"),
    ]
    assert all(is_date(document.business_date) for document in found.documents)


def test_a_bad_row_is_reported_and_takes_its_invoice_with_it(tmp_path: Path) -> None:
    found = history(
        tmp_path,
        "1,A,x,1,2011-01-01 00:00:00,1,,\n"
        '2,A,"two\nlines",1,2011-01-01 00:00:00,1,,\n'
        "1,A,x,one,2011-01-01 00:00:00,1,,\n"
        "3,,x,1,2011-01-01 00:00:00,1,,\n"
        "4,A,x,1,tomorrow,1,,\n"
        "5,A,x,0,2011-01-01 00:00:00,1,,\n"
        "6,A,x,1,2011-01-01 00:00:00,1.23456,,\n"
        "7,A\n"
        "8,A,x,1,2011-01-01 00:00:00,1,,\n",
    )
    assert [document.reference for document in found.documents] == ["8"]
    assert [(bad.line, bad.column) for bad in found.bad] == [
        (4, "Description"),
        (5, "Quantity"),
        (6, "StockCode"),
        (7, "InvoiceDate"),
        (8, "Quantity"),
        (9, "UnitPrice"),
        (10, ""),
    ]
    assert found.bad[1] == BadRow(5, "Quantity", "'one' is not a number. Write it as in 12.50.")


def test_other_headers_and_missing_columns(tmp_path: Path) -> None:
    columns = Columns(
        invoice="no", sku="code", quantity="n", time="at", price="each", customer="", country=""
    )
    reading = Reading(columns=columns, time_format="%d/%m/%Y", timezone="UTC")
    with pytest.raises(ConfigurationFault, match="Description"):
        history(tmp_path, "", reading, header="no,code,n,at,each\n")
    found = history(tmp_path, "1,A,x,2,31/12/2011,9.99\n", reading, header="no,code,Description,n,at,each\n")
    assert found.documents[0].business_date == "2011-12-31"


@pytest.mark.parametrize("packer", [gzip, lzma])
def test_packed_files_are_read(tmp_path: Path, packer: object) -> None:
    name = "h.csv.gz" if packer is gzip else "h.csv.xz"
    text = HEADER + "1,A,x,1,2011-01-01 00:00:00,1,,\n"
    (tmp_path / name).write_bytes((gzip if packer is gzip else lzma).compress(text.encode()))
    assert len(read_history(tmp_path / name, Reading()).documents) == 1


@pytest.mark.parametrize("name", ["h.csv.gz", "h.csv.xz", "h.csv", "h.zip", "absent.csv"])
def test_a_file_that_is_no_history_is_one_clear_fault(tmp_path: Path, name: str) -> None:
    if not name.startswith("absent"):
        (tmp_path / name).write_bytes(b"\xff\xfe not a history")
    with pytest.raises(ConfigurationFault, match=name):
        read_history(tmp_path / name, Reading())


def test_an_invoice_always_goes_to_the_same_register(tmp_path: Path) -> None:
    rows = "".join(f"{number},A,x,1,2011-01-01 00:00:00,1,,\n" for number in range(400))
    documents = history(tmp_path, rows).documents
    shares = assign(documents, 4)
    assert sum(map(len, shares)) == 400
    assert min(map(len, shares)) > 60, "shared out evenly"
    assert all(register_of(one.reference, 4) == 2 for one in shares[2])
    assert register_of("536365", 8) == 4, "stays so in every version: registers hold what they entered"
