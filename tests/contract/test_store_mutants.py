"""Mutants of the PostgreSQL store: the contract, or the simulation's comparison, must find each one out."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

import psycopg
import pytest

from holdfast.core.faults import Fault
from holdfast.hq.store import postgres
from holdfast.hq.store.postgres import PostgresStore, PostgresTransaction
from holdfast.simulation.postgres import postgres_office
from holdfast.simulation.run import run
from holdfast.simulation.scenario import Plan
from tests.contract import test_head_office_store as contract
from tests.hq_fixtures import HeadOfficeUnderTest

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures"]

Patch = Callable[[pytest.MonkeyPatch], None]


class Mutant(NamedTuple):
    """A rule broken, the scenario that must find it, and what it must say."""

    patch: Patch
    caught_by: contract.Scenario
    says: str


def dedupe_dropped(patch: pytest.MonkeyPatch) -> None:
    """No entry is known to be there already."""
    patch.setattr(PostgresTransaction, "_hashes_of", lambda *_, **__: {})


def reference_dedupe_dropped(patch: pytest.MonkeyPatch) -> None:
    """No external reference is known to stand already."""
    patch.setattr(PostgresTransaction, "references", lambda *_: {})


def conflict_not_expected(patch: pytest.MonkeyPatch) -> None:
    """A head that is there already is a failure, not a repetition."""

    def add_signed_head(conn: Any, **row: Any) -> None:
        conn.execute(
            "insert into signed_head (chain, seq, key_id, signature) "
            "values (%(chain)s, %(seq)s, %(key_id)s, %(signature)s)",
            row,
        )

    patch.setattr(postgres._sql, "add_signed_head", add_signed_head)


def sums_replaced(patch: pytest.MonkeyPatch) -> None:
    """A conflict overwrites a register's day instead of adding to it."""
    original = postgres._sql.add_days

    def add_days(conn: Any, **rows: Any) -> Any:
        conn.execute("delete from register_day")
        return original(conn, **rows)

    patch.setattr(postgres._sql, "add_days", add_days)


def stock_without_its_first(patch: pytest.MonkeyPatch) -> None:
    """A batch's first change of stock does not get into the COPY."""
    original = PostgresTransaction._copy_stock

    def copy_stock(self: PostgresTransaction, rows: Any) -> None:
        rows.stock.pop(next(iter(rows.stock), None), None)
        original(self, rows)

    patch.setattr(PostgresTransaction, "_copy_stock", copy_stock)


def cursor_off_by_one(patch: pytest.MonkeyPatch) -> None:
    """The stored cursor stands one entry before the last one stored."""
    original = postgres._sql.move_head

    def move_head(conn: Any, *, head_seq: int, **row: Any) -> Any:
        return original(conn, head_seq=head_seq - 1, **row)

    patch.setattr(postgres._sql, "move_head", move_head)


def ack_before_commit(patch: pytest.MonkeyPatch) -> None:
    """The answer goes out, and the transaction is never committed."""

    @contextmanager
    def transaction(self: PostgresStore, origin: Any) -> Iterator[PostgresTransaction]:
        with self._pool.connection() as conn:
            yield PostgresTransaction(conn, origin)
            if origin is not None:
                conn.rollback()

    patch.setattr(PostgresStore, "transaction", transaction)


MUTANTS: Mapping[str, Mutant] = {
    mutant.patch.__name__: mutant
    for mutant in (
        Mutant(dedupe_dropped, contract.the_same_again_and_overlapping, "At index 1 diff"),
        Mutant(reference_dedupe_dropped, contract.references_stand_once_in_the_chain, "met others"),
        Mutant(conflict_not_expected, contract.the_same_again_and_overlapping, "signed_head_pkey"),
        Mutant(sums_replaced, contract.a_journal_in_pieces, "register_day"),
        Mutant(stock_without_its_first, contract.a_journal_in_pieces, "stock_level"),
        Mutant(cursor_off_by_one, contract.a_journal_in_pieces, "a joined batch leaves no gap"),
        Mutant(ack_before_commit, contract.a_journal_in_pieces, "send_from"),
    )
}


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_the_contract_finds_every_mutant(
    mutant: Mutant,
    memory_hq: HeadOfficeUnderTest,
    postgres_hq: HeadOfficeUnderTest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mutant.patch(monkeypatch)
    with pytest.raises((AssertionError, Fault, psycopg.Error), match=mutant.says):
        contract.test_both_stores_answer_alike_and_end_alike(mutant.caught_by, memory_hq, postgres_hq)


def test_a_cursor_stored_in_another_transaction_than_its_rows_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rows are committed, then their cursor: a commit that fails between the two shows it."""
    original = PostgresTransaction._put_chains

    def put_chains(self: PostgresTransaction, rows: Any) -> None:
        if not rows.new_chains:
            self._conn.execute("commit")
            self._conn.execute("begin")
        original(self, rows)

    monkeypatch.setattr(PostgresTransaction, "_put_chains", put_chains)
    monkeypatch.setattr(PostgresTransaction, "savepoint", lambda self: nullcontext())
    with postgres_office() as office:
        found = run(1, Plan(days=2, registers=2, stores=0, failing_commit_hours=0.2), office).findings
    assert any(finding.startswith("stores: entries") for finding in found), found[:5]
