"""Opening a till: whose it is, which version, and whether it is still the one that the mark remembers."""

import shutil
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from holdfast.core.faults import ConfigurationFault, DatabaseFault, KeyFault, NewerVersionFault
from holdfast.core.journal.bodies import REGISTRY, EpochOpened
from holdfast.core.journal.entry import decode_entry
from holdfast.core.journal.epochs import OpenEpoch
from holdfast.infra.clock import ManualClock
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey, RecoveryKey, recovery_path, unwrap_recovery, write_recovery_copy
from holdfast.infra.mark import HighWaterMark, Mark
from holdfast.infra.sqlite import open_database
from holdfast.register.checkout import Checkout
from holdfast.register.till.database import open_till, read_till
from holdfast.register.verify import verify_register
from tests.register_fixture import (
    CASHIER,
    DATE,
    MANAGER,
    ORIGIN,
    clone,
    copy_data,
    make_register,
    open_checkout,
    refusal_of,
    restore_data,
    scan,
    sell_one,
    selling,
)
from tests.unit.core.shop import BEGAN_MS, done


@pytest.fixture
def home(tmp_path: Path) -> RegisterHome:
    return make_register(tmp_path / "register")


def opening_of(home: RegisterHome) -> EpochOpened:
    """The first entry of the newest epoch."""
    connection = read_till(home, DatabaseKey.load(home.database_key), ORIGIN)
    sql = "select data from entry where type = 'epoch_opened' order by id desc limit 1"
    row = connection.execute(sql).fetchone()
    connection.close()
    assert row is not None
    assert isinstance(row[0], bytes)
    body = REGISTRY.decode(decode_entry(row[0]))
    assert isinstance(body, EpochOpened)
    return body


# ---- keys and files ----------------------------------------------------------------------------


def test_the_first_mark_is_on_the_disk_before_a_start_counts_as_done(
    home: RegisterHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut after it must not look like a database that woke up on another machine."""
    done_in_order: list[str] = []
    for name in ("write", "settle"):
        original = getattr(HighWaterMark, name)

        def noted(
            mark: HighWaterMark,
            *given: Mark,
            name: str = name,
            original: Callable[..., object] = original,
        ) -> object:
            done_in_order.append(name)
            return original(mark, *given)

        monkeypatch.setattr(HighWaterMark, name, noted)
    open_checkout(home).close()
    assert done_in_order == ["write", "settle"]


def test_a_new_register_opens_its_first_epoch(home: RegisterHome) -> None:
    checkout = open_checkout(home)
    head = checkout.head()
    assert (head.seq, head.documents) == (1, 0)
    checkout.close()
    opened = opening_of(home)
    assert (opened.cause, opened.series, opened.parent) == ("enrolled", "R01", None)
    again = open_checkout(home, seed=2)
    assert again.head() == head
    again.close()


def test_a_missing_key_names_file_and_cure(home: RegisterHome) -> None:
    home.database_key.unlink()
    with pytest.raises(KeyFault, match=r"database\.key is missing\. Put it back"):
        open_checkout(home)


def test_a_foreign_key_is_named_with_the_right_one(home: RegisterHome) -> None:
    right = DatabaseKey.load(home.database_key)
    DatabaseKey(bytes([5]) * 32).save(home.database_key, replace=True)
    with pytest.raises(KeyFault, match=f"was written with the key {right.key_id}"):
        open_checkout(home)


def test_a_lost_key_comes_back_from_the_recovery_copy_with_all_sales(home: RegisterHome) -> None:
    recovery = RecoveryKey.generate()
    write_recovery_copy(home.till, recovery.public_bytes, DatabaseKey.load(home.database_key))
    with selling(home) as checkout:
        sale = sell_one(checkout)
    home.database_key.unlink()
    unwrap_recovery(recovery, recovery_path(home.till).read_bytes()).save(home.database_key)
    with selling(home, seed=2) as again:
        assert again.document(sale.document) == sale


def test_a_key_that_others_can_read_is_refused(home: RegisterHome) -> None:
    home.database_key.chmod(0o644)
    with pytest.raises(KeyFault, match="chmod 600"):
        open_checkout(home)


def test_a_database_of_another_register_is_refused(home: RegisterHome, tmp_path: Path) -> None:
    other = make_register(tmp_path / "other", origin="reg02", series="R02")
    shutil.copytree(other.data, home.data, dirs_exist_ok=True)
    with pytest.raises(KeyFault):
        open_checkout(home)
    shutil.copy(other.database_key, home.database_key)
    with pytest.raises(DatabaseFault, match="belongs to the register reg02, and this one is reg01"):
        open_checkout(home)


def test_a_missing_or_empty_or_garbled_database_is_refused(home: RegisterHome) -> None:
    with selling(home) as checkout:
        sell_one(checkout)
    home.till.write_bytes(bytes(range(256)) * 64)
    with pytest.raises(DatabaseFault, match="damaged"):
        open_checkout(home)
    home.till.write_bytes(b"")
    with pytest.raises(DatabaseFault, match="empty"):
        open_checkout(home)
    home.till.unlink()
    with pytest.raises(DatabaseFault, match="missing"):
        open_checkout(home)


def test_no_settings_are_a_clear_error(home: RegisterHome) -> None:
    home.config.unlink()
    with pytest.raises(ConfigurationFault, match="Enrol or initialise"):
        open_checkout(home)


def test_a_database_of_a_newer_version_is_refused_unchanged(home: RegisterHome) -> None:
    key = DatabaseKey.load(home.database_key)
    connection = open_database(home.till, key)
    connection.execute("insert into migration (number, name, sha256) values (99, 'of_the_future', 'x')")
    connection.close()
    with pytest.raises(NewerVersionFault, match="Start the newer Holdfast again"):
        open_checkout(home)
    with pytest.raises(NewerVersionFault):
        read_till(home, key, ORIGIN)
    connection = open_database(home.till, key)
    assert connection.execute("select count(*) from chain").fetchall() == [(0,)]
    connection.close()


def test_a_reader_does_not_write(home: RegisterHome) -> None:
    with selling(home) as checkout:
        reader = read_till(home, DatabaseKey.load(home.database_key), ORIGIN)
        before = reader.execute("select count(*) from chain").fetchall()
        sell_one(checkout)
        assert reader.execute("select count(*) from chain").fetchall() != before
        with pytest.raises(apsw.ReadOnlyError):
            reader.execute("delete from entry")
        reader.close()


# ---- restored and cloned -----------------------------------------------------------------------


def test_a_restored_database_goes_on_in_a_segment_of_its_own(home: RegisterHome, tmp_path: Path) -> None:
    with selling(home) as checkout:
        sell_one(checkout)
        backed_up = checkout.head()
    copy_data(home, tmp_path / "backup")
    with selling(home, seed=2) as checkout:
        lost = [sell_one(checkout).document for _ in range(3)]
        claimed = checkout.head()
    restore_data(home, tmp_path / "backup")
    with selling(home, seed=3) as restored:
        sale = sell_one(restored)
        assert sale.document not in lost
        assert sale.document.endswith("-000001")
        assert restored.head().epoch != backed_up.epoch
        assert restored.document(lost[0]) is None
        head = restored.head()
    opened = opening_of(home)
    assert opened.cause == "restored"
    assert opened.parent is not None
    assert (opened.parent.epoch, opened.parent.seq) == (backed_up.epoch, backed_up.seq)
    assert (opened.parent.hash, opened.parent.claimed_seq) == (backed_up.hash, claimed.seq)
    assert verify_register(home).differences == ()
    again = open_checkout(home, seed=4)
    assert again.head() == head, "in order from here on"
    again.close()


def test_a_restored_day_that_was_over_is_closed_and_never_comes_back(
    home: RegisterHome, tmp_path: Path
) -> None:
    clock = ManualClock(BEGAN_MS)
    with selling(home, clock) as checkout:
        sell_one(checkout)
    copy_data(home, tmp_path / "backup")
    with selling(home, clock, seed=2) as checkout:
        done(checkout.close_day(by=CASHIER))
        clock.advance(2 * 86_400_000)
        done(checkout.open_day(by=CASHIER, approved_by=MANAGER))
        sell_one(checkout)
    restore_data(home, tmp_path / "backup")
    restored = open_checkout(home, ManualClock(BEGAN_MS), seed=3)
    assert not restored.day().open
    assert refusal_of(restored.open_day(DATE, by=CASHIER, approved_by=MANAGER)) == "day.goes-back"
    assert restored.offered_date() == "2025-10-11"
    assert done(restored.open_day(by=CASHIER, approved_by=MANAGER)).business_date == "2025-10-11"
    sell_one(restored)
    restored.close()
    again = open_checkout(home, ManualClock(BEGAN_MS), seed=4)
    assert again.day().business_date == "2025-10-11"
    again.close()
    assert verify_register(home).differences == ()


def test_the_date_of_a_lost_day_is_remembered_until_another_is_opened(
    home: RegisterHome, tmp_path: Path
) -> None:
    clock = ManualClock(BEGAN_MS)
    with selling(home, clock):
        pass
    copy_data(home, tmp_path / "backup")
    with selling(home, clock, seed=2) as checkout:
        done(checkout.close_day(by=CASHIER))
        clock.advance(86_400_000)
        done(checkout.open_day(by=CASHIER))
    restore_data(home, tmp_path / "backup")
    open_checkout(home, ManualClock(BEGAN_MS), seed=3).close()
    again = open_checkout(home, ManualClock(BEGAN_MS), seed=4)
    assert refusal_of(again.open_day(DATE, by=CASHIER, approved_by=MANAGER)) == "day.goes-back"
    again.close()


def test_an_open_basket_of_a_restored_database_is_still_sold(home: RegisterHome, tmp_path: Path) -> None:
    with selling(home) as checkout:
        done(checkout.begin(by=CASHIER))
        basket = scan(checkout)
    copy_data(home, tmp_path / "backup")
    with selling(home, seed=2) as checkout:
        done(checkout.conclude(cash_given_minor=500))
    restore_data(home, tmp_path / "backup")
    with selling(home, seed=3) as restored:
        assert restored.basket() == basket
        assert done(restored.conclude(cash_given_minor=500)).document.endswith("-000001")


def test_a_missing_mark_opens_a_new_epoch(home: RegisterHome) -> None:
    with selling(home) as checkout:
        sell_one(checkout)
        before = checkout.head()
    home.mark.unlink()
    with selling(home, seed=2) as checkout:
        assert checkout.head().epoch != before.epoch
    opened = opening_of(home)
    assert (opened.cause, opened.parent is not None) == ("restored", True)


def test_a_mark_that_lags_after_a_power_cut_is_in_order(home: RegisterHome) -> None:
    with selling(home) as checkout:
        sell_one(checkout)
        lagging = home.mark.read_bytes()
        sell_one(checkout)
        head = checkout.head()
    home.mark.write_bytes(lagging)
    with selling(home, seed=2) as checkout:
        assert checkout.head() == head


def test_a_mark_that_lags_is_brought_up_at_the_next_start(home: RegisterHome, tmp_path: Path) -> None:
    """Or a backup from before the last sale would pass for all that there was, and its number come again."""
    with selling(home) as checkout:
        sell_one(checkout)
    copy_data(home, tmp_path / "backup")
    lagging = home.mark.read_bytes()
    with selling(home, seed=2) as checkout:
        shown = sell_one(checkout)
    home.mark.write_bytes(lagging)
    open_checkout(home, seed=3).close()
    restore_data(home, tmp_path / "backup")
    with selling(home, seed=4) as restored:
        assert sell_one(restored).document != shown.document


def test_a_crash_between_a_new_epoch_and_its_mark_opens_no_further_one(home: RegisterHome) -> None:
    with selling(home) as checkout:
        sell_one(checkout)
        remembered = home.mark.read_bytes()
        assert checkout.open_new_epoch(OpenEpoch("forked", 0, "a twin")) is not None
        head = checkout.head()
    home.mark.write_bytes(remembered)
    with selling(home, seed=2) as checkout:
        assert checkout.head() == head


def test_a_clone_that_sold_on_its_own_is_another_branch(home: RegisterHome, tmp_path: Path) -> None:
    """Both copies look healthy until they meet; a database swapped between them is found out at once."""
    with selling(home) as checkout:
        sell_one(checkout)
    twin = clone(home, tmp_path / "twin")
    with selling(home, seed=2) as checkout:
        mine = sell_one(checkout)
    with selling(twin, seed=3) as checkout:
        theirs = sell_one(checkout)
        sell_one(checkout)
    assert mine.document == theirs.document, "before any contact, equal numbers are possible"
    shutil.rmtree(home.data)
    shutil.copytree(twin.data, home.data)
    with selling(home, seed=4) as checkout:
        assert sell_one(checkout).document[:-6] != mine.document[:-6]
    assert opening_of(home).cause == "restored"
    assert verify_register(home).differences == ()


def test_a_fault_at_opening_leaves_nothing_open(home: RegisterHome) -> None:
    home.mark.unlink(missing_ok=True)
    home.mark.mkdir()
    with pytest.raises(DatabaseFault, match="high-water mark"):
        open_checkout(home)
    home.mark.rmdir()
    with selling(home) as checkout:
        assert isinstance(checkout, Checkout)
        sell_one(checkout)
    connection = open_till(home, DatabaseKey.load(home.database_key), ORIGIN)
    connection.close()
