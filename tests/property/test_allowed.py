"""An allowance is never taken beyond what it allows, in whatever order and by whichever card (GC10, OA2)."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.central.accounts import AccountId, Kind
from holdfast.core.central.allowed import Allowed, may_take, returned, taken, use
from holdfast.core.central.grants import Granted
from holdfast.core.ids import EpochId
from holdfast.core.refusals import Refusal

EPOCH, OTHER = EpochId("e1"), EpochId("e2")
EXPIRES_MS = 1_000


def granted(amount: int, per_card: int, per_transaction: int) -> Granted:
    return Granted(
        grant="grant-1", epoch=EPOCH, kind=Kind.GIFT_CARD, currency="EUR", amount_minor=amount,
        expires_at_ms=EXPIRES_MS, per_card_minor=per_card, per_transaction_minor=per_transaction,
    )  # fmt: skip


asks = st.tuples(st.sampled_from(("a", "b", "c")), st.integers(1, 400), st.integers(0, 1_200))


@given(st.integers(1, 500), st.integers(0, 300), st.integers(0, 200), st.lists(asks, max_size=20))
def test_limits_hold_whatever_is_asked(
    amount: int, per_card: int, per_transaction: int, wanted: list[tuple[str, int, int]]
) -> None:
    allowed, by_card = Allowed(granted=granted(amount, per_card, per_transaction)), dict[str, int]()
    for card, asked, now_ms in wanted:
        account = AccountId(card)
        may = may_take(allowed, Kind.GIFT_CARD, account, epoch=EPOCH, in_transaction=0, now_ms=now_ms)
        if isinstance(may, Refusal):
            assert may.sentence.endswith(".")
            continue
        assert now_ms < EXPIRES_MS, "an expired one allows nothing"
        took = min(may, asked)
        assert not per_transaction or took <= per_transaction
        allowed = use(allowed, account, took)
        by_card[card] = by_card.get(card, 0) + took
    assert allowed.used_minor == sum(by_card.values()) <= amount
    assert not per_card or max(by_card.values(), default=0) <= per_card
    assert returned(allowed, "retired").unused == amount - allowed.used_minor
    assert taken(allowed.granted).amount == amount


def test_one_of_another_epoch_or_kind_is_none() -> None:
    """P4: a restored disk goes on in an epoch of its own; what it still holds of the former one is over."""
    allowed = Allowed(granted=granted(500, 0, 0))
    for kind, epoch, given_one in (
        (Kind.GIFT_CARD, OTHER, allowed),
        (Kind.CREDIT_MEMO, EPOCH, allowed),
        (Kind.GIFT_CARD, EPOCH, None),
    ):
        may = may_take(given_one, kind, AccountId("a"), epoch=epoch, in_transaction=0, now_ms=0)
        assert isinstance(may, Refusal)
        assert "need a real-time connection" in may.sentence
