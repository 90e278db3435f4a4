"""May this be done now, by this role? The one place that answers (SW8)."""

import msgspec

from holdfast.core.operations.conditions import Situation
from holdfast.core.operations.operation import NO, YES, Availability, Operation
from holdfast.core.operations.roles import ROLES, Role
from holdfast.core.refusals import Refusal

OFFLINE = "operation.offline"
ONLINE = "operation.online"
PLANNED = "operation.planned"


class Allowed(msgspec.Struct, frozen=True):
    """Go on."""


class NeedsApproval(msgspec.Struct, frozen=True):
    """Somebody who may must approve it with number and PIN."""

    sentence: str


Answer = Allowed | NeedsApproval | Refusal
ALLOWED = Allowed()


def decide(operation: Operation, role: Role, now: Situation) -> Answer:
    """The mode first: no PIN brings a connection back."""
    if refusal := refusal_of(operation, now):
        return refusal
    return ALLOWED if role.may(operation.permission) else NeedsApproval(needs_somebody(operation))


def refusal_of(operation: Operation, now: Situation) -> Refusal | None:
    """Why nobody can do it in this situation; None if somebody can."""
    if operation.planned:
        return Refusal(PLANNED, f"{operation.name}: this version of Holdfast does not do that yet.")
    if is_available(operation.offline if now.is_offline else operation.online, now):
        return None
    return Refusal(OFFLINE if now.is_offline else ONLINE, operation.refused)


def is_available(availability: Availability, now: Situation) -> bool:
    """Whether one column of the table says yes."""
    if isinstance(availability, str):
        return availability == YES
    return availability.holds(now)


def needs_somebody(operation: Operation) -> str:
    """What is asked of a person whose role has not the permission."""
    return f"“{operation.name}” needs {with_article(least_approver(operation))}. Ask one to approve it."


def least_role(operation: Operation) -> Role:
    """The least of the roles, as they ship, that may do it."""
    return next(role for role in ROLES if role.may(operation.permission))


def least_approver(operation: Operation) -> Role:
    """The least of them that may say yes for somebody else."""
    return next(role for role in ROLES if role.may_approve(operation.permission))


def with_article(role: Role) -> str:
    """`a manager`, for a sentence."""
    return f"{'an' if role.name[0] in 'aeiou' else 'a'} {role.name}"


def word_of(availability: Availability) -> str:
    """`yes`, `no`, or `when` and the condition."""
    if isinstance(availability, str):
        return NO if availability == NO else YES
    return f"when {availability.words}"
