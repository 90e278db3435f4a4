"""A batch's events of central value, settled in the batch's own transaction (P3)."""

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from holdfast.core.central.accounts import GIVES, NUMBERED, HoldKey, Kind
from holdfast.core.central.numbers import number_mac
from holdfast.core.central.settle import (
    AccountKey,
    Event,
    Facts,
    GrantTold,
    KeyEnded,
    Moved,
    Settled,
    settle,
)
from holdfast.core.ids import OriginId
from holdfast.hq.store.central_port import CentralValue
from holdfast.hq.store.port import Transaction

SAID_MAX = 20
"""Alerts of one batch; the report has every movement with a remark."""


def settle_events(
    transaction: Transaction, events: Sequence[Event], origin: OriginId, number_key: bytes, now_ms: int
) -> None:
    """What these events do, stored; remarks are told to people."""
    facts = _facts(transaction.central, events)
    outcome = settle(facts, events)
    macs = {place: number_mac(number_key, place[0], number) for place, number in outcome.numbers.items()}
    transaction.central.put(outcome, macs, now_ms)
    for detail in _told(outcome.settled):
        transaction.alert("central-value", origin, detail)


def _facts(central: CentralValue, events: Sequence[Event]) -> Facts:
    """What stands for these events; where an account lacks something, its customer's others too, asked for
    under its lock: nothing is booked over meanwhile."""
    moved = [event for event in events if isinstance(event, Moved)]
    accounts = {_account_of(event) for event in moved}
    keys, grants = sorted(_keys_of(events)), sorted(_grants_of(events))
    facts = central.facts(sorted(accounts), keys, grants)
    short = _short(facts, moved)
    kin = central.kin(short) if short else {}
    if not kin:
        return facts
    # Whoever gives may be short by then of the same batch, and has others of its own.
    kin = central.kin(sorted({*short, *itertools.chain.from_iterable(kin.values())}))
    facts = central.facts(sorted(accounts.union(*kin.values())), keys, grants)
    return msgspec.structs.replace(facts, kin=kin)


def _short(facts: Facts, moved: Iterable[Moved]) -> list[AccountKey]:
    """Customers' accounts of which more is taken than there is."""
    taken: Counter[AccountKey] = Counter()
    for event in moved:
        movement = event.movement
        if movement.kind not in NUMBERED:
            asked = movement.amount if movement.act in GIVES else -movement.amount
            taken[_account_of(event)] -= min(asked, 0)
    return sorted(
        place
        for place, amount in taken.items()
        if amount and (place not in facts.accounts or amount > facts.accounts[place].available)
    )


def _keys_of(events: Iterable[Event]) -> set[HoldKey]:
    """Keys whose holds may end."""
    moved = {event.movement.key for event in events if isinstance(event, Moved)}
    return (moved | {event.key for event in events if isinstance(event, KeyEnded)}) - {HoldKey("")}


def _grants_of(events: Iterable[Event]) -> set[str]:
    moved = {event.movement.grant for event in events if isinstance(event, Moved)}
    return (moved | {event.grant for event in events if isinstance(event, GrantTold)}) - {""}


def _account_of(event: Moved) -> AccountKey:
    return (Kind(event.movement.kind), event.movement.account)


def _told(settled: Iterable[Settled]) -> list[str]:
    """One sentence for each kind and remark, with how many and how much."""
    count: Counter[tuple[str, str]] = Counter()
    amount: Counter[tuple[str, str]] = Counter()
    for row in settled:
        if row.remark:
            kind = (row.moved.movement.kind.value, row.remark)
            count[kind] += 1
            amount[kind] += abs(row.difference)
    return [
        f"{count[kind]} movement(s) of {kind[0]}: {kind[1]}, difference {amount[kind]}"
        for kind in sorted(count)[:SAID_MAX]
    ]
