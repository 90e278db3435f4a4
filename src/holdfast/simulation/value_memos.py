"""Credit memos that a simulated till vouches for by itself: the rule that ships, over its disk and its note
of what was handed to the wire (GC6)."""

from collections.abc import Collection, Iterator

from holdfast.core.central.accounts import HoldKey
from holdfast.core.central.at_till import Holds
from holdfast.core.central.entries import ValueMovement
from holdfast.core.central.vouched import OwnMemo, beside, handed_refusal, own_memo
from holdfast.core.journal.entry import decode_entry
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Sale
from holdfast.simulation.documents import TOMORROW
from holdfast.simulation.value_machine import ValueMachine


class OwnMemos:
    """One machine's."""

    def __init__(self, machine: ValueMachine) -> None:
        self._machine = machine

    def issued(self, number: str) -> None:
        """The oracle notes where its entry stands."""
        head = self._machine.database.head
        assert head is not None, "it was written just now"
        self._machine.ledger.issued[number] = (head.epoch, head.seq)

    def found(self, number: str) -> OwnMemo | None:
        """What is left of it for another transaction; None: it is none of this till's."""
        head = self._machine.database.head
        applied = None if head is None else self._machine.database.reference.applied().get(head.epoch)
        wallet = self._machine.database.wallet
        holds = (hold for begun in wallet.all() for hold in begun.holds)
        return beside(self._look(number, 0 if applied is None else applied.seq), number, holds)

    def refusal(self, holds: Holds, used: Collection[HoldKey]) -> Refusal | None:
        """As the transaction concludes."""
        return handed_refusal(holds, used, lambda number: self._look(number, 0))

    def _look(self, number: str, applied: int) -> OwnMemo | None:
        return own_memo(self._moved, number, applied, self._machine.handed_seq())

    def _moved(self, first_seq: int, text: str) -> Iterator[tuple[int, ValueMovement]]:
        epochs, sought = self._machine.database.epochs, text.encode()
        for entry in epochs[-1].entries[first_seq - 1 :] if epochs else ():
            if entry.readable and sought in entry.data:
                body = TOMORROW.decode(decode_entry(entry.data))
                if isinstance(body, Sale):
                    yield from ((entry.seq, movement) for movement in body.values)
