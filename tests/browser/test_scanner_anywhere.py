"""A scanner, 13 digits in 50 ms, wherever the focus is: no character gets lost or lands elsewhere (PO1)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from holdfast.demo.chain import Chain
from tests.browser.till_page import CHEDDAR, TillPage

SCANNER_GAP_MS = 50 / 13


@pytest.fixture
def chain(cut_chain: Chain) -> Chain:
    """In place of the one that mends the lines before each test: no warning takes a key here."""
    return cut_chain


def on_a_tile(till: TillPage) -> None:
    till.page.locator(".tile-button").nth(3).focus()


def on_a_tab(till: TillPage) -> None:
    till.page.get_by_role("tab", name="Dairy").focus()


def on_a_tab_that_was_touched(till: TillPage) -> None:
    till.page.get_by_role("tab", name="Dairy").click()
    expect(till.page.get_by_role("tab", name="Dairy")).to_have_attribute("aria-selected", "true")


def on_blank_page(till: TillPage) -> None:
    till.page.locator(".totals").click(position={"x": 3, "y": 3})


def on_a_line(till: TillPage) -> None:
    till.lines.first.click()


def in_the_open_menu(till: TillPage) -> None:
    till.page.click("summary")
    till.page.locator(".menu__items button").first.focus()


def in_a_question(till: TillPage) -> None:
    till.page.click("text=Void all")
    till.dialog.locator("button").first.focus()


def in_a_field_of_a_question(till: TillPage) -> None:
    till.page.keyboard.press("F2")
    expect(till.dialog.locator("[name=quantity]")).to_be_focused()


def in_a_choice_of_a_question(till: TillPage) -> None:
    till.page.keyboard.press("F6")
    till.dialog.locator("[type=radio]").first.focus()


def in_the_amount_received(till: TillPage) -> None:
    till.press("F9", "#amount")
    expect(till.page.locator("#amount")).to_be_focused()


def on_a_key_of_the_keypad(till: TillPage) -> None:
    till.press("F9", "#amount")
    till.page.locator(".key").first.focus()


def in_the_search_for_receipts(till: TillPage) -> None:
    till.page.keyboard.press("F10")
    till.page.wait_for_selector(".seek__text input")
    till.page.locator(".seek__text input").focus()


STATES: tuple[Callable[[TillPage], None], ...] = (
    on_a_tile,
    on_a_tab,
    on_a_tab_that_was_touched,
    on_blank_page,
    on_a_line,
    in_the_open_menu,
    in_a_question,
    in_a_field_of_a_question,
    in_a_choice_of_a_question,
    in_the_amount_received,
    on_a_key_of_the_keypad,
    in_the_search_for_receipts,
)


def test_a_scan_is_heard_wherever_the_focus_is(till: TillPage) -> None:
    till.scan("BEANS", "beans")
    beans_minor, cheddar_minor = 115, 410
    for count, put in enumerate(STATES, 1):
        put(till)
        with till.page.expect_request("**/scan") as sent:
            till.keys(CHEDDAR + "\r", SCANNER_GAP_MS)
        assert (sent.value.post_data_json or {}).get("text") == CHEDDAR, put.__name__
        expect(till.lines.last).to_contain_text("cheddar")
        total_minor = beans_minor + count * cheddar_minor
        expect(till.total, put.__name__).to_have_text(f"€{total_minor / 100:.2f}")
        expect(till.page.locator("#scan"), put.__name__).to_have_value("")
        expect(till.dialog, put.__name__).to_have_count(0)
        menu = till.page.locator("details.menu[open] summary")
        if menu.count():
            menu.click()
    till.void()
