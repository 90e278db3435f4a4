"""Nobody gets further by asking than the one who is asked may go himself (PO6)."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.basket import (
    Act,
    Basket,
    Limits,
    add_return_without_receipt,
    begin,
    discount_line,
    discount_total,
    override_price,
)
from holdfast.core.connection import Mode
from holdfast.core.ids import StaffId, TransactionId
from holdfast.core.operations import (
    DEFAULT_ROLES,
    OPERATIONS,
    Allowed,
    Permission,
    RoleRow,
    Situation,
    decide,
    role_in,
)
from holdfast.core.refusals import Refusal
from tests.unit.core.shop import BEGAN_MS, MUG, STANDARD, done, empty, price_of, sell

E2 = st.integers(0, 10_000)
MINOR = st.integers(0, 100_000)
LIMITS = st.builds(
    Limits,
    line_discount_e2_max=E2,
    total_discount_e2_max=E2,
    override_e2_max=E2,
    return_without_receipt_minor_max=MINOR,
    refund_minor_max=MINOR,
)
APPROVER = st.none() | LIMITS


def act(own: Limits, approver: Limits | None) -> Act:
    by = Act(by=StaffId("1"), at_ms=BEGAN_MS, limits=own)
    if approver is None:
        return by
    return Act(by=by.by, at_ms=by.at_ms, limits=own, approved_by=StaffId("9"), approver_limits=approver)


def furthest(own: Limits, approver: Limits | None, name: str) -> int:
    return max(getattr(each, name) for each in (own, approver) if each is not None)


@given(LIMITS, APPROVER, st.integers(1, 10_000))
def test_discounts(own: Limits, approver: Limits | None, percent_e2: int) -> None:
    """Of €49.90, so that a limit of a hundredth of a percent is still rounded up to a cent at most."""
    basket = sell(empty(), MUG, 10_000)
    one = discount_line(basket, act(own, approver), 1, percent_e2=percent_e2, reason="r")
    if isinstance(one, Basket):
        assert percent_e2 <= furthest(own, approver, "line_discount_e2_max") + 3
    whole = discount_total(basket, act(own, approver), percent_e2=percent_e2, reason="r")
    if isinstance(whole, Basket):
        assert percent_e2 <= furthest(own, approver, "total_discount_e2_max") + 3
        needed = percent_e2 > own.total_discount_e2_max + 3
        assert not needed or whole.approved_by == "9", "who approved is kept with what was done"


@given(LIMITS, APPROVER, st.integers(0, 49_900))
def test_prices(own: Limits, approver: Limits | None, price_e4: int) -> None:
    changed = override_price(sell(empty(), MUG), act(own, approver), 1, price_e4, "r")
    if isinstance(changed, Basket):
        assert (49_900 - price_e4) * 10_000 <= 49_900 * furthest(own, approver, "override_e2_max")


@given(LIMITS, APPROVER, st.integers(1, 300))
def test_returns(own: Limits, approver: Limits | None, pieces: int) -> None:
    """Both limits hold: of what has no receipt, and of what is paid out."""
    basket = done(begin(TransactionId("t"), "EUR", BEGAN_MS, StaffId("1"), "return"))
    brought = add_return_without_receipt(
        basket, act(own, approver), MUG, price_of(MUG), STANDARD, pieces * 1_000, reason="r"
    )
    if isinstance(brought, Basket):
        paid_out = pieces * 499
        assert paid_out <= furthest(own, approver, "return_without_receipt_minor_max")
        assert paid_out <= furthest(own, approver, "refund_minor_max")


PERMISSIONS = st.sets(st.sampled_from([*Permission, "of-a-later-version"]))


@given(st.sampled_from(list(DEFAULT_ROLES)), PERMISSIONS, st.sampled_from(list(Mode)))
def test_a_role_may_do_what_its_row_says_and_nothing_else(role: str, names: set[str], mode: Mode) -> None:
    row = RoleRow(
        role=role,
        currency="EUR",
        permissions=tuple(sorted(names)),
        line_discount_e2_max=0,
        total_discount_e2_max=0,
        override_e2_max=0,
        return_without_receipt_minor_max=0,
        refund_minor_max=0,
    )
    made, now = role_in(role, row), Situation(mode=mode)
    for operation in OPERATIONS.values():
        answer = decide(operation, made, now)
        if isinstance(answer, Refusal):
            continue
        needs = operation.permission
        assert isinstance(answer, Allowed) == (needs is None or needs in names)
        assert made.may_approve(needs) == ("approve" in names and (needs is None or needs in names))
