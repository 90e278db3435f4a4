"""Keys of persons on their way up, and the word that somebody was forgotten on its way into the till (PO7).

Both from what the two databases hold, so that a lost answer, a restored till and a head office that lost
state all come to the same: each key is there once, and no key of a forgotten person anywhere.
"""

import apsw

from holdfast.core.faults import UnavailableFault
from holdfast.core.ids import CustomerNumber, IncarnationId
from holdfast.core.sync.person_keys import PERSON_KEYS_MAX, KeyOfPerson, PersonKeys, PersonKeysTaken
from holdfast.infra.sqlite import empty_log
from holdfast.register.sync.customers import CUSTOMERS
from holdfast.register.sync.database import read, write
from holdfast.register.sync.requests import ForgetRequest, file_request
from holdfast.register.till.customers import forgotten, keys_mark, person_key, persons

FORGET_AT_ONCE = 500


class Forgetting:
    """Over the till's database to read and the reference to write."""

    def __init__(self, reference: apsw.Connection, till: apsw.Connection) -> None:
        self._reference = reference
        self._till = till
        self._settled: object = None
        """What the till held when head office last had all of it; to look through its keys takes a while."""

    # ---- up --------------------------------------------------------------------------------------

    def to_send(self, incarnation: IncarnationId) -> PersonKeys | None:
        """What head office, in this incarnation, was not told yet."""
        gone = self._gone() | set(forgotten(self._till))
        mark = (incarnation, keys_mark(self._till), len(gone))
        if mark == self._settled:
            return None
        sent = read(self._reference, lambda: CUSTOMERS.sent(self._reference, incarnation=incarnation))
        known = {person for (person,) in sent}
        waiting = [person for person in persons(self._till) if person not in known][:PERSON_KEYS_MAX]
        found = [key for key in (person_key(self._till, person) for person in waiting) if key is not None]
        told = read(self._reference, lambda: CUSTOMERS.told(self._reference, incarnation=incarnation)) or 0
        if not found and len(gone) == told:
            self._settled = mark
            return None
        return PersonKeys(
            keys=tuple(KeyOfPerson(person=key.person, customer=key.customer, key=key.key) for key in found),
            forgotten=tuple(sorted(gone)) if len(gone) != told else (),
        )

    def sent(self, incarnation: IncarnationId, message: PersonKeys, reply: PersonKeysTaken) -> None:
        """Head office has them; of whom it says so, the keys are destroyed here too."""

        def store() -> None:
            for number in reply.forgotten:
                CUSTOMERS.add_gone(self._reference, number=number)
            for each in message.keys:
                CUSTOMERS.add_sent(self._reference, incarnation=incarnation, person=each.person)
            if message.forgotten:
                told = len(message.forgotten)
                CUSTOMERS.set_told(self._reference, incarnation=incarnation, customers=told)

        write(self._reference, store)

    # ---- down ------------------------------------------------------------------------------------

    def bring_home(self, now_ms: int) -> int:
        """Ask checkout to forget whom the feed says were forgotten, unless it did; how many of them."""
        wanted = sorted(self._gone() - set(forgotten(self._till)))[:FORGET_AT_ONCE]
        if wanted:
            request = ForgetRequest(customers=tuple(wanted))
            write(self._reference, lambda: file_request(self._reference, request, now_ms))
        return len(wanted)

    def erase(self) -> None:
        """Empty the log of `reference.db` of what it says of who was forgotten; later, if it is read now."""
        if not read(self._reference, lambda: CUSTOMERS.unerased(self._reference)):
            return
        try:
            empty_log(self._reference)
        except UnavailableFault:
            return
        write(self._reference, lambda: CUSTOMERS.set_erased(self._reference))

    def _gone(self) -> set[CustomerNumber]:
        rows = read(self._reference, lambda: CUSTOMERS.gone(self._reference))
        return {CustomerNumber(number) for (number,) in rows}
