"""Every screen of the till: clean by axe, reachable by a finger, in light and dark, small and large."""

from typing import cast

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from holdfast.demo.chain import Chain
from tests.browser.till_page import CHEDDAR, MILK, TillPage

SIZES = [(1280, 800), (1920, 1080)]


def look(till: TillPage, screen: str) -> None:
    """Fail on anything that axe finds, a target that is too small, or a page that is too wide."""
    assert not till.violations(), screen
    assert not till.small_targets(), screen
    width, shown = till.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= shown, f"{screen} is wider than the screen"


@pytest.mark.parametrize(("dark", "size"), [(False, SIZES[0]), (True, SIZES[0]), (False, SIZES[1])])
def test_every_screen_is_accessible(
    browser: Browser, chain: Chain, dark: bool, size: tuple[int, int]
) -> None:
    viewport = cast("ViewportSize", {"width": size[0], "height": size[1]})
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
