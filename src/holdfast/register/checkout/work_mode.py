"""Working offline by hand, and Enable Online POS: one entry each, in force from its commit on (SW3)."""

from holdfast.core import work_mode
from holdfast.core.basket import Act
from holdfast.core.refusals import Refusal
from holdfast.core.work_mode import Work, WorkMode, WorkModeChanged
from holdfast.register.checkout.entries import Entries
from holdfast.register.till.work_mode import read_work_mode, write_work_mode


class WorkModes(Entries):
    """The choice is the till's own, so that it outlives sync's database and a restart."""

    def work_mode(self) -> WorkMode:
        """The choice in force."""
        with self._till.reading() as connection:
            return read_work_mode(connection)

    def choose_work_mode(
        self, work: Work, reason: str, act: Act, *, line: str, may: bool
    ) -> WorkModeChanged | Refusal:
        """`line`: the connection's state now. `may`: whether this person's role needs no manager for it."""

        def choose() -> WorkModeChanged | Refusal:
            till = self._till
            before = read_work_mode(till.connection)
            chosen = work_mode.choose(before, act, work, reason, line=line, may=may)
            if isinstance(chosen, WorkModeChanged):
                stamp = till.stamp()
                till.append(till.place(), "work_mode_changed", 1, chosen, stamp)
                write_work_mode(till.connection, work_mode.after(before, chosen, stamp.at_ms))
            return chosen

        return self._till.transact(choose, finishing=True)
