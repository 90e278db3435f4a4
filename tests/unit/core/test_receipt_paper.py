"""A receipt as lines of N columns: all that the law wants on it, and never wider than the paper (PO8)."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.basket import Basket, discount_line
from holdfast.core.ids import EpochId
from holdfast.core.receipt.issued import Issued
from holdfast.core.receipt.model import Receipt, Shop, receipt_of
from holdfast.core.receipt.paper import COLUMNS_MAX, COLUMNS_MIN, pair, paper, width, wrapped
from holdfast.core.sale import Tender
from holdfast.register.web.formats import Formats
from tests.unit.core.shop import APPLES, BEGAN_MS, BOLT, MUG, act, done, empty, pay_in_cash, sell

FIGURES = Formats("EUR", "Europe/Zurich")
SHOP = Shop(
    register="R01",
    header=("Corner Shop",),
    address=("Main Street 1", "8000 Zürich"),
    tax_id="CHE-123.456.789",
    footer=("Thank you",),
    tax_names={"V20": "VAT 20 %", "S8": "Sales tax"},
)


def issued(basket: Basket, **more: object) -> Issued:
    sale = msgspec.structs.replace(pay_in_cash(basket), **more)
    return Issued(
        sale=sale,
        type=basket.kind,
        epoch=EpochId("abcde" + "0" * 21),
        business_date="2025-10-09",
        at_ms=BEGAN_MS,
        offset_min=120,
    )


def receipt(**more: object) -> Receipt:
    basket = sell(sell(sell(empty(), MUG, 2_000), APPLES, 1_250), BOLT)
    basket = done(discount_line(basket, act(), 1, percent_e2=1_000, reason="Damaged"))
    return receipt_of(issued(basket, **more), SHOP, FIGURES, served_by="Ada")


def text_of(found: Receipt, columns: int = 42) -> str:
    return "\n".join(line.text for line in paper(found, columns))


def test_what_the_law_wants_is_on_it() -> None:
    said = text_of(receipt())
    for wanted in (
        "Corner Shop", "Main Street 1", "Tax number CHE-123.456.789", "R1-ABCDE-000001", "Ada",
        "9 Oct 2025, 10:53 +02:00", "Thu 9 Oct 2025", "Mug, blue", "2 × €4.99", "1.250 kg × €2.99",
        "Discount 10 %, Damaged", "VAT 20 %", "Sales tax 8.25 %", "Total", "Cash", "Thank you",
    ):  # fmt: skip
        assert wanted in said, wanted


def test_an_original_says_nothing_of_copies_and_a_reprint_does() -> None:
    assert receipt().copy == ""
    again = receipt_of(
        issued(sell(empty(), MUG)), SHOP, FIGURES, served_by="Ada", copy_at_ms=BEGAN_MS + 60_000
    )
    assert "COPY, printed 9 Oct 2025, 10:54 +02:00" in text_of(again, 48)


def test_rounding_change_and_foreign_cash_stand_below_the_total() -> None:
    tenders = (
        Tender(
            kind="foreign_cash",
            amount_minor=915,
            foreign_currency="USD",
            foreign_minor=1_000,
            rate_e8=91_500_000,
        ),
        Tender(kind="change", amount_minor=-416),
    )
    said = text_of(
        receipt_of(
            issued(sell(empty(), MUG), tenders=tenders, rounding_minor=1), SHOP, FIGURES, served_by="Ada"
        )
    )
    total = said.index("Total")
    for wanted in ("Rounding", "US$10.00 at 0.915", "Change"):
        assert said.index(wanted) > total, wanted


def test_the_code_stands_between_the_taxes_and_the_foot() -> None:
    lines = paper(receipt(), 42)
    place = next(place for place, line in enumerate(lines) if line.weight == "code")
    assert "R1-ABCDE-000001" in lines[place].text
    assert [line.text.strip() for line in lines[place + 1 :]] == ["Thank you"]


@pytest.mark.parametrize("columns", [COLUMNS_MIN, 32, 42, 48, COLUMNS_MAX])
def test_no_line_is_wider_than_the_paper(columns: int) -> None:
    assert max(width(line.text) for line in paper(receipt(note="word " * 40), columns)) <= columns


@given(
    left=st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=120),
    right=st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60),
    columns=st.integers(COLUMNS_MIN, COLUMNS_MAX),
)
def test_whatever_is_said_fits_and_is_said(left: str, right: str, columns: int) -> None:
    lines = pair(left, right, columns)
    assert all(width(line) <= columns for line in lines)
    assert all(width(line) <= columns for line in wrapped(left, columns))


def test_wide_characters_count_twice_and_combining_ones_not() -> None:
    assert width("牛乳") == 4
    assert width("e\N{COMBINING ACUTE ACCENT}") == 1
    assert pair("牛乳", "€1.00", 12) == ["牛乳   €1.00"]
