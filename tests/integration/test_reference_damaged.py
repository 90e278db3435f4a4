"""Bad sectors in reference.db: it is set aside wherever they show; the till sells on from what is left."""

import contextlib
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from holdfast.core.catalogue import Price, Product
from holdfast.core.faults import DamagedFault
from holdfast.core.ids import IncarnationId, Sku, StaffId
from holdfast.core.journal.bodies import ConnectionChanged
from holdfast.core.journal.chain import Position
from holdfast.core.sync.feed import FeedPage, FeedRow
from holdfast.core.sync.messages import sign_receipt
from holdfast.infra.clock import ManualClock, SystemClock, SystemRandomness
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.web import Wakeups
from holdfast.register.checkout import Checkout
from holdfast.register.standing import read_standing
from holdfast.register.sync.catalogue import Catalogue, StaffMember
from holdfast.register.sync.feed_store import FeedStore
from holdfast.register.sync.process import StoppedFault, SyncProcess
from holdfast.register.sync.reference import Reference
from holdfast.register.sync.reference_file import ReferenceFile, damaged_copy, open_reference, read_reference
from holdfast.register.sync.requests import Inbox, append_request
from holdfast.register.web.grid import Grid
from holdfast.register.web.shelf import Shelf
from holdfast.register.web.watch import Watch
from tests import damaged_pages
from tests.integration.test_register_sync.conftest import eventually
from tests.register_fixture import HEAD_OFFICE, ORIGIN, make_register, sell_one, selling
from tests.unit.core.shop import BEGAN_MS

PRODUCTS = 120
INCARNATION = IncarnationId("i1")


def feed(name: str, rows: dict[str, msgspec.Struct]) -> FeedPage:
    packed = tuple(FeedRow(key, msgspec.Raw(msgspec.json.encode(body))) for key, body in rows.items())
    return FeedPage(feed=name, incarnation=INCARNATION, since_n=0, to_n=7, more=False, rows=packed)


def stock_up(home: RegisterHome) -> None:
    """A shop's worth of everything that the file holds."""
    connection = open_reference(home, DatabaseKey.load(home.database_key))
    reference, feeds, inbox = Reference(connection, ORIGIN), FeedStore(connection), Inbox(connection)
    reference.see_incarnation(INCARNATION, 1)
    skus = [f"P{number:04}" for number in range(PRODUCTS)]
    products = {
        sku: Product(sku=Sku(sku), description=f"Thing {sku}", tax_code="std", barcodes=(f"4{sku[1:]}",))
        for sku in skus
    }
    prices = {
        f"{sku}|2020-01-01|EUR": Price(
            sku=Sku(sku), valid_from="2020-01-01", currency="EUR", unit_price_e4=10_000
        )
        for sku in skus
    }
    staff = {"c1": StaffMember(id=StaffId("c1"), name="Ann", role="cashier", pin_hash="x" * 90)}
    for name, rows in (("products", products), ("prices", prices), ("staff", staff)):
        assert feeds.take(feed(name, dict(rows)), made_ms=1, now_ms=1) is None
    for number in range(30):
        change = ConnectionChanged(before="online", after="offline", cause=str(number) * 40)
        inbox.file(append_request("connection_changed", 1, change), 1)
    connection.close()


@pytest.fixture
def home(tmp_path: Path) -> RegisterHome:
    home = make_register(tmp_path / "register")
    with selling(home) as checkout:
        for _ in range(3):
            sell_one(checkout)
        head = checkout.head()
    stock_up(home)
    connection = open_reference(home, DatabaseKey.load(home.database_key))
    at = Position(head.epoch, head.seq, head.hash)
    given = [sign_receipt(level, INCARNATION, ORIGIN, at, HEAD_OFFICE) for level in ("applied", "safe")]
    Reference(connection, ORIGIN).keep(given, None, 1)
    connection.close()
    return home


@contextlib.contextmanager
def served(home: RegisterHome, checkout: Checkout) -> Iterator[tuple[Watch, Shelf]]:
    """What `register serve` holds of the file, without its page and without its sync process."""
    key = DatabaseKey.load(home.database_key)
    with contextlib.ExitStack() as undo:
        files = [ReferenceFile(home, key), ReferenceFile(home, key, read_only=True)]
        for file in files:
            undo.callback(file.close)
        yield (
            Watch(files[0], checkout, ManualClock(BEGAN_MS), Wakeups(), lambda: None),
            Shelf(files[1], "EUR"),
        )


def all_known(shelf: Shelf) -> set[str]:
    return {f"P{number:04}" for number in range(PRODUCTS) if shelf.by_code(f"4{number:04}")}


def test_whatever_page_is_bad_the_till_sells_on_from_what_is_left(home: RegisterHome, tmp_path: Path) -> None:
    pages = home.reference.stat().st_size // damaged_pages.PAGE_BYTES
    kept = tmp_path / "whole"
    shutil.copytree(home.data, kept)
    known: list[int] = []
    for page in range(1, pages + 1):
        shutil.rmtree(home.data)
        shutil.copytree(kept, home.data)
        damaged_pages.damage(home.reference, page)
        with selling(home, seed=page + 10) as checkout, served(home, checkout) as (watch, shelf):
            watch._try_once()
            known.append(len(all_known(shelf)))
            shelf.search("thing", "2025-10-09")
            Grid(shelf).sheet("2025-10-09")
            shelf.staff(StaffId("c1"))
            watch._try_once()
            sell_one(checkout)
            if damaged_copy(home).exists():
                assert watch._connection is watch._file.connection()
                assert shelf._file.connection().filename == str(home.reference)
                incarnations = {age.incarnation for age in watch.link.feeds.values()}
                assert incarnations <= {"", INCARNATION}
    assert len(known) == pages > 20
    assert sum(count == PRODUCTS for count in known) > pages * 0.6, "most pages take nothing with them"
    assert sum(count > PRODUCTS * 0.5 for count in known) > pages * 0.8, "only pages of the schema take all"


def test_what_two_processes_hold_open_is_replaced_once(home: RegisterHome) -> None:
    key = DatabaseKey.load(home.database_key)
    damaged_pages.damage(home.reference, damaged_pages.leaf_pages(home.reference, key, "link_state")[0])
    ours, theirs = ReferenceFile(home, key), ReferenceFile(home, key)
    faults = [DamagedFault("bad", str(home.reference)) for _ in range(2)]
    assert ours.renew(faults[0])
    in_place = home.reference.stat().st_ino
    assert theirs.is_replaced
    assert theirs.renew(faults[1])
    assert home.reference.stat().st_ino == in_place, "the one that was put in place is not set aside too"
    assert not theirs.renew(DamagedFault("bad", str(home.till))), "another file's damage is not its"
    change = ConnectionChanged(before="online", after="offline", cause="after")
    Inbox(ours.connection()).file(append_request("connection_changed", 1, change), 2)
    assert len(Inbox(theirs.connection()).open()) == 31, "what was asked is still asked"
    for file in (ours, theirs):
        file.close()
    last = ReferenceFile(home, key)
    assert len(Inbox(last.connection()).open()) == 31
    assert Reference(last.connection(), ORIGIN).safe_receipts() != ()
    last.close()


def test_a_holder_of_the_former_file_leaves_the_new_ones_log_alone(home: RegisterHome) -> None:
    """SQLite deletes the log by its name when the last connection closes."""
    key = DatabaseKey.load(home.database_key)
    late, ours = open_reference(home, key), ReferenceFile(home, key)
    Reference(late, ORIGIN).see_incarnation(IncarnationId("i2"), 2)
    assert ours.renew(DamagedFault("bad", str(home.reference)))
    Reference(ours.connection(), ORIGIN).see_incarnation(IncarnationId("i3"), 3)
    late.close()
    fresh = open_reference(home, key)
    assert Reference(fresh, ORIGIN).incarnation() == "i3"
    fresh.close()
    ours.close()


def test_the_sync_process_ends_once_and_goes_on_with_what_is_left(home: RegisterHome) -> None:
    key = DatabaseKey.load(home.database_key)
    damaged_pages.damage(home.reference, damaged_pages.leaf_pages(home.reference, key, "command")[0])
    process = SyncProcess(home, SystemClock("UTC"), SystemRandomness())
    with pytest.raises(StoppedFault, match="set aside"):
        process.run(threading.Event())
    assert damaged_copy(home).exists()
    process = SyncProcess(home, SystemClock("UTC"), SystemRandomness())
    assert process.board.problems["reference"].code == "reference.set-aside"
    stop = threading.Event()
    runs = threading.Thread(target=process.run, args=(stop,))
    runs.start()
    eventually(lambda: process.board.is_offline, "its parts are at work")
    stop.set()
    process.board.wake()
    runs.join()
    connection = read_reference(home, key)
    assert Catalogue(connection, "EUR").by_barcode("40007") is not None
    assert len(Inbox(connection).open()) >= 30
    connection.close()


def test_a_sync_process_begins_over_a_file_whose_status_is_damaged(home: RegisterHome) -> None:
    key = DatabaseKey.load(home.database_key)
    damaged_pages.damage(home.reference, damaged_pages.leaf_pages(home.reference, key, "link_state")[0])
    process = SyncProcess(home, SystemClock("UTC"), SystemRandomness())
    process._end()
    assert damaged_copy(home).exists()


def test_status_says_what_it_can_and_changes_nothing(
    home: RegisterHome, capsys: pytest.CaptureFixture[str]
) -> None:
    key = DatabaseKey.load(home.database_key)
    assert read_standing(home).owed_count == 0
    damaged_pages.damage(home.reference, damaged_pages.leaf_pages(home.reference, key, "link_state")[0])
    before = {path.name: path.read_bytes() for path in home.data.iterdir() if path.suffix == ".db"}
    standing = read_standing(home)
    assert standing.owed_count == 3, "what head office has is not known, so all counts as owed"
    assert "cannot be read" in standing.as_text()
    assert {path.name: path.read_bytes() for path in home.data.iterdir() if path.suffix == ".db"} == before
    home.reference.unlink()
    assert "cannot be read" in read_standing(home).as_text()
    assert not home.reference.exists(), "a look makes no database"
    assert capsys.readouterr().out == ""
