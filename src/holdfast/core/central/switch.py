"""The switch in the middle: what becomes of central value when the line drops, in every case (P2, P8).

One rule a column, no list of cases: `outcome` derives each cell of the table that the docs print, and the
simulation runs each cell through the till's holds, the desk and settlement, and compares.
"""

import enum
import itertools
from collections.abc import Iterator
from typing import NamedTuple

from holdfast.core.central.accounts import WORDS, Kind
from holdfast.core.central.sentences import BEGUN_OFFLINE, balance_later, in_doubt, not_offline


class Drop(enum.StrEnum):
    """When the line drops, by the call that asks head office to hold."""

    BEFORE = "before the call"
    DURING = "under the call, its answer lost"
    AFTER = "after the call"


class Then(enum.StrEnum):
    """What happens at the till next, while the line is down."""

    CONCLUDE = "conclude"
    REMOVE = "take it off"
    VOID = "void"
    SUSPEND = "suspend"
    CRASH = "crash and restart"
    REPLACED = "register replaced"


class Back(enum.StrEnum):
    """When the line is there again."""

    BEFORE = "before the till goes on"
    AFTER = "after it went on"
    NEVER = "never"


class Cell(NamedTuple):
    """One combination. `allowed`: the kind's parameter for concluding offline."""

    kind: Kind
    drop: Drop
    allowed: bool
    then: Then
    back: Back


class AtTill(enum.StrEnum):
    CONCLUDED = "concluded with it"
    WITHOUT = "concluded without it"
    REFUSED = "refused with it"
    OPEN = "still open"
    GIVEN_UP = "taken off, or voided"
    GONE = "lost with the register"


class Value(enum.StrEnum):
    MOVED = "moved once"
    UNMOVED = "not moved"
    OWED = "moves when the sale arrives"


class Lock(enum.StrEnum):
    NONE = "none"
    """None was taken, or it ended with the entry that settled it or gave it up."""
    TRANSACTION = "stays with the transaction"
    OWNER = "stays until the owner's entry, or a person releases it"


class Result(NamedTuple):
    """How a cell ends."""

    till: AtTill
    value: Value
    lock: Lock
    says: str
    """What the cashier reads; empty: nothing needs to be said."""


def cells() -> Iterator[Cell]:
    """Every combination."""
    for parts in itertools.product(Kind, Drop, (False, True), Then, Back):
        yield Cell(*parts)


def outcome(cell: Cell) -> Result:
    """The one defined outcome."""
    if cell.back is Back.BEFORE:
        return _online_again(cell)
    has_hold = cell.drop is not Drop.BEFORE
    is_back = cell.back is Back.AFTER
    if cell.then is Then.REPLACED:
        return Result(AtTill.GONE, Value.UNMOVED, Lock.OWNER if has_hold else Lock.NONE, _replaced(cell))
    if cell.then in {Then.SUSPEND, Then.CRASH}:
        return Result(
            AtTill.OPEN, Value.UNMOVED, Lock.TRANSACTION if has_hold else Lock.NONE, _still_open(cell)
        )
    if cell.then is not Then.CONCLUDE:
        stays = has_hold and not is_back
        says = "It is free again as soon as the connection returns." if has_hold else ""
        return Result(AtTill.GIVEN_UP, Value.UNMOVED, Lock.OWNER if stays else Lock.NONE, says)
    return _conclude(cell, is_back=is_back)


def _conclude(cell: Cell, *, is_back: bool) -> Result:
    if cell.drop is Drop.BEFORE:
        return Result(AtTill.WITHOUT, Value.UNMOVED, Lock.NONE, BEGUN_OFFLINE[cell.kind])
    if cell.drop is Drop.DURING or not may_conclude(cell):
        return Result(AtTill.REFUSED, Value.UNMOVED, Lock.TRANSACTION, _refused(cell))
    says = balance_later(WORDS[cell.kind])
    if is_back:
        return Result(AtTill.CONCLUDED, Value.MOVED, Lock.NONE, says)
    return Result(AtTill.CONCLUDED, Value.OWED, Lock.OWNER, says)


def may_conclude(cell: Cell) -> bool:
    """Held before the line dropped, and head office allows it (GC4, GC6, OA2). Points wait (LY4)."""
    return cell.drop is Drop.AFTER and cell.allowed and cell.kind is not Kind.POINTS


def _online_again(cell: Cell) -> Result:
    """The line was away for a moment: what was in doubt is asked again under its key, and all goes on."""
    if cell.then is Then.REPLACED:
        has_hold = cell.drop is not Drop.BEFORE
        return Result(AtTill.GONE, Value.UNMOVED, Lock.OWNER if has_hold else Lock.NONE, _replaced(cell))
    if cell.then is Then.CONCLUDE:
        return Result(AtTill.CONCLUDED, Value.MOVED, Lock.NONE, "")
    if cell.then in {Then.SUSPEND, Then.CRASH}:
        return Result(AtTill.OPEN, Value.UNMOVED, Lock.TRANSACTION, "")
    return Result(AtTill.GIVEN_UP, Value.UNMOVED, Lock.NONE, "")


# ---- sentences -----------------------------------------------------------------------------------


def _refused(cell: Cell) -> str:
    words = WORDS[cell.kind]
    return in_doubt(words) if cell.drop is Drop.DURING else not_offline(words)


def _still_open(cell: Cell) -> str:
    if cell.drop is Drop.BEFORE:
        return ""
    return f"The {WORDS[cell.kind]} stays with this transaction."


def _replaced(cell: Cell) -> str:
    if cell.drop is Drop.BEFORE:
        return ""
    return f"The {WORDS[cell.kind]} is locked by the register that was replaced. Head office can release it."
