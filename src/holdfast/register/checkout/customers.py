"""Customers at the till: made, changed and forgotten, each in one durable transaction (PO7).

Nothing here knows of a network: a customer is made offline as online, under a number of this register's own
series.
"""

import apsw

from holdfast.core.basket import Act
from holdfast.core.customers import CustomerRow, Details, details_refusal, seal_details
from holdfast.core.customers.search import fits, words_of
from holdfast.core.faults import UnavailableFault
from holdfast.core.ids import ID_RANDOM_BYTES, CustomerNumber, encode_id
from holdfast.core.journal.bodies import CustomerChanged, CustomerCreated
from holdfast.core.journal.personal import NONCE_BYTES, PERSON_KEY_BYTES, Sealed
from holdfast.core.refusals import Refusal
from holdfast.infra.clock import Randomness
from holdfast.register.checkout.work_mode import WorkModes
from holdfast.register.till import customers

FORGOTTEN = Refusal("customer.forgotten", "This customer was forgotten. Choose or create another one.")
Known = tuple[CustomerRow, frozenset[str]]


class CustomersHere(WorkModes):
    """What this register made or changed itself; the rest comes with head office's feed."""

    _randomness: Randomness
    _found: dict[CustomerNumber, Known] | None = None
    _found_mark: tuple[int, ...] = ()

    # ---- reading -----------------------------------------------------------------------------

    def customer_here(self, number: CustomerNumber) -> CustomerRow | None:
        """What this register last wrote of a customer."""
        with self._till.reading() as connection:
            return customers.read_customer(connection, number)

    def customer_forgotten(self, number: CustomerNumber) -> bool:
        with self._till.reading() as connection:
            return customers.is_forgotten(connection, number)

    def customers_here(self, terms: tuple[str, ...], limit: int) -> list[CustomerRow]:
        """Those of this register's own that have a word for each term."""
        with self._till.reading() as connection:
            known = self._opened(connection)
            found = [row for row, words in known.values() if fits(words, terms)]
        return found[:limit]

    def _opened(self, connection: apsw.Connection) -> dict[CustomerNumber, Known]:
        """All of them, opened; only what changed since is opened anew."""
        mark = customers.mark(connection)
        if self._found is not None and mark == self._found_mark:
            return self._found
        before, found = self._found or {}, dict[CustomerNumber, Known]()
        for number, revision in customers.revisions(connection).items():
            known = before.get(number)
            row = known[0] if known is not None and known[0].revision == revision else None
            row = row or customers.read_customer(connection, number)
            if row is not None and row.details is not None:
                found[number] = (row, words_of(number, row.details))
        self._found, self._found_mark = found, mark
        return found

    # ---- writing -----------------------------------------------------------------------------

    def create_customer(self, details: Details, act: Act) -> CustomerRow | Refusal:
        """Somebody new, under the next number of this register's own series."""
        if refusal := details_refusal(details):
            return refusal

        def work() -> CustomerRow:
            till = self._till
            at = till.place()
            number = customers.take_number(till.connection, till.config.series, at.n, at.head.epoch)
            sealed = self._seal(till.connection, number, details)
            body = CustomerCreated(customer=number, sealed=sealed, by=act.by)
            till.append(at, "customer_created", 1, body, till.stamp())
            customers.put_customer(till.connection, number, 1, sealed)
            return CustomerRow(number=number, details=details)

        return self._unless_full(work)

    def change_customer(self, known: CustomerRow, details: Details, act: Act) -> CustomerRow | Refusal:
        """All that is known of somebody, anew. `known`: as it was shown."""
        if refusal := details_refusal(details):
            return refusal

        def work() -> CustomerRow | Refusal:
            till = self._till
            if customers.is_forgotten(till.connection, known.number):
                return FORGOTTEN
            revision = known.revision + 1
            sealed = self._seal(till.connection, known.number, details)
            body = CustomerChanged(customer=known.number, sealed=sealed, revision=revision, by=act.by)
            till.append(till.place(), "customer_changed", 1, body, till.stamp())
            customers.put_customer(till.connection, known.number, revision, sealed)
            return CustomerRow(number=known.number, revision=revision, details=details)

        return self._unless_full(work)

    def _seal(self, connection: apsw.Connection, number: CustomerNumber, details: Details) -> Sealed:
        """Under the person's key that this register has, or a new one: beside the journal, never in it."""
        found = customers.key_of(connection, number)
        if found is None:
            found = (
                encode_id(self._randomness.bytes(ID_RANDOM_BYTES)),
                self._randomness.bytes(PERSON_KEY_BYTES),
            )
            customers.add_key(connection, found[0], number, found[1])
        person, key = found
        return seal_details(person, key, self._randomness.bytes(NONCE_BYTES), details)

    # ---- forgetting --------------------------------------------------------------------------

    def forget_customers(self, numbers: tuple[CustomerNumber, ...]) -> int:
        """Head office forgot them: destroy their keys here. Entries and numbers stay. Again: no effect."""
        till = self._till

        def work() -> int:
            at_ms = till.stamp().at_ms
            for number in numbers:
                customers.forget(till.connection, number, at_ms)
            return len(numbers)

        self._secure("on")
        try:
            forgotten = till.transact(work, finishing=True)
        finally:
            self._secure("off")
        self._found = None
        self.erase_forgotten()
        return forgotten

    def _secure(self, on: str) -> None:
        """Whether what is deleted is overwritten too; a sale deletes nothing that needs it."""
        with self._till.reading() as connection:
            connection.execute(f"pragma secure_delete = {on}").fetchall()

    def tidy(self) -> None:
        """As ever; and what a reader kept from being erased before."""
        super().tidy()
        self.erase_forgotten()

    def erase_forgotten(self) -> bool:
        """Empty the log of what it says of destroyed keys; False: somebody reads it just now, try again."""
        till = self._till
        with till.reading() as connection:
            waits = customers.waits_for_erasing(connection)
        if not waits:
            return True
        try:
            till.empty_log()
        except UnavailableFault:
            return False
        till.transact(lambda: customers.erased(till.connection), finishing=True)
        return True
