"""Central value in the open transaction: asked for, held, in doubt, taken off, concluded (GC2 to GC7).

Each step is stored with the basket and journalled in one durable transaction, before anything is sent and
before anything is shown. What comes back from head office finds its transaction also where it was suspended.
"""

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

import msgspec

from holdfast.core import basket as baskets
from holdfast.core import business_day
from holdfast.core.basket import Basket, Kind, held
from holdfast.core.central import at_till, vouched
from holdfast.core.central.accounts import HoldKey
from holdfast.core.central.accounts import Kind as ValueKind
from holdfast.core.central.at_till import REFUSED, REMOVED, Stage, Step, TillHold
from holdfast.core.central.entries import HoldAsked, HoldEnded
from holdfast.core.central.holds import Held
from holdfast.core.ids import ID_RANDOM_BYTES, DocumentNumber, EpochId, StaffId, TransactionId, encode_id
from holdfast.core.parameters import Value
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Sale, Tender
from holdfast.infra.clock import Clock, Randomness
from holdfast.register.checkout.work_mode import WorkModes
from holdfast.register.till import history, writing
from holdfast.register.till.suspended import all_suspended, find_suspended, replace_suspended

LEFT = "left"
"""A basket that nobody came back to."""
VOIDED = "voided"
GONE = Refusal("hold.gone", "The transaction went on without it meanwhile. Begin it again.")
_OTHER = Refusal("basket.open", "A transaction is open already. Conclude or void it first.")


class LineNow(NamedTuple):
    """How the line stands as a transaction concludes."""

    is_offline: bool
    allowed: Collection[ValueKind]
    """What may conclude all the same."""


class CentralHere(WorkModes):
    """Each public method is one durable transaction."""

    _clock: Clock
    _randomness: Randomness
    line_now: Callable[[Basket], LineNow] = staticmethod(lambda _: LineNow(False, ()))
    """Asked only where the transaction holds something. It must look at nothing on a disk."""
    worn_met: Callable[[], None] = staticmethod(lambda: None)
    """Something that was held long ago is to be used. Must not wait."""

    # ---- asking ------------------------------------------------------------------------------

    def ask_hold(
        self,
        hold: TillHold,
        *,
        by: StaffId,
        kind: Kind | None = None,
        parameters: Mapping[str, Value] = {},
    ) -> Basket | Refusal:
        """The transaction with the hold that is to be asked for; one opens where there is none. `kind`: of
        the transaction that it belongs in; None: of the open one."""

        def work() -> Basket | Refusal:
            date = business_day.trading_date(self._till.day())
            if isinstance(date, Refusal):
                return date
            basket = self._fitting(by, kind, parameters)
            if isinstance(basket, Refusal):
                return basket
            if refusal := held.act_refusal(basket, hold.act):
                return refusal
            return self._stepped(basket, at_till.ask(basket.holds, hold, basket.transaction, by))

        return self._unless_full(work)

    def _fitting(self, by: StaffId, kind: Kind | None, parameters: Mapping[str, Value]) -> Basket | Refusal:
        """The open transaction, or a new one in place of an empty one of the other kind."""
        basket = writing.read_basket(self._till.cursor)
        wanted = kind or (basket.kind if basket else "sale")
        if basket is not None and basket.kind == wanted:
            return basket
        if basket is not None and (basket.lines or basket.voided_lines):
            return _OTHER
        begun = self._begun(by, wanted, parameters)
        if basket is not None and isinstance(begun, Basket):
            self.let_go(basket, LEFT, by)
            begun = msgspec.structs.replace(begun, customer=basket.customer)
        return begun

    def _begun(self, by: StaffId, kind: Kind, parameters: Mapping[str, Value]) -> Basket | Refusal:
        transaction = TransactionId(encode_id(self._randomness.bytes(ID_RANDOM_BYTES)))
        currency, at_ms = self.config.currency, self._clock.now_ms()
        return baskets.begin(transaction, currency, at_ms, by, kind, parameters=parameters)

    def new_key(self) -> HoldKey:
        """Drawn once for each hold."""
        return HoldKey(encode_id(self._randomness.bytes(ID_RANDOM_BYTES)))

    def random(self, count: int) -> bytes:
        """For the number of a memo that this till issues."""
        return self._randomness.bytes(count)

    # ---- what came of it ---------------------------------------------------------------------

    def hold_granted(self, transaction: TransactionId, answer: Held) -> Basket | Refusal:
        """Head office holds it: what is a line stands in the transaction with it."""

        def step(basket: Basket) -> Basket | Refusal:
            known = held.hold_of(basket, answer.key)
            if known is None:
                return GONE
            now_ms = self._clock.now_ms()
            after = msgspec.structs.replace(basket, holds=at_till.granted(basket.holds, answer, now_ms).holds)
            if known.stage is Stage.HELD:
                return after
            self.heard_of(known, answer)
            granted = held.hold_of(after, answer.key)
            if granted is None or not held.is_line(after, granted.act):
                return after
            with_line = held.with_line(after, granted, self._clock.now_ms())
            if isinstance(with_line, Refusal):
                self._kept_anywhere(self._given_up(after, answer.key, REFUSED, after.by))
            return with_line

        return self._in_transaction(transaction, step)

    def hold_unanswered(self, transaction: TransactionId, key: HoldKey) -> Basket | Refusal:
        """The call left, and nothing is known."""
        return self._in_transaction(
            transaction,
            lambda basket: msgspec.structs.replace(basket, holds=at_till.unanswered(basket.holds, key).holds),
        )

    def give_up_hold(
        self, transaction: TransactionId, key: HoldKey, cause: str, by: StaffId
    ) -> Basket | Refusal:
        """The transaction goes on without it: refused, or taken off with its line and its tenders."""
        return self._in_transaction(transaction, lambda basket: self._given_up(basket, key, cause, by))

    def take_off(self, key: HoldKey, *, by: StaffId) -> Basket | Refusal:
        """Of the open transaction (GC3, GC5)."""

        def work() -> Basket | Refusal:
            basket = writing.read_basket(self._till.cursor)
            if basket is None or held.hold_of(basket, key) is None:
                return GONE
            after = self._given_up(basket, key, REMOVED, by)
            writing.write_basket(self._till.cursor, after)
            return after

        return self._till.transact(work, finishing=True)

    def doubts(self) -> tuple[tuple[Basket, TillHold], ...]:
        """What is to be asked again under its own key: of open and suspended transactions what is in doubt,
        and of the open one what was held long ago."""
        with self._till.reading() as connection:
            basket = writing.read_basket(connection)
            baskets = [kept.basket for kept in all_suspended(connection)]
        now_ms = self._clock.now_ms()
        return tuple(
            (one, hold)
            for one in ([basket] if basket else []) + baskets
            for hold in at_till.to_ask_again(one.holds, now_ms, is_open=one is basket)
        )

    def is_worn(self) -> bool:
        """Whether the open transaction holds something for so long that it is to be asked again."""
        with self._till.reading() as connection:
            basket = writing.read_basket(connection)
        now_ms = self._clock.now_ms()
        return basket is not None and any(at_till.is_worn(hold, now_ms) for hold in basket.holds)

    def place_of(self, number: DocumentNumber) -> tuple[EpochId, int] | None:
        """Where a document's entry stands in the journal; None: there is none of that number."""
        with self._till.reading() as connection:
            return history.place_of(connection, number)

    def own_memo(self, number: str, applied: Mapping[EpochId, int]) -> vouched.OwnMemo | None:
        """A memo of this till that head office has not applied yet. Nothing is left of one that an open or
        suspended transaction holds, or that may have left this register."""
        with self._till.reading() as connection:
            found = self._own_memo(number, applied.get(self._till.place().head.epoch, 0))
            basket = writing.read_basket(connection)
            waiting = [kept.basket for kept in all_suspended(connection)]
        others = ([basket] if basket else []) + waiting
        return vouched.beside(found, number, (hold for one in others for hold in one.holds))

    def _own_memo(self, number: str, applied: int) -> vouched.OwnMemo | None:
        return history.own_memo(self._till.connection, number, applied, self._till.handed_seq())

    def hold_own_memo(self, hold: TillHold, *, by: StaffId) -> Basket | Refusal:
        """Into the open sale, without asking anybody: no other till can have it."""

        def work() -> Basket | Refusal:
            basket = self._fitting(by, "sale", {})
            if isinstance(basket, Refusal):
                return basket
            after = msgspec.structs.replace(basket, holds=(*basket.holds, hold))
            writing.write_basket(self._till.cursor, after)
            return after

        return self._till.transact(work, finishing=True)

    def doubt_what_was_asked(self) -> None:
        """After a start nobody waits for an answer any more: what was asked for is in doubt."""

        def doubted(basket: Basket) -> Basket:
            return msgspec.structs.replace(basket, holds=at_till.doubted(basket.holds))

        with self._till.reading() as connection:
            basket = writing.read_basket(connection)
            waiting = [kept.basket for kept in all_suspended(connection)]
        for one in ([basket] if basket else []) + waiting:
            if any(hold.stage is Stage.ASKED for hold in one.holds):
                self._in_transaction(one.transaction, doubted)

    # ---- concluding, within the caller's transaction -----------------------------------------

    def before_concluding(self, basket: Basket, tenders: Collection[Tender]) -> tuple[Refusal | None, bool]:
        """Why it cannot conclude, and whether balances follow later."""
        for tender in tenders:
            if refusal := held.tender_refusal(basket, tender):
                return refusal, False
        now = self.line_now(basket)
        used = held.used(basket, tenders)
        refusal = at_till.conclude_refusal(
            basket.holds, offline=now.is_offline, allowed_offline=now.allowed, paid_by=used
        )
        if not refusal and not now.is_offline:
            refusal = at_till.worn_refusal(basket.holds, used, self._clock.now_ms())
            if refusal:
                self.worn_met()
        return refusal or self._handed_meanwhile(basket, used), now.is_offline

    def _handed_meanwhile(self, basket: Basket, used: Collection[HoldKey]) -> Refusal | None:
        """Of a memo that this till vouches for: since its issue left, somebody else may have used it."""
        return vouched.handed_refusal(basket.holds, used, lambda number: self._own_memo(number, 0))

    def after_concluding(self, basket: Basket, sale: Sale) -> None:
        """What it held and did not use is free again."""
        for hold in held.unused(basket, sale.tenders):
            self._journal(at_till.give_up(basket.holds, hold.key, basket.transaction, REMOVED, basket.by))

    def let_go(self, basket: Basket | None, cause: str, by: StaffId) -> None:
        """All that a transaction held which leaves no record."""
        for hold in basket.holds if basket else ():
            assert basket is not None, "there is one"
            self._journal(at_till.give_up(basket.holds, hold.key, basket.transaction, cause, by))

    def without_dropped(self, before: Basket, after: Basket) -> Basket:
        """A change that took a line or a tender away gives up what it held."""
        for hold in held.dropped(before, after):
            after = self._given_up(after, hold.key, REMOVED, after.by)
        return after

    def hold_own(self, hold: TillHold) -> Refusal | None:
        """What this till vouches for itself goes into the transaction as held."""
        assert hold.is_own, "head office is asked for all others"
        basket = writing.read_basket(self._till.cursor)
        if basket is None:
            return GONE
        if held.hold_of(basket, hold.key) is None:
            writing.write_basket(
                self._till.cursor, msgspec.structs.replace(basket, holds=(*basket.holds, hold))
            )
        return None

    def heard_of(self, hold: TillHold, answer: Held) -> None:
        """Head office told of an account, within the transaction that keeps its answer."""

    # ---- parts -------------------------------------------------------------------------------

    def _stepped(self, basket: Basket, step: Step | Refusal) -> Basket | Refusal:
        if isinstance(step, Refusal):
            return step
        self._journal(step)
        after = msgspec.structs.replace(basket, holds=step.holds)
        writing.write_basket(self._till.cursor, after)
        return after

    def _given_up(self, basket: Basket, key: HoldKey, cause: str, by: StaffId) -> Basket:
        step = at_till.give_up(basket.holds, key, basket.transaction, cause, by)
        self._journal(step)
        return msgspec.structs.replace(held.without(basket, key), holds=step.holds)

    def _journal(self, step: Step) -> None:
        till, body = self._till, step.journalled
        if isinstance(body, HoldAsked):
            till.append(till.place(), "hold_asked", 1, body, till.stamp())
        elif isinstance(body, HoldEnded):
            till.append(till.place(), "hold_ended", 1, body, till.stamp())

    def _in_transaction(
        self, transaction: TransactionId, step: Callable[[Basket], Basket | Refusal]
    ) -> Basket | Refusal:
        """Do something to that transaction, open or suspended; GONE where it is over."""

        def work() -> Basket | Refusal:
            basket = self._find(transaction)
            if basket is None:
                return GONE
            after = step(basket)
            if isinstance(after, Basket) and after != basket:
                self._kept_anywhere(after)
            return after

        return self._till.transact(work, finishing=True)

    def _find(self, transaction: TransactionId) -> Basket | None:
        basket = writing.read_basket(self._till.cursor)
        if basket is not None and basket.transaction == transaction:
            return basket
        kept = find_suspended(self._till.connection, transaction)
        return None if kept is None else kept.basket

    def _kept_anywhere(self, basket: Basket) -> None:
        kept = find_suspended(self._till.connection, basket.transaction)
        if kept is None:
            writing.write_basket(self._till.cursor, basket)
        else:
            replace_suspended(self._till.connection, msgspec.structs.replace(kept, basket=basket))
