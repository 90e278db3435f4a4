"""Taking cash: the amounts to offer, and what was given so far of a payment in parts (PO2)."""

import threading

from holdfast.core.ids import TransactionId
from holdfast.core.money import Currency
from holdfast.core.sale import Tender
from holdfast.core.tender import CASH

_NOTES: dict[str, tuple[int, ...]] = {
    "EUR": (5, 10, 20, 50, 100, 200),
    "GBP": (5, 10, 20, 50),
    "USD": (1, 5, 10, 20, 50, 100),
    "CHF": (10, 20, 50, 100, 200),
    "JPY": (1_000, 2_000, 5_000, 10_000),
}
_OTHER_NOTES = (5, 10, 20, 50, 100, 200, 500, 1_000)
QUICK_AMOUNTS_MAX = 5


def quick_amounts(due_minor: int, currency: Currency) -> list[int]:
    """What a customer is likely to hand over beside the exact amount, in minor units, rising.

    For each note, the least that is paid with such notes alone.
    """
    if due_minor <= 0:
        return []
    notes = [note * 10**currency.digits for note in _NOTES.get(currency.code, _OTHER_NOTES)]
    amounts = {-(-due_minor // note) * note for note in notes}
    return sorted(amount for amount in amounts if amount > due_minor)[:QUICK_AMOUNTS_MAX]


class Tendering:
    """Cash given so far for the open transaction; thread-safe.

    In memory: no money has changed hands for good before the sale is concluded, and a new
    transaction begins with nothing.
    """

    def __init__(self) -> None:
        self._transaction: TransactionId | None = None
        self._tenders: tuple[Tender, ...] = ()
        self._lock = threading.Lock()

    def so_far(self, transaction: TransactionId) -> tuple[Tender, ...]:
        with self._lock:
            return self._tenders if transaction == self._transaction else ()

    def add_cash(self, transaction: TransactionId, amount_minor: int) -> tuple[Tender, ...]:
        """All tenders with this one."""
        with self._lock:
            before = self._tenders if transaction == self._transaction else ()
            self._transaction = transaction
            self._tenders = (*before, Tender(kind=CASH, amount_minor=amount_minor))
            return self._tenders

    def take_back(self, transaction: TransactionId) -> None:
        """Hand everything back: the customer pays otherwise."""
        with self._lock:
            if transaction == self._transaction:
                self._tenders = ()
