"""What migrations decide, and SQLite. Both engines: tests/integration/test_postgres_migrations.py."""

from pathlib import Path

import apsw
import pytest

from holdfast.core.faults import DatabaseFault, NewerVersionFault, UnavailableFault
from holdfast.infra.migrations import migrate_sqlite, next_migration, read_migrations


def folder_with(tmp_path: Path, **files: str) -> Path:
    """A folder of migrations: `_0001_first="create …"`."""
    for name, text in files.items():
        (tmp_path / f"{name.removeprefix('_')}.sql").write_text(text, encoding="utf-8")
    return tmp_path


def test_files_are_read_in_order_and_others_left_alone(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").touch()
    folder = folder_with(tmp_path, _0002_second="select 2;", _0001_first="select 1;")
    assert [str(migration) for migration in read_migrations(folder)] == ["0001_first", "0002_second"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("0002_gap", "select 1;", "number 0001 must be"),
        ("0001-dash", "select 1;", "no migration"),
        ("0001_commits", "create table a (b);\n  COMMIT;\n", "by itself"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / f"{name}.sql").write_text(text)
    with pytest.raises(DatabaseFault, match=said):
        read_migrations(tmp_path)


def test_two_files_with_one_number_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatabaseFault, match="0001_b stands where number 0002"):
        read_migrations(folder_with(tmp_path, _0001_a="select 1;", _0001_b="select 2;"))


def test_what_is_next(tmp_path: Path) -> None:
    first, second = read_migrations(folder_with(tmp_path, _0001_a="select 1;", _0002_b="select 2;"))
    known = (first, second)
    done_1, done_2 = {1: (first.name, first.sha256)}, {2: (second.name, second.sha256)}
    assert next_migration(known, {}) is first
    assert next_migration(known, done_1) is second
    assert next_migration(known, done_1 | done_2) is None
    with pytest.raises(DatabaseFault, match="lacks 0001"):
        next_migration(known, done_2)
    with pytest.raises(DatabaseFault, match="0001_a is not the one"):
        next_migration(known, {1: ("a", "0" * 64)})
    with pytest.raises(NewerVersionFault, match="at migration 0002_b, and this one knows 0001"):
        next_migration((first,), done_1 | done_2)


def test_a_trigger_with_begin_and_end_is_fine(tmp_path: Path) -> None:
    trigger = "create table a (b);\ncreate trigger t after insert on a begin\n  delete from a;\nend;\n"
    conn = apsw.Connection(":memory:")
    migrate_sqlite(conn, read_migrations(folder_with(tmp_path, _0001_trigger=trigger)))
    conn.execute("insert into a values (1)")
    assert conn.execute("select count(*) from a").get == 0


def test_the_wait_for_locks_is_as_before_afterwards(tmp_path: Path) -> None:
    conn = apsw.Connection(":memory:")
    conn.set_busy_timeout(1234)
    migrate_sqlite(conn, read_migrations(folder_with(tmp_path, _0001_a="create table a (b);")))
    assert conn.pragma("busy_timeout") == 1234


def test_inside_a_transaction_it_is_refused() -> None:
    conn = apsw.Connection(":memory:")
    conn.execute("begin")
    with pytest.raises(DatabaseFault, match="outside any transaction"):
        migrate_sqlite(conn, ())


def test_a_database_that_another_process_keeps_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdfast.infra.migrations.LOCK_TIMEOUT_MS", 50)
    other = apsw.Connection(str(tmp_path / "database"))
    other.execute("begin immediate")
    with pytest.raises(UnavailableFault):
        migrate_sqlite(apsw.Connection(str(tmp_path / "database")), ())
