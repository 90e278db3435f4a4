"""What must hold of central value: it moves by applied entries alone, once each, and nothing else is on the
report than what somebody can explain (P2, P8)."""

from collections import Counter, defaultdict

import msgspec

from holdfast.core.central.accounts import GIVES, Act, HoldKey, Kind
from holdfast.core.central.entries import HoldAsked, HoldEnded
from holdfast.core.central.grants import (
    GRANT_EXCEEDED,
    GRANT_EXPIRED,
    GRANT_OF_ANOTHER,
    GRANT_UNKNOWN,
)
from holdfast.core.central.settle import (
    KEY_ENDED,
    NO_ACCOUNT,
    NOT_HELD,
    OVERSPENT,
    TAKEN_BACK_THEN_USED,
    Place,
    Settled,
)
from holdfast.core.ingest.rows import APPLIED
from holdfast.core.journal.entry import decode_entry
from holdfast.core.sale import Sale, TransactionVoided
from holdfast.simulation.documents import TOMORROW
from holdfast.simulation.ledger import Fact
from holdfast.simulation.scenario import Simulation
from holdfast.simulation.shoppers import Shoppers

_ASKS, _ENDS = ("hold_asked",), ("hold_ended", "transaction_voided", "sale", "return")


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """What the oracle saw of each key, whatever became of it since."""

    asked: dict[HoldKey, list[Fact]]
    ended: dict[HoldKey, list[Fact]]
    granted: dict[str, set[int]]
    """Allowance → lives that took of it."""


def value_exact(simulation: Simulation) -> list[str]:
    """The ledger has a row for each movement of an applied entry, and none else; balances are its sums."""
    office = simulation.head_office.store
    expected: dict[Place, tuple[str, int]] = {}
    for entry in office.entries():
        if entry.status != APPLIED or entry.type not in ("sale", "return"):
            continue
        body = TOMORROW.decode(decode_entry(entry.data))
        assert isinstance(body, Sale), "an applied sale reads"
        for ordinal, movement in enumerate(body.values, 1):
            asked = movement.amount if movement.act in GIVES else -movement.amount
            expected[Place(entry.chain, entry.seq, ordinal)] = (f"{movement.kind} {movement.account}", asked)
    found: list[str] = []
    rows = list(office.tables.central.movements.values())
    booked: dict[Place, tuple[str, int]] = {
        row.moved.place: (f"{row.moved.movement.kind} {row.moved.movement.account}", -row.counter)
        for row in rows
    }
    if len(booked) != len(rows):
        found.append("P8: a movement is booked twice")
    found += [f"P8: movement {place} is not booked" for place in expected.keys() - booked.keys()]
    found += [f"P8: movement {place} comes of no entry" for place in booked.keys() - expected.keys()]
    found += [
        f"P8: movement {place} moves {booked[place]}, its entry says {asked}"
        for place, asked in expected.items()
        if booked.get(place, asked) != asked
    ]
    return found + _balances(simulation, rows)


def _balances(simulation: Simulation, rows: list[Settled]) -> list[str]:
    found: list[str] = []
    sums: Counter[tuple[Kind, str]] = Counter()
    for row in rows:
        movement = row.moved.movement
        sums[movement.kind, movement.account] += row.booked
        if row.booked + row.counter + row.difference:
            found.append(f"P8: movement {row.moved.place} is not balanced")
        if row.difference and not row.remark:
            found.append(f"P8: difference {row.difference} of {row.moved.place} is on no report")
    for (kind, account), numbered in simulation.head_office.store.tables.central.accounts.items():
        balance = numbered.account.balance
        if balance != sums[kind, account]:
            found.append(f"P8: {kind} {account} has {balance}, its movements come to {sums[kind, account]}")
        if balance < -numbered.account.limit:
            found.append(f"P8: {kind} {account} is at {balance}, below its floor")
    return found


def value_kept(simulation: Simulation, shoppers: Shoppers) -> list[str]:
    """Of a run in which people use it."""
    keys = _keys(simulation)
    return [
        *value_explained(simulation, keys, shoppers),
        *exposure_bounded(simulation, keys),
        *nothing_stranded(simulation, keys),
    ]


def value_explained(simulation: Simulation, keys: Keys, shoppers: Shoppers) -> list[str]:
    """Each remark on the report has a cause: a copied disk, a restored head office, or somebody's release. In
    a run without these nothing is overspent."""
    is_restored = simulation.head_office.restores > 0
    rows = list(simulation.head_office.store.tables.central.movements.values())
    nodes = {life.node for life in simulation.ledger.lives if life.copied_whole}
    copied = {register.origin for register in simulation.registers if register.node in nodes}
    shaken = {
        (row.moved.movement.kind, row.moved.movement.account)
        for row in rows
        if row.remark in (NOT_HELD, TAKEN_BACK_THEN_USED)
        or row.moved.movement.grant
        or (_is_vouched_for(row) and row.moved.origin in copied)
    }
    found: list[str] = []
    for row in rows:
        movement = row.moved.movement
        lives = {fact.life.number for fact in keys.ended[movement.key]}
        explained = {
            "": True,
            KEY_ENDED: len(lives) > 1,
            TAKEN_BACK_THEN_USED: _is_released(simulation, shoppers, movement.key)
            or row.moved.origin in copied,
            NOT_HELD: is_restored,
            NO_ACCOUNT: is_restored,
            OVERSPENT: movement.kind is Kind.POINTS or (movement.kind, movement.account) in shaken,
            GRANT_UNKNOWN: is_restored,
            GRANT_OF_ANOTHER: False,
            GRANT_EXCEEDED: is_restored or len(keys.granted[movement.grant]) > 1,
            GRANT_EXPIRED: True,
        }
        if not explained.get(row.remark, False):
            what = f"{movement.kind} {movement.account}: {row.remark} {row.difference}"
            found.append(f"P8: {what}, and nothing explains it")
    return found


def _is_released(simulation: Simulation, shoppers: Shoppers, key: HoldKey) -> bool:
    """By a person; or by the policy just before it was used, by somebody whom head office had told a moment
    ago that it holds it (`value_oracle` looks at that)."""
    by_policy_ms = shoppers.released_ms.get(key)
    return key in shoppers.taken_back or (
        by_policy_ms is not None
        and any(use.at_ms >= by_policy_ms for use in simulation.ledger.used.get(key, ()))
    )


def _is_vouched_for(row: Settled) -> bool:
    """Taken of a memo by the till that issued it, without asking anybody: so does each copy of its disk."""
    movement = row.moved.movement
    return movement.kind is Kind.CREDIT_MEMO and movement.act is Act.REDEEM and not movement.key


def exposure_bounded(simulation: Simulation, keys: Keys) -> list[str]:
    """What an allowance let through beyond an account's balance is never more than the allowance, but where
    its disk was copied or head office forgot it (GC10)."""
    central = simulation.head_office.store.tables.central
    beyond: Counter[str] = Counter()
    for row in central.movements.values():
        if row.moved.movement.grant:
            beyond[row.moved.movement.grant] -= row.difference
    return [
        f"P8: {minor} were overspent by the allowance {name} of {central.grants[name].amount_minor}"
        for name, minor in beyond.items()
        if name in central.grants
        and minor > central.grants[name].amount_minor
        and len(keys.granted[name]) == 1
        and not simulation.head_office.restores
    ]


def nothing_stranded(simulation: Simulation, keys: Keys) -> list[str]:
    """No lock stays whose owner's journal goes on: it settled it, or gave it up."""
    office = simulation.head_office.store
    waiting = {(e.origin, e.epoch, e.seq, e.hash) for e in office.entries() if e.status != APPLIED}
    found: list[str] = []
    for hold in office.tables.central.holds.values():
        if hold.ended:
            continue
        ends = keys.ended[hold.key]
        if ends and all(fact.key in waiting for fact in ends):
            continue
        owners = [
            register.node
            for register in simulation.registers
            for fact in keys.asked[hold.key]
            if register.origin == fact.origin and register.database.hash_at(fact.epoch, fact.seq) == fact.hash
        ]
        if owners:
            found.append(f"P8: {hold.kind} {hold.account} stays locked by {owners[0]}, which goes on")
    return found


def _keys(simulation: Simulation) -> Keys:
    keys = Keys(asked=defaultdict(list), ended=defaultdict(list), granted=defaultdict(set))
    for fact in simulation.ledger.facts.values():
        if fact.type not in (*_ASKS, *_ENDS) or not fact.is_sound:
            continue
        body = TOMORROW.decode(decode_entry(fact.data))
        if isinstance(body, HoldAsked):
            keys.asked[body.key].append(fact)
        elif isinstance(body, HoldEnded):
            keys.ended[body.key].append(fact)
        elif isinstance(body, TransactionVoided):
            for key in body.held:
                keys.ended[key].append(fact)
        elif isinstance(body, Sale):
            for movement in body.values:
                keys.ended[movement.key].append(fact)
                keys.granted[movement.grant].add(fact.life.number)
    return keys
