"""Marks: that a store held so much at a moment, by a count or because it was set to zero.

A mark adds one movement, the difference from what was there just before it. Whatever comes to be known later
and happened before is *netted*: the first mark after it takes back as much, so that its figure stays true at
its time. All is a function of what happened, and not of the order in which head office heard of it:

    what was there after a mark = its figure + the movements after it
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from holdfast.core.ids import Sku, StoreId

COUNT, ZERO = "count", "zero"
"""What a mark is of."""
DIFFERENCE, NETTED = "difference", "netted"
"""Why head office moved stock."""
EVERY_PRODUCT = Sku("")
"""The stock code of a mark that is about the whole store."""


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """One figure at one moment; of every product of the store where `sku` is `EVERY_PRODUCT`."""

    mark: str
    """The document or the reference that says it; unique in its store with the stock code."""
    kind: str
    store: StoreId
    sku: Sku
    at_ms: int
    figure_milli: int
    by: str = ""
    reason: str = ""

    @property
    def order(self) -> tuple[int, str]:
        """Of marks of one product; two of the same moment by their names, wherever they came from."""
        return (self.at_ms, self.mark)


class Moved(NamedTuple):
    """A movement that a document makes."""

    sku: Sku
    at_ms: int
    quantity_milli: int
    chain: int
    seq: int


class Derived(NamedTuple):
    """A movement that head office makes, dated as the mark that causes it."""

    mark: str
    sku: Sku
    quantity_milli: int
    cause: str
    chain: int = 0
    seq: int = 0
    """The entry that it takes back, where it is netted; 0: the difference of a mark before."""


def is_before(at_ms: int, mark: Mark) -> bool:
    """Whether a movement of that moment was there to be counted; at the very moment it was."""
    return at_ms <= mark.at_ms


class Marks:
    """Marks of one store, found by what they speak of; each product is looked up once."""

    def __init__(self, marks: Iterable[Mark]) -> None:
        self._by_sku: defaultdict[Sku, list[Mark]] = defaultdict(list)
        for mark in marks:
            self._by_sku[mark.sku].append(mark)
        self._about: dict[Sku, list[Mark]] = {}

    def about(self, sku: Sku) -> list[Mark]:
        """Those that speak of this product, in their order."""
        if sku not in self._about:
            found = (*self._by_sku.get(sku, ()), *self._by_sku.get(EVERY_PRODUCT, ()))
            self._about[sku] = sorted(found, key=lambda mark: mark.order)
        return self._about[sku]

    def skus(self) -> set[Sku]:
        """Products that have a figure of their own."""
        return self._by_sku.keys() - {EVERY_PRODUCT}


def netted(moved: Iterable[Moved], marks: Marks) -> list[Derived]:
    """What is taken back of movements that happened before one of these marks."""
    found: list[Derived] = []
    for each in moved:
        first = next((mark for mark in marks.about(each.sku) if is_before(each.at_ms, mark)), None)
        if first is not None and each.quantity_milli:
            found.append(Derived(first.mark, each.sku, -each.quantity_milli, NETTED, each.chain, each.seq))
    return found


def settled(mark: Mark, before_milli: Mapping[Sku, int], marks: Marks) -> list[Derived]:
    """The differences of a new mark, and what they change at the marks after it.

    `before_milli`: what was there at that moment, of each product that the mark is about and that ever moved.
    `marks`: the others that are known; later ones keep their figures.
    """
    skus = before_milli.keys() if mark.sku == EVERY_PRODUCT else [mark.sku]
    found: list[Derived] = []
    for sku in sorted(skus):
        difference = mark.figure_milli - before_milli.get(sku, 0)
        if not difference:
            continue
        found.append(Derived(mark.mark, sku, difference, DIFFERENCE))
        after = next((other for other in marks.about(sku) if other.order > mark.order), None)
        if after is not None:
            found.append(Derived(after.mark, sku, -difference, NETTED))
    return found


def untrue(
    marks: Marks, moved: Mapping[tuple[str, Sku], int], derived: Mapping[tuple[str, Sku], int]
) -> list[tuple[Mark, Sku]]:
    """Marks whose figure is not what was there: nobody can have netted right.

    `moved` and `derived`: (mark, stock code) → the movements whose first mark that is, and what head office
    moved there.
    """
    wrong: list[tuple[Mark, Sku]] = []
    for sku in sorted({sku for _, sku in (*moved, *derived)} | marks.skus()):
        total = 0
        for mark in marks.about(sku):
            total += moved.get((mark.mark, sku), 0) + derived.get((mark.mark, sku), 0)
            if total != mark.figure_milli:
                wrong.append((mark, sku))
    return wrong


def sum_by_sku(derived: Iterable[Derived]) -> Counter[Sku]:
    """What they move together."""
    sums: Counter[Sku] = Counter()
    for each in derived:
        sums[each.sku] += each.quantity_milli
    return sums
