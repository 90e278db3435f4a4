"""Customers: what is kept, refused and found, and what is sealed (PO7)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.customers import (
    CustomerRow,
    Details,
    customer_refusal,
    details_refusal,
    newer_of,
    open_details,
    read_details,
    same_person,
    seal_details,
    terms_of,
    words_of,
)
from holdfast.core.customers.search import fits
from holdfast.core.faults import KeyFault
from holdfast.core.ids import CustomerNumber, customer_number, epoch_id
from holdfast.core.refusals import Refusal

NUMBER = CustomerNumber("R01-C-ABCDE-000001")
EMMA = Details(name="Emma Zoë Müller", email="emma.m@example.com", phone="+44 20 7946-0123", note="VIP")


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", "", "customer.name"),
        ("name", "x" * 121, "text.too-long"),
        ("name", "Em\x00ma", "text.unprintable"),
        ("address", "a" * 201, "text.too-long"),
        ("note", "one\ntwo", "text.unprintable"),
        ("email", "emma at home", "customer.email"),
        ("email", "e" * 250 + "@x.org", "text.too-long"),
        ("phone", "call me", "customer.phone"),
        ("phone", "12", "customer.phone"),
        ("phone", "0" * 41, "text.too-long"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_a_sentence(field: str, value: str, code: str) -> None:
    found = read_details({"name": "Emma", field: value})
    assert isinstance(found, Refusal)
    assert found.code == code
    assert found.sentence.endswith(".")


def test_blanks_around_what_was_typed_are_no_part_of_it() -> None:
    assert read_details({"name": "  Emma ", "phone": " 020 7946 0123 "}) == Details(
        name="Emma", phone="020 7946 0123"
    )


@pytest.mark.parametrize(
    "text",
    [
        *("emma", "MULLER em", "zoe", "emma.m@example", "example", "R01-C-ABCDE-000001", "r01-c-abc"),
        *("+44 20 7946 0123", "0044 2079460123", "0123", "20 7946 0123", "020 7946 0123"),
    ],
)
def test_a_customer_is_found_by_the_beginnings_of_words(text: str) -> None:
    assert fits(words_of(NUMBER, EMMA), terms_of(text)), (words_of(NUMBER, EMMA), terms_of(text))


def test_a_number_of_another_systems_making_finds_its_customer() -> None:
    assert fits(words_of("C-1001", EMMA), terms_of("c-1001"))
    assert fits(words_of("C-1001", EMMA), terms_of("1001"))
    assert fits(words_of("R01-C-ABCDE-000456", EMMA), terms_of("456"))
    assert not fits(words_of("C-1002", EMMA), terms_of("C-1001"))


@pytest.mark.parametrize("text", ["emma smith", "ller", "7777", "R02-C-ABCDE-000001"])
def test_and_not_by_other_ones(text: str) -> None:
    assert not fits(words_of(NUMBER, EMMA), terms_of(text))


@given(st.text(max_size=120))
def test_any_text_can_be_searched_for_and_each_name_finds_itself(text: str) -> None:
    terms_of(text)
    details = Details(name=text.strip() or "x")
    if details_refusal(details) is None and terms_of(details.name):
        phone_like = terms_of(details.name)[0].isdigit()
        assert phone_like or fits(words_of(NUMBER, details), terms_of(details.name))


def test_the_same_person_says_the_same_of_himself() -> None:
    assert same_person(EMMA, Details(name="E.", email="EMMA.M@example.com")) == "email"
    assert same_person(EMMA, Details(name="E.", phone="(020) 7946 0123")) == "phone"
    assert same_person(EMMA, Details(name="Emma Zoë Müller")) == ""


def test_what_is_sealed_opens_with_its_key_alone() -> None:
    sealed = seal_details("p1", b"k" * 32, b"n" * 12, EMMA)
    assert b"Emma" not in sealed.sealed
    assert open_details(sealed, b"k" * 32) == EMMA
    assert open_details(sealed, None) is None
    with pytest.raises(KeyFault):
        open_details(sealed, b"x" * 32)


def test_of_two_words_the_newer_counts_and_forgotten_is_for_good() -> None:
    here = CustomerRow(number=NUMBER, revision=3, details=EMMA)
    fed = CustomerRow(number=NUMBER, revision=2, details=Details(name="Old"))
    assert newer_of(here, fed) == here
    assert newer_of(here, CustomerRow(number=NUMBER, revision=3, details=fed.details)) != here
    gone = CustomerRow(number=NUMBER, revision=1, forgotten=True)
    assert newer_of(here, gone) == gone
    assert newer_of(None, None) is None


@pytest.mark.parametrize(
    "row",
    [
        CustomerRow(number=NUMBER),
        CustomerRow(number=NUMBER, details=EMMA, forgotten=True),
        CustomerRow(number=NUMBER, into=NUMBER),
        CustomerRow(number=CustomerNumber(""), details=EMMA),
        CustomerRow(number=NUMBER, details=Details(name="")),
    ],
)
def test_a_row_of_the_feed_is_one_of_three(row: CustomerRow) -> None:
    assert customer_refusal(row) is not None


def test_numbers_stand_in_the_series_of_their_own() -> None:
    epoch = epoch_id(b"0123456789abcdef")
    assert customer_number("R01", epoch, 7) == f"R01-C-{epoch[:5].upper()}-000007"
