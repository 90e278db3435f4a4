"""Numbers of cards and memos, and who guesses them: nobody finds one by trying (GC11)."""

from hypothesis import assume, given
from hypothesis import strategies as st

from holdfast.core.central.accounts import Kind
from holdfast.core.central.attempts import BY_ADDRESS, Limit, Tried, after_wrong, wait_ms
from holdfast.core.central.numbers import (
    DIGITS,
    MAC_KEY_BYTES,
    is_pin,
    new_number,
    number_mac,
    pin_mac,
    read_number,
)
from holdfast.core.ids import OriginId, StoreId
from holdfast.core.refusals import Refusal
from holdfast.hq.central.attempts import Attempts
from holdfast.infra.clock import ManualClock

KEY = bytes(MAC_KEY_BYTES)
kinds = st.sampled_from([Kind.GIFT_CARD, Kind.CREDIT_MEMO])
random = st.binary(min_size=16, max_size=16)
places = st.integers(0, DIGITS - 1)


@given(kinds, random)
def test_a_drawn_number_is_read_however_it_is_grouped(kind: Kind, drawn: bytes) -> None:
    number = new_number(kind, drawn)
    assert read_number(kind, number) == number
    assert read_number(kind, f" {number[:6]}-{number[6:12]} {number[12:]}") == number
    other = Kind.CREDIT_MEMO if kind is Kind.GIFT_CARD else Kind.GIFT_CARD
    assert isinstance(read_number(other, number), Refusal)
    assert number.startswith("9"), "no payment card begins so (P9)"


@given(kinds, random, places, st.integers(1, 9))
def test_each_wrong_digit_is_found(kind: Kind, drawn: bytes, place: int, off: int) -> None:
    number = new_number(kind, drawn)
    wrong = f"{number[:place]}{(int(number[place]) + off) % 10}{number[place + 1 :]}"
    assert isinstance(read_number(kind, wrong), Refusal)


@given(kinds, random, st.integers(0, DIGITS - 2))
def test_each_swap_of_neighbours_is_found(kind: Kind, drawn: bytes, place: int) -> None:
    number = new_number(kind, drawn)
    assume(number[place] != number[place + 1])
    wrong = f"{number[:place]}{number[place + 1]}{number[place]}{number[place + 2 :]}"
    assert isinstance(read_number(kind, wrong), Refusal)


@given(random, random, st.text("0123456789", min_size=4, max_size=8), st.text(max_size=8))
def test_a_pin_is_that_of_its_number_alone(drawn: bytes, other: bytes, pin: str, typed: str) -> None:
    number, another = new_number(Kind.GIFT_CARD, drawn), new_number(Kind.GIFT_CARD, other)
    kept = pin_mac(KEY, Kind.GIFT_CARD, number, pin)
    assert is_pin(kept, KEY, Kind.GIFT_CARD, number, pin)
    assert is_pin(kept, KEY, Kind.GIFT_CARD, number, typed) is (typed == pin)
    assert is_pin(kept, KEY, Kind.GIFT_CARD, another, pin) is (another == number)
    assert number_mac(KEY, Kind.GIFT_CARD, number) != number_mac(
        bytes([1]) * MAC_KEY_BYTES, Kind.GIFT_CARD, number
    )


@given(st.lists(st.integers(0, 60_000), max_size=80), st.integers(1, 20), st.integers(1, 30_000))
def test_wrong_tries_are_limited_whenever_they_come(pauses_ms: list[int], tries: int, refill_ms: int) -> None:
    """However they are spread, no more are looked at than the limit, and what time gave back."""
    limit, tried, now_ms, looked = Limit(tries=tries, refill_ms=refill_ms), Tried(), 0, 0
    for pause_ms in pauses_ms:
        now_ms += pause_ms
        if wait_ms(tried, now_ms, limit) == 0:
            tried, looked = after_wrong(tried, now_ms, limit), looked + 1
    assert looked <= tries + now_ms // refill_ms + 1
    assert wait_ms(tried, now_ms, limit) <= refill_ms


def test_an_address_stops_those_that_tried_wrong_and_nobody_else() -> None:
    """A chain behind one gateway has one address: a guesser at one till must not stop the others."""
    attempts = Attempts(ManualClock())
    guessers = [(OriginId(f"reg{n}"), StoreId(f"S{n}")) for n in range(10)]
    for origin, store in guessers:
        for _ in range(BY_ADDRESS.tries // len(guessers)):
            assert not attempts.wait_ms(origin, store, "gateway")
            attempts.wrong(origin, store, "gateway")
    assert all(attempts.wait_ms(origin, store, "gateway") for origin, store in guessers)
    assert not attempts.wait_ms(guessers[0][0], guessers[0][1], "elsewhere"), "it has tries of its own left"
    assert not attempts.wait_ms(OriginId("honest"), StoreId("S1"), "gateway")
    attempts.wrong(OriginId("honest"), StoreId("S1"), "gateway")
    assert attempts.wait_ms(OriginId("honest"), StoreId("S1"), "gateway"), "one wrong try each, then it waits"
