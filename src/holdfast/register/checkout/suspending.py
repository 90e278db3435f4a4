"""Putting the open transaction aside, and taking it up again: each one durable transaction (PO4)."""

from holdfast.core import business_day, pricing
from holdfast.core.basket import Act, Basket
from holdfast.core.basket import suspended as suspending
from holdfast.core.basket.suspended import FULL, GONE, NOTHING, SUSPENDED_MAX, Suspended
from holdfast.core.ids import TransactionId
from holdfast.core.refusals import Refusal
from holdfast.core.sale import TransactionVoided
from holdfast.register.checkout.central import LEFT, CentralHere
from holdfast.register.till import writing
from holdfast.register.till.suspended import (
    all_suspended,
    count_suspended,
    drop_suspended,
    find_suspended,
    put_suspended,
)

_OTHER_OPEN = Refusal(
    "suspend.basket-open",
    "Another transaction is open. Conclude, suspend or void it first; then recall this one.",
)


class Suspending(CentralHere):
    """Suspended baskets lie in the till's own database: a restart finds them as they were."""

    def suspended(self) -> tuple[Suspended, ...]:
        """All of this register, the longest waiting first."""
        with self._till.reading() as connection:
            return all_suspended(connection)

    def suspended_count(self) -> int:
        with self._till.reading() as connection:
            return count_suspended(connection)

    def suspend(self, act: Act, note: str) -> Suspended | Refusal:
        """Put the open transaction aside."""

        def work() -> Suspended | Refusal:
            till = self._till
            date = business_day.day_required(till.day())
            basket = writing.read_basket(till.cursor)
            if isinstance(date, Refusal):
                return date
            if basket is None:
                return NOTHING
            if count_suspended(till.connection) >= SUSPENDED_MAX:
                return FULL
            kept = suspending.suspend(basket, act, note, date)
            if isinstance(kept, Suspended):
                put_suspended(till.connection, kept)
                writing.write_basket(till.cursor, None)
            return kept

        return self._till.transact(work, finishing=True)

    def recall(self, transaction: TransactionId) -> Basket | Refusal:
        """Take a suspended transaction up again; an open one without lines makes way."""

        def work() -> Basket | Refusal:
            till = self._till
            date = business_day.day_required(till.day())
            kept = find_suspended(till.connection, transaction)
            opened = writing.read_basket(till.cursor)
            if isinstance(date, Refusal):
                return date
            if kept is None:
                return GONE
            if opened is not None and (opened.lines or opened.voided_lines):
                return _OTHER_OPEN
            basket = suspending.recall(kept, date)
            if isinstance(basket, Basket):
                if opened is not None and opened.holds:
                    self.let_go(opened, LEFT, opened.by)
                drop_suspended(till.connection, transaction)
                writing.write_basket(till.cursor, basket)
            return basket

        return self._till.transact(work, finishing=True)

    def void_suspended(
        self, transaction: TransactionId, act: Act, reason: str
    ) -> TransactionVoided | Refusal:
        """Give a suspended transaction up; it stays on record like any voided one."""

        def work() -> TransactionVoided | Refusal:
            till = self._till
            kept = find_suspended(till.connection, transaction)
            if kept is None:
                return GONE
            voided = pricing.void_transaction(kept.basket, act, reason)
            if isinstance(voided, TransactionVoided):
                till.append(till.place(), "transaction_voided", 1, voided, till.stamp())
                drop_suspended(till.connection, transaction)
            return voided

        return self._till.transact(work, finishing=True)
