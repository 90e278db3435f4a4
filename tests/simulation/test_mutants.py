"""A simulation that lets a mutant live is broken; each is found by the very promise that it breaks."""

import pytest

from holdfast.simulation.plan import PLANS
from holdfast.simulation.run import run
from tests.simulation.mutants import MUTANTS, Mutant

SEEDS = range(1, 13)


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_every_mutant_is_caught_by_the_promise_that_it_breaks(
    mutant: Mutant, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant.patch(monkeypatch)
    others: list[str] = []
    for seed in sorted(SEEDS, key=lambda seed: seed != mutant.seed):
        found = run(seed, PLANS[mutant.plan](mutant.days, mutant.registers)).findings
        if any(finding.startswith(mutant.caught_by) for finding in found):
            return
        others += found[:2]
    pytest.fail(f"this mutant lives, or only others find it: {others[:6]}")
