"""What can be asked of a till without changing it."""

from collections.abc import Mapping

from holdfast.core import business_day, pricing
from holdfast.core.basket import Basket, Returnable
from holdfast.core.business_day import DayState
from holdfast.core.card_tender import CardPayment
from holdfast.core.ids import DocumentNumber, EpochId, OriginId, Sku
from holdfast.core.journal.writer import Head
from holdfast.core.parameters import Value
from holdfast.core.pricing import Priced
from holdfast.core.receipt.issued import Issued
from holdfast.core.refusals import Refusal
from holdfast.core.totals import DayTotals, ForeignSum
from holdfast.infra.config import RegisterConfig
from holdfast.register.till import history, writing
from holdfast.register.till.database import QUERIES
from holdfast.register.till.history import DocumentRow, Owed
from holdfast.register.till.till import Till
from holdfast.register.till.writing import Document


class Reading:
    """Every answer is what the disk holds at the time of the call."""

    def __init__(self, till: Till) -> None:
        self._till = till

    @property
    def config(self) -> RegisterConfig:
        return self._till.config

    @property
    def origin(self) -> OriginId:
        return self._till.config.origin

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
        """What the drawer must hold in home cash, counted from its first day."""
        with self._till.reading() as connection:
            return QUERIES.drawer(connection)

    def foreign_drawer(self) -> dict[str, ForeignSum]:
        """The same by foreign currency, and what it counted as when it was taken."""
        with self._till.reading() as connection:
            return history.foreign_drawer(connection)

    def stock_milli(self, sku: Sku) -> int:
        """What this register has moved of a product, in thousandths: sold is negative."""
        with self._till.reading() as connection:
            return QUERIES.stock_of(connection, sku=sku) or 0

    def basket(self) -> Basket | None:
        """The open transaction, as it is on the disk."""
        with self._till.reading() as connection:
            return writing.read_basket(connection)

    def begun_with(self) -> Mapping[str, Value] | None:
        """The parameters that the open transaction goes by; None: none is open."""
        with self._till.reading() as connection:
            return writing.read_begun_with(connection)

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

    def recorded(self, type: str, reference: str) -> DocumentNumber | None:
        """The document of that type that was recorded under a reference (P2)."""
        with self._till.reading() as connection:
            return history.recorded(connection, type, reference)

    def issued(self, number: DocumentNumber) -> Issued | None:
        """A sale or return of this till with what its entry says of it; None as `document` says."""
        with self._till.reading() as connection:
            return history.issued(connection, number)

    def came_back_minor(self, number: DocumentNumber) -> int:
        """What was paid back here on a receipt, also on one of another register (PO3)."""
        with self._till.reading() as connection:
            return history.came_back_minor(connection, number)

    def card_payments(self, number: DocumentNumber) -> tuple[CardPayment, ...]:
        """What cards paid of a receipt, less what was refunded here already (PO3)."""
        with self._till.reading() as connection:
            return history.card_payments_of(connection, number)

    def returnable(self, number: DocumentNumber, line: int) -> Returnable | Refusal:
        """A sold line, less what came back of it here already (PO3)."""
        with self._till.reading() as connection:
            return history.returnable_line(connection, number, line)

    def offered_date(self, head_office_ms: int | None = None) -> str:
        """The date to propose when the day is opened. `head_office_ms`: its time at the last contact."""
        with self._till.reading():
            return business_day.offered_date(self._till.day(), self._till.offer(head_office_ms))
