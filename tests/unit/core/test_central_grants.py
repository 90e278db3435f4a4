"""Allowances in settlement: they cap the exposure, end with their epoch, and hide no overspend (GC10, P8)."""

from holdfast.core.central.accounts import Account, AccountId, Act, Kind
from holdfast.core.central.entries import ValueMovement
from holdfast.core.central.grants import GRANT_EXCEEDED, GRANT_OF_ANOTHER, GRANT_UNKNOWN, Grant
from holdfast.core.central.settle import OVERSPENT, Facts, Moved, Outcome, Place, settle
from holdfast.core.ids import EpochId, OriginId, StoreId, TransactionId

CARD = Account(kind=Kind.GIFT_CARD, account=AccountId("card1"), currency="GBP", movements=1, balance=100)
GRANT = Grant(
    grant="g1", origin=OriginId("reg01"), epoch=EpochId("e1"), kind=Kind.GIFT_CARD, amount_minor=250,
    expires_at_ms=1,
)  # fmt: skip


def redeemed(amount: int, seq: int = 2, epoch: str = "e1", grant: str = "g1") -> Moved:
    movement = ValueMovement(
        kind=Kind.GIFT_CARD, act=Act.REDEEM, account=CARD.account, amount=amount, tender=1, grant=grant
    )
    return Moved(
        place=Place(1, seq, 1), origin=GRANT.origin, epoch=EpochId(epoch), store=StoreId("S1"),
        business_date="2026-09-21", posting_period="2026-09", at_ms=0,
        transaction=TransactionId(f"t{seq}"), currency="GBP", movement=movement,
    )  # fmt: skip


def booked(*moved: Moved) -> Outcome:
    return settle(Facts(accounts={(CARD.kind, CARD.account): CARD}, holds={}, grants={"g1": GRANT}), moved)


def test_inside_the_allowance_the_card_pays_and_the_use_is_counted() -> None:
    outcome = booked(redeemed(60))
    assert [(row.booked, row.difference, row.remark) for row in outcome.settled] == [(-60, 0, "")]
    assert outcome.grants == {"g1": 60}


def test_the_allowance_caps_the_exposure_and_not_the_card() -> None:
    outcome = booked(redeemed(160))
    assert [(row.booked, row.difference, row.remark) for row in outcome.settled] == [(-100, -60, OVERSPENT)]


def test_what_goes_beyond_it_is_said_also_where_the_card_has_enough() -> None:
    outcome = booked(redeemed(90), redeemed(161, seq=3))
    assert [row.remark for row in outcome.settled] == ["", GRANT_EXCEEDED]
    assert outcome.grants == {"g1": 251}


def test_a_restored_register_revives_none_and_nobody_invents_one() -> None:
    assert [row.remark for row in booked(redeemed(10, epoch="e2")).settled] == [GRANT_OF_ANOTHER]
    assert [row.remark for row in booked(redeemed(10, grant="g9")).settled] == [GRANT_UNKNOWN]
