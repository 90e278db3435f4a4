"""CSV files of an administrator: what is wrong is named by line, column and reason."""

import pytest

from holdfast.core.foreign_cash import CurrencyRate
from holdfast.core.refusals import Refusal
from holdfast.hq.catalogue import BAD_ROWS_SHOWN, KINDS, LoadReport, preview

PRODUCTS = "sku,description,tax_code,unit,department,barcodes\n"


def report(kind: str, text: str | bytes) -> LoadReport:
    found = preview(kind, text if isinstance(text, bytes) else text.encode())
    assert isinstance(found, LoadReport), found
    return found


def refused(kind: str, data: bytes) -> Refusal:
    found = preview(kind, data)
    assert isinstance(found, Refusal)
    return found


@pytest.mark.parametrize(
    ("kind", "row", "column", "reason"),
    [
        ("products", ",Tea,S,,,", "sku", "is empty"),
        ("products", "A1,Tea,,,,", "tax_code", "is empty"),
        ("products", "A1,Tea,S,litre,,", "unit", "'litre' is no unit"),
        ("products", "A1,Te\x07a,S,,,", "description", "cannot be printed"),
        ("products", "A1,Te\x00a,S,,,", "description", "cannot be printed"),
        ("products", "A1," + "x" * 201 + ",S,,,", "description", "longer than 200"),
        ("products", "A1,Tea,S,,," + "x" * 65, "barcodes", "longer than 64"),
        ("products", "A1,Tea", "", "2 fields, the header 6"),
        ("products", 'A1,"Tea,S,,,', "", "cannot be read"),
        ("prices", "A1,1.2x,GBP,", "price", "not a number"),
        ("prices", "A1,1.23456,GBP,", "price", "more than 4 digits"),
        ("prices", "A1,-1,GBP,", "price", "below zero"),
        ("prices", "A1,1.20,Pounds,", "currency", "ISO 4217"),
        ("prices", "A1,1.20,GBP,2025-02-30", "valid_from", "not a date"),
        ("prices", "A1,1.20,GBP,01.02.2025", "valid_from", "not a date"),
        ("taxes", "S,twenty,,", "percent", "not a number"),
        ("taxes", "S,-5,,", "code", "out of range"),
        ("taxes", "S,20,perhaps,", "inclusive", "neither yes nor no"),
        ("currencies", "USD,EUR,,1,,", "rate", "is empty"),
        ("currencies", "USD,EUR,0.9x,1,,", "rate", "not a number"),
        ("currencies", "USD,EUR,0.123456789,1,,", "rate", "more than 8 digits"),
        ("currencies", "USD,EUR,0,1,,", "rate", "above zero"),
        ("currencies", "USD,EUR,-0.9,1,,", "rate", "above zero"),
        ("currencies", "USD,EUR,0.9,0,,", "smallest", "above zero"),
        ("currencies", "USD,EUR,0.9,0.001,,", "smallest", "more than 2 digits"),
        ("currencies", "Dollar,EUR,0.9,1,,", "currency", "ISO 4217"),
        ("currencies", "USD,Euro,0.9,1,,", "home", "ISO 4217"),
        ("currencies", "EUR,EUR,1,1,,", "home", "home currency itself"),
        ("currencies", "USD,EUR,0.9,1,2025-02-30,", "valid_from", "not a date"),
        ("currencies", "USD,EUR,0.9,1,,perhaps", "accepted", "neither yes nor no"),
        ("quick-keys", ",A1,", "position", "is empty"),
        ("quick-keys", "first,A1,", "position", "no whole number from 1 to 200"),
        ("quick-keys", "0,A1,", "position", "no whole number"),
        ("quick-keys", "201,A1,", "position", "no whole number"),
        ("quick-keys", "²,A1,", "position", "no whole number"),
        ("quick-keys", "9" * 5_000 + ",A1,", "position", "no whole number"),
        ("quick-keys", "1,,Tea", "sku", "empty beside a label"),
        ("quick-keys", "1," + "x" * 65 + ",", "sku", "longer than 64"),
        ("quick-keys", "1,A1," + "x" * 41, "label", "longer than 40"),
        ("staff", "1,Ann,boss,1234", "role", "no role"),
        ("staff", "1,Ann,cashier,12", "pin", "4 to 12 digits"),
        ("staff", "1,Ann,cashier,", "pin", "must be given"),
        ("staff", "1,,cashier,1234", "name", "is empty"),
    ],
)
def test_a_bad_row_is_named(kind: str, row: str, column: str, reason: str) -> None:
    headers = {
        "products": PRODUCTS,
        "prices": "sku,price,currency,valid_from\n",
        "taxes": "code,percent,inclusive,valid_from\n",
        "currencies": "currency,home,rate,smallest,valid_from,accepted\n",
        "quick-keys": "position,sku,label\n",
        "staff": "id,name,role,pin\n",
    }
    found = report(kind, headers[kind] + row + "\n")
    assert (found.rows, found.good, found.taken) == (1, 0, False)
    assert (found.bad[0].line, found.bad[0].column) == (2, column)
    assert reason in found.bad[0].reason


def test_a_rate_is_exact_and_named_by_both_currencies_and_its_date() -> None:
    key, row = KINDS["currencies"].read(
        {
            "currency": "JPY",
            "home": "EUR",
            "rate": "0.00612345",
            "smallest": "1000",
            "valid_from": "2025-03-01",
        }
    )
    assert key == "JPY|EUR|2025-03-01"
    assert row == CurrencyRate(
        currency="JPY", home="EUR", rate_e8=612_345, smallest_minor=1_000, valid_from="2025-03-01"
    )


def test_good_rows_bad_rows_and_columns_that_nobody_knows() -> None:
    text = (
        PRODUCTS.replace("unit", "Colour") + "A1,Tea,S,red,,\n\nB2,Cake,,blue,,\nA1,Tee,S,,,\nC3,Pie,S,,,\n"
    )
    found = report("products", text)
    assert (found.rows, found.good) == (4, 2)
    assert [(row.line, row.column) for row in found.bad] == [(4, "tax_code"), (5, "sku")]
    assert found.bad[1].reason == "the same as in line 2"
    assert found.unknown_columns == ("colour",)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_as_spreadsheets_write_it(delimiter: str, newline: str) -> None:
    rows = [("SKU", " Price", "currency"), ("A1", " 1.20 ", "GBP"), ("a1", "0", "GBP")]
    text = newline.join(delimiter.join(row) for row in rows)
    found = report("prices", b"\xef\xbb\xbf" + text.encode())
    assert (found.rows, found.good) == (2, 2)


def test_a_text_over_several_lines_keeps_the_count_of_lines() -> None:
    text = PRODUCTS + 'A1,"Tea\nGreen",S,,,\nB2,Cake,,,,\n'
    assert [(row.line, row.column) for row in report("products", text).bad] == [
        (2, "description"),
        (4, "tax_code"),
    ]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "csv.header"),
        (b"sku,description\nA1,Tea\n", "csv.header"),
        (b"sku,description,tax_code,sku\n", "csv.header"),
        (b'"sku,description,tax_code\n', "csv.header"),
        (b"sku,description,tax_code\nA1,Caf\xe9,S\n", "csv.encoding"),
        (b"\xff\xfes\x00k\x00u\x00", "csv.encoding"),
        (b"PK\x03\x04\x14\x00 a spreadsheet", "csv.header"),
    ],
)
def test_a_file_that_is_none(data: bytes, code: str) -> None:
    assert refused("products", data).code == code


def test_an_unknown_kind_and_the_known_ones() -> None:
    assert refused("suppliers", b"").code == "csv.kind"
    assert set(KINDS) == {
        "customers",
        "products",
        "prices",
        "taxes",
        "currencies",
        "quick-keys",
        "roles",
        "staff",
        "parameters",
    }


def test_a_file_of_bad_rows_names_the_first_and_counts_all() -> None:
    found = report("products", PRODUCTS + ",,,,,x\n" * 1_000)
    assert (found.rows, found.good, len(found.bad)) == (1_000, 0, BAD_ROWS_SHOWN)
