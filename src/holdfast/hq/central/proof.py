"""The continuous proof: a balance is the sum of what was booked, and a movement comes to nothing (P8).

    Σ balances = Σ booked          booked + counter + difference = 0, per movement, account and overall

A run walks all accounts in pieces, each one statement and one transaction, so that it may be of any size and
holds nobody up. An account is proved as of one moment; all of them together are proved by each.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from holdfast.infra.clock import Clock
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq.central", "proof.sql", Engine.POSTGRES)

ACCOUNTS_AT_ONCE = 2_000
RUNS_KEPT = 20
WORDS_MAX = 10
"""Faults of one piece that are told in words."""

FAULTS = (
    "its balance is not the sum of what was booked",
    "a number of its movements is missing",
    "a movement does not come to nothing",
    "a difference has no remark",
)


class Sum(NamedTuple):
    """Of one kind and currency."""

    kind: str
    currency: str
    balance: int
    booked: int
    counter: int
    difference: int

    @property
    def holds(self) -> bool:
        return self.balance == self.booked and self.booked + self.counter + self.difference == 0


class Run(NamedTuple):
    """One run as far as it went."""

    id: int
    began_at_ms: int
    ended_at_ms: int | None
    accounts: int
    movements: int
    faults: int
    first_faults: str


class ProofBook:
    """Proves. Thread-safe; of several processes one at a time goes on."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    def step(self, limit: int = ACCOUNTS_AT_ONCE) -> bool:
        """The next piece of the run under way, or the first of a new one. Whether more is to be proved."""
        with self._pool.connection() as conn:
            if not _sql.lock_proof(conn):
                return False  # another process is at it
            found = _sql.running(conn)
            proof, kind, account = found or (_sql.begin(conn, at_ms=self._clock.now_ms()), "", "")
            rows: list[Sequence[Any]] = list(_sql.piece(conn, kind=kind, account=account, limit=limit))
            if rows:
                self._keep(conn, proof, rows)
            if len(rows) == limit:
                return True
            self._finish(conn, proof)
        return False

    def _keep(self, conn: Any, proof: int, rows: Sequence[Sequence[Any]]) -> None:
        sums: defaultdict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 4)
        words: list[str] = []
        for kind, account, currency, _, *amounts_and_faults in rows:
            amounts, faults = amounts_and_faults[:4], amounts_and_faults[4:]
            place = sums[kind, currency]
            sums[kind, currency] = [one + more for one, more in zip(place, amounts, strict=True)]
            words += [
                f"{kind} {account}: {said}" for said, is_so in zip(FAULTS, faults, strict=True) if is_so
            ]
        for (kind, currency), (balance, booked, counter, difference) in sums.items():
            _sql.add_sum(
                conn, proof=proof, kind=kind, currency=currency, balance=balance, booked=booked,
                counter=counter, difference=difference,
            )  # fmt: skip
        _sql.go_on(
            conn, proof=proof, kind=rows[-1][0], account=rows[-1][1], accounts=len(rows),
            movements=sum(row[3] for row in rows), faults=len(words),
            words="".join(f"{word}\n" for word in words[:WORDS_MAX]),
        )  # fmt: skip

    def _finish(self, conn: Any, proof: int) -> None:
        _sql.finish(conn, proof=proof, at_ms=self._clock.now_ms())
        faults, first = _sql.faults_of(conn, proof=proof)
        if faults:
            _sql.alert(
                conn, detail=f"central value does not add up: {faults} faults; {first.splitlines()[0]}"
            )
        _sql.forget_before(conn, proof=proof - RUNS_KEPT)
        _sql.forget_runs_before(conn, proof=proof - RUNS_KEPT)

    def run(self, told: Callable[[int], object], limit: int = ACCOUNTS_AT_ONCE) -> Run | None:
        """All pieces of one run, to its end. `told`: accounts done. None: another process is at it."""
        before = self.last()
        while self.step(limit):
            found = self.runs(1)
            told(found[0].accounts if found else 0)
        last = self.last()
        return None if last is None or (before is not None and last.id == before.id) else last

    def runs(self, limit: int = RUNS_KEPT) -> list[Run]:
        """The newest first, the one under way too."""
        with self._pool.connection() as conn:
            return [Run(*row) for row in _sql.proofs(conn, limit=limit)]

    def last(self) -> Run | None:
        """The newest that came to its end."""
        return next((run for run in self.runs() if run.ended_at_ms is not None), None)

    def sums(self, proof: int) -> list[Sum]:
        """What a run found, by kind and currency."""
        with self._pool.connection() as conn:
            rows = _sql.sums(conn, proof=proof)
            return [
                Sum(kind, currency, *(int(amount) for amount in amounts)) for kind, currency, *amounts in rows
            ]
