"""What a till and head office say to each other of an account, beside holds and allowances: `/v1/services`.

`holds.HoldRequest` and `grants.GrantRequest` are the other two. No call moves value.
"""

from typing import Annotated

import msgspec

from holdfast.core.bounds import PLAIN
from holdfast.core.central.accounts import AccountId, HoldKey, Kind


class BalanceRequest(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Whose balance a till asks for."""

    kind: Kind
    number: Annotated[str, msgspec.Meta(max_length=32, pattern=PLAIN)] = ""
    pin: Annotated[str, msgspec.Meta(max_length=16, pattern=PLAIN)] = ""
    account: Annotated[AccountId, msgspec.Meta(max_length=64, pattern=PLAIN)] = AccountId("")


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """What a look-up tells (GC1): as of now, and nothing is held by it."""

    kind: Kind
    account: AccountId
    currency: str
    balance: int
    available: int
    state: str
    number_end: str
    tier: str = ""
    """Of points."""


class ReleaseRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A till lets go of a hold, ahead of its entry."""

    key: Annotated[HoldKey, msgspec.Meta(min_length=16, max_length=64, pattern=PLAIN)]
    cause: Annotated[str, msgspec.Meta(pattern="^(removed|voided|refused|left)$")]
