"""Stale locks at a head office in memory: the rule that ships, over what that one knows of the owners (GC9).

`hq/central/locks.py` reads the same of the fleet and of parameters.
"""

import msgspec

from holdfast.core.central.accounts import HoldKey, Kind
from holdfast.core.central.holds import Hold
from holdfast.core.central.stale import AFTER_MS_MIN, Policy, Verdict, verdict
from holdfast.core.ids import OriginId, StoreId
from holdfast.core.ingest.rows import QUARANTINED
from holdfast.core.monitoring.owed import EpochKnowledge
from holdfast.core.parameters.scope import Scope, key_of
from holdfast.hq.central.locks import OFFLINE_PARAMETERS, Lock, may_conclude_offline, owner_of
from holdfast.hq.standing import FeedAge
from holdfast.simulation.head_office import SimHeadOffice

POLICY = Policy(after_ms=AFTER_MS_MIN, contact_within_ms=6 * 3_600_000)
"""The youngest that parameters allow."""


def allowed_offline(origin: OriginId) -> frozenset[Kind]:
    """Every second register may conclude offline what it held before (GC4, GC6)."""
    is_allowed = sum(origin.encode()) % 2 == 0
    return frozenset({Kind.GIFT_CARD, Kind.CREDIT_MEMO, Kind.ON_ACCOUNT} if is_allowed else ())


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """An owner as head office has it (`hq.central.locks.KnownOwner`)."""

    series: str
    store: str
    epochs: tuple[EpochKnowledge, ...]
    waiting: int
    last_word_ms: int | None
    owing: str = "may-owe"
    """Nobody here closes a journal."""
    is_retired: bool = False
    feeds: tuple[FeedAge, ...] = ()


def stale_locks(office: SimHeadOffice) -> list[Hold]:
    """What the policy releases now."""
    now_ms = office.clock.now_ms()
    held = [
        hold
        for hold in office.store.tables.central.holds.values()
        if not hold.ended and now_ms - hold.since_ms >= POLICY.after_ms
    ]
    if not held:
        return []
    known = {origin: _known(office, origin) for origin in {hold.origin for hold in held}}
    asked, switched_on = _asked(office), _switched_on(office)
    found: list[Hold] = []
    for hold in held:
        lock, owner = _lock(hold), known[hold.origin]
        may_conclude = may_conclude_offline(lock, owner, switched_on, {})
        standing = owner_of(
            lock, owner, asked.get((hold.origin, hold.key)), is_replaced=False, may_conclude=may_conclude
        )
        if verdict(hold.since_ms, hold.told_ms, standing, POLICY, now_ms) is Verdict.RELEASE:
            found.append(hold)
    return found


def _known(office: SimHeadOffice, origin: OriginId) -> Known:
    facts = office.store.tables.origins[origin].facts
    waiting = [e for e in office.store.entries() if e.origin == origin and e.status == QUARANTINED]
    heard = office.store.tables.heartbeats.get(origin)
    return Known(
        series=facts.series,
        store=facts.store,
        epochs=tuple(office.knowledge(origin)),
        waiting=len(waiting),
        last_word_ms=None if heard is None else heard[0],
    )


def _asked(office: SimHeadOffice) -> dict[tuple[OriginId, HoldKey], tuple[str, int]]:
    """Where each was asked for, by the register that holds it."""
    tables = office.store.tables
    return {
        (asked.origin, asked.key): (tables.chains[chain].facts.epoch, seq)
        for (chain, seq), asked in sorted(tables.central.asks.items())
    }


def _switched_on(office: SimHeadOffice) -> list[str]:
    return [
        key_of(OFFLINE_PARAMETERS[kind], Scope("register", record.facts.series))
        for origin, record in office.store.tables.origins.items()
        for kind in allowed_offline(origin)
    ]


def _lock(hold: Hold) -> Lock:
    return Lock(
        key=hold.key, kind=hold.kind, account=hold.account, origin=hold.origin, transaction=hold.transaction,
        act=hold.act, amount=hold.amount, since_ms=hold.since_ms, number_end="", currency="",
        store=StoreId(""), register="", told_ms=hold.told_ms,
    )  # fmt: skip
