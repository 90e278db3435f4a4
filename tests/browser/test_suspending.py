"""Suspending, recalling and finding again, by keyboard and offline too (PO4)."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from holdfast.demo.chain import Chain
from tests.browser.till_page import CHEDDAR, CRISPS, MANAGER, MILK, TillPage


@pytest.fixture
def till(browser: Browser, cut_chain: Chain) -> Iterator[TillPage]:
    """Register R01, offline: an outage that began before needs no press in between."""
    with TillPage.open(browser, cut_chain.registers["R01"].url) as page:
        page.begin()
        yield page


def suspend(till: TillPage, note: str) -> None:
    """By keyboard."""
    till.page.keyboard.press("F3")
    till.dialog.wait_for()
    till.type(note)
    till.page.keyboard.press("Enter")
    expect(till.lines).to_have_count(0)


def test_two_customers_wait_through_a_restart_and_the_day_waits_for_them(
    till: TillPage, cut_chain: Chain
) -> None:
    """PO4: nothing is lost, nothing is forgotten, and only a manager gives one up."""
    till.scan(MILK, "Milk")
    till.scan(CHEDDAR, "cheddar")
    suspend(till, "blue coat")
    till.scan(CRISPS, "crisps")
    suspend(till, "red hat")
    place = cut_chain.registers["R01"]
    place.kill()
    place.start()
    place.wait_ready()
    till.page.goto(till.url)
    till.sign_in()
    expect(till.page.locator("#ticket")).to_contain_text("Recall (2)")
    till.page.keyboard.press("F3")
    rows = till.page.locator(".waiting__row")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("blue coat")
    expect(rows.first).to_contain_text("€5.55")
    assert not till.violations()
    assert not till.small_targets()
    expect(rows.first.locator("button:has-text('Recall')")).to_be_focused()
    till.page.keyboard.press("Enter")
    expect(till.lines).to_have_count(2)
    till.pay_exact()
    till.press("F9", ".shelf")

    till.ask_to_close_day()
    expect(till.page.locator("#notice")).to_contain_text("1 transaction is still suspended")
    till.page.keyboard.press("F3")
    rows.first.locator("button:has-text('Void')").click()
    till.dialog.locator("[data-value='Nobody came back']").click()
    till.dialog.locator("[data-deliberate]").click()
    expect(till.dialog.locator("#manager")).to_be_focused()
    till.type(MANAGER[0])
    till.page.keyboard.press("Tab")
    till.type(MANAGER[1])
    till.page.keyboard.press("Enter")
    expect(till.page.locator("#notice")).to_contain_text("The transaction was voided")
    expect(rows).to_have_count(0)
    till.page.keyboard.press("Escape")
    till.page.wait_for_selector(".shelf")


def test_a_document_is_found_by_its_number_its_amount_and_its_product(till: TillPage) -> None:
    """PO4: the journal on screen."""
    till.scan("3*" + CRISPS, "crisps")
    till.scan(CHEDDAR, "cheddar")
    number = till.pay_exact()
    till.press("F10", "#seek")
    assert not till.violations()
    assert not till.small_targets()
    found = till.page.locator(".document__number")
    for text in (number, "8.15", "ched"):
        till.page.fill("#seek", text)
        till.page.locator("#seek").press("Enter")
        expect(till.page.locator(".work__title")).to_have_text("Documents found")
        expect(till.page.locator(f"#seek[value='{text}']")).to_have_count(1)  # as answered, not as typed
        expect(found.first).to_have_text(number)
    till.page.fill("#seek", "no such product")
    till.page.locator("#seek").press("Enter")
    expect(till.page.locator("#work")).to_contain_text("No document of this register fits")
    till.page.fill("#seek", number)
    till.page.locator("#seek").press("Enter")
    expect(found).to_have_count(1)
    found.first.click()
    till.page.wait_for_selector(".paper")
    expect(till.page.locator(".paper")).to_contain_text(number)
