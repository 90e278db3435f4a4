"""Stock at the till over its public face: an estimate, a count, an adjustment, both ends of a transfer."""

import concurrent.futures
import contextlib
import html
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar.testing import TestClient

from holdfast.core.connection import Mode
from holdfast.core.ids import IncarnationId, Sku, StoreId
from holdfast.core.sale import StockAdjusted
from holdfast.core.stock.entries import StockCounted, StockTransferred
from holdfast.core.stock.services import Incoming, StockPage, StoreName, stock_digest
from holdfast.infra.config import RegisterHome
from holdfast.register.verify import verify_register
from tests.register_fixture import CASHIER, scan
from tests.staffed_till import PIN, STAFF, StaffedTill, staffed_till
from tests.unit.core.shop import MUG, done

HX = {"hx-request": "true", "hx-target": "work"}
ONLY_ONLINE = "Checking quantity on hand needs a real-time connection."


@pytest.fixture
def till(tmp_path: Path) -> Iterator[StaffedTill]:
    with staffed_till(tmp_path / "register") as till:
        till.ready()
        yield till
        till.services.stock.stop()


def _told(till: StaffedTill, **more: Any) -> None:
    """Head office told of the store as it stands with all that this register did until now."""
    head = till.checkout.head()
    page = StockPage(
        incarnation=IncarnationId("life"), version=1, is_whole=True, at_ms=till.clock.now_ms(),
        applied={head.epoch: head.seq}, rows=((MUG.sku, 12_000),),
        stores=(StoreName(StoreId("S2"), "Station"),), **more,
    )  # fmt: skip
    till.services.stock._kept.take(page)


def _say(client: TestClient[Any], method: str, path: str, **fields: str) -> str:
    if method == "GET":
        return html.unescape(client.get(path, headers=HX).text)
    return html.unescape(client.post(path, data=fields, headers=HX).text)


def _sell(till: StaffedTill, pieces: int = 1) -> None:
    for _ in range(pieces):
        if till.checkout.basket() is None:
            done(till.checkout.begin(by=CASHIER))
            scan(till.checkout)
        done(till.checkout.conclude(cash_given_minor=100_000))


def _estimate(client: TestClient[Any]) -> str:
    page = _say(client, "GET", f"/stock/of?sku={MUG.sku}")
    found = re.search(r'id="stock-estimate">(.*?)</p>', page)
    assert found is not None, page
    return found[1]


def test_offline_the_estimate_says_as_of_when_it_is_and_follows_this_till(till: StaffedTill) -> None:
    till.work(Mode.OFFLINE)
    with till.browser("trainee") as client:
        assert ONLY_ONLINE in _say(client, "GET", f"/stock/of?sku={MUG.sku}")
        assert _estimate(client).startswith("There is no estimate")
        _told(till)
        assert re.fullmatch(r"About 12, as of \d\d:\d\d", _estimate(client))
        _sell(till, 2)
        assert _estimate(client).startswith("About 10, as of")
        assert ONLY_ONLINE in _say(client, "GET", f"/stock/on-hand?sku={MUG.sku}"), "by the table (SW8)"
        assert "No product has the code" in _say(client, "GET", "/stock/of?sku=nothing")


def test_a_blind_count_shows_nothing_that_is_expected_and_is_the_figure_from_then_on(
    till: StaffedTill,
) -> None:
    _told(till)
    _sell(till)
    with till.browser("manager") as client:
        page = _say(client, "POST", "/stock/count/add", text=f"3*{MUG.sku}")
        page = _say(client, "POST", "/stock/count/add", text=MUG.sku)
        assert 'value="4"' in page
        assert "Expected" not in page
        shown = _say(client, "POST", "/stock/count/put", sku="", shown="yes")
        assert "<td>11</td>" in shown
        _say(client, "POST", "/stock/count/put", sku=MUG.sku, quantity="7")
        assert "7" in _say(client, "GET", "/stock/count"), "the list is kept as it was left"
        assert "Counted as R01-" in _say(client, "POST", "/stock/count", note="Shelf 3")
        assert _estimate(client).startswith("About 7, as of")
        _sell(till)
        assert _estimate(client).startswith("About 6, as of")
        assert "Nothing scanned yet" in _say(client, "GET", "/stock/count")
    (counted,) = till.journalled("stock_counted")
    assert isinstance(counted, StockCounted)
    assert [(line.sku, line.quantity_milli, line.expected_milli) for line in counted.lines] == [
        (MUG.sku, 7_000, 11_000)
    ]
    assert (counted.by, counted.blind, counted.note) == (STAFF["manager"], True, "Shelf 3")
    assert till.checkout.stock_milli(MUG.sku) == -2_000, "what it differs by, head office alone knows"


def test_an_adjustment_needs_whoever_may_and_a_reason(till: StaffedTill) -> None:
    with till.browser("cashier") as client:
        assert "Scan at least one product first" in _say(
            client, "POST", "/stock/adjust", reason="Breakage", manager="manager", manager_pin=PIN
        )
        _say(client, "POST", "/stock/adjust/add", text=f"2*{MUG.sku}")
        asked = _say(client, "POST", "/stock/adjust", reason="Breakage", way="off")
        assert "“Adjust stock” needs a manager" in asked
        approved = {"manager": "manager", "manager_pin": PIN}
        assert "A reason is needed" in _say(client, "POST", "/stock/adjust", way="off", **approved)
        assert "Adjusted as R01-" in _say(
            client, "POST", "/stock/adjust", reason="Breakage", way="off", **approved
        )
    (adjusted,) = till.journalled("stock_adjusted")
    assert isinstance(adjusted, StockAdjusted)
    assert [line.quantity_milli for line in adjusted.lines] == [-2_000]
    assert (adjusted.by, adjusted.approved_by, adjusted.reason) == (
        STAFF["cashier"],
        STAFF["manager"],
        "Breakage",
    )
    assert till.checkout.stock_milli(MUG.sku) == -2_000
    _, said = till.services.stock._own_word()
    assert said is not None
    assert (said.seq, said.digest) == (till.checkout.head().seq, stock_digest([(MUG.sku, -2_000)]))


def test_a_list_is_concluded_once_whatever_happens_around_it(
    till: StaffedTill, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped between the entry and dropping the list; sent twice at once; one of an older version (P2)."""

    def killed(kind: str) -> None:
        raise RuntimeError(kind)

    stock, moved = till.services.stock, till.checkout.stock_milli
    with till.browser("manager") as client:
        _say(client, "POST", "/stock/adjust/add", text=f"2*{MUG.sku}")
        with monkeypatch.context() as stopped, contextlib.suppress(RuntimeError):
            stopped.setattr(stock, "drop_draft", killed)
            _say(client, "POST", "/stock/adjust", reason="Breakage", way="off")
        assert stock.draft("adjust").lines, "as the next start finds it"
        again = _say(client, "GET", "/stock/adjust")
        assert "Adjusted as R01-" in again
        assert "Nothing scanned yet" in again
        assert moved(MUG.sku) == -2_000

        page = _say(client, "POST", "/stock/adjust/add", text=f"3*{MUG.sku}")
        shown = re.search(r'name="list" value="([0-9a-z]{16})"', page)
        assert shown is not None
        form = {"reason": "Breakage", "way": "off", "list": shown[1]}
        both = threading.Barrier(2)

        def tap() -> str:
            both.wait()
            return _say(client, "POST", "/stock/adjust", **form)

        with concurrent.futures.ThreadPoolExecutor(2) as taps:
            answers = [tapped.result() for tapped in [taps.submit(tap), taps.submit(tap)]]
        said = [re.findall(r"Adjusted as (R01-[\w-]+)", answer) for answer in answers]
        assert said[0] == said[1] != [], "both are told the one number"
        assert moved(MUG.sku) == -5_000

        _say(client, "POST", "/stock/adjust/add", text=MUG.sku)
        assert "Adjusted as" in _say(client, "POST", "/stock/adjust", **form), "that page's list is an entry"
        begun_again = _say(client, "POST", "/stock/adjust", **{**form, "list": "another"})
        assert "This list was begun again meanwhile" in begun_again
        stock.keep_draft(msgspec.structs.replace(stock.draft("adjust"), id=""))
        assert "Adjusted as R01-" in _say(client, "POST", "/stock/adjust", reason="Breakage", way="off")
        assert moved(MUG.sku) == -6_000
    assert len(till.journalled("stock_adjusted")) == 3


def test_goods_are_sent_and_received_offline(till: StaffedTill, tmp_path: Path) -> None:
    lines = ((Sku(MUG.sku), MUG.description, 5_000),)
    _told(till, incoming=(Incoming(transfer="R09-1", origin=StoreId("S2"), sent_at_ms=1, lines=lines),))
    till.work(Mode.OFFLINE)
    with till.browser("manager") as client:
        _say(client, "POST", "/stock/send/add", text=f"3*{MUG.sku}")
        assert "knows no store S9" in _say(client, "POST", "/stock/send", other="S9")
        assert "That is this store" in _say(client, "POST", "/stock/send", other=till.checkout.config.store)
        sent = _say(client, "POST", "/stock/send", other="S2")
        assert "Write that number on the delivery note" in sent
        assert "R09-1 from S2" in _say(client, "GET", "/stock/receive")
        assert 'value="R09-1"' in _say(client, "POST", "/stock/receive/take", transfer="R09-1")
        _say(client, "POST", "/stock/receive/put", sku=MUG.sku, quantity="4")
        assert "Received from S2 as R01-" in _say(
            client, "POST", "/stock/receive", other="S2", transfer="R09-1"
        )
        left = _say(client, "POST", "/stock/receive/take", transfer="R09-1")
        assert 'value="1"' in left, "the rest can be received, and no more than that is offered"
        _say(client, "POST", "/stock/receive/drop")
        _say(client, "POST", "/stock/receive/add", text=MUG.sku)
        assert "Enter the number of the transfer" in _say(client, "POST", "/stock/receive", other="S2")
        assert "Nothing scanned" in _say(client, "POST", "/stock/receive/drop")
    away, back = till.journalled("stock_transferred")
    assert isinstance(away, StockTransferred)
    assert isinstance(back, StockTransferred)
    assert (away.way, away.transfer, away.other) == ("sent", away.document, "S2")
    assert (back.way, back.transfer, [line.quantity_milli for line in back.lines]) == (
        "received",
        "R09-1",
        [4_000],
    )
    assert till.checkout.stock_milli(MUG.sku) == 1_000
    assert verify_register(RegisterHome(tmp_path / "register")).differences == ()


def test_what_was_kept_and_cannot_be_read_is_begun_anew(till: StaffedTill, tmp_path: Path) -> None:
    """An estimate is told anew; nothing that was concluded lies there."""
    _told(till)
    till.services.stock._kept.close()
    (tmp_path / "register" / "data" / "stock.db").write_bytes(b"no database " * 1_000)
    with till.browser("trainee") as client:
        assert _estimate(client).startswith("There is no estimate")
        _told(till)
        assert _estimate(client).startswith("About 12, as of")
