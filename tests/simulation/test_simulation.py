"""The simulator drives the shipped cores through every kind of fault, and every promise holds."""

import functools
import subprocess
import sys

import pytest

from holdfast.hq.store.postgres import PostgresTransaction
from holdfast.simulation.plan import PLANS, Plan
from holdfast.simulation.postgres import postgres_office
from holdfast.simulation.run import Report, run

SEEDS = range(1, 9)
DAYS, VALUE_DAYS = 5, 1
"""Shops that live on gift cards do more in a day."""
SHORT_DAYS = 3


@functools.cache
def report_of(seed: int, plan: str) -> Report:
    """What that seed came to under that plan: once, for the same seed is the same run (below)."""
    return run(seed, PLANS[plan](VALUE_DAYS if plan == "value" else DAYS, 4))


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_promise_holds(seed: int, plan: str) -> None:
    report = report_of(seed, plan)
    assert not report.findings, f"replay with: {report.command}\n" + "\n".join(report.findings[:10])


def test_the_same_seed_is_the_same_run() -> None:
    plan = Plan(days=SHORT_DAYS)
    first = run(3, plan)
    assert run(3, plan) == first
    assert run(4, plan).trace_hash != first.trace_hash


@pytest.mark.parametrize("plan", ["rough", "value"])
def test_the_command_of_a_report_runs_that_very_run_again(plan: str) -> None:
    report = run(5, PLANS[plan](1, 2))
    words = report.command.split()
    assert words[:2] == ["holdfast", "simulate"]
    again = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, timeout=120)
    assert again.returncode == 0, again.stderr
    assert f"trace {report.trace_hash[:12]}" in again.stdout


def test_the_seeds_reach_what_they_are_for() -> None:
    """A simulation in which nothing goes wrong proves nothing."""
    reports = [report_of(seed, "rough") for seed in SEEDS[:4]]
    for what in ("forks", "quarantined", "forgeries", "purged"):
        assert sum(getattr(report, what) for report in reports), f"no seed came to any {what}"
    shops = [report_of(seed, "value") for seed in SEEDS[:2]]
    assert any(report.differences for report in shops), "nobody met a copy, a restore or an impatient admin"
    assert sum(report.value_acts for report in shops) > 500
    assert any(report.vouched for report in shops), "no till took its own memo"
    assert any(report.released for report in shops), "the policy released nothing"
    assert any(report.epochs > report.plan.registers for report in reports)


def test_postgres_answers_and_ends_as_the_store_in_memory() -> None:
    with postgres_office() as office:
        for plan, days in (("rough", SHORT_DAYS), ("backwards", SHORT_DAYS), ("value", 1)):
            report = run(2, PLANS[plan](days, 3), office)
            assert not report.findings, f"replay with: {report.command}\n" + "\n".join(report.findings[:10])
            assert report.stores == "both"


def test_a_store_that_differs_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison itself: PostgreSQL forgets stock."""
    monkeypatch.setattr(PostgresTransaction, "_copy_stock", lambda self, rows: None)
    with postgres_office() as office:
        found = run(2, PLANS["usual"](1, 2), office).findings
    assert any(finding.startswith("stores: table stock_level") for finding in found)
    assert any(finding.startswith("stores: verify") for finding in found)
    assert all(finding.startswith("stores:") for finding in found), "the head office in memory is in order"
