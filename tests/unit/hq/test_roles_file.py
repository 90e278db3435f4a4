"""Roles from a CSV file: what it leaves empty is as the role ships (PO6)."""

import pytest

from holdfast.core.operations import DEFAULT_ROLES, Permission, RoleRow, role_in
from holdfast.core.operations.roles import row_of
from holdfast.hq.catalogue import KINDS, LoadReport, preview

HEADER = (
    "role,currency,also_may,may_not,line_discount,total_discount,price_override,return_without_receipt,refund"
    ",foreign_change"
)


def row(text: str) -> RoleRow:
    _, body = KINDS["roles"].read(dict(zip(HEADER.split(","), text.split(","), strict=True)))
    assert isinstance(body, RoleRow)
    return body


def test_an_empty_row_is_the_role_as_it_ships() -> None:
    for role in DEFAULT_ROLES.values():
        assert row(f"{role.id},EUR,,,,,,,,") == row_of(role, "EUR")
        assert role_in(role.id, row(f"{role.id},EUR,,,,,,,,")) == role


def test_what_it_says_counts_and_amounts_are_of_its_currency() -> None:
    given = row("cashier,KWD,drawer reports,close-day,12.5%,20,0,30.5,100,7")
    assert given.key == "cashier|KWD"
    role = role_in("cashier", given)
    assert role.permissions == DEFAULT_ROLES["cashier"].permissions - {Permission.CLOSE_DAY} | {
        Permission.DRAWER,
        Permission.REPORTS,
    }
    limits = role.limits
    assert (limits.line_discount_e2_max, limits.total_discount_e2_max, limits.override_e2_max) == (
        1_250,
        2_000,
        0,
    )
    assert (limits.return_without_receipt_minor_max, limits.refund_minor_max) == (30_500, 100_000)
    assert limits.foreign_change_minor_max == 7_000


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("boss,EUR,,,,,,,,", "role", "Write trainee, cashier"),
        ("cashier,Euro,,,,,,,,", "currency", "ISO 4217"),
        ("cashier,EUR,fly,,,,,,,", "also_may", "'fly' is no permission"),
        ("cashier,EUR,,fly,,,,,,", "may_not", "'fly' is no permission"),
        ("cashier,EUR,,,101,,,,,", "line_discount", "from 0 to 100"),
        ("cashier,EUR,,,,,ten,,,", "price_override", "not a number"),
        ("cashier,EUR,,,,,,,-1,", "refund", "zero or more"),
        ("cashier,EUR,,,,,,0.001,,", "return_without_receipt", "more than 2 digits"),
    ],
)
def test_a_bad_row_is_named(text: str, column: str, reason: str) -> None:
    report = preview("roles", f"{HEADER}\n{text}\n".encode())
    assert isinstance(report, LoadReport)
    assert (report.good, report.bad[0].column) == (0, column)
    assert reason in report.bad[0].reason
