"""Central value in memory: what the simulation runs on, and what PostgreSQL is compared with."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec

from holdfast.core.central.accounts import SHARED, AccountId, HoldKey, Kind, State
from holdfast.core.central.grants import Grant
from holdfast.core.central.holds import Hold
from holdfast.core.central.settle import AccountKey, Facts, KeyAsked, Outcome, Settled
from holdfast.hq.store.central_port import Numbered
from holdfast.hq.store.port import RaceFault

Set = Callable[[dict[Any, Any], Any, Any], None]
"""Changes a table, and remembers how to undo that."""


class CentralTables:
    """The tables, keyed as PostgreSQL's primary keys are."""

    def __init__(self) -> None:
        self.accounts: dict[AccountKey, Numbered] = {}
        """As their last movements left them."""
        self.movements: dict[tuple[Kind, AccountId, int], Settled] = {}
        self.holds: dict[HoldKey, Hold] = {}
        self.grants: dict[str, Grant] = {}
        self.asks: dict[tuple[int, int], KeyAsked] = {}
        """By the place of the entry."""
        self.waiting: dict[str, bool] = {}
        """Under the empty name: whether registers are waited for since a loss."""
        self.numbers: dict[tuple[Kind, bytes], AccountId] = {}
        """An index of accounts by their numbers."""
        self.held: dict[AccountKey, tuple[HoldKey, ...]] = {}
        """An index of holds that have not ended."""

    def __copy__(self) -> "CentralTables":
        """Rows are values: copying the tables is enough."""
        other = CentralTables()
        for name, table in vars(self).items():
            setattr(other, name, table.copy())
        return other


class MemoryCentralValue:
    """`CentralValue` over the tables of one transaction."""

    def __init__(self, tables: CentralTables, set: Set) -> None:
        self._tables = tables
        self._set = set

    def facts(
        self, accounts: Collection[AccountKey], keys: Collection[HoldKey], allowances: Collection[str]
    ) -> Facts:
        tables = self._tables
        return Facts(
            accounts={
                place: tables.accounts[place].account for place in accounts if place in tables.accounts
            },
            holds={key: tables.holds[key] for key in keys if key in tables.holds},
            grants={name: tables.grants[name] for name in allowances if name in tables.grants},
        )

    def put(self, outcome: Outcome, macs: Mapping[AccountKey, bytes], at_ms: int) -> None:
        self.open(
            [
                Numbered(account=account, number_mac=macs.get((account.kind, account.account)))
                for account in outcome.opened
            ],
            at_ms,
        )
        tables = self._tables
        for account in outcome.named:
            place = (account.kind, account.account)
            self._change(place, number_end=account.number_end)
            numbered = msgspec.structs.replace(tables.accounts[place], number_mac=macs[place])
            self._set(tables.accounts, place, numbered)
            self._set(tables.numbers, (place[0], macs[place]), place[1])
        for row in outcome.settled:
            movement = row.moved.movement
            place = (movement.kind, movement.account)
            self._set(tables.movements, (*place, row.number), row)
            self._change(place, movements=row.number, balance=row.balance)
        for place in outcome.activated:
            self._change(place, state=State.ACTIVE)
        for hold in outcome.ended:
            self._put(hold)
        for told in outcome.told:
            if told.returned:
                grant = tables.grants[told.grant]
                self._set(tables.grants, told.grant, msgspec.structs.replace(grant, returned=True))
        for asked in outcome.asked:
            self._set(tables.asks, asked.place[:2], asked)
        for name, amount in outcome.grants.items():
            if name in tables.grants:
                grant = tables.grants[name]
                self._set(tables.grants, name, msgspec.structs.replace(grant, used=grant.used + amount))

    def _change(self, place: AccountKey, **changes: object) -> None:
        numbered = self._tables.accounts[place]
        account = msgspec.structs.replace(numbered.account, **changes)
        self._set(self._tables.accounts, place, msgspec.structs.replace(numbered, account=account))

    def open(self, accounts: Sequence[Numbered], at_ms: int) -> None:
        for numbered in accounts:
            place = (numbered.account.kind, numbered.account.account)
            assert numbered.account.movements == 0, "value comes by entries alone"
            assert numbered.account.balance == 0, "value comes by entries alone"
            if place in self._tables.accounts:
                raise RaceFault(f"{place[0]} {place[1]} is there already")
            self._set(self._tables.accounts, place, numbered)
            if numbered.number_mac is not None:
                self._set(self._tables.numbers, (place[0], numbered.number_mac), place[1])

    def _put(self, hold: Hold) -> None:
        """A hold as it stands now, in both tables."""
        place = (hold.kind, hold.account)
        others = tuple(key for key in self._tables.held.get(place, ()) if key != hold.key)
        self._set(self._tables.holds, hold.key, hold)
        self._set(self._tables.held, place, others if hold.ended else (*others, hold.key))

    def kin(self, accounts: Collection[AccountKey]) -> Mapping[AccountKey, Sequence[AccountKey]]:
        return {}  # no customers are kept here, so that nobody is merged

    def is_waiting(self) -> bool:
        return self._tables.waiting.get("", False)

    def place_of(self, kind: Kind, number_mac: bytes) -> AccountId | None:
        return self._tables.numbers.get((kind, number_mac))

    def lock(self, place: AccountKey) -> Numbered | None:
        return self._tables.accounts.get(place)

    def holds_of(self, place: AccountKey) -> Sequence[Hold]:
        found = [self._tables.holds[key] for key in self._tables.held.get(place, ())]
        return sorted(found, key=lambda hold: (hold.since_ms, hold.key))

    def hold_of(self, key: HoldKey) -> Hold | None:
        return self._tables.holds.get(key)

    def put_hold(self, hold: Hold) -> None:
        if hold.key in self._tables.holds:
            raise RaceFault("the key is there already")
        if hold.kind not in SHARED and self.holds_of((hold.kind, hold.account)):
            raise RaceFault("the account is held")
        self._put(hold)

    def tell_hold(self, key: HoldKey, at_ms: int) -> None:
        self._put(msgspec.structs.replace(self._tables.holds[key], told_ms=at_ms))

    def end_hold(self, key: HoldKey, ended: str, at_ms: int, by: str = "", reason: str = "") -> None:
        self._put(msgspec.structs.replace(self._tables.holds[key], ended=ended))
