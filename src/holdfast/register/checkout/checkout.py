"""Checkout: what a till does. Every public method that changes something is one durable transaction.

A sale's entry, its document number and the register's own projections are stored together or not
at all (P3), and only what is on the disk is answered (P1). Nothing here knows of a network (P5).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import msgspec

from holdfast.core import basket as baskets
from holdfast.core import business_day, pricing
from holdfast.core.basket import UNLIMITED, Act, Basket, Kind, Returnable
from holdfast.core.business_day import NOBODY, DayClosed, DayOpened, DayState
from holdfast.core.faults import StorageFullFault, TooLargeFault
from holdfast.core.ids import (
    ID_RANDOM_BYTES,
    DocumentNumber,
    EpochId,
    OriginId,
    Sku,
    StaffId,
    TransactionId,
    encode_id,
)
from holdfast.core.journal.bodies import DOCUMENT_TYPES
from holdfast.core.journal.epochs import OpenEpoch
from holdfast.core.journal.writer import Head, Written
from holdfast.core.pricing import Priced
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Sale, Tender, TransactionVoided
from holdfast.core.tender import CASH
from holdfast.core.totals import DayTotals
from holdfast.infra.clock import Clock, Randomness
from holdfast.infra.config import RegisterConfig, RegisterHome
from holdfast.register.checkout.answers import AlreadyRecorded
from holdfast.register.till import history, purging, writing
from holdfast.register.till.database import QUERIES
from holdfast.register.till.history import DocumentRow, Owed
from holdfast.register.till.till import Till
from holdfast.register.till.writing import Document

T = TypeVar("T")

_PURGE_PAUSE_S = 0.001
"""Between two parts of a purge, so that a sale that waits goes first."""

_NO_BASKET = Refusal("basket.none", "No transaction is open. Begin one.")
_BASKET_OPEN = Refusal("basket.open", "A transaction is open already. Conclude or void it first.")
_BASKET_OPEN_AT_CLOSE = Refusal(
    "day.basket-open", "A transaction is still open. Conclude or void it, then close the day."
)
_DISK_FULL = Refusal(
    "storage.full", "This register's disk is full, so nothing new can begin. Make room on it, then try again."
)
_TOO_LARGE = Refusal("document.too-large", "This document is too large for one entry. Split it into several.")


class Checkout:
    """One per process. Threads may share it; two processes may open the same till."""

    def __init__(self, till: Till, clock: Clock, randomness: Randomness) -> None:
        """Use `Checkout.open`."""
        self._till = till
        self._clock = clock
        self._randomness = randomness

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
        return cls(till, clock, randomness)

    def close(self) -> None:
        self._till.close()

    @property
    def config(self) -> RegisterConfig:
        return self._till.config

    @property
    def origin(self) -> OriginId:
        return self._till.config.origin

    # ---- reading -----------------------------------------------------------------------------

    def head(self) -> Head:
        """Where the journal stands."""
        with self._till.reading():
            return self._till.place().head

    def day(self) -> DayState:
        with self._till.reading():
            return self._till.day()

    def totals(self, business_date: str) -> DayTotals:
        """Sums over one business date's documents (PO5)."""
        with self._till.reading() as connection:
            return writing.read_totals(connection, business_date).totals

    def drawer_minor(self) -> int:
        """What the drawer must hold, counted from its first day."""
        with self._till.reading() as connection:
            return QUERIES.drawer(connection)

    def stock_milli(self, sku: Sku) -> int:
        """What this register has moved of a product, in thousandths: sold is negative."""
        with self._till.reading() as connection:
            return QUERIES.stock_of(connection, sku=sku) or 0

    def basket(self) -> Basket | None:
        """The open transaction, as it is on the disk."""
        with self._till.reading() as connection:
            return writing.read_basket(connection)

    def priced(self) -> Priced | None:
        """What the open transaction comes to."""
        found = self.basket()
        return None if found is None else pricing.price(found)

    def owed(self, applied: Mapping[EpochId, int]) -> Owed:
        """Documents above head office's applied cursors (P6)."""
        with self._till.reading() as connection:
            return history.owed(connection, applied)

    def documents(self, limit: int = 50, before: DocumentNumber | None = None) -> list[DocumentRow]:
        """Documents, newest first; `before` a number for the page after it."""
        with self._till.reading() as connection:
            return history.documents(connection, limit, before)

    def document(self, number: DocumentNumber) -> Document | None:
        """A document of this till; None where it has none of that number, or has purged it."""
        with self._till.reading() as connection:
            return history.document(connection, number)

    def returnable(self, number: DocumentNumber, line: int) -> Returnable | Refusal:
        """A sold line, less what came back of it here already (PO3)."""
        with self._till.reading() as connection:
            return history.returnable_line(connection, number, line)

    # ---- the business day --------------------------------------------------------------------

    def offered_date(self, head_office_ms: int | None = None) -> str:
        """The date to propose when the day is opened. `head_office_ms`: its time at the last contact."""
        with self._till.reading():
            return business_day.offered_date(self._till.day(), self._till.offer(head_office_ms))

    def open_day(
        self,
        business_date: str | None = None,
        *,
        by: StaffId,
        approved_by: StaffId | None = None,
        head_office_ms: int | None = None,
    ) -> DayOpened | Refusal:
        """Begin a business day on that date, or on the offered one."""

        def work() -> DayOpened | Refusal:
            opened = business_day.open_day(
                self._till.day(),
                self._till.offer(head_office_ms),
                business_date,
                by=by,
                approved_by=approved_by or NOBODY,
            )
            if isinstance(opened, DayOpened):
                stamp = self._till.stamp(opened.business_date)
                self._till.append(self._till.place(), "day_opened", 1, opened, stamp)
            return opened

        return self._unless_full(work)

    def close_day(self, *, by: StaffId) -> DayClosed | Refusal:
        """End the business day with its totals."""

        def work() -> DayClosed | Refusal:
            basket = writing.read_basket(self._till.connection)
            if basket is not None and not _is_empty(basket):
                return _BASKET_OPEN_AT_CLOSE
            closed = self._till.closing(self._till.day(), by)
            if isinstance(closed, DayClosed):
                stamp = self._till.stamp(closed.business_date)
                self._till.append(self._till.place(), "day_closed", 1, closed, stamp)
                writing.write_basket(self._till.connection, None)
            return closed

        return self._till.transact(work, finishing=True)

    # ---- the basket --------------------------------------------------------------------------

    def begin(self, *, by: StaffId, kind: Kind = "sale") -> Basket | Refusal:
        """Open a transaction; an empty one makes way. Refused while the disk is too full to be sure
        of finishing it."""

        def work() -> Basket | Refusal:
            date = business_day.day_required(self._till.day())
            if isinstance(date, Refusal):
                return date
            basket = writing.read_basket(self._till.connection)
            if basket is not None and not _is_empty(basket):
                return _BASKET_OPEN
            transaction = TransactionId(encode_id(self._randomness.bytes(ID_RANDOM_BYTES)))
            begun = baskets.begin(transaction, self.config.currency, self._clock.now_ms(), by, kind)
            return self._kept(begun)

        return self._unless_full(work)

    def change(self, operation: Callable[[Basket], Basket | Refusal]) -> Basket | Refusal:
        """Do something to the open basket; it is on the disk on return.

        `operation` is a function of the basket alone: on a full disk it is called a second time.
        """

        def work() -> Basket | Refusal:
            before = writing.read_basket(self._till.connection)
            if before is None:
                return _NO_BASKET
            after = operation(before)
            return after if after == before else self._kept(after)

        return self._till.transact(work, finishing=True)

    def _kept(self, basket: Basket | Refusal) -> Basket | Refusal:
        if isinstance(basket, Basket):
            writing.write_basket(self._till.connection, basket)
        return basket

    def conclude(
        self, tenders: Sequence[Tender] = (), *, cash_given_minor: int = 0, coin_minor: int | None = None
    ) -> Sale | Refusal:
        """Make the open basket a sale or return: entry, number and projections, and no basket any more.

        Tenders are as the customer gave them, without change; `cash_given_minor` adds one in cash
        (negative: paid out). `coin_minor` is the country's smallest coin where it is not the currency's.
        """
        given = (*tenders, Tender(kind=CASH, amount_minor=cash_given_minor)) if cash_given_minor else tenders
        return self._till.transact(lambda: self._conclude(given, coin_minor), finishing=True)

    def _conclude(self, tenders: Sequence[Tender], coin_minor: int | None) -> Sale | Refusal:
        till = self._till
        basket = writing.read_basket(till.connection)
        if basket is None:
            return _NO_BASKET
        date = business_day.day_required(till.day())
        refusal = date if isinstance(date, Refusal) else self._returned_meanwhile(basket)
        if refusal:
            return refusal
        at = till.place()
        document = at.head.next_document(self.config.series)
        sale = pricing.conclude(basket, tenders, document, coin_minor=coin_minor)
        if isinstance(sale, Sale):
            till.append(at, basket.kind, 1, sale, till.stamp(str(date)))
            writing.write_basket(till.connection, None)
        return sale

    def _returned_meanwhile(self, basket: Basket) -> Refusal | None:
        """Whether a line that the basket brings back came back in another transaction since (PO3)."""
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

    def void(
        self, *, reason: str, by: StaffId, approved_by: StaffId | None = None
    ) -> TransactionVoided | Refusal:
        """Give the open basket up; it stays on record, without a number. An empty one leaves no record."""

        def work() -> TransactionVoided | Refusal:
            till = self._till
            basket = writing.read_basket(till.connection)
            if basket is None:
                return _NO_BASKET
            stamp = till.stamp()
            act = Act(by=by, at_ms=stamp.at_ms, limits=UNLIMITED, approved_by=approved_by or NOBODY)
            if _is_empty(basket):
                writing.write_basket(till.connection, None)
                return _nothing_voided(basket, act, reason)
            voided = pricing.void_transaction(basket, act, reason)
            if isinstance(voided, TransactionVoided):
                till.append(till.place(), "transaction_voided", 1, voided, stamp)
                writing.write_basket(till.connection, None)
            return voided

        return self._till.transact(work, finishing=True)

    # ---- history, adjustments, other entries -------------------------------------------------

    def record(
        self, type: str, make: Callable[[DocumentNumber], Document | Refusal], *, reference: str | None
    ) -> Document | Refusal | AlreadyRecorded:
        """Journal a document that no basket made: history taken over, an adjustment of stock.

        `reference`: its number in another system. Known here for this type, it is no operation (P2).
        `make` is a function of the number alone.
        """
        assert type in DOCUMENT_TYPES, "record takes documents; append takes other entries"

        def work() -> Document | Refusal | AlreadyRecorded:
            known = self._known(type, reference)
            if known is not None:
                return known
            date = business_day.day_required(self._till.day())
            if isinstance(date, Refusal):
                return date
            at = self._till.place()
            body = make(at.head.next_document(self.config.series))
            if not isinstance(body, Refusal):
                written = self._till.append(at, type, 1, body, self._till.stamp(date))
                self._remember(at.n, written, type, reference)
            return body

        try:
            return self._unless_full(work)
        except TooLargeFault:
            return _TOO_LARGE

    def _known(self, type: str, reference: str | None) -> AlreadyRecorded | None:
        if reference is None:
            return None
        row_id = QUERIES.reference_of(self._till.connection, type=type, reference=reference)
        if row_id is None:
            return None
        number = history.number_of(self._till.connection, row_id)
        return AlreadyRecorded(type=type, reference=reference, document=number)

    def _remember(self, n: int, written: Written, type: str, reference: str | None) -> None:
        if reference is not None:
            QUERIES.add_reference(
                self._till.connection,
                type=type,
                reference=reference,
                document=writing.document_row(n, written),
            )

    def append(self, type: str, version: int, body: msgspec.Struct) -> Written:
        """Journal an entry that is no document: a command done, a change of connection, a rotated key."""
        assert type not in DOCUMENT_TYPES, "documents are numbered: use conclude or record"
        till = self._till
        return till.transact(lambda: till.append(till.place(), type, version, body, till.stamp()))

    def open_new_epoch(self, why: OpenEpoch, *, instead_of: EpochId | None = None) -> Written | None:
        """Go on in a new epoch, numbering in a segment of its own; nothing of the former one is closed.

        `instead_of`: only while this is the open epoch, so that asking twice opens one; else None.
        """

        def work() -> Written | None:
            if instead_of is not None and self._till.place().head.epoch != instead_of:
                return None
            return self._till.open_epoch(why)

        return self._till.transact(work, finishing=True)

    def purge(self, through: Mapping[EpochId, int]) -> int:
        """Delete the bytes of entries up to these seqs, which head office holds *safe*; how many.

        Hashes stay. In transactions of bounded size, so that a sale never waits long.
        """
        purged = 0
        for epoch, seq in through.items():
            purged += self._purge_epoch(epoch, seq)
        return purged

    def _purge_epoch(self, epoch: EpochId, through_seq: int) -> int:
        purged = 0
        for _ in range(through_seq // purging.ENTRIES_PER_TRANSACTION + 1):
            some = self._till.transact(
                lambda: purging.purge_some(self._till.connection, epoch, through_seq), finishing=True
            )
            purged += some
            if some < purging.ENTRIES_PER_TRANSACTION:
                break
            time.sleep(_PURGE_PAUSE_S)
        return purged

    def tidy(self) -> None:
        """Between sales, every few seconds: checkpoint, reserve, mark. Spares the next sale 3 to 6 ms."""
        self._till.tidy()

    def _unless_full(self, work: Callable[[], T]) -> T | Refusal:
        """Something new: refused while the disk has no room beside what finishing a sale needs."""
        if not self._till.has_room:
            return _DISK_FULL
        try:
            return self._till.transact(work)
        except StorageFullFault:
            return _DISK_FULL


def _is_empty(basket: Basket) -> bool:
    """Nothing was ever in it; a voided line is something."""
    return not basket.lines and not basket.voided_lines


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
