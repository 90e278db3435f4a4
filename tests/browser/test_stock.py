"""Stock in a browser: counted, on hand, an estimate offline, a store set to zero, the proof (ST1 to ST4)."""

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from holdfast.demo.chain import Chain
from holdfast.demo.line import LineMode
from tests.browser.head_office_page import HeadOfficePage
from tests.browser.till_page import CLOCK, CRISPS, MANAGER, MILK, WAIT_MS, TillPage

ONLY_ONLINE = "Checking quantity on hand needs a real-time connection."
LOOK_MS = 500
SILENT_MS = 6 * 60_000
"""So long a register says nothing, and head office no longer knows that it has everything."""


def open_stock(till: TillPage) -> None:
    till.page.click("summary")
    till.page.click(".menu__items >> text=Stock")
    expect(till.page.locator("#stock-text")).to_be_focused()


def look_up(till: TillPage) -> None:
    """By keyboard, as a scanner does it."""
    open_stock(till)
    till.type(CRISPS)
    till.page.keyboard.press("Enter")
    expect(till.page.locator("#work h2")).to_contain_text("Quantity on hand")


def approve(till: TillPage) -> None:
    """By a manager's number and PIN."""
    till.page.fill("#dialog [name=manager]", MANAGER[0])
    till.page.fill("#dialog [name=manager_pin]", MANAGER[1])
    till.page.keyboard.press("Enter")


def until(page: Page, sight: Locator, text: str) -> None:
    """Head office's page, loaded anew until it says so."""
    for _ in range(WAIT_MS // LOOK_MS):
        if sight.count() and text in (sight.first.text_content() or ""):
            return
        page.wait_for_timeout(LOOK_MS)
        page.reload()
    expect(sight.first).to_contain_text(text)


def violations(page: Page) -> list[str]:
    return [each["id"] for each in Axe().run(page).response["violations"]]


def test_counted_online_estimated_offline_set_to_zero_and_proved(
    till: TillPage, chain: Chain, head_office: HeadOfficePage
) -> None:
    page, work = till.page, till.page.locator("#work")

    # Counted blind, by a cashier with a manager's word.
    open_stock(till)
    page.click("text=Count stock")
    expect(page.locator("#stock-scan")).to_be_focused()
    till.type(f"7*{CRISPS}")
    page.keyboard.press("Enter")
    expect(page.locator(".stock-list__quantity")).to_have_value("7")
    expect(work).not_to_contain_text("Expected")
    assert not till.violations()
    assert not till.small_targets()
    page.click("text=Conclude the count")
    expect(till.dialog).to_contain_text("“Count stock” needs a manager")
    approve(till)
    expect(page.locator("#notice")).to_contain_text("Counted as R01-")

    # Adjusted, likewise: two were found.
    open_stock(till)
    page.click("text=Adjust stock")
    expect(page.locator("#stock-scan")).to_be_focused()
    till.type(f"2*{CRISPS}")
    page.keyboard.press("Enter")
    expect(page.locator(".stock-list__quantity")).to_have_value("2")
    page.click("label:has-text('Adds to the shelf')")
    page.fill("#reason", "Found behind the shelf")
    page.click("#stock-conclude .button--primary")
    expect(till.dialog).to_contain_text("“Adjust stock” needs a manager")
    approve(till)
    expect(page.locator("#notice")).to_contain_text("Adjusted as R01-")

    # On hand by store, as head office has it; then one is sold, and milk that nobody counted.
    for _ in range(WAIT_MS // LOOK_MS):
        look_up(till)
        expect(page.locator("#stock-stores table, #stock-stores .notice")).to_be_visible()
        if page.locator("#stock-stores td strong").first.text_content() == "9":
            break
        page.wait_for_timeout(LOOK_MS)
    expect(page.locator("#stock-stores td strong").first).to_have_text("9")
    expect(page.locator("#stock-stores tbody th").first).to_contain_text("(this store)")
    assert not till.violations()
    assert not till.small_targets()
    till.press("Escape", "#stock-text")
    till.press("Escape", ".shelf")
    till.scan(CRISPS, "crisps")
    page.keyboard.press("F2")
    till.dialog.locator("text=On hand").click()
    expect(page.locator("#stock-estimate")).to_have_text(re.compile(rf"About 9, as of {CLOCK}"))
    till.press("Escape", "#stock-text")
    till.press("Escape", ".shelf")
    till.scan(MILK, "Milk")
    first = till.pay_exact()
    till.press("F9", ".shelf")
    head_office.wait_stored(first)

    # The line drops: the sentence, and an estimate that follows this till.
    chain.switch("R01", LineMode.CUT)
    till.expect_status("Offline")
    look_up(till)
    expect(page.locator("#stock-away")).to_have_text(ONLY_ONLINE)
    expect(page.locator("#stock-estimate")).to_have_text(re.compile(rf"About 8, as of {CLOCK}"))
    assert not till.violations()
    till.press("Escape", "#stock-text")
    till.press("Escape", ".shelf")
    till.scan(CRISPS, "crisps")
    late = till.pay_exact()
    till.press("F9", ".shelf")
    look_up(till)
    expect(page.locator("#stock-estimate")).to_have_text(re.compile(rf"About 7, as of {CLOCK}"))

    # Head office sets the store to zero; the sale from before comes afterwards, and leaves zero.
    office, url = head_office.page, chain.head_office.url
    office.goto(f"{url}/stock?text=crisps")
    row = office.locator("#levels tbody tr").first
    expect(row.locator(".num").first).to_have_text("8")
    assert not violations(office)
    office.click("text=Set Harbour to zero")
    expect(office.locator("h1")).to_have_text("Set the stock of Harbour Street to zero?")
    head_office.heard_last("R01", SILENT_MS)
    until(office, office.locator("section[aria-labelledby=owing] tbody"), "R01")
    for name, above in (("Above zero", "taken off"), ("Below zero", "added")):
        expect(office.locator(f".tile:has-text('{name}')")).to_contain_text(re.compile(rf"[1-9]\d* {above}"))
    what_goes = office.locator("section[aria-labelledby=largest] tbody")
    expect(what_goes.locator("tr:has-text('CRISP')")).to_contain_text("8")
    expect(what_goes.locator("tr:has-text('MILK1')")).to_contain_text(re.compile("[-−]"))
    assert not violations(office)
    office.fill("#reason", "Moved out")
    office.fill("#typed", "Harbour")
    office.keyboard.press("Enter")
    expect(office.locator("#done")).to_contain_text("Harbour Street was set to zero")
    chain.switch("R01", LineMode.UP)
    head_office.wait_stored(late)
    office.goto(f"{url}/stock/Harbour/zero")
    expect(office.locator("#confirm ~ .empty, .empty").first).to_contain_text("at zero")
    office.goto(f"{url}/stock?text=crisps")
    office.locator("#levels a.row-link").first.click()
    expect(office.locator(".tile__value").first).to_have_text("0")
    expect(office.locator("table").last).to_contain_text("which is dated before and came on")
    expect(office.locator("table").last).to_contain_text(late)
    assert not violations(office)

    # Registers, store and head office agree.
    office.goto(f"{url}/stock/Harbour/reconciliation")
    until(office, office.locator("#proof"), "agree")
    until(office, office.locator("tr:has-text('R01')"), "Agrees")
    expect(office.locator("#main")).to_contain_text("figure is the sum of its movements")
    assert not violations(office)
