"""What central value needs of the machine that it is used at."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from holdfast.core.ids import StaffId
from holdfast.core.journal.writer import Stamp
from holdfast.core.sale import Sale
from holdfast.simulation.disk import Database
from holdfast.simulation.ledger import Ledger, Life
from holdfast.simulation.sync import SimSync
from holdfast.simulation.world import NodeClock

Make = Callable[[str, Stamp], Sale]
"""(number, stamp) → the document."""


class ValueMachine(Protocol):
    """A simulated register."""

    database: Database
    ledger: Ledger
    life: Life
    alive: bool
    sync: SimSync | None
    cashier: StaffId
    clock: NodeClock

    def handed_seq(self) -> int | None:
        """Up to where entries of the open epoch may have left; None: nobody knows."""
        ...

    def write_value(self, type: str, body: msgspec.Struct) -> None:
        """An entry, with the wallet as it stands by then."""
        ...

    def write_document(self, type: str, make: Make) -> None:
        """The same with a number."""
        ...
