"""Named queries: what each sign gives back on SQLite, and that a query leaves nothing behind."""

import gc

import aiosql
import apsw
import pytest

from holdfast.infra.queries import Engine, Queries

SQL = """
-- name: make()#
create table number (n integer primary key);

-- name: add(n)!
insert into number values (:n);

-- name: add_all(n)*!
insert into number values (:n);

-- name: one(n)^
select n, n * n from number where n = :n;

-- name: value(n)$
select n from number where n >= :n order by n;

-- name: every()
select n from number order by n;

-- name: put(n)<!
insert into number values (:n) returning n;
"""


@pytest.fixture
def connection() -> apsw.Connection:
    return apsw.Connection(":memory:")


@pytest.fixture
def queries(connection: apsw.Connection) -> Queries:
    loaded = aiosql.from_str(SQL, Engine.SQLITE.value, mandatory_parameters=True)
    loaded.make(connection)  # pyright: ignore[reportAttributeAccessIssue]
    return loaded  # pyright: ignore[reportReturnType]


def test_each_sign_gives_back_what_it_says(connection: apsw.Connection, queries: Queries) -> None:
    assert queries.add(connection, n=2) == 1
    assert queries.add_all(connection, [{"n": 3}, {"n": 4}]) == 2
    assert queries.put(connection, n=5) == 5
    assert queries.one(connection, n=3) == (3, 9)
    assert queries.one(connection, n=7) is None
    assert queries.value(connection, n=3) == 3
    assert queries.every(connection) == [(2,), (3,), (4,), (5,)]


def test_a_query_leaves_no_cursor_behind(connection: apsw.Connection, queries: Queries) -> None:
    """A till looks at its databases a few times a second, for years."""
    queries.add_all(connection, [{"n": number} for number in range(10)])
    before = cursors()
    for number in range(50):
        queries.one(connection, n=number)
        queries.value(connection, n=0)  # stops before the last row
        queries.every(connection)
        queries.put(connection, n=100 + number)
    assert cursors() == before


def cursors() -> int:
    gc.collect()
    # Asked for its class, a stand-in of another test answers for what it stands for.
    return sum(issubclass(type(found), apsw.Cursor) for found in gc.get_objects())
