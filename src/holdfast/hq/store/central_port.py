"""What settlement and the services of central value need of a store; both adapters pass one contract."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import msgspec

from holdfast.core.central.accounts import Account, AccountId, HoldKey, Kind
from holdfast.core.central.holds import Hold
from holdfast.core.central.settle import AccountKey, Facts, Outcome


class Numbered(msgspec.Struct, frozen=True, kw_only=True):
    """An account with what its number is known again by."""

    account: Account
    number_mac: bytes | None = None
    pin_mac: bytes | None = None


class CentralValue(Protocol):
    """Central value within one transaction of the store. Accounts are locked in their order."""

    def facts(
        self, accounts: Collection[AccountKey], keys: Collection[HoldKey], allowances: Collection[str]
    ) -> Facts:
        """Accounts, locked, and what stands under these keys and allowances."""
        ...

    def put(self, outcome: Outcome, macs: Mapping[AccountKey, bytes], at_ms: int) -> None:
        """Store what settlement decided. RaceFault where another transaction opened the same account."""
        ...

    def open(self, accounts: Sequence[Numbered], at_ms: int) -> None:
        """New accounts. RaceFault where one is there already."""
        ...

    def kin(self, accounts: Collection[AccountKey]) -> Mapping[AccountKey, Sequence[AccountKey]]:
        """Of customers who were merged: accounts of the other numbers of each, the one that remains first.
        They need not exist, and none is locked."""
        ...

    def is_waiting(self) -> bool:
        """Whether head office lost state, and does not know yet what registers did since."""
        ...

    def place_of(self, kind: Kind, number_mac: bytes) -> AccountId | None:
        """Whose number it is."""
        ...

    def lock(self, place: AccountKey) -> Numbered | None:
        """An account as it stands, locked against every other transaction."""
        ...

    def holds_of(self, place: AccountKey) -> Sequence[Hold]:
        """Those that have not ended, oldest first."""
        ...

    def hold_of(self, key: HoldKey) -> Hold | None: ...

    def put_hold(self, hold: Hold) -> None:
        """A new one. RaceFault where its key is there, or the account is held by another."""
        ...

    def tell_hold(self, key: HoldKey, at_ms: int) -> None:
        """Its till is told again that it holds."""
        ...

    def end_hold(self, key: HoldKey, ended: str, at_ms: int, by: str = "", reason: str = "") -> None:
        """It holds no more."""
        ...
