"""The pictures of stock: at a till in a manager's hands, then at head office."""

from playwright.sync_api import Browser, Page

from holdfast.core.refusals import Refusal
from holdfast.demo.chain import Chain
from holdfast.hq.cli_parts import services_of
from holdfast.hq.enrolment import Store
from scripts.screenshots.camera import Camera
from scripts.screenshots.driver import MANAGER, Till, page_of

STATION = "STATION"
LOOKS_MAX = 120


def photograph_stock(till: Till) -> None:
    """Looked up, counted and sent; whoever is signed in may do it."""
    till.menu("Stock", "#stock-text")
    till.page.fill("#stock-text", "milk")
    till.press("Enter", ".customer")
    till.shoot("till-stock")
    till.click(".customer .button--primary", "#stock-stores table")
    till.shoot("till-stock-of")
    till.menu("Stock", "#stock-text")
    till.click("text=Count stock", "#stock-scan")
    for number, code in enumerate(("24*MILK1", "12*BREAD", "7*CHEDD"), 1):
        _scan(till, code, number)
    till.shoot("till-stock-count")
    till.click("text=Conclude the count", "#stock-text")
    till.click("text=Send to a store", "#stock-scan")
    for _ in range(LOOKS_MAX):  # until head office has told of the other store
        if till.page.locator(f"option[value={STATION}]").count():
            break
        till.page.wait_for_timeout(500)
        till.press("Escape", "#stock-text")
        till.click("text=Send to a store", "#stock-scan")
    _scan(till, "6*MILK1", 1)
    till.page.fill("#other", STATION)
    till.shoot("till-stock-send")
    till.click(".button--primary:has-text('Send')", "#stock-text")
    till.press("Escape", ".grid__tabs")


def _scan(till: Till, code: str, lines: int) -> None:
    till.page.fill("#stock-scan", code)
    till.page.keyboard.press("Enter")
    till.page.locator(".stock-list tbody tr").nth(lines - 1).wait_for()


def photograph_stock_pages(page: Page, chain: Chain, camera: Camera) -> None:
    """Each page of stock, for whoever is signed in."""
    url = chain.head_office.url
    with services_of(chain.head_office.home) as services:
        [store, *_] = [each.store for each in services.head_office.fleet.registers()]
    for path, name in (
        (f"/stock?store={store}", "hq-stock"),
        (f"/stock/{store}/product/MILK1", "hq-stock-product"),
        (f"/stock/{store}/zero", "hq-stock-zero"),
        (f"/stock/{store}/reconciliation", "hq-stock-reconciliation"),
        ("/stock/transfers", "hq-stock-transfers"),
    ):
        page.goto(url + path)
        page.wait_for_selector("h1")
        camera.take(page, name)
    page.click("text=End what is on its way")
    page.wait_for_selector("#typed")
    camera.take(page, "hq-stock-transfer-end")


def another_store(chain: Chain) -> None:
    """To send goods to."""
    with services_of(chain.head_office.home) as services:
        done = services.head_office.enrolment.put_store(Store(STATION, "Station", "EUR", "Europe/Zurich"))
        assert not isinstance(done, Refusal), done


def photograph_stock_at(browser: Browser, chain: Chain, camera: Camera) -> None:
    """At R01, by a manager."""
    another_store(chain)
    with page_of(browser, chain.registers["R01"].url) as page:
        till = Till(page, camera)
        till.see("#staff, #scan, #date")
        if page.locator("#staff").count():
            till.sign_in(MANAGER)
        if page.locator("#date").count():
            page.fill("#float", "150")
            till.click("button:has-text('Open the day')", "#scan")
        photograph_stock(till)
