"""Whether this life of head office knows enough to hold value again, and who is missing."""

from typing import NamedTuple

from holdfast.core.bounds import reason_refusal
from holdfast.core.central.after_loss import has_answered
from holdfast.core.refusals import Refusal
from holdfast.hq.central.audit import note
from holdfast.hq.fleet import Fleet
from holdfast.hq.standing import Register
from holdfast.infra.clock import Clock
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq.central", "after_loss.sql", Engine.POSTGRES)

_ALL_ANSWERED = "All registers answered"


class State(NamedTuple):
    """How it stands since the last loss."""

    incarnation: str
    cause: str
    """`created`: nothing was ever lost."""
    since_ms: int
    opened_at_ms: int | None
    opened_by: str
    """Empty: nobody had to."""
    reason: str
    registers: int
    """In service."""
    missing: tuple[Register, ...]

    @property
    def is_waiting(self) -> bool:
        return self.cause != "created" and self.opened_at_ms is None


class AfterLoss:
    """Reads, notes who answered, and opens again. Thread-safe."""

    def __init__(self, pool: Pool, fleet: Fleet, clock: Clock) -> None:
        self._pool = pool
        self._fleet = fleet
        self._clock = clock

    def state(self) -> State:
        with self._pool.connection() as conn:
            incarnation, cause, since_ms, opened_at_ms, by, reason = _sql.life(conn)
            answered = {origin for (origin,) in _sql.answered(conn, incarnation=incarnation)}
        in_service = [
            each for each in self._fleet.registers() if each.kind == "register" and not each.is_retired
        ]
        is_over = cause == "created" or opened_at_ms is not None
        missing = () if is_over else tuple(each for each in in_service if each.origin not in answered)
        return State(
            incarnation, cause, since_ms, opened_at_ms, by or "", reason or "", len(in_service), missing
        )

    def look(self) -> bool:
        """Note who has answered, and open once nobody is missing. Whether it still waits."""
        with self._pool.connection() as conn:
            _, cause, _, opened_at_ms, *_ = _sql.life(conn)
        if cause == "created" or opened_at_ms is not None:
            return False
        state = self.state()
        answered = [each.origin for each in state.missing if has_answered(each.owing)]
        now_ms = self._clock.now_ms()
        with self._pool.connection() as conn:
            _sql.add_answered(conn, incarnation=state.incarnation, origins=answered, at_ms=now_ms)
            if len(answered) == len(state.missing):
                _sql.reopen(conn, incarnation=state.incarnation, at_ms=now_ms, by="", reason=_ALL_ANSWERED)
                return False
        return True

    def reopen(self, *, by: str, reason: str) -> Refusal | None:
        """A person says that value is held again though some have not answered."""
        if refusal := reason_refusal(reason):
            return refusal
        state = self.state()
        if not state.is_waiting:
            return Refusal("restored.over", "Nothing is waited for any more. Nothing was changed.")
        now_ms = self._clock.now_ms()
        with self._pool.connection() as conn:
            _sql.reopen(conn, incarnation=state.incarnation, at_ms=now_ms, by=by, reason=reason.strip())
            missing = ", ".join(each.name for each in state.missing[:20])
            detail = f"{len(state.missing)} of {state.registers} registers had not answered: {missing}"
            note(conn, now_ms, by, "grants-opened", detail=detail, reason=reason.strip())
        return None
