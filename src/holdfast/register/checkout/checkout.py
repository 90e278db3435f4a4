"""Checkout: what a till does. Every public method that changes something is one durable transaction.

A sale's entry, its document number and the register's own projections are stored together or not
at all (P3), and only what is on the disk is answered (P1). Nothing here knows of a network (P5).
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from holdfast.core import business_day, pricing
from holdfast.core.basket import UNLIMITED, Act, Basket, Kind, brought
from holdfast.core.basket.suspended import close_refusal
from holdfast.core.business_day import NOBODY, DayClosed, DayOpened
from holdfast.core.card_tender import CARD
from holdfast.core.cash.shift import still_open
from holdfast.core.central.at_till import TillHold
from holdfast.core.ids import StaffId
from holdfast.core.journal.bodies import RETIRED
from holdfast.core.loyalty.points import with_points
from holdfast.core.parameters import Value
from holdfast.core.refusals import Refusal
from holdfast.core.sale import OriginalTender, Sale, Tender, TransactionVoided
from holdfast.core.tender import CASH, STILL_DUE
from holdfast.infra.clock import Clock, Randomness
from holdfast.infra.config import RegisterHome
from holdfast.register.checkout.allowances import AllowancesHere
from holdfast.register.checkout.cash import CashDesk
from holdfast.register.checkout.central import LEFT, VOIDED
from holdfast.register.checkout.customers import CustomersHere
from holdfast.register.checkout.drill import Drilling, end_drill
from holdfast.register.checkout.searching import Searching
from holdfast.register.checkout.suspending import Suspending
from holdfast.register.till import closing, history, writing
from holdfast.register.till.suspended import count_suspended
from holdfast.register.till.till import Till

_MORE_THAN_THE_CARD_PAID = Refusal(
    "tender.more-than-paid",
    "That card payment was refunded meanwhile. Hand back what was taken, and look at what is to be paid out.",
)
_NO_BASKET = Refusal("basket.none", "No transaction is open. Begin one.")
_BASKET_OPEN = Refusal("basket.open", "A transaction is open already. Conclude or void it first.")
_BASKET_OPEN_AT_CLOSE = Refusal(
    "day.basket-open", "A transaction is still open. Conclude or void it, then close the day."
)


class Checkout(Searching, Suspending, AllowancesHere, CustomersHere, CashDesk, Drilling):
    """One per process. Threads may share it; two processes may open the same till."""

    def __init__(self, till: Till, clock: Clock, randomness: Randomness) -> None:
        """Use `Checkout.open`."""
        super().__init__(till)
        self._clock = clock
        self._randomness = randomness
        self.tells_points: Callable[[], bool] = lambda: False
        """Whether head office is in reach, so that a receipt may speak of points (LY4). Must not wait."""

    @classmethod
    def open(
        cls, home: RegisterHome, *, clock: Clock, randomness: Randomness, vfs: str | None = None
    ) -> "Checkout":
        """The register in `home`, ready to sell; a new epoch is open where its database was restored (P4).

        `vfs` names the layer under the encryption, for tests that lose writes. ConfigurationFault,
        KeyFault, DatabaseFault, NewerVersionFault, StorageFullFault, UnavailableFault as they say.
        """
        till = Till(home, clock=clock, randomness=randomness, vfs=vfs)
        started = False
        try:
            till.start()
            started = True
        finally:
            if not started:
                till.close()
        checkout = cls(till, clock, randomness)
        checkout.doubt_what_was_asked()
        checkout.drop_allowances_of_others()
        checkout.count_on_tries()
        return checkout

    def close(self) -> None:
        self._till.close()

    # ---- the business day --------------------------------------------------------------------

    def open_day(
        self,
        business_date: str | None = None,
        *,
        by: StaffId,
        approved_by: StaffId | None = None,
        head_office_ms: int | None = None,
        float_minor: int | None = None,
    ) -> DayOpened | Refusal:
        """Begin a business day on that date, or on the offered one.

        `float_minor`: and its first shift, with so much home cash in the drawer; None: it may do without.
        """

        def work() -> DayOpened | Refusal:
            opened = business_day.open_day(
                self._till.day(),
                self._till.offer(head_office_ms),
                business_date,
                by=by,
                approved_by=approved_by or NOBODY,
            )
            if isinstance(opened, Refusal):
                return opened
            stamp = self._till.stamp(opened.business_date)
            act = Act(by=by, at_ms=stamp.at_ms, limits=UNLIMITED, approved_by=opened.approved_by)
            shift = None if float_minor is None else self._next_shift(opened.business_date, float_minor, act)
            if isinstance(shift, Refusal):
                return shift
            if opened.instead_of:
                self._till.forget_later_dates()
            self._till.append(self._till.place(), "day_opened", 1, opened, stamp)
            if shift is not None:
                self._begin_shift(shift, stamp)
            return opened

        return self._unless_full(work)

    def close_day(self, *, by: StaffId) -> DayClosed | Refusal:
        """End the business day: its Z report, then its end. Not with an open transaction or shift."""

        def work() -> DayClosed | Refusal:
            basket = writing.read_basket(self._till.cursor)
            if basket is not None and not _is_empty(basket):
                return _BASKET_OPEN_AT_CLOSE
            if refusal := close_refusal(count_suspended(self._till.connection)):
                return refusal
            day = self._till.day()
            shift = closing.open_shift(self._till, day)
            if shift is not None:
                return still_open(shift)
            self.let_go(basket, LEFT, by)
            closed = closing.end_day(self._till, day, by=by, cause="")
            if isinstance(closed, DayClosed):
                writing.write_basket(self._till.cursor, None)
            return closed

        return self._till.transact(work, finishing=True)

    def retire(self, *, by: StaffId) -> Refusal | None:
        """The end of this register's journal, so that head office waits for nothing more: the day is closed,
        and so is the epoch. Nothing can be written after it."""

        def work() -> Refusal | None:
            till = self._till
            basket, day = writing.read_basket(till.cursor), till.day()
            if basket is not None and not _is_empty(basket):
                return _BASKET_OPEN_AT_CLOSE
            if refusal := close_refusal(count_suspended(till.connection)):
                return refusal
            self.let_go(basket, LEFT, by)
            writing.write_basket(till.cursor, None)
            end_drill(till, "restart")
            if day.open:
                closing.end_day(till, day, by=by, cause="retired")
            self.return_allowances()
            till.close_epoch(RETIRED)
            return None

        return self._till.transact(work, finishing=True)

    # ---- the basket --------------------------------------------------------------------------

    def begin(
        self,
        *,
        by: StaffId,
        kind: Kind = "sale",
        parameters: Mapping[str, Value] = {},
        first: Callable[[Basket], Basket | Refusal] = lambda basket: basket,
    ) -> Basket | Refusal:
        """Open a transaction; an empty one makes way. Refused while the disk is too full to be sure
        of finishing it.

        `parameters`: those of head office's that it goes by to its end, whatever is set meanwhile.
        `first` is done to it at once: both or neither, whatever comes between.
        """

        def work() -> Basket | Refusal:
            date = business_day.trading_date(self._till.day())
            if isinstance(date, Refusal):
                return date
            basket = writing.read_basket(self._till.cursor)
            if basket is not None and not _is_empty(basket):
                return _BASKET_OPEN
            begun = self._begun(by, kind, parameters)
            after = begun if isinstance(begun, Refusal) else self._kept(first(begun))
            if isinstance(after, Basket):
                self.let_go(basket, LEFT, by)
            return after

        return self._unless_full(work)

    def change(self, operation: Callable[[Basket], Basket | Refusal]) -> Basket | Refusal:
        """Do something to the open basket; it is on the disk on return.

        `operation` is a function of the basket alone: on a full disk it is called a second time.
        """

        def work() -> Basket | Refusal:
            before = writing.read_basket(self._till.cursor)
            if before is None:
                return _NO_BASKET
            after = operation(before)
            if isinstance(after, Basket) and before.holds:
                after = self.without_dropped(before, after)
            return after if after == before else self._kept(after)

        return self._till.transact(work, finishing=True)

    def _kept(self, basket: Basket | Refusal) -> Basket | Refusal:
        if isinstance(basket, Basket):
            writing.write_basket(self._till.cursor, basket)
        return basket

    def conclude(
        self, tenders: Sequence[Tender] = (), *, cash_given_minor: int = 0, coin_minor: int | None = None
    ) -> Sale | Refusal:
        """Make the open basket a sale or return: entry, number and projections, and no basket any more.

        Tenders are as the customer gave them, without change, after those that `take` kept;
        `cash_given_minor` adds one in cash (negative: paid out). `coin_minor` is the country's smallest coin
        where it is not the currency's.
        """
        given = (*tenders, Tender(kind=CASH, amount_minor=cash_given_minor)) if cash_given_minor else tenders
        return self._till.transact(lambda: self._conclude(given, coin_minor), finishing=True)

    def take(
        self, tender: Tender, *, coin_minor: int | None = None, hold: TillHold | None = None
    ) -> Sale | Basket | Refusal:
        """Take one tender: the sale where it pays the rest, else the basket with it. `hold`: what this till
        itself vouches for, as a memo that it issues.

        Either is on the disk on return: what was handed over in parts outlives a crash between them.
        """

        def work() -> Sale | Basket | Refusal:
            if hold is not None and (refusal := self.hold_own(hold)):
                return refusal
            concluded = self._conclude((tender,), coin_minor)
            basket = writing.read_basket(self._till.cursor)
            is_part = (
                isinstance(concluded, Refusal)
                and concluded.code == STILL_DUE
                and (tender.amount_minor > 0 or tender.kind == CARD or tender.hold)
            )
            if basket is None or not is_part:
                if hold is not None and basket is not None:
                    self._kept(_less(basket, hold))
                return concluded
            return self._kept(msgspec.structs.replace(basket, tenders=(*basket.tenders, tender)))

        return self._till.transact(work, finishing=True)

    def hand_back(self) -> tuple[Tender, ...] | Refusal:
        """Forget what was taken in parts; it is what the customer gets back."""

        def work() -> tuple[Tender, ...] | Refusal:
            basket = writing.read_basket(self._till.cursor)
            if basket is None:
                return _NO_BASKET
            if basket.tenders:
                after = msgspec.structs.replace(basket, tenders=())
                self._kept(self.without_dropped(basket, after) if basket.holds else after)
            return tuple(tender for tender in basket.tenders if not tender.hold)

        return self._till.transact(work, finishing=True)

    def _conclude(self, tenders: Sequence[Tender], coin_minor: int | None) -> Sale | Refusal:
        till = self._till
        basket, day, at = till.standing()
        if basket is None:
            return _NO_BASKET
        date = business_day.trading_date(day)
        refusal = date if isinstance(date, Refusal) else self._returned_meanwhile(basket, tenders)
        if refusal:
            return refusal
        later = False
        if basket.holds or any(tender.hold for tender in tenders):
            refusal, later = self.before_concluding(basket, tenders)
            if refusal:
                return refusal
        document = at.head.next_document(self.config.series)
        sale = pricing.conclude(basket, tenders, document, coin_minor=coin_minor, later=later)
        if isinstance(sale, Sale):
            sale = with_points(sale, basket.parameters, told=self.tells_points(), brought=brought(basket))
            till.append(at, basket.kind, 1, sale, till.stamp(str(date)))
            if basket.holds:
                self.after_concluding(basket, sale)
            writing.write_basket(till.cursor, None)
        return sale

    def _returned_meanwhile(self, basket: Basket, tenders: Sequence[Tender]) -> Refusal | None:
        """Whether a line that the basket brings back came back in another transaction since, or a card gets
        more than it paid (PO3)."""
        if basket.kind == "return" and (over := self._refunded_too_much((*basket.tenders, *tenders))):
            return over
        if basket.by_code is not None:
            came_back_minor = history.came_back_minor(self._till.connection, basket.by_code.document)
            if came_back_minor != basket.by_code.came_back_minor:
                return Refusal(
                    "return.more-than-paid",
                    f"Goods of receipt {basket.by_code.document} came back meanwhile. Void this return and "
                    "scan the receipt's code again.",
                )
        for line in basket.lines:
            if line.origin is None or history.row_of(self._till.connection, line.origin.document) is None:
                continue  # no receipt, or one of another register
            left = history.returnable_line(self._till.connection, line.origin.document, line.origin.line)
            if isinstance(left, Refusal):
                return left
            if left.remaining_milli < -line.quantity_milli:
                return Refusal(
                    "return.more-than-sold",
                    f"Part of line {line.origin.line} of {line.origin.document} came back meanwhile. "
                    "Void the line and add it again.",
                )
        return None

    def _refunded_too_much(self, tenders: Sequence[Tender]) -> Refusal | None:
        wanted: dict[OriginalTender, int] = {}
        for tender in tenders:
            if tender.original is not None:
                wanted[tender.original] = wanted.get(tender.original, 0) - tender.amount_minor
        for original, amount_minor in wanted.items():
            payments = history.card_payments_of(self._till.connection, original.document)
            left_minor = next((paid.left_minor for paid in payments if paid.original == original), 0)
            if amount_minor > left_minor:
                return _MORE_THAN_THE_CARD_PAID
        return None

    def void(
        self, *, reason: str, by: StaffId, approved_by: StaffId | None = None
    ) -> TransactionVoided | Refusal:
        """Give the open basket up; it stays on record, without a number. An empty one leaves no record.

        The record says what had been taken in parts and is to be given back.
        """

        def work() -> TransactionVoided | Refusal:
            till = self._till
            basket = writing.read_basket(till.cursor)
            if basket is None:
                return _NO_BASKET
            stamp = till.stamp()
            act = Act(by=by, at_ms=stamp.at_ms, limits=UNLIMITED, approved_by=approved_by or NOBODY)
            if _is_empty(basket):
                self.let_go(basket, VOIDED, by)
                writing.write_basket(till.cursor, None)
                return _nothing_voided(basket, act, reason)
            voided = pricing.void_transaction(basket, act, reason)
            if isinstance(voided, TransactionVoided):
                till.append(till.place(), "transaction_voided", 1, voided, stamp)
                writing.write_basket(till.cursor, None)
            return voided

        return self._till.transact(work, finishing=True)


def _is_empty(basket: Basket) -> bool:
    """Nothing was ever in it; a voided line is something."""
    return not basket.lines and not basket.voided_lines


def _less(basket: Basket, hold: TillHold) -> Basket:
    return msgspec.structs.replace(
        basket, holds=tuple(other for other in basket.holds if other.key != hold.key)
    )


def _nothing_voided(basket: Basket, act: Act, reason: str) -> TransactionVoided:
    return TransactionVoided(
        transaction=basket.transaction,
        currency=basket.currency,
        lines=(),
        began_at_ms=basket.began_at_ms,
        reason=reason,
        by=act.by,
        approved_by=act.approved_by,
    )
