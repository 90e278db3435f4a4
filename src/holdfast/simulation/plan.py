"""How much of everything a run has: sales, faults, and what people do."""

from collections.abc import Callable

import msgspec

NEVER = 100_000.0
YEARS = (-7, -1, 0, 0, 1, 30)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How much of everything; rates are mean hours between events of one kind."""

    name: str = "usual"
    days: int = 60
    registers: int = 4
    stores: int = 2
    sale_hours: float = 3
    weather_hours: float = 8
    crash_hours: float = 60
    store_crash_hours: float = 80
    restore_hours: float = 400
    whole_restores: float = 0.4
    """Of the restores, how many bring the whole disk back, high-water mark included."""
    clone_hours: float = 900
    clones_max: int = 2
    damage_hours: float = 60
    clock_hours: float = 200
    clock_years: tuple[int, ...] = YEARS
    head_office_clock_hours: float = 2_000
    purge_hours: float = 24
    heartbeat_hours: float = 2
    head_office_crash_hours: float = 48
    head_office_backup_hours: float = 72
    head_office_restore_hours: float = 300
    slip_hours: float = 400
    head_office_upgrade_hours: float = 900
    forgery_hours: float = 24
    future_entry_hours: float = 150
    failing_commit_hours: float = 30
    late_registers: int = 1
    """Enrolled some days after the others, so that a restore of head office may forget them."""
    command_hours: float = 10
    poll_hours: float = 2
    """By the clock; in truth a poll waits at head office all the time."""
    feed_hours: float = 16
    """Between two loads at head office."""
    key_hours: float = 60
    """Between two keys that people have changed, for no reason."""
    help_hours: float = 12
    """Between two looks at whom head office refuses, to give them another key."""
    theft_hours: float = 30
    value_hours: float = NEVER
    """Between two acts with gift cards, memos, points and accounts, at one register."""
    take_back_hours: float = 48
    """Between two locks that an admin releases by hand."""
    policy_hours: float = 0.25
    """Between two looks of the policy at old locks."""
    open_hours: float = 6
    """Between two looks at whether a restored head office may hold value again."""


def usual(days: int, registers: int = 4) -> Plan:
    """A chain with the faults of many years in few."""
    return Plan(days=days, registers=registers)


def rough(days: int, registers: int = 4) -> Plan:
    """More of everything that goes wrong: what a fault in the code is soonest found by."""
    return Plan(
        name="rough",
        days=days,
        registers=registers,
        restore_hours=40,
        clone_hours=200,
        damage_hours=10,
        clock_hours=40,
        head_office_clock_hours=300,
        purge_hours=6,
        head_office_restore_hours=60,
        slip_hours=40,
        head_office_upgrade_hours=240,
        future_entry_hours=30,
        failing_commit_hours=8,
        late_registers=2,
        command_hours=4,
        feed_hours=8,
        key_hours=24,
        theft_hours=8,
    )


def backwards(days: int, registers: int = 4) -> Plan:
    """Clocks that only ever jump back, between restores and clones: epochs open in another order than
    their times say."""
    return Plan(
        name="backwards",
        days=days,
        registers=registers,
        restore_hours=60,
        clone_hours=40,
        clones_max=4,
        clock_hours=12,
        clock_years=(-1, -2, -3, -5, -8, -13),
    )


def worn(days: int, registers: int = 4) -> Plan:
    """Disks that fail all the time, and people who ask for what came damaged once more."""
    return Plan(name="worn", days=days, registers=registers, sale_hours=2, damage_hours=2, command_hours=2)


def quiet(days: int, registers: int = 4) -> Plan:
    """Shops that sell little, under a head office that is put back unannounced: what was lost there, no sale
    and no receipt shows."""
    return Plan(
        name="quiet",
        days=days,
        registers=registers,
        sale_hours=48,
        weather_hours=48,
        restore_hours=NEVER,
        clone_hours=NEVER,
        damage_hours=NEVER,
        forgery_hours=NEVER,
        head_office_restore_hours=NEVER,
        slip_hours=8,
        future_entry_hours=NEVER,
        feed_hours=NEVER,
        key_hours=NEVER,
        theft_hours=NEVER,
    )


def value(days: int, registers: int = 4) -> Plan:
    """Shops that live on gift cards, under lines that come and go."""
    return Plan(
        name="value",
        days=days,
        registers=registers,
        sale_hours=24,
        weather_hours=6,
        crash_hours=24,
        restore_hours=12,
        whole_restores=0.2,
        clone_hours=200,
        head_office_restore_hours=300,
        heartbeat_hours=0.5,
        poll_hours=24,
        command_hours=100,
        feed_hours=200,
        key_hours=200,
        slip_hours=NEVER,
        damage_hours=NEVER,
        future_entry_hours=NEVER,
        forgery_hours=NEVER,
        theft_hours=NEVER,
        value_hours=0.1,
        take_back_hours=24,
    )


PLANS: dict[str, Callable[[int, int], Plan]] = {
    "usual": usual,
    "rough": rough,
    "backwards": backwards,
    "quiet": quiet,
    "worn": worn,
    "value": value,
}
