"""A till that answers late: no key and no touch is lost, and each means what its cashier meant (PO1, PO2).

Answers are held back by hand, so that people are faster than the till on any machine.
"""

import pytest
from playwright.sync_api import expect

from holdfast.demo.chain import Chain
from tests.browser.late_answers import held_back
from tests.browser.till_page import CHEDDAR, CRISPS, MILK, TillPage

_FIRST_ENTER = """
new MutationObserver((_, watch) => {
    const scan = document.getElementById("scan");
    if (!scan) return;
    watch.disconnect();
    const enter = new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true });
    window.firstEnterIsTheTills = !scan.dispatchEvent(enter);
}).observe(document, { childList: true, subtree: true });
"""


@pytest.fixture
def chain(cut_chain: Chain) -> Chain:
    """In place of the one that mends the lines before each test: no warning takes a key here."""
    return cut_chain


def test_no_enter_comes_before_the_scripts(till: TillPage) -> None:
    """It would send the form to nowhere, and the scan with it."""
    till.page.add_init_script(_FIRST_ENTER)
    till.page.reload()
    assert till.page.evaluate("window.firstEnterIsTheTills") is True
    till.scan(MILK, "Milk")
    till.void()


def test_who_pays_right_after_the_scan_pays_for_it(till: TillPage) -> None:
    till.scan(MILK, "Milk")
    with held_back(till.page, "/scan"):
        till.send_code(CHEDDAR)
        till.page.keyboard.press("F9")
    expect(till.page.locator("#due")).to_have_text("€5.55")
    till.page.keyboard.press("Escape")
    till.void()


def test_an_amount_typed_ahead_is_the_amount(till: TillPage) -> None:
    till.scan(MILK, "Milk")
    with held_back(till.page, "/pay"):
        till.page.keyboard.press("F9")
        till.type("25")
        till.page.keyboard.press("Backspace")
        till.type("0\r")
    assert till.change() == "€18.55"
    expect(till.page.locator("#scan")).to_have_value("")


def test_keys_wait_in_order_and_none_is_lost(till: TillPage) -> None:
    """A line voided between scans, a quantity, and a product scanned while its question is on its way."""
    with held_back(till.page, "/scan"):
        till.send_code(MILK)
        till.page.keyboard.press("F8")
        till.send_code(CHEDDAR)
        till.send_code(CRISPS)
        till.page.keyboard.press("F2")
        till.type("3\r")
    expect(till.lines).to_have_count(2)
    expect(till.lines.nth(0)).to_contain_text("cheddar")
    expect(till.lines.nth(1)).to_contain_text("€4.05")
    with held_back(till.page, "/ask/**"):
        till.page.keyboard.press("F4")
        till.send_code(MILK)
    expect(till.lines).to_have_count(3)
    expect(till.lines.nth(2)).to_contain_text("Milk")
    with held_back(till.page, "/ask/**"):
        till.page.keyboard.press("F7")
        till.type("not said")
        till.page.keyboard.press("Tab")  # to *Cancel*
        till.page.keyboard.press("Enter")
        till.send_code(MILK)
    expect(till.lines).to_have_count(4)
    expect(till.page.locator("#lines")).not_to_contain_text("not said")
    till.void()


def test_touches_wait_their_turn(till: TillPage) -> None:
    """The same tile twice; and a line is voided that was chosen, not the one that came meanwhile."""
    croissant = till.page.locator(".tile-button:has-text('Croissant')").first
    with held_back(till.page, "/add"):
        croissant.click()
        croissant.click()
    expect(till.lines.first).to_contain_text("2")
    till.void()
    till.scan(MILK, "Milk")
    with held_back(till.page, "/scan"):
        till.send_code(CHEDDAR)
        till.page.click("[data-line-action=void]")
    expect(till.lines).to_contain_text(["cheddar"])
    till.void()
