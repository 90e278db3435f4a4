"""A real PostgreSQL for tests: one embedded server a session, and an empty database a test.

Use it in a `conftest.py` or test module with `pytest_plugins = ["tests.postgres_fixture"]`, or import the
fixtures.
"""

import itertools
from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from holdfast.infra.postgres.connect import same_database
from holdfast.infra.postgres.launcher import EmbeddedPostgres

MakeDatabase = Callable[..., str]

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A running embedded server, as durable as in production; it ends with the session."""
    server = EmbeddedPostgres(
        tmp_path_factory.mktemp("postgres") / "data", settings={"shared_buffers": "64MB"}
    )
    server.start(timeout_s=300)
    yield server
    server.stop(timeout_s=0)  # nothing of it is read again: at once, without a last checkpoint


@pytest.fixture(scope="session")
def make_database(postgres_server: EmbeddedPostgres) -> MakeDatabase:
    """`make_database(template=dsn)`: the DSN of a new database, empty or a copy of another (about 0.1 s).

    A template must have no open connection. Migrate one a session, then copy it a test.
    """

    def make(template: str | None = None) -> str:
        name = f"test_{next(_numbers)}"
        source = "template0" if template is None else conninfo_to_dict(template)["dbname"]
        with psycopg.connect(postgres_server.dsn, autocommit=True) as conn:
            conn.execute(
                sql.SQL("create database {} template {}").format(
                    sql.Identifier(name), sql.Identifier(str(source))
                )
            )
        return same_database(postgres_server.dsn, name)

    return make


@pytest.fixture
def fresh_database(make_database: MakeDatabase, postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """The DSN of an empty database, dropped after the test with whatever is still connected to it."""
    dsn = make_database()
    yield dsn
    drop_database(postgres_server, dsn)


def drop_database(server: EmbeddedPostgres, dsn: str) -> None:
    """Drop a database and cut its connections."""
    name = sql.Identifier(str(conninfo_to_dict(dsn)["dbname"]))
    with psycopg.connect(server.dsn, autocommit=True) as conn:
        conn.execute(sql.SQL("drop database if exists {} with (force)").format(name))
