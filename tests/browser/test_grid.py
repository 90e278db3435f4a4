"""Quick keys, categories and their pages, by touch and by keyboard; a tablet held either way (PO1).

The lines are cut all the while, so that no warning opens between a key and its Enter (`cut_chain`).
"""

from typing import cast

import pytest
from playwright.sync_api import Browser, Locator, ViewportSize, expect

from holdfast.demo.chain import Chain
from tests.browser.test_till_accessible import look
from tests.browser.till_page import CHEDDAR, CRISPS, MILK, TillPage

TWENTY = ("TEA80", "COFF2", "PASTA", "RICE1", "BEANS", "MARMA", "OATS1", "OLIVE", "WATER", "COLA5", "ORANG",
          "STOUT", "NUTS1", "PAPER", "BATTE", "SOAP1", "TISSU", "CANDL", "YOGUR", "EGGS6")  # fmt: skip


@pytest.fixture
def chain(cut_chain: Chain) -> Chain:
    """In place of the one that mends the lines before each test."""
    return cut_chain


def tab(till: TillPage, name: str) -> Locator:
    return till.page.get_by_role("tab", name=name, exact=True)


def tiles(till: TillPage) -> Locator:
    return till.page.locator("[data-tiles] button")


def test_quick_keys_and_categories_by_touch(till: TillPage) -> None:
    expect(tab(till, "Quick keys")).to_have_attribute("aria-selected", "true")
    expect(tiles(till).first).to_contain_text("Flat white")
    expect(tiles(till).nth(6).locator(".tile-button__name")).to_have_text("Soda bread")  # the key's label
    tiles(till).first.click()
    expect(till.lines.last).to_contain_text("Flat white")
    tab(till, "Bakery").click()
    expect(tab(till, "Bakery")).to_have_attribute("aria-selected", "true")
    tiles(till).filter(has_text="Fruit scone").click()
    expect(till.lines.last).to_contain_text("Fruit scone")
    expect(tab(till, "Bakery")).to_have_attribute("aria-selected", "true")  # and the next one is at hand
    till.scan(MILK, "Milk")
    expect(tab(till, "Bakery")).to_have_attribute("aria-selected", "true")
    till.pay_exact()
    till.page.keyboard.press("Escape")
    expect(tab(till, "Quick keys")).to_have_attribute("aria-selected", "true")  # for the next customer
    till.scan(MILK, "Milk")
    tab(till, "Bakery").click()
    expect(tab(till, "Bakery")).to_have_attribute("aria-selected", "true")
    till.void()
    expect(tab(till, "Quick keys")).to_have_attribute("aria-selected", "true")


def test_the_grid_by_keyboard_alone(till: TillPage) -> None:
    keys = till.page.keyboard
    expect(till.page.locator("#scan")).to_be_focused()
    keys.press("Tab")
    keys.press("Tab")
    expect(tab(till, "Quick keys")).to_be_focused()
    keys.press("ArrowRight")
    keys.press("ArrowRight")
    expect(tab(till, "Dairy")).to_be_focused()
    keys.press("Enter")
    expect(tab(till, "Dairy")).to_have_attribute("aria-selected", "true")
    expect(tab(till, "Dairy")).to_be_focused()  # whoever leafs goes on
    keys.press("ArrowDown")
    expect(tiles(till).nth(0)).to_be_focused()
    keys.press("ArrowRight")
    keys.press("ArrowDown")
    expect(tiles(till).nth(5)).to_be_focused()  # below, in a row of four
    name = tiles(till).nth(5).locator(".tile-button__name").inner_text()
    keys.press("Enter")
    expect(till.lines.last).to_contain_text(name)
    expect(till.page.locator("#scan")).to_be_focused()
    till.void()


def test_of_a_long_basket_only_what_changed_is_answered(till: TillPage) -> None:
    """And it shows the same as a page that is drawn anew."""
    for code in TWENTY:
        before = till.lines.count()
        till.send_code(code)
        expect(till.lines).to_have_count(before + 1)
    with till.page.expect_response("**/scan") as answered:
        till.send_code(CHEDDAR)
    expect(till.lines.last).to_contain_text("cheddar")
    text = answered.value.text()
    assert text.count("data-line=") == 1
    assert "tile-button" not in text
    till.page.keyboard.press("ArrowUp")
    till.page.keyboard.press("F8")  # the eggs go
    expect(till.lines).to_have_count(len(TWENTY))
    till.page.locator("[data-line]").first.click()
    till.page.keyboard.press("F2")
    till.dialog.locator("[name=quantity]").fill("3")
    till.page.keyboard.press("Enter")
    expect(till.lines.first).to_contain_text("€13.50")
    shown, total = till.lines.all_inner_texts(), till.total.inner_text()
    till.page.reload()
    till.arrive("#scan")
    expect(till.total).to_have_text(total)
    assert till.lines.all_inner_texts() == shown
    till.send_code(CRISPS)
    expect(till.lines).to_have_count(len(TWENTY) + 1)
    till.void()


@pytest.mark.parametrize(("size", "dark"), [((1280, 800), True), ((800, 1280), False)])
def test_a_tablet_shows_all_that_selling_needs(
    browser: Browser, chain: Chain, size: tuple[int, int], dark: bool
) -> None:
    """Held either way: targets for a finger, no page wider than the screen, and Pay in sight."""
    viewport = cast("ViewportSize", {"width": size[0], "height": size[1]})
    with TillPage.open(browser, chain.registers["R01"].url, viewport=viewport, dark=dark) as till:
        till.begin()
        look(till, "quick keys")
        tab(till, "Grocery").click()
        expect(tab(till, "Grocery")).to_have_attribute("aria-selected", "true")
        look(till, "a category")
        for code in TWENTY:
            before = till.lines.count()
            till.send_code(code)
            expect(till.lines).to_have_count(before + 1)
        look(till, "a basket of 20 lines")
        expect(till.page.locator(".pay")).to_be_in_viewport(ratio=1)
        expect(till.lines.last).to_be_in_viewport(ratio=0.9)
        till.page.locator(".pay").click()
        till.page.wait_for_selector("#amount")
        look(till, "pay")
        expect(till.page.locator("button:has-text('Take cash')")).to_be_in_viewport(ratio=1)
        till.page.keyboard.press("Escape")
        till.page.wait_for_selector(".ticket__actions")
        till.void()
