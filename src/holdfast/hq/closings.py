"""Day closings: each register's Z reports of a business date, held against its documents to the cent (PO5).

A thread of `hq serve` compares what came in. Where the two are not equal people are told which figures
differ, and told anew when that changes; once the rest has arrived they agree by themselves.
"""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, cast

import msgspec
import psycopg

from holdfast.core.cash.agreement import said, unequal
from holdfast.core.cash.coverage import ChainEnd, Covered, Span, covered, goes_on_from
from holdfast.core.cash.z_report import ZReport
from holdfast.core.ids import EpochId
from holdfast.core.journal.bodies import REGISTRY
from holdfast.core.journal.entry import decode_entry
from holdfast.core.sale import Sale
from holdfast.core.totals import DayTotals, ForeignSum, day_deltas
from holdfast.hq.regular import RegularWork
from holdfast.infra.clock import Clock
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq", "closings.sql", Engine.POSTGRES)
_report = msgspec.json.Decoder(ZReport)

Result = Literal["equal", "unequal", "open", "waiting"]
"""`open`: the date was opened again. `waiting`: an earlier epoch of the register is not all here."""

CHECK_EVERY_S = 2.0
CHECKED_AT_ONCE = 500
ROWS_MAX = 500
MOVEMENTS_MAX = 1_000


class Finding(NamedTuple):
    """What a comparison came to."""

    result: Result
    detail: str = ""


class Closing(msgspec.Struct, frozen=True):
    """One register on one business date."""

    origin: str
    register: str
    store: str
    currency: str
    documents: int
    own_total_minor: int
    """Of all documents that head office has of the date."""
    numbers: tuple[int, ...]
    """Of its Z reports; empty: it has not closed."""
    chains: tuple[int, ...]
    seqs: tuple[int, ...]
    sales: int | None
    returns: int | None
    total_minor: int | None
    tax_minor: int | None
    over_short_minor: int | None
    at_ms: int | None
    result: str | None
    detail: str
    due: bool

    @property
    def reports(self) -> list[tuple[int, int, int]]:
        """(number, chain, seq) of each."""
        return list(zip(self.numbers, self.chains, self.seqs, strict=True))


class Counts(msgspec.Struct, frozen=True):
    """Over all registers of a date."""

    registers: int
    closed: int
    equal: int
    unequal: int


class Declaration(msgspec.Struct, frozen=True):
    """One currency at the end of one shift."""

    shift: int
    currency: str
    expected_minor: int
    counted_minor: int | None
    over_short_minor: int
    staff: str
    closed_by: str
    at_ms: int


class Movement(msgspec.Struct, frozen=True):
    """Cash that moved without a sale."""

    at_ms: int
    shift: int
    kind: str
    currency: str
    amount_minor: int
    reason: str
    reference: str
    staff: str
    approved_by: str


class StoredReport(msgspec.Struct, frozen=True, kw_only=True):
    """A Z report with where it stands, and what else is known of its day."""

    report: ZReport
    at_ms: int
    origin: str
    register: str
    store: str
    result: str | None
    detail: str
    hash: bytes
    epoch: str
    branch: int
    declared: tuple[Declaration, ...]
    movements: tuple[Movement, ...]


# ---- comparing ---------------------------------------------------------------------------------


def check_due(pool: Pool, clock: Clock, at_most: int = CHECKED_AT_ONCE) -> int:
    """Compare what is due, each in a transaction of its own; how many there were."""
    for done in range(at_most):
        with pool.connection() as conn:
            due = _sql.next_due(conn)
            if due is None:
                return done
            origin, business_date = due
            _check(conn, origin, business_date, clock.now_ms())
    return at_most


def _check(conn: psycopg.Connection[Any], origin: str, business_date: str, now_ms: int) -> None:
    rows = _sql.reports_of(conn, origin=origin, business_date=business_date)
    found = _find(
        conn, origin, business_date, [(chain, seq, _report.decode(text)) for chain, seq, text in rows]
    )
    former = _sql.former(conn, origin=origin, business_date=business_date)
    alert = former[2] if former else None
    if found.result == "unequal":
        chain, seq, _ = rows[-1]
        alert = _tell(conn, origin, (chain, seq), business_date, found.detail, former)
    elif alert is not None and found.result == "equal":
        _sql.settle_alert(conn, id=alert, at_ms=now_ms)
        alert = None
    _sql.checked(
        conn,
        origin=origin,
        business_date=business_date,
        result=found.result,
        detail=found.detail,
        alert=alert,
        at_ms=now_ms,
    )


def _tell(
    conn: psycopg.Connection[Any],
    origin: str,
    at: tuple[int, int],
    business_date: str,
    detail: str,
    former: Sequence[Any] | None,
) -> int:
    """One alert a register and date: told anew where its figures changed."""
    sentence = f"Z report of {business_date}: {detail}"
    if former and former[2] is not None:
        if former[1] == detail:
            return former[2]
        told = _sql.tell_anew(conn, id=former[2], detail=sentence)
        if told is not None:
            return former[2]
    return int(_only(_sql.add_alert(conn, origin=origin, chain=at[0], seq=at[1], detail=sentence)))


def _only(row: Any) -> Any:
    return row[0] if isinstance(row, tuple) else row


def _find(
    conn: psycopg.Connection[Any],
    origin: str,
    business_date: str,
    reports: Sequence[tuple[int, int, ZReport]],
) -> Finding:
    if not reports:
        return Finding("waiting", "its Z report waits in quarantine")
    chains = {
        chain: ChainEnd(chain=chain, epoch=EpochId(epoch), first_seq=first, before=before, before_seq=seq)
        for chain, epoch, first, before, seq in _sql.chains_of(conn, origin=origin)
    }
    parts = [covered(chain, seq, report.since, chains) for chain, seq, report in reports]
    if any(part.lacks for part in parts):
        return Finding("waiting", "an earlier part of the register's journal has not arrived")
    last_chain, last_seq, last = reports[-1]
    others: dict[int, int] = {}
    for chain, _, upto in _sql.documents_by_chain(conn, origin=origin, business_date=business_date):
        is_later = (
            upto > last_seq if chain == last_chain else goes_on_from(chain, last_chain, last_seq, chains)
        )
        if is_later:
            return Finding("open", "the day was opened again, and is not closed yet")
        others[chain] = upto
    spans = _spans(parts)
    own = _own(conn, origin, business_date, spans, others)
    z = sum((report.totals for _, _, report in reports), DayTotals())
    differing = unequal(z, own.totals, last.currency)
    sentences = [said(differing)] if differing else []
    numbers = {n for _, _, z in reports for n in (z.first_document, z.last_document) if n is not None}
    here = _sql.numbers_here(conn, origin=origin, numbers=sorted(numbers))
    if here != len(numbers) and not own.repeated:
        sentences.append("its first or last document is not here")
    if sentences and (waiting := _sql.waiting(conn, **spans)):
        sentences.append(f"{waiting} entries of it wait in quarantine")
    return Finding("unequal", "; ".join(sentences)) if sentences else Finding("equal")


def _spans(parts: Sequence[Covered]) -> dict[str, list[int]]:
    spans: list[Span] = [span for part in parts for span in part.spans]
    return {
        "chains": [span.chain for span in spans],
        "firsts": [span.first_seq for span in spans],
        "lasts": [span.last_seq for span in spans],
    }


class _Own(NamedTuple):
    totals: DayTotals
    repeated: int


def _own(
    conn: psycopg.Connection[Any],
    origin: str,
    business_date: str,
    spans: dict[str, list[int]],
    others: Mapping[int, int],
) -> _Own:
    """What the documents come to by head office's own rows; those that another register entered first too."""
    rows = _sql.own_figures(
        conn,
        **spans,
        origin=origin,
        business_date=business_date,
        others=list(others),
        uptos=list(others.values()),
    )
    totals = _totals(rows)
    repeated = _sql.repeated(conn, **spans)
    for (data,) in repeated:
        body = REGISTRY.decode(decode_entry(data))
        if isinstance(body, Sale):
            totals += day_deltas(body)
    return _Own(totals, len(repeated))


def _totals(rows: Sequence[tuple[str, str, int, int]]) -> DayTotals:
    by: dict[str, dict[str, tuple[int, int]]] = {}
    for figure, key, amount, other in rows:
        by.setdefault(figure, {})[key] = (amount, other)
    documents, returns = by["documents"][""]
    total_minor, rounding_minor = by["total"][""]
    tenders = {key: amount for key, (amount, _) in by.get("tender", {}).items()}
    taxes = by.get("tax", {})
    return DayTotals(
        sales=documents - returns,
        returns=returns,
        total_minor=total_minor,
        rounding_minor=rounding_minor,
        returned_minor=by["returned"][""][0],
        net_minor={key: net for key, (net, _) in taxes.items()},
        tax_minor={key: tax for key, (_, tax) in taxes.items()},
        tenders_minor=tenders,
        departments_minor={key: amount for key, (amount, _) in by.get("department", {}).items()},
        drawer_minor=tenders.get("cash", 0) + tenders.get("change", 0),
        foreign_cash={
            key: ForeignSum(foreign_minor=foreign, amount_minor=amount)
            for key, (foreign, amount) in by.get("foreign", {}).items()
        },
    )


class ClosingKeeper(RegularWork):
    """Compares what is due, until `stop`. What could not be compared stays due."""

    def __init__(self, pool: Pool, clock: Clock, every_s: float = CHECK_EVERY_S) -> None:
        self._pool, self._clock = pool, clock
        super().__init__("compare-closings", "day closings are not compared", every_s, first_s=every_s)

    def _turn(self) -> bool:
        check_due(self._pool, self._clock)
        return False


# ---- reading -----------------------------------------------------------------------------------


class Closings:
    """What the pages show of day closings; one transaction a call."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def latest_date(self) -> str | None:
        """The last business date that anything is known of."""
        with self._pool.connection() as conn:
            return _sql.latest_date(conn)

    def stores(self) -> Sequence[tuple[str, str]]:
        """(code, name) of each."""
        with self._pool.connection() as conn:
            return _sql.stores(conn)

    def of(self, business_date: datetime.date, store: str | None) -> tuple[Counts, Sequence[Closing]]:
        """How many there are, and the first of them: what wants a look comes first."""
        with self._pool.connection() as conn:
            counts = Counts(*_sql.counts(conn, business_date=business_date, store=store))
            rows = _sql.closings(conn, business_date=business_date, store=store, limit=ROWS_MAX)
            return counts, [_closing(row) for row in rows]

    def report(self, chain: int, seq: int) -> StoredReport | None:
        """One Z report."""
        with self._pool.connection() as conn:
            row = _sql.report(conn, chain=chain, seq=seq)
            if row is None:
                return None
            text, at_ms, origin, register, store, result, detail, hash, epoch, branch = row
            report = _report.decode(text)
            day = {"origin": origin, "business_date": report.business_date}
            shifts = set(report.shifts)
            return StoredReport(
                report=report,
                at_ms=at_ms,
                origin=origin,
                register=register,
                store=store,
                result=result,
                detail=detail,
                hash=hash,
                epoch=epoch,
                branch=branch,
                declared=tuple(
                    found
                    for found in (Declaration(*d) for d in _sql.declared(conn, **day))
                    if found.shift in shifts
                ),
                movements=tuple(
                    Movement(*moved) for moved in _sql.movements(conn, **day, limit=MOVEMENTS_MAX)
                ),
            )


def _closing(row: Sequence[Any]) -> Closing:
    values: list[Any] = [
        tuple(cast("list[int]", value)) if isinstance(value, list) else value for value in row
    ]
    return Closing(*values)
