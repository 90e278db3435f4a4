"""A full disk: the open sale is finished on the reserve, then nothing new begins until there is room."""

import itertools
from pathlib import Path

import apsw
import pytest

from holdfast.core.faults import DatabaseFault, StorageFullFault
from holdfast.core.journal.bodies import CommandDone, ConnectionChanged
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.sqlite import RESERVE_BYTES, DiskReserve, ReserveState
from holdfast.register.sync.reference_file import open_reference
from holdfast.register.sync.requests import Inbox, PurgeRequest, append_request, carry_out_all
from holdfast.register.verify import verify_register
from tests.register_fixture import CASHIER, make_register, refusal_of, scan, sell_one, selling
from tests.unit.core.shop import done

_names = itertools.count()
_kept: list[apsw.VFS] = []


class Disk(apsw.VFS):
    """A disk that is full while `full`, but for what the reserve gives up; `dead`: it fails."""

    def __init__(self, reserve: Path) -> None:
        self.reserve = reserve
        self.full = self.dead = self.hopeless = False
        name = f"full{next(_names)}"
        self.vfs = f"multipleciphers-{name}"
        super().__init__(name, base="unix")
        _kept.append(self)  # the encryption layer keeps a pointer to it

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        return _File(self, name, flags)


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._disk = disk
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        if self._disk.dead:
            raise apsw.IOError("planted")
        if self._disk.hopeless or (self._disk.full and self._disk.reserve.exists()):
            raise apsw.FullError("planted")
        super().xWrite(data, offset)


@pytest.fixture
def home(tmp_path: Path) -> RegisterHome:
    return make_register(tmp_path / "register")


@pytest.fixture
def disk(home: RegisterHome) -> Disk:
    return Disk(DiskReserve(home.till).path)


def test_the_open_sale_is_finished_and_then_nothing_new_begins(
    home: RegisterHome, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with selling(home, vfs=disk.vfs) as checkout:
        sell_one(checkout)
        done(checkout.begin(by=CASHIER))
        disk.full = True
        scan(checkout)
        assert not disk.reserve.exists(), "the reserve was given up"
        scan(checkout)
        assert done(checkout.conclude(cash_given_minor=1_000)).document.endswith("-000002")
        # No room to make the reserve again: statvfs would find this machine's disk roomy.
        monkeypatch.setattr(DiskReserve, "ensure", lambda self: self.state)
        head = checkout.head()
        for answer in (
            checkout.begin(by=CASHIER),
            checkout.open_day(by=CASHIER),
            checkout.record("stock_adjusted", lambda number: pytest.fail(number), reference=None),
        ):
            assert refusal_of(answer) == "storage.full"
        assert checkout.head() == head
        done(checkout.close_day(by=CASHIER))
        monkeypatch.undo()
        disk.full = False
        done(checkout.open_day(by=CASHIER))
        assert disk.reserve.stat().st_size == RESERVE_BYTES
        assert sell_one(checkout).document.endswith("-000003")
    assert verify_register(home).differences == ()


def test_a_sale_that_even_the_reserve_cannot_finish_keeps_its_basket(home: RegisterHome, disk: Disk) -> None:
    with selling(home, vfs=disk.vfs) as checkout:
        done(checkout.begin(by=CASHIER))
        basket = scan(checkout)
        head = checkout.head()
        disk.hopeless = True
        with pytest.raises(StorageFullFault, match="Make room"):
            checkout.conclude(cash_given_minor=500)
        assert checkout.basket() == basket
        assert checkout.head() == head
        disk.hopeless = False
        assert done(checkout.conclude(cash_given_minor=500)).document.endswith("-000001")
    assert verify_register(home).differences == ()


def test_what_is_no_sale_does_not_spend_the_reserve(home: RegisterHome, disk: Disk) -> None:
    with selling(home, vfs=disk.vfs) as checkout:
        disk.full = True
        with pytest.raises(StorageFullFault):
            checkout.append("command_done", 1, CommandDone(command="1", kind="report", outcome="done"))
        assert refusal_of(checkout.begin(by=CASHIER)) == "storage.full"
        assert DiskReserve(home.till).state is ReserveState.HELD
        disk.full = False


def test_after_a_failing_write_only_a_restart_goes_on(home: RegisterHome, disk: Disk) -> None:
    with selling(home, vfs=disk.vfs) as checkout:
        sold = sell_one(checkout)
        done(checkout.begin(by=CASHIER))
        basket = scan(checkout)
        disk.dead = True
        with pytest.raises(DatabaseFault, match="Restart Holdfast"):
            checkout.conclude(cash_given_minor=500)
        disk.dead = False
        for attempt in (lambda: checkout.conclude(cash_given_minor=500), checkout.head, checkout.tidy):
            with pytest.raises(DatabaseFault, match="Restart Holdfast"):
                attempt()
    with selling(home, seed=2) as again:
        assert again.document(sold.document) == sold
        assert again.basket() == basket
        assert done(again.conclude(cash_given_minor=500)).document.endswith("-000002")
    assert verify_register(home).differences == ()


def test_what_sync_asks_on_a_full_disk_waits_for_the_purge_that_makes_room(
    home: RegisterHome, disk: Disk
) -> None:
    connection = open_reference(home, DatabaseKey.load(home.database_key))
    inbox = Inbox(connection)
    change = ConnectionChanged(before="online", after="offline", cause="cut")
    with selling(home, vfs=disk.vfs) as checkout:
        for _ in range(30):
            sell_one(checkout)
        head = checkout.head()
        changed = inbox.file(append_request("connection_changed", 1, change), 1)
        purge = inbox.file(PurgeRequest(through={head.epoch: 20}), 2)
        disk.full = True
        assert carry_out_all(inbox, checkout, 3) == 1
        assert inbox.outcome(purge) == ("done", "20 entries purged")
        assert inbox.outcome(changed) is None
        assert carry_out_all(inbox, checkout, 4) == 1, "the purge gave the reserve up: there is room"
        assert inbox.outcome(changed) is not None
    connection.close()


def test_what_sync_asks_of_a_till_on_a_dead_disk_is_done_after_a_restart(
    home: RegisterHome, disk: Disk
) -> None:
    connection = open_reference(home, DatabaseKey.load(home.database_key))
    inbox = Inbox(connection)
    change = ConnectionChanged(before="online", after="offline", cause="cut")
    number = inbox.file(append_request("connection_changed", 1, change), 1)
    with selling(home, vfs=disk.vfs) as checkout:
        disk.dead = True
        for _ in range(2):
            assert carry_out_all(inbox, checkout, 2) == 0
        disk.dead = False
        assert carry_out_all(inbox, checkout, 3) == 0, "only opening anew tells what the disk holds"
        assert inbox.outcome(number) is None
    with selling(home, seed=2) as again:
        assert carry_out_all(inbox, again, 4) == 1
    outcome = inbox.outcome(number)
    assert outcome is not None
    assert outcome[0] == "done"
    connection.close()
