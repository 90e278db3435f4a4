"""The page Status: what is owed, where the line is broken, how old the data is, and *Sync now* (SW6, SW9)."""

import re

from playwright.sync_api import expect

from holdfast.demo.chain import Chain
from holdfast.demo.line import LineMode
from tests.browser.till_page import MILK, TillPage


def open_status(till: TillPage) -> None:
    till.page.click("summary")
    till.page.click(".menu__items >> text=Status")
    till.page.wait_for_selector("#overview")


def test_the_status_page_tells_what_is_owed_and_sync_now_says_how_it_went(
    till: TillPage, chain: Chain
) -> None:
    till.expect_status("Online", "Nothing owed")
    chain.switch("R01", LineMode.CUT)
    till.expect_status("Offline since")
    till.scan(MILK, "Milk")
    till.pay_exact()
    open_status(till)
    page = till.page.locator("#overview")
    expect(page).to_contain_text(re.compile(r"Owed to head office\s*1\s*Value\s*€1\.45"))
    expect(page).to_contain_text("Head office: its machine answers, but Holdfast does not run there.")
    for feed in ("Products", "Prices", "Taxes", "Staff", "Customers", "Parameters"):
        expect(page.locator(".facts--ages")).to_contain_text(feed)
    expect(page.locator(".past li").first).to_be_visible()
    assert not till.violations()
    assert not till.small_targets()
    till.page.click("button:has-text('Sync now')")
    outcome = till.page.locator("#sync-outcome")
    expect(outcome).to_contain_text("head office was not reached")
    sync_now = till.page.locator("button:has-text('Sync now')")
    sync_now.focus()
    chain.switch("R01", LineMode.UP)
    till.expect_status("Online", "Nothing owed")
    expect(page).to_contain_text(re.compile(r"Owed to head office\s*0"))
    expect(sync_now).to_be_focused()  # what changes by itself takes the focus from nobody
    till.page.keyboard.press("Enter")
    expect(outcome).to_contain_text("head office answered, and has everything")
    expect(page).to_contain_text(re.compile(r"Owed to head office\s*0"))
    till.page.keyboard.press("Escape")
    till.page.wait_for_selector(".shelf")
