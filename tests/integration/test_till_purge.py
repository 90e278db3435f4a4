"""A purge gives room back, bit by bit, and a sale never waits for it."""

import threading
from pathlib import Path

import pytest

from holdfast.core.faults import DamagedFault
from holdfast.core.ids import DocumentNumber
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.sqlite import open_database
from holdfast.register.checkout import entries
from holdfast.register.till import purging
from holdfast.register.verify import verify_register
from tests import damaged_pages
from tests.register_fixture import make_register, sell_one, selling


def test_purged_room_goes_back_to_the_disk_while_sales_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purging, "ENTRIES_PER_TRANSACTION", 20)
    monkeypatch.setattr(purging, "FREE_PAGES_KEPT", 5)
    home = make_register(tmp_path / "register")
    with selling(home) as checkout:
        for _ in range(150):
            sell_one(checkout, count=3)
        checkout.tidy()
        before_bytes, head = home.till.stat().st_size, checkout.head()
        purged: list[int] = []
        purge = threading.Thread(target=lambda: purged.append(checkout.purge({head.epoch: head.seq - 2})))
        purge.start()
        sold = [sell_one(checkout) for _ in range(10)]
        purge.join()
        assert purged == [head.seq - 2]
        for _ in range(3):
            checkout.tidy()
        assert home.till.stat().st_size < before_bytes * 0.7
        assert [row.document for row in checkout.documents(10)] == [sale.document for sale in sold[::-1]]
        assert checkout.purge({head.epoch: 1 << 30}) == len(sold) + 2
    verified = verify_register(home)
    assert (verified.differences, verified.documents, verified.purged) == ((), 160, verified.entries)


def damage_entries(home: RegisterHome, pages: slice) -> None:
    found = damaged_pages.leaf_pages(home.till, DatabaseKey.load(home.database_key), "entry")
    for page in found[pages]:
        damaged_pages.damage(home.till, page)


@pytest.mark.parametrize("pages", [slice(2, 3), slice(0, 1), slice(20, 22), slice(3, -1, 7)])
def test_a_purge_passes_over_a_damaged_page_and_the_till_sells_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pages: slice
) -> None:
    monkeypatch.setattr(purging, "ENTRIES_PER_TRANSACTION", 20)
    monkeypatch.setattr(purging, "ROWS_LOOKED_AT", 7)
    home = make_register(tmp_path / "register")
    with selling(home) as checkout:
        for _ in range(120):
            sell_one(checkout, count=2)
        head = checkout.head()
    damage_entries(home, pages)
    with selling(home, seed=2) as checkout:
        purged = checkout.purge({head.epoch: head.seq - 1})
        assert head.seq * 0.6 < purged < head.seq - 1
        sold = sell_one(checkout)
        again = checkout.purge({head.epoch: head.seq - 1})
        assert again < 10, "a neighbour of the damage may go now"
        assert checkout.document(sold.document) == sold


def test_a_look_at_a_damaged_page_fails_no_till(tmp_path: Path) -> None:
    home = make_register(tmp_path / "register")
    with selling(home) as checkout:
        sold = [sell_one(checkout, count=2).document for _ in range(60)]
    damage_entries(home, slice(2, 3))
    with selling(home, seed=2) as checkout:

        def lost(number: DocumentNumber) -> bool:
            try:
                return checkout.document(number) is None
            except DamagedFault:
                return True

        assert 0 < sum(map(lost, sold)) < 10
        till = checkout._till
        with pytest.raises(DamagedFault):
            till.transact(lambda: till.connection.execute("select count(data) from entry").fetchall())
        assert sell_one(checkout).document.endswith("-000061")


def test_a_malformed_entry_stays_and_what_is_behind_it_goes(tmp_path: Path) -> None:
    home = make_register(tmp_path / "register")
    with selling(home) as checkout:
        for _ in range(20):
            sell_one(checkout)
        head = checkout.head()
    writer = open_database(home.till, DatabaseKey.load(home.database_key))
    writer.execute("update entry set data = x'00' where id & 0xff = 5")
    writer.close()
    with selling(home, seed=2) as checkout:
        assert checkout.purge({head.epoch: head.seq}) == head.seq - 1
        part = checkout.purge_part({head.epoch: head.seq})
        assert part == (0, 1, None)


def test_a_long_purge_is_done_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purging, "ENTRIES_PER_TRANSACTION", 10)
    monkeypatch.setattr(entries, "PURGED_AT_ONCE", 30)
    home = make_register(tmp_path / "register")
    with selling(home) as checkout:
        for _ in range(70):
            sell_one(checkout)
        head = checkout.head()
        parts = []
        while not parts or parts[-1].next_seq is not None:
            parts.append(checkout.purge_part({head.epoch: head.seq}))
        assert [part.entries for part in parts] == [30, 30, 12]
    assert verify_register(home).differences == ()
