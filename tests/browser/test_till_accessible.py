"""Every screen of the till: clean by axe, reachable by a finger, in light and dark, small and large (SW6)."""

from typing import cast

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from holdfast.demo.chain import Chain
from holdfast.demo.line import LineMode
from tests.browser.conftest import wait_standing
from tests.browser.till_page import CHEDDAR, CRISPS, MILK, TillPage

SIZES = [(1280, 800), (1920, 1080), (1024, 768)]
"""The smallest is what most tills have."""


def look(till: TillPage, screen: str) -> None:
    """Fail on anything that axe finds, a target that is too small, or a page that is too wide."""
    assert not till.violations(), screen
    assert not till.small_targets(), screen
    width, shown = till.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= shown, f"{screen} is wider than the screen"
    assert not till.page.evaluate(_CUT_OFF), f"{screen}: the bar does not show all of it"


_CUT_OFF = """() => [...document.querySelectorAll(".bar *")]
    .filter((found) => found.checkVisibility() && getComputedStyle(found).display !== "inline")
    .filter((found) => found.scrollWidth > found.clientWidth + 1)
    .map((found) => found.outerHTML.slice(0, 80))"""


@pytest.mark.parametrize(("dark", "size"), [(False, SIZES[0]), (True, SIZES[1]), (False, SIZES[2])])
def test_every_screen_is_accessible(
    browser: Browser, chain: Chain, dark: bool, size: tuple[int, int]
) -> None:
    viewport = cast("ViewportSize", {"width": size[0], "height": size[1]})
    chain.switch("R01", LineMode.CUT)  # so that no outage is warned of before its turn
    wait_standing(chain, "R01", lambda standing: standing.mode == "offline")
    with TillPage.open(browser, chain.registers["R01"].url, viewport=viewport, dark=dark) as till:
        look(till, "sign in")
        till.begin()
        look(till, "nothing sold yet")
        till.scan(MILK, "Milk")
        till.scan(CHEDDAR, "cheddar")
        till.page.keyboard.press("F6")
        till.dialog.locator("[name=discount]").fill("10%")
        look(till, "discount")
        till.dialog.locator("[name=discount]").press("Enter")
        expect(till.page.locator(".line__extra")).to_have_count(1)
        look(till, "a basket")
        for question, way in (("void", "text=Void all"), ("return", "nav >> text=Return")):
            till.page.click(way)
            till.dialog.wait_for()
            look(till, question)
            till.page.keyboard.press("Escape")
            expect(till.dialog).to_have_count(0)
        till.page.click(".tile-button:has-text('Apples')")
        till.dialog.wait_for()
        look(till, "weigh")
        till.page.keyboard.press("Escape")
        expect(till.dialog).to_have_count(0)
        till.page.keyboard.press("F9")
        till.page.wait_for_selector("#amount")
        look(till, "pay")
        till.pay("100")
        till.page.wait_for_selector("#change")
        look(till, "change and receipt")
        till.page.keyboard.press("F10")
        till.page.wait_for_selector(".document")
        look(till, "receipts")
        till.page.click(".document >> nth=0")
        till.page.wait_for_selector(".bring-back")
        look(till, "one receipt")
        till.page.keyboard.press("Escape")
        till.page.click("nav >> text=Return")
        till.dialog.locator("[data-value=Faulty]").click()
        till.page.click("text=Scan what comes back")
        expect(till.page.locator("#ticket h2")).to_have_text("Return")
        look(till, "a return with nothing scanned")
        till.page.keyboard.press("Escape")
        expect(till.page.locator("#ticket h2")).to_have_text("Sale")
        chain.switch("R01", LineMode.UP)
        till.expect_status("Online", "Nothing owed")
        till.scan(CRISPS, "crisps")
        chain.switch("R01", LineMode.SLOW)
        till.expect_status("Degraded since")
        look(till, "degraded")
        chain.switch("R01", LineMode.CUT)
        till.warning.wait_for()
        look(till, "the warning")
        till.page.keyboard.press("Enter")
        expect(till.warning).to_have_count(0)
        till.pay_exact()
        till.expect_status("Offline since", r"Owed: 1 sale, €1\.35, oldest")
        look(till, "offline")


def test_a_far_date_is_approved_by_touch(browser: Browser, chain: Chain) -> None:
    """PO5, the part that is built: the manager's number and PIN by the keypad on the screen."""
    viewport: ViewportSize = {"width": 1024, "height": 768}
    with TillPage.open(browser, chain.registers["R02"].url, viewport=viewport) as till:
        till.begin()
        till.close_day()
        look(till, "open the day")
        till.page.fill("#date", "2031-01-01")
        till.page.click("button:has-text('Open the day')")
        till.page.wait_for_selector("#manager")
        look(till, "a manager is needed")
        for field in ("#manager", "#manager-pin"):
            till.page.click(field)
            till.page.click("[data-key='9']")
        assert till.page.input_value("#manager") == till.page.input_value("#manager-pin") == "9"
        till.page.goto(till.url)
        till.open_day()
