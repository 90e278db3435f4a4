"""What a simulated till's disk keeps of central value: the transaction that is open, and those laid aside."""

import msgspec

from holdfast.core.central.accounts import AccountId, HoldKey
from holdfast.core.central.allowed import Allowed
from holdfast.core.central.at_till import Holds, TillHold
from holdfast.core.ids import TransactionId


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction that asked head office for something."""

    transaction: TransactionId
    holds: Holds = ()


class Wallet(msgspec.Struct, frozen=True, kw_only=True):
    """All that there is of it; a copy of the disk takes it along."""

    open: Begun | None = None
    suspended: tuple[Begun, ...] = ()
    allowed: Allowed | None = None
    """What may be taken of gift cards begun offline."""
    asking: str = ""
    """The key of the allowance that is asked for."""
    records: tuple[AccountId, ...] = ()
    """Gift cards that head office told of."""

    def all(self) -> tuple[Begun, ...]:
        return (*self.suspended, *(() if self.open is None else (self.open,)))

    def with_holds(self, transaction: TransactionId, holds: Holds) -> "Wallet":
        """One of its transactions changed; one without holds is none any more."""

        def changed(begun: Begun) -> Begun:
            is_it = begun.transaction == transaction
            return msgspec.structs.replace(begun, holds=holds) if is_it else begun

        return msgspec.structs.replace(
            self,
            open=None if self.open is None else changed(self.open),
            suspended=tuple(map(changed, self.suspended)),
        )

    def without(self, transaction: TransactionId) -> "Wallet":
        is_open = self.open is not None and self.open.transaction == transaction
        return msgspec.structs.replace(
            self,
            open=None if is_open else self.open,
            suspended=tuple(begun for begun in self.suspended if begun.transaction != transaction),
        )


def hold_of(wallet: Wallet, key: HoldKey) -> tuple[Begun, TillHold] | None:
    for begun in wallet.all():
        for hold in begun.holds:
            if hold.key == key:
                return begun, hold
    return None
