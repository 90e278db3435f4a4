"""Beginning and ending a drill: one entry each, in force from its commit on (SW11)."""

from holdfast.core import drill as drills
from holdfast.core.basket import Act
from holdfast.core.drill import NOTHING_NOTICED, Cause, Drill, DrillEnded, DrillStarted, Tally
from holdfast.core.ids import StaffId
from holdfast.core.readiness import Readiness
from holdfast.core.refusals import Refusal
from holdfast.register.checkout.entries import Entries
from holdfast.register.till.drill import made_in, read_drill, read_tally, write_drill, write_tally
from holdfast.register.till.till import Till

NO_DRILL = Refusal("drill.none", "No drill is going on.")


def end_drill(
    till: Till, cause: Cause, *, tally: Tally = NOTHING_NOTICED, by: StaffId | None = None
) -> DrillEnded | Refusal:
    """Within a transaction."""
    drill = read_drill(till.connection)
    if drill is None:
        return NO_DRILL
    stamp = till.stamp()
    made = made_in(till.connection, drill)
    ended = drills.end(drill, cause, stamp.at_ms, made, tally, by or "")
    till.append(till.place(), "drill_ended", 1, ended, stamp)
    write_drill(till.connection, None)
    return ended


class Drilling(Entries):
    """The drill is the till's own, so that its end is on record whatever comes between."""

    def drill(self) -> Drill | None:
        """The one in force, or whose time is up and whose end is not written yet."""
        with self._till.reading() as connection:
            return read_drill(connection)

    def drill_tally(self) -> Tally:
        """What was noticed in it, as an earlier process kept it."""
        with self._till.reading() as connection:
            return read_tally(connection)

    def keep_drill_tally(self, tally: Tally) -> None:
        """For a restart, which ends the drill. StorageFullFault where it cannot be written."""
        self._till.transact(lambda: write_tally(self._till.connection, tally), finishing=True)

    def start_drill(
        self, reason: str, minutes: int, act: Act, *, may: bool, readiness: Readiness
    ) -> Drill | Refusal:
        """`may`: whether this person's role needs nobody's approval for it."""

        def work() -> Drill | Refusal:
            till = self._till
            started = drills.start(
                read_drill(till.connection),
                act,
                reason,
                minutes,
                may=may,
                readiness=readiness.score,
                findings=readiness.findings,
            )
            return self._begin_drill(started) if isinstance(started, DrillStarted) else started

        return self._unless_full(work)

    def _begin_drill(self, started: DrillStarted) -> Drill:
        till, stamp = self._till, self._till.stamp()
        written = till.append(till.place(), "drill_started", 1, started, stamp)
        drill = drills.after(None, started, written.head.epoch, written.seq, stamp.at_ms)
        assert drill is not None, "what was started goes on"
        write_drill(till.connection, drill)
        return drill

    def end_drill(
        self, cause: Cause, *, tally: Tally = NOTHING_NOTICED, by: StaffId | None = None
    ) -> DrillEnded | Refusal:
        """On record with what came of it. `by`: whoever ended it; None: it ended by itself."""
        return self._till.transact(lambda: end_drill(self._till, cause, tally=tally, by=by), finishing=True)
