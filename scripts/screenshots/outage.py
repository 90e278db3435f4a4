"""The pictures of a till in an outage: warned of, started in, by hand, practised; and its other looks."""

from playwright.sync_api import Browser

from holdfast.demo.chain import Chain
from holdfast.demo.line import LineMode
from scripts.screenshots.camera import Camera
from scripts.screenshots.driver import CASHIER, MANAGER, Till, page_of


def photograph_outage(browser: Browser, chain: Chain, camera: Camera) -> None:
    """R01 with its line cut and sales owed, at the end of which it still is."""
    url = chain.registers["R01"].url
    with page_of(browser, url) as page:
        till = Till(page, camera)
        till.see(".status__mode--online")  # the line was cut just now; a start offline is another page
        till.sign_in(MANAGER)
        _by_hand(till)
        _drill(till)
        till.scan("MILK2", "SOURD")
        chain.switch("R01", LineMode.CUT)
        till.see("#warning dialog[open]")
        till.shoot("till-outage")
        page.keyboard.press("Enter")
        page.wait_for_selector("#warning dialog[open]", state="detached")
        till.see(".status__mode--offline")
        till.press("F9", "#amount")
        till.press("F9", "#number")
        till.press("Escape", ".shelf")
        till.sell("6*WATER", "ROLL")
        till.sell("AMER")
        till.menu("Status", "#overview")
        till.shoot("till-status")
        till.press("Escape", ".shelf")
        till.page.click("summary")
        till.click("text=Lock", "#staff")
        till.shoot("till-locked")
    _looks(browser, url, camera)


def _by_hand(till: Till) -> None:
    till.menu("Work offline", "#reason")
    till.shoot("till-work-offline")
    till.close()


def _drill(till: Till) -> None:
    till.menu("Practise an outage", "#reason")
    till.page.fill("#reason", "Training")
    till.shoot("till-drill")
    till.press("Enter", ".status__line--drill")
    till.scan("MILK1", "CROIS")
    till.shoot("till-drill-selling")
    till.press("F9", "#amount")
    till.press("F9", "#number")
    till.press("Escape", ".shelf")
    till.menu("Ready for an outage?", "#readiness")
    till.click("#work >> text=End the drill", "#last-drill")
    till.see(".status__mode--online")
    till.see("text=Nothing owed")
    till.shoot("till-readiness")
    till.press("Escape", ".shelf")


def _looks(browser: Browser, url: str, camera: Camera) -> None:
    """Offline from the start, the dark screen, and tablets."""
    for dark in (True, False):
        with page_of(browser, url, dark=dark) as page:
            till = Till(page, camera)
            till.sign_in(CASHIER)
            till.see("#start")
            if not dark:
                till.shoot("till-start-offline")
            till.press("Enter", "#scan")
            if not page.locator("[data-line]").count():
                till.scan("MILK1", "CHEDD", "2*SCONE", "0.642*APPLE", "FLAT")
                till.press("F6", "#discount")
                page.fill("#discount", "10%")
                page.fill("#reason", "Loyal customer")
                till.press("Enter", ".line__extra")
            till.shoot("till-offline-dark" if dark else "till-offline")
            if dark:
                till.press("F9", "#amount")
                till.shoot("till-pay-dark")
                till.press("Escape", ".shelf")
    for name, width, height in (("till-tablet", 1024, 768), ("till-tablet-upright", 800, 1280)):
        with page_of(browser, url, touch=True) as page:
            page.set_viewport_size({"width": width, "height": height})
            till = Till(page, camera)
            till.sign_in(CASHIER)
            till.see("#start")
            till.press("Enter", "#scan")
            till.shoot(name)
            till.click(".pay", "#amount")
            till.shoot(f"{name}-pay")
            till.press("Escape", ".shelf")
