"""Mutants of the shipped code that the simulation must catch: each breaks one rule in one place, and names
the promise that is to find it out. The adapters' are in `tests/contract` and `tests/crash`."""

from tests.simulation.mutants import cash, down, keys, up, value
from tests.simulation.mutants.registry import MUTANTS, Mutant

__all__ = ["MUTANTS", "Mutant", "cash", "down", "keys", "up", "value"]
