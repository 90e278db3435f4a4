"""Roles: what each member of staff may do alone, and how far (PO6).

A role is a row: permissions, and limits inside them. What a person may not do alone, somebody approves whose
role may approve, may do it himself, and reaches as far. Head office overrides rows by the `roles` feed, by
currency.
"""

import enum
from collections.abc import Mapping

import msgspec

from holdfast.core.basket.limits import UNLIMITED, Limits
from holdfast.core.bounds import PERCENT_E2_WHOLE
from holdfast.core.refusals import Refusal


class Permission(enum.StrEnum):
    """What a role may do; an operation needs one of them, or none."""

    SELL = "sell"
    VOID_LINE = "void-line"
    VOID_TRANSACTION = "void-transaction"
    SUSPEND = "suspend"
    VOID_SUSPENDED = "void-suspended"
    DISCOUNT = "discount"
    OVERRIDE_PRICE = "override-price"
    RETURN = "return"
    RETURN_WITHOUT_RECEIPT = "return-without-receipt"
    RECEIPTS = "receipts"
    CUSTOMERS = "customers"
    OPEN_DAY = "open-day"
    CLOSE_DAY = "close-day"
    DOUBTFUL_DATE = "doubtful-date"
    SHIFT = "shift"
    DRAWER = "drawer"
    MOVE_CASH = "move-cash"
    PETTY_CASH = "petty-cash"
    REPORTS = "reports"
    CONNECTION = "connection"
    DRILL = "drill"
    GIFT_CARDS = "gift-cards"
    CASH_OUT = "cash-out"
    CREDIT_MEMOS = "credit-memos"
    LOYALTY = "loyalty"
    ON_ACCOUNT = "on-account"
    STOCK = "stock"
    CHANGE_STOCK = "change-stock"
    CARDS = "cards"
    CARDS_OFFLINE = "cards-offline"
    REFUND_CARDS = "refund-cards"
    APPROVE = "approve"
    """Lend one's own permissions and limits to somebody else, for one act, with one's PIN."""


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the roles."""

    id: str
    name: str
    """As it stands in a sentence: "a supervisor"."""
    permissions: frozenset[Permission]
    limits: Limits

    def may(self, permission: Permission | None) -> bool:
        """Whether it has what is needed; nothing needed is had by all."""
        return permission is None or permission in self.permissions

    def may_approve(self, permission: Permission | None) -> bool:
        """Whether it may say yes for somebody who has not."""
        return Permission.APPROVE in self.permissions and self.may(permission)


_P = Permission
_TRAINEE = frozenset(
    {_P.SELL, _P.VOID_LINE, _P.SUSPEND, _P.RECEIPTS, _P.CUSTOMERS, _P.STOCK, _P.LOYALTY, _P.CARDS}
)
_CASHIER = _TRAINEE | {
    _P.VOID_TRANSACTION,
    _P.DISCOUNT,
    _P.OVERRIDE_PRICE,
    _P.RETURN,
    _P.RETURN_WITHOUT_RECEIPT,
    _P.OPEN_DAY,
    _P.CLOSE_DAY,
    _P.SHIFT,
    _P.MOVE_CASH,
    _P.GIFT_CARDS,
    _P.CREDIT_MEMOS,
    _P.ON_ACCOUNT,
}
_SUPERVISOR = _CASHIER | {
    _P.DRAWER,
    _P.PETTY_CASH,
    _P.REPORTS,
    _P.CASH_OUT,
    _P.CARDS_OFFLINE,
    _P.REFUND_CARDS,
    _P.APPROVE,
}

FOREIGN_CHANGE_MINOR_MAX = 20_000
"""A cashier's; also where a row of head office's does not say."""

ROLES: tuple[Role, ...] = (
    Role(
        id="trainee",
        name="trainee",
        permissions=_TRAINEE,
        limits=Limits(
            line_discount_e2_max=0,
            total_discount_e2_max=0,
            override_e2_max=0,
            return_without_receipt_minor_max=0,
            refund_minor_max=0,
            foreign_change_minor_max=5_000,
        ),
    ),
    Role(
        id="cashier",
        name="cashier",
        permissions=_CASHIER,
        limits=Limits(
            line_discount_e2_max=1_000,
            total_discount_e2_max=1_000,
            override_e2_max=1_000,
            return_without_receipt_minor_max=5_000,
            refund_minor_max=20_000,
            foreign_change_minor_max=FOREIGN_CHANGE_MINOR_MAX,
        ),
    ),
    Role(
        id="supervisor",
        name="supervisor",
        permissions=_SUPERVISOR,
        limits=Limits(
            line_discount_e2_max=3_000,
            total_discount_e2_max=3_000,
            override_e2_max=3_000,
            return_without_receipt_minor_max=20_000,
            refund_minor_max=50_000,
            foreign_change_minor_max=50_000,
        ),
    ),
    Role(id="manager", name="manager", permissions=frozenset(_P), limits=UNLIMITED),
    Role(id="admin", name="system admin", permissions=frozenset(_P), limits=UNLIMITED),
)
"""From the least to the most, as a chain starts with them. Each may do what the one before it may."""

DEFAULT_ROLES: Mapping[str, Role] = {role.id: role for role in ROLES}
_BY_NAME = {permission.value: permission for permission in Permission}
LEAST = ROLES[0]
"""What somebody is whose role this version does not know: enough to sell, so that no queue waits for it."""


class RoleRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the `roles` feed: head office's word on a role at registers of one currency."""

    role: str
    currency: str
    """Amounts are in its minor units."""
    permissions: tuple[str, ...]
    line_discount_e2_max: int
    total_discount_e2_max: int
    override_e2_max: int
    return_without_receipt_minor_max: int
    refund_minor_max: int
    foreign_change_minor_max: int = FOREIGN_CHANGE_MINOR_MAX

    @property
    def key(self) -> str:
        return row_key(self.role, self.currency)


def row_key(role: str, currency: str) -> str:
    """The key of a role's row in the feed."""
    return f"{role}|{currency}"


def row_of(role: Role, currency: str) -> RoleRow:
    """A role as the feed writes it."""
    limits = role.limits
    return RoleRow(
        role=role.id,
        currency=currency,
        permissions=tuple(permission for permission in Permission if permission in role.permissions),
        line_discount_e2_max=limits.line_discount_e2_max,
        total_discount_e2_max=limits.total_discount_e2_max,
        override_e2_max=limits.override_e2_max,
        return_without_receipt_minor_max=limits.return_without_receipt_minor_max,
        refund_minor_max=limits.refund_minor_max,
        foreign_change_minor_max=limits.foreign_change_minor_max,
    )


def row_refusal(row: RoleRow) -> Refusal | None:
    """Why head office cannot publish this row; None if it can."""
    if row.role not in DEFAULT_ROLES:
        return Refusal(
            "role.unknown", f"{row.role[:40]!r} is no role. There are: {', '.join(DEFAULT_ROLES)}."
        )
    if unknown := [given for given in row.permissions if given not in _BY_NAME]:
        return Refusal(
            "role.permission", f"{unknown[0][:40]!r} is no permission. There are: {', '.join(_BY_NAME)}."
        )
    return limits_refusal(row)


def limits_refusal(row: RoleRow) -> Refusal | None:
    """Why nobody can work within these limits; None if they can."""
    percentages = (row.line_discount_e2_max, row.total_discount_e2_max, row.override_e2_max)
    if any(not 0 <= limit <= PERCENT_E2_WHOLE for limit in percentages):
        return Refusal("role.percentage", "A limit in percent is from 0 to 100. Enter one.")
    amounts = (
        row.return_without_receipt_minor_max,
        row.refund_minor_max,
        row.foreign_change_minor_max,
    )
    if any(not 0 <= limit <= UNLIMITED.refund_minor_max for limit in amounts):
        return Refusal("role.amount", "A limit of an amount is zero or more. Enter one.")
    return None


def role_in(role: str, row: RoleRow | None) -> Role:
    """The role by head office's row where there is one, else as it ships; an unknown one is the least."""
    known = DEFAULT_ROLES.get(role, LEAST)
    if row is None or row.role != known.id or limits_refusal(row):
        return known
    return Role(
        id=known.id,
        name=known.name,
        # A newer head office may name one that this version has no operation for.
        permissions=frozenset(_BY_NAME[given] for given in row.permissions if given in _BY_NAME),
        limits=Limits(
            line_discount_e2_max=row.line_discount_e2_max,
            total_discount_e2_max=row.total_discount_e2_max,
            override_e2_max=row.override_e2_max,
            return_without_receipt_minor_max=row.return_without_receipt_minor_max,
            refund_minor_max=row.refund_minor_max,
            foreign_change_minor_max=row.foreign_change_minor_max,
        ),
    )
