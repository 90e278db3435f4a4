"""Counted figures stay true at their time, whatever comes late and in whatever order (ST2, ST3)."""

from collections import Counter

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.ids import Sku, StoreId
from holdfast.core.stock.marks import (
    COUNT,
    EVERY_PRODUCT,
    ZERO,
    Derived,
    Mark,
    Marks,
    Moved,
    is_before,
    netted,
    settled,
    untrue,
)

STORE = StoreId("S1")
SKUS = [Sku("A"), Sku("B")]
MOMENTS = st.integers(0, 12)

movements = st.builds(
    Moved, st.sampled_from(SKUS), MOMENTS, st.integers(-5, 5), st.just(1), st.integers(1, 99)
)


def _mark(n: int, at_ms: int, sku: Sku, figure: int) -> Mark:
    if sku == EVERY_PRODUCT:
        return Mark(mark=f"m{n}", kind=ZERO, store=STORE, sku=sku, at_ms=at_ms, figure_milli=0)
    return Mark(mark=f"m{n}", kind=COUNT, store=STORE, sku=sku, at_ms=at_ms, figure_milli=figure)


@st.composite
def marks(draw: st.DrawFn) -> list[Mark]:
    drawn = draw(
        st.lists(st.tuples(MOMENTS, st.sampled_from([*SKUS, EVERY_PRODUCT]), st.integers(-3, 9)), max_size=4)
    )
    return [_mark(n, *each) for n, each in enumerate(drawn)]


class HeadOffice:
    """What head office does with each thing as it comes to know of it."""

    def __init__(self) -> None:
        self.moved: list[Moved] = []
        self.marks: list[Mark] = []
        self.derived: list[Derived] = []

    def take(self, what: Moved | Mark) -> None:
        if isinstance(what, Moved):
            self.derived += netted([what], Marks(self.marks))
            self.moved.append(what)
            return
        self.derived += settled(what, self.before(what), Marks(self.marks))
        self.marks.append(what)

    def level(self) -> Counter[Sku]:
        level: Counter[Sku] = Counter()
        for each in (*self.moved, *self.derived):
            level[each.sku] += each.quantity_milli
        return level

    def before(self, mark: Mark) -> Counter[Sku]:
        """As the stores find it: the level, less what happened after."""
        before = self.level()
        orders = {known.mark: known.order for known in self.marks}
        for each in self.moved:
            if not is_before(each.at_ms, mark):
                before[each.sku] -= each.quantity_milli
        for each in self.derived:
            if orders[each.mark] > mark.order:
                before[each.sku] -= each.quantity_milli
        return before


@given(st.lists(movements, max_size=8), marks(), st.data())
def test_the_level_is_the_last_figure_and_what_moved_after_it_in_any_order(
    moved: list[Moved], marked: list[Mark], data: st.DataObject
) -> None:
    office = HeadOffice()
    for each in data.draw(st.permutations([*moved, *marked])):
        office.take(each)
    level = office.level()
    for sku in SKUS:
        last = next(reversed(Marks(marked).about(sku)), None)
        after = sum(
            each.quantity_milli
            for each in moved
            if each.sku == sku and (last is None or not is_before(each.at_ms, last))
        )
        assert level[sku] == (0 if last is None else last.figure_milli) + after
    assert not untrue(Marks(marked), _by_mark(office, moved), _derived(office))


@given(st.lists(movements, max_size=8), st.lists(movements, max_size=4), st.data())
def test_a_store_set_to_zero_is_at_zero_when_all_that_was_dated_before_arrived(
    before: list[Moved], late: list[Moved], data: st.DataObject
) -> None:
    office = HeadOffice()
    zero = _mark(0, 12, EVERY_PRODUCT, 0)
    for each in [*before, zero, *data.draw(st.permutations(late))]:
        office.take(each)
    assert not any(office.level().values())


@given(st.lists(movements, min_size=1, max_size=6), marks())
def test_a_figure_that_was_not_kept_is_found(moved: list[Moved], marked: list[Mark]) -> None:
    office = HeadOffice()
    for each in [*marked, *moved]:
        office.take(each)
    derived = _derived(office)
    if derived:
        place = min(derived)
        derived[place] += 1
        assert untrue(Marks(marked), _by_mark(office, moved), derived)


def test_two_figures_of_one_moment_come_in_the_order_of_their_names() -> None:
    one, other = _mark(1, 5, SKUS[0], 3), _mark(2, 5, SKUS[0], 7)
    for order in ([one, other], [other, one]):
        office = HeadOffice()
        for mark in order:
            office.take(mark)
        assert office.level()[SKUS[0]] == 7
    assert msgspec.json.decode(msgspec.json.encode(one), type=Mark) == one


def _by_mark(office: HeadOffice, moved: list[Moved]) -> Counter[tuple[str, Sku]]:
    sums: Counter[tuple[str, Sku]] = Counter()
    for each in moved:
        first = next(
            (mark for mark in Marks(office.marks).about(each.sku) if is_before(each.at_ms, mark)), None
        )
        if first is not None:
            sums[first.mark, each.sku] += each.quantity_milli
    return sums


def _derived(office: HeadOffice) -> Counter[tuple[str, Sku]]:
    sums: Counter[tuple[str, Sku]] = Counter()
    for each in office.derived:
        sums[each.mark, each.sku] += each.quantity_milli
    return sums
