"""Head office's state in PostgreSQL: bulk rows by COPY, the rest by the queries in `ingest.sql`."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from typing import Any

import psycopg

from holdfast.core.ids import EpochId, IncarnationId, KeyId, OriginId, StoreId
from holdfast.core.ingest.decide import Reference, References, Stretch
from holdfast.core.ingest.facts import ChainFacts, Facts, OriginFacts, ReferenceFacts
from holdfast.core.ingest.rows import COLUMNS, Completed, Rows
from holdfast.core.journal.chain import Position, SignedHead
from holdfast.core.sync.batch import StoredEntry
from holdfast.core.sync.enrolment import Identity, Known
from holdfast.core.sync.messages import SignedStatement
from holdfast.core.sync.receiver import KeyLimit, Keys
from holdfast.hq.store import copy_rows
from holdfast.hq.store.central_rows import PostgresCentralValue
from holdfast.hq.store.copies import Copies
from holdfast.hq.store.port import (
    SKEWS_KEPT,
    ChainRecord,
    Claim,
    News,
    OriginRecord,
    RaceFault,
    UnknownOriginFault,
    Waiting,
)
from holdfast.hq.store.refusals import refusals
from holdfast.hq.store.stock_rows import PostgresStockLedger
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq.store", "ingest.sql", Engine.POSTGRES)

_EARLY = ("document_line", "entry", "document", "document_tender", "document_foreign_cash", "document_tax")
"""Stored while others are decided."""
_LATE = (
    *("document_return", "shift_opened", "shift_declared", "cash_movement", "z_report"),
    *("customer_entry", "stock_transfer", "quarantine", "alert", "reference"),
)
"""Stored whole. References are where two batches may wait for each other, and are sorted for that."""


_Z_ORIGIN, _Z_DATE = COLUMNS["z_report"].index("origin"), COLUMNS["z_report"].index("business_date")


class PostgresStore:
    """Every transaction takes one connection of `pool`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @contextmanager
    def transaction(self, origin: OriginId | None) -> Iterator["PostgresTransaction"]:
        with self._pool.connection() as conn, _races():
            yield PostgresTransaction(conn, origin)

    def speaks_for(self, session: OriginId) -> Mapping[OriginId, Keys]:
        with self.transaction(None) as transaction:
            return transaction.speaks_for(session)


@contextmanager
def _races() -> Iterator[None]:
    try:
        yield
    except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure) as error:
        raise RaceFault("another transaction held what this one needs") from error


class PostgresTransaction:
    """One transaction on one connection."""

    def __init__(self, conn: psycopg.Connection[Any], origin: OriginId | None) -> None:
        self._conn = conn
        self._copies = Copies(conn)
        self.central = PostgresCentralValue(conn)
        self.stock = PostgresStockLedger(conn)
        self._origin = None if origin is None else self._lock(origin)

    def _lock(self, origin: OriginId) -> OriginFacts:
        row = _sql.lock_origin(self._conn, origin=origin)
        if row is None:
            raise UnknownOriginFault(f"{origin} is not enrolled here")
        return OriginFacts(origin=origin, store=StoreId(row[1]), series=row[2], currency=row[3])

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        with self._conn.transaction():
            yield

    # ---- batches

    def facts(self, stretch: Stretch) -> Facts:
        assert self._origin is not None, "a batch is decided under its origin's lock"
        conn = self._conn
        open_period = _sql.open_period(conn)
        assert open_period is not None, "there is always a period that is not closed"
        records = self.chains(stretch.origin, [stretch.epoch])
        chains = tuple(record.facts for record in records)
        # The usual batch goes on at the head of the only chain: nothing else needs to be looked up.
        is_next = len(chains) == 1 and (chains[0].head.seq, chains[0].head.hash) == (
            stretch.first_seq - 1,
            stretch.previous_hash,
        )
        return Facts(
            incarnation=self.incarnation(),
            origin=self._origin,
            chains=chains,
            hashes=self._hashes_of(stretch, chains, is_next=is_next),
            lost=frozenset() if is_next else self._lost_of(stretch, chains),
            open_period=open_period,
            next_chain=0 if is_next else _sql.next_chain(conn),
        )

    def _hashes_of(
        self, stretch: Stretch, chains: Sequence[ChainFacts], *, is_next: bool
    ) -> Mapping[tuple[int, int], bytes]:
        if is_next:
            return {(chain.chain, chain.head.seq): chain.head.hash for chain in chains}
        rows = _sql.hashes_between(
            self._conn,
            chains=[chain.chain for chain in chains],
            first_seq=stretch.first_seq - 1,
            last_seq=stretch.first_seq + len(stretch.entries) - 1,
        )
        return {(chain, seq): hash for chain, seq, hash in rows}

    def _lost_of(self, stretch: Stretch, chains: Sequence[ChainFacts]) -> Set[tuple[int, int]]:
        rows = _sql.lost_between(
            self._conn,
            chains=[chain.chain for chain in chains],
            first_seq=stretch.first_seq,
            last_seq=stretch.first_seq + len(stretch.entries) - 1,
        )
        return {(chain, seq) for chain, seq in rows}

    def references(self, names: Collection[Reference]) -> References:
        self._copies.finish()
        rows = _sql.references_of(
            self._conn, types=[type for type, _ in names], references=[name for _, name in names]
        )
        return {
            (type, reference): ReferenceFacts(chain=chain, seq=seq, content=content)
            for type, reference, chain, seq, content in rows
        }

    def put(self, parts: Iterable[Rows]) -> None:
        """The server takes rows in while the next ones are decided and encoded: both cores work."""
        rows = None
        with refusals(), self._copies:
            for rows in parts:
                self._copies.step(rows, _EARLY)
            if rows is None:
                return
            for table in _EARLY:
                self._copies.begin(rows, table)
            self._copy_stock(rows)
            for table in _LATE:
                self._copies.begin(rows, table)
            self._copies.finish()
            self._put_chains(rows)
            self._add_days(rows)

    def _copy_stock(self, rows: Rows) -> None:
        changes = [(store, sku, milli) for (store, sku), milli in rows.stock.items() if milli]
        if changes:
            self._copies.copy(copy_rows.STOCK_CHANGE, changes)

    def _put_chains(self, rows: Rows) -> None:
        conn = self._conn
        for chain in rows.new_chains:
            _sql.add_chain(
                conn,
                chain=chain.chain,
                origin=chain.origin,
                epoch=chain.epoch,
                branch=chain.branch,
                parent_chain=chain.parent_chain,
                fork_seq=chain.fork_seq,
                head_seq=chain.head.seq,
                head_hash=chain.head.hash,
            )
        for number, head in rows.heads.items():
            if _sql.move_head(conn, chain=number, head_seq=head.seq, head_hash=head.hash) != 1:
                raise RaceFault(f"chain {number} went on in the meantime")
        for number, opened in rows.opened.items():
            parent = opened.get("parent") or {}
            _sql.opened(
                conn,
                chain=number,
                segment=opened["segment"],
                cause=opened["cause"],
                parent_epoch=parent.get("epoch"),
                parent_seq=parent.get("seq"),
                parent_hash=parent.get("hash"),
            )
        for number, seq in rows.closed.items():
            _sql.closed(conn, chain=number, seq=seq)
        for origin in rows.retired:
            _sql.retire_itself(conn, origin=origin)
        for key in rows.keys:
            _sql.end_keys(
                conn, origin=key.origin, but=key.key_id, replaces=key.replaces,
                chain=key.chain, epoch=key.epoch, seq=key.seq,
            )  # fmt: skip
            _sql.add_rotated_key(conn, origin=key.origin, key_id=key.key_id, public_key=key.public_key)

    def _add_days(self, rows: Rows) -> None:
        days = sorted(rows.days.items(), key=lambda day: (day[0].origin, day[0].business_date))
        if days:
            _sql.add_days(
                self._conn,
                origins=[key.origin for key, _ in days],
                dates=[key.business_date for key, _ in days],
                documents=[count.documents for _, count in days],
                totals=[count.total_minor for _, count in days],
                taxes=[count.tax_minor for _, count in days],
                cash=[count.cash_minor for _, count in days],
            )
            # A date that was compared already is compared again; hardly any is.
            _sql.check_again(
                self._conn,
                origins=[key.origin for key, _ in days],
                dates=[key.business_date for key, _ in days],
            )
        ended = sorted({(row[_Z_ORIGIN], row[_Z_DATE]) for row in rows.appended["z_report"]})
        if ended:
            _sql.check_days(
                self._conn, origins=[origin for origin, _ in ended], dates=[date for _, date in ended]
            )

    def put_signed_head(self, chain: int, head: SignedHead) -> None:
        _sql.add_signed_head(
            self._conn, chain=chain, seq=head.seq, key_id=head.key_id, signature=head.signature
        )

    # ---- what is held of an origin

    def chains(self, origin: OriginId, epochs: Collection[EpochId]) -> Sequence[ChainRecord]:
        return [_record(row) for row in _sql.chains_of(self._conn, origin=origin, epochs=list(epochs))]

    def newest_chains(self, origin: OriginId, limit: int) -> Sequence[ChainRecord]:
        return [_record(row) for row in _sql.newest_chains(self._conn, origin=origin, limit=limit)]

    def hashes(self, places: Collection[tuple[int, int]]) -> Mapping[tuple[int, int], bytes]:
        if not places:
            return {}
        rows = _sql.hashes_at(
            self._conn, chains=[chain for chain, _ in places], seqs=[seq for _, seq in places]
        )
        return {(chain, seq): hash for chain, seq, hash in rows}

    # ---- claims and contact

    def claims(self, origin: OriginId, epochs: Collection[EpochId]) -> Sequence[Claim]:
        rows = _sql.claims_of(self._conn, origin=origin, epochs=list(epochs))
        return [Claim(epoch=EpochId(epoch), seq=seq, hash=hash or None) for epoch, seq, hash in rows]

    def claim(self, origin: OriginId, claim: Claim, at_ms: int) -> None:
        _sql.add_claim(
            self._conn, origin=origin, epoch=claim.epoch, seq=claim.seq, hash=claim.hash or b"", at_ms=at_ms
        )

    def forget_claims(self, origin: OriginId, claims: Collection[Claim]) -> None:
        for claim in claims:
            _sql.forget_claim(
                self._conn, origin=origin, epoch=claim.epoch, seq=claim.seq, hash=claim.hash or b""
            )

    def touch(self, origin: OriginId, at_ms: int) -> None:
        _sql.touch(self._conn, origin=origin, at_ms=at_ms)

    def block(self, origin: OriginId, code: str, detail: str, at_ms: int) -> None:
        _sql.block(self._conn, origin=origin, code=code, detail=detail, at_ms=at_ms)

    def put_heartbeat(
        self, origin: OriginId, statement: SignedStatement, skew_ms: int, at_ms: int, nonce: str
    ) -> None:
        _sql.put_heartbeat(
            self._conn,
            origin=origin,
            at_ms=at_ms,
            statement=statement.statement,
            key_id=statement.key_id,
            signature=statement.signature,
            skew_ms=skew_ms,
            nonce=nonce,
        )

    def put_nonce(self, origin: OriginId, nonce: str) -> None:
        _sql.put_nonce(self._conn, origin=origin, nonce=nonce)

    def record_skew(self, origin: OriginId, skew_ms: int, at_ms: int) -> None:
        _sql.record_skew(self._conn, origin=origin, at_ms=at_ms, skew_ms=skew_ms)
        _sql.forget_skews(self._conn, origin=origin, keep=SKEWS_KEPT - 1)

    def news(self, origin: OriginId) -> News:
        incarnation, feeds, versions, skew_ms, nonce = _sql.news(self._conn, origin=origin)
        return News(
            incarnation=IncarnationId(incarnation),
            feeds=dict(zip(feeds, versions, strict=True)),
            skew_ms=skew_ms,
            nonce=nonce or "",
        )

    def speaks_for(self, session: OriginId) -> Mapping[OriginId, Keys]:
        public: dict[OriginId, dict[KeyId, bytes]] = {}
        former: dict[OriginId, dict[KeyId, KeyLimit]] = {}
        for origin, key_id, public_key, epoch, seq, epochs in _sql.speaks_for(self._conn, session=session):
            public.setdefault(OriginId(origin), {})[KeyId(key_id)] = public_key
            if epochs is not None:
                limit = KeyLimit(epoch=epoch, seq=seq, epochs=frozenset(epochs))
                former.setdefault(OriginId(origin), {})[KeyId(key_id)] = limit
        return {origin: Keys(keys, former.get(origin, {})) for origin, keys in public.items()}

    # ---- head office itself

    def incarnation(self) -> IncarnationId:
        found = _sql.incarnation(self._conn)
        assert found is not None, "the first incarnation is made with the database"
        return IncarnationId(found)

    def known_incarnations(self, named: Collection[IncarnationId]) -> Collection[IncarnationId]:
        return {IncarnationId(known) for (known,) in _sql.known_incarnations(self._conn, named=list(named))}

    def begin_incarnation(
        self,
        former: IncarnationId,
        new: IncarnationId,
        at_ms: int,
        cause: str,
        detail: str,
        lost: IncarnationId | None = None,
    ) -> IncarnationId:
        number = _sql.lock_incarnation(self._conn)
        if self.incarnation() == former:
            for life in (lost, new):
                if life is not None:
                    number += 1
                    _sql.begin_incarnation(
                        self._conn, number=number, incarnation=life, at_ms=at_ms, cause=cause, detail=detail
                    )
        return self.incarnation()

    def alert(self, kind: str, origin: OriginId | None, detail: str) -> None:
        _sql.add_alert(self._conn, kind=kind, origin=origin, detail=detail)

    def alert_once(self, kind: str, origin: OriginId, detail: str, at_most: int) -> None:
        _sql.add_alert_once(self._conn, kind=kind, origin=origin, detail=detail, at_most=at_most)

    # ---- quarantine

    def waiting(self, after: tuple[int, int], limit: int) -> Sequence[Waiting]:
        rows = _sql.waiting(self._conn, chain=after[0], seq=after[1], limit=limit)
        return [
            Waiting(
                origin=OriginId(origin),
                epoch=EpochId(epoch),
                chain=chain,
                entry=StoredEntry(seq, hash, data),
            )
            for origin, epoch, chain, seq, hash, data in rows
        ]

    def resolve(self, chain: int, seq: int, status: str, at_ms: int) -> None:
        changed = _sql.resolve_entry(self._conn, chain=chain, seq=seq, status=status)
        assert changed == 1, "only what waits is resolved"
        _sql.resolve_quarantine(self._conn, chain=chain, seq=seq, at_ms=at_ms)

    def complete(self, completed: Completed, at_ms: int) -> None:
        (chain, seq, _, type, version, date, entry_ms, status, data), waits = completed
        with refusals():
            changed = _sql.complete_entry(
                self._conn,
                chain=chain,
                seq=seq,
                type=type,
                version=version,
                date=date,
                entry_ms=entry_ms,
                status=status,
                data=data,
            )
        assert changed == 1, "only what waits is completed"
        if waits is None:
            _sql.resolve_quarantine(self._conn, chain=chain, seq=seq, at_ms=at_ms)
        else:
            self.attempted(chain, seq, waits.cause, waits.detail)

    def attempted(self, chain: int, seq: int, cause: str, detail: str) -> None:
        _sql.attempted(self._conn, chain=chain, seq=seq, cause=cause, detail=detail)

    # ---- enrolment

    def enrol(self, origin: OriginRecord, key_id: KeyId, public_key: bytes) -> None:
        conn, facts = self._conn, origin.facts
        if origin.replaces is not None:
            _sql.retire(conn, origin=origin.replaces, at_ms=origin.enrolled_at_ms)
        try:
            with conn.transaction():
                _sql.enrol(
                    conn,
                    origin=facts.origin,
                    kind=origin.kind,
                    store=facts.store,
                    series=facts.series,
                    currency=facts.currency,
                    name=origin.name,
                    at_ms=origin.enrolled_at_ms,
                    software=origin.software,
                    recovery=origin.recovery,
                    replaces=origin.replaces,
                )
        except psycopg.errors.UniqueViolation as error:
            raise RaceFault(f"series {facts.series} belongs to another register") from error
        _sql.put_key(
            conn, origin=facts.origin, key_id=key_id, public_key=public_key,
            at_ms=origin.enrolled_at_ms, number=None,
        )  # fmt: skip

    def identity(self, origin: OriginId, key_id: KeyId) -> Identity | None:
        row = _sql.identity(self._conn, origin=origin, key_id=key_id)
        if row is None:
            return None
        kind, name, store, store_name, series, currency, timezone, number, public_key = row
        return Identity(
            origin=origin, kind=kind, name=name, store=StoreId(store), store_name=store_name, series=series,
            currency=currency, timezone=timezone, number=number, public_key=public_key,
        )  # fmt: skip

    def known(self, origin: OriginId, series: str) -> Known:
        number, retired, series_of = _sql.known(self._conn, origin=origin, series=series)
        return Known(
            number=number, retired=retired, series_of=None if series_of is None else OriginId(series_of)
        )

    def readmit(self, identity: Identity, key_id: KeyId, at_ms: int) -> None:
        conn = self._conn
        try:
            with conn.transaction():
                _sql.readmit_store(
                    conn, store=identity.store, name=identity.store_name,
                    currency=identity.currency, timezone=identity.timezone,
                )  # fmt: skip
                _sql.readmit(
                    conn, origin=identity.origin, kind=identity.kind, store=identity.store,
                    series=identity.series, currency=identity.currency, name=identity.name, at_ms=at_ms,
                )  # fmt: skip
        except psycopg.errors.UniqueViolation as error:
            raise RaceFault(f"series {identity.series} belongs to another register") from error
        self._put_key(identity.origin, key_id, identity.public_key, at_ms, identity.number)

    def give_key(self, origin: OriginId, key_id: KeyId, public_key: bytes, at_ms: int) -> None:
        self._put_key(origin, key_id, public_key, at_ms, None)

    def _put_key(
        self, origin: OriginId, key_id: KeyId, public_key: bytes, at_ms: int, number: int | None
    ) -> None:
        """The only one in force from now on; what the others signed in epochs that are here still holds."""
        chain = _sql.newest_chain(self._conn, origin=origin)
        _sql.end_keys(self._conn, origin=origin, but=key_id, replaces="", chain=chain, epoch=None, seq=0)
        _sql.put_key(
            self._conn, origin=origin, key_id=key_id, public_key=public_key, at_ms=at_ms, number=number
        )


def _record(row: tuple[Any, ...]) -> ChainRecord:
    chain, origin, epoch, branch, head_seq, head_hash, fork_seq, parent, closed, safe_seq, safe_hash = row
    epoch = EpochId(epoch)
    return ChainRecord(
        facts=ChainFacts(
            chain=chain,
            origin=OriginId(origin),
            epoch=epoch,
            branch=branch,
            head=Position(epoch, head_seq, head_hash),
            fork_seq=fork_seq,
            parent_chain=parent,
        ),
        closed_at_seq=closed,
        safe=None if safe_seq is None else Position(epoch, safe_seq, safe_hash),
    )
