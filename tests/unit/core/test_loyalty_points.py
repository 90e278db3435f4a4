"""What a document earns, and what a receipt says of it (LY4)."""

import msgspec

from holdfast.core.central.accounts import AccountId, Act, Kind
from holdfast.core.central.entries import ValueMovement
from holdfast.core.ids import CustomerNumber, DocumentNumber
from holdfast.core.loyalty.parameters import IN_USE, PER_UNIT
from holdfast.core.loyalty.points import earned, earned_by, told_points, with_points
from holdfast.core.sale import OriginalLine, Sale, Tender
from tests.journal_samples import sale

ADA = CustomerNumber("R01-C-000001")
ON: dict[str, bool | int | str | list[str]] = {IN_USE: True}


def of_ada(total_minor: int, *tenders: Tender, **fields: object) -> Sale:
    made = sale("R01-AAAAA-000001", total_minor=total_minor, tenders=tenders or None)
    return msgspec.structs.replace(made, **{"customer": ADA, **fields})


def test_each_whole_unit_earns_and_a_return_takes_back_the_same() -> None:
    assert earned(of_ada(1_099)) == 10
    assert earned(of_ada(1_099), 3) == 30
    assert earned(of_ada(99)) == 0
    assert earned(of_ada(-1_099)) == -10
    assert earned(of_ada(1_099), "3") == 10, "a value of another kind is none"


def test_what_points_paid_and_what_is_only_carried_over_earns_none() -> None:
    by_points = Tender(kind="points", amount_minor=400)
    assert earned(of_ada(1_000, by_points, Tender(kind="cash", amount_minor=600))) == 6
    sold = ValueMovement(kind=Kind.GIFT_CARD, act=Act.ISSUE, account=AccountId("g"), amount=900, line=2)
    assert earned(of_ada(1_000, values=(sold,))) == 1, "the line beside it"
    both = (Tender(kind="points", amount_minor=500), Tender(kind="cash", amount_minor=500))
    assert earned(of_ada(1_000, *both, values=(sold,))) == 0, "points that pay for a card take none away"


def bringing(*lines: tuple[str, int], **fields: object) -> Sale:
    """A return of goods: of this receipt, for so much each."""
    made = of_ada(-sum(minor for _, minor in lines), **fields)
    line = made.lines[0]
    brought = tuple(
        msgspec.structs.replace(
            line, line=n, amount_minor=-minor, original=OriginalLine(document=DocumentNumber(number), line=1)
        )
        for n, (number, minor) in enumerate(lines, 1)
    )
    return msgspec.structs.replace(made, lines=brought)


def test_a_return_takes_back_what_its_receipt_earned_from_whoever_earned_it() -> None:
    """Goods that points paid, or that nobody earned by, take nothing away; nor does another rate today."""
    paid = with_points(of_ada(1_000, Tender(kind="points", amount_minor=1_000)), ON, told=True)
    plain = sale("R01-AAAAA-000001", total_minor=1_000)
    part = with_points(of_ada(1_000, Tender(kind="points", amount_minor=400)), ON, told=True)
    sold = DocumentNumber("R01-AAAAA-000001")
    assert earned_by(paid) is earned_by(plain) is None
    for nobody in (paid, plain):
        back = with_points(bringing((sold, 1_000)), ON, told=True, brought={sold: earned_by(nobody)})
        assert back.values == ()
    in_parts = [bringing((sold, 500)), bringing((sold, 500), customer=None)]
    for back in in_parts:
        made = with_points(back, ON | {PER_UNIT: 7}, told=True, brought={sold: earned_by(part)})
        (movement,) = made.values
        assert (movement.account, movement.amount) == (ADA, -3), "half of the six that were earned"
    assert [told_points(each) for each in (paid, part)] == [0, 6]
    other = DocumentNumber("R02-AAAAA-000009")
    mixed = with_points(bringing((sold, 1_000), (other, 250)), ON, told=True, brought={sold: None})
    assert [movement.amount for movement in mixed.values] == [-2], "what is not known goes by its worth"


def test_only_a_named_customer_where_loyalty_is_in_use_earns() -> None:
    """A cash sale without a customer is the same octets as before."""
    plain = sale("R01-AAAAA-000001", total_minor=1_000)
    assert with_points(plain, ON, told=True) is plain
    assert with_points(of_ada(1_000), {}, told=True).values == ()
    assert with_points(of_ada(1_000), ON | {PER_UNIT: 0}, told=True).values == ()
    (movement,) = with_points(of_ada(1_000), ON | {PER_UNIT: 2}, told=False).values
    assert (movement.act, movement.account, movement.amount) == (Act.EARN, ADA, 20)


def test_a_receipt_says_it_only_where_head_office_was_in_reach() -> None:
    """LY4: offline it says nothing of points, and the same points accrue."""
    online, offline = (with_points(of_ada(1_000), ON, told=told) for told in (True, False))
    assert (told_points(online), told_points(offline)) == (10, 0)
    assert online.values[0].amount == offline.values[0].amount
