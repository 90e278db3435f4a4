"""Operations: what can be done at a till, by which role, online and offline, in one table (SW8, PO6)."""

from holdfast.core.operations.conditions import CONDITIONS, SWITCHES, Condition, Situation
from holdfast.core.operations.decide import Allowed, Answer, NeedsApproval, decide, refusal_of
from holdfast.core.operations.operation import NO, YES, Availability, Operation
from holdfast.core.operations.roles import DEFAULT_ROLES, ROLES, Permission, Role, RoleRow, role_in
from holdfast.core.operations.table import OPERATIONS, groups

__all__ = [
    "CONDITIONS",
    "DEFAULT_ROLES",
    "NO",
    "OPERATIONS",
    "ROLES",
    "SWITCHES",
    "YES",
    "Allowed",
    "Answer",
    "Availability",
    "Condition",
    "NeedsApproval",
    "Operation",
    "Permission",
    "Role",
    "RoleRow",
    "Situation",
    "decide",
    "groups",
    "refusal_of",
    "role_in",
]
