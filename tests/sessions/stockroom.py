"""Goods on paper: what moved in the store, and what was counted there, by the time of each (ST1 to ST4)."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Stockroom:
    """One store."""

    moved: list[tuple[str, int, int]] = field(default_factory=list)
    """Stock code, when, and thousandths."""
    counted: list[tuple[str, int, int]] = field(default_factory=list)
    """Stock code, when, and how many lay there."""
    lists: Counter[str] = field(default_factory=Counter)
    """Business date → counts, adjustments and transfers: each takes a document's number."""

    def level(self, sku: str) -> int:
        """What lies there: the last figure, and what moved after it; goods come in whatever order."""
        figures = sorted((at_ms, place) for place, (of, at_ms, _) in enumerate(self.counted) if of == sku)
        if not figures:
            return sum(milli for of, _, milli in self.moved if of == sku)
        at_ms, place = figures[-1]
        after = sum(milli for of, when, milli in self.moved if of == sku and when > at_ms)
        return self.counted[place][2] + after
