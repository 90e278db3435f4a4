"""The contract of migrations, on PostgreSQL and on SQLite; and queries from files on both."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import psycopg
import pytest

from holdfast.core.faults import DatabaseFault, NewerVersionFault
from holdfast.infra.migrations import Migration, migrate_sqlite, read_migrations
from holdfast.infra.postgres.migrations import migrate_postgres
from holdfast.infra.queries import Engine, load_queries

pytest_plugins = ["tests.postgres_fixture"]


@dataclass(frozen=True)
class Database:
    """What the contract needs of an engine."""

    engine: Engine
    connect: Callable[[], Any]
    migrate: Callable[[Any, tuple[Migration, ...]], list[Migration]]

    def tables(self) -> set[str]:
        """The names of all tables."""
        conn = self.connect()
        names = {
            Engine.POSTGRES: "select tablename from pg_tables where schemaname = 'public'",
            Engine.SQLITE: "select name from sqlite_master where type = 'table'",
        }[self.engine]
        found = {row[0] for row in conn.execute(names).fetchall()}
        conn.close()
        return found


@pytest.fixture(params=["postgres", "sqlite"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    if request.param == "sqlite":
        return Database(Engine.SQLITE, lambda: apsw.Connection(str(tmp_path / "db")), migrate_sqlite)
    dsn = request.getfixturevalue("fresh_database")
    return Database(Engine.POSTGRES, lambda: psycopg.connect(dsn, autocommit=True), migrate_postgres)


def write(folder: Path, **files: str) -> tuple[Migration, ...]:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name.removeprefix('_')}.sql").write_text(text, encoding="utf-8")
    return read_migrations(folder)


FIRST = "create table a (b integer);\ninsert into a values (1); -- 100 %\ninsert into a values (2);\n"


def test_each_is_applied_once_and_recorded(database: Database, tmp_path: Path) -> None:
    conn = database.connect()
    first = write(tmp_path / "sql", _0001_first=FIRST)
    assert database.migrate(conn, first) == list(first)
    both = write(tmp_path / "sql", _0002_second="create table c (d integer);")
    assert database.migrate(conn, both) == [both[1]]
    assert database.migrate(conn, both) == []
    assert [tuple(row) for row in conn.execute("select b from a order by b").fetchall()] == [(1,), (2,)]
    recorded = conn.execute("select number, name, sha256 from migration order by number").fetchall()
    assert [tuple(row) for row in recorded] == [(m.number, m.name, m.sha256) for m in both]
    conn.close()


def test_one_that_fails_leaves_nothing_and_names_itself(database: Database, tmp_path: Path) -> None:
    conn = database.connect()
    broken = write(
        tmp_path / "sql", _0001_ok=FIRST, _0002_broken="create table c (d integer);\ncreate nonsense;"
    )
    with pytest.raises(DatabaseFault, match="0002_broken cannot be applied"):
        database.migrate(conn, broken)
    assert database.tables() == {"a", "migration"}
    mended = write(tmp_path / "sql", _0002_broken="create table c (d integer);")
    assert database.migrate(conn, mended) == [mended[1]]
    conn.close()


def test_a_newer_database_and_a_changed_migration_are_refused(database: Database, tmp_path: Path) -> None:
    conn = database.connect()
    database.migrate(
        conn, write(tmp_path / "new", _0001_first=FIRST, _0002_later="create table c (d integer);")
    )
    with pytest.raises(NewerVersionFault, match="0002_later"):
        database.migrate(conn, write(tmp_path / "old", _0001_first=FIRST))
    with pytest.raises(DatabaseFault, match="0001_first is not the one"):
        database.migrate(conn, write(tmp_path / "new", _0001_first=FIRST + "-- edited\n"))
    conn.close()


def test_many_that_start_at_once_apply_each_once(database: Database, tmp_path: Path) -> None:
    migrations = write(
        tmp_path / "sql", **{f"_{n:04}_step": f"create table t{n} (a integer);" for n in range(1, 6)}
    )
    applied: list[Migration] = []
    barrier = threading.Barrier(4)

    def run() -> None:
        conn = database.connect()
        barrier.wait(120)
        applied.extend(database.migrate(conn, migrations))
        conn.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(migration.number for migration in applied) == [1, 2, 3, 4, 5]


QUERIES = """
-- name: create()#
create table person (id integer primary key, name text);

-- name: add(id, name)!
insert into person values (:id, :name);

-- name: add_many(id, name)*!
insert into person values (:id, :name);

-- name: rename(id, name)<!
update person set name = :name where id = :id returning name;

-- name: everybody()
-- All of them; 100 % of them.
select id, name from person where name like '%' order by id;

-- name: one(id)^
select id, name from person where id = :id;

-- name: count()$
select count(*) from person;
"""


def test_queries_mean_the_same_on_both_engines(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "package_with_sql"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "people.sql").write_text(QUERIES)
    monkeypatch.syspath_prepend(tmp_path)
    queries = load_queries("package_with_sql", "people.sql", database.engine)
    conn = database.connect()
    queries.create(conn)
    assert queries.add(conn, id=1, name="Ada") == 1
    assert queries.add_many(conn, [{"id": 2, "name": "Bob"}, {"id": 3, "name": "50 %"}]) == 2
    assert queries.rename(conn, id=2, name="Bea") == "Bea"
    assert [tuple(row) for row in queries.everybody(conn)] == [(1, "Ada"), (2, "Bea"), (3, "50 %")]
    assert tuple(queries.one(conn, id=3)) == (3, "50 %")
    assert queries.one(conn, id=9) is None
    assert queries.count(conn) == 3
    conn.close()
