"""Time and randomness as they are handed in."""

import pytest

from holdfast.core.faults import ConfigurationFault
from holdfast.infra.clock import (
    Clock,
    ManualClock,
    Randomness,
    SeededRandomness,
    SystemClock,
    SystemRandomness,
)

JANUARY_MS = 1_767_960_000_000  # 2026-01-09T12:00Z
JULY_MS = 1_783_598_400_000  # 2026-07-09T12:00Z


@pytest.mark.parametrize(
    ("zone", "january", "july"),
    [
        ("UTC", 0, 0),
        ("Europe/Zurich", 60, 120),
        ("America/St_Johns", -210, -150),
        ("Asia/Kathmandu", 345, 345),
    ],
)
def test_the_offset_is_the_stores_at_that_time(zone: str, january: int, july: int) -> None:
    clock = SystemClock(zone)
    assert (clock.offset_min(JANUARY_MS), clock.offset_min(JULY_MS)) == (january, july)


@pytest.mark.parametrize(
    ("zone", "switch_ms", "before", "after"),
    [
        ("Europe/Zurich", 1_774_746_000_000, 60, 120),
        ("Europe/Zurich", 1_792_890_000_000, 120, 60),
        ("Australia/Lord_Howe", 1_775_314_800_000, 660, 630),
        ("Pacific/Chatham", 1_775_311_200_000, 825, 765),
    ],
)
def test_one_clock_is_right_on_both_sides_of_a_switch(
    zone: str, switch_ms: int, before: int, after: int
) -> None:
    """It remembers what it was asked a moment ago."""
    clock = SystemClock(zone)
    asked = [switch_ms - 1, switch_ms, switch_ms + 1, switch_ms - 1, switch_ms]
    assert [clock.offset_min(at_ms) for at_ms in asked] == [before, after, after, before, after]


@pytest.mark.parametrize("at_ms", [0, -62_135_596_800_000, 253_402_300_799_999, 10**18, -(10**18)])
def test_a_clock_that_is_centuries_wrong_stops_nothing(at_ms: int) -> None:
    assert -16 * 60 < SystemClock("Europe/Zurich").offset_min(at_ms) < 16 * 60


@pytest.mark.parametrize("zone", ["Europe/Zürich", "", "../etc/passwd", "Nowhere", "a\0b"])
def test_an_unknown_zone_is_a_fault_with_a_cure(zone: str) -> None:
    with pytest.raises(ConfigurationFault, match="IANA name"):
        SystemClock(zone)


def test_system_clocks_go_on() -> None:
    clock: Clock = SystemClock("UTC")
    assert clock.now_ms() > 1_700_000_000_000
    assert clock.monotonic_ms() <= clock.monotonic_ms()


def test_a_manual_clock_moves_when_it_is_told_to() -> None:
    manual = ManualClock(now_ms=1_000, offset_min=60)
    clock: Clock = manual
    manual.advance(5)
    manual.jump_to(10)
    assert (clock.now_ms(), clock.monotonic_ms(), clock.offset_min(0)) == (10, 5, 60)


def test_seeded_randomness_repeats_and_the_systems_does_not() -> None:
    one, two = SeededRandomness(7), SeededRandomness(7)
    assert [one.bytes(10), one.bytes(16)] == [two.bytes(10), two.bytes(16)]
    system: Randomness = SystemRandomness()
    assert system.bytes(16) != system.bytes(16)
    assert len(system.bytes(10)) == 10
