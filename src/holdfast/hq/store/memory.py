"""Head office's state in memory: what the simulation runs on, and what PostgreSQL is compared with."""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec

from holdfast.core.ids import EpochId, IncarnationId, KeyId, OriginId
from holdfast.core.ingest.decide import Reference, References, Stretch
from holdfast.core.ingest.facts import Facts, OriginFacts, ReferenceFacts
from holdfast.core.ingest.project import INT64
from holdfast.core.ingest.rows import COLUMNS, QUARANTINED, Completed, Row, Rows
from holdfast.core.journal.chain import Position, SignedHead
from holdfast.core.sync.batch import StoredEntry
from holdfast.core.sync.enrolment import Identity, Known
from holdfast.core.sync.feed import FEEDS
from holdfast.core.sync.messages import SignedStatement
from holdfast.core.sync.receiver import KeyLimit, Keys
from holdfast.hq.store.central_memory import CentralTables, MemoryCentralValue
from holdfast.hq.store.port import (
    SKEWS_KEPT,
    ChainRecord,
    Claim,
    DataFault,
    News,
    OriginRecord,
    RaceFault,
    UnknownOriginFault,
    Waiting,
)
from holdfast.hq.store.stock_memory import MemoryStockLedger, StockTables

K = TypeVar("K")
V = TypeVar("V")
Check = Callable[[Row], bool]

_ENTRY = {name: place for place, name in enumerate(COLUMNS["entry"])}
_LOST_AT_ORIGIN = "unreadable"


class Tables:
    """The tables, keyed as PostgreSQL's primary keys are."""

    def __init__(self) -> None:
        self.incarnations: list[tuple[IncarnationId, int, str]] = []
        self.origins: dict[OriginId, OriginRecord] = {}
        self.origin_keys: dict[tuple[OriginId, KeyId], bytes] = {}
        self.key_numbers: dict[tuple[OriginId, KeyId], int] = {}
        self.key_ends: dict[tuple[OriginId, KeyId], tuple[int, EpochId | None, int]] = {}
        """(chain, epoch, seq) where a former key gave way."""
        self.retired: dict[OriginId, bool] = {}
        self.chains: dict[int, ChainRecord] = {}
        self.chains_of: dict[OriginId, tuple[int, ...]] = {}
        """An index of them, in their order."""
        self.opened: dict[int, dict[str, Any]] = {}
        self.entries: dict[tuple[int, int], Row] = {}
        self.appended: dict[str, list[Row]] = {table: [] for table in COLUMNS if table != "entry"}
        self.signed_heads: dict[tuple[int, int], SignedHead] = {}
        self.claims: dict[tuple[OriginId, EpochId, int, bytes], int] = {}
        self.resolved: dict[tuple[int, int], int] = {}
        self.stock: Counter[tuple[str, str]] = Counter()
        self.days: dict[tuple[str, str], tuple[int, int, int, int]] = {}
        self.heartbeats: dict[OriginId, tuple[int, SignedStatement, int]] = {}
        self.nonces: dict[OriginId, str] = {}
        self.skews: dict[OriginId, list[tuple[int, int]]] = {}
        self.contacts: dict[OriginId, tuple[int | None, str | None, str | None]] = {}
        self.central = CentralTables()
        self.marks = StockTables()
        self.feeds: dict[str, int] = dict.fromkeys(FEEDS, 0)
        self.open_period = "0001-01"


class MemoryStore:
    """One lock, one transaction at a time, each undone whole where it fails.

    `checks`: by table, what its rows must pass, as a constraint that a DBA adds.
    """

    def __init__(self, incarnation: IncarnationId, checks: Mapping[str, Check] | None = None) -> None:
        self.tables = Tables()
        self.tables.incarnations.append((incarnation, 0, "created"))
        self._checks = dict(checks or {})
        self._lock = threading.RLock()

    @contextmanager
    def transaction(self, origin: OriginId | None) -> Iterator["MemoryTransaction"]:
        with self._lock:
            if origin is not None and origin not in self.tables.origins:
                raise UnknownOriginFault(f"{origin} is not enrolled here")
            transaction = MemoryTransaction(self.tables, self._checks)
            with transaction.savepoint():
                yield transaction

    def speaks_for(self, session: OriginId) -> Mapping[OriginId, Keys]:
        with self.transaction(None) as transaction:
            return transaction.speaks_for(session)


class MemoryTransaction:
    """Changes the tables at once, and remembers how to undo that."""

    def __init__(self, tables: Tables, checks: Mapping[str, Check]) -> None:
        self._tables = tables
        self._checks = checks
        self._undo: list[Callable[[], object]] = []
        self.central = MemoryCentralValue(tables.central, self._set)
        self.stock = MemoryStockLedger(tables.marks, tables.stock, tables.appended, self._set, self._append)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        mark, done = len(self._undo), False
        try:
            yield
            done = True
        finally:
            while not done and len(self._undo) > mark:
                self._undo.pop()()

    def _set(self, table: MutableMapping[K, V], key: K, value: V) -> None:
        if key in table:
            before = table[key]
            self._undo.append(lambda: table.__setitem__(key, before))
        else:
            self._undo.append(lambda: table.pop(key))
        table[key] = value

    def _delete(self, table: MutableMapping[K, V], key: K) -> None:
        before = table.pop(key)
        self._undo.append(lambda: table.__setitem__(key, before))

    def _append(self, table: list[V], row: V) -> None:
        table.append(row)
        self._undo.append(table.pop)

    # ---- batches

    def facts(self, stretch: Stretch) -> Facts:
        tables = self._tables
        chains = tuple(record.facts for record in self.chains(stretch.origin, [stretch.epoch]))
        first, last = stretch.first_seq, stretch.first_seq + len(stretch.entries) - 1
        places = [(chain.chain, seq) for chain in chains for seq in range(first - 1, last + 1)]
        hashes = self.hashes(places)
        return Facts(
            incarnation=self.incarnation(),
            origin=tables.origins[stretch.origin].facts,
            chains=chains,
            hashes=hashes,
            lost=self._lost(hashes),
            open_period=tables.open_period,
            next_chain=next(reversed(tables.chains), 0) + 1,
        )

    def _lost(self, places: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
        tables = self._tables
        return {
            (chain, seq)
            for chain, seq, cause, _ in tables.appended["quarantine"]
            if cause == _LOST_AT_ORIGIN and (chain, seq) in places and (chain, seq) not in tables.resolved
        }

    def references(self, names: Collection[Reference]) -> References:
        return {
            (type, reference): ReferenceFacts(chain=chain, seq=seq, content=content)
            for type, reference, chain, seq, content in self._tables.appended["reference"]
            if (type, reference) in names
        }

    def put(self, parts: Iterable[Rows]) -> None:
        grown = list(parts)
        if grown:
            self._put(grown[-1])

    def _put(self, rows: Rows) -> None:
        for chain in rows.new_chains:
            self._set(self._tables.chains, chain.chain, ChainRecord(facts=chain))
            others = self._tables.chains_of.get(chain.origin, ())
            self._set(self._tables.chains_of, chain.origin, (*others, chain.chain))
        for number, head in rows.heads.items():
            self._move_head(number, head)
        for number, opened in rows.opened.items():
            self._set(self._tables.opened, number, opened)
        for number, seq in rows.closed.items():
            record = msgspec.structs.replace(self._tables.chains[number], closed_at_seq=seq)
            self._set(self._tables.chains, number, record)
        for origin in rows.retired:
            self._set(self._tables.retired, origin, True)
        for key in rows.keys:
            at = (key.chain, EpochId(key.epoch), key.seq)
            self._end_keys(OriginId(key.origin), KeyId(key.key_id), at, key.replaces)
            self._put_key(OriginId(key.origin), KeyId(key.key_id), key.public_key)
        for table, appended in rows.appended.items():
            self._put_appended(table, appended)
        self._add_sums(rows)

    def _move_head(self, number: int, head: Position) -> None:
        record = self._tables.chains[number]
        facts = msgspec.structs.replace(record.facts, head=head)
        self._set(self._tables.chains, number, msgspec.structs.replace(record, facts=facts))

    def _put_appended(self, table: str, rows: Sequence[Row]) -> None:
        for row in rows:
            self._check(table, row)
            if table == "entry":
                if row[:2] in self._tables.entries:
                    raise RaceFault("the entry is there already")
                self._set(self._tables.entries, (row[0], row[1]), row)
            else:
                self._append(self._tables.appended[table], row)

    def _check(self, table: str, row: Row) -> None:
        check = self._checks.get(table)
        if check is not None and not check(row):
            said = f'new row for relation "{table}" violates check constraint "planted"'
            raise DataFault(f"23514: {said}")

    def _add_sums(self, rows: Rows) -> None:
        tables = self._tables
        for key, quantity_milli in rows.stock.items():
            if quantity_milli:
                self._set(tables.stock, key, tables.stock[key] + quantity_milli)
        for day, count in rows.days.items():
            key = (day.origin, day.business_date)
            before = tables.days.get(key, (0, 0, 0, 0))
            added = (count.documents, count.total_minor, count.tax_minor, count.cash_minor)
            sums = [_within_int64(old + new) for old, new in zip(before, added, strict=True)]
            self._set(tables.days, key, (sums[0], sums[1], sums[2], sums[3]))

    def put_signed_head(self, chain: int, head: SignedHead) -> None:
        if (chain, head.seq) not in self._tables.signed_heads:
            self._set(self._tables.signed_heads, (chain, head.seq), head)

    # ---- what is held of an origin

    def chains(self, origin: OriginId, epochs: Collection[EpochId]) -> Sequence[ChainRecord]:
        found = [record for record in self._of(origin) if record.facts.epoch in epochs]
        return sorted(found, key=lambda record: (record.facts.branch > 0, record.facts.chain))

    def newest_chains(self, origin: OriginId, limit: int) -> Sequence[ChainRecord]:
        return self._of(origin)[::-1][:limit]

    def _of(self, origin: OriginId) -> list[ChainRecord]:
        """In their order."""
        return [self._tables.chains[number] for number in self._tables.chains_of.get(origin, ())]

    def hashes(self, places: Collection[tuple[int, int]]) -> Mapping[tuple[int, int], bytes]:
        entries, hash = self._tables.entries, _ENTRY["hash"]
        return {place: entries[place][hash] for place in places if place in entries}

    # ---- claims and contact

    def claims(self, origin: OriginId, epochs: Collection[EpochId]) -> Sequence[Claim]:
        return sorted(
            (
                Claim(epoch=epoch, seq=seq, hash=hash or None)
                for owner, epoch, seq, hash in self._tables.claims
                if owner == origin and epoch in epochs
            ),
            key=lambda claim: (claim.epoch, claim.seq, claim.hash or b""),
        )

    def claim(self, origin: OriginId, claim: Claim, at_ms: int) -> None:
        key = (origin, claim.epoch, claim.seq, claim.hash or b"")
        if key not in self._tables.claims:
            self._set(self._tables.claims, key, at_ms)

    def forget_claims(self, origin: OriginId, claims: Collection[Claim]) -> None:
        for claim in claims:
            self._delete(self._tables.claims, (origin, claim.epoch, claim.seq, claim.hash or b""))

    def touch(self, origin: OriginId, at_ms: int) -> None:
        self._set(self._tables.contacts, origin, (at_ms, None, None))

    def block(self, origin: OriginId, code: str, detail: str, at_ms: int) -> None:
        before = self._tables.contacts.get(origin, (None, None, None))[0]
        self._set(self._tables.contacts, origin, (before, code, detail))

    def put_heartbeat(
        self, origin: OriginId, statement: SignedStatement, skew_ms: int, at_ms: int, nonce: str
    ) -> None:
        self._set(self._tables.heartbeats, origin, (at_ms, statement, skew_ms))
        self.touch(origin, at_ms)
        self._set(self._tables.nonces, origin, nonce)

    def put_nonce(self, origin: OriginId, nonce: str) -> None:
        if origin not in self._tables.contacts:
            self._set(self._tables.contacts, origin, (None, None, None))
        self._set(self._tables.nonces, origin, nonce)

    def record_skew(self, origin: OriginId, skew_ms: int, at_ms: int) -> None:
        recorded = self._tables.skews.get(origin, [])
        self._set(self._tables.skews, origin, [*recorded, (at_ms, skew_ms)][-SKEWS_KEPT:])

    def news(self, origin: OriginId) -> News:
        recorded = self._tables.skews.get(origin)
        return News(
            incarnation=self.incarnation(),
            feeds=dict(self._tables.feeds),
            skew_ms=recorded[-1][1] if recorded else None,
            nonce=self._tables.nonces.get(origin, ""),
        )

    def speaks_for(self, session: OriginId) -> Mapping[OriginId, Keys]:
        me = self._tables.origins.get(session)
        keys: dict[OriginId, dict[KeyId, bytes]] = {}
        store = me.facts.store if me is not None and me.kind == "store" else None
        for (owner, key_id), public_key in self._tables.origin_keys.items():
            if owner == session or (store and self._tables.origins[owner].facts.store == store):
                keys.setdefault(owner, {})[key_id] = public_key
        return {owner: Keys(public, self._limits(owner)) for owner, public in keys.items()}

    def _limits(self, owner: OriginId) -> dict[KeyId, KeyLimit]:
        limits: dict[KeyId, KeyLimit] = {}
        for (of, key_id), (chain, epoch, seq) in self._tables.key_ends.items():
            if of == owner:
                here = (record.facts for record in self._of(owner))
                before = frozenset(facts.epoch for facts in here if facts.chain <= chain)
                limits[key_id] = KeyLimit(epoch=epoch, seq=seq, epochs=before - {epoch})
        return limits

    # ---- head office itself

    def incarnation(self) -> IncarnationId:
        return self._tables.incarnations[-1][0]

    def known_incarnations(self, named: Collection[IncarnationId]) -> Collection[IncarnationId]:
        return {incarnation for incarnation, _, _ in self._tables.incarnations}.intersection(named)

    def begin_incarnation(
        self,
        former: IncarnationId,
        new: IncarnationId,
        at_ms: int,
        cause: str,
        detail: str,
        lost: IncarnationId | None = None,
    ) -> IncarnationId:
        if self.incarnation() == former:
            if lost is not None:
                self._append(self._tables.incarnations, (lost, at_ms, cause))
            self._append(self._tables.incarnations, (new, at_ms, cause))
            self._set(self._tables.central.waiting, "", True)
        return self.incarnation()

    def alert(self, kind: str, origin: OriginId | None, detail: str) -> None:
        self._append(self._tables.appended["alert"], (kind, origin, None, None, detail))

    def alert_once(self, kind: str, origin: OriginId, detail: str, at_most: int) -> None:
        raised = [row[1] for row in self._tables.appended["alert"] if row[0] == kind]
        if len(raised) < at_most and origin not in raised:
            self.alert(kind, origin, detail)

    # ---- quarantine

    def waiting(self, after: tuple[int, int], limit: int) -> Sequence[Waiting]:
        found: list[Waiting] = []
        for chain, seq, cause, _ in sorted(self._tables.appended["quarantine"]):
            if (chain, seq) <= after or (chain, seq) in self._tables.resolved or cause == _LOST_AT_ORIGIN:
                continue
            row, facts = self._tables.entries[(chain, seq)], self._tables.chains[chain].facts
            entry = StoredEntry(seq, row[_ENTRY["hash"]], row[_ENTRY["data"]])
            found.append(Waiting(origin=facts.origin, epoch=facts.epoch, chain=chain, entry=entry))
            if len(found) == limit:
                break
        return found

    def resolve(self, chain: int, seq: int, status: str, at_ms: int) -> None:
        row = list(self._tables.entries[(chain, seq)])
        assert row[_ENTRY["status"]] == QUARANTINED, "only what waits is resolved"
        row[_ENTRY["status"]] = status
        self._set(self._tables.entries, (chain, seq), tuple(row))
        self._set(self._tables.resolved, (chain, seq), at_ms)

    def complete(self, completed: Completed, at_ms: int) -> None:
        row, waits = completed
        place = (row[0], row[1])
        assert self._tables.entries[place][_ENTRY["status"]] == QUARANTINED, "only what waits is completed"
        self._check("entry", row)
        self._set(self._tables.entries, place, row)
        if waits is None:
            self._set(self._tables.resolved, place, at_ms)
        else:
            self.attempted(*place, waits.cause, waits.detail)

    def attempted(self, chain: int, seq: int, cause: str, detail: str) -> None:
        table = self._tables.appended["quarantine"]
        place = next(at for at, row in enumerate(table) if row[:2] == (chain, seq))
        before = table[place]
        self._undo.append(lambda: table.__setitem__(place, before))
        table[place] = (chain, seq, cause, detail)

    # ---- enrolment

    def enrol(self, origin: OriginRecord, key_id: KeyId, public_key: bytes) -> None:
        tables = self._tables
        if origin.replaces is not None:
            self._set(tables.retired, origin.replaces, True)
        for record in tables.origins.values():
            if record.facts.series == origin.facts.series and record.facts.origin not in tables.retired:
                raise RaceFault(f"series {origin.facts.series} belongs to {record.facts.origin}")
        self._set(self._tables.origins, origin.facts.origin, origin)
        self._put_key(origin.facts.origin, key_id, public_key)

    def _put_key(self, origin: OriginId, key_id: KeyId, public_key: bytes, number: int | None = None) -> None:
        tables = self._tables
        if (origin, key_id) in tables.origin_keys:
            return
        newest = max((n for (of, _), n in tables.key_numbers.items() if of == origin), default=0)
        self._set(tables.origin_keys, (origin, key_id), public_key)
        self._set(tables.key_numbers, (origin, key_id), newest + 1 if number is None else number)

    def _end_keys(
        self, origin: OriginId, but: KeyId, at: tuple[int, EpochId | None, int], replaces: str = ""
    ) -> None:
        for of, key_id in list(self._tables.origin_keys):
            named = (of, key_id)
            gives_way = of == origin and key_id != but and replaces in ("", key_id)
            if gives_way and named not in self._tables.key_ends:
                self._set(self._tables.key_ends, named, at)

    def identity(self, origin: OriginId, key_id: KeyId) -> Identity | None:
        record = self._tables.origins.get(origin)
        public_key = self._tables.origin_keys.get((origin, key_id))
        if record is None or public_key is None:
            return None
        facts = record.facts
        return Identity(
            origin=origin, kind=record.kind, name=record.name, store=facts.store, store_name=facts.store,
            series=facts.series, currency=facts.currency, timezone="UTC",
            number=self._tables.key_numbers[(origin, key_id)], public_key=public_key,
        )  # fmt: skip

    def known(self, origin: OriginId, series: str) -> Known:
        tables = self._tables
        retired = tables.retired
        active = [o for o, r in tables.origins.items() if r.facts.series == series and o not in retired]
        return Known(
            number=max((n for (of, _), n in tables.key_numbers.items() if of == origin), default=0),
            retired=origin in retired,
            series_of=active[0] if active else None,
        )

    def readmit(self, identity: Identity, key_id: KeyId, at_ms: int) -> None:
        origin = identity.origin
        if origin not in self._tables.origins:
            facts = OriginFacts(
                origin=origin, store=identity.store, series=identity.series, currency=identity.currency
            )
            record = OriginRecord(facts=facts, kind=identity.kind, name=identity.name, enrolled_at_ms=at_ms)
            self._set(self._tables.origins, origin, record)
        self._end_keys(origin, key_id, self._as_of_now(origin))
        self._put_key(origin, key_id, identity.public_key, identity.number)

    def give_key(self, origin: OriginId, key_id: KeyId, public_key: bytes, at_ms: int) -> None:
        self._end_keys(origin, key_id, self._as_of_now(origin))
        self._put_key(origin, key_id, public_key)

    def _as_of_now(self, origin: OriginId) -> tuple[int, EpochId | None, int]:
        chains = (n for n, record in self._tables.chains.items() if record.facts.origin == origin)
        return max(chains, default=0), None, 0


def _within_int64(value: int) -> int:
    if not -INT64 <= value < INT64:
        raise DataFault("22003: bigint out of range")  # in PostgreSQL's words
    return value
