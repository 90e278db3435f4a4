"""The connection's state: down after two failures, up after some quiet, and a person's word above both."""

import msgspec

from holdfast.core.connection import (
    START,
    Connection,
    Mode,
    Thresholds,
    force_offline,
    on_drained,
    on_failure,
    on_success,
    release,
    resume,
)

LIMITS = Thresholds()
UP = Connection(mode=Mode.ONLINE, cause="head office answers")
FAST_MS, SLOW_MS = 20, LIMITS.slow_ms + 1


def answers(state: Connection, *at_ms: int, latency_ms: int = FAST_MS) -> Connection:
    for moment_ms in at_ms:
        state = on_success(state, latency_ms, moment_ms, LIMITS)
    return state


def fails(state: Connection, *at_ms: int) -> Connection:
    for moment_ms in at_ms:
        state = on_failure(state, "cut", moment_ms, LIMITS)
    return state


def test_the_first_answer_of_all_says_that_the_line_is_up() -> None:
    assert answers(Connection(), 5).mode is Mode.ONLINE


def test_a_start_without_an_answer_is_offline_with_its_cause() -> None:
    state = fails(Connection(), 5, 505)
    assert (state.mode, state.cause, state.since_ms) == (Mode.OFFLINE, "cut", 505)
    assert answers(state, 600).mode is Mode.OFFLINE, "one answer proves nothing any more"


def test_coming_up_takes_answers_in_a_row_and_quiet() -> None:
    down = fails(UP, 0, 500)
    assert answers(down, 600, 700, 800).mode is Mode.OFFLINE
    assert answers(down, 600, 500 + LIMITS.quiet_ms).mode is Mode.ONLINE
    assert answers(fails(down, 2_000), 2_100, 500 + LIMITS.quiet_ms).mode is Mode.OFFLINE


def test_a_line_that_goes_down_again_soon_waits_twice_as_long() -> None:
    state, now_ms = UP, 0
    waits: list[int] = []
    for _ in range(5):
        state = fails(state, now_ms, now_ms)
        down_ms = now_ms
        while state.mode is Mode.OFFLINE:
            now_ms += 100
            state = answers(state, now_ms)
        waits.append(now_ms - down_ms)
    assert waits == [2_000, 4_000, 8_000, 8_000, 8_000]
    now_ms += LIMITS.flap_ms
    state = fails(answers(state, now_ms), now_ms, now_ms)
    assert answers(state, now_ms + 100, now_ms + 2_000).mode is Mode.ONLINE, (
        "it had been well for long enough"
    )


def test_slow_and_fast_do_not_take_turns_on_the_screen() -> None:
    slow = answers(UP, 0, 500, 1_000, latency_ms=SLOW_MS)
    assert slow.mode is Mode.DEGRADED
    assert answers(slow, 1_100, 1_200, 1_300).mode is Mode.DEGRADED
    assert answers(slow, 1_100, 1_200, 1_000 + LIMITS.quiet_ms).mode is Mode.ONLINE


def test_a_clock_that_is_set_back_holds_nothing_up() -> None:
    down = fails(UP, 10**12, 10**12)
    assert answers(down, 5, 6).mode is Mode.ONLINE


def test_a_persons_word_holds_whatever_the_line_does() -> None:
    state = force_offline(UP, 7, "printer works")
    assert (state.mode, state.since_ms, state.cause) == (Mode.OFFLINE, 7, "printer works")
    for after in (answers(state, 10, 9_000), fails(state, 10, 510), on_drained(state, 20)):
        assert after.forced
        assert (after.mode, after.since_ms, after.cause) == (Mode.OFFLINE, 7, "printer works")


def test_online_pos_comes_back_when_what_is_owed_is_sent() -> None:
    state = resume(answers(force_offline(UP, 7, "works"), 10), 1_000)
    assert answers(state, 1_100).forced
    assert on_drained(state, 1_200).mode is Mode.ONLINE, "head office had answered"
    unheard = resume(force_offline(UP, 7, "works"), 1_000)
    assert on_drained(unheard, 1_200).mode is Mode.OFFLINE
    assert answers(on_drained(unheard, 1_200), 1_300).mode is Mode.ONLINE


def test_online_pos_waits_for_a_long_queue_only_so_long() -> None:
    state = resume(force_offline(UP, 7, "works"), 1_000)
    assert answers(state, 1_000 + LIMITS.resume_ms_max).mode is Mode.ONLINE


def test_online_pos_with_the_line_down_leaves_it_to_the_line() -> None:
    state = fails(resume(force_offline(UP, 7, "works"), 1_000), 1_500, 2_000)
    assert (state.forced, state.mode, state.cause) == (False, Mode.OFFLINE, "cut")


def test_what_nobody_forced_is_neither_resumed_nor_released() -> None:
    down = fails(UP, 0, 500)
    assert resume(down, 1) == release(down) == on_drained(down, 1) == down
    assert release(msgspec.structs.replace(down, forced=True)).cause == START
