"""Paying by points: what they are worth, by the rate that the transaction began with."""

from typing import NamedTuple

from holdfast.core.loyalty.parameters import FOR_UNIT, FOR_UNIT_DEFAULT
from holdfast.core.loyalty.points import Settings


class Redeemed(NamedTuple):
    """So many points pay so much."""

    points: int
    amount_minor: int


def points_for_unit(begun_with: Settings) -> int:
    """How many pay one whole unit of the currency; 0: points pay nothing."""
    found = begun_with.get(FOR_UNIT)
    return found if type(found) is int else FOR_UNIT_DEFAULT


def redeemable(points: int, due_minor: int, for_unit: int, unit_minor: int) -> Redeemed:
    """As much of what is due as these points pay, and how few of them do it. A part of a point that is left
    over is the shop's: a point is whole."""
    if for_unit <= 0 or points <= 0 or due_minor <= 0:
        return Redeemed(0, 0)
    amount_minor = min(due_minor, points * unit_minor // for_unit)
    used = -(-amount_minor * for_unit // unit_minor)
    assert used <= points, "no more is taken than there is"
    return Redeemed(used, amount_minor)
