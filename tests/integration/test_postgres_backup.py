"""A backup counts once it was restored; a bad one changes nothing; a restore is whole or absent."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg
import pytest

from holdfast.core.faults import ConfigurationFault, DatabaseFault, NewerVersionFault, StorageFullFault
from holdfast.infra.postgres import backup as backup_module
from holdfast.infra.postgres import load
from holdfast.infra.postgres.backup import Backup, backup
from holdfast.infra.postgres.cluster import finish_restore
from holdfast.infra.postgres.launcher import EmbeddedPostgres
from holdfast.infra.postgres.manifest import seal
from holdfast.infra.postgres.restore import restore, restore_into

if TYPE_CHECKING:
    from tests.postgres_fixture import MakeDatabase

pytest_plugins = ["tests.postgres_fixture"]

CURSORS = "select origin, seq, hash from cursor"
CHECKS = {"sales by day": "select day, count(*), sum(amount) from sale group by day;"}
SCHEMA = """
create table cursor (origin uuid primary key, seq bigint not null, hash bytea not null); create table sale
(id bigint primary key, day date not null, amount numeric not null, at timestamptz not null); insert into
cursor select gen_random_uuid(), 9007199254740993 + n, decode('00ff', 'hex') from generate_series(1, 5) n;
insert into sale select n, date '2026-01-01' + n % 9, n / 3.0, now() from generate_series(1, 5000) n;
"""


@pytest.fixture(scope="module")
def source(make_database: "MakeDatabase") -> str:
    """A database with sales."""
    dsn = make_database()
    with psycopg.connect(dsn) as conn:
        conn.execute(SCHEMA)
    return dsn


@pytest.fixture(scope="module")
def taken(source: str, tmp_path_factory: pytest.TempPathFactory) -> Backup:
    """One backup, taken while sales go on, for all tests; they copy it before they harm it."""
    stop = threading.Event()

    def sell() -> None:
        number = 10_000
        with psycopg.connect(source, autocommit=True) as conn:
            while not stop.is_set():
                number += 1
                conn.execute("insert into sale values (%s, '2026-02-01', 1, now())", [number])
                conn.execute("update cursor set seq = seq + 1")

    till = threading.Thread(target=sell)
    till.start()
    try:
        return backup(
            source,
            tmp_path_factory.mktemp("backups") / "first",
            cursors_sql=CURSORS,
            checks=CHECKS,
            labels={"chain": "acme"},
        )
    finally:
        stop.set()
        till.join(120)


@pytest.fixture
def copied(taken: Backup, tmp_path: Path) -> Path:
    shutil.copytree(taken.path, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture
def old_data(tmp_path: Path) -> Iterator[Path]:
    """What stands for a data folder that must not be touched."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "PG_VERSION").write_text("18\n")
    yield folder
    assert (folder / "PG_VERSION").read_text() == "18\n"
    beside = {path.name for path in tmp_path.iterdir() if path.name.startswith("data")}
    assert beside <= {"data", "data.lock"}


# ---- taking one --------------------------------------------------------------------------------


def test_a_backup_knows_its_cursors_and_checks_itself_without_us(taken: Backup) -> None:
    manifest = taken.manifest
    assert [row["seq"] > 2**53 for row in manifest.cursors.rows] == [True] * 5
    assert manifest.cursors.rows[0]["hash"] == "\\x00ff"
    assert manifest.counts["public.cursor"] == 5
    assert "462870.0000000000000000" in {row["sum"] for row in manifest.checks["sales by day"].rows}
    assert manifest.labels == {"chain": "acme"}
    summed = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=taken.path, check=False)
    assert summed.returncode == 0
    assert [path.name for path in taken.path.parent.iterdir()] == ["first"]
    assert taken.path.stat().st_mode & 0o077 == 0


def test_a_folder_that_exists_and_a_full_disk_are_refused_before_anything(
    source: str, taken: Backup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigurationFault, match="exists already"):
        backup(source, taken.path, cursors_sql=CURSORS)
    monkeypatch.setattr(backup_module.shutil, "disk_usage", lambda _path: SimpleNamespace(free=0))
    with pytest.raises(StorageFullFault, match="GB"):
        backup(source, tmp_path / "new", cursors_sql=CURSORS)
    assert list(tmp_path.iterdir()) == []


def test_a_copy_that_is_not_true_is_no_backup(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_truly = load.run_tool

    def load_falsely(argv: list[str], dsn: str, *args: Any, **kwargs: Any) -> None:
        load_truly(argv, dsn, *args, **kwargs)
        with psycopg.connect(dsn) as conn:
            conn.execute("update cursor set seq = 1")

    monkeypatch.setattr(load, "run_tool", load_falsely)
    with pytest.raises(DatabaseFault, match="cursors differ from the original"):
        backup(source, tmp_path / "new", cursors_sql=CURSORS)
    assert list(tmp_path.iterdir()) == []


# ---- bringing one back -------------------------------------------------------------------------


def test_a_restore_replaces_the_data_and_keeps_the_former(taken: Backup, tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()  # an admin may have made it, which is no data
    with EmbeddedPostgres(data_dir, {"shared_buffers": "32MB"}) as server:
        with psycopg.connect(server.dsn) as conn:
            conn.execute("create table former (a integer)")
        with pytest.raises(ConfigurationFault, match="in use"):
            restore(taken.path, data_dir)

    def new_incarnation(dsn: str) -> None:
        with psycopg.connect(dsn) as conn:
            conn.execute("create table incarnation (id integer)")

    told: list[str] = []
    restored = restore(
        taken.path,
        data_dir,
        before_swap=new_incarnation,
        expect_labels={"chain": "acme"},
        expect_manifest_sha256=taken.manifest_sha256,
        progress=lambda sentence, _fraction: told.append(sentence),
    )
    assert restored.former is not None
    assert (restored.former / "PG_VERSION").exists()
    assert any("data for table" in sentence for sentence in told)
    with (
        EmbeddedPostgres(data_dir, {"shared_buffers": "32MB"}) as server,
        psycopg.connect(server.dsn) as conn,
    ):
        rows = conn.execute("select origin::text, seq from cursor order by seq, origin").fetchall()
        assert sorted(rows) == sorted((row["origin"], row["seq"]) for row in taken.manifest.cursors.rows)
        assert conn.execute("select count(*) from sale").fetchone() == (taken.manifest.counts["public.sale"],)
        assert conn.execute("select count(*) from incarnation").fetchone() == (0,)
        assert conn.execute("show fsync").fetchone() == ("on",)


def test_a_restore_into_a_database_of_yours(taken: Backup, fresh_database: str, source: str) -> None:
    restore_into(taken.path, fresh_database)
    with psycopg.connect(fresh_database) as conn:
        assert conn.execute("select count(*) from cursor").fetchone() == (5,)
    with pytest.raises(ConfigurationFault, match="not empty"):
        restore_into(taken.path, source)


@pytest.mark.parametrize("cut_after", ["first rename", "second rename"])
def test_a_restore_that_was_cut_between_its_renames(tmp_path: Path, cut_after: str) -> None:
    server = EmbeddedPostgres(tmp_path / "data")
    fresh, old = tmp_path / "data.restored", tmp_path / "data"
    fresh.mkdir()
    (fresh / "PG_VERSION").write_text("18\n")
    if cut_after == "first rename":  # it never happened
        old.mkdir()
        (old / "PG_VERSION").write_text("16\n")
        finish_restore(server.places)
        assert (old / "PG_VERSION").read_text() == "16\n"
    else:
        (tmp_path / "data.major").write_text("16\n")
        finish_restore(server.places)
        assert (old / "PG_VERSION").read_text() == "18\n"
        assert (tmp_path / "data.major").read_text() == "18\n"
        assert not fresh.exists()


# ---- bad ones ----------------------------------------------------------------------------------


def test_a_torn_backup(copied: Path, old_data: Path) -> None:
    (copied / "SHA256SUMS").unlink()
    with pytest.raises(DatabaseFault, match="no finished Holdfast backup"):
        restore(copied, old_data)
    with pytest.raises(DatabaseFault, match="no finished Holdfast backup"):
        restore(copied / "nowhere", old_data)


def test_a_lost_an_added_and_a_changed_file(copied: Path, old_data: Path) -> None:
    part = next((copied / "database").glob("*.dat.gz"))
    content = part.read_bytes()
    part.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(DatabaseFault, match="was changed"):
        restore(copied, old_data)
    part.unlink()
    with pytest.raises(DatabaseFault, match="lacks the file"):
        restore(copied, old_data)
    part.write_bytes(content)
    (copied / "database" / "extra").touch()
    with pytest.raises(DatabaseFault, match="does not belong to it"):
        restore(copied, old_data)


def test_a_foreign_a_forged_and_a_newer_backup(taken: Backup, copied: Path, old_data: Path) -> None:
    with pytest.raises(DatabaseFault, match="chain 'acme', and 'other' is expected"):
        restore(copied, old_data, expect_labels={"chain": "other"})
    (copied / "SHA256SUMS").unlink()
    seal(copied, msgspec.structs.replace(taken.manifest, version=99))
    with pytest.raises(DatabaseFault, match="is not the one with the manifest"):
        restore(copied, old_data, expect_manifest_sha256=taken.manifest_sha256)
    with pytest.raises(NewerVersionFault, match="format 99"):
        restore(copied, old_data)


def test_something_else_with_sums(tmp_path: Path, old_data: Path) -> None:
    folder = tmp_path / "else"
    folder.mkdir()
    (folder / "manifest.json").write_text("[]")
    sums = subprocess.run(["sha256sum", "manifest.json"], cwd=folder, capture_output=True, check=True).stdout
    (folder / "SHA256SUMS").write_bytes(sums)
    with pytest.raises(DatabaseFault, match="no manifest of a Holdfast backup"):
        restore(folder, old_data)


def test_a_dump_that_contradicts_its_manifest_is_not_put_in_place(
    taken: Backup, copied: Path, old_data: Path
) -> None:
    (copied / "SHA256SUMS").unlink()
    counts = taken.manifest.counts | {"public.sale": 1}
    seal(copied, msgspec.structs.replace(taken.manifest, counts=counts))
    with pytest.raises(DatabaseFault, match=r"is not whole: public\.sale"):
        restore(copied, old_data)
