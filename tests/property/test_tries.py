"""Wrong PINs cost time: the waits grow, have an end, and never let one more try through (PO6)."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.tries import BY_STAFF, BY_TILL, NONE, Patience, after_wrong, wait_ms

PATIENCE = st.sampled_from([BY_STAFF, BY_TILL])


@given(PATIENCE, st.integers(1, 60))
def test_each_wait_is_as_long_or_longer_and_has_an_end(patience: Patience, wrong: int) -> None:
    tries, now_ms, waits = NONE, 0, list[int]()
    for _ in range(wrong):
        tries = after_wrong(tries, now_ms, patience)
        waits.append(wait_ms(tries, now_ms))
        now_ms += waits[-1]
        assert wait_ms(tries, now_ms) == 0
    assert waits == sorted(waits)
    assert max(waits) <= patience.longest_ms
    assert not any(waits[: patience.free - 1])
    assert all(waits[patience.free - 1 :])


@given(PATIENCE, st.integers(60_000, 36_000_000))
def test_how_many_pins_can_be_tried_in_a_time_is_bounded(patience: Patience, within_ms: int) -> None:
    tries, now_ms, looked_at = NONE, 0, 0
    while now_ms <= within_ms:
        tries, looked_at = after_wrong(tries, now_ms, patience), looked_at + 1
        now_ms += max(1, wait_ms(tries, now_ms))
    assert looked_at <= patience.free + 8 + within_ms // patience.longest_ms
