"""Tidying between sales keeps the log short, and no sale waits for its flushes."""

import itertools
import threading
from pathlib import Path

import apsw

from tests.register_fixture import make_register, sell_one, selling

_WAIT_S = 120.0
_names = itertools.count()


class _SlowDisk(apsw.VFS):
    """A disk that finishes no flush of the database itself, the log excepted, while `held`."""

    def __init__(self) -> None:
        self.name = f"slow{next(_names)}"
        self.held = False
        self.is_flushing = threading.Event()
        self.may_go_on = threading.Event()
        super().__init__(self.name, base="unix")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        return _SlowFile(name, flags, self)


class _SlowFile(apsw.VFSFile):
    def __init__(self, name: str | apsw.URIFilename | None, flags: list[int], disk: _SlowDisk) -> None:
        self._disk = disk
        self._is_database = bool(flags[0] & apsw.SQLITE_OPEN_MAIN_DB)
        super().__init__("unix", name, flags)

    def xSync(self, flags: int) -> None:  # noqa: N802
        if self._is_database and self._disk.held:
            self._disk.is_flushing.set()
            assert self._disk.may_go_on.wait(_WAIT_S), "the test goes on"
        super().xSync(flags)


_kept: list[_SlowDisk] = []
"""The encryption layer points to them for the life of the process."""


def test_a_sale_is_concluded_while_a_checkpoint_waits_for_the_disk(tmp_path: Path) -> None:
    disk = _SlowDisk()
    _kept.append(disk)
    with selling(make_register(tmp_path / "register"), vfs=f"multipleciphers-{disk.name}") as checkout:
        before = sell_one(checkout)
        disk.held = True
        tidying = threading.Thread(target=checkout.tidy)
        tidying.start()
        assert disk.is_flushing.wait(_WAIT_S), "tidying flushes the database"
        meanwhile = sell_one(checkout)
        assert tidying.is_alive(), "the flush is not over"
        disk.may_go_on.set()
        tidying.join(_WAIT_S)
        assert not tidying.is_alive(), "tidying ends"
        sold = [row.document for row in checkout.documents(10)]
    assert sold == [meanwhile.document, before.document]


def test_the_log_is_written_from_its_start_again_once_tidied(tmp_path: Path) -> None:
    home = make_register(tmp_path / "register")
    log = home.till.with_name(home.till.name + "-wal")
    with selling(home) as checkout:
        for _ in range(5):
            sell_one(checkout)
        checkout.tidy()
        bound_bytes = log.stat().st_size
        for _ in range(10):
            for _ in range(4):
                sell_one(checkout)
            checkout.tidy()
        assert log.stat().st_size <= bound_bytes
