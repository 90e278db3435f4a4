"""Parameters: whatever people set, end and undo, a till goes by what they meant (GC8)."""

import itertools
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.parameters import (
    FIRST_DATE,
    Change,
    ParameterRow,
    Place,
    Scope,
    Step,
    Value,
    folded,
    in_force,
    key_of,
    resolve,
)

DATES = [f"2026-11-{day:02}" for day in range(20, 30)]
dates = st.sampled_from(DATES)
values = st.one_of(st.none(), st.integers(0, 3))
places = st.builds(Place, st.sampled_from(["S1", "S2"]), st.sampled_from(["R1", "R2"]))
scopes = st.sampled_from(
    [
        Scope("chain"),
        *(Scope("group", code) for code in "GH"),
        *(Scope("store", code) for code in ("S1", "S2")),
        *(Scope("register", code) for code in ("R1", "R2")),
    ]
)


@st.composite
def histories(draw: st.DrawFn) -> list[Change]:
    """Changes of one key as they can be made: each dated today or later, none undone twice."""
    made: list[Change] = []
    for number, today in enumerate(sorted(draw(st.lists(dates, max_size=8))), 1):
        open_ones = {each.number for each in made if each.undoes is None} - {each.undoes for each in made}
        undoes = draw(st.one_of(st.none(), st.sampled_from(sorted(open_ones)))) if open_ones else None
        valid_from = draw(st.one_of(st.just(FIRST_DATE), dates.filter(lambda date, t=today: date >= t)))
        made.append(
            Change(
                number=number, name="p", scope=Scope("chain"), value=draw(values), valid_from=valid_from,
                made_on=today, undoes=undoes,
            )
        )  # fmt: skip
    return made


def meant(changes: list[Change], date: str) -> Value | None:
    """By the words alone: at once takes the place of all that had begun by then, what is dated counts from
    its date on, the last word of a date counts, and what was undone was never said."""
    undone = {change.undoes for change in changes}
    kept = [c for c in changes if c.undoes is None and c.number not in undone]
    at_once = [place for place, c in enumerate(kept) if c.valid_from == FIRST_DATE]
    best: tuple[str, int] | None = None
    for place, c in enumerate(kept):
        if any(later > place and kept[later].made_on >= c.valid_from for later in at_once):
            continue
        if c.valid_from <= date and (best is None or (c.valid_from, place) >= best):
            best = (c.valid_from, place)
    return None if best is None else kept[best[1]].value


@given(histories(), dates)
def test_a_row_says_on_every_date_what_people_meant(changes: list[Change], date: str) -> None:
    row = folded(changes)
    assert (None if row is None else in_force(row, date)) == meant(changes, date)
    if row is not None:
        ordered = [step.valid_from for step in row.steps]
        assert ordered == sorted(set(ordered))
        said = [row.value, *(step.value for step in row.steps)]
        assert all(one != other for one, other in itertools.pairwise(said)), "each step says something"


@given(histories())
def test_undoing_the_last_change_brings_back_what_was(changes: list[Change]) -> None:
    if not changes or changes[-1].undoes is not None:
        return
    last = changes[-1]
    undo = Change(
        number=99, name="p", scope=last.scope, value=None, valid_from=last.valid_from, made_on=last.made_on,
        undoes=last.number,
    )  # fmt: skip
    assert folded([*changes, undo]) == folded(changes[:-1])


rows = st.dictionaries(
    st.builds(lambda scope: key_of("p", scope), scopes)
    | st.sampled_from(["store.group@S1", "store.group@S2"]),
    st.builds(
        lambda value, steps: ParameterRow(
            value=value, steps=tuple(Step(date, steps[date]) for date in sorted(steps))
        ),
        values,
        st.dictionaries(dates, values, max_size=3),
    ),
)


@given(rows, st.sampled_from(["G", "H", None]), places, dates)
def test_the_narrowest_scope_with_a_value_counts(
    found: Mapping[str, ParameterRow], group: str | None, place: Place, date: str
) -> None:
    table = {**found, f"store.group@{place.store}": ParameterRow(value=group)}
    group_scope = Scope("group", group or "-")
    own = (Scope("register", place.register), Scope("store", place.store), group_scope, Scope("chain"))
    in_order = [key_of("p", scope) for scope in own]
    wanted = [value for key in in_order if key in table and (value := in_force(table[key], date)) is not None]
    counts = resolve(table, "p", place, date)
    assert (None if counts is None else counts.value) == (wanted[0] if wanted else None)
    others = {key: row for key, row in table.items() if key not in in_order and not key.startswith("store.")}
    without = {key: row for key, row in table.items() if key not in others}
    assert resolve(without, "p", place, date) == counts, "what is set for others changes nothing here"
