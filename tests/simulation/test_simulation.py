"""The simulator drives the shipped cores; what it must catch, it catches."""

import subprocess
import sys

import pytest

from holdfast.simulation.run import run
from holdfast.simulation.scenario import Plan, rough
from tests.simulation.mutants import MUTANTS, Patch

SEEDS = range(1, 9)
PLAN = Plan(days=20)
ROUGH = rough(days=20)
"""More of what the mutants get wrong, so that few seeds find them."""


@pytest.mark.parametrize("plan", [PLAN, ROUGH], ids=["usual", "rough"])
@pytest.mark.parametrize("seed", SEEDS)
def test_every_promise_holds(seed: int, plan: Plan) -> None:
    report = run(seed, plan)
    assert not report.findings, f"replay with: {report.command}\n" + "\n".join(report.findings[:10])


def test_the_same_seed_is_the_same_run() -> None:
    assert run(3, PLAN) == run(3, PLAN)
    assert run(3, PLAN).trace_hash != run(4, PLAN).trace_hash


@pytest.mark.parametrize("plan", [Plan(days=3, registers=2), rough(days=3)], ids=["usual", "rough"])
def test_the_command_of_a_report_runs_that_very_run_again(plan: Plan) -> None:
    report = run(5, plan)
    words = report.command.split()
    assert words[:2] == ["holdfast", "simulate"]
    again = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, timeout=120)
    assert again.returncode == 0, again.stderr
    assert f"trace {report.trace_hash[:12]}" in " ".join(again.stdout.split())


def test_the_seeds_reach_what_they_are_for() -> None:
    """A simulation in which nothing goes wrong proves nothing."""
    reports = [run(seed, PLAN) for seed in SEEDS[:4]]
    for what in ("forks", "quarantined", "forgeries", "purged"):
        assert sum(getattr(report, what) for report in reports), f"no seed came to any {what}"
    assert any(report.epochs > PLAN.registers for report in reports)


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_every_mutant_is_caught(mutant: Patch, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant(monkeypatch)
    for seed in range(1, 40):
        try:
            if run(seed, ROUGH).findings:
                return
        except AssertionError:
            return
    pytest.fail("this mutant lives")
