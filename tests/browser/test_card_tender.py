"""A card on a standalone terminal, by keyboard and with the line cut: taken, and refunded (CP17, PO3)."""

import pytest
from playwright.sync_api import Browser, expect

from holdfast.demo.chain import Chain
from tests.browser.test_foreign_cash import choose
from tests.browser.test_till_accessible import look
from tests.browser.till_page import CRISPS, MILK, TillPage


@pytest.fixture
def chain(cut_chain: Chain) -> Chain:
    """In place of the one that mends the lines before each test."""
    return cut_chain


def test_cash_and_a_card_pay_and_the_card_gets_its_part_back(browser: Browser, chain: Chain) -> None:
    """PO2, PO3: a split sale, offline; of what comes back the card gets its part, and cash is the rest."""
    with TillPage.open(browser, chain.registers["R01"].url) as till:
        till.begin()
        page = till.page
        till.scan(MILK, "Milk")
        till.scan(CRISPS, "crisps")
        total = till.total.inner_text()
        till.pay("1")
        expect(page.locator(".payment__given")).to_contain_text("€1.00")
        choose(till, "Card")
        expect(page.locator("#reference")).to_be_focused()
        left = page.input_value("#amount")
        look(till, "card")
        till.type("4111 1111 1111 1111\r")
        expect(page.locator("#notice")).to_contain_text("those are never kept")
        page.fill("#reference", "")
        till.type("4711\r")
        number = page.locator("#number")
        expect(number).to_be_visible()
        expect(page.locator(".paper")).to_contain_text("Card, slip 4711")
        sold = till.number()
        till.press("F10", ".document")
        page.locator(f".document:has-text('{sold}')").focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("input[name=line]")
        for box in page.locator("input[name=line]").all():
            box.check()
        page.click("text=Bring back")
        expect(till.total).to_contain_text(total.removeprefix("€"))
        till.press("F9", "#reference")
        expect(page.locator("#work")).to_contain_text(f"Refund €{left} to the card")
        look(till, "refund to the card")
        till.type("4712\r")
        expect(page.locator("#due")).to_have_text("€1.00")
        page.keyboard.press("Enter")
        expect(page.locator("#change")).to_have_text("€1.00")
        expect(page.locator(".paper")).to_contain_text("Refunded to card, slip 4712")
