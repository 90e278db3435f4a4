"""Paying with another country's notes, and cash in parts that outlives a crash (PO2)."""

from collections.abc import Iterator
from typing import cast

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from holdfast.demo.chain import Chain
from holdfast.demo.line import LineMode
from tests.browser.head_office_page import HeadOfficePage
from tests.browser.till_page import CHEDDAR, CRISPS, MILK, TillPage


@pytest.fixture
def chain(cut_chain: Chain) -> Chain:
    """In place of the one that mends the lines before each test; the last test mends them."""
    return cut_chain


@pytest.fixture
def second_till(browser: Browser, chain: Chain) -> Iterator[TillPage]:
    """Register R02."""
    with TillPage.open(browser, chain.registers["R02"].url) as page:
        page.begin()
        yield page


def choose(till: TillPage, currency: str) -> None:
    """By F3, which goes from one currency to the next."""
    for _ in range(4):
        pressed = till.page.locator(".currency[aria-pressed=true]")
        if pressed.inner_text().startswith(currency):
            return
        now = pressed.inner_text()[:3]
        till.page.keyboard.press("F3")
        expect(pressed).not_to_contain_text(now)
    raise AssertionError(f"{currency} is not offered")


def test_pounds_and_euro_in_parts_and_what_cannot_be_taken(till: TillPage) -> None:
    """PO2: a note that is not taken is refused, and what is still due is said in either currency."""
    till.scan(CHEDDAR, "cheddar")
    till.page.keyboard.press("F9")
    till.page.wait_for_selector("#amount")
    choose(till, "GBP")
    expect(till.page.locator("#foreign-due")).to_have_text("£4.00")
    till.pay("2.50")
    expect(till.page.locator("#notice")).to_contain_text("The smallest note or coin taken here is GBP 1.00")
    expect(till.page.locator("#foreign-due")).to_be_visible()
    till.pay("2")
    expect(till.page.locator("#due")).to_have_text("€1.80")
    expect(till.page.locator(".payment__given")).to_contain_text("£2.00 at 1.1524")
    expect(till.page.locator(".payment__given")).to_contain_text("€2.30")
    till.type("5")
    till.page.keyboard.press("Enter")
    assert till.change() == "€3.20"


def test_much_change_for_foreign_notes_needs_a_manager(till: TillPage) -> None:
    """PO2: a nought too many is asked about before it goes out as home cash."""
    till.scan(CHEDDAR, "cheddar")
    till.page.keyboard.press("F9")
    till.page.wait_for_selector("#amount")
    choose(till, "GBP")
    till.pay("500")
    expect(till.dialog).to_contain_text("Change of over EUR 200.00 for foreign cash needs a manager")
    till.page.fill("#manager", "9")
    till.page.fill("#manager-pin", "1")
    till.page.keyboard.press("Enter")
    expect(till.dialog).to_contain_text("Staff number and PIN do not belong together")
    till.page.fill("#manager", "9")
    till.page.fill("#manager-pin", "9999")
    till.page.keyboard.press("Enter")
    till.page.wait_for_selector("#change")
    assert till.change() == "€572.10"


@pytest.mark.parametrize(("dark", "size"), [(False, (1280, 800)), (True, (1280, 800)), (False, (1920, 1080))])
def test_the_payment_is_accessible_and_fits_in_any_currency(
    browser: Browser, chain: Chain, dark: bool, size: tuple[int, int]
) -> None:
    """With parts given too: nothing that axe finds, no small target, and no need to scroll."""
    viewport = cast("ViewportSize", {"width": size[0], "height": size[1]})
    with TillPage.open(browser, chain.registers["R01"].url, viewport=viewport, dark=dark) as till:

        def look(screen: str) -> None:
            assert not till.violations(), screen
            assert not till.small_targets(), screen
            height, shown = till.page.locator("#work").evaluate(
                "work => [work.scrollHeight, work.clientHeight]"
            )
            assert height <= shown, f"{screen} is higher than the screen"

        till.begin()
        till.scan(CHEDDAR, "cheddar")
        till.page.keyboard.press("F9")
        till.page.wait_for_selector("#amount")
        look("home cash")
        choose(till, "USD")
        look("foreign cash")
        till.pay("2")
        expect(till.page.locator("#due")).to_have_text("€2.27")
        choose(till, "GBP")
        look("foreign cash in parts")
        till.page.keyboard.press("Escape")
        till.page.click("text=Void all")
        till.dialog.wait_for()
        look("what is to be given back")
        till.page.click("text=Void transaction")
        expect(till.lines).to_have_count(0)


def test_touch_takes_the_least_that_is_due_in_dollars(till: TillPage) -> None:
    till.scan(MILK, "Milk")
    till.page.click(".pay")
    till.page.click(".currency:has-text('USD')")
    expect(till.page.locator(".quick").first).to_have_text("US$5.00")
    till.page.click("button:has-text('At least US$2.00')")
    assert till.change() == "€0.38"


def test_what_was_given_in_parts_is_still_there_after_kill_9(
    browser: Browser, chain: Chain, second_till: TillPage
) -> None:
    """PO2, P1: the till program dies between two parts; voiding says what to give back."""
    place = chain.registers["R02"]
    second_till.scan(CHEDDAR, "cheddar")
    second_till.pay("2")
    expect(second_till.page.locator("#due")).to_have_text("€2.10")
    choose(second_till, "USD")
    second_till.pay("1")
    expect(second_till.page.locator("#due")).to_have_text("€1.18")
    place.kill()
    place.start()
    place.wait_ready()
    with TillPage.open(browser, place.url) as till:
        till.sign_in()
        expect(till.lines).to_have_count(1)
        expect(till.page.locator("#due")).to_have_text("€1.18")
        expect(till.page.locator(".payment__given")).to_contain_text("€2.00")
        expect(till.page.locator(".payment__given")).to_contain_text("US$1.00 at 0.915")
        till.page.keyboard.press("Escape")
        till.page.click("text=Void all")
        expect(till.dialog).to_contain_text("Give back to the customer: €2.00, US$1.00")
        till.page.click("text=Void transaction")
        expect(till.page.locator("#notice")).to_contain_text("Give back to the customer: €2.00, US$1.00")
        expect(till.lines).to_have_count(0)


def test_what_comes_back_is_paid_out_in_home_cash(till: TillPage) -> None:
    """PO3: whatever it was paid with."""
    till.scan(CRISPS, "crisps")
    till.page.keyboard.press("F9")
    till.page.wait_for_selector("#amount")
    choose(till, "USD")
    till.page.keyboard.press("F9")
    number = till.number()
    till.page.keyboard.press("F9")
    till.send_code(number)
    till.page.locator("[name=line]").first.check()
    till.page.click("text=Bring back")
    expect(till.lines).to_have_count(1)
    till.page.keyboard.press("F9")
    expect(till.page.locator("button:has-text('Pay out €1.35 in cash')")).to_be_focused()
    expect(till.page.locator(".currency")).to_have_count(0)
    till.page.keyboard.press("Enter")
    assert till.change() == "€1.35"


def test_dollars_are_taken_by_keyboard_with_the_line_cut(
    till: TillPage, chain: Chain, head_office: HeadOfficePage
) -> None:
    """PO2: due in dollars rounded up, valued at the rate, change in euro, and all of it at head office."""
    chain.switch("R01", LineMode.CUT)
    till.expect_status("Offline")
    till.scan(CHEDDAR, "cheddar")
    till.scan(CRISPS, "crisps")
    till.page.keyboard.press("F9")
    till.page.wait_for_selector("#amount")
    choose(till, "USD")
    expect(till.page.locator("#due")).to_have_text("€5.45")
    expect(till.page.locator("#foreign-due")).to_have_text("US$6.00")
    expect(till.page.locator(".payment__foreign")).to_contain_text("at 0.915 since Wed 1 Jan 2025")
    till.pay("10")
    assert till.change() == "€3.70"
    number = till.number()
    for text in ("US$10.00 at 0.915", "€9.15", "Change", "€3.70", "€5.45"):
        expect(till.page.locator(".paper")).to_contain_text(text)
    chain.switch("R01", LineMode.UP)
    till.expect_status("Online", "Nothing owed")
    head_office.page.goto(f"{chain.head_office.url}/sales?number={number}")
    head_office.page.get_by_role("link", name=number, exact=True).click()
    tenders = head_office.page.locator("section[aria-labelledby=tenders]")
    for text in ("Foreign cash", "10.00 USD at 0.915", "9.15 EUR", "Change"):
        expect(tenders).to_contain_text(text)
