"""When a till asks again for what it holds, whatever its clock says (GC9)."""

import pytest

from holdfast.core.central.accounts import AccountId, Act, HoldKey, Kind
from holdfast.core.central.at_till import SURE_FOR_MS, Stage, TillHold, granted, is_worn
from holdfast.core.central.holds import Held
from holdfast.core.central.stale import WORN_MS

SINCE_MS = 100 * WORN_MS
"""By head office's clock."""
KEY = HoldKey("k" * 16)


def held(told_ms: int) -> TillHold:
    """Told by head office at that time of the till's clock."""
    hold = TillHold(key=KEY, kind=Kind.GIFT_CARD, act=Act.REDEEM)
    answer = Held(key=KEY, account=AccountId("a"), balance=1, available=1, since_ms=SINCE_MS)
    return granted((hold,), answer, told_ms).holds[0]


@pytest.mark.parametrize("skew_ms", [0, 5_000, -5_000, -WORN_MS, -2 * WORN_MS, 2 * WORN_MS])
def test_half_an_hour_after_it_was_told_it_asks_again(skew_ms: int) -> None:
    told_ms = SINCE_MS + skew_ms
    assert all(is_worn(held(told_ms), told_ms + age_ms) for age_ms in range(WORN_MS, 6 * WORN_MS, 60_000))


def test_an_answer_counts_for_minutes_and_for_a_fresh_lock_for_half_an_hour() -> None:
    assert not is_worn(held(SINCE_MS), SINCE_MS + WORN_MS - 1)
    later_ms = SINCE_MS + 10 * WORN_MS
    assert not is_worn(held(later_ms), later_ms + SURE_FOR_MS - 1)
    assert is_worn(held(later_ms), later_ms + SURE_FOR_MS)


def test_a_clock_that_was_put_back_makes_nothing_fresh() -> None:
    assert is_worn(held(SINCE_MS + WORN_MS), SINCE_MS + 60_000)


def test_what_nobody_else_holds_is_never_asked_for() -> None:
    own = TillHold(key=KEY, kind=Kind.CREDIT_MEMO, act=Act.REDEEM, is_own=True, stage=Stage.HELD)
    assert not is_worn(own, SINCE_MS)
