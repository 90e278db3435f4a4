"""Loyalty in a browser, by keyboard: asked at a start, warned of, disabled, enabled, and points that accrue
when the line is back (LY1 to LY4, SW12)."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from holdfast.core.connection import Mode
from holdfast.demo.chain import Chain
from holdfast.demo.line import LineMode
from tests.browser.central import choose, set_parameters
from tests.browser.conftest import wait_standing
from tests.browser.head_office_page import HeadOfficePage
from tests.browser.till_page import CASHIER, CHEDDAR, MILK, TillPage

REGISTER = "R02"
OFF = "Real-time loyalty is off"
UNAVAILABLE = "Loyalty is unavailable"
DISABLE, ENABLE = "Disable real-time loyalty", "Enable real-time loyalty"
POINTS = re.compile(r"[1-9]\d* points")


@pytest.fixture
def with_loyalty(browser: Browser, chain: Chain) -> Iterator[Chain]:
    """R02 has loyalty, and runs with its line up afterwards."""

    set_parameters(chain, REGISTER, loyalty__in_use=True)
    with TillPage.open(browser, chain.registers[REGISTER].url) as till:
        till.page.wait_for_selector(".status__line--loyalty-on")
    yield chain
    chain.switch(REGISTER, LineMode.UP)
    set_parameters(chain, REGISTER, loyalty__in_use=False)


def start_anew(chain: Chain) -> None:
    """The till is reopened with its line cut, and knows that it is."""
    place = chain.registers[REGISTER]
    chain.switch(REGISTER, LineMode.CUT)
    place.end()
    place.start()
    place.wait_ready()
    wait_standing(chain, REGISTER, lambda standing: standing.mode == Mode.OFFLINE.value)


def sign_in(till: TillPage) -> None:
    """Up to the one page that asks."""
    till.page.goto(till.url)
    till.page.fill("#staff", CASHIER[0])
    till.page.fill("#pin", CASHIER[1])
    till.page.keyboard.press("Enter")
    till.arrive("#start")
    expect(till.page.locator("button:has-text('Proceed')")).to_be_focused()


def test_loyalty_through_an_outage(
    browser: Browser, with_loyalty: Chain, head_office: HeadOfficePage
) -> None:
    chain = with_loyalty
    start_anew(chain)
    with TillPage.open(browser, chain.registers[REGISTER].url) as till:
        page, notice = till.page, till.page.locator("#notice")
        by_points = page.locator(".currency:has-text('Points')")
        # LY1, SW12: one page asks; disabled, nothing more is said of it.
        sign_in(till)
        assert not till.violations()
        assert not till.small_targets()
        page.keyboard.press("Tab")
        expect(page.locator(f"button:has-text('{DISABLE}')")).to_be_focused()
        page.keyboard.press("Enter")
        till.arrive("#date, #scan")
        if page.locator("#date").count():
            page.click("button:has-text('Open the day')")
        till.arrive("#scan")
        if till.lines.count():
            till.void()
        till.expect_status(OFF)
        till.press("F11", "#who")
        page.click("button:has-text('Create a customer')")
        page.fill("#customer-name", "Ada Pointer")
        page.keyboard.press("Enter")
        expect(notice).to_contain_text("is the customer of this sale")
        expect(notice).not_to_contain_text(UNAVAILABLE)
        # LY3: a reload changes nothing, a till that is reopened asks anew.
        page.reload()
        till.expect_status(OFF)
        start_anew(chain)
        sign_in(till)
        page.keyboard.press("Enter")
        till.arrive("#scan")
        expect(till.status).not_to_contain_text(OFF)
        # LY2, LY4: each choice warns; neither screen nor receipt speaks of points, and the sale earns them.
        choose(till, "Ada Pointer")
        expect(notice).to_contain_text(UNAVAILABLE)
        expect(page.locator("#points")).to_have_text("Points: not known now")
        assert not till.violations()
        assert not till.small_targets()
        till.scan(MILK, "Milk")
        till.scan(CHEDDAR, "cheddar")
        till.press("F9", "#amount")
        expect(by_points).to_have_count(0)
        number = till.pay_exact()
        expect(page.locator("#ticket")).not_to_contain_text("Points")
        till.press("F9", ".shelf")
        chain.switch(REGISTER, LineMode.UP)
        head_office.wait_stored(number)
        till.expect_status("Online")
        choose(till, "Ada Pointer")
        expect(notice).not_to_contain_text(UNAVAILABLE)
        expect(page.locator("#points")).to_have_text(POINTS)  # they accrued
        till.scan(MILK, "Milk")
        till.press("F9", "#amount")
        expect(by_points).to_be_visible()
        till.press("Escape", ".shelf")
        # LY1: lost while open. Nothing needs to be pressed; *Disable* is in the warning itself.
        chain.switch(REGISTER, LineMode.CUT)
        till.warning.wait_for()
        expect(till.warning).to_contain_text(UNAVAILABLE)
        expect(page.locator("#points")).to_have_text("Points: not known now")
        assert not till.violations()
        assert not till.small_targets()
        till.send_code(CHEDDAR)
        expect(till.lines).to_have_count(2)  # selling went on behind it
        page.keyboard.press("Tab")
        expect(page.locator(f"#warning button:has-text('{DISABLE}')")).to_be_focused()
        page.keyboard.press("Enter")
        expect(till.warning).to_have_count(0)
        till.expect_status(OFF)
        till.press("F9", "#amount")
        expect(by_points).to_have_count(0)
        till.press("Escape", ".shelf")
        # LY3: off it stays, also when the line is back, until somebody enables it.
        chain.switch(REGISTER, LineMode.UP)
        till.expect_status("Online", OFF)
        choose(till, "Ada Pointer")
        expect(notice).not_to_contain_text(UNAVAILABLE)
        expect(page.locator("#points")).to_have_text("")
        page.click("summary")
        expect(page.locator(f".menu__items >> text={DISABLE}")).to_be_hidden()
        page.click(f".menu__items >> text={ENABLE}")
        expect(notice).to_contain_text("Real-time loyalty is enabled")
        expect(page.locator("#points")).to_have_text(POINTS)
        number = till.pay_exact()
        expect(page.locator("#ticket")).to_contain_text("Points earned with this")
        head_office.wait_stored(number)
    switched = [row["is_on"] for row in head_office.entries("loyalty_switched")]
    assert switched == [False, False, True]
