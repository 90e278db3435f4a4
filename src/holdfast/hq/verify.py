"""Verifying head office: every chain and signature walked, and projections held against a fresh fold.

Nothing is changed, and registers may send meanwhile: all is read as of one moment.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec
import psycopg

from holdfast.core.ids import EpochId, KeyId, OriginId, StoreId
from holdfast.core.ingest.cash import CASH_BODIES, project_cash
from holdfast.core.ingest.decide import PreparedEntry, prepare_entry
from holdfast.core.ingest.facts import OriginFacts
from holdfast.core.ingest.project import Document, project
from holdfast.core.ingest.rows import APPLIED, COLUMNS, QUARANTINED, REPEATED, Row, Rows
from holdfast.core.journal.chain import ZERO_HASH, SignedHead, Verify, head_holds, link
from holdfast.core.journal.entry import Unprojectable
from holdfast.core.sale import Sale
from holdfast.core.sync.batch import StoredEntry
from holdfast.hq.central.verify import ValueCheck
from holdfast.hq.stock.verify import MarksCheck
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.postgres.progress import Progress, silent
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq", "verify.sql", Engine.POSTGRES)

DIFFERENCES_MAX = 1_000
"""Found differences are listed up to here; one more says that there are others."""
BLOCK = 2_000
_PROJECTED = (
    *("document", "document_line", "document_tender", "document_foreign_cash", "document_tax"),
    *("document_return", "reference"),
    *("shift_opened", "shift_declared", "cash_movement", "z_report"),
    "stock_transfer",
)
_POSTING_PERIOD = COLUMNS["document"].index("posting_period")
_EARLIEST_PERIOD = "0001-01"
_LOST = ("unreadable", False)
"""Why an entry waits, and whether that is resolved: only its hash is here."""


class Difference(msgspec.Struct, frozen=True):
    """Something that is not as it must be."""

    code: str
    """`chain`, `signature`, `entry`, `document`, `stock`, `value`, `day`; `more` beyond the list."""
    sentence: str


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at, and what differs; in order when `differences` is empty."""

    chains: int
    entries: int
    documents: int
    signatures: int
    waiting: int
    """Entries in quarantine: stored, and in no total."""
    differences: tuple[Difference, ...]


def verify_head_office(pool: Pool, verify: Verify, progress: Progress = silent) -> Verified:
    """Verify all that is stored. Raises UnavailableFault where the database goes away."""
    with pool.connection() as conn:
        conn.execute("set transaction isolation level repeatable read read only")
        conn.execute("set local statement_timeout = 0")
        return _Verification(conn, verify, progress).run()


class _Chain(msgspec.Struct, frozen=True):
    chain: int
    origin: OriginFacts
    epoch: EpochId
    branch: int
    parent_chain: int | None
    fork_seq: int
    head_seq: int
    head_hash: bytes

    @property
    def name(self) -> str:
        return f"{self.origin.origin}, epoch {self.epoch}" + (
            f", branch {self.branch}" if self.branch else ""
        )


class _Verification:
    """One run."""

    def __init__(self, conn: psycopg.Connection[Any], verify: Verify, progress: Progress) -> None:
        self._conn = conn
        self._verify = verify
        self._progress = progress
        self._differences: list[Difference] = []
        self._stock: Counter[tuple[str, str]] = Counter()
        self._marks = MarksCheck(conn)
        self._value = ValueCheck(conn)
        self._days: dict[tuple[str, str], list[int]] = {}
        self._entries = self._documents = self._signatures = self._waiting = 0

    def run(self) -> Verified:
        chains = [_chain(row) for row in _sql.chains(self._conn)]
        for done, chain in enumerate(chains):
            self._progress(f"Walking {chain.name}", done / len(chains))
            self._walk(chain)
            self._check_heads(chain)
        self._check_stock()
        for sentence in self._marks.wrong():
            self._differ("stock", sentence)
        for sentence in self._value.wrong():
            self._differ("value", sentence)
        self._check_days()
        strays = _sql.strays(self._conn)
        if strays:
            self._differ("document", f"{strays} documents belong to no chain")
        return Verified(
            chains=len(chains),
            entries=self._entries,
            documents=self._documents,
            signatures=self._signatures,
            waiting=self._waiting,
            differences=tuple(self._differences),
        )

    def _differ(self, code: str, sentence: str) -> None:
        if len(self._differences) < DIFFERENCES_MAX:
            self._differences.append(Difference(code, sentence))
        elif len(self._differences) == DIFFERENCES_MAX:
            self._differences.append(Difference("more", "There are more differences than are listed here."))

    # ---- chains

    def _walk(self, chain: _Chain) -> None:
        quarantine = {
            seq: (cause, done) for seq, cause, done in _sql.quarantine(self._conn, chain=chain.chain)
        }
        seq, previous, unproved = chain.fork_seq, ZERO_HASH, None
        if chain.parent_chain is not None and chain.fork_seq:
            previous = _sql.hash_at(self._conn, chain=chain.parent_chain, seq=chain.fork_seq) or ZERO_HASH
        while block := _sql.entries(self._conn, chain=chain.chain, after=seq, limit=BLOCK):
            expected = Rows()
            after = seq
            for row in block:
                if row[0] != seq + 1:
                    self._differ("chain", f"{chain.name}: entry {seq + 1} is missing")
                lost = quarantine.get(row[0]) == _LOST
                if lost:
                    self._check_before_lost(chain, row[0], unproved)
                unproved = None if lost else row[0]
                if not lost and link(previous, row[7]) != row[1]:
                    self._differ("chain", f"{chain.name}: entry {row[0]} does not join the one before it")
                seq, previous = row[0], row[1]
                self._fold(chain, row, quarantine, expected)
            self._compare(chain, after, seq, expected)
            self._add(expected)
            self._entries += len(block)
        if (seq, previous) != (chain.head_seq, chain.head_hash) and chain.head_seq:
            self._differ("chain", f"{chain.name}: its head is not its last entry, {seq}")

    def _check_before_lost(self, chain: _Chain, seq: int, before: int | None) -> None:
        """The hash of an unreadable entry is only stated: what is behind it proves nothing before it. So
        the entry before, if it is readable, must have a signed head, or lead to another branch."""
        if before is None or _sql.proved_at(self._conn, chain=chain.chain, seq=before):
            return
        self._differ(
            "signature",
            f"{chain.name}: entry {seq} is unreadable, and no signed head proves what is before it",
        )

    def _fold(
        self, chain: _Chain, row: Row, quarantine: Mapping[int, tuple[str, bool]], expected: Rows
    ) -> None:
        """What the stored bytes of one entry come to, into `expected`."""
        seq, hash, type, version, _, at_ms, status, data = row
        waiting, resolved = quarantine.get(seq, ("", True))
        item = prepare_entry(
            chain.origin.origin, chain.epoch, StoredEntry(seq, hash, data, (waiting, resolved) != _LOST)
        )
        named = (
            ("", 0, None) if item.entry is None else (item.entry.type, item.entry.version, item.entry.at_ms)
        )
        if (type, version, at_ms) != named:
            self._differ("entry", f"{chain.name}: entry {seq} is filed as something else than it is")
        if status == QUARANTINED:
            self._waiting += 1
            if resolved:
                self._differ("entry", f"{chain.name}: entry {seq} waits, and nothing says why")
        elif not resolved:
            self._differ("entry", f"{chain.name}: entry {seq} took effect and waits as well")
        elif isinstance(item.body, Unprojectable):
            self._differ(
                "entry", f"{chain.name}: entry {seq} took effect and cannot be read: {item.body.cause}"
            )
        elif status == REPEATED:
            self._check_repeated(chain, item)
        elif status == APPLIED:
            self._project(chain, item, expected)
        else:
            self._differ("entry", f"{chain.name}: entry {seq} has the unknown status {status}")

    def _project(self, chain: _Chain, item: PreparedEntry, expected: Rows) -> None:
        if isinstance(item.body, CASH_BODIES):
            assert item.entry is not None, "a readable body has an entry"
            project_cash(expected, chain.chain, item.entry, item.body, chain.origin)
        if not isinstance(item.body, Document):
            return
        assert item.entry is not None, "a readable body has an entry"
        self._documents += 1
        project(expected, chain.chain, item.entry, item.body, chain.origin, _EARLIEST_PERIOD)
        if item.reference is not None:
            row = (*item.reference, chain.chain, item.stored.seq, item.content)
            expected.appended["reference"].append(row)
        self._marks.add(chain.chain, chain.branch, chain.origin.store, item.entry, item.body)
        if isinstance(item.body, Sale):
            self._value.add(chain.chain, item.entry, item.body, chain.origin)

    def _check_repeated(self, chain: _Chain, item: PreparedEntry) -> None:
        known = None
        if item.reference is not None:
            type, reference = item.reference
            known = _sql.reference_of(self._conn, type=type, reference=reference)
        if known != item.content:
            self._differ(
                "entry", f"{chain.name}: entry {item.stored.seq} repeats a document that is not there"
            )

    def _compare(self, chain: _Chain, after: int, through: int, expected: Rows) -> None:
        for table in _PROJECTED:
            columns = COLUMNS[table]
            place = columns.index("seq")
            select = f"select {', '.join(columns)} from {table} where chain = %s and seq > %s and seq <= %s"
            found = [
                _plain(row)
                for row in self._conn.execute(select.encode(), [chain.chain, after, through]).fetchall()
            ]
            wanted = expected.appended[table]
            if table == "document":
                found, wanted = _without_period(found), _without_period(wanted)
            extra, lacking = Counter(found) - Counter(wanted), Counter(wanted) - Counter(found)
            for seq in sorted({row[place] for row in (*extra, *lacking)}):
                self._differ("document", f"{chain.name}: {table} of entry {seq} is not what the entry says")
        for seq in self._value.block(chain.chain, after, through):
            self._differ("value", f"{chain.name}: central value of entry {seq} is not what the entry says")

    def _add(self, expected: Rows) -> None:
        for key, quantity_milli in expected.stock.items():
            self._stock[key] += quantity_milli
        for day, count in expected.days.items():
            sums = self._days.setdefault((day.origin, day.business_date), [0, 0, 0, 0])
            added = (count.documents, count.total_minor, count.tax_minor, count.cash_minor)
            self._days[(day.origin, day.business_date)] = [a + b for a, b in zip(sums, added, strict=True)]

    # ---- signatures and sums

    def _check_heads(self, chain: _Chain) -> None:
        keys: dict[str, bytes] = dict(_sql.keys(self._conn, origin=chain.origin.origin))
        last = 0
        for seq, hash, key_id, signature in _sql.signed_heads(self._conn, chain=chain.chain):
            self._signatures += 1
            last = seq
            head = SignedHead(
                origin=chain.origin.origin, epoch=chain.epoch, seq=seq, hash=hash or b"",
                key_id=KeyId(key_id), signature=signature,
            )  # fmt: skip
            if key_id not in keys or not head_holds(head, keys[key_id], self._verify):
                self._differ("signature", f"{chain.name}: the signed head at {seq} does not verify")
        if chain.head_seq and last < chain.head_seq:
            self._differ("signature", f"{chain.name}: nobody signed the head at {chain.head_seq}")

    def _check_stock(self) -> None:
        found = {(store, sku): milli for store, sku, milli in _sql.stock(self._conn)}
        self._stock.update(self._marks.moved())
        wanted = {key: milli for key, milli in self._stock.items() if milli}
        for store, sku in sorted(found.keys() | wanted.keys()):
            if found.get((store, sku)) != wanted.get((store, sku)):
                self._differ("stock", f"stock of {sku} in {store} is not the sum of its movements")

    def _check_days(self) -> None:
        found = {(row[0], row[1]): list(row[2:]) for row in _sql.days(self._conn)}
        for origin, date in sorted(found.keys() | self._days.keys()):
            if found.get((origin, date)) != self._days.get((origin, date)):
                self._differ("day", f"the totals of {origin} on {date} are not the sum of its documents")


def _chain(row: Row) -> _Chain:
    chain, origin, epoch, branch, parent, fork_seq, head_seq, head_hash, store, series, currency = row
    facts = OriginFacts(origin=OriginId(origin), store=StoreId(store), series=series, currency=currency)
    return _Chain(chain, facts, EpochId(epoch), branch, parent, fork_seq, head_seq, head_hash)


def _plain(row: Row) -> Row:
    return tuple(value.isoformat() if hasattr(value, "isoformat") else value for value in row)


def _without_period(rows: list[Row]) -> list[Row]:
    """A closed month posts later: where to, only the moment of ingest knew."""
    return [(*row[:_POSTING_PERIOD], *row[_POSTING_PERIOD + 1 :]) for row in rows]
