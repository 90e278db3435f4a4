"""Head office's in-memory store as the simulation needs it: copied for backups, failing on demand."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from holdfast.core.faults import UnavailableFault
from holdfast.core.ids import EpochId, IncarnationId, OriginId
from holdfast.core.ingest.rows import COLUMNS, Row
from holdfast.core.sync.commands import Command
from holdfast.hq.store.memory import MemoryStore, MemoryTransaction

_ENTRY = {name: place for place, name in enumerate(COLUMNS["entry"])}
_DOCUMENT = {name: place for place, name in enumerate(COLUMNS["document"])}


class HeldEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as head office holds it."""

    origin: OriginId
    epoch: EpochId
    chain: int
    seq: int
    hash: bytes
    type: str
    status: str
    data: bytes


class HeldDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A projected document, with the number of its line rows."""

    chain: int
    seq: int
    number: str
    reference: str
    total_minor: int
    lines: int


class Given(msgspec.Struct, frozen=True):
    """A command, and what became of it."""

    command: Command
    is_delivered: bool = False
    outcome: str | None = None


class CommitLostFault(UnavailableFault):
    """What a head office learns of a commit that did not come about."""


class SimStore(MemoryStore):
    """A store whose commits can be made to fail, and that can be copied whole."""

    failing_commits = 0
    """So many of the next transactions that change an origin's journal."""
    fails_silently = False
    """A mutant's switch: the commit is lost and nobody is told."""

    def __init__(self, incarnation: IncarnationId) -> None:
        super().__init__(incarnation)
        self.feed_rows: dict[tuple[str, str], tuple[int, bytes]] = {}
        """(feed, key) → (version, body as JSON, `null` where it was deleted)."""
        self.commands: dict[tuple[OriginId, IncarnationId, int], Given] = {}

    @contextmanager
    def transaction(self, origin: OriginId | None) -> Iterator[MemoryTransaction]:
        with super().transaction(origin) as transaction:
            try:
                with transaction.savepoint():
                    yield transaction
                    if self.failing_commits and origin is not None:
                        self.failing_commits -= 1
                        raise CommitLostFault("the database went away at the commit")
            except CommitLostFault:
                if not self.fails_silently:
                    raise

    def copy(self) -> "SimStore":
        """A backup: rows are values, so that copying the tables one level deep is enough."""
        other = SimStore(self.tables.incarnations[-1][0])
        for name, table in vars(self.tables).items():
            setattr(other.tables, name, copy.copy(table))
        other.tables.appended = {name: list(rows) for name, rows in self.tables.appended.items()}
        other.feed_rows, other.commands = dict(self.feed_rows), dict(self.commands)
        return other

    # What the checks read

    def entries(self) -> list[HeldEntry]:
        chains = self.tables.chains
        return [
            HeldEntry(
                origin=chains[chain].facts.origin,
                epoch=chains[chain].facts.epoch,
                chain=chain,
                seq=seq,
                hash=row[_ENTRY["hash"]],
                type=row[_ENTRY["type"]],
                status=row[_ENTRY["status"]],
                data=row[_ENTRY["data"]],
            )
            for (chain, seq), row in sorted(self.tables.entries.items())
        ]

    def documents(self) -> list[HeldDocument]:
        lines: dict[tuple[int, int], int] = {}
        for row in self.tables.appended["document_line"]:
            lines[(row[0], row[1])] = lines.get((row[0], row[1]), 0) + 1
        return [self._document(row, lines) for row in self.tables.appended["document"]]

    @staticmethod
    def _document(row: Row, lines: dict[tuple[int, int], int]) -> HeldDocument:
        return HeldDocument(
            chain=row[0],
            seq=row[1],
            number=row[_DOCUMENT["number"]],
            reference=row[_DOCUMENT["external_reference"]] or "",
            total_minor=row[_DOCUMENT["total_minor"]],
            lines=lines.get((row[0], row[1]), 0),
        )

    def alerts(self, kind: str) -> int:
        return sum(row[0] == kind for row in self.tables.appended["alert"])
