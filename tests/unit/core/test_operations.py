"""The operations table and what decides by it: mode first, then the role (SW8, PO6)."""

import itertools
from collections.abc import Iterator

import msgspec
import pytest

from holdfast.core.basket import Limits
from holdfast.core.connection import Mode
from holdfast.core.operations import (
    CONDITIONS,
    OPERATIONS,
    ROLES,
    SWITCHES,
    Allowed,
    Condition,
    NeedsApproval,
    Operation,
    Permission,
    Situation,
    decide,
    role_in,
    rows_selling,
    rows_till,
)
from holdfast.core.operations import conditions as when
from holdfast.core.operations.decide import is_available, least_role, word_of
from holdfast.core.operations.describe import LIMITS, document, said_to
from holdfast.core.operations.roles import DEFAULT_ROLES, limits_refusal, row_of, row_refusal
from holdfast.core.refusals import Refusal

AT_HAND = (
    when.GIFT_CARD,
    when.CREDIT_MEMO,
    when.GIFT_CARD_ALLOWANCE,
    when.CREDIT_ALLOWANCE,
    when.TERMINAL_READY,
    when.STORE_SERVER,
)


def subsets(names: tuple[str, ...]) -> Iterator[frozenset[str]]:
    for size in range(len(names) + 1):
        yield from map(frozenset, itertools.combinations(names, size))


SITUATIONS = [
    Situation(mode=mode, switched_on=on, at_hand=at_hand, ages_ms=ages)
    for mode in Mode
    for on in subsets(SWITCHES)
    for at_hand in subsets(AT_HAND)
    for ages in ({}, {"customers": 0}, {"customers": when.CREDIT_AGE_MS_MAX + 1})
]


# ---- the table ---------------------------------------------------------------------------------


def test_there_are_some_eighty_rows_under_their_ids() -> None:
    assert len(OPERATIONS) >= 80
    assert all(id == row.id for id, row in OPERATIONS.items())
    assert len({row.name for row in OPERATIONS.values()}) == len(OPERATIONS)


@pytest.mark.parametrize("row", OPERATIONS.values(), ids=OPERATIONS)
def test_a_row_that_depends_on_the_mode_says_what_is_told_and_why(row: Operation) -> None:
    assert bool(row.refused) == row.depends_on_mode
    assert row.why or not row.depends_on_mode
    for text in (row.refused, row.why):
        assert not text or (text[0].isupper() and text.endswith("."))
    assert row.features, "a row comes from a feature"
    assert not (row.before_sign_in and row.permission), "nobody is there whose role could be asked"


def test_what_the_till_does_alone_needs_no_connection() -> None:
    """P5: selling, cash, the day and its people never wait for head office."""
    alone = [row for row in (*rows_selling.ROWS, *rows_till.ROWS) if not row.planned]
    depend = [row.id for row in alone if row.depends_on_mode]
    assert depend == ["drill.start"], "in an outage there is nothing to cut"


def test_the_sentences_are_those_that_were_promised() -> None:
    """GC7, OA1, ST1: word for word."""
    gift = "Gift cards need a real-time connection. Wait until it returns, or take another tender."
    for id in ("gift.sell", "gift.redeem", "gift.top-up", "gift.balance"):
        assert OPERATIONS[id].refused == gift
    account = (
        "On-account tenders and payments need a real-time connection. "
        "Wait until it returns, or take another tender."
    )
    assert OPERATIONS["account.tender"].refused == OPERATIONS["account.payment"].refused == account
    assert OPERATIONS["stock.look-up"].refused == "Checking quantity on hand needs a real-time connection."


def test_every_condition_is_named_once_and_used() -> None:
    used = {
        each.id
        for row in OPERATIONS.values()
        for each in (row.online, row.offline)
        if isinstance(each, Condition)
    }
    assert used == {condition.id for condition in CONDITIONS}
    assert len(used) == len(CONDITIONS)


# ---- deciding ----------------------------------------------------------------------------------


@pytest.mark.parametrize("row", OPERATIONS.values(), ids=OPERATIONS)
def test_the_mode_decides_first_and_then_the_role(row: Operation) -> None:
    """SW8: every row, every role, every situation; no PIN helps where the mode says no."""
    built = msgspec.structs.replace(row, planned=False)
    for now in SITUATIONS if row.has_condition else [Situation(mode=mode) for mode in Mode]:
        column = row.offline if now.mode is Mode.OFFLINE else row.online
        holds = column == "yes" or (isinstance(column, Condition) and column.holds(now))
        for role in ROLES:
            answer = decide(built, role, now)
            if not holds:
                assert isinstance(answer, Refusal)
                assert answer.sentence == row.refused
            elif row.permission in role.permissions or row.permission is None:
                assert isinstance(answer, Allowed)
            else:
                assert isinstance(answer, NeedsApproval)
                assert row.name in answer.sentence


def test_what_is_planned_is_for_nobody() -> None:
    for row in OPERATIONS.values():
        if row.planned:
            for role in ROLES:
                assert isinstance(decide(row, role, Situation(mode=Mode.ONLINE)), Refusal)


def test_degraded_is_online() -> None:
    for row in OPERATIONS.values():
        online, degraded = Situation(mode=Mode.ONLINE), Situation(mode=Mode.DEGRADED)
        assert is_available(row.online, online) == is_available(row.online, degraded)
        assert decide(row, ROLES[-1], online) == decide(row, ROLES[-1], degraded)


@pytest.mark.parametrize(
    ("condition", "enough", "short"),
    [
        (when.GIFT_CARD_HELD, ({when.GIFT_CARDS_OFFLINE}, {when.GIFT_CARD}), (set(), {when.GIFT_CARD})),
        (when.GIFT_CARD_RESERVED, (set(), {when.GIFT_CARD_ALLOWANCE}), ({when.GIFT_CARDS_OFFLINE}, set())),
        (
            when.CREDIT_MEMO_HELD,
            ({when.CREDIT_MEMOS_OFFLINE}, {when.CREDIT_MEMO}),
            ({when.GIFT_CARDS_OFFLINE}, {when.CREDIT_MEMO}),
        ),
        (when.TERMINAL_TOOK_SETTING, (set(), {when.TERMINAL_READY}), (set(), set())),
        (when.STORE_SERVER_ANSWERS, (set(), {when.STORE_SERVER}), (set(), set())),
    ],
)
def test_a_condition_holds_with_all_of_it_alone(
    condition: Condition, enough: tuple[set[str], set[str]], short: tuple[set[str], set[str]]
) -> None:
    """GC4, GC6, GC10, CP2: each parameter is off until head office turns it on."""
    for (on, at_hand), holds in ((enough, True), (short, False)):
        now = Situation(mode=Mode.OFFLINE, switched_on=frozenset(on), at_hand=frozenset(at_hand))
        assert condition.holds(now) is holds


@pytest.mark.parametrize(
    ("age_ms", "holds"), [(0, True), (72 * when.HOUR_MS, True), (72 * when.HOUR_MS + 1, False)]
)
def test_a_cached_credit_allowance_counts_for_three_days(age_ms: int, holds: bool) -> None:
    """OA2, SW9: limits depend on the age of what they rest on; selling does not."""
    now = Situation(
        mode=Mode.OFFLINE,
        switched_on=frozenset({when.ON_ACCOUNT_OFFLINE}),
        at_hand=frozenset({when.CREDIT_ALLOWANCE}),
        ages_ms={"customers": age_ms},
    )
    assert when.CREDIT_KNOWN.holds(now) is holds
    assert not when.CREDIT_KNOWN.holds(msgspec.structs.replace(now, ages_ms={}))


# ---- roles -------------------------------------------------------------------------------------


def test_each_role_may_do_what_the_one_before_it_may() -> None:
    for less, more in itertools.pairwise(ROLES):
        assert less.permissions <= more.permissions
        for name in less.limits.__struct_fields__:
            assert getattr(less.limits, name) <= getattr(more.limits, name)
    assert ROLES[-2].permissions == frozenset(Permission), "a manager may do everything"


def test_every_permission_is_needed_somewhere() -> None:
    needed = {row.permission for row in OPERATIONS.values()}
    assert set(Permission) - needed == {Permission.APPROVE}


def test_a_trainee_can_sell_for_cash() -> None:
    for id in ("basket.add", "line.quantity", "line.void", "pay.cash", "receipt.look"):
        assert least_role(OPERATIONS[id]).id == "trainee"


def test_head_offices_row_overrides_what_ships() -> None:
    cashier = DEFAULT_ROLES["cashier"]
    shipped = row_of(cashier, "EUR")
    assert role_in("cashier", shipped) == cashier
    row = msgspec.structs.replace(
        shipped, permissions=("sell", "drawer", "of-a-later-version"), override_e2_max=2_500
    )
    role = role_in("cashier", row)
    assert role.permissions == {Permission.SELL, Permission.DRAWER}
    assert (role.limits.override_e2_max, role.limits.line_discount_e2_max) == (2_500, 1_000)


def test_a_row_that_cannot_be_used_changes_nothing() -> None:
    cashier = DEFAULT_ROLES["cashier"]
    wrong = msgspec.structs.replace(row_of(cashier, "EUR"), override_e2_max=-1)
    assert limits_refusal(wrong) is not None
    assert role_in("cashier", wrong) == cashier
    assert role_in("cashier", row_of(DEFAULT_ROLES["manager"], "EUR")) == cashier, "another role's row"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"role": "boss"}, "role.unknown"),
        ({"permissions": ("fly",)}, "role.permission"),
        ({"line_discount_e2_max": 10_001}, "role.percentage"),
        ({"refund_minor_max": -1}, "role.amount"),
    ],
)
def test_head_office_publishes_no_such_row(change: dict[str, object], code: str) -> None:
    refusal = row_refusal(msgspec.structs.replace(row_of(DEFAULT_ROLES["cashier"], "EUR"), **change))
    assert refusal is not None
    assert refusal.code == code


# ---- in words ----------------------------------------------------------------------------------


def test_a_person_is_told_what_his_role_can_do_now() -> None:
    rows = {
        said.name: said
        for _, group in said_to(OPERATIONS, DEFAULT_ROLES["trainee"], Situation(mode=Mode.OFFLINE))
        for said in group
    }
    assert rows["Take cash, also foreign, and give change"].now == "yes"
    asked = rows["Void the whole transaction"]
    assert (asked.now, asked.sentence, asked.offline) == ("approval", "supervisor", "yes")
    assert OPERATIONS["card.pay"].name not in rows, "what nothing does yet is offered to nobody"


def test_what_does_not_work_is_told_in_the_tables_words() -> None:
    built = {"gift.sell": msgspec.structs.replace(OPERATIONS["gift.sell"], planned=False)}
    ((_, (said,)),) = said_to(built, ROLES[-1], Situation(mode=Mode.OFFLINE))
    assert (said.now, said.sentence, said.offline) == ("no", OPERATIONS["gift.sell"].refused, "no")


def test_the_reference_has_every_row_with_its_words() -> None:
    text = document(OPERATIONS)
    for row in OPERATIONS.values():
        assert f"`{row.id}` |" in text
        assert row.refused in text
        assert f"| {word_of(row.online)} | {word_of(row.offline)} |" in text
    for permission in Permission:
        assert f"| `{permission}` |" in text


def test_the_reference_has_every_limit() -> None:
    assert set(LIMITS) == set(Limits.__struct_fields__)


def test_whoever_is_asked_for_is_named() -> None:
    """A cashier may void, and may not lend it: the least who may is a supervisor."""
    answer = decide(OPERATIONS["basket.void"], DEFAULT_ROLES["trainee"], Situation(mode=Mode.ONLINE))
    assert answer == NeedsApproval("“Void the whole transaction” needs a supervisor. Ask one to approve it.")
