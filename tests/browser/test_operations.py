"""What can be done, by whom, online and offline: the page, the second PIN, the lock (SW8, PO6)."""

import html
import re

from playwright.sync_api import Browser, expect

from holdfast.core.connection import Mode
from holdfast.core.operations import DEFAULT_ROLES, OPERATIONS, Situation
from holdfast.core.operations.describe import said_to
from holdfast.core.operations.rows_central import LOYALTY
from holdfast.demo.chain import Chain
from holdfast.demo.line import LineMode
from tests.browser.conftest import wait_standing
from tests.browser.head_office_page import HeadOfficePage
from tests.browser.till_page import CHEDDAR, MILK, TillPage

TRAINEE = ("4", "4444")
SUPERVISOR = ("5", "5555")


def by_keyboard(till: TillPage, item: str) -> None:
    """An item of the menu, without a pointer."""
    till.page.locator("summary").focus()
    till.page.keyboard.press("Enter")
    found = till.page.locator(f".menu__items >> text={item}")
    expect(found).to_be_visible()
    found.focus()
    till.page.keyboard.press("Enter")


def rows(till: TillPage) -> dict[str, tuple[str, str]]:
    """What the page says: operation → now, offline."""
    found = till.page.locator(".operations tbody tr:has(td)").evaluate_all(
        "rows => rows.map((row) => [...row.children].map((cell) => cell.innerText.trim()))"
    )
    return {name: (now, offline) for name, now, offline in found}


def told(role: str, mode: Mode) -> dict[str, tuple[str, str]]:
    """What the table says, in the page's words."""
    words = {"yes": "Yes", "no": "No"}
    now = {"yes": "Yes", "no": "No {}", "approval": "{} approves"}
    return {
        said.name: (
            now[said.now].format(said.sentence),
            words.get(said.offline, said.offline),
        )
        for group, rows_of_it in said_to(OPERATIONS, DEFAULT_ROLES[role], Situation(mode=mode))
        if group != LOYALTY  # not in use here, so nothing of it is seen (LY1)
        for said in rows_of_it
    }


def approve(till: TillPage, who: tuple[str, str]) -> None:
    """Number and PIN, by keyboard."""
    expect(till.dialog.locator("#manager")).to_be_focused()
    till.type(who[0])
    till.page.keyboard.press("Tab")
    till.type(who[1])
    till.page.keyboard.press("Enter")


def test_what_works_offline_is_told_for_the_person_and_the_mode(browser: Browser, chain: Chain) -> None:
    """SW8: the page is the table, by keyboard alone, in both modes; Escape goes back to the same basket."""
    with TillPage.open(browser, chain.registers["R01"].url) as till:
        till.begin()
        till.scan(MILK, "Milk")
        till.expect_status("Online")
        by_keyboard(till, "What works offline")
        expect(till.page.locator(".work__title")).to_be_focused()
        expect(till.page.locator("#work")).to_contain_text(
            "For you, as a cashier, while this register is online"
        )
        expect(till.page.locator("#work")).to_contain_text("You alone: 10 % off a line, 10 % off a sale")
        assert rows(till) == told("cashier", Mode.ONLINE)
        assert not till.violations()
        assert not till.small_targets()
        till.page.keyboard.press("Escape")
        expect(till.page.locator(".shelf")).to_be_visible()
        expect(till.lines).to_have_count(1)
        chain.switch("R01", LineMode.CUT)
        till.expect_status("Offline since")
        till.go_on()
        by_keyboard(till, "What works offline")
        expect(till.page.locator("#work")).to_contain_text("while this register is offline")
        assert rows(till) == told("cashier", Mode.OFFLINE)
        till.page.keyboard.press("Escape")
        expect(till.page.locator(".shelf")).to_be_visible()
        till.void()


def test_a_second_pin_goes_on_with_the_same_sale(
    browser: Browser, chain: Chain, head_office: HeadOfficePage
) -> None:
    """PO6: what a trainee may not do alone a supervisor approves, offline too; head office has both names."""
    with TillPage.open(browser, chain.registers["R01"].url) as till:
        till.begin()
        by_keyboard(till, "Sign out")
        till.page.wait_for_selector("#staff")
        till.sign_in(TRAINEE)
        till.scan(CHEDDAR, "cheddar")
        till.scan(MILK, "Milk")
        chain.switch("R01", LineMode.CUT)
        till.expect_status("Offline since")
        till.go_on()
        till.page.keyboard.press("F6")
        till.dialog.wait_for()
        till.dialog.locator("[name=discount]").fill("20%")
        till.dialog.locator("[name=discount]").press("Enter")
        expect(till.dialog).to_contain_text("“Give a discount on a line” needs a supervisor.")
        assert not till.violations()
        assert not till.small_targets()
        approve(till, TRAINEE)
        expect(till.dialog.get_by_role("alert")).to_contain_text("Nobody with that number and PIN")
        expect(till.dialog).to_contain_text("“Give a discount on a line” needs a supervisor.")
        expect(till.lines).to_have_count(2)
        approve(till, SUPERVISOR)
        expect(till.page.locator(".line__extra")).to_contain_text("Discount 20 %")
        expect(till.dialog).to_have_count(0)
        number = till.pay_exact()
        chain.switch("R01", LineMode.UP)
        head_office.wait_stored(number)
    (given,) = [row for row in head_office.entries("operation_approved") if row["by"] == TRAINEE[0]]
    assert (given["operation"], given["approved_by"]) == ("line.discount", SUPERVISOR[0])
    wait_standing(chain, "R01", lambda standing: standing.owed_count == 0 and standing.mode == "online")


def test_a_locked_till_keeps_its_basket_and_every_page_of_it_shows_the_lock(
    browser: Browser, chain: Chain
) -> None:
    """PO6: whoever leaves the till locks it, by keyboard; his PIN goes on with the sale."""
    with TillPage.open(browser, chain.registers["R01"].url) as till:
        till.begin()
        till.scan(MILK, "Milk")
        other = till.page.context.new_page()
        other.goto(till.url)
        other.wait_for_selector("#scan")
        by_keyboard(till, "Lock")
        expect(till.page.locator("h1")).to_have_text("Locked")
        expect(till.page.locator(".gate__card")).to_contain_text("The open transaction is kept.")
        expect(till.page.locator("#pin")).to_be_focused()
        assert not till.violations()
        assert not till.small_targets()
        expect(other.locator("h1")).to_have_text("Locked")  # nobody touched that one
        assert "Milk" not in html.unescape(till.page.content())
        till.type("1111")
        till.page.keyboard.press("Enter")
        till.arrive("#scan")
        expect(till.lines).to_have_count(1)
        expect(till.lines).to_contain_text(re.compile("Milk"))
        till.void()
