"""Locks at head office in a browser: a store's manager releases one, and finance sees what came of it."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from holdfast.core.central.accounts import Act, Kind
from holdfast.core.central.holds import Held
from holdfast.hq.web.auth.accounts import Accounts
from tests.browser.till_page import WAIT_MS
from tests.central_shop import NUMBER, Shop
from tests.hq_web_fixtures import PASSWORD, ServedHeadOffice

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures", "tests.hq_web_fixtures"]


@pytest.fixture
def page(browser: Browser, office: ServedHeadOffice) -> Iterator[Page]:
    context = browser.new_context(base_url=office.url, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(WAIT_MS)
    yield context.new_page()
    context.close()


def enter(page: Page, office: ServedHeadOffice, name: str, store: str = "") -> None:
    """Follow a one-time link; whoever was signed in before is not any more."""
    page.context.clear_cookies()
    page.goto(f"/welcome/{Accounts(office.services.pool, office.services.clock).new_link(name, store)}")
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".nav")


def accessible(page: Page) -> None:
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found = Axe().run(page)
        assert not found.response["violations"], found.generate_report()


def test_a_lock_is_released_with_the_keyboard_and_what_came_of_it_is_worked_through(
    page: Page, office: ServedHeadOffice
) -> None:
    shop = Shop(office)
    shop.tills[0].allowed = frozenset(Kind)
    shop.hold()
    shop.tills[0].conclude(400)  # offline, with the card: head office knows nothing of it yet
    words = f"gift card …{NUMBER[-4:]}"

    enter(page, office, "mia", store="S1")
    expect(page.get_by_role("heading", name="Locks", level=1)).to_be_visible()
    expect(page.get_by_role("navigation").get_by_role("link")).to_have_text(["Locks"])
    row = page.get_by_role("row", name="Till R01")
    expect(row).to_contain_text("to pay by it")
    expect(row).to_contain_text("25 h")
    expect(row).to_contain_text("has not been in touch since")
    accessible(page)
    page.get_by_role("link", name=f"Release… {words}").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Release {words}?")
    expect(page.get_by_role("main")).to_contain_text("Its register may have concluded with the gift card")
    expect(page.get_by_label("Reason")).to_be_focused()
    accessible(page)
    page.keyboard.type("The till was stolen")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The lock is released")
    expect(page.get_by_role("region", name="Released lately")).to_contain_text(
        "by mia, “The till was stolen”"
    )
    expect(page.get_by_role("main")).to_contain_text("Nothing is locked")

    shop.hold(1)
    shop.speaks(1)  # and owes nothing
    assert shop.locks.release_stale() == (1, False)
    page.goto("/locks")
    expect(page.get_by_role("region", name="Released lately")).to_contain_text("by policy")

    shop.tills[1].remove()
    shop.hold(1)
    enter(page, office, "ann")
    page.goto("/locks")
    page.get_by_role("link", name=f"Release… {words}").click()
    page.get_by_label("Reason").fill("The customer waits elsewhere")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The lock is released")
    shop.tills[1].online = True
    shop.tills[1].remove()
    assert isinstance(shop.tills[1].ask(Kind.GIFT_CARD, Act.REDEEM, number=NUMBER), Held)
    shop.tills[1].conclude(300)
    shop.tills[0].online = True
    shop.tills[0].sync()

    page.get_by_role("link", name="Differences").click()
    row = page.get_by_role("row", name="Gift card")
    expect(row).to_contain_text("Its lock was released, and the register concluded all the same")
    expect(row).to_contain_text("released by mia: “The till was stolen”")
    accessible(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    assert "taken-back-then-used" in download.value.path().read_text()
    page.get_by_label("What came of it").fill("Insurance pays")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name="Gift card")).to_contain_text("ann: “Insurance pays”")
    page.get_by_role("row", name="Gift card").get_by_role("link", name="Gift card").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Gift card …{NUMBER[-4:]}")
    expect(page.get_by_role("region", name="Movements")).to_contain_text("Its lock was released")
    expect(page.get_by_role("region", name="Locks")).to_contain_text("released, and concluded all the same")
    accessible(page)
    office.services.head_office.proof.run(lambda _: None)
    for path in ("/cards", "/cards/prepared", "/proof", "/exposure", "/audit", "/restored"):
        page.goto(path)
        accessible(page)
    page.goto("/audit")
    acts = page.get_by_role("row").filter(has_text=words)
    for who, why in (("mia", "The till was stolen"), ("policy", ""), ("ann", "The customer waits elsewhere")):
        expect(acts.filter(has_text=who).filter(has_text=why).first).to_be_visible()
