"""On account in a browser: sold within a limit, paid by cash, refused without a line (OA1)."""

import re

from playwright.sync_api import Browser, expect

from holdfast.demo.chain import Chain
from holdfast.demo.line import LineMode
from tests.browser.head_office_page import HeadOfficePage
from tests.browser.till_page import MILK, TillPage

REGISTER = "R02"
OA1 = (
    "On-account tenders and payments need a real-time connection. "
    "Wait until it returns, or take another tender."
)


def test_on_account_is_sold_paid_and_refused_offline(
    browser: Browser, chain: Chain, head_office: HeadOfficePage
) -> None:
    with TillPage.open(browser, chain.registers[REGISTER].url) as till:
        page, notice = till.page, till.page.locator("#notice")
        till.begin()
        till.press("F11", "#who")
        page.click("button:has-text('Create a customer')")
        page.fill("#customer-name", "Bea Ledger")
        page.keyboard.press("Enter")
        expect(notice).to_contain_text("is the customer of this sale")
        number = str(page.locator(".ticket__customer").get_attribute("hx-get")).rpartition("=")[2]
        office = head_office.page
        while office.goto(f"{chain.head_office.url}/customers/{number}").status == 404:  # type: ignore[union-attr]
            office.wait_for_timeout(200)
        office.fill("#limit", "50")
        office.fill("#limit-reason", "Contract")
        office.click("button:has-text('Set the limit')")
        expect(office.locator("section[aria-labelledby=credit]")).to_contain_text("Left")

        till.scan(MILK, "Milk")
        till.press("F9", "#amount")
        assert not till.violations()
        assert not till.small_targets()
        page.click("button:has-text('On account')")
        page.wait_for_selector("#number")
        expect(page.locator("#ticket")).to_contain_text("On account")
        expect(page.locator("#balances")).to_have_text(re.compile(r"Customer account: €1\.\d\d is owed now"))
        head_office.wait_stored(till.number())
        till.press("F9", ".shelf")
        till.press("F11", "#who")
        page.fill("#who", "Bea Ledger")
        page.keyboard.press("Enter")
        expect(page.locator(".customer .button--primary")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#ticket-head")).to_contain_text("Bea Ledger")
        till.press("F11", "#who")
        page.click("button:has-text('Payment on account')")
        expect(till.dialog).to_contain_text("Owed now: €1.")
        assert not till.violations()
        till.type("1")
        page.keyboard.press("Enter")
        expect(till.lines).to_contain_text("Payment on customer account")
        head_office.wait_stored(till.pay_exact())
        office.goto(f"{chain.head_office.url}/cards/on_account/{number}")
        expect(office.locator("section[aria-labelledby=movements]")).to_contain_text("Paid")

        till.press("F9", ".shelf")
        till.press("F11", "#who")
        page.fill("#who", "Bea Ledger")
        page.keyboard.press("Enter")
        expect(page.locator(".customer .button--primary")).to_be_focused()
        page.keyboard.press("Enter")
        till.scan(MILK, "Milk")
        chain.switch(REGISTER, LineMode.CUT)
        till.warning.wait_for()
        till.go_on()
        till.press("F9", "#amount")
        page.click("button:has-text('On account')")
        expect(notice).to_have_text(OA1)
        till.pay_exact()
