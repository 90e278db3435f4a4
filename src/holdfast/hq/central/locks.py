"""Locks at head office: who holds what since when, released by a person or by policy (GC9).

What head office knows of an owner is read from the fleet; the rule is `core.central.stale`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec
import psycopg

from holdfast.core.bounds import reason_refusal
from holdfast.core.central.accounts import NUMBERED, WORDS, AccountId, Act, HoldKey, Kind
from holdfast.core.central.holds import Hold
from holdfast.core.central.stale import (
    POLICY,
    Owner,
    Policy,
    Verdict,
    is_telling,
    verdict,
    what_can_happen,
)
from holdfast.core.ids import EpochId, OriginId, StoreId, TransactionId
from holdfast.core.operations.conditions import CREDIT_MEMOS_OFFLINE, GIFT_CARDS_OFFLINE, ON_ACCOUNT_OFFLINE
from holdfast.core.parameters import STORE_GROUP_NAME, ParameterRow, Place, resolve
from holdfast.core.parameters.known import (
    LOCKS_IN_TOUCH_WITHIN_H,
    LOCKS_IN_TOUCH_WITHIN_H_DEFAULT,
    LOCKS_RELEASE_AFTER_H,
    LOCKS_RELEASE_AFTER_H_DEFAULT,
)
from holdfast.core.parameters.scope import split_key
from holdfast.core.refusals import Refusal
from holdfast.hq.central.audit import note
from holdfast.hq.central.desk import take_back
from holdfast.hq.fleet import Fleet
from holdfast.hq.parameters.book import ParameterBook
from holdfast.hq.standing import FeedAge, Register
from holdfast.hq.store.central_rows import PostgresCentralValue
from holdfast.infra.clock import Clock
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq.central", "locks.sql", Engine.POSTGRES)

OFFLINE_PARAMETERS: Mapping[Kind, str] = {
    Kind.GIFT_CARD: GIFT_CARDS_OFFLINE,
    Kind.CREDIT_MEMO: CREDIT_MEMOS_OFFLINE,
    Kind.ON_ACCOUNT: ON_ACCOUNT_OFFLINE,
}
"""What lets a kind be concluded offline; points never are (LY4)."""
LISTED_MAX = 200
AT_ONCE = 100
"""So many locks are looked at in one turn of the policy."""
ASKS_AT_ONCE = 5_000
HOUR_MS = 3_600_000
BEGUN_BEFORE_MS = 24 * HOUR_MS
"""A transaction may have begun so long before it took the lock; it keeps the parameters of then."""
_LAST = 1 << 62
_BY_POLICY = "Stale by policy"


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """One hold that has not ended."""

    key: HoldKey
    kind: Kind
    account: AccountId
    origin: OriginId
    transaction: TransactionId
    act: Act
    amount: int
    since_ms: int
    number_end: str
    currency: str
    store: StoreId
    register: str
    told_ms: int = 0
    """When its till asked again and was told that it holds."""

    @property
    def words(self) -> str:
        """As a sentence names it."""
        if self.kind in NUMBERED:
            return f"{WORDS[self.kind]} …{self.number_end}"
        return f"{WORDS[self.kind]} of {self.account}"


class Standing(NamedTuple):
    """A lock, its owner, and what the policy makes of it."""

    lock: Lock
    owner: Owner
    verdict: Verdict

    @property
    def warning(self) -> str:
        """What can happen where a person releases it."""
        return what_can_happen(self.owner, self.lock.words)


class Unfinished(NamedTuple):
    """A till said that it would ask; nothing is known of what became of it."""

    key: str
    kind: str
    act: str
    account: str
    number_end: str
    transaction: str
    at_ms: int
    origin: str
    store: str
    register: str


class KnownEpoch(Protocol):
    """What is known of one branch of one epoch (`hq.standing.EpochStanding`)."""

    @property
    def epoch(self) -> EpochId: ...
    @property
    def applied_seq(self) -> int: ...
    @property
    def claimed_seq(self) -> int: ...
    @property
    def is_open(self) -> bool: ...


class KnownOwner(Protocol):
    """What is known of a register that holds something (`hq.standing.Register`)."""

    @property
    def store(self) -> str: ...
    @property
    def series(self) -> str: ...
    @property
    def epochs(self) -> Sequence[KnownEpoch]: ...
    @property
    def waiting(self) -> int: ...
    @property
    def last_word_ms(self) -> int | None: ...
    @property
    def is_retired(self) -> bool: ...
    @property
    def owing(self) -> str: ...
    @property
    def feeds(self) -> Sequence[FeedAge]: ...


class LockBook:
    """Lists and releases; each release is one transaction. Thread-safe."""

    def __init__(self, pool: Pool, fleet: Fleet, parameters: ParameterBook, clock: Clock) -> None:
        self._pool = pool
        self._fleet = fleet
        self._parameters = parameters
        self._clock = clock
        self._after = (0, "")
        """Where the policy's last turn ended."""

    # ---- looking ---------------------------------------------------------------------------------

    def count(self, store: str = "") -> int:
        with self._pool.connection() as conn:
            return _sql.count_locks(conn, store=store)

    def locks(self, store: str = "", limit: int = LISTED_MAX) -> list[Standing]:
        """The oldest first; where a store is named, of its own registers alone."""
        return self._standing(self._page((-1, ""), _LAST, store, limit), fresh=False)

    def one(self, key: str, store: str = "") -> Standing | None:
        """A lock that has not ended; None too where it is of another store."""
        with self._pool.connection() as conn:
            row = _sql.lock(conn, key=key)
        if row is None or (store and row[10] != store):
            return None
        return self._standing([_lock(row)], fresh=True)[0]

    def unfinished(self, store: str = "", limit: int = LISTED_MAX) -> list[Unfinished]:
        """Asks that nothing is known of; the oldest first."""
        with self._pool.connection() as conn:
            return [Unfinished(*row) for row in _sql.unfinished(conn, store=store, limit=limit)]

    def _page(self, after: tuple[int, str], older_than_ms: int, store: str, limit: int) -> list[Lock]:
        with self._pool.connection() as conn:
            rows = _sql.locks(
                conn, store=store, after_ms=after[0], after_key=after[1], older_than_ms=older_than_ms,
                limit=limit,
            )  # fmt: skip
            return [_lock(row) for row in rows]

    def _standing(self, locks: Sequence[Lock], *, fresh: bool) -> list[Standing]:
        """`fresh`: the owners as the database has them now, not as of some seconds ago."""
        if not locks:
            return []
        with self._pool.connection() as conn:
            asked = {
                key: (epoch, seq) for key, epoch, seq in _sql.asked(conn, keys=[lock.key for lock in locks])
            }
            changed = {name: (at_ms, version) for name, at_ms, version in _sql.changed(conn)}
        if fresh:
            found = {lock.origin: self._fleet.register(lock.origin) for lock in locks}
            replaced = {each.replaces for each in self._fleet.registers()}
        else:
            everybody = self._fleet.registers()
            found = {each.origin: each for each in everybody}
            replaced = {each.replaces for each in everybody}
        rows, today, now_ms = self._parameters.rows(), self._parameters.today(), self._clock.now_ms()
        switched_on = [key for key, row in rows.items() if _is_switch(key) and _is_ever_on(row)]
        standing: list[Standing] = []
        for lock in locks:
            register = found.get(lock.origin)
            owner = _NOBODY if register is None else owner_of(
                lock, register, asked.get(lock.key), is_replaced=lock.origin in replaced,
                may_conclude=may_conclude_offline(lock, register, switched_on, changed),
            )  # fmt: skip
            policy = policy_of(rows, lock, register, today)
            standing.append(
                Standing(lock, owner, verdict(lock.since_ms, lock.told_ms, owner, policy, now_ms))
            )
        return standing

    # ---- releasing -------------------------------------------------------------------------------

    def release(self, key: str, *, by: str, reason: str, store: str = "") -> Lock | Refusal:
        """A person releases a lock; where a store is named, one of its own registers alone."""
        if refusal := reason_refusal(reason):
            return refusal
        with self._pool.connection() as conn:
            row = _sql.lock(conn, key=key)
            if row is None or (store and row[10] != store):
                return Refusal("hold.ended", "This lock has ended in the meantime. Nothing was changed.")
            lock = _lock(row)
            done = self._take_back(conn, lock, by, reason.strip())
            return done if isinstance(done, Refusal) else lock

    def _take_back(
        self, conn: psycopg.Connection[Any], lock: Lock, by: str, reason: str, told_ms: int | None = None
    ) -> Hold | Refusal:
        now_ms = self._clock.now_ms()
        done = take_back(PostgresCentralValue(conn), lock.key, by, reason, now_ms, told_ms)
        if not isinstance(done, Refusal):
            held_min = 60 * (now_ms - lock.since_ms) // HOUR_MS
            held_for = f"{held_min} min" if held_min < 120 else f"{held_min // 60} h"
            detail = f"{lock.words}, held by {lock.register} for {held_for}, transaction {lock.transaction}"
            note(
                conn, now_ms, by, "lock-released", kind=lock.kind.value, account=lock.account, key=lock.key,
                store=lock.store, detail=detail, reason=reason,
            )  # fmt: skip
        return done

    def forget_asks(self, limit: int = ASKS_AT_ONCE) -> bool:
        """Of locks that have ended, the asking is not looked for any more. Whether more may be there."""
        with self._pool.connection() as conn:
            return _sql.forget_asks(conn, limit=limit) == limit

    def release_stale(self, limit: int = AT_ONCE) -> tuple[int, bool]:
        """One turn of the policy: how many were released, and whether more are to be looked at."""
        page = self._page(self._after, self._clock.now_ms(), "", limit)
        self._after = (page[-1].since_ms, page[-1].key) if len(page) == limit else (-1, "")
        released = 0
        stale = [each.lock for each in self._standing(page, fresh=False) if each.verdict is Verdict.RELEASE]
        for standing in self._standing(stale, fresh=True):
            if standing.verdict is not Verdict.RELEASE:
                continue
            with self._pool.connection() as conn:
                lock = standing.lock
                done = self._take_back(conn, lock, POLICY, _BY_POLICY, lock.told_ms)
                released += not isinstance(done, Refusal)
        return released, len(page) == limit


_NOBODY = Owner(
    may_conclude_offline=True, word_ms=None, is_past_asking=False, is_gone=False, is_complete=False
)
"""Of a register that is not known: nothing is released by itself."""


def owner_of(
    lock: Lock, register: KnownOwner, asked: tuple[str, int] | None, *, is_replaced: bool, may_conclude: bool
) -> Owner:
    """`asked`: the epoch and seq of the entry that asked for the lock; None: it is not here."""
    is_all_here = (
        all(each.claimed_seq <= each.applied_seq for each in register.epochs) and not register.waiting
    )
    word_ms = register.last_word_ms
    spoke_since = word_ms is not None and is_telling(max(lock.since_ms, lock.told_ms), word_ms)
    own = [] if asked is None else [each for each in register.epochs if each.epoch == asked[0]]
    # A till journals before it asks: who has spoken since, and whose asking is not among all that it claims,
    # goes on in another epoch than the one that asked.
    is_over = not any(each.is_open for each in own) if own else spoke_since and is_all_here
    return Owner(
        may_conclude_offline=may_conclude,
        word_ms=word_ms,
        is_past_asking=bool(own) and is_all_here,
        is_gone=is_over or register.is_retired or is_replaced,
        is_complete=register.owing == "complete",
    )


def may_conclude_offline(
    lock: Lock,
    register: KnownOwner,
    switched_on: Sequence[str],
    changed: Mapping[str, tuple[int, int]],
) -> bool:
    """Whether any setting that the register may go by, now or since before the lock, lets it conclude with
    such a thing offline. In doubt it may. `switched_on`: keys of switches that are on at any date."""
    name = OFFLINE_PARAMETERS.get(lock.kind)
    if name is None:
        return False
    if any(split_key(key)[0] == name and _concerns(key, register) for key in switched_on):
        return True
    changes = [changed[each] for each in (name, STORE_GROUP_NAME) if each in changed]
    if not changes:
        return False
    if max(at_ms for at_ms, _ in changes) > lock.since_ms - BEGUN_BEFORE_MS:
        return True
    age = next((each for each in register.feeds if each.feed == "parameters"), None)
    return age is None or not age.is_current


def _is_switch(key: str) -> bool:
    return split_key(key)[0] in OFFLINE_PARAMETERS.values()


def _concerns(key: str, register: KnownOwner) -> bool:
    scope = split_key(key)[1]
    if scope.kind == "register":
        return scope.code == register.series
    return scope.kind != "store" or scope.code == register.store


def _is_ever_on(row: ParameterRow) -> bool:
    return row.value is True or any(step.value is True for step in row.steps)


def policy_of(rows: Mapping[str, ParameterRow], lock: Lock, register: Register | None, today: str) -> Policy:
    """What head office's parameters say at the owner's place."""
    place = Place(lock.store, "" if register is None else register.series)

    def hours(name: str, default: int) -> int:
        found = resolve(rows, name, place, today)
        return default if found is None or not isinstance(found.value, int) else found.value

    return Policy(
        after_ms=hours(LOCKS_RELEASE_AFTER_H, LOCKS_RELEASE_AFTER_H_DEFAULT) * HOUR_MS,
        contact_within_ms=hours(LOCKS_IN_TOUCH_WITHIN_H, LOCKS_IN_TOUCH_WITHIN_H_DEFAULT) * HOUR_MS,
    )


def _lock(row: Sequence[Any]) -> Lock:
    key, kind, account, origin, transaction, act, amount, since_ms, end, currency, *place, told_ms = row
    return Lock(
        key=HoldKey(key), kind=Kind(kind), account=AccountId(account), origin=OriginId(origin),
        transaction=TransactionId(transaction), act=Act(act), amount=amount, since_ms=since_ms,
        number_end=end, currency=currency, store=StoreId(place[0]), register=place[1],
        told_ms=told_ms,
    )  # fmt: skip
