"""Central value at a simulated till: the holds that ship, over its disk, its journal and its line."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from holdfast.core.central import at_till
from holdfast.core.central.accounts import GIVES, AccountId, Act, HoldKey, Kind
from holdfast.core.central.allowed import Allowed, may_take, taken, use
from holdfast.core.central.at_till import REFUSED, REMOVED, Holds, Stage, Step, TillHold
from holdfast.core.central.entries import HoldAsked, HoldEnded
from holdfast.core.central.grants import Granted, GrantRequest
from holdfast.core.central.holds import Held
from holdfast.core.central.services import ReleaseRequest
from holdfast.core.central.vouched import vouched
from holdfast.core.ids import ID_RANDOM_BYTES, TransactionId, encode_id
from holdfast.core.journal.writer import Stamp
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Sale, TransactionVoided
from holdfast.core.sync.messages import decode, encode
from holdfast.simulation.ledger import Use
from holdfast.simulation.network import Answer
from holdfast.simulation.reference import CURRENCY
from holdfast.simulation.sync import SimSync
from holdfast.simulation.value_documents import Used, memo_return, offline_sale, value_sale
from holdfast.simulation.value_machine import ValueMachine
from holdfast.simulation.value_memos import OwnMemos
from holdfast.simulation.value_oracle import look_at_use
from holdfast.simulation.wallet import Begun, Wallet, hold_of
from holdfast.simulation.world import World

HOLD, RELEASE, ALLOWANCE = "hold", "release", "allowance"
RECORDS_MAX = 5
SUSPENDED_MAX = 2
GIVEN_MAX_MINOR = 5_000
HOLDS_HERE_MAX = 3
LETS_GO_AT_ONCE = 0.7
"""How often the call that frees a card ahead of its entry leaves at all."""


class Want(NamedTuple):
    """What a customer comes for."""

    kind: Kind
    act: Act
    number: str = ""
    account: str = ""


class ValueTill:
    """One machine's. What it knows is on the machine's disk, or it knows it no more after a crash."""

    def __init__(self, world: World, machine: ValueMachine, allowed: frozenset[Kind]) -> None:
        """`allowed`: what head office lets it conclude offline (GC4, GC6)."""
        self._world, self._machine, self._allowed = world, machine, allowed
        self._memos = OwnMemos(machine)
        self.acts = 0
        """Holds asked, documents written, holds given up."""
        self.vouched = 0
        """Own memos that were taken of."""

    @property
    def wallet(self) -> Wallet:
        return self._machine.database.wallet

    @property
    def is_online(self) -> bool:
        sync = self._machine.sync
        return self._machine.alive and sync is not None and not sync.board.is_offline

    def started(self, *, is_other_epoch: bool) -> None:
        """Nobody waits for an answer any more. In an epoch of its own it is another life of this register:
        what its disk says of a hold may be long over."""
        wallet = self.wallet
        for begun in wallet.all():
            holds = at_till.doubted(begun.holds, also_held=is_other_epoch)
            wallet = wallet.with_holds(begun.transaction, holds)
        self._machine.database.wallet = wallet

    # ---- what a cashier does

    def ask(self, want: Want) -> None:
        """A hold, in the open transaction or a new one; begun offline it is refused (GC7), but for a memo
        that this till vouches for (GC6)."""
        if not self._machine.alive:
            return
        if not self.is_online:
            self._vouch(want)
            return
        wallet, begun = self._begun()
        if len(begun.holds) >= HOLDS_HERE_MAX:
            return
        hold = TillHold(
            key=HoldKey(self._id()),
            kind=want.kind,
            act=want.act,
            number=want.number,
            account=AccountId(want.account),
            asked_amount=self._world.random.randrange(1, 400) if want.act is Act.CHARGE else 0,
        )
        step = at_till.ask(begun.holds, hold, begun.transaction, self._machine.cashier)
        if isinstance(step, Refusal):
            return
        if self._keep(wallet, begun, step):
            self._call(begun.transaction, hold)

    def _begun(self) -> tuple[Wallet, Begun]:
        """The open transaction, or a new one."""
        begun = self.wallet.open or Begun(transaction=TransactionId(self._id()))
        return msgspec.structs.replace(self.wallet, open=begun), begun

    def _vouch(self, want: Want) -> None:
        """For a memo that it issued itself, where its issue was not handed to the wire yet."""
        if (want.kind, want.act) != (Kind.CREDIT_MEMO, Act.REDEEM):
            return
        found = self._memos.found(want.number)
        if found is None or found.is_handed or found.left_minor <= 0:
            return
        wallet, begun = self._begun()
        hold = vouched(found, want.number, HoldKey(self._id()))
        if len(begun.holds) < HOLDS_HERE_MAX:
            self._machine.database.wallet = wallet.with_holds(begun.transaction, (*begun.holds, hold))

    def ask_again(self) -> None:
        """The line is back: what is in doubt is asked under its own key (SW10), and what was held long ago is
        asked for once more (GC9)."""
        wallet, now_ms = self.wallet, self._machine.clock.now_ms()
        for begun in wallet.all() if self.is_online else ():
            for hold in at_till.to_ask_again(begun.holds, now_ms, is_open=begun is wallet.open):
                self._call(begun.transaction, hold)

    def take_off(self) -> None:
        """The last one that was added (GC3, GC5)."""
        begun = self.wallet.open
        if begun is not None and begun.holds:
            self._give_up(begun, begun.holds[-1], REMOVED)

    def suspend(self) -> None:
        """Lay the transaction aside, or go on in one that was."""
        wallet = self.wallet
        if wallet.open is not None and len(wallet.suspended) < SUSPENDED_MAX:
            self._machine.database.wallet = msgspec.structs.replace(
                wallet, open=None, suspended=(*wallet.suspended, wallet.open)
            )
        elif wallet.open is None and wallet.suspended:
            self._machine.database.wallet = msgspec.structs.replace(
                wallet, open=wallet.suspended[0], suspended=wallet.suspended[1:]
            )

    def void(self) -> None:
        """The whole transaction is given up."""
        begun, machine = self.wallet.open, self._machine
        if begun is None or not machine.alive:
            return
        held = tuple(hold.key for hold in begun.holds if not hold.is_own)
        body = TransactionVoided(
            transaction=begun.transaction,
            currency=CURRENCY,
            lines=(),
            began_at_ms=1,
            reason="left",
            held=held,
        )
        machine.database.wallet = self.wallet.without(begun.transaction)
        self.acts += 1
        machine.write_value("transaction_voided", body)
        for key in held:
            self._let_go(key, "voided")

    def conclude(self) -> bool:
        """With whatever the holds give; False: not as it is."""
        begun, machine = self.wallet.open, self._machine
        if begun is None or not machine.alive:
            return False
        used: list[Used] = []
        for hold in begun.holds:
            amount = self._amount(hold)
            if amount:
                used.append((hold, amount))
        if self._refusal(begun.holds, [hold.key for hold, _ in used]) is not None:
            return False
        for hold in begun.holds:
            if all(hold.key != other.key for other, _ in used) and not self._give_up(begun, hold, REMOVED):
                return False
        holds = [hold for hold, _ in used]
        look_at_use(machine.ledger, machine.life, holds, self._world.now_ms, online=self.is_online)
        machine.database.wallet = self.wallet.without(begun.transaction)
        self.acts += 1
        chance = self._world.random
        machine.write_document(
            "sale", lambda number, stamp: value_sale(chance, number, begun.transaction, stamp, used)
        )
        assert machine.database.head is not None, "it was written just now"
        at = Use(machine.life, machine.database.head.epoch, machine.database.head.seq, self._world.now_ms)
        self.vouched += sum(hold.is_own for hold in holds)
        for hold in holds:
            machine.ledger.used[hold.key].append(at)
        return True

    def _refusal(self, holds: Holds, used: Sequence[HoldKey]) -> Refusal | None:
        """Why it does not conclude, as checkout asks within the commit."""
        refusal = at_till.conclude_refusal(
            holds, offline=not self.is_online, allowed_offline=self._allowed, paid_by=used
        )
        if refusal is None and self.is_online:
            refusal = at_till.worn_refusal(holds, used, self._machine.clock.now_ms())
        return refusal or self._memos.refusal(holds, used)

    def refund(self, account: AccountId, memo: str) -> bool:
        """Goods come back for a memo of that number, whatever the line."""
        if not self._machine.alive:
            return False
        transaction, amount = TransactionId(self._id()), self._world.random.randrange(1, GIVEN_MAX_MINOR)

        def make(number: str, stamp: Stamp) -> Sale:
            return memo_return(number, transaction, stamp, account, memo, amount)

        self.acts += 1
        self._machine.write_document("return", make)
        self._memos.issued(memo)
        return True

    def ask_allowance(self) -> None:
        """Ahead of an outage, under one key until the answer came (GC10)."""
        head, wallet = self._machine.database.head, self.wallet
        if not self.is_online or head is None or self._may_take_minor() > 0:
            return
        if not wallet.asking:
            wallet = msgspec.structs.replace(wallet, asking=self._id())
            self._machine.database.wallet = wallet
        sync = self._machine.sync
        assert sync is not None, "a till that is online has one"
        request = GrantRequest(grant=wallet.asking, epoch=head.epoch, kind=Kind.GIFT_CARD)
        sync.session.call(
            ALLOWANCE, encode(request), lambda answer: self._allowed_by(sync, request, answer), lambda: None
        )

    def _allowed_by(self, sync: SimSync, request: GrantRequest, answer: Answer) -> None:
        machine = self._machine
        head = machine.database.head
        if not machine.alive or machine.sync is not sync or self.wallet.asking != request.grant:
            return
        wallet = msgspec.structs.replace(self.wallet, asking="")
        machine.database.wallet = wallet
        if answer.status != 200 or head is None or head.epoch != request.epoch:
            return
        allowed = Allowed(granted=decode(answer.body, Granted))
        machine.database.wallet = msgspec.structs.replace(wallet, allowed=allowed)
        self.acts += 1
        machine.write_value("allowance_taken", taken(allowed.granted))

    def _may_take_minor(self, account: AccountId | None = None) -> int:
        head = self._machine.database.head
        assert head is not None, "a register that runs has an epoch"
        now_ms = self._machine.clock.now_ms()
        may = may_take(
            self.wallet.allowed,
            Kind.GIFT_CARD,
            account or AccountId(""),
            epoch=head.epoch,
            in_transaction=0,
            now_ms=now_ms,
        )
        return 0 if isinstance(may, Refusal) else may

    def spend_offline(self) -> bool:
        """By a card that this till knows, while nobody can be asked."""
        wallet, machine, chance = self.wallet, self._machine, self._world.random
        if self.is_online or not machine.alive or not wallet.records:
            return False
        account = chance.choice(wallet.records)
        may = self._may_take_minor(account)
        if may <= 0 or wallet.allowed is None:
            return False
        allowed, amount = wallet.allowed, chance.randrange(1, min(may, GIVEN_MAX_MINOR) + 1)
        transaction = TransactionId(self._id())

        def make(number: str, stamp: Stamp) -> Sale:
            return offline_sale(chance, number, transaction, stamp, allowed, account, amount)

        machine.database.wallet = msgspec.structs.replace(wallet, allowed=use(allowed, account, amount))
        self.acts += 1
        machine.write_document("sale", make)
        return True

    def finish(self) -> bool:
        """The end of the day: nothing stays open. True: nothing is."""
        if not self._machine.alive:
            return False
        if self.wallet.open is None:
            self.suspend()
        begun = self.wallet.open
        if begun is None:
            return True
        if at_till.to_ask_again(begun.holds, self._machine.clock.now_ms(), is_open=True):
            self.ask_again()
        elif not self.conclude():
            self.void()
        return False

    def _amount(self, hold: TillHold) -> int:
        if hold.act in GIVES:
            return self._world.random.randrange(100, GIVEN_MAX_MINOR)
        if hold.stage is not Stage.HELD:
            return 1
        if hold.act is Act.CHARGE:
            return hold.available
        return self._world.random.randrange(1, hold.available + 1) if hold.available else 0

    def _id(self) -> str:
        return encode_id(self._world.random.randbytes(ID_RANDOM_BYTES))

    # ---- calls

    def _call(self, transaction: TransactionId, hold: TillHold) -> None:
        sync = self._machine.sync
        assert sync is not None, "a till that is online has one"
        body = encode(at_till.request_of(hold, transaction, CURRENCY, ""))
        sync.session.call(
            HOLD,
            body,
            lambda answer: self._heard(sync, hold.key, lambda: self._answered(hold.key, answer)),
            lambda: self._heard(sync, hold.key, lambda: self._unanswered(hold.key)),
        )

    def _heard(self, sync: SimSync, key: HoldKey, act: Callable[[], None]) -> None:
        """Unless the process ended, or the hold was taken off meanwhile."""
        if self._machine.alive and self._machine.sync is sync and hold_of(self.wallet, key) is not None:
            act()

    def _answered(self, key: HoldKey, answer: Answer) -> None:
        found = hold_of(self.wallet, key)
        assert found is not None, "somebody waits for it"
        begun, hold = found
        if answer.status == 200:
            self._machine.ledger.tell_held(self._machine.life, key, self._world.now_ms)
            held = decode(answer.body, Held)
            if hold.kind is Kind.GIFT_CARD:
                self._record(held.account)
            self._keep(self.wallet, begun, at_till.granted(begun.holds, held, self._machine.clock.now_ms()))
        elif answer.status == 409:
            is_kept = self._give_up(begun, hold, REFUSED)
            if is_kept and answer.code == "account.unknown":  # its entry may be on its way
                self._vouch(Want(hold.kind, hold.act, hold.number))
        else:
            self._unanswered(key)

    def _record(self, account: AccountId) -> None:
        """A card that was here may be taken of while nobody can be asked."""
        wallet = self.wallet
        others = [known for known in wallet.records if known != account]
        self._machine.database.wallet = msgspec.structs.replace(
            wallet, records=(*others, account)[-RECORDS_MAX:]
        )

    def _unanswered(self, key: HoldKey) -> None:
        found = hold_of(self.wallet, key)
        assert found is not None, "somebody waits for it"
        self._keep(self.wallet, found[0], at_till.unanswered(found[0].holds, key))

    def _give_up(self, begun: Begun, hold: TillHold, cause: str) -> bool:
        """False: the power went under it."""
        now = next(other for other in self.wallet.all() if other.transaction == begun.transaction)
        step = at_till.give_up(now.holds, hold.key, now.transaction, cause, self._machine.cashier)
        is_kept = self._keep(self.wallet, now, step)
        if step.journalled is not None:
            self._let_go(hold.key, cause)
        return is_kept

    def _let_go(self, key: HoldKey, cause: str) -> None:
        """At once, ahead of the entry; nobody waits for the answer."""
        if self.is_online and self._world.chance(LETS_GO_AT_ONCE):
            sync = self._machine.sync
            assert sync is not None, "a till that is online has one"
            sync.session.call(
                RELEASE, encode(ReleaseRequest(key=key, cause=cause)), lambda answer: None, lambda: None
            )

    def _keep(self, wallet: Wallet, begun: Begun, step: Step) -> bool:
        """The holds after a step and its entry, in one transaction; False: the power went under it."""
        machine = self._machine
        machine.database.wallet = wallet.with_holds(begun.transaction, step.holds)
        if step.journalled is not None:
            self.acts += 1
            machine.write_value(_TYPES[type(step.journalled)], step.journalled)
        return machine.alive


_TYPES = {HoldAsked: "hold_asked", HoldEnded: "hold_ended"}
