"""A drill with the keyboard: begun by approval, sold in, ended, read; a real outage in it is said (SW11)."""

import re
import time
from typing import Any

from playwright.sync_api import Browser, Page, expect

from holdfast.demo.chain import Chain
from holdfast.demo.line import LineMode
from tests.browser.conftest import wait_standing
from tests.browser.head_office_page import HeadOfficePage
from tests.browser.till_page import CLOCK, MANAGER, MILK, WAIT_MS, TillPage


def choose(till: TillPage, entry: str) -> None:
    """An entry of the menu, by keyboard alone."""
    till.page.locator("summary").press("Enter")
    till.page.locator(f".menu__items >> text={entry}").press("Enter")


def begin(till: TillPage, reason: str) -> None:
    """With a manager's number and PIN.

    A busy machine may hear nothing for a second of a line that is well: there is nothing to practise then,
    and the manager is not asked. It is begun again once the till is online.
    """
    manager, refused = till.page.locator("#manager"), till.page.locator("#notice", has_text="offline already")
    while not manager.count():
        if refused.count():
            till.page.reload()
            till.arrive("#scan")
        till.expect_status("Online")
        choose(till, "Practise an outage")
        expect(till.page.locator("#reason").or_(refused).first).to_be_visible()
        if refused.count():
            continue
        expect(till.page.locator("#reason")).to_be_focused()
        assert not till.violations()
        assert not till.small_targets()
        till.type(reason)
        till.page.keyboard.press("Enter")
        expect(manager.or_(refused).first).to_be_visible()
    expect(manager).to_be_focused()
    till.type(MANAGER[0])
    till.page.keyboard.press("Tab")
    till.type(MANAGER[1])
    till.page.keyboard.press("Enter")
    till.expect_status(rf"Drill: offline since {CLOCK}, until {CLOCK} at the latest")


def sale_is_marked(page: Page, number: str) -> bool:
    """Whether head office's list of sales says that it was made in a drill."""
    row = page.locator("tr", has=page.get_by_role("link", name=number, exact=True))
    expect(row).to_have_count(1)
    return "in a drill" in row.inner_text()


def arrived(head_office: HeadOfficePage, type: str) -> dict[str, Any]:
    """The last entry of this type, once there is one."""
    deadline = time.monotonic() + WAIT_MS / 1_000
    while not (rows := head_office.entries(type)):
        assert time.monotonic() < deadline, f"no {type} is at head office"
        time.sleep(0.05)
    return rows[-1]


def test_a_drill_is_begun_sold_in_ended_and_read(
    browser: Browser, chain: Chain, head_office: HeadOfficePage
) -> None:
    """SW11: cashier and manager, by keyboard; head office has what was sold in it at once, and says so."""
    with TillPage.open(browser, chain.registers["R01"].url) as till:
        till.begin()
        till.expect_status("Online", "Nothing owed")
        till.scan(MILK, "Milk")
        before = till.pay_exact()
        begin(till, "Training")
        till.expect_status("Nothing would be owed")
        till.scan(MILK, "Milk")
        number = till.pay_exact()
        till.expect_status("Would be owed: 1 sale, €1.45")
        head_office.wait_stored(number)
        till.expect_status("Would be owed: 1 sale, €1.45")
        choose(till, "Ready for an outage?")
        expect(till.page.locator("#readiness")).to_contain_text(re.compile(r"\d+ of 100"))
        assert not till.violations()
        assert not till.small_targets()
        till.page.locator("#work >> text=End the drill").press("Enter")
        result = till.page.locator("#last-drill")
        expect(result).to_contain_text(re.compile(r"Sold in it\s*1 sale, €1\.45"))
        expect(result).to_contain_text(re.compile(r"Longest wait\s*\d+\.\d\d s"))
        expect(result).to_contain_text("ended it")
        till.expect_status("Online", "Nothing owed")
        assert not till.violations()
        till.page.keyboard.press("Escape")
        till.page.wait_for_selector(".shelf")
    page = head_office.page
    page.goto(f"{chain.head_office.url}/sales")
    assert sale_is_marked(page, number)
    assert not sale_is_marked(page, before)
    started, ended = arrived(head_office, "drill_started"), arrived(head_office, "drill_ended")
    assert (started["reason"], started["approved_by"]) == ("Training", MANAGER[0])
    assert (ended["cause"], ended["documents"], ended["value_minor"]) == ("ended", 1, 145)
    page.goto(f"{chain.head_office.url}/readiness")
    row = page.locator("tbody tr", has_text="R01")
    expect(row.first).to_contain_text(re.compile(r"Ready|With flaws|Would not survive"))


def test_a_real_outage_in_a_drill_is_said_and_ends_it(till: TillPage, chain: Chain) -> None:
    till.expect_status("Online")
    begin(till, "Monthly check")
    chain.switch("R01", LineMode.CUT)
    expect(till.warning).to_contain_text("The drill is over: this is a real outage")
    till.page.keyboard.press("Enter")
    expect(till.warning).to_have_count(0)
    till.expect_status("Offline since")
    till.scan(MILK, "Milk")
    till.pay_exact()
    till.expect_status("Owed: 1 sale")
    chain.switch("R01", LineMode.UP)
    till.expect_status("Online", "Nothing owed")
    wait_standing(chain, "R01", lambda standing: standing.owed_count == 0)
