"""Cards of a standalone terminal: no number is kept, no change comes, no card gets back more than it paid."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.card_tender import (
    CARD,
    CardPayment,
    card_tender,
    holds_card_number,
    to_refund,
)
from holdfast.core.ids import DocumentNumber
from holdfast.core.money import CURRENCIES
from holdfast.core.refusals import Refusal
from holdfast.core.sale import OriginalTender, Tender
from holdfast.core.tender import Due, Settlement, Till, due, settle

FRANC = Till.of(CURRENCIES["CHF"], "half-up")


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111111",
        "4111 1111 1111 1111",
        "slip 4111-1111-1111-1111 1226",
        "41111111111111111226",
        "378282246310005",
        "3782 822463 10005",
        "5555.5555.5555.4444",
        "676770000005",
    ],
)
def test_a_cards_number_is_refused(text: str) -> None:
    """P9."""
    assert holds_card_number(text)
    found = card_tender(499, text)
    assert isinstance(found, Refusal)
    assert found.code == "tender.card-number"
    assert text not in found.sentence


@pytest.mark.parametrize("text", ["004711", "A 12345", "032612345678", "4711/22.11.2026", "****1111"[4:]])
def test_a_slips_reference_is_taken(text: str) -> None:
    assert card_tender(499, f"  {text} ") == Tender(kind=CARD, amount_minor=499, reference=text)


@pytest.mark.parametrize(
    ("amount_minor", "reference", "code"),
    [
        (499, "", "tender.reference"),
        (499, "x" * 33, "tender.reference"),
        (499, "４１１１１１１１１１１１１１１１", "tender.reference"),
        (499, "a\nb<c>", "tender.reference"),
        (0, "4711", "tender.amount"),
        (1 << 60, "4711", "tender.amount"),
        (-499, "4711", "tender.card-unknown"),
    ],
)
def test_what_is_no_card_payment(amount_minor: int, reference: str, code: str) -> None:
    found = card_tender(amount_minor, reference)
    assert isinstance(found, Refusal)
    assert found.code == code


def test_the_card_pays_to_the_cent_and_cash_what_coins_can() -> None:
    """CHF 10.02: a card pays all of it; after 5.00 in cash the rest is what coins would pay."""
    card = Tender(kind=CARD, amount_minor=1_002, reference="1")
    assert due(1_002, [], FRANC) == Due(1_002, 1_000)
    assert settle(1_002, [card], FRANC) == Settlement((card,), 0)
    cash = Tender(kind="cash", amount_minor=500)
    rest = due(1_002, [cash], FRANC).amount_minor
    settled = settle(1_002, [cash, Tender(kind=CARD, amount_minor=rest, reference="1")], FRANC)
    assert isinstance(settled, Settlement)
    assert settled.rounding_minor == -2
    over = settle(1_002, [Tender(kind=CARD, amount_minor=1_003, reference="1")], FRANC)
    assert isinstance(over, Refusal)
    assert over.code == "tender.too-much"


def payment(tender: int, left_minor: int, document: str = "R01-ABCDE-000001") -> CardPayment:
    original = OriginalTender(document=DocumentNumber(document), tender=tender)
    return CardPayment(original=original, reference=str(tender), left_minor=left_minor)


@given(
    st.lists(
        st.tuples(st.integers(0, 10_000), st.lists(st.integers(1, 10_000), max_size=3)),
        max_size=3,
    ),
    st.data(),
)
def test_no_card_gets_back_more_than_it_paid_or_than_came_back(
    receipts: list[tuple[int, list[int]]], data: st.DataObject
) -> None:
    """PO3: receipt by receipt, whatever was refunded on the way."""
    brought = [
        (amount, tuple(payment(place, left, f"R{receipt}") for place, left in enumerate(lefts, 1)))
        for receipt, (amount, lefts) in enumerate(receipts)
    ]
    wanted = to_refund(brought, ())
    by_card = {each.original: each.left_minor for each in wanted}
    for amount, payments in brought:
        shares = [by_card.get(paid.original, 0) for paid in payments]
        assert all(share <= paid.left_minor for share, paid in zip(shares, payments, strict=True))
        assert sum(shares) == min(amount, sum(paid.left_minor for paid in payments))
    done = [
        Tender(
            kind=CARD,
            amount_minor=-data.draw(st.integers(1, each.left_minor)),
            reference="1",
            original=each.original,
        )
        for each in wanted
    ]
    left = to_refund(brought, done)
    assert sum(each.left_minor for each in left) == sum(by_card.values()) + sum(t.amount_minor for t in done)
