"""Central value under any history: lost answers, copies, releases by hand, holds that were lost (P8)."""

from collections import defaultdict
from contextlib import ExitStack

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from holdfast.core.central.accounts import Account, AccountId, Act, Kind, State
from holdfast.core.central.at_till import Stage
from holdfast.core.central.entries import ValueMovement
from holdfast.core.central.holds import SETTLED
from holdfast.core.central.numbers import MAC_KEY_BYTES, new_number, number_mac
from holdfast.core.refusals import Refusal
from holdfast.hq.central.desk import CentralDesk
from holdfast.hq.store.central_port import Numbered
from holdfast.hq.store.memory import MemoryStore
from tests.central_till import TAKES, CentralTill
from tests.hq_fixtures import memory_head_office

NUMBER_KEY = bytes(MAC_KEY_BYTES)
TILLS = 3
LIMIT = 400
NUMBERS = [new_number(Kind.GIFT_CARD, bytes([n]) * 16) for n in (1, 2)]
CUSTOMER = "C-1"
TARGETS = [(Kind.GIFT_CARD, number, "") for number in NUMBERS] + [
    (Kind.POINTS, "", CUSTOMER),
    (Kind.ON_ACCOUNT, "", CUSTOMER),
]
tills = st.integers(0, TILLS - 1)


def _card(n: int) -> Account:
    return Account(kind=Kind.GIFT_CARD, account=AccountId(f"card{n}"), currency="GBP", state=State.PREPARED)


class CentralMachine(RuleBasedStateMachine):
    """Any order of what tills, lines and people do; head office's ledger is read after each step."""

    def __init__(self) -> None:
        super().__init__()
        self.closing = ExitStack()

    @initialize()
    def open(self) -> None:
        self.hq = self.closing.enter_context(memory_head_office())
        assert isinstance(self.hq.store, MemoryStore)
        self.tables = self.hq.store.tables.central
        with self.hq.store.transaction(None) as transaction:
            cards = [
                Numbered(account=_card(n), number_mac=number_mac(NUMBER_KEY, Kind.GIFT_CARD, number))
                for n, number in enumerate(NUMBERS)
            ]
            buyer = Account(kind=Kind.ON_ACCOUNT, account=AccountId(CUSTOMER), currency="GBP", limit=LIMIT)
            transaction.central.open([*cards, Numbered(account=buyer)], 0)
        self.desk = CentralDesk(self.hq.store, self.hq.clock, NUMBER_KEY)
        self.tills = [CentralTill(self.hq, self.desk, n=n + 1, allowed=frozenset(Kind)) for n in range(TILLS)]
        self.is_odd = False
        """Whether something happened after which a difference may be."""
        seller = CentralTill(self.hq, self.desk, n=9)
        for number in NUMBERS:
            seller.ask(Kind.GIFT_CARD, Act.ISSUE, number=number)
            seller.conclude(500)
        self.hq.clock.advance(1_000)

    @rule(till=tills, spent=st.sampled_from(TARGETS), amount=st.integers(1, 300), lost=st.booleans())
    def asks_to_pay(self, till: int, spent: tuple[Kind, str, str], amount: int, lost: bool) -> None:
        kind, number, account = spent
        if any(hold.stage is not Stage.HELD for hold in self.tills[till].holds):
            return
        self.tills[till].ask(
            kind, TAKES[kind], number=number, account=account, amount=amount, loses_answer=lost
        )

    @rule(till=tills, number=st.sampled_from(NUMBERS), amount=st.integers(1, 300))
    def tops_up(self, till: int, number: str, amount: int) -> None:
        if not self.tills[till].holds:
            self.tills[till].ask(Kind.GIFT_CARD, Act.TOP_UP, number=number)
            if self.tills[till].holds:
                self.tills[till].conclude(amount)

    @rule(till=tills, amount=st.integers(1, 300))
    def concludes(self, till: int, amount: int) -> None:
        acting = self.tills[till]
        if not acting.holds or any(hold.stage is not Stage.HELD for hold in acting.holds):
            assert not acting.holds or isinstance(acting.conclude(amount), Refusal)
            return
        acting.conclude(min([amount, *(hold.available for hold in acting.holds)]))

    @rule(till=tills, amount=st.integers(1, 300))
    def earns(self, till: int, amount: int) -> None:
        if not self.tills[till].holds:
            earned = ValueMovement(kind=Kind.POINTS, act=Act.EARN, account=AccountId(CUSTOMER), amount=amount)
            self.tills[till].write([earned])

    @rule(till=tills, voids=st.booleans())
    def gives_up(self, till: int, voids: bool) -> None:
        self.tills[till].void() if voids else self.tills[till].remove()

    @rule(till=tills)
    def line_goes_and_comes(self, till: int) -> None:
        acting = self.tills[till]
        acting.online = not acting.online
        acting.sync()
        if acting.online:
            acting.ask_again()

    @rule(till=tills)
    def sends_all_again(self, till: int) -> None:
        self.tills[till].sync()

    @precondition(lambda self: any(not hold.ended for hold in self.tables.holds.values()))
    @rule(data=st.data())
    def a_person_takes_back(self, data: st.DataObject) -> None:
        active = sorted(hold.key for hold in self.tables.holds.values() if not hold.ended)
        self.desk.take_back(data.draw(st.sampled_from(active)), by="admin", reason="stale")
        self.is_odd = True

    @precondition(lambda self: bool(self.tables.holds))
    @rule(data=st.data())
    def head_office_loses_a_hold(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.tables.holds)))
        lost = self.tables.holds[key]
        if not lost.ended:
            place = (lost.kind, lost.account)
            del self.tables.holds[key]
            self.tables.held[place] = tuple(other for other in self.tables.held[place] if other != key)
            self.is_odd = True

    @rule(till=tills, amount=st.integers(1, 300))
    def a_copy_concludes_too(self, till: int, amount: int) -> None:
        """Of the same database, the same transaction on another machine."""
        acting = self.tills[till]
        if not acting.holds or any(hold.stage is not Stage.HELD for hold in acting.holds):
            return
        was_online, acting.online = acting.online, True
        original, holds, transaction = acting.journal, acting.holds, acting.transaction
        acting.journal = original.copy()
        most = min([amount, *(hold.available for hold in holds)])
        acting.conclude(most)
        acting.journal, acting.holds, acting.transaction = original, holds, transaction
        acting.conclude(max(1, most // 2))
        acting.online = was_online
        self.is_odd = True

    # ---- what always holds

    @invariant()
    def every_movement_is_balanced_and_every_account_adds_up(self) -> None:
        if not hasattr(self, "tables"):
            return
        booked: defaultdict[tuple[Kind, AccountId], int] = defaultdict(int)
        for (kind, account, number), row in sorted(self.tables.movements.items()):
            assert row.booked + row.counter + row.difference == 0
            booked[kind, account] += row.booked
            assert row.balance == booked[kind, account], "a balance is the sum of what was booked"
            assert row.number >= 1
            assert number == row.number
            assert not row.difference or row.remark, "no difference without a word"
        for place, numbered in self.tables.accounts.items():
            assert numbered.account.balance == booked[place]
            assert numbered.account.balance >= -numbered.account.limit, "never below its floor"

    @invariant()
    def without_copies_releases_or_losses_nothing_is_remarked(self) -> None:
        if hasattr(self, "tables") and not self.is_odd:
            assert not [row for row in self.tables.movements.values() if row.remark]

    @invariant()
    def a_key_books_once(self) -> None:
        if not hasattr(self, "tables"):
            return
        seen: set[str] = set()
        for row in self.tables.movements.values():
            key = row.moved.movement.key
            if key and row.booked:
                assert key not in seen, "two movements under one key"
                seen.add(key)
                assert self.tables.holds[key].ended == SETTLED

    def teardown(self) -> None:
        """All lines heal and all transactions end: nothing is locked any more."""
        if hasattr(self, "tills"):
            for till in self.tills:
                till.online = True
                till.sync()
                till.void()
            assert not [hold for hold in self.tables.holds.values() if not hold.ended]
        self.closing.close()


TestCentralValue = CentralMachine.TestCase
TestCentralValue.settings = settings(max_examples=40, stateful_step_count=25)
