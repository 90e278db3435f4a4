"""What people set, each change kept for good; a row of the feed is the fold of its changes.

A change says what counts in one scope: at once, or from a business date on. None ends what was set, so that
the wider scope counts again. *Undo* takes a change back as though it had never been made.
"""

from collections.abc import Iterable

import msgspec

from holdfast.core.bounds import text_refusal
from holdfast.core.business_day import is_date
from holdfast.core.parameters.scope import FIRST_DATE, ParameterRow, Scope, Step, Value
from holdfast.core.refusals import Refusal

STEPS_MAX = 50
"""Dates of one row: what bounds it."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one parameter in one scope."""

    number: int
    """Rising: the order in which they were made."""
    name: str
    scope: Scope
    value: Value | None
    """None: from then on nothing is set here."""
    valid_from: str
    """`FIRST_DATE`: at once, in place of all that counted by then; later dates stay."""
    made_on: str
    """Head office's date then."""
    undoes: int | None = None
    """The change that this one takes back; it says nothing else."""
    version: int = 0
    """Of the feed, from this change on."""
    by: str = ""
    at_ms: int = 0
    reason: str = ""

    @property
    def is_at_once(self) -> bool:
        return self.valid_from == FIRST_DATE


def folded(changes: Iterable[Change]) -> ParameterRow | None:
    """The row that changes of one key, in their order, come to; None: nothing is set, now or later."""
    known = list(changes)
    undone = {change.undoes for change in known}
    values: dict[str, Value | None] = {FIRST_DATE: None}
    for change in known:
        if change.undoes is not None or change.number in undone:
            continue
        if change.is_at_once:
            values = {date: value for date, value in values.items() if date > change.made_on}
        values[change.valid_from] = change.value
    steps: list[Step] = []
    for date in sorted(values):
        if not steps or values[date] != steps[-1].value:
            steps.append(Step(date, values[date]))
    if steps[0].value is None and len(steps) == 1:
        return None
    return ParameterRow(value=steps[0].value, steps=tuple(steps[1:]))


def dates_refusal(valid_from: str, today: str) -> Refusal | None:
    """Why a change cannot begin on that date; `FIRST_DATE` is at once."""
    if valid_from == FIRST_DATE:
        return None
    if refusal := text_refusal("The date", valid_from):
        return refusal
    if not is_date(valid_from):
        return Refusal(
            "parameter.date",
            f"{valid_from[:40]!r} is not a date. Write it as in 2026-12-31, or leave it empty.",
        )
    if valid_from < today:
        return Refusal(
            "parameter.date",
            f"{valid_from} is over. Give today or a later date, or none: then it counts at once.",
        )
    return None
