"""A measured figure, beside its limit and its budget."""

import math
import statistics
from collections.abc import Sequence
from typing import Literal

import msgspec


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `bench/results.json`."""

    name: str
    value: float
    unit: str
    limit_name: str = ""
    """What was measured beside it in the same run: a bare operation, or a peer."""
    limit_value: float | None = None
    """In the same unit."""
    ratio: float | None = None
    """value ÷ limit."""
    budget: str = ""
    within_budget: bool | None = None
    """None: no budget is stated."""


def figure(
    name: str,
    value: float,
    unit: str,
    *,
    limit: tuple[str, float] | None = None,
    at_most: float | None = None,
    at_least: float | None = None,
    ratio_at_most: float | None = None,
) -> Figure:
    """A figure with its ratio and its verdict; the bounds are in `unit`, but for the ratio's."""
    ratio = None if limit is None or not limit[1] else value / limit[1]
    bounds: list[tuple[str, bool]] = []
    if at_most is not None:
        bounds.append((f"≤ {at_most:g} {unit}", value <= at_most))
    if at_least is not None:
        bounds.append((f"≥ {at_least:g} {unit}", value >= at_least))
    if ratio_at_most is not None:
        assert ratio is not None, "a bound of the ratio needs a limit"
        bounds.append((f"≤ {ratio_at_most:g} × limit", ratio <= ratio_at_most))
    return Figure(
        name=name,
        value=_rounded(value),
        unit=unit,
        limit_name="" if limit is None else limit[0],
        limit_value=None if limit is None else _rounded(limit[1]),
        ratio=None if ratio is None else _rounded(ratio),
        budget=", ".join(text for text, _ in bounds),
        within_budget=all(held for _, held in bounds) if bounds else None,
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """By nearest rank: a value that was measured, never one in between."""
    assert values, "nothing was measured"
    ranked = sorted(values)
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How much a run measures."""

    entries: int = 1_000_000
    """In the till that sells and starts."""
    sales: int = 2_000
    """Timed one by one."""
    drain: int = 10_000
    fleet: int = 20
    """Registers that drain at once, `drain / fleet` sales each."""
    returns: int = 10
    """Outages, for what happens after each."""
    black_hole_s: float = 20.0
    products: int = 50_000
    """In the catalogue of the till that is scanned at."""
    baskets: int = 20
    """Of 120 lines each, scanned there."""
    registers: int = 10_000
    """That head office's pages show."""
    looks: int = 200
    """At each of these pages."""


FULL = Size()
QUICK = Size(
    entries=50_000,
    sales=400,
    drain=2_000,
    fleet=4,
    returns=3,
    black_hole_s=5.0,
    products=5_000,
    baskets=3,
    registers=500,
    looks=30,
)

Speed = Literal["full", "quick"]
