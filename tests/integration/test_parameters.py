"""Parameters, from head office's book to what a till does (GC8, SW7, SW9)."""

from pathlib import Path

import msgspec

from holdfast.core.ids import KeyId
from holdfast.core.operations.conditions import GIFT_CARDS_OFFLINE
from holdfast.core.parameters import (
    WARN_AFTER_H,
    WARN_AFTER_H_DEFAULT,
    ParameterRow,
    Place,
    Step,
)
from holdfast.core.staleness import HALVE_AFTER_H
from holdfast.core.sync import feed as protocol
from holdfast.core.sync.feed import FeedPage
from holdfast.hq.catalogue import Catalogue, LoadReport
from holdfast.hq.feeds import Feeds
from holdfast.hq.parameters.book import ParameterBook
from holdfast.infra.clock import ManualClock
from holdfast.infra.keys import DatabaseKey, verify
from holdfast.infra.postgres.connect import Pool
from holdfast.register.sync.feed_store import FeedStore
from holdfast.register.sync.reference_file import ReferenceFile, open_reference
from holdfast.register.web.shelf import Shelf
from tests.hq_fixtures import HEAD_OFFICE_KEY
from tests.register_fixture import make_register
from tests.staffed_till import StaffedTill, staffed_till

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures"]

KEYS = {KeyId(HEAD_OFFICE_KEY.key_id): HEAD_OFFICE_KEY.public_bytes}


def test_what_head_office_sets_is_what_a_till_goes_by(hq_pool: Pool, tmp_path: Path) -> None:
    """SW7: after how many hours is a parameter. GC8: for a store, from a date on."""
    clock = ManualClock()
    feeds = Feeds(hq_pool, HEAD_OFFICE_KEY, clock)
    home = make_register(tmp_path / "register")
    open_reference(home, DatabaseKey.load(home.database_key)).close()
    file = ReferenceFile(home, DatabaseKey.load(home.database_key))
    shelf, date = Shelf(file, "EUR"), ["2099-01-01"]
    shelf.stand(Place("S1", "R01"), lambda: date[0])
    assert shelf.parameter(WARN_AFTER_H, WARN_AFTER_H_DEFAULT) == 24
    text = (
        "name,value,valid_from\nsync.warn-after-h,48,\nsync.warn-after-h,12,2099-02-01\nshifts,no,\n"
        "receipt.header,Shop,\nreceipt.header@S1,Corner shop|Main street 1,\nreceipt.header@S2,Other,\n"
    )
    catalogue = Catalogue(feeds, parameters=ParameterBook(hq_pool, feeds, clock))
    report = catalogue.load("parameters", text.encode(), by="nia")
    assert isinstance(report, LoadReport)
    assert report.taken, report.bad
    assert report.changed == 6
    again = catalogue.load("parameters", text.encode(), by="nia")
    assert isinstance(again, LoadReport)
    assert (again.taken, again.changed, again.version) == (True, 0, report.version)
    page = protocol.unpack(feeds.page("parameters", None, 0), "feed", FeedPage, KEYS, verify)
    assert FeedStore(file.connection()).take(page, made_ms=1, now_ms=1) is None
    assert shelf.parameter(WARN_AFTER_H, WARN_AFTER_H_DEFAULT) == 48
    date[0] = "2099-02-01"
    assert shelf.parameter(WARN_AFTER_H, WARN_AFTER_H_DEFAULT) == 12
    assert shelf.parameter("shifts", True) is False
    assert shelf.parameter("receipt.header", [""]) == ["Corner shop", "Main street 1"]
    file.close()


def test_an_open_transaction_keeps_what_it_began_with_and_the_next_has_the_new(tmp_path: Path) -> None:
    """GC8: also through a restart of the till; nothing is started again for the next."""

    def allows(till: StaffedTill) -> bool:
        return GIFT_CARDS_OFFLINE in till.services.situation().switched_on

    group = ParameterRow(value=True, steps=(Step("2199-01-01", False),))
    with staffed_till(tmp_path / "till") as till, till.browser("cashier") as page:
        till.ready()
        page.post("/void", data={"reason": "Changed mind"})
        assert not allows(till)
        page.post("/scan", data={"text": "MUG"})
        assert till.checkout.basket() is not None
        till.feed(
            "parameters",
            {"store.group@S1": ParameterRow(value="north"), f"{GIFT_CARDS_OFFLINE}@group:north": group},
        )
        assert not allows(till), "it began without"
        page.post("/void", data={"reason": "Changed mind"})
        assert allows(till), "the next one is begun with it"
        page.post("/scan", data={"text": "MUG"})
        till.feed("parameters", {})
        assert allows(till)
        kept = till.checkout.basket()
        assert kept is not None
        assert msgspec.json.decode(msgspec.json.encode(kept), type=type(kept)).parameters == {
            GIFT_CARDS_OFFLINE: True
        }, "the till's disk says so too"
        page.post("/pay", data={"amount": "exact"})
        assert till.checkout.basket() is None
        assert not allows(till)


def test_old_prices_halve_what_a_cashier_may_change_and_stop_no_sale(tmp_path: Path) -> None:
    """SW9: the till's prices are of long ago; head office's parameter says that this counts."""
    with staffed_till(tmp_path / "till") as till, till.browser("cashier") as page:
        till.ready()

        def change(price: str) -> str:
            return page.post("/line/1/price", data={"price": price, "reason": "Short date"}).text

        assert "needs" not in change("4.60"), "8 % is within a cashier's 10 %"
        till.feed("parameters", {HALVE_AFTER_H: ParameterRow(value=24)})
        assert "needs" not in change("4.60"), "this transaction began without"
        page.post("/void", data={"reason": "Changed mind"})
        page.post("/scan", data={"text": "MUG"})
        assert "needs" in change("4.60")
        assert "needs" not in change("4.80")
        assert "the limit for changing a price without a manager is halved" in page.get("/status").text
        page.post("/pay", data={"amount": "exact"})
        assert till.checkout.basket() is None, "old data stops no sale"
        assert len(till.journalled("sale")) == 1
