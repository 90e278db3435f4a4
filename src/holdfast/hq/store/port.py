"""What ingest needs of a store. Both adapters pass `tests/contract/test_head_office_store.py`.

Everything that a batch does happens in one `Transaction`: facts are loaded, core decides, rows are
put. Locks are taken in one order: origin, period, references (sorted), stock (sorted), day.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from holdfast.core.faults import Fault
from holdfast.core.ids import EpochId, IncarnationId, KeyId, OriginId
from holdfast.core.ingest.decide import Reference, References, Stretch
from holdfast.core.ingest.facts import ChainFacts, Facts, OriginFacts
from holdfast.core.ingest.rows import Completed, Rows
from holdfast.core.journal.chain import Position, SignedHead
from holdfast.core.sync.batch import StoredEntry
from holdfast.core.sync.enrolment import Identity, Known
from holdfast.core.sync.messages import SignedStatement
from holdfast.core.sync.receiver import Keys
from holdfast.hq.store.central_port import CentralValue
from holdfast.hq.store.stock_port import StockLedger

SKEWS_KEPT = 500
"""Of each origin, the latest."""


class DataFault(Fault):
    """The store refuses what a row says (SQLSTATE classes 22 and 23): one record's own fault."""

    code = "store.data"


class RaceFault(Fault):
    """Another transaction was quicker; with facts loaded anew it may go well."""

    code = "store.race"
    retriable = True


class UnknownOriginFault(Fault):
    """Nobody of that name is enrolled."""

    code = "origin.unknown"


class ChainRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A chain as it is stored, with what else is known of it."""

    facts: ChainFacts
    closed_at_seq: int | None = None
    safe: Position | None = None
    """Up to here it is in a verified backup."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A head that an origin claimed; `hash` is None where only the seq was told."""

    epoch: EpochId
    seq: int
    hash: bytes | None


class OriginRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An origin as it is enrolled."""

    facts: OriginFacts
    kind: str = "register"
    name: str = ""
    enrolled_at_ms: int = 0
    software: str = ""
    recovery: bytes | None = None
    replaces: OriginId | None = None


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """An entry in quarantine."""

    origin: OriginId
    epoch: EpochId
    chain: int
    entry: StoredEntry


class News(msgspec.Struct, frozen=True, kw_only=True):
    """What head office tells and compares at each heartbeat."""

    incarnation: IncarnationId
    feeds: Mapping[str, int]
    """Newest n of each feed."""
    skew_ms: int | None
    """As it was recorded last."""
    nonce: str
    """That its next word is to name; empty: none was given."""


class Transaction(Protocol):
    """One transaction: committed at the end of its block, or nothing of it happened."""

    @property
    def central(self) -> CentralValue:
        """Gift cards, memos, points and customers' accounts."""
        ...

    @property
    def stock(self) -> StockLedger:
        """What was counted and set to zero, and what follows from it."""
        ...

    def savepoint(self) -> AbstractContextManager[None]:
        """A part of the transaction that an exception undoes without ending the rest."""
        ...

    # ---- batches

    def facts(self, stretch: Stretch) -> Facts:
        """Everything `Deciding` begins with, own writes included. Locks the open period for share."""
        ...

    def references(self, names: Collection[Reference]) -> References:
        """Where external references stand already. `put` may be under way: its parts ask for theirs."""
        ...

    def put(self, parts: Iterable[Rows]) -> None:
        """Store what was decided, taken part by part: each is the same `Rows`, grown.

        DataFault where a row is refused, RaceFault where it came too late.
        """
        ...

    def put_signed_head(self, chain: int, head: SignedHead) -> None:
        """Keep the origin's signature; the one that is there stays."""
        ...

    # ---- what is held of an origin

    def chains(self, origin: OriginId, epochs: Collection[EpochId]) -> Sequence[ChainRecord]:
        """Every branch of these epochs, main branches first, else in order of arrival."""
        ...

    def newest_chains(self, origin: OriginId, limit: int) -> Sequence[ChainRecord]:
        """The branches that came last, newest first."""
        ...

    def hashes(self, places: Collection[tuple[int, int]]) -> Mapping[tuple[int, int], bytes]:
        """(chain, seq) → hash, for those of these places that are held."""
        ...

    # ---- what is known of what is not held (P6)

    def claims(self, origin: OriginId, epochs: Collection[EpochId]) -> Sequence[Claim]: ...

    def claim(self, origin: OriginId, claim: Claim, at_ms: int) -> None:
        """Remember a claimed head."""
        ...

    def forget_claims(self, origin: OriginId, claims: Collection[Claim]) -> None: ...

    # ---- contact

    def touch(self, origin: OriginId, at_ms: int) -> None:
        """It was in touch, and is not refused."""
        ...

    def block(self, origin: OriginId, code: str, detail: str, at_ms: int) -> None:
        """It was refused, for what sending again does not cure."""
        ...

    def put_heartbeat(
        self, origin: OriginId, statement: SignedStatement, skew_ms: int, at_ms: int, nonce: str
    ) -> None:
        """Keep its last signed word; it was in touch. `nonce`: that the next one is to name."""
        ...

    def put_nonce(self, origin: OriginId, nonce: str) -> None:
        """The same, where its word does not count."""
        ...

    def record_skew(self, origin: OriginId, skew_ms: int, at_ms: int) -> None:
        """Keep it with those before it, the oldest giving way."""
        ...

    def news(self, origin: OriginId) -> News:
        """What a heartbeat is answered with."""
        ...

    def speaks_for(self, session: OriginId) -> Mapping[OriginId, Keys]:
        """Whose journals it may bring, with their public keys, former ones too.

        A register's own; a store server's those of every register of its store as well. Empty: not enrolled.
        """
        ...

    # ---- head office itself

    def incarnation(self) -> IncarnationId: ...

    def known_incarnations(self, named: Collection[IncarnationId]) -> Collection[IncarnationId]:
        """Those of the named ones that are, or were, lives of this head office as far as it knows."""
        ...

    def begin_incarnation(
        self,
        former: IncarnationId,
        new: IncarnationId,
        at_ms: int,
        cause: str,
        detail: str,
        lost: IncarnationId | None = None,
    ) -> IncarnationId:
        """The one that counts now: `new`, unless another than `former` counted already.

        `lost`: one that was forgotten, remembered as a former one before `new`.
        """
        ...

    def alert(self, kind: str, origin: OriginId | None, detail: str) -> None:
        """Tell people."""
        ...

    def alert_once(self, kind: str, origin: OriginId, detail: str, at_most: int) -> None:
        """The same, unless nobody acknowledged the last one of this origin, or `at_most` of this kind: what
        strangers can raise must not fill the disk."""
        ...

    # ---- quarantine

    def waiting(self, after: tuple[int, int], limit: int) -> Sequence[Waiting]:
        """Unresolved entries beyond (chain, seq), in that order. Those lost at their origin never come."""
        ...

    def resolve(self, chain: int, seq: int, status: str, at_ms: int) -> None:
        """It took effect after all; its entry's status is `status` now."""
        ...

    def complete(self, completed: Completed, at_ms: int) -> None:
        """The bytes of an entry that waited as unreadable came after all. DataFault as in `put`."""
        ...

    def attempted(self, chain: int, seq: int, cause: str, detail: str) -> None:
        """It was tried again and still waits, for this cause."""
        ...

    # ---- enrolment

    def enrol(self, origin: OriginRecord, key_id: KeyId, public_key: bytes) -> None:
        """RaceFault where its series is numbered in already."""
        ...

    def identity(self, origin: OriginId, key_id: KeyId) -> Identity | None:
        """Who that is by that key; None where either is not known."""
        ...

    def known(self, origin: OriginId, series: str) -> Known:
        """What is known of an origin that presents a certificate."""
        ...

    def readmit(self, identity: Identity, key_id: KeyId, at_ms: int) -> None:
        """Know that origin, its store and this key again; every other key of it gives way.

        RaceFault where its series is numbered in already.
        """
        ...

    def give_key(self, origin: OriginId, key_id: KeyId, public_key: bytes, at_ms: int) -> None:
        """Another key for it, in place of all that are in force."""
        ...


class HeadOfficeStore(Protocol):
    """Head office's state. Raises UnavailableFault or StorageFullFault where it cannot be reached."""

    def transaction(self, origin: OriginId | None) -> AbstractContextManager[Transaction]:
        """Locks the origin first. UnknownOriginFault where it is not enrolled."""
        ...

    def speaks_for(self, session: OriginId) -> Mapping[OriginId, Keys]:
        """As `Transaction.speaks_for`, in a transaction of its own."""
        ...
