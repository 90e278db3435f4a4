"""How a mutant is written down: what it breaks, and by which promise it must be found."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import msgspec
import pytest

from holdfast.simulation.plan import PLANS, Plan

Patch = Callable[[pytest.MonkeyPatch], None]


class Mutant(NamedTuple):
    """A rule broken, and by what that must be found."""

    patch: Patch
    caught_by: str
    """How the finding begins."""
    plan: str = "rough"
    seed: int = 1
    """Tried first: one that is known to find it."""
    days: int = 6
    registers: int = 4
    changes: Mapping[str, float] = MappingProxyType({})
    """Of the plan: what it has more of."""

    def plan_of(self, days: int, registers: int) -> Plan:
        return msgspec.structs.replace(PLANS[self.plan](days, registers), **self.changes)


MUTANTS: dict[str, Mutant] = {}


def mutant(
    caught_by: str,
    plan: str = "rough",
    *,
    seed: int = 1,
    days: int = 6,
    registers: int = 4,
    **changes: float,
) -> Callable[[Patch], Patch]:
    """Registers one under its name. `seed`, `days` and `registers`: a cheap run that is known to find it;
    when the simulator changes, another may be."""

    def register_one(patch: Patch) -> Patch:
        MUTANTS[patch.__name__] = Mutant(patch, caught_by, plan, seed, days, registers, changes)
        return patch

    return register_one
