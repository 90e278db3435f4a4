"""Real-time services of central value as the web gives them: the desk, attempts limited, holders by name."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from holdfast.core.central.accounts import NUMBERED, Kind
from holdfast.core.central.holds import Declined, Held, HoldRequest
from holdfast.core.central.services import Balance, BalanceRequest, ReleaseRequest
from holdfast.core.ids import OriginId, StoreId
from holdfast.hq.central.attempts import WRONG, Attempts
from holdfast.hq.central.desk import CentralDesk
from holdfast.hq.store.postgres import PostgresStore
from holdfast.infra.clock import Clock
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

A = TypeVar("A", Held, Balance)
_sql = load_queries("holdfast.hq.central", "services.sql", Engine.POSTGRES)


class Throttled(msgspec.Struct, frozen=True):
    """Too many wrong numbers came from there."""

    wait_ms: int


class CentralServices:
    """What a register in a session may ask. Thread-safe."""

    def __init__(
        self, pool: Pool, clock: Clock, number_key: bytes, tier_of: Callable[[str], str] = lambda _: ""
    ) -> None:
        """`tier_of`: the tier of a customer's points."""
        self._pool = pool
        self._tier_of = tier_of
        self._attempts = Attempts(clock)
        self.desk = CentralDesk(PostgresStore(pool), clock, number_key)

    def hold(self, origin: OriginId, address: str, request: HoldRequest) -> Held | Declined | Throttled:
        """A hold for that register's transaction (GC2)."""
        return self._limited(origin, address, request.kind, lambda: self.desk.hold(origin, request))

    def balance(
        self, origin: OriginId, address: str, asked: BalanceRequest
    ) -> Balance | Declined | Throttled:
        """What is on it (GC1)."""
        answer = self._limited(
            origin,
            address,
            asked.kind,
            lambda: self.desk.balance(asked.kind, asked.number, asked.account, asked.pin),
        )
        if isinstance(answer, Balance) and answer.kind is Kind.POINTS:
            return msgspec.structs.replace(answer, tier=self._tier_of(answer.account))
        return answer

    def release(self, origin: OriginId, asked: ReleaseRequest) -> None:
        """A hold that is not needed any more (GC3). Again, or of a key never heard of: no effect."""
        self.desk.release(origin, asked.key, asked.cause)

    def _limited(
        self, origin: OriginId, address: str, kind: Kind, ask: Callable[[], A | Declined]
    ) -> A | Declined | Throttled:
        """A customer's number opens nothing: only numbers of cards and memos are guessed."""
        store, _ = self._who(origin)
        wait_ms = self._attempts.wait_ms(origin, store, address) if kind in NUMBERED else 0
        if wait_ms:
            return Throttled(wait_ms)
        answer = ask()
        if not isinstance(answer, Declined):
            return answer
        if kind in NUMBERED and answer.code in WRONG:
            self._attempts.wrong(origin, store, address)
        if not answer.holder:
            return answer
        _, name = self._who(answer.holder)
        return msgspec.structs.replace(answer, holder_name=name)

    def _who(self, origin: OriginId) -> tuple[StoreId, str]:
        with self._pool.connection() as conn:
            found = _sql.who(conn, origin=origin)
        return (StoreId(""), "") if found is None else (StoreId(found[0]), found[1])
