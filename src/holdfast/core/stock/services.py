"""What a till asks head office about stock, and what it is told (ST1, ST4)."""

import hashlib
from collections.abc import Iterable
from typing import Annotated

import msgspec

from holdfast.core.bounds import PLAIN, Key
from holdfast.core.ids import EpochId, IncarnationId, Sku, StoreId

ROWS_MAX = 250_000
"""Products of one store in one answer; a store of 50,000 is told in one of about a megabyte."""
EPOCHS_MAX = 64
INCOMING_MAX = 200

PlainEpoch = Annotated[EpochId, msgspec.Meta(max_length=64, pattern=PLAIN)]


class AvailabilityRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`POST /v1/services/availability`."""

    sku: Annotated[Sku, msgspec.Meta(max_length=256, pattern=PLAIN)]


class RegisterOwing(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A register whose sales are not all in the figure, or may not be."""

    name: str
    count: int = 0
    """Documents that it said it owes; 0 where it has not been heard of and may owe."""
    since_ms: int | None = None
    """Of the oldest of them, or of its last word; None: it was never heard of."""


class StoreStock(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One product in one store, as head office knows it."""

    store: StoreId
    name: str
    on_hand_milli: int
    in_transit_milli: int = 0
    """On its way to that store."""
    owing: tuple[RegisterOwing, ...] = ()
    """Empty: every register of the store has sent everything."""


class Availability(msgspec.Struct, frozen=True, kw_only=True):
    """Own store first."""

    sku: Sku
    at_ms: int
    stores: tuple[StoreStock, ...]


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What a register has moved by its own tables, as of a place in its journal (ST2)."""

    epoch: PlainEpoch
    seq: Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]
    products: Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]
    digest: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
    """`stock_digest` of its own sums."""


class StockRequest(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`POST /v1/services/stock`: what changed in the register's own store since a version."""

    incarnation: Key = ""
    version: Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)] = 0
    epochs: Annotated[tuple[PlainEpoch, ...], msgspec.Meta(max_length=EPOCHS_MAX)] = ()
    """Those of its journal: head office says how far each is in the figures."""
    statement: Statement | None = None


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer that is on its way to the store."""

    transfer: str
    origin: StoreId
    sent_at_ms: int
    lines: tuple[tuple[Sku, str, int], ...]
    """Stock code, description, thousandths that were sent and not yet received."""


class StoreName(msgspec.Struct, frozen=True):
    """A store that goods can be sent to."""

    store: StoreId
    name: str


class StockPage(msgspec.Struct, frozen=True, kw_only=True):
    """The store's figures as of one moment, those that changed since the version that was named."""

    incarnation: IncarnationId
    version: int
    is_whole: bool
    """These are all; what the register kept before is to go."""
    at_ms: int
    applied: dict[EpochId, int]
    """Epoch → up to where the register's own journal is in the figures."""
    rows: tuple[tuple[Sku, int], ...]
    incoming: tuple[Incoming, ...] = ()
    stores: tuple[StoreName, ...] = ()


class StockDigest:
    """SHA-256 over what moved, by stock code; what cancels out is as though it never moved."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self.products = 0

    def add(self, rows: Iterable[tuple[Sku, int]]) -> None:
        """More of them, in the order of their codes."""
        for sku, milli in rows:
            if milli:
                self._digest.update(f"{len(sku)}:{sku}={milli}\n".encode())
                self.products += 1

    def done(self) -> bytes:
        return self._digest.digest()


def stock_digest(sums: Iterable[tuple[Sku, int]]) -> bytes:
    """The digest of sums in any order."""
    digest = StockDigest()
    digest.add(sorted(sums))
    return digest.done()
