"""Shifts, moved cash, blind counts and Z reports on the till's page, by keyboard and by touch, offline (PO5).

The lines are cut all the while (`cut_chain`); at the end head office has the same figures, to the cent.
"""

import re

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from holdfast.demo.chain import Chain
from holdfast.demo.line import LineMode
from tests.browser.head_office_page import HeadOfficePage
from tests.browser.test_till_accessible import look
from tests.browser.till_page import CASHIER, CHEDDAR, MANAGER, MILK, TillPage

MILK_PRICE = "€1.45"


@pytest.fixture
def chain(cut_chain: Chain) -> Chain:
    """In place of the one that mends the lines before each test."""
    return cut_chain


def on_a_fresh_day(till: TillPage, who: tuple[str, str], float_: str = "100") -> None:
    """Signed in, on a day of which nothing was sold yet, with that float; on the selling screen."""
    till.sign_in(MANAGER)
    if not till.page.locator("#date").count():
        if till.page.locator("[data-line]").count():
            till.void()
        till.close_day()
    if who != MANAGER:
        sign_out(till)
        till.sign_in(who)
    till.page.fill("#float", float_)
    till.open_day()


def sign_out(till: TillPage) -> None:
    """Leave the till to the next."""
    if till.page.locator("summary").count():
        till.page.click("summary")
    till.page.click("button:has-text('Sign out')")
    till.arrive("#staff")


def tab_to(till: TillPage, selector: str) -> None:
    """With the Tab key alone."""
    for _ in range(60):
        if till.page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
            return
        till.page.keyboard.press("Tab")
    raise AssertionError(f"{selector} is not reached by Tab")


def test_a_day_from_float_to_z_by_keyboard_alone(browser: Browser, chain: Chain) -> None:
    """Offline: float, sales, a drop, a blind count by coins and notes, over, the day's end, its Z again."""
    with TillPage.open(browser, chain.registers["R02"].url) as till:
        on_a_fresh_day(till, MANAGER)
        keys = till.page.keyboard
        till.expect_status("Offline")
        till.scan(MILK, "Milk")
        till.scan(CHEDDAR, "cheddar")
        total = till.total.inner_text()
        till.pay_exact()
        tab_to(till, "summary")
        keys.press("Enter")
        tab_to(till, "[hx-get='/cash']")
        keys.press("Enter")
        till.page.wait_for_selector(".cash__shift")
        expect(till.page.locator(".cash__now")).to_contain_text("Float €100.00")
        tab_to(till, "[hx-get='/cash/move/drop']")
        keys.press("Enter")
        expect(till.page.locator("#amount")).to_be_focused()
        till.type("50\r")
        expect(till.page.locator("#notice")).to_contain_text("To the safe: €50.00")
        assert total not in till.page.inner_text("#work"), "the drawer's content is not told before the count"
        expect(till.page.locator("[hx-get='/cash/count']")).to_be_focused()
        keys.press("Enter")
        till.page.wait_for_selector(".count")
        assert "€55" not in till.page.inner_text("#work")
        for coins in ("pieces-EUR-5000", "pieces-EUR-500", "pieces-EUR-100"):
            tab_to(till, f"#{coins}")
            till.type("1")
        keys.press("Enter")
        till.page.wait_for_selector(".cash__confirm")
        expect(till.page.locator(".cash__counted strong")).to_have_text("€56.00")
        look(till, "review")
        keys.press("Escape")
        till.page.wait_for_selector(".count")
        expect(till.page.locator("#pieces-EUR-5000")).to_have_value("1")
        tab_to(till, "#pieces-EUR-200")
        till.type("1")
        keys.press("Enter")
        till.page.wait_for_selector(".cash__confirm")
        expect(till.page.locator(".cash__confirm button:has-text('Close the shift')")).to_be_focused()
        keys.press("Enter")
        expect(till.page.locator("#verdict")).to_have_text("Over")
        over = till.page.inner_text("#over-short")
        expect(till.page.locator("[hx-get='/dialog/close-day']").last).to_be_focused()
        keys.press("Enter")
        till.dialog.wait_for()
        tab_to(till, "#dialog form button:not([data-close])")
        keys.press("Enter")
        till.arrive("#date")
        expect(till.page.get_by_role("status").last).to_contain_text(
            re.compile(rf"Z report \d+, total {total}")
        )
        tab_to(till, "[formaction='/cash/z']")
        keys.press("Enter")
        till.arrive(".document")
        tab_to(till, ".document")
        keys.press("Enter")
        till.arrive(".paper")
        paper = till.page.inner_text(".paper")
        assert f"Over, EUR\n{over}" in paper
        assert re.search(r"To the safe \(1\)\s+-€50.00", paper)
        keys.press("Escape")
        till.arrive("#date")


def test_a_cashier_by_touch_a_manager_beside_and_nothing_sold_without_a_shift(
    browser: Browser, chain: Chain
) -> None:
    """Offline: no day closes over a shift; the drawer and the X report want more than a cashier; between
    two shifts the till says how to go on."""
    small: ViewportSize = {"width": 1024, "height": 768}
    with TillPage.open(browser, chain.registers["R02"].url, viewport=small) as till:
        on_a_fresh_day(till, CASHIER, "80")
        till.scan(MILK, "Milk")
        till.menu("Close the day")
        till.dialog.locator("text=Count and close the shift").click()
        till.page.wait_for_selector(".count")
        look(till, "count on the smallest screen")
        till.page.fill("#total-EUR", "80")
        till.page.click("text=Review the count")
        till.page.click("button:has-text('Close the shift')")
        expect(till.page.locator("#notice")).to_contain_text("A transaction is still open")
        till.pay_exact()
        till.menu("Cash")
        till.page.click("text=Open the drawer")
        till.dialog.wait_for()
        till.dialog.locator(".chip >> nth=0").click()
        till.dialog.locator("button:has-text('Open the drawer')").click()
        expect(till.dialog).to_contain_text("Somebody must approve this")
        approve(till)
        expect(till.page.locator("#notice")).to_contain_text("It is on record")
        till.page.click("text=X report")
        approve(till)
        till.page.wait_for_selector(".paper")
        expect(till.page.locator(".paper")).to_contain_text("Drawer opened without a sale")
        sign_out(till)
        till.sign_in(MANAGER)
        till.close_shift("80")
        expect(till.page.locator("#verdict")).to_have_text("Short")
        expect(till.page.locator("#over-short")).to_have_text(MILK_PRICE)
        till.send_code(MILK)
        expect(till.page.locator("#notice")).to_contain_text("No shift is open")
        till.page.goto(till.url)
        expect(till.page.locator(".cash__shift")).to_contain_text("Nothing is sold until a shift is open")
        look(till, "no shift on the smallest screen")
        till.page.click("text=Open a shift")
        expect(till.page.locator("#float")).to_have_value("80.00")
        till.page.click("[data-key=clear]")
        till.page.click("[data-key='7']")
        till.page.click("[data-key='5']")
        till.page.click("button:has-text('Open a shift')")
        expect(till.page.locator("#notice")).to_contain_text("€75.00 in the drawer")
        till.scan(CHEDDAR, "cheddar")
        till.pay_exact()
        till.close_day()


def approve(till: TillPage) -> None:
    """The manager's number and PIN in the question on screen."""
    till.dialog.locator("#manager").fill(MANAGER[0])
    till.dialog.locator("#manager-pin").fill(MANAGER[1])
    till.dialog.locator("button:has-text('Approve')").click()
    expect(till.dialog).to_have_count(0)


def test_every_page_of_cash_is_accessible(browser: Browser, chain: Chain) -> None:
    """In the dark on a large screen; the smallest and the light one are looked at above."""
    large: ViewportSize = {"width": 1920, "height": 1080}
    with TillPage.open(browser, chain.registers["R02"].url, viewport=large, dark=True) as till:
        on_a_fresh_day(till, MANAGER)
        till.menu("Cash")
        look(till, "cash")
        for way, sight in (
            ("To the safe", "#amount"),
            ("Petty expense", "#amount"),
            ("Open the drawer", "dialog[open]"),
        ):
            till.page.click(f"text={way}")
            till.page.wait_for_selector(sight)
            look(till, way)
            till.page.keyboard.press("Escape")
            expect(till.dialog).to_have_count(0)
            till.page.wait_for_selector(".cash__shift")
        till.page.click("text=X report")
        till.page.wait_for_selector(".paper")
        look(till, "x report")
        till.page.keyboard.press("Escape")
        till.page.wait_for_selector(".cash__shift")
        till.page.click("text=Count and close the shift")
        till.page.wait_for_selector(".count")
        look(till, "count")
        till.page.fill("#pieces-EUR-5000", "3")
        till.page.keyboard.press("Enter")
        till.page.wait_for_selector(".cash__confirm")
        look(till, "review")
        till.page.click("button:has-text('Close the shift')")
        till.page.wait_for_selector("#verdict")
        look(till, "over")
        till.page.click("text=Open the next shift")
        till.page.wait_for_selector("#float")
        look(till, "open a shift")
        till.page.keyboard.press("Escape")
        till.page.wait_for_selector(".cash__shift")
        look(till, "no shift")
        till.close_day()
        look(till, "open the day")
        till.page.click("text=Z reports")
        till.arrive(".document")
        look(till, "z reports")
        till.page.click(".document >> nth=0")
        till.arrive(".paper")
        look(till, "z report")


def test_once_the_line_is_back_head_office_finds_every_z_equal(
    browser: Browser, chain: Chain, head_office: HeadOfficePage
) -> None:
    """The last of this module: what was closed offline is held against head office's own totals."""
    with TillPage.open(browser, chain.registers["R02"].url) as till:
        on_a_fresh_day(till, MANAGER)
        till.scan(MILK, "Milk")
        till.pay_exact()
        till.menu("Cash")
        till.page.click("text=Count and close the shift")
        till.page.wait_for_selector(".count")
        till.page.locator("#pieces-EUR-500").focus()
        chain.switch("R02", LineMode.UP)
        till.expect_status("Online")
        till.type("3")
        expect(till.page.locator("#pieces-EUR-500")).to_have_value("3")  # the status line took no focus
        till.close_day()
        till.expect_status("Online", "Nothing owed")
    page = head_office.page
    page.goto(f"{chain.head_office.url}/closings")
    row = page.get_by_role("row", name=re.compile("R02"))
    expect(row).to_contain_text("Equal")
    row.get_by_role("link", name=re.compile(r"^Z \d+$")).last.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Z report")
    expect(page.get_by_text("Every figure is that of head office's own totals")).to_be_visible()
