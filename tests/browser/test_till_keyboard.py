"""The till's pages by keyboard alone: every control in its order, seen where it is, and Escape leads back.

The lines are cut all the while, so that no warning opens between a key and its Enter (`cut_chain`).
"""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from holdfast.demo.chain import Chain
from tests.browser.test_cash import tab_to
from tests.browser.till_page import CHEDDAR, MILK, TillPage

TABS_MAX = 160

_NUMBER_ALL = """
(scope) => {
    const around = document.querySelector("dialog[open]") || document.querySelector(scope);
    const kinds = "a[href], button, input, select, textarea, summary, [tabindex='0']";
    const isFirst = (radio) => radio === document.querySelector(`[name="${radio.name}"]:checked`);
    const shown = [...around.querySelectorAll(kinds)]
        .filter((found) => found.checkVisibility({ visibilityProperty: true }) && !found.disabled)
        .filter((found) => found.type !== "hidden" && found.tabIndex >= 0)
        .filter((found) => found.type !== "radio" || isFirst(found));
    document.querySelectorAll("[data-number]").forEach((found) => delete found.dataset.number);
    if (around.id === "work") around.focus();
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
    const there = [box.left + box.width / 2, Math.min(box.top + box.height / 2, innerHeight - 1)];
    const middle = document.elementFromPoint(...there);
    const isGlowing = style.boxShadow !== "none";
    const isLabel = middle?.closest("label")?.control === at;
    return {
        number: Number(at.dataset.number ?? -1),
        what: at.outerHTML.slice(0, 120),
        outlined: (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2) || isGlowing,
        inView: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
        covered: !middle || !(at.contains(middle) || middle.contains(at) || isLabel),
    };
}
"""


@pytest.fixture
def chain(cut_chain: Chain) -> Chain:
    """In place of the one that mends the lines before each test."""
    return cut_chain


def walk(page: Page) -> list[dict[str, Any]]:
    """Where Tab leads: once around, or until it leaves what was numbered."""
    found: list[dict[str, Any]] = []
    for _ in range(TABS_MAX):
        page.keyboard.press("Tab")
        at = page.evaluate(_AT)
        if at is None:  # out of the page, and in again from its top
            continue
        if found and at["number"] in (found[0]["number"], -1):
            return found
        if not found or at["number"] != found[-1]["number"]:  # a date has a stop for its day, its month, …
            found.append(at)
    raise AssertionError(f"Tab does not come around: {found[-1]}")


def look_through(till: TillPage, name: str, scope: str = "body") -> None:
    """Tab passes every control once, in the order in which it stands, and shows where it is."""
    controls = till.page.evaluate(_NUMBER_ALL, scope)
    passed = walk(till.page)
    numbers = [at["number"] for at in passed]
    start = numbers.index(min(numbers))
    assert numbers[start:] + numbers[:start] == list(range(controls)), f"{name}: {passed}"
    unseen = [at for at in passed if not (at["outlined"] and at["inView"]) or at["covered"]]
    assert not unseen, f"{name}: {unseen}"


def choose(till: TillPage, entry: str, sight: str) -> None:
    """An entry of the menu under the person's name."""
    tab_to(till, "summary")
    till.page.keyboard.press("Enter")
    tab_to(till, f".menu__items [hx-get='{entry}']")
    till.page.keyboard.press("Enter")
    till.page.wait_for_selector(sight)


def back(till: TillPage) -> None:
    """Escape leads to the products, and the scanner's field has the focus."""
    till.press("Escape", ".grid__tabs")
    expect(till.page.locator("#scan")).to_be_focused()


def give_up(till: TillPage) -> None:
    """Escape ends the question, and the scanner's field has the focus again."""
    till.page.keyboard.press("Escape")
    expect(till.dialog).to_have_count(0)
    expect(till.page.locator("#scan")).to_be_focused()


def test_each_page_is_walked_by_tab_and_left_by_escape(till: TillPage) -> None:
    keys = till.page.keyboard
    till.scan(MILK, "Milk")
    till.pay_exact()
    look_through(till, "change due", "#work")
    back(till)
    look_through(till, "quick keys")
    till.type("milk")
    till.press("Enter", ".work__title")
    expect(till.page.locator("[data-tiles] button").first).to_be_focused()
    look_through(till, "products found", "#work")
    back(till)
    till.scan(MILK, "Milk")
    till.scan(CHEDDAR, "cheddar")
    look_through(till, "a basket")
    for key in ("F2", "F4", "F6", "F7", "F3"):
        till.press(key, "#dialog dialog[open]")
        look_through(till, f"the question of {key}")
        give_up(till)
    till.press("F9", "#amount")
    look_through(till, "pay", "#work")
    back(till)
    till.press("F3", "#dialog dialog[open]")
    keys.press("Enter")
    expect(till.lines).to_have_count(0)
    till.press("F3", ".waiting")
    look_through(till, "suspended", "#work")
    back(till)
    till.press("F11", "#who")
    look_through(till, "customers", "#work")
    expect(till.page.locator("#who")).not_to_be_focused()
    tab_to(till, "#who")
    till.type("brandt\r")
    till.page.wait_for_selector(".customer")
    look_through(till, "a customer found", "#work")
    tab_to(till, ".customer .button")
    keys.press("Enter")
    till.page.wait_for_selector("#customer-name")
    look_through(till, "a customer's details", "#work")
    keys.press("Escape")
    till.page.wait_for_selector("#who")
    back(till)
    till.press("F10", ".document")
    expect(till.page.locator(".document").first).to_be_focused()
    look_through(till, "receipts", "#work")
    tab_to(till, ".document")
    till.press("Enter", ".bring-back")
    look_through(till, "a receipt", "#work")
    back(till)
    for entry, sight in (
        ("/status", "#overview"),
        ("/readiness", "#readiness"),
        ("/operations", ".operations"),
        ("/cash", ".cash__shift"),
    ):
        choose(till, entry, sight)
        look_through(till, entry, "#work")
        back(till)
    choose(till, "/cash", ".cash__shift")
    for act, sight in (("move/drop", "#amount"), ("move/expense", "#reason"), ("count", ".count")):
        tab_to(till, f"#work [hx-get='/cash/{act}']")
        till.press("Enter", sight)
        look_through(till, act, "#work")
        till.press("Escape", ".cash__shift")
    back(till)
    choose(till, "/work-mode/offline", "#dialog dialog[open]")
    look_through(till, "work offline")
    give_up(till)
    till.press("F3", ".waiting")
    keys.press("Enter")
    expect(till.lines).to_have_count(2)
    till.void()
