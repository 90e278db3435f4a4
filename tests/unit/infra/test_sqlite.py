"""The till's database: settings that cannot be lowered, faults with cures, and a full disk survived."""

import contextlib
import errno
import os
import resource
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from holdfast.core.faults import DatabaseFault, Fault, KeyFault, StorageFullFault, UnavailableFault
from holdfast.infra import sqlite
from holdfast.infra.keys import DatabaseKey, key_id_path
from holdfast.infra.sqlite import DiskReserve, ReserveState, checkpoint, immediate, open_database

KEY = DatabaseKey(bytes(range(32)))


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A till with one table and one row."""
    path = tmp_path / "till.db"
    connection = open_database(path, KEY, create=True)
    with immediate(connection):
        connection.execute("create table sale(number integer primary key, body blob)")
        connection.execute("insert into sale values(1, 'first')")
    connection.close()
    return path


def numbers(connection: apsw.Connection) -> list[object]:
    return [row[0] for row in connection.execute("select number from sale order by number")]


# ---- opening -----------------------------------------------------------------------------------


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("auto_vacuum", 2),
        ("foreign_keys", 1),
        ("mmap_size", 0),
        ("temp_store", 2),
        ("wal_autocheckpoint", sqlite.WAL_AUTOCHECKPOINT_PAGES),
        ("busy_timeout", sqlite.BUSY_TIMEOUT_MS),
        ("cipher", "chacha20"),
    ],
)
def test_settings(database: Path, pragma: str, value: object, create: bool) -> None:
    connection = open_database(database, KEY, create=create)
    assert connection.execute(f"pragma {pragma}").fetchall() == [(value,)]
    connection.close()


def test_what_is_stored_is_found_again_and_encrypted_and_closed_to_others(database: Path) -> None:
    connection = open_database(database, KEY)
    with immediate(connection):
        connection.execute("insert into sale values(2, ?)", ("a legible text",))
    files = list(database.parent.iterdir())
    assert {file.name for file in files} == {"till.db", "till.db-wal", "till.db-shm", "till.db.key-id"}
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
        assert b"a legible text" not in file.read_bytes()
    connection.close()
    connection = open_database(database, KEY)
    assert numbers(connection) == [1, 2]
    connection.close()


def test_a_reader_beside_the_writer_cannot_write(database: Path) -> None:
    writer = open_database(database, KEY)
    reader = open_database(database, KEY, read_only=True)
    assert numbers(reader) == [1]
    with pytest.raises(DatabaseFault), immediate(reader):
        reader.execute("insert into sale values(2, '')")
    reader.close()
    writer.close()


def test_opening_does_not_wait_for_a_writer(database: Path) -> None:
    writer = open_database(database, KEY)
    with immediate(writer):
        writer.execute("insert into sale values(2, '')")
        second = open_database(database, KEY)
        assert numbers(second) == [1]
        second.close()
    writer.close()


def _with_another_key(database: Path) -> DatabaseKey:
    return DatabaseKey(bytes(32))


def _without_key_id(database: Path) -> DatabaseKey:
    key_id_path(database).unlink()
    return DatabaseKey(bytes(32))


def _garbage(database: Path) -> DatabaseKey:
    database.write_bytes(os.urandom(16384))
    return KEY


def _plain(database: Path) -> DatabaseKey:
    database.unlink()
    plain = apsw.Connection(str(database))
    plain.execute("create table t(x)")
    plain.close()
    return KEY


def _empty(database: Path) -> DatabaseKey:
    database.write_bytes(b"")
    return KEY


def _missing(database: Path) -> DatabaseKey:
    database.unlink()
    return KEY


@pytest.mark.parametrize(
    ("spoil", "fault", "words"),
    [
        (_with_another_key, KeyFault, "was written with the key"),
        (_without_key_id, KeyFault, "does not open with this machine's key"),
        (_garbage, DatabaseFault, "is damaged"),
        (_plain, DatabaseFault, "is not encrypted"),
        (_empty, DatabaseFault, "is empty"),
        (_missing, DatabaseFault, "is missing"),
    ],
)
def test_what_cannot_be_opened_says_why(
    database: Path, spoil: Callable[[Path], DatabaseKey], fault: type[Fault], words: str
) -> None:
    key = spoil(database)
    with pytest.raises(fault, match=words) as caught:
        open_database(database, key)
    assert str(database) in caught.value.sentence
    assert key.reveal().hex() not in caught.value.sentence


def test_a_lost_key_id_is_written_again_once_the_key_proved_right(database: Path) -> None:
    key_id_path(database).unlink()
    open_database(database, KEY).close()
    assert key_id_path(database).read_text().strip() == KEY.key_id


def test_a_page_that_rotted_is_a_fault(database: Path) -> None:
    content = bytearray(database.read_bytes())
    content[2 * 4096 + 100] ^= 1
    database.write_bytes(content)
    connection = open_database(database, KEY)
    with pytest.raises(DatabaseFault), sqlite.faults(connection):
        numbers(connection)
    connection.close()


# ---- transactions ------------------------------------------------------------------------------


def test_whatever_is_raised_inside_rolls_back(database: Path) -> None:
    connection = open_database(database, KEY)

    def sell_and_divide() -> None:
        with immediate(connection):
            connection.execute("insert into sale values(2, '')")
            raise ZeroDivisionError

    def sell_twice() -> None:
        with immediate(connection):
            connection.execute("insert into sale values(3, '')")
            connection.execute("insert into sale values(1, '')")

    with pytest.raises(ZeroDivisionError):
        sell_and_divide()
    with pytest.raises(apsw.ConstraintError):
        sell_twice()
    assert numbers(connection) == [1]
    connection.close()


def test_a_second_writer_is_told_to_try_again(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 50)
    one, two = open_database(database, KEY), open_database(database, KEY)
    with immediate(one):
        with pytest.raises(UnavailableFault) as caught, immediate(two):
            pytest.fail("two writers at once")
        assert caught.value.retriable
    with immediate(two):
        two.execute("insert into sale values(2, '')")
    one.close()
    two.close()


def test_numbers_read_inside_are_never_given_twice(database: Path) -> None:
    """P4: two processes on one database; threads with a connection each are the same to SQLite."""

    def sell() -> None:
        connection = open_database(database, KEY)
        for _ in range(20):
            with immediate(connection):
                [(last,)] = connection.execute("select max(number) from sale").fetchall()
                assert isinstance(last, int)
                connection.execute("insert into sale values(?, '')", (last + 1,))
        connection.close()

    sellers = [threading.Thread(target=sell) for _ in range(3)]
    for seller in sellers:
        seller.start()
    for seller in sellers:
        seller.join()
    connection = open_database(database, KEY)
    assert numbers(connection) == list(range(1, 62))
    connection.close()


def test_a_checkpoint_empties_the_wal(database: Path) -> None:
    connection = open_database(database, KEY)
    with immediate(connection):
        connection.execute("insert into sale values(2, zeroblob(100000))")
    assert checkpoint(connection) == 0
    connection.close()


# ---- a full or failing disk --------------------------------------------------------------------


class SmallDisk(apsw.VFS):
    """A disk below the encryption with room for some bytes more; or one that breaks."""

    def __init__(self, name: str) -> None:
        self.room_bytes = 1 << 40
        self.error: type[apsw.Error] = apsw.FullError
        super().__init__(name, base="unix")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        return SmallDiskFile(self, name, flags)


class SmallDiskFile(apsw.VFSFile):
    def __init__(self, disk: SmallDisk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._disk = disk
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        if len(data) > self._disk.room_bytes:
            raise self._disk.error("no room")
        self._disk.room_bytes -= len(data)
        super().xWrite(data, offset)


_disk = SmallDisk("smalldisk")


@pytest.fixture
def disk() -> Iterator[SmallDisk]:
    yield _disk
    _disk.room_bytes, _disk.error = 1 << 40, apsw.FullError


@pytest.mark.parametrize("room_bytes", [0, 24, 4096, 4120, 8240, 20000, 33000, 37080])
def test_a_full_disk_stores_nothing_and_selling_goes_on_when_there_is_room(
    database: Path, disk: SmallDisk, room_bytes: int
) -> None:
    connection = open_database(database, KEY, vfs="multipleciphers-smalldisk")
    disk.room_bytes = room_bytes
    with pytest.raises(StorageFullFault) as caught, immediate(connection):
        connection.execute("insert into sale values(2, zeroblob(40000))")
    assert caught.value.retriable
    disk.room_bytes = 1 << 40
    assert numbers(connection) == [1]
    with immediate(connection):
        connection.execute("insert into sale values(2, zeroblob(40000))")
    connection.close()
    connection = open_database(database, KEY)
    assert numbers(connection) == [1, 2]
    assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
    connection.close()


def test_a_failing_disk_is_not_called_full(database: Path, disk: SmallDisk) -> None:
    connection = open_database(database, KEY, vfs="multipleciphers-smalldisk")
    disk.room_bytes, disk.error = 0, apsw.IOError
    with pytest.raises(DatabaseFault, match="Restart Holdfast"), immediate(connection):
        connection.execute("insert into sale values(2, zeroblob(40000))")
    disk.room_bytes = 1 << 40
    connection.close()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_an_io_error_for_want_of_room_is_a_full_disk(number: int) -> None:
    assert isinstance(sqlite.fault_of(apsw.IOError("disk I/O error"), "till.db", number), StorageFullFault)


FILE_LIMIT = """
import resource, signal, sys
from pathlib import Path
from holdfast.core.faults import StorageFullFault
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.sqlite import immediate, open_database
connection = open_database(Path(sys.argv[1]), DatabaseKey(bytes(range(32))))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
try:
    with immediate(connection):
        connection.execute("insert into sale values(2, zeroblob(1000000))")
except StorageFullFault:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    with immediate(connection):
        connection.execute("insert into sale values(2, 'after')")
    print("survived")
"""


def test_a_limit_of_the_system_is_a_full_disk(database: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    ran = subprocess.run(
        [sys.executable, "-c", FILE_LIMIT, str(database)], check=True, stdout=subprocess.PIPE, text=True
    )
    assert ran.stdout.strip() == "survived"


@pytest.fixture
def small_folder(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 4 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "none", str(folder)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("mounting needs root; the tests above fill a simulated disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_the_reserve_finishes_the_sale_on_a_really_full_disk(small_folder: Path) -> None:
    path = small_folder / "till.db"
    connection = open_database(path, KEY, create=True)
    with immediate(connection):
        connection.execute("create table sale(number integer primary key, body blob)")
    reserve = DiskReserve(path, size_bytes=1024 * 1024)
    assert reserve.ensure() is ReserveState.HELD
    filler = small_folder / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass

    def sell() -> int:
        with immediate(connection):
            connection.execute("insert into sale values(1, zeroblob(200000))")
        return 1

    with pytest.raises(StorageFullFault):
        sell()
    assert reserve.spend_on(sell) == 1
    assert numbers(connection) == [1]
    assert reserve.state is ReserveState.SPENT
    assert reserve.ensure() is ReserveState.SPENT, "it would take the room that sales need"
    filler.unlink()
    assert reserve.ensure() is ReserveState.HELD
    assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
    connection.close()


# ---- the reserve -------------------------------------------------------------------------------


def test_a_reserve_is_real_room(tmp_path: Path) -> None:
    reserve = DiskReserve(tmp_path / "till.db", size_bytes=1024 * 1024)
    assert reserve.state is ReserveState.SPENT
    assert reserve.ensure() is ReserveState.HELD
    assert reserve.path.stat().st_blocks * 512 >= reserve.size_bytes
    assert reserve.ensure() is ReserveState.HELD
    assert reserve.release()
    assert not reserve.path.exists()
    assert not reserve.release()


def test_a_sparse_copy_is_no_reserve(tmp_path: Path) -> None:
    reserve = DiskReserve(tmp_path / "till.db", size_bytes=1024 * 1024)
    with reserve.path.open("wb") as file:
        file.truncate(reserve.size_bytes)
    assert reserve.state is ReserveState.SPENT
    assert reserve.ensure() is ReserveState.HELD


def test_work_is_done_again_once_and_only_with_a_reserve(tmp_path: Path) -> None:
    tries = 0

    def work() -> None:
        nonlocal tries
        tries += 1
        raise StorageFullFault("full")

    reserve = DiskReserve(tmp_path / "till.db", size_bytes=4096)
    with pytest.raises(StorageFullFault):
        reserve.spend_on(work)
    assert tries == 1
    reserve.ensure()
    with pytest.raises(StorageFullFault):
        reserve.spend_on(work)
    assert tries == 3
