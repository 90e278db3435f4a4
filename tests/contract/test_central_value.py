"""Central value over both stores: value moves by applied entries alone, once, and each key ends once."""

from collections.abc import Callable

import msgspec
import pytest

from holdfast.core.central.accounts import Account, AccountId, Act, HoldKey, Kind, State
from holdfast.core.central.entries import HoldAsked, HoldEnded, ValueMovement
from holdfast.core.central.holds import Declined, Held, HoldRequest
from holdfast.core.central.numbers import MAC_KEY_BYTES, new_number, number_end, number_mac, pin_mac
from holdfast.core.central.settle import (
    BLOCKED,
    KEY_ENDED,
    NO_ACCOUNT,
    NOT_HELD,
    OTHER_CURRENCY,
    TAKEN_BACK_THEN_USED,
    Facts,
    Moved,
    Place,
    settle,
)
from holdfast.core.ids import EpochId, OriginId, StoreId, TransactionId
from holdfast.core.sale import Tender, TransactionVoided
from holdfast.hq.central.desk import CentralDesk
from holdfast.hq.store.central_port import Numbered
from holdfast.hq.store.central_rows import MOVEMENT_COLUMNS
from tests.hq_fixtures import HeadOfficeUnderTest
from tests.journal_samples import SampleJournal, sale, signing_key

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures"]

NUMBER_KEY = bytes(MAC_KEY_BYTES)
CARD = AccountId("card1")
NUMBER = new_number(Kind.GIFT_CARD, b"\x07" * 16)
Scenario = Callable[[HeadOfficeUnderTest, CentralDesk], object]


def _desk(hq: HeadOfficeUnderTest) -> CentralDesk:
    card = Account(
        kind=Kind.GIFT_CARD, account=CARD, currency="GBP", state=State.PREPARED,
        number_end=number_end(NUMBER),
    )  # fmt: skip
    mac = number_mac(NUMBER_KEY, Kind.GIFT_CARD, NUMBER)
    with hq.store.transaction(None) as transaction:
        transaction.central.open([Numbered(account=card, number_mac=mac)], 0)
    return CentralDesk(hq.store, hq.clock, NUMBER_KEY)


def _journal(hq: HeadOfficeUnderTest, n: int = 1) -> SampleJournal:
    journal = SampleJournal(key=signing_key(n), origin=f"reg{n:02}").open(n)  # type: ignore[arg-type]
    hq.enrol(journal, series=f"R{n:02}")
    return journal


def _send(hq: HeadOfficeUnderTest, journal: SampleJournal) -> object:
    return hq.ingest.receive_batch(journal.origin, journal.batch(1, 1_000))


def _ask(desk: CentralDesk, journal: SampleJournal, act: Act, key: str, transaction: str) -> Held | Declined:
    request = HoldRequest(
        key=HoldKey(key.ljust(16, "x")), kind=Kind.GIFT_CARD, act=act, number=NUMBER, currency="GBP",
        transaction=TransactionId(transaction),
    )  # fmt: skip
    return desk.hold(journal.origin, request)


def _moves(journal: SampleJournal, act: Act, key: str, transaction: str, amount: int = 250) -> None:
    """A document that sells or tops up the card with its first line, or is paid by it."""
    assert journal.head is not None
    body = sale(journal.head.next_document("R01"), total_minor=amount + 100)
    is_sold = act in {Act.ISSUE, Act.TOP_UP}
    tenders = body.tenders
    if act is Act.REDEEM:
        cash = Tender(kind="cash", amount_minor=100)
        tenders = (Tender(kind="gift_card", amount_minor=amount), cash)
    moved = ValueMovement(
        kind=Kind.GIFT_CARD,
        act=act,
        account=CARD,
        amount=amount,
        key=HoldKey(key.ljust(16, "x")),
        line=2 if is_sold else 0,
        tender=0 if is_sold else 1,
    )
    changed = msgspec.structs.replace(
        body, tenders=tenders, values=(moved,), transaction=TransactionId(transaction)
    )
    journal.append("sale", 1, changed)


def _movements(hq: HeadOfficeUnderTest) -> list[tuple[object, ...]]:
    shown = ("number", "booked", "difference", "balance", "remark")
    places = [MOVEMENT_COLUMNS.index(name) for name in shown]
    return sorted(tuple(row[place] for place in places) for row in hq.dump()["value_movement"])


def _sold(hq: HeadOfficeUnderTest, desk: CentralDesk) -> SampleJournal:
    """The card is worth 2.50 and nobody holds it."""
    journal = _journal(hq)
    assert isinstance(_ask(desk, journal, Act.ISSUE, "issue", "t1"), Held)
    _moves(journal, Act.ISSUE, "issue", "t1")
    _send(hq, journal)
    return journal


def sold_and_redeemed(hq: HeadOfficeUnderTest, desk: CentralDesk) -> object:
    journal = _sold(hq, desk)
    held = _ask(desk, journal, Act.REDEEM, "redeem", "t2")
    again = _ask(desk, journal, Act.REDEEM, "redeem", "t2")
    assert held == again
    assert isinstance(held, Held)
    assert (held.balance, held.number_end) == (250, NUMBER[-4:])
    assert _movements(hq) == [(1, 250, 0, 250, "")], "a call moves nothing"
    _moves(journal, Act.REDEEM, "redeem", "t2", 200)
    _send(hq, journal)
    _send(hq, journal)
    assert _movements(hq) == [(1, 250, 0, 250, ""), (2, -200, 0, 50, "")]
    late = _ask(desk, journal, Act.REDEEM, "redeem", "t2")
    assert isinstance(late, Declined)
    assert late.code == "hold.ended"
    return held


def in_use_elsewhere_until_it_is_voided(hq: HeadOfficeUnderTest, desk: CentralDesk) -> object:
    first, second = _sold(hq, desk), _journal(hq, 2)
    held = _ask(desk, first, Act.REDEEM, "mine", "t2")
    assert isinstance(held, Held)
    refused = _ask(desk, second, Act.REDEEM, "yours", "t3")
    assert isinstance(refused, Declined)
    assert (refused.code, refused.holder, refused.since_ms) == ("hold.in-use", first.origin, held.since_ms)
    assert first.head is not None
    voided = TransactionVoided(
        transaction=TransactionId("t2"), currency="GBP", lines=(), began_at_ms=1, reason="left",
        held=(held.key,),
    )  # fmt: skip
    first.append("transaction_voided", 1, voided)
    _send(hq, first)
    free = _ask(desk, second, Act.REDEEM, "yours", "t3")
    assert isinstance(free, Held)
    return refused, free


def a_word_that_overtakes_its_call(hq: HeadOfficeUnderTest, desk: CentralDesk) -> object:
    """The call is late, its end is not: the key never holds anything (P2)."""
    journal = _sold(hq, desk)
    key = HoldKey("late".ljust(16, "x"))
    asked = HoldAsked(key=key, kind=Kind.GIFT_CARD, act=Act.REDEEM, transaction=TransactionId("t2"))
    ended = HoldEnded(key=key, transaction=TransactionId("t2"), cause="removed")
    journal.append("hold_asked", 1, asked).append("hold_ended", 1, ended)
    _send(hq, journal)
    late = _ask(desk, journal, Act.REDEEM, "late", "t2")
    assert isinstance(late, Declined)
    assert isinstance(_ask(desk, journal, Act.REDEEM, "fresh", "t3"), Held)
    return late


def a_copy_that_redeems_again(hq: HeadOfficeUnderTest, desk: CentralDesk) -> object:
    """Both copies concluded the same transaction: the card pays once, and the other is reported."""
    journal = _sold(hq, desk)
    _ask(desk, journal, Act.REDEEM, "redeem", "t2")
    twin = journal.copy()
    _moves(journal, Act.REDEEM, "redeem", "t2", 100)
    _moves(twin, Act.REDEEM, "redeem", "t2", 120)
    _send(hq, journal)
    _send(hq, twin)
    found = _movements(hq)
    assert found == [(1, 250, 0, 250, ""), (2, -100, 0, 150, ""), (3, 0, -120, 150, KEY_ENDED)]
    return found


def taken_back_and_used_all_the_same(hq: HeadOfficeUnderTest, desk: CentralDesk) -> object:
    """A manager frees a card whose register is away; another spends it; then the owner's sale comes."""
    owner, other = _sold(hq, desk), _journal(hq, 2)
    held = _ask(desk, owner, Act.REDEEM, "owner", "t2")
    assert isinstance(held, Held)
    desk.take_back(held.key, by="manager", reason="the register burnt")
    assert isinstance(_ask(desk, other, Act.REDEEM, "other", "t3"), Held)
    _moves(other, Act.REDEEM, "other", "t3", 200)
    _send(hq, other)
    _moves(owner, Act.REDEEM, "owner", "t2", 150)
    _send(hq, owner)
    found = _movements(hq)
    assert found[1:] == [(2, -200, 0, 50, ""), (3, -50, -100, 0, TAKEN_BACK_THEN_USED)]
    assert any(row[0] == "central-value" for row in hq.dump()["alert"])
    return found


def held_by_nobody(hq: HeadOfficeUnderTest, desk: CentralDesk) -> object:
    """Head office was put back and lost the hold: what is there is taken, and it is said."""
    journal = _sold(hq, desk)
    _moves(journal, Act.REDEEM, "forgotten", "t2", 200)
    _moves(journal, Act.REDEEM, "forgotten2", "t3", 200)
    _send(hq, journal)
    found = _movements(hq)
    assert found[1:] == [(2, -200, 0, 50, NOT_HELD), (3, -50, -150, 0, NOT_HELD)]
    return found


def a_memo_issued_at_a_till(hq: HeadOfficeUnderTest, desk: CentralDesk) -> object:
    """Issued offline it is redeemable once applied, by its number (GC6)."""
    journal = _journal(hq)
    number = new_number(Kind.CREDIT_MEMO, b"\x09" * 16)
    body = sale("R01-MEMO-1", total_minor=-300, tenders=(Tender(kind="credit_memo", amount_minor=-300),))
    issued = ValueMovement(
        kind=Kind.CREDIT_MEMO, act=Act.ISSUE, account=AccountId("memo1"), amount=300, tender=1, number=number
    )
    journal.append("return", 1, msgspec.structs.replace(body, values=(issued,)))
    assert isinstance(desk.balance(Kind.CREDIT_MEMO, number, AccountId(""), ""), Declined)
    _send(hq, journal)
    told = desk.balance(Kind.CREDIT_MEMO, number, AccountId(""), "")
    assert not isinstance(told, Declined)
    assert (told.balance, told.account) == (300, "memo1")
    return told


def _takes(journal: SampleJournal, kind: Kind, account: str, amount: int, act: Act = Act.REDEEM) -> None:
    """A sale that is paid by an account, under no key."""
    moved = ValueMovement(kind=kind, act=Act.REDEEM, account=AccountId(account), amount=amount, tender=1)
    assert journal.head is not None
    body = sale(journal.head.next_document("R01"), total_minor=amount)
    tenders = (Tender(kind=kind.value, amount_minor=amount),)
    journal.append("sale", 1, msgspec.structs.replace(body, tenders=tenders, values=(moved,)))


def a_memo_whose_issue_comes_after_its_use(hq: HeadOfficeUnderTest, desk: CentralDesk) -> object:
    """The issue waited in quarantine: the account stands without a number until then, and is found after."""
    journal = _journal(hq)
    _takes(journal, Kind.CREDIT_MEMO, "memo1", 100)
    _send(hq, journal)
    a_memo = new_number(Kind.CREDIT_MEMO, b"\x09" * 16)
    body = sale("R01-MEMO-1", total_minor=-300, tenders=(Tender(kind="credit_memo", amount_minor=-300),))
    issued = ValueMovement(
        kind=Kind.CREDIT_MEMO, act=Act.ISSUE, account=AccountId("memo1"), amount=300, tender=1, number=a_memo
    )
    journal.append("return", 1, msgspec.structs.replace(body, values=(issued,)))
    _send(hq, journal)
    told = desk.balance(Kind.CREDIT_MEMO, a_memo, AccountId(""), "")
    assert not isinstance(told, Declined)
    assert (told.balance, told.number_end) == (300, a_memo[-4:])
    assert _movements(hq) == [(1, 0, -100, 0, NO_ACCOUNT), (2, 300, 0, 300, "")]
    return told


def taken_of_another_currency(hq: HeadOfficeUnderTest, desk: CentralDesk) -> object:
    """Nothing is booked without a rate: all of it is a difference."""
    yen = Account(kind=Kind.GIFT_CARD, account=AccountId("yen"), currency="JPY")
    with hq.store.transaction(None) as transaction:
        transaction.central.open([Numbered(account=yen)], 0)
    journal = _journal(hq)
    _takes(journal, Kind.GIFT_CARD, "yen", 100)
    _send(hq, journal)
    found = _movements(hq)
    assert found == [(1, 0, -100, 0, OTHER_CURRENCY)]
    return found


def a_payment_leaves_the_credit_as_it_is(hq: HeadOfficeUnderTest, desk: CentralDesk) -> object:
    buyer = Account(kind=Kind.ON_ACCOUNT, account=AccountId("C1"), currency="GBP", limit=100)
    with hq.store.transaction(None) as transaction:
        transaction.central.open([Numbered(account=buyer)], 0)
    first, second = _journal(hq), _journal(hq, 2)

    def ask(journal: SampleJournal, act: Act, key: str, amount: int) -> Held | Declined:
        request = HoldRequest(
            key=HoldKey(key.ljust(16, "x")), kind=Kind.ON_ACCOUNT, act=act, account=AccountId("C1"),
            currency="GBP", transaction=TransactionId(key), amount=amount,
        )  # fmt: skip
        return desk.hold(journal.origin, request)

    answers = [
        ask(first, Act.PAY, "pays", 80),
        ask(second, Act.CHARGE, "buys", 60),
        ask(first, Act.CHARGE, "too much", 60),
    ]
    assert [isinstance(answer, Held) for answer in answers] == [True, True, False]
    return answers


def a_pin_and_a_wrong_one(hq: HeadOfficeUnderTest, desk: CentralDesk) -> object:
    number = new_number(Kind.GIFT_CARD, b"\x0a" * 16)
    card = Account(kind=Kind.GIFT_CARD, account=AccountId("card2"), currency="GBP", balance=0)
    with hq.store.transaction(None) as transaction:
        mac = number_mac(NUMBER_KEY, Kind.GIFT_CARD, number)
        secret = pin_mac(NUMBER_KEY, Kind.GIFT_CARD, number, "4711")
        transaction.central.open([Numbered(account=card, number_mac=mac, pin_mac=secret)], 0)
    answers = [desk.balance(Kind.GIFT_CARD, number, AccountId(""), pin) for pin in ("", "4712", "4711")]
    assert [isinstance(answer, Declined) for answer in answers] == [True, True, False]

    def ask(key: str, pin: str) -> Held | Declined:
        request = HoldRequest(
            key=HoldKey(key.ljust(16, "x")), kind=Kind.GIFT_CARD, act=Act.TOP_UP, number=number,
            currency="GBP", transaction=TransactionId("t2"), pin=pin,
        )  # fmt: skip
        return desk.hold(journal.origin, request)

    journal = _journal(hq)
    held = ask("own", "4711")
    assert isinstance(held, Held)
    assert ask("own", "") == held, "made sure of later, when the till has no PIN any more"
    assert isinstance(ask("another", ""), Declined)
    return answers, held


SCENARIOS: tuple[Scenario, ...] = (
    sold_and_redeemed,
    in_use_elsewhere_until_it_is_voided,
    a_word_that_overtakes_its_call,
    a_copy_that_redeems_again,
    taken_back_and_used_all_the_same,
    held_by_nobody,
    a_memo_issued_at_a_till,
    a_memo_whose_issue_comes_after_its_use,
    taken_of_another_currency,
    a_payment_leaves_the_credit_as_it_is,
    a_pin_and_a_wrong_one,
)


@pytest.mark.parametrize("run", SCENARIOS, ids=lambda run: run.__name__)
def test_both_stores_settle_alike(
    run: Scenario, memory_hq: HeadOfficeUnderTest, postgres_hq: HeadOfficeUnderTest
) -> None:
    answers = [run(hq, _desk(hq)) for hq in (memory_hq, postgres_hq)]
    assert answers[0] == answers[1]
    found, wanted = postgres_hq.dump(), memory_hq.dump()
    for table, rows in wanted.items():
        assert found[table] == rows, table


def test_what_is_taken_of_a_blocked_account_stands_on_the_report() -> None:
    """Taken offline by an allowance, or held before it was blocked: it is booked, and said."""
    stolen = Account(
        kind=Kind.GIFT_CARD, account=AccountId("stolen"), currency="GBP", state=State.BLOCKED, balance=100,
        movements=1,
    )  # fmt: skip
    taken = ValueMovement(kind=Kind.GIFT_CARD, act=Act.REDEEM, account=stolen.account, amount=70, tender=1)
    moved = Moved(
        place=Place(1, 2, 1), origin=OriginId("reg1"), epoch=EpochId("e1"), store=StoreId("S1"),
        business_date="2026-11-23", posting_period="2026-11", at_ms=1, transaction=TransactionId("t1"),
        currency="GBP", movement=taken,
    )  # fmt: skip
    [row] = settle(Facts(accounts={(stolen.kind, stolen.account): stolen}, holds={}), [moved]).settled
    assert (row.booked, row.difference, row.balance, row.remark) == (-70, 0, 30, BLOCKED)
