"""A simulation that lets a mutant live is broken; each is found by the very promise that it breaks."""

from collections.abc import Iterator

import pytest

from holdfast.simulation.run import run
from tests.simulation.mutants import MUTANTS, Mutant

SEEDS = range(1, 13)
LARGE = {"value": (1, 4)}
LARGE_USUALLY = (6, 4)


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_every_mutant_is_caught_by_the_promise_that_it_breaks(
    mutant: Mutant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the run that is known to find it; where the simulator changed since, by another one."""
    mutant.patch(monkeypatch)
    others: list[str] = []
    for seed, days, registers in runs_for(mutant):
        found = run(seed, mutant.plan_of(days, registers)).findings
        if any(finding.startswith(mutant.caught_by) for finding in found):
            return
        others += found[:2]
    pytest.fail(f"this mutant lives, or only others find it: {others[:6]}")


def runs_for(mutant: Mutant) -> Iterator[tuple[int, int, int]]:
    """Seed, days and registers: what is known, then as cheap ones, then large ones."""
    yield mutant.seed, mutant.days, mutant.registers
    for size in ((mutant.days, mutant.registers), LARGE.get(mutant.plan, LARGE_USUALLY)):
        yield from ((seed, *size) for seed in SEEDS)
