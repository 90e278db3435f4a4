"""Working offline by hand, and Enable Online POS: by role, with a reason, through a restart (SW3)."""

from playwright.sync_api import Browser, expect

from holdfast.demo.chain import Chain
from tests.browser.conftest import wait_standing
from tests.browser.head_office_page import HeadOfficePage
from tests.browser.till_page import CLOCK, MANAGER, MILK, TillPage


def menu(till: TillPage, item: str) -> None:
    """An item of the user menu."""
    till.page.click("summary")
    till.page.click(f".menu__items >> text={item}")
    till.dialog.wait_for()


def approve(till: TillPage) -> None:
    """A manager's number and PIN, by keyboard."""
    expect(till.page.locator("#manager")).to_be_focused()
    till.type(MANAGER[0])
    till.page.keyboard.press("Tab")
    till.type(MANAGER[1])
    till.page.keyboard.press("Enter")


def test_offline_by_hand_goes_on_sending_and_outlives_a_restart(
    browser: Browser, chain: Chain, head_office: HeadOfficePage
) -> None:
    """SW3: a manager says yes, with a reason; sales still go by themselves; Online POS is back on a word."""
    place = chain.registers["R01"]
    with TillPage.open(browser, place.url) as till:
        till.begin()
        till.expect_status("Online", "Nothing owed")
        menu(till, "Work offline")
        assert not till.violations()
        assert not till.small_targets()
        till.dialog.locator("[data-value='Printer works']").click()
        till.dialog.locator("button.button--primary").click()
        expect(till.dialog).to_contain_text("needs a manager")
        approve(till)
        till.expect_status(rf"Offline by hand since {CLOCK}: Printer works")
        expect(till.warning).to_have_count(0)  # nobody is warned of what he chose
        till.scan(MILK, "Milk")
        number = till.pay_exact()
        head_office.wait_stored(number)
        till.expect_status("Offline by hand since", "Nothing owed")
        place.kill()
        place.start()
        place.wait_ready()
        till.page.goto(place.url)
        till.expect_status(rf"Offline by hand since {CLOCK}: Printer works")
        till.sign_in(MANAGER)
        till.open_day()
        till.page.click("summary")
        expect(till.page.locator(".menu__items >> text=Work offline")).to_be_hidden()
        till.page.keyboard.press("Escape")
        menu(till, "Enable Online POS")
        till.type("They are done")
        till.page.keyboard.press("Enter")
        till.expect_status("Online", "Nothing owed")
        expect(till.page.locator("#notice")).to_contain_text("Online POS is enabled")
    wait_standing(chain, "R01", lambda standing: standing.owed_count == 0 and standing.mode == "online")
    rows = head_office.entries("work_mode_changed")
    assert [(row["work"], row["reason"], row.get("approved_by", "")) for row in rows] == [
        ("offline", "Printer works", MANAGER[0]),
        ("online", "They are done", ""),
    ]
