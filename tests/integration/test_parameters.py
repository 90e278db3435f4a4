"""Parameters, from head office's file to what a till does (SW7, SW9)."""

from pathlib import Path

from holdfast.core.ids import KeyId
from holdfast.core.parameters import WARN_AFTER_H, WARN_AFTER_H_DEFAULT, ParameterRow
from holdfast.core.staleness import HALVE_AFTER_H
from holdfast.core.sync import feed as protocol
from holdfast.core.sync.feed import FeedPage
from holdfast.hq.catalogue import Catalogue, LoadReport
from holdfast.hq.feeds import Feeds
from holdfast.infra.clock import ManualClock
from holdfast.infra.keys import DatabaseKey, verify
from holdfast.infra.postgres.connect import Pool
from holdfast.register.sync.feed_store import FeedStore
from holdfast.register.sync.reference_file import ReferenceFile, open_reference
from holdfast.register.web.shelf import Shelf
from tests.hq_fixtures import HEAD_OFFICE_KEY
from tests.register_fixture import make_register
from tests.staffed_till import staffed_till

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures"]

KEYS = {KeyId(HEAD_OFFICE_KEY.key_id): HEAD_OFFICE_KEY.public_bytes}


def test_what_head_office_sets_is_what_a_till_goes_by(hq_pool: Pool, tmp_path: Path) -> None:
    """SW7: after how many hours is a parameter."""
    feeds = Feeds(hq_pool, HEAD_OFFICE_KEY, ManualClock())
    home = make_register(tmp_path / "register")
    open_reference(home, DatabaseKey.load(home.database_key)).close()
    file = ReferenceFile(home, DatabaseKey.load(home.database_key))
    shelf = Shelf(file, "EUR")
    assert shelf.parameter(WARN_AFTER_H, WARN_AFTER_H_DEFAULT) == 24
    text = "name,value\nsync.warn-after-h,48\nshifts,no\nreceipt.header@S1,Corner shop|Main street 1\n"
    report = Catalogue(feeds).load("parameters", text.encode())
    assert isinstance(report, LoadReport)
    assert report.taken, report.bad
    page = protocol.unpack(feeds.page("parameters", None, 0), "feed", FeedPage, KEYS, verify)
    assert FeedStore(file.connection()).take(page, made_ms=1, now_ms=1) is None
    assert shelf.parameter(WARN_AFTER_H, WARN_AFTER_H_DEFAULT) == 48
    assert shelf.parameter("shifts", True) is False
    assert shelf.parameter("receipt.header@S1", [""]) == ["Corner shop", "Main street 1"]
    file.close()


def test_old_prices_halve_what_a_cashier_may_change_and_stop_no_sale(tmp_path: Path) -> None:
    """SW9: the till's prices are of long ago; head office's parameter says that this counts."""
    with staffed_till(tmp_path / "till") as till, till.browser("cashier") as page:
        till.ready()

        def change(price: str) -> str:
            return page.post("/line/1/price", data={"price": price, "reason": "Short date"}).text

        assert "needs" not in change("4.60"), "8 % is within a cashier's 10 %"
        till.feed("parameters", {HALVE_AFTER_H: ParameterRow(value=24)})
        assert "needs" in change("4.60")
        assert "needs" not in change("4.80")
        assert "the limit for changing a price without a manager is halved" in page.get("/status").text
        page.post("/pay", data={"amount": "exact"})
        assert till.checkout.basket() is None, "old data stops no sale"
        assert len(till.journalled("sale")) == 1
