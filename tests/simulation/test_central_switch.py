"""Every cell of the table of the switch, run through the till's holds, the desk, ingest and settlement."""

from collections.abc import Iterator

import pytest

from holdfast.core.central.accounts import Account, AccountId, Act, Kind, State
from holdfast.core.central.entries import ValueMovement
from holdfast.core.central.numbers import MAC_KEY_BYTES, new_number, number_end, number_mac
from holdfast.core.central.settle import Settled
from holdfast.core.central.switch import AtTill, Back, Cell, Drop, Lock, Then, Value, cells, outcome
from holdfast.hq.central.desk import CentralDesk
from holdfast.hq.store.central_port import Numbered
from holdfast.hq.store.memory import MemoryStore
from tests.central_till import TAKES, CentralTill
from tests.hq_fixtures import HeadOfficeUnderTest, memory_head_office

NUMBER_KEY = bytes(MAC_KEY_BYTES)
GIFT = new_number(Kind.GIFT_CARD, b"\x07" * 16)
MEMO = new_number(Kind.CREDIT_MEMO, b"\x08" * 16)
CUSTOMER = "C-1"
ACCOUNTS = {
    Kind.GIFT_CARD: AccountId("card1"),
    Kind.CREDIT_MEMO: AccountId("memo1"),
    Kind.POINTS: AccountId(CUSTOMER),
    Kind.ON_ACCOUNT: AccountId(CUSTOMER),
}
WORTH, LIMIT, SPENT = 500, 500, 200


def _office(hq: HeadOfficeUnderTest) -> CentralDesk:
    """One account of each kind, each good for 5.00, all of it by entries of another register."""
    card = Account(
        kind=Kind.GIFT_CARD, account=ACCOUNTS[Kind.GIFT_CARD], currency="GBP", state=State.PREPARED,
        number_end=number_end(GIFT),
    )  # fmt: skip
    buyer = Account(kind=Kind.ON_ACCOUNT, account=ACCOUNTS[Kind.ON_ACCOUNT], currency="GBP", limit=LIMIT)
    with hq.store.transaction(None) as transaction:
        mac = number_mac(NUMBER_KEY, Kind.GIFT_CARD, GIFT)
        transaction.central.open([Numbered(account=card, number_mac=mac), Numbered(account=buyer)], 0)
    desk = CentralDesk(hq.store, hq.clock, NUMBER_KEY)
    other = CentralTill(hq, desk, n=9)
    other.ask(Kind.GIFT_CARD, Act.ISSUE, number=GIFT)
    other.conclude(WORTH)
    other.refund_to_memo(ACCOUNTS[Kind.CREDIT_MEMO], MEMO, WORTH)
    earned = ValueMovement(kind=Kind.POINTS, act=Act.EARN, account=ACCOUNTS[Kind.POINTS], amount=WORTH)
    other.write([earned])
    return desk


def _ask(till: CentralTill, kind: Kind, *, loses_answer: bool = False) -> object:
    number = {Kind.GIFT_CARD: GIFT, Kind.CREDIT_MEMO: MEMO}.get(kind, "")
    account = "" if number else CUSTOMER
    return till.ask(
        kind, TAKES[kind], number=number, account=account, amount=SPENT, loses_answer=loses_answer
    )


def _run(cell: Cell, till: CentralTill) -> AtTill:
    """What the cashier does, and where the transaction ends up."""
    if cell.drop is Drop.AFTER:
        _ask(till, cell.kind)
    till.online = False
    if cell.drop is Drop.DURING:
        _ask(till, cell.kind, loses_answer=True)
    elif cell.drop is Drop.BEFORE:
        _ask(till, cell.kind)
    if cell.back is Back.BEFORE:
        till.online = True
        if not till.holds and cell.then is not Then.REPLACED:
            _ask(till, cell.kind)  # nothing was in doubt; the cashier asks once more
    return _go_on(cell, till)


def _go_on(cell: Cell, till: CentralTill) -> AtTill:
    if cell.then is Then.REPLACED:
        till.holds = ()
        return AtTill.GONE
    if till.online:
        till.ask_again()
    if cell.then is Then.CONCLUDE:
        had = bool(till.holds)
        if till.conclude(SPENT) is not None:
            return AtTill.REFUSED
        return AtTill.CONCLUDED if had else AtTill.WITHOUT
    if cell.then in {Then.SUSPEND, Then.CRASH}:
        return AtTill.OPEN
    till.remove() if cell.then is Then.REMOVE else till.void()
    return AtTill.GIVEN_UP


def _heals(cell: Cell, till: CentralTill) -> None:
    """The line comes back after the till went on; a replaced register's own journal never does."""
    if cell.back is Back.AFTER and cell.then is not Then.REPLACED:
        till.online = True
        till.sync()


def _value(store: MemoryStore, kind: Kind, till_at: AtTill, *, synced: bool) -> Value:
    booked = [
        row.booked
        for (owner, account, _), row in store.tables.central.movements.items()
        if (owner, account) == (kind, ACCOUNTS[kind]) and row.booked < 0
    ]
    assert all(not row.difference and not row.remark for row in store.tables.central.movements.values())
    if booked:
        assert booked == [-SPENT], "it moves once"
        return Value.MOVED
    return Value.OWED if till_at is AtTill.CONCLUDED and not synced else Value.UNMOVED


def _is_held(store: MemoryStore, kind: Kind) -> bool:
    return any(
        not hold.ended and (hold.kind, hold.account) == (kind, ACCOUNTS[kind])
        for hold in store.tables.central.holds.values()
    )


@pytest.fixture
def hq() -> Iterator[HeadOfficeUnderTest]:
    with memory_head_office() as office:
        yield office


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("drop", Drop)
def test_each_cell_ends_as_the_table_says(kind: Kind, drop: Drop) -> None:
    """P2, P8: GC3 to GC7, LY4, OA1."""
    seen = 0
    for cell in cells():
        if (cell.kind, cell.drop) != (kind, drop):
            continue
        with memory_head_office() as office:
            assert isinstance(office.store, MemoryStore)
            allowed = frozenset({kind} if cell.allowed and kind is not Kind.POINTS else ())
            till = CentralTill(office, _office(office), allowed=allowed)
            ended = _run(cell, till)
            _heals(cell, till)
            found = (ended, _value(office.store, kind, ended, synced=till.online))
            wanted = outcome(cell)
            assert found == (wanted.till, wanted.value), cell
            assert _is_held(office.store, kind) == (wanted.lock is not Lock.NONE), cell
        seen += 1
    assert seen == 2 * len(Then) * len(Back)


def test_a_stranded_lock_is_released_by_a_person_and_nothing_is_lost(hq: HeadOfficeUnderTest) -> None:
    """GC9: the register was replaced; head office frees the card, and another register spends it."""
    desk = _office(hq)
    lost, other = CentralTill(hq, desk), CentralTill(hq, desk, n=2)
    _ask(lost, Kind.GIFT_CARD)
    key = lost.holds[0].key
    assert getattr(_ask(other, Kind.GIFT_CARD), "code", "") == "hold.in-use"
    desk.take_back(key, by="admin", reason="replaced")
    _ask(other, Kind.GIFT_CARD)
    assert other.conclude(WORTH) is None
    assert isinstance(hq.store, MemoryStore)
    assert not _is_held(hq.store, Kind.GIFT_CARD)
    assert sum(row.booked + row.counter + row.difference for row in _ledger(hq.store)) == 0


def _ledger(store: MemoryStore) -> list[Settled]:
    return list(store.tables.central.movements.values())


def test_what_a_cashier_reads_is_there_wherever_something_is_refused() -> None:
    for cell in cells():
        result = outcome(cell)
        if result.till in {AtTill.REFUSED, AtTill.WITHOUT} or result.value is Value.OWED:
            assert result.says.endswith("."), cell
