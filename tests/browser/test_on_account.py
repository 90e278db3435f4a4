"""On account in a browser: sold within a limit, paid by cash, refused without a line (OA1), and allowed
within an allowance (OA2)."""

import contextlib
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from holdfast.core.central.sentences import balance_later
from holdfast.demo.chain import Chain
from holdfast.demo.line import LineMode
from holdfast.demo.shop import taken
from tests.browser.central import Books, beside, choose, set_parameters
from tests.browser.head_office_page import HeadOfficePage
from tests.browser.till_page import CHEDDAR, MILK, TillPage

REGISTER = "R02"
NUMBER, NAME = "C-1003", "Chloé Dubois"
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
        choose(till, "Bea Ledger")
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
        choose(till, "Bea Ledger")
        till.scan(MILK, "Milk")
        chain.switch(REGISTER, LineMode.CUT)
        till.warning.wait_for()
        till.go_on()
        till.press("F9", "#amount")
        page.click("button:has-text('On account')")
        expect(notice).to_have_text(OA1)
        till.press("Escape", ".shelf")
        till.press("F11", "#who")
        page.click("button:has-text('Payment on account')")
        expect(notice).to_have_text(OA1)
        till.pay_exact()


@pytest.fixture
def allowed(chain: Chain) -> Iterator[None]:
    """Head office lets the register sell two euros on account offline, until the test is over."""
    set_parameters(chain, REGISTER, offline__on_account=True, allowance__on_account=2)
    yield
    chain.switch(REGISTER, LineMode.UP)
    set_parameters(chain, REGISTER, offline__on_account=None, allowance__on_account=None)


@pytest.mark.usefixtures("allowed")
def test_on_account_offline_within_an_allowance(browser: Browser, chain: Chain) -> None:
    """OA2: as much as is left of it, for a customer who is known here; beyond it OA1's sentence."""
    with beside(chain) as office:
        taken(office.credit.set_limit(NUMBER, 50_00, "EUR", by="test", reason="Contract"))
    with TillPage.open(browser, chain.registers[REGISTER].url) as till:
        page, later = till.page, balance_later("customer account")
        till.begin()

        def sell(code: str, name: str) -> None:
            choose(till, NAME)
            till.scan(code, name)
            till.press("F9", "#amount")
            page.click("button:has-text('On account')")

        sell(MILK, "Milk")
        expect(page.locator("#balances")).to_have_text("Customer account: €1.45 is owed now")
        till.press("F9", ".shelf")
        page.click("summary")
        page.click(".menu__items >> text=Status")
        expect(page.locator("#overview")).to_contain_text("Customer account€2.00 of €2.00")
        till.press("Escape", ".shelf")
        chain.switch(REGISTER, LineMode.CUT)
        till.expect_status("Offline since")
        sell(MILK, "Milk")
        for place in ("#balances", ".paper"):
            expect(page.locator(place)).to_contain_text(later)
        assert not till.violations()
        till.press("F9", ".shelf")
        sell(CHEDDAR, "cheddar")
        expect(page.locator(".payment__given")).to_contain_text("€0.55")
        till.pay_exact()
        expect(page.locator("#balances")).to_contain_text(later)
        till.press("F9", ".shelf")
        sell(MILK, "Milk")
        expect(page.locator("#notice")).to_have_text(OA1)
        till.pay_exact()
        till.press("F9", ".shelf")
        chain.switch(REGISTER, LineMode.UP)
        till.expect_status("Online", "Nothing owed")
    with contextlib.closing(Books(chain)) as books:
        assert books.movements(NUMBER) == [("charge", -145), ("charge", -145), ("charge", -55)]
