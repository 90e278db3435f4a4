"""Who begins when many return at once, and how often a fleet knocks."""

from holdfast.hq.pacing import PROBE_ACTIVE_MS, PROBE_IDLE_MS, RETURNS_AT_ONCE, SLOT_MAX_MS, SLOT_MS, Pacing

NOW_MS = 1_790_000_000_000


def test_a_few_begin_at_once() -> None:
    pacing = Pacing()
    slots = [pacing.start_slot_ms(f"reg{n}", 10, NOW_MS) for n in range(RETURNS_AT_ONCE)]
    assert slots == [0] * RETURNS_AT_ONCE


def test_a_crowd_gets_slots_that_spread_it() -> None:
    pacing = Pacing()
    slots = [pacing.start_slot_ms(f"reg{n}", 10, NOW_MS + n) for n in range(2_000)]
    assert slots == sorted(slots)
    assert slots[RETURNS_AT_ONCE] == SLOT_MS
    assert max(slots) == SLOT_MAX_MS


def test_who_owes_nothing_or_was_here_all_along_does_not_wait() -> None:
    pacing = Pacing()
    for n in range(100):
        pacing.start_slot_ms(f"reg{n}", 10, NOW_MS)
    assert pacing.start_slot_ms("idle", 0, NOW_MS) == 0
    assert pacing.start_slot_ms("reg99", 10, NOW_MS + PROBE_IDLE_MS) == 0


def test_the_crowd_is_forgotten_also_when_the_clock_goes_back() -> None:
    pacing = Pacing()
    for n in range(100):
        pacing.start_slot_ms(f"reg{n}", 10, NOW_MS)
    assert pacing.start_slot_ms("late", 10, NOW_MS + 60_000) == 0
    assert pacing.start_slot_ms("early", 10, NOW_MS - 1_000_000_000) == 0


def test_probes_thin_out_as_the_fleet_grows() -> None:
    pacing = Pacing()
    assert pacing.probes_ms() == (PROBE_ACTIVE_MS, PROBE_IDLE_MS)
    for n in range(20_000):
        pacing.start_slot_ms(f"reg{n}", 0, NOW_MS)
    active_ms, idle_ms = pacing.probes_ms()
    assert PROBE_ACTIVE_MS < active_ms <= PROBE_IDLE_MS < idle_ms
