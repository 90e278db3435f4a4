"""The operations table in words: for one person at the till, and as a page of the reference.

`docs/reference/operations.md` is what `document` gives; a test holds it to that.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from holdfast.core.basket.limits import Limits, percent_text
from holdfast.core.bounds import AMOUNT_MINOR_MAX, PERCENT_E2_WHOLE
from holdfast.core.operations.conditions import Situation
from holdfast.core.operations.decide import (
    Allowed,
    NeedsApproval,
    decide,
    least_approver,
    least_role,
    word_of,
)
from holdfast.core.operations.operation import Operation
from holdfast.core.operations.roles import ROLES, Permission, Role
from holdfast.core.operations.table import groups
from holdfast.core.refusals import Refusal

Now = Literal["yes", "approval", "no"]


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One row for one person."""

    name: str
    now: Now
    sentence: str
    """What he reads where it is not simply yes."""
    offline: str
    """`yes`, `no`, or `when …`."""


def said_to(
    operations: Mapping[str, Operation], role: Role, now: Situation
) -> list[tuple[str, tuple[Said, ...]]]:
    """What somebody of this role can do now, by group. What is planned is offered to nobody."""
    built = {row.id: row for row in operations.values() if not row.planned and not row.before_sign_in}
    return [(group, tuple(_said(row, role, now) for row in rows)) for group, rows in groups(built)]


def _said(row: Operation, role: Role, now: Situation) -> Said:
    match decide(row, role, now):
        case Allowed():
            answer: tuple[Now, str] = ("yes", "")
        case NeedsApproval():
            answer = ("approval", least_approver(row).name)
        case Refusal() as refusal:
            answer = ("no", refusal.sentence)
    return Said(name=row.name, now=answer[0], sentence=answer[1], offline=word_of(row.offline))


# ---- the reference -----------------------------------------------------------------------------


def document(operations: Mapping[str, Operation]) -> str:
    """The reference page, Markdown."""
    parts = [_HEAD, *_matrix(operations), _ROLES_HEAD, *_roles(operations), _LIMITS_HEAD, *_limits()]
    return "\n".join(parts) + "\n"


def _matrix(operations: Mapping[str, Operation]) -> list[str]:
    lines: list[str] = []
    for group, rows in groups(operations):
        lines += [
            f"## {group}",
            "",
            "| operation | from | online | offline | features |",
            "|---|---|---|---|---|",
        ]
        lines += [_row(row) for row in rows]
        lines += ["", *_sentences(rows)]
    return lines


def _row(row: Operation) -> str:
    needs = "anybody" if row.before_sign_in else least_role(row).name
    name = f"{row.name} (*planned*)" if row.planned else row.name
    cells = (
        f"{name}<br>`{row.id}`",
        needs,
        word_of(row.online),
        word_of(row.offline),
        ", ".join(row.features),
    )
    return f"| {' | '.join(cells)} |"


def _sentences(rows: list[Operation]) -> list[str]:
    lines = [f"- `{row.id}`: {row.why}{_refused(row)}" for row in rows if row.why or row.refused]
    return [*lines, ""] if lines else []


def _refused(row: Operation) -> str:
    return f" The cashier reads: “{row.refused}”" if row.refused else ""


def _roles(operations: Mapping[str, Operation]) -> list[str]:
    header = f"| permission | for | {' | '.join(role.id for role in ROLES)} |"
    lines = [header, "|---|---|" + "---|" * len(ROLES)]
    for permission in Permission:
        names = ", ".join(f"`{row.id}`" for row in operations.values() if row.permission is permission)
        marks = " | ".join("yes" if role.may(permission) else "" for role in ROLES)
        lines.append(f"| `{permission}` | {names or 'lending what one may oneself'} | {marks} |")
    return [*lines, ""]


def _limits() -> list[str]:
    lines = [f"| limit | {' | '.join(role.id for role in ROLES)} |", "|---|" + "---|" * len(ROLES)]
    for name, words in LIMITS.items():
        cells = [_limit_text(role.limits, name) for role in ROLES]
        lines.append(f"| {words} | {' | '.join(cells)} |")
    return lines


LIMITS = {
    "line_discount_e2_max": "discount on a line",
    "total_discount_e2_max": "discount on a whole sale",
    "override_e2_max": "price moved against the shop",
    "return_without_receipt_minor_max": "brought back without a receipt, in minor units",
    "refund_minor_max": "paid out by one return, in minor units",
    "foreign_change_minor_max": "change out of foreign cash, in minor units",
}


def _limit_text(limits: Limits, name: str) -> str:
    value = getattr(limits, name)
    if name.endswith("_e2_max"):
        return "any" if value >= PERCENT_E2_WHOLE else percent_text(value)
    return "any" if value > AMOUNT_MINOR_MAX else f"{value:,}"


_HEAD = """# Operations

What can be done at a till, by whom, online and offline. `make docs` writes this page from the one table in
`src/holdfast/core/operations/`, which one guard (`src/holdfast/register/web/guards.py`) enforces.

- **from**: the least role that may do it alone, as roles ship. Anybody else needs number and PIN of somebody
  who may, and may approve; the open transaction stays as it is, and the journal keeps both names.
- **online** holds for *degraded* too: head office answers, slowly.
- *planned*: no code does it yet, and it is offered to nobody.
"""
_ROLES_HEAD = """## Roles

Head office sets what a role may do with `holdfast hq load roles FILE`, by currency; what no file says is as
here.
"""
_LIMITS_HEAD = """### Limits

Beyond a limit somebody approves who may go so far himself.
"""
