"""Connections: only to a durable server, and with failures in our own words."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from holdfast.core.faults import ConfigurationFault, DamagedFault, StorageFullFault, UnavailableFault
from holdfast.infra.postgres.connect import Pool, connect, is_data_error, open_pool, translated_faults
from holdfast.infra.postgres.launcher import EmbeddedPostgres

if TYPE_CHECKING:
    from tests.postgres_fixture import MakeDatabase

pytest_plugins = ["tests.postgres_fixture"]


@pytest.fixture(scope="module")
def dsn(make_database: "MakeDatabase") -> str:
    return make_database()


@pytest.fixture(scope="module")
def shared_pool(dsn: str) -> Iterator[Pool]:
    with open_pool(dsn, name="test", max_size=2, timeout_s=60) as pool:
        yield pool


@pytest.fixture
def pool(shared_pool: Pool) -> Pool:
    """Two connections to a database with one empty table."""
    with shared_pool.connection() as conn:
        conn.execute("drop table if exists t; create table t (a bigint not null, b text)")
    return shared_pool


def value(conn: psycopg.Connection[Any], query: str) -> object:
    row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


# ---- durable -----------------------------------------------------------------------------------


def test_commits_are_durable_whatever_the_database_says(fresh_database: str) -> None:
    with psycopg.connect(fresh_database, autocommit=True) as conn:
        conn.execute("do $$ begin execute format('alter database %I set synchronous_commit = off', "
                     "current_database()); end $$")  # fmt: skip
    with psycopg.connect(fresh_database) as conn:
        assert value(conn, "show synchronous_commit") == "off"
    with open_pool(fresh_database, name="test") as pool, pool.connection() as conn:
        assert value(conn, "show synchronous_commit") == "on"
        assert value(conn, "show timezone") == "UTC"
        conn.rollback()
        assert value(conn, "show synchronous_commit") == "on"


def test_remote_apply_is_stronger_and_stays(dsn: str) -> None:
    stronger = make_conninfo(dsn, options="-c synchronous_commit=remote_apply")
    with connect(stronger, name="test") as conn:
        assert value(conn, "show synchronous_commit") == "remote_apply"


def test_a_server_that_may_lose_sales_is_refused(tmp_path: Path) -> None:
    with (
        EmbeddedPostgres(tmp_path / "data", durable=False) as server,
        pytest.raises(ConfigurationFault, match=r"fsync = off.*Set fsync = on"),
    ):
        open_pool(server.dsn, name="test")


def test_another_encoding_is_refused(postgres_server: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres_server.dsn, autocommit=True) as conn:
        conn.execute(
            "create database latin encoding 'LATIN1' locale 'C' locale_provider libc template template0"
        )
    with pytest.raises(ConfigurationFault, match="encoded as LATIN1"):
        connect(make_conninfo(postgres_server.dsn, dbname="latin"), name="test")


def test_an_old_server_is_refused(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.infra.postgres.connect._OLDEST_VERSION", 990000)
    with pytest.raises(ConfigurationFault, match="needs 14 or newer"):
        connect(dsn, name="test")


def test_no_server_is_unavailable_at_once(tmp_path: Path) -> None:
    with pytest.raises(UnavailableFault, match="does not answer"):
        open_pool(f"host={tmp_path}", name="test")


# ---- the pool ----------------------------------------------------------------------------------


def test_the_block_is_a_transaction(pool: Pool) -> None:
    def fails() -> None:
        with pool.connection() as conn:
            conn.execute("insert into t values (1)")
            raise LookupError

    with pytest.raises(LookupError):
        fails()
    with pool.connection() as conn:
        assert value(conn, "select count(*) from t") == 0


def test_a_cut_connection_is_unavailable_and_the_next_one_works(pool: Pool, dsn: str) -> None:
    def is_cut_in_use() -> None:
        with pool.connection() as conn:
            cut(dsn, conn.info.backend_pid)
            conn.execute("select 1")

    with pytest.raises(UnavailableFault):
        is_cut_in_use()
    with pool.connection() as conn:
        assert value(conn, "select 1") == 1
        pid = conn.info.backend_pid
    cut(dsn, pid)  # while it lies idle in the pool
    with pool.connection() as conn:
        assert value(conn, "select 1") == 1


def cut(dsn: str, pid: int) -> None:
    with psycopg.connect(dsn) as admin:
        admin.execute("select pg_terminate_backend(%s, 2000)", [pid])


def test_waiting_for_a_connection_is_bounded(pool: Pool) -> None:
    with pool.connection(), pool.connection(), pytest.raises(UnavailableFault), pool.connection(0.05):
        pass


def test_a_statement_timeout_is_unavailable(dsn: str) -> None:
    with open_pool(dsn, name="test", statement_timeout_s=3) as pool:
        with pytest.raises(UnavailableFault, match="statement timeout"), pool.connection() as conn:
            conn.execute("select pg_sleep(600)")
        with pool.connection() as conn:
            assert value(conn, "select 1") == 1


# ---- errors ------------------------------------------------------------------------------------


def test_a_full_disk_and_a_conflict(pool: Pool) -> None:
    with pytest.raises(StorageFullFault), pool.connection() as conn:
        conn.execute("do $$ begin raise 'no space' using errcode = '53100'; end $$")
    with pytest.raises(UnavailableFault, match="for the sake of another"), pool.connection() as conn:
        conn.execute("do $$ begin raise 'deadlock' using errcode = '40P01'; end $$")


@pytest.mark.parametrize("code", ["XX001", "XX002"])
def test_a_damaged_page_is_said_with_its_cure(pool: Pool, code: str) -> None:
    with pytest.raises(DamagedFault, match=r"invalid page.*holdfast hq restore"), pool.connection() as conn:
        conn.execute(f"do $$ begin raise 'invalid page' using errcode = '{code}'; end $$".encode())


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("insert into t values (%s)", [None]),  # 23502
        ("insert into t values (%s)", [10**30]),  # 22003
        ("select %s::integer", ["x"]),  # 22P02
        ("select %s::text", ["a\0b"]),  # found by psycopg
        ("select %s::text", ["\ud800"]),  # found by Python
        ("select 1 / %s", [0]),  # 22012
    ],
)
def test_a_data_error_is_known_as_such_and_passes(pool: Pool, query: str, parameters: list[object]) -> None:
    with pytest.raises((psycopg.Error, UnicodeError)) as caught, pool.connection() as conn:
        conn.execute(query.encode(), parameters)
    assert is_data_error(caught.value)


@pytest.mark.parametrize("form", ["text", "binary"])
@pytest.mark.parametrize("row", [(None, "x"), (1, "a\0b"), (1, "\ud800"), (2**63, "x"), (2**70, "x")])
def test_data_errors_in_copy(pool: Pool, form: str, row: tuple[object, str]) -> None:
    def copy_row() -> None:
        with (
            pool.connection() as conn,
            conn.cursor().copy(f"copy t from stdin (format {form})".encode()) as copy,
        ):
            copy.set_types(["int8", "text"])
            copy.write_row(row)

    with pytest.raises((psycopg.Error, UnicodeError, OverflowError)) as caught:
        copy_row()
    assert is_data_error(caught.value)


def test_other_errors_are_no_data_errors(pool: Pool) -> None:
    with pytest.raises(psycopg.ProgrammingError) as caught, pool.connection() as conn:
        conn.execute("select nonsense")
    assert not is_data_error(caught.value)
    with pytest.raises(UnavailableFault) as lost, translated_faults():
        raise psycopg.OperationalError("the connection is lost")
    assert not is_data_error(lost.value)


def test_threads_share_a_pool(pool: Pool) -> None:

    def work() -> None:
        for _ in range(20):
            with pool.connection() as conn:
                conn.execute("insert into t values (1)")

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    with pool.connection() as conn:
        assert value(conn, "select count(*) from t") == 120
