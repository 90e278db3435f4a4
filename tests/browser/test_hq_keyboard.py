"""Head office's pages by keyboard alone: every control in its order, seen where it is, and none is a trap."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from holdfast.core.ids import OriginId
from tests.browser.test_hq_pages import NUMBER, sold, welcome
from tests.browser.till_page import WAIT_MS
from tests.hq_web_fixtures import ServedHeadOffice
from tests.journal_samples import SampleJournal

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures", "tests.hq_web_fixtures"]

TABS_MAX = 120

_NUMBER_ALL = """
() => {
    const kinds = "a[href], button, input, select, textarea, summary, [tabindex='0']";
    const isFirst = (radio) => radio === document.querySelector(`[name="${radio.name}"]`);
    const shown = [...document.querySelectorAll(kinds)]
        .filter((found) => found.checkVisibility() && !found.disabled && found.type !== "hidden")
        .filter((found) => found.type !== "radio" || isFirst(found));
    shown.forEach((found, number) => { found.dataset.number = number; });
    return shown.length;
}
"""
_AT = """
() => {
    const at = document.activeElement;
    if (!at || at === document.body) return null;
    const style = getComputedStyle(at);
    const box = at.getBoundingClientRect();
    return {
        number: Number(at.dataset.number ?? -1),
        what: at.outerHTML.slice(0, 100),
        outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
        inView: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    };
}
"""


@pytest.fixture
def page(browser: Browser, office: ServedHeadOffice) -> Iterator[Page]:
    """Pages that stand still: what is live is not asked for."""
    context = browser.new_context(base_url=office.url, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    page.route("**/live", lambda route: route.fulfill(status=204))
    yield page
    context.close()


def walk(page: Page) -> list[dict[str, Any]]:
    """Where Tab leads, from the first control until it leaves the page or comes around.

    Chromium without a window gives the focus back to the page in its own time, so what follows the last
    control is not looked at.
    """
    page.locator("[data-number='0']").focus()
    found: list[dict[str, Any]] = []
    for _ in range(TABS_MAX):
        at = page.evaluate(_AT)
        if at is None or any(at["number"] == before["number"] for before in found[:-1]):
            return found
        if not found or at["number"] != found[-1]["number"]:  # a date has a stop for its day, its month, …
            found.append(at)
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not come around: {found[-1]}")


def test_tab_passes_every_control_in_order_and_each_is_seen(page: Page, office: ServedHeadOffice) -> None:
    journal = sold(office)
    office.services.head_office.enrolment.issue_code("S1", "R05", name="Garden", by="ann")
    welcome(page, office)
    own = f"/registers/{journal.origin}"
    for path in (
        "/", "/registers", "/registers/add", own, f"{own}/key", f"{own}/recover", f"{own}/retire",
        f"{own}/epochs/{journal.epoch}", "/sales", "/sales/1/2", "/closings", "/data", "/alerts",
        "/backups", "/cards/prepared", "/differences", "/nothing",
    ):  # fmt: skip
        page.goto(path)
        controls = page.evaluate(_NUMBER_ALL)
        passed = walk(page)
        assert [at["number"] for at in passed] == list(range(controls)), f"{path}: {passed}"
        hidden = [at for at in passed if not (at["outlined"] and at["inView"])]
        assert not hidden, f"{path}: {hidden}"


def test_a_dialog_holds_the_focus_and_escape_gives_it_back(page: Page, office: ServedHeadOffice) -> None:
    journal = office.enrol(SampleJournal().open())
    welcome(page, office)
    page.goto(f"/registers/{journal.origin}")
    opener = page.get_by_role("button", name="Purge")
    opener.focus()
    page.keyboard.press("Enter")
    days = page.get_by_label("Days that stay")
    expect(days).to_be_focused()
    for _ in range(8):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('dialog[open]')"
        ), "behind the dialog nothing is reached"
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    days.press("ControlOrMeta+a")
    page.keyboard.type("30")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name="Purge")).to_contain_text("Waiting for the register")
    [command] = office.services.head_office.command_book.latest(OriginId(journal.origin))
    assert (command.kind, command.arguments) == ("purge", '{"keep_days":"30"}')


def test_who_acknowledges_by_keyboard_is_at_the_next_alert_then(page: Page, office: ServedHeadOffice) -> None:
    for n in range(3):
        with office.services.pool.connection() as conn:
            conn.execute("insert into alert (kind, detail) values ('backup', %s)", (f"disk {n} is full",))
    welcome(page, office)
    page.goto("/alerts")
    buttons = page.get_by_role("button", name="Acknowledge")
    expect(buttons).to_have_count(3)
    buttons.nth(1).focus()
    page.keyboard.press("Enter")
    expect(buttons).to_have_count(2)
    expect(buttons.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(buttons).to_have_count(1)
    expect(buttons.first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nothing to look at")).to_be_visible()
    expect(page.get_by_role("heading", name="Open")).to_be_focused()


def test_enter_in_a_filter_finds_and_the_back_key_brings_the_list_back(
    page: Page, office: ServedHeadOffice
) -> None:
    sold(office)
    welcome(page, office)
    page.goto("/sales")
    rows = page.locator("#sales tbody tr")
    expect(rows).to_have_count(5)
    page.get_by_label("Number").focus()
    page.keyboard.type(NUMBER)
    page.keyboard.press("Enter")
    expect(rows).to_have_count(1)
    expect(page).to_have_url(f"{office.url}/sales?from=&to=&register=&type=&number={NUMBER}")
    page.go_back()
    expect(rows).to_have_count(5)
