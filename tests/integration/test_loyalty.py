"""Real-time loyalty at a till over HTTP: its choice in an outage, what is said with each customer (LY)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar.testing import TestClient

from holdfast.core.connection import Mode
from holdfast.core.customers import Details
from holdfast.core.loyalty.parameters import IN_USE
from holdfast.register.web.watch import Outage
from tests.register_fixture import CASHIER
from tests.staffed_till import STAFF, StaffedTill, staffed_till
from tests.unit.core.shop import act, done

PART = {"hx-request": "true"}
UNAVAILABLE = "Loyalty is unavailable: there is no connection to head office."
OFF = "Real-time loyalty is off."
DISABLE = "Disable real-time loyalty"


class Parameter(msgspec.Struct, frozen=True):
    """A row of the parameters feed."""

    value: bool | int


@pytest.fixture
def till(tmp_path: Path) -> Iterator[StaffedTill]:
    """Loyalty is in use, the day is open, and the line is cut."""
    with staffed_till(tmp_path / "register") as till:
        till.feed("parameters", {IN_USE: Parameter(True)})
        till.ready()
        done(till.checkout.void(reason="", by=CASHIER))
        till.work(Mode.OFFLINE)
        yield till


def customer(till: StaffedTill, name: str = "Ada") -> str:
    """Made at this till, so that it is known there."""
    return done(till.checkout.create_customer(Details(name=name), act())).number


def choose(client: TestClient[Any], number: str) -> str:
    return client.post(f"/customers/{number}/choose", headers=PART).text


def test_a_start_without_a_connection_asks_and_the_choice_lasts_until_the_day_is_closed(
    till: StaffedTill,
) -> None:
    """LY1, LY3, SW12: one screen with both answers; that it is disabled the status line says."""
    number = customer(till)
    with till.browser("cashier") as client:
        told = client.get("/").text
        assert "Proceed</button>" in told
        assert f'formaction="/loyalty/off">{DISABLE}' in told
        assert "Continue</button>" not in told
        page = client.post("/loyalty/off", data={"told": "x"}).text
        assert OFF in page
        assert UNAVAILABLE not in choose(client, number)
        till.work(Mode.ONLINE)
        page = client.get("/").text
        assert OFF in page, "also when the connection is back"
        assert UNAVAILABLE not in choose(client, number)
        till.work(Mode.OFFLINE)
        done(till.checkout.void(reason="", by=CASHIER))
        client.post("/day/close", headers=PART)
    assert not till.services.loyalty.is_off, "the till is reopened"
    with till.browser("cashier") as client:
        assert DISABLE in client.get("/").text, "and whoever opens it is asked anew"
    (switched,) = till.journalled("loyalty_switched")
    assert (switched.is_on, switched.line, switched.by) == (False, "offline", STAFF["cashier"])


def test_proceed_warns_with_each_customer_and_may_be_disabled_there(till: StaffedTill) -> None:
    """LY2, LY3: the warning has its own way out; once enabled again it warns again."""
    ada, ben = customer(till), customer(till, "Ben")
    with till.browser("cashier") as client:
        client.post("/start/continue", data={"told": "x"})
        assert OFF not in client.get("/").text
        assert UNAVAILABLE in choose(client, ada)
        warned = choose(client, ben)
        assert UNAVAILABLE in warned
        assert 'hx-post="/loyalty/off"' in warned
        assert "is disabled until" in client.post("/loyalty/off", headers=PART).text
        assert UNAVAILABLE not in choose(client, ada)
        assert "is enabled" in client.post("/loyalty/on", headers=PART).text
        assert UNAVAILABLE in choose(client, ben)
        till.work(Mode.ONLINE)
        assert UNAVAILABLE not in choose(client, ada)
        client.post("/loyalty/on", headers=PART)
    assert [body.is_on for body in till.journalled("loyalty_switched")] == [False, True], "each change once"


def test_lost_while_open_the_warning_carries_the_way_out(till: StaffedTill) -> None:
    """LY1: left alone it is as Proceed; *Disable* ends warning and prompts in one."""
    number = customer(till)
    watch = till.services.watch
    with till.browser("cashier") as client:
        client.post("/start/continue", data={"told": "x"})
        watch.outage = Outage(since_ms=5)
        page = client.get("/").text
        assert 'hx-vals=\'{"since": "5"}\'' in page
        assert "Loyalty is unavailable meanwhile" in page
        assert UNAVAILABLE in choose(client, number), "no tap was needed to proceed"
        assert client.post("/loyalty/off", data={"since": "5"}, headers=PART).text == ""
        assert watch.outage is None
        assert UNAVAILABLE not in choose(client, number)
        assert OFF in client.get("/").text


def test_without_loyalty_nothing_of_it_is_seen(till: StaffedTill) -> None:
    """LY1: it is off until head office says otherwise."""
    till.feed("parameters", {})
    number = customer(till)
    with till.browser("cashier") as client:
        assert DISABLE not in client.get("/").text
        client.post("/start/continue", data={"told": "x"})
        till.services.watch.outage = Outage(since_ms=5)
        page = client.get("/").text
        parts = [choose(client, number), client.get("/operations", headers=PART).text]
    assert "The connection to head office is lost" in page
    assert "unavailable" not in page
    assert "status__line--loyalty" not in page, "by which the menu knows what to offer"
    assert not [part for part in parts if "oyalty" in part]


def test_points_go_with_the_sale_in_both_modes_and_the_receipt_says_so_online_alone(
    till: StaffedTill,
) -> None:
    """LY4: the same movement in the entry; on screen and receipt nothing of points while offline."""
    number = customer(till)
    seen: list[str] = []
    with till.browser("cashier") as client:
        client.post("/start/continue", data={"told": "x"})
        for mode in (Mode.OFFLINE, Mode.ONLINE):
            till.work(mode)
            choose(client, number)
            seen.append(client.post("/scan", data={"text": "3*MUG"}, headers=PART).text)
            seen.append(client.post("/pay", data={"amount": "exact"}, headers=PART).text)
    offline, online = till.journalled("sale")
    assert [move.amount for move in offline.values] == [move.amount for move in online.values] == [14]
    assert (offline.values[0].account, offline.customer) == (number, number)
    assert "Points earned with this" not in seen[1]
    assert "Points earned with this" in seen[3]
    assert "Points: not known now" not in seen[3]
