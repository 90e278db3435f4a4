"""A till that has nothing but central value: shipped functions for its holds, a journal, a line to cut."""

from dataclasses import dataclass, field

import msgspec

from holdfast.core.central import at_till
from holdfast.core.central.accounts import GIVES, NUMBERED, AccountId, Act, HoldKey, Kind
from holdfast.core.central.at_till import Stage, TillHold
from holdfast.core.central.entries import ValueMovement
from holdfast.core.central.holds import Declined, Held
from holdfast.core.ids import DocumentNumber, OriginId, StaffId, TransactionId
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Tender, TransactionVoided
from holdfast.hq.central.desk import CentralDesk
from tests.hq_fixtures import HeadOfficeUnderTest
from tests.journal_samples import SampleJournal, sale, signing_key

CURRENCY = "GBP"
BY = StaffId("1")
NO_TRANSACTION = TransactionId("")
TAKES = {
    Kind.GIFT_CARD: Act.REDEEM,
    Kind.CREDIT_MEMO: Act.REDEEM,
    Kind.POINTS: Act.REDEEM,
    Kind.ON_ACCOUNT: Act.CHARGE,
}


@dataclass
class CentralTill:
    """One register. What it knows of a transaction is `holds`, as a basket keeps it on disk."""

    hq: HeadOfficeUnderTest
    desk: CentralDesk
    n: int = 1
    online: bool = True
    allowed: frozenset[Kind] = frozenset()
    holds: at_till.Holds = ()
    transaction: TransactionId = NO_TRANSACTION
    answers: list[Held | Declined] = field(default_factory=list[Held | Declined])
    drawn: int = 0

    def __post_init__(self) -> None:
        self.journal = SampleJournal(key=signing_key(self.n), origin=OriginId(f"reg{self.n:02}")).open(self.n)
        self.hq.enrol(self.journal, series=f"R{self.n:02}")
        self.begin()

    def begin(self) -> None:
        self.drawn += 1
        self.transaction = TransactionId(f"t{self.n}-{self.drawn}")

    def sync(self) -> None:
        """What is owed, as far as the line goes."""
        if self.online:
            self.hq.ingest.receive_batch(self.journal.origin, self.journal.batch(1, 10_000))

    # ---- holds

    def ask(
        self,
        kind: Kind,
        act: Act,
        *,
        number: str = "",
        account: str = "",
        amount: int = 0,
        loses_answer: bool = False,
        pin: str = "",
    ) -> Held | Declined | Refusal | None:
        """None: no answer came."""
        if not self.online and not loses_answer:
            return Refusal("offline", "no real-time connection")
        self.drawn += 1
        hold = TillHold(
            key=HoldKey(f"key-{self.n:02}-{self.drawn:08}-xx"),
            kind=kind,
            act=act,
            number=number,
            account=AccountId(account),
            asked_amount=amount,
        )
        step = at_till.ask(self.holds, hold, self.transaction, BY)
        if isinstance(step, Refusal):
            return step
        self._keep(step)
        return self.call(hold.key, loses_answer=loses_answer, pin=pin)

    def call(self, key: HoldKey, *, loses_answer: bool = False, pin: str = "") -> Held | Declined | None:
        """The call itself; under the same key where it is repeated."""
        hold = next(hold for hold in self.holds if hold.key == key)
        request = at_till.request_of(hold, self.transaction, CURRENCY, pin)
        answer = self.desk.hold(self.journal.origin, request)
        self.answers.append(answer)
        if loses_answer:
            self._keep(at_till.unanswered(self.holds, key))
            return None
        if isinstance(answer, Held):
            self._keep(at_till.granted(self.holds, answer))
        else:
            self._keep(at_till.give_up(self.holds, key, self.transaction, at_till.REFUSED, BY))
        return answer

    def ask_again(self) -> None:
        """The line is back: what is in doubt is asked under its own key."""
        for hold in self.holds:
            if hold.stage is not Stage.HELD:
                self.call(hold.key)

    def remove(self) -> None:
        for hold in self.holds:
            self._keep(at_till.give_up(self.holds, hold.key, self.transaction, at_till.REMOVED, BY))
        self.sync()

    def void(self) -> None:
        voided = TransactionVoided(
            transaction=self.transaction, currency=CURRENCY, lines=(), began_at_ms=1, reason="left",
            held=tuple(hold.key for hold in self.holds),
        )  # fmt: skip
        self.journal.append("transaction_voided", 1, voided)
        self.holds = ()
        self.begin()
        self.sync()

    def _keep(self, step: at_till.Step) -> None:
        self.holds = step.holds
        if step.journalled is not None:
            name = "hold_asked" if isinstance(step.journalled, at_till.HoldAsked) else "hold_ended"
            self.journal.append(name, 1, step.journalled)

    # ---- documents

    def conclude(self, amount: int, **fields: object) -> Refusal | None:
        """The transaction with the holds that it has, each used for so much."""
        refusal = at_till.conclude_refusal(
            self.holds,
            offline=not self.online,
            allowed_offline=self.allowed,
            paid_by=[hold.key for hold in self.holds],
        )
        if refusal is not None:
            return refusal
        moved = [(hold, amount) for hold in self.holds]
        self.write([at_till.movement_of(hold, part) for hold, part in moved])
        return None

    def write(self, movements: list[ValueMovement]) -> None:
        """A document that these movements fit: what gives value is sold, what takes it pays."""
        assert self.journal.head is not None
        placed: list[ValueMovement] = []
        tenders: list[Tender] = []
        given = sum(move.amount for move in movements if move.act in GIVES and move.act is not Act.EARN)
        taken = [move for move in movements if move.act not in GIVES]
        paid = sum(move.amount for move in taken)
        total = 100 + given + paid
        for move in movements:
            if move.act is Act.EARN:
                placed.append(move)
            elif move.act in GIVES:
                assert len(movements) == 1, "one card a sale is enough here"
                placed.append(msgspec.structs.replace(move, line=2))
            else:
                tenders.append(Tender(kind=move.kind.value, amount_minor=move.amount))
                placed.append(msgspec.structs.replace(move, tender=len(tenders)))
        tenders.append(Tender(kind="cash", amount_minor=total - paid))
        body = sale(self._number(), total_minor=total, tenders=tuple(tenders))
        self.journal.append(
            "sale", 1, msgspec.structs.replace(body, transaction=self.transaction, values=tuple(placed))
        )
        self.holds = ()
        self.begin()
        self.sync()

    def refund_to_memo(self, account: str, number: str, amount: int) -> None:
        """Goods come back, and the customer gets a memo of this till's making."""
        body = sale(
            self._number(), total_minor=-amount, tenders=(Tender(kind="credit_memo", amount_minor=-amount),)
        )
        issued = ValueMovement(
            kind=Kind.CREDIT_MEMO, act=Act.ISSUE, account=AccountId(account), amount=amount, tender=1,
            number=number,
        )  # fmt: skip
        self.journal.append("return", 1, msgspec.structs.replace(body, values=(issued,)))
        self.sync()

    def _number(self) -> DocumentNumber:
        assert self.journal.head is not None
        return self.journal.head.next_document(f"R{self.n:02}")


def spend(kind: Kind, number: str, account: str, amount: int) -> dict[str, object]:
    """How a till asks to pay with that kind."""
    named = {"number": number} if kind in NUMBERED else {"account": account}
    return {"kind": kind, "act": TAKES[kind], "amount": amount, **named}
