"""Rates by business date, and tax on the sum of a document's lines."""

import msgspec
import pytest

from holdfast.core.tax import TaxKey, added_tax_minor, tax_on, tax_rate_refusal, tax_total, tax_totals
from tests.unit.core.shop import STANDARD, refused

BEFORE = msgspec.structs.replace(STANDARD, rate_e6=175_000, valid_from="1991-04-01")


@pytest.mark.parametrize(
    ("date", "rate_e6"), [("2011-01-03", 175_000), ("2011-01-04", 200_000), ("2030-01-01", 200_000)]
)
def test_the_rate_is_that_of_the_business_date(date: str, rate_e6: int) -> None:
    found = tax_on([STANDARD, BEFORE], "V20", date)
    assert not hasattr(found, "sentence")
    assert getattr(found, "rate_e6", None) == rate_e6


def test_no_rate_in_force() -> None:
    assert refused(tax_on([STANDARD], "V20", "2011-01-03")) == "tax.no-rate"
    assert refused(tax_on([STANDARD], "v20", "2012-01-01")) == "tax.no-rate"


def test_the_later_row_of_one_date_counts() -> None:
    corrected = msgspec.structs.replace(STANDARD, rate_e6=210_000)
    assert tax_on([STANDARD, corrected], "V20", "2012-01-01") == corrected


def test_inclusive_and_exclusive() -> None:
    within = tax_total(TaxKey("A", 200_000, True), 1200, "half-up")
    assert (within.net_minor, within.tax_minor) == (1000, 200)
    on_top = tax_total(TaxKey("B", 82_500, False), 1000, "half-up")
    assert (on_top.net_minor, on_top.tax_minor) == (1000, 83)
    assert added_tax_minor((within, on_top)) == 83


def test_tax_is_on_the_sum_not_line_by_line() -> None:
    tax = TaxKey("B", 100_000, False)
    assert [total.tax_minor for total in tax_totals([(tax, 4)] * 5, "half-up")] == [2]


def test_rates_out_of_range_are_not_taken_in() -> None:
    assert tax_rate_refusal(STANDARD) is None
    assert refused(tax_rate_refusal(msgspec.structs.replace(STANDARD, rate_e6=-1))) == "tax.out-of-range"
    assert refused(tax_rate_refusal(msgspec.structs.replace(STANDARD, code=""))) == "text.empty"
    assert refused(tax_rate_refusal(msgspec.structs.replace(STANDARD, name="a\x00"))) == "text.unprintable"
