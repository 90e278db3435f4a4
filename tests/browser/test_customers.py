"""Customers in a browser, by keyboard, the line cut and back: made, sold to, found and forgotten (PO7)."""

from playwright.sync_api import expect

from holdfast.demo.chain import Chain
from holdfast.demo.line import LineMode
from tests.browser.head_office_page import HeadOfficePage
from tests.browser.till_page import MILK, WAIT_MS, TillPage


def search(till: TillPage, text: str) -> None:
    """By keyboard, from the selling screen."""
    till.press("F11", "#who")
    expect(till.page.locator("#who")).to_be_focused()
    till.type(text)
    till.page.keyboard.press("Enter")


def test_made_offline_sold_to_known_at_head_office_and_forgotten_everywhere(
    till: TillPage, chain: Chain, head_office: HeadOfficePage
) -> None:
    chain.switch("R01", LineMode.CUT)
    page = till.page
    search(till, "Ottilie Farthing")
    expect(page.locator("#work")).to_contain_text("Nobody is known by")
    page.click("text=Create a customer")
    expect(page.locator("#customer-name")).to_have_value("Ottilie Farthing")
    expect(page.locator("#customer-name")).to_be_focused()
    assert not till.violations()
    assert not till.small_targets()
    page.keyboard.press("Tab")
    till.type("020 7946 0777")
    page.keyboard.press("Enter")
    expect(page.locator("#notice")).to_contain_text("is the customer of this sale")
    expect(page.locator("#ticket-head")).to_contain_text("Ottilie Farthing")

    search(till, "Tilly F")
    page.click("text=Create a customer")
    page.locator("#customer-phone").fill("+44 20 7946 0777")
    page.keyboard.press("Enter")
    expect(page.locator("#work")).to_contain_text("Somebody with this phone number is known here already")
    page.keyboard.press("Enter")  # that one, which has the focus
    expect(page.locator("#notice")).to_contain_text("Ottilie Farthing (R01-C-")
    till.scan(MILK, "Milk")
    till.pay_exact()
    expect(page.locator("#ticket")).to_contain_text("R01-C-")
    till.press("F9", ".shelf")

    chain.switch("R01", LineMode.UP)
    office = head_office.page
    office.goto(f"{chain.head_office.url}/customers?text=0777")
    row = office.locator("#customers a.row-link")
    expect(row).to_have_text("Ottilie Farthing")
    row.click()
    expect(office.locator("h1")).to_have_text("Ottilie Farthing")
    for _ in range(WAIT_MS // 500):  # its sale may come a moment later than its name
        if office.locator("td.num").count():
            break
        office.wait_for_timeout(500)
        office.reload()
    expect(office.locator("td.num")).to_have_count(1)
    number = office.url.rsplit("/", 1)[1]
    search(till, "0777")
    expect(page.locator(".customer")).to_contain_text("Ottilie Farthing")
    expect(page.locator(".customer .button--primary")).to_be_focused()
    assert not till.violations()
    page.keyboard.press("Enter")
    expect(page.locator("#ticket-head")).to_contain_text("Ottilie Farthing")

    office.fill("#reason", "Asked by letter")
    office.fill("#typed", number)
    office.click("text=Forget for good")
    expect(office.locator("h1")).to_have_text("Forgotten customer")
    till.press("F11", "#who")
    for _ in range(WAIT_MS // 500):
        till.page.locator("#who").fill("0777")
        till.page.keyboard.press("Enter")
        page.wait_for_timeout(500)
        if not page.locator(".customer").count():
            break
    expect(page.locator(".customer")).to_have_count(0)
    page.keyboard.press("Escape")
    till.void()
