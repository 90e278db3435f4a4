"""The embedded server lives and dies as it should: with its parent, after crashes, under any account."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from holdfast.core.faults import ConfigurationFault, DatabaseFault, StorageFullFault, UnavailableFault
from holdfast.infra.postgres import account
from holdfast.infra.postgres.cluster import fault_from_output
from holdfast.infra.postgres.connect import open_pool
from holdfast.infra.postgres.launcher import EmbeddedPostgres, running_dsn
from holdfast.infra.process import RunAs, can_use_namespace, end_child, spawn_child

SMALL = {"shared_buffers": "32MB"}
WAIT_S = 120.0

PARENT = """
import sys, time
from holdfast.infra.postgres.launcher import EmbeddedPostgres
server = EmbeddedPostgres(sys.argv[1])
print(server.start(), flush=True)
print(server.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped data folder with a table of one row, to copy: initdb takes longer than a copy."""
    data_dir = tmp_path_factory.mktemp("made") / "data"
    with EmbeddedPostgres(data_dir, SMALL) as server, psycopg.connect(server.dsn) as conn:
        conn.execute("create table sale (id integer)")
        conn.execute("insert into sale values (1)")
    return data_dir


@pytest.fixture
def data_dir(made_once: Path, tmp_path: Path) -> Path:
    shutil.copytree(made_once, tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def server(data_dir: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(data_dir, SMALL)
    yield server
    server.stop()


def sales(dsn: str) -> int:
    with psycopg.connect(dsn) as conn:
        row = conn.execute("select count(*) from sale").fetchone()
    assert row is not None
    return row[0]


def processes_on(data_dir: Path) -> list[int]:
    """Every process that works in the data folder: the server and its workers."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.path.samefile(entry / "cwd", data_dir):
                found.append(int(entry.name))
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found


def gone(data_dir: Path, timeout_s: float = WAIT_S) -> bool:
    ticker = threading.Event()
    return any(not processes_on(data_dir) or ticker.wait(0.02) for _ in range(int(timeout_s / 0.02)))


# ---- a life ------------------------------------------------------------------------------------


def test_it_is_durable_private_and_ends_without_a_trace(server: EmbeddedPostgres, data_dir: Path) -> None:
    dsn = server.start()
    assert server.alive()
    with psycopg.connect(dsn) as conn:
        for setting in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums"):
            assert conn.execute(f"show {setting}".encode()).fetchone() == ("on",)
        assert conn.execute("show listen_addresses").fetchone() == ("",)
    socket_dir = Path(str(conninfo_to_dict(dsn)["host"]))
    assert stat.S_IMODE(socket_dir.stat().st_mode) == 0o700
    assert running_dsn(data_dir) == dsn
    server.stop()
    server.stop()
    assert not server.alive()
    assert not socket_dir.exists()
    assert not processes_on(data_dir)
    assert running_dsn(data_dir) is None
    with pytest.raises(UnavailableFault):
        _ = server.dsn


def test_durability_cannot_be_turned_off(data_dir: Path) -> None:
    (data_dir / "postgresql.auto.conf").write_text("fsync = off\nfull_page_writes = off\n")
    with EmbeddedPostgres(data_dir, SMALL | {"fsync": "off"}) as server, psycopg.connect(server.dsn) as conn:
        assert conn.execute("show fsync").fetchone() == ("on",)
        assert conn.execute("show full_page_writes").fetchone() == ("on",)


def test_it_outlives_the_thread_that_started_it(server: EmbeddedPostgres) -> None:
    thread = threading.Thread(target=server.start)
    thread.start()
    thread.join(WAIT_S)
    assert sales(server.dsn) == 1
    assert server.alive()


def test_a_deep_folder_is_no_trouble(made_once: Path, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    shutil.copytree(made_once, deep / "data")
    with EmbeddedPostgres(deep / "data", SMALL) as server:
        assert sales(server.dsn) == 1


def test_a_folder_that_a_volume_opened_to_its_group(server: EmbeddedPostgres, data_dir: Path) -> None:
    data_dir.chmod(0o775)
    assert sales(server.start()) == 1


def test_a_pool_finds_the_server_again_after_a_restart(server: EmbeddedPostgres) -> None:
    dsn = server.start()
    with open_pool(dsn, name="test", min_size=2, timeout_s=WAIT_S) as pool:
        server.stop()
        with pytest.raises(UnavailableFault), pool.connection(0.2):
            pass
        assert server.start() == dsn
        with pool.connection() as conn:
            assert conn.execute("select count(*) from sale").fetchone() == (1,)


# ---- deaths ------------------------------------------------------------------------------------


def test_kill_9_of_the_parent_leaves_no_server_and_the_next_start_waits_for_its_end(
    server: EmbeddedPostgres, data_dir: Path
) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(data_dir)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    dsn, pid = parent.stdout.readline().strip(), int(parent.stdout.readline())
    assert pid in processes_on(data_dir)
    with pytest.raises(ConfigurationFault, match=f"another Holdfast \\(process {parent.pid}\\)"):
        server.start()
    with psycopg.connect(dsn) as conn:
        conn.execute("insert into sale values (2)")
    parent.kill()
    parent.wait(WAIT_S)
    parent.stdout.close()
    assert sales(server.start()) == 2
    assert pid not in processes_on(data_dir)
    server.stop()
    assert gone(data_dir)


def test_kill_9_of_the_server_is_noticed_and_the_next_start_recovers(
    server: EmbeddedPostgres, data_dir: Path
) -> None:
    with psycopg.connect(server.start()) as conn:
        conn.execute("insert into sale values (2)")
    os.kill(server.pid, signal.SIGKILL)
    assert gone(data_dir)
    ticker = threading.Event()  # its command line goes before its parent can wait for it
    assert any(not server.alive() or ticker.wait(0.02) for _ in range(int(WAIT_S / 0.02)))
    assert sales(server.start()) == 2


def test_a_crashed_connection_does_not_end_the_server_nor_hinder_its_stop(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.start()) as conn:
        os.kill(conn.info.backend_pid, signal.SIGKILL)
        with pytest.raises(psycopg.OperationalError):
            conn.execute("select 1")
    assert server.alive()
    began = time.monotonic()
    server.stop(timeout_s=10 * WAIT_S)  # in the midst of its recovery
    assert time.monotonic() - began < 5 * WAIT_S, "it waited for what a recovering server never does"


def test_kill_9_of_the_parent_while_the_server_recovers(server: EmbeddedPostgres, data_dir: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(data_dir)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    dsn = parent.stdout.readline().strip()
    with psycopg.connect(dsn) as conn:
        os.kill(conn.info.backend_pid, signal.SIGKILL)
        with pytest.raises(psycopg.OperationalError):
            conn.execute("select 1")
    parent.kill()
    parent.wait(WAIT_S)
    parent.stdout.close()
    assert gone(data_dir)
    assert sales(server.start()) == 1


def test_a_stale_pid_file_whose_number_was_given_to_another_process(
    server: EmbeddedPostgres, data_dir: Path
) -> None:
    stranger = spawn_child(["sleep", "600"])
    lines = [str(stranger.pid), str(data_dir), "1700000000", "5432", str(data_dir), "", "0 0", "ready   "]
    (data_dir / "postmaster.pid").write_text("\n".join(lines) + "\n")
    try:
        assert running_dsn(data_dir) is None
        assert sales(server.start()) == 1
    finally:
        end_child(stranger)


def test_a_torn_pid_file(server: EmbeddedPostgres, data_dir: Path) -> None:
    (data_dir / "postmaster.pid").write_text("")
    assert sales(server.start()) == 1


def test_a_start_that_takes_too_long_says_so_and_leaves_nothing(
    server: EmbeddedPostgres, data_dir: Path
) -> None:
    with pytest.raises(UnavailableFault, match="still starting after"):
        server.start(timeout_s=0)
    assert not processes_on(data_dir)
    assert sales(server.start()) == 1


# ---- data that does not fit --------------------------------------------------------------------


def test_one_launcher_a_folder(server: EmbeddedPostgres, data_dir: Path) -> None:
    server.start()
    with pytest.raises(ConfigurationFault, match="already in use"):
        EmbeddedPostgres(data_dir).start()
    assert sales(server.dsn) == 1


def test_another_major_version_is_refused_with_the_cure(data_dir: Path) -> None:
    (data_dir / "PG_VERSION").write_text("12\n")
    with pytest.raises(DatabaseFault, match=r"made by PostgreSQL 12.*restore that backup"):
        EmbeddedPostgres(data_dir).start()
    data_dir.with_name("data.major").write_text("16\n")
    with pytest.raises(DatabaseFault, match="pins 16"):
        EmbeddedPostgres(data_dir).start()


def test_data_that_vanished_is_not_replaced_by_an_empty_database(
    server: EmbeddedPostgres, data_dir: Path
) -> None:
    server.start()
    server.stop()
    shutil.rmtree(data_dir)
    with pytest.raises(DatabaseFault, match="is gone"):
        server.start()
    assert not data_dir.exists()


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseFault, match="no PostgreSQL database"):
        EmbeddedPostgres(tmp_path).start()
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_damaged_data_names_the_log(data_dir: Path) -> None:
    (data_dir / "global" / "pg_control").write_bytes(b"\0" * 8192)
    with pytest.raises(DatabaseFault, match=r"did not start on .*its log is in .*: (FATAL|PANIC)"):
        EmbeddedPostgres(data_dir).start()
    assert not processes_on(data_dir)


def test_a_mount_point_is_refused() -> None:
    with pytest.raises(ConfigurationFault, match="mount point"):
        EmbeddedPostgres("/proc")


def test_a_full_disk_is_named() -> None:
    said = 'FATAL:  could not write lock file "postmaster.pid": No space left on device'
    assert isinstance(fault_from_output("PostgreSQL did not start", said), StorageFullFault)


# ---- accounts ----------------------------------------------------------------------------------

AS_USER = """
import os, sys, psycopg
from holdfast.infra.postgres.launcher import EmbeddedPostgres
assert os.geteuid() != 0
with EmbeddedPostgres(sys.argv[1]) as server, psycopg.connect(server.dsn) as conn:
    print(conn.execute("select count(*) from sale").fetchone()[0])
"""


@pytest.mark.parametrize("uid", [65534, 54321], ids=["known", "without a name"])
def test_as_an_ordinary_user(data_dir: Path, uid: int) -> None:
    """The user is made by a namespace, so that this works as root and without."""
    if not can_use_namespace(65534):
        pytest.skip("this machine refuses user namespaces")
    child = spawn_child(
        [sys.executable, "-c", AS_USER, data_dir],
        run_as=RunAs(uid, uid, in_namespace=True),
        stdout=subprocess.PIPE,
    )
    assert child.communicate(timeout=WAIT_S)[0] == b"1\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes the account")
def test_root_without_namespaces(made_once: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "can_use_namespace", lambda _uid: False)
    with pytest.raises(ConfigurationFault, match=r"runs PostgreSQL as user \w+, who may not enter"):
        EmbeddedPostgres(data_dir, SMALL).start()  # pytest's own folders are closed to others
    with tempfile.TemporaryDirectory(prefix="holdfast-test-") as folder:
        os.chmod(folder, 0o711)
        moved = shutil.copytree(made_once, Path(folder) / "data")
        with EmbeddedPostgres(moved, SMALL) as server:
            assert sales(server.dsn) == 1
            owner = moved.stat().st_uid
            assert owner != 0
            assert Path(f"/proc/{server.pid}").stat().st_uid == owner
        monkeypatch.undo()
        with EmbeddedPostgres(moved, SMALL) as server:  # namespaces came back: the data keeps its owner
            assert sales(server.dsn) == 1
            assert moved.stat().st_uid == owner
