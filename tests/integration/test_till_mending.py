"""A till.db of which the disk does not give all back: mended, it sells on with what is left (P1, P4, P10)."""

import contextlib
import shutil
from pathlib import Path

import pytest

from holdfast.core.faults import DamagedFault, StorageFullFault
from holdfast.core.ids import DocumentNumber, EpochId
from holdfast.infra.clock import ManualClock, SeededRandomness
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey, SigningKey
from holdfast.infra.sqlite import open_database
from holdfast.register.checkout import Checkout
from holdfast.register.opening import is_whole, open_or_mend
from holdfast.register.till import mending
from holdfast.register.till.database import read_till
from holdfast.register.till.journal import TillJournal
from holdfast.register.till.mending import Mended
from holdfast.register.verify import verify_register
from tests.damaged_pages import damage, leaf_pages
from tests.register_fixture import CASHIER, MANAGER, ORIGIN, make_register, scan, sell_one, selling
from tests.unit.core.shop import BEGAN_MS, MUG, done

SALES = 120
HEAD = SALES + 2
"""The epoch's opening, the day's, and the sales."""

Numbers = frozenset[DocumentNumber]


@pytest.fixture(scope="module")
def sold(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Numbers]:
    """A closed register with sales and an open basket, and what it sold."""
    home = make_register(tmp_path_factory.mktemp("sold") / "till")
    with selling(home) as checkout:
        numbers = frozenset(sell_one(checkout).document for _ in range(SALES))
        done(checkout.begin(by=CASHIER))
        scan(checkout)
    return home.path, numbers


@pytest.fixture
def numbers(sold: tuple[Path, Numbers]) -> Numbers:
    return sold[1]


@pytest.fixture
def home(sold: tuple[Path, Numbers], tmp_path: Path) -> RegisterHome:
    return copied(sold[0], tmp_path / "till")


def copied(path: Path, to: Path) -> RegisterHome:
    shutil.copytree(path, to, ignore=shutil.ignore_patterns("*.reserve"))
    return RegisterHome(to)


def mend(home: RegisterHome, seed: int = 50) -> Mended:
    return mending.mend(home, clock=ManualClock(BEGAN_MS), randomness=SeededRandomness(seed))


def start(home: RegisterHome, seed: int = 60) -> Checkout:
    return open_or_mend(home, clock=ManualClock(BEGAN_MS), randomness=SeededRandomness(seed))


def sell_another(checkout: Checkout, numbers: Numbers) -> None:
    """Whatever was open is finished first; the number was never used."""
    if checkout.basket() is not None:
        done(checkout.void(reason="customer left", by=CASHIER))
    if not checkout.day().open:
        done(checkout.open_day(by=CASHIER, approved_by=MANAGER))
    assert sell_one(checkout).document not in numbers


def found_of(checkout: Checkout, numbers: Numbers) -> int:
    return sum(checkout.document(number) is not None for number in numbers)


def tables_of(home: RegisterHome) -> dict[int, str]:
    """Which table each page holds."""
    with contextlib.closing(open_database(home.till, DatabaseKey.load(home.database_key))) as connection:
        rows = connection.execute("select pageno, name from dbstat").fetchall()
        return {page: name for page, name in rows if isinstance(page, int) and isinstance(name, str)}


def harm(home: RegisterHome, table: str, *at: int) -> None:
    """Damage these of the table's leaf pages."""
    pages = leaf_pages(home.till, DatabaseKey.load(home.database_key), table)
    for one in at:
        damage(home.till, pages[one])


def test_whatever_page_is_bad_the_mended_till_sells_on_in_order(
    sold: tuple[Path, Numbers], home: RegisterHome, tmp_path: Path
) -> None:
    """No sale is lost but those whose own bytes were on the page, and no number is used again."""
    path, numbers = sold
    tables = tables_of(home)
    of_entries = [page for page, name in tables.items() if name == "entry"]
    of_schema = [page for page, name in tables.items() if name == "sqlite_schema"]
    for page in sorted(set(range(2, max(tables) + 1)) - {*of_entries[2:-1], *of_schema}):
        what = f"page {page} of {tables.get(page)}"
        bad = copied(path, tmp_path / str(page))
        damage(bad.till, page)
        mended = mend(bad, seed=page)
        assert mended.lost == 0, what
        assert verify_register(bad).differences == (), what
        with contextlib.closing(start(bad, seed=1_000 + page)) as checkout:
            assert (found_of(checkout, numbers) < SALES) == (page in of_entries) == (mended.hashes > 0), what
            assert (checkout.basket() is None) == (tables.get(page) == "open_basket"), what
            sell_another(checkout, numbers)
        assert verify_register(bad).differences == (), what


def test_what_cannot_be_opened_at_all_is_kept_and_the_till_sells_in_a_new_epoch(
    home: RegisterHome, numbers: Numbers
) -> None:
    """Head office hears up to where the former one may owe."""
    before = home.till.read_bytes()
    damage(home.till, 1)
    damaged = home.till.read_bytes()
    assert damaged != before
    with contextlib.closing(start(home)) as checkout:
        sell_another(checkout, numbers)
        with contextlib.closing(read_till(home, DatabaseKey.load(home.database_key), ORIGIN)) as till:
            [(cause,)] = till.execute("select cause from epoch").fetchall()
    assert cause == "restored"
    aside = mending.damaged_copy(home)
    assert aside is not None
    assert aside.read_bytes() == damaged


def test_where_the_last_entries_are_gone_with_their_links_no_number_is_used_again(
    home: RegisterHome, numbers: Numbers
) -> None:
    harm(home, "chain", -1)
    harm(home, "entry", -1)
    with contextlib.closing(start(home)) as checkout:
        assert checkout.head().documents == 0, "a new epoch, in a segment of its own"
        assert 0 < found_of(checkout, numbers) < SALES
        sell_another(checkout, numbers)


def test_a_mark_that_lags_does_not_vouch_for_an_end_that_cannot_be_read(
    sold: tuple[Path, Numbers], home: RegisterHome, numbers: Numbers
) -> None:
    """After a power cut the mark may name an entry well before the last one."""
    early = home.mark.read_bytes()
    with contextlib.closing(start(home)) as checkout:
        done(checkout.void(reason="customer left", by=CASHIER))
        later = frozenset(sell_one(checkout).document for _ in range(40))
        former = checkout.head().epoch
    home.mark.write_bytes(early)
    harm(home, "chain", -1)
    harm(home, "entry", -1)
    with contextlib.closing(start(home, seed=61)) as checkout:
        assert checkout.head().epoch != former
        sell_another(checkout, numbers | later)


def test_a_bad_page_that_a_sale_meets_is_mended_at_the_next_start(
    home: RegisterHome, numbers: Numbers
) -> None:
    """The cashier is told what to do; nothing of the refused sale was stored."""
    harm(home, "day_totals", 0)
    with contextlib.closing(start(home)) as checkout:
        with pytest.raises(DamagedFault, match=r"nothing of this was stored\. Start the register again"):
            checkout.conclude(cash_given_minor=100_000)
        assert checkout.head().seq == HEAD
    with contextlib.closing(start(home, seed=61)) as checkout:
        assert done(checkout.conclude(cash_given_minor=100_000)).document not in numbers
        assert checkout.head().seq == HEAD + 1
    assert not mending.is_wanted(home)
    assert verify_register(home).differences == ()


def test_a_purge_that_passes_over_a_bad_page_asks_for_no_mending(home: RegisterHome) -> None:
    harm(home, "entry", 1)
    with contextlib.closing(start(home)) as checkout:
        checkout.purge({checkout.head().epoch: 60})
    assert not mending.is_wanted(home)


def test_where_there_is_no_room_to_mend_it_sells_what_it_can(
    home: RegisterHome, numbers: Numbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> Mended:
        raise StorageFullFault("The disk is full. Make room on it.")

    mending.want(home)
    with monkeypatch.context() as patch:
        patch.setattr(mending, "mend", full)
        with contextlib.closing(start(home)) as checkout:
            sell_another(checkout, numbers)
    assert mending.is_wanted(home)


@pytest.mark.parametrize("moved", [(), ("-wal",), ("-wal", "-shm"), ("-wal", "-shm", "")])
def test_a_mending_that_was_cut_short_is_finished_at_the_next_start(
    home: RegisterHome, numbers: Numbers, tmp_path: Path, moved: tuple[str, ...]
) -> None:
    """Killed between any two of its renames; the damaged database's log never comes beside the new one."""
    done_elsewhere = copied(home.path, tmp_path / "done")
    mend(done_elsewhere)
    (done_elsewhere.till).replace(home.till.with_name("till.db.mended"))
    for suffix in ("-wal", "-shm"):
        home.till.with_name(f"till.db{suffix}").write_bytes(b"of the damaged one")
    for suffix in moved:
        home.till.with_name(f"till.db{suffix}").replace(home.till.with_name(f"till.db.damaged{suffix}"))
    with contextlib.closing(start(home)) as checkout:
        assert found_of(checkout, numbers) == SALES
        sell_another(checkout, numbers)
    assert home.till.with_name("till.db.damaged-wal").read_bytes() == b"of the damaged one"
    assert not home.till.with_name("till.db.mended").exists()
    assert verify_register(home).differences == ()


def test_a_copy_that_was_not_completed_is_begun_again(home: RegisterHome, numbers: Numbers) -> None:
    home.till.with_name("till.db.mending").write_bytes(b"half a database")
    harm(home, "chain", -1)
    with contextlib.closing(start(home)) as checkout:
        assert found_of(checkout, numbers) == SALES
    assert sorted(path.name for path in home.data.glob("till.db.m*")) == []


def test_each_damaged_file_is_kept(home: RegisterHome, numbers: Numbers) -> None:
    for seed in (1, 2):
        harm(home, "chain", -1)
        with contextlib.closing(start(home, seed=100 + seed)) as checkout:
            assert found_of(checkout, numbers) == SALES
    assert mending.damaged_copy(home) == home.till.with_name("till.db.damaged-2")


class NoReceipts:
    def receipts(self) -> tuple[()]:
        return ()


def test_what_is_lost_in_the_middle_ends_what_can_be_sent_of_its_epoch(home: RegisterHome) -> None:
    """It is sent up to the gap, and says so; nothing behind it passes for what follows."""
    key = DatabaseKey.load(home.database_key)
    harm(home, "chain", 0)
    harm(home, "entry", 2)
    mended = mend(home)
    assert mended.lost > 0
    with contextlib.closing(read_till(home, key, ORIGIN)) as till:
        journal = TillJournal(till, SigningKey.load(home.signing_key), NoReceipts())
        [head] = journal.heads()
        assert head.seq == HEAD
        piece = journal.piece(EpochId(head.epoch), 1, 2_000, 1 << 20)
        assert piece is not None
        assert [entry.seq for entry in piece.entries] == list(range(1, piece.head.seq + 1))
        assert journal.piece(EpochId(head.epoch), piece.head.seq + 1, 2_000, 1 << 20) is None
        assert journal.damaged == {head.epoch: piece.head.seq + 1}


def test_a_whole_till_is_left_as_it_is(home: RegisterHome) -> None:
    assert is_whole(home)
    harm(home, "entry", 3)
    assert not is_whole(home)


def test_sums_of_what_is_not_there_any_more_stay(home: RegisterHome) -> None:
    """Stock and drawer are as they were though entries are gone, also after damage to their own tables."""
    with contextlib.closing(start(home)) as checkout:
        stock, drawer = checkout.stock_milli(MUG.sku), checkout.drawer_minor()
    harm(home, "entry", 2)
    assert mend(home).hashes > 0
    for table in ("stock", "day_totals"):
        harm(home, table, 0)
        mend(home, seed=len(table))
        with contextlib.closing(start(home, seed=200 + len(table))) as checkout:
            assert (checkout.stock_milli(MUG.sku), checkout.drawer_minor()) == (stock, drawer)
        assert verify_register(home).differences == ()
