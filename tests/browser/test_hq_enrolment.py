"""Registers come and go on head office's pages: by keyboard alone, in both schemes, with axe."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from holdfast.core.ids import OriginId
from holdfast.core.sync.enrolment import EnrolRequest, read_code
from holdfast.core.sync.messages import encode
from tests.browser.test_hq_pages import assert_accessible, welcome
from tests.browser.till_page import WAIT_MS
from tests.hq_web_fixtures import ServedHeadOffice
from tests.journal_samples import SampleJournal, signing_key

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures", "tests.hq_web_fixtures"]


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest, browser: Browser, office: ServedHeadOffice) -> Iterator[Page]:
    context = browser.new_context(
        base_url=office.url, viewport={"width": 1280, "height": 800}, color_scheme=request.param
    )
    context.set_default_timeout(WAIT_MS)
    yield context.new_page()
    context.close()


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_a_register_is_added_by_keyboard_and_the_page_says_when_it_is_enrolled(
    page: Page, office: ServedHeadOffice
) -> None:
    welcome(page, office)
    page.goto("/registers")
    page.get_by_role("link", name="Add a register").first.focus()
    press(page, "Enter")
    store = page.locator("#store")
    expect(store).to_be_focused()
    assert_accessible(page, "the form")
    press(page, "Enter")  # an empty form goes nowhere, and opens no list by accident
    press(page, "Escape")
    store.press("S")
    store.press("Tab")
    page.keyboard.type("R05")
    press(page, "Tab")
    page.keyboard.type("Front left")
    press(page, "Enter")
    expect(page.get_by_role("heading", name="Code for Front left")).to_be_visible()
    assert_accessible(page, "the code")
    expect(page.get_by_text("Nobody used it yet")).to_be_visible()
    code = read_code(page.locator("#code").inner_text()).code
    request = EnrolRequest(code=code, public_key=signing_key(7).public_bytes, software="test")
    office.client().post("/v1/enrol", content=encode(request)).raise_for_status()
    expect(page.locator("#code-state")).to_contain_text("is enrolled")
    page.get_by_role("link", name="Front left").focus()
    press(page, "Enter")
    expect(page.get_by_role("heading", name="Front left", level=1)).to_be_visible()
    expect(page.get_by_text("never been in touch")).to_be_visible()


def test_a_refused_series_is_corrected_where_it_stands(page: Page, office: ServedHeadOffice) -> None:
    office.enrol(SampleJournal().open())
    welcome(page, office)
    page.goto("/registers/add")
    page.locator("#store").select_option("S1")
    page.locator("#series").fill("R01")
    page.locator("#series").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("belongs to register Till R01")
    expect(page.locator("#series")).to_be_focused()
    expect(page.locator("#store")).to_have_value("S1")
    assert_accessible(page, "a refused form")


def test_a_code_is_withdrawn_by_keyboard(page: Page, office: ServedHeadOffice) -> None:
    office.services.head_office.enrolment.issue_code("S1", "R05", name="Garden", by="ann")
    welcome(page, office)
    page.goto("/registers/add")
    expect(page.get_by_role("row", name="Garden")).to_contain_text("by ann")
    assert_accessible(page, "codes that wait")
    page.get_by_role("button", name="Withdraw the code for Garden").focus()
    press(page, "Enter")
    expect(page.get_by_text("None. A code stands here")).to_be_visible()


def test_a_register_is_retired_by_keyboard_and_taken_back(page: Page, office: ServedHeadOffice) -> None:
    journal = office.enrol(SampleJournal().open().sell(1))
    office.session(journal).post("/v1/sync/entries", content=journal.batch()).raise_for_status()
    welcome(page, office)
    page.goto(f"/registers/{journal.origin}")
    page.get_by_role("link", name="Retire…").focus()
    press(page, "Enter")
    expect(page.get_by_role("heading", name="Is it gone for good?")).to_be_visible()
    expect(page.get_by_text("It may owe, and that stays shown")).to_be_visible()
    assert_accessible(page, "what retiring means")
    page.get_by_label("Reason").focus()
    press(page, "Enter")  # without a reason nothing happens
    expect(page.get_by_role("heading", name="Is it gone for good?")).to_be_visible()
    page.keyboard.type("Stolen with the van")
    press(page, "Enter")
    expect(page.get_by_text("Retired since")).to_be_visible()
    expect(page.get_by_text("What it may owe stays on record")).to_be_visible()
    assert_accessible(page, "a retired register that may owe")
    page.get_by_role("link", name="Take it back…").focus()
    press(page, "Enter")
    expect(page.get_by_role("heading", name="Take it back into service")).to_be_visible()
    assert_accessible(page, "taking it back")
    page.get_by_role("button", name="Take it back into service").focus()
    press(page, "Enter")
    expect(page.get_by_role("link", name="Retire…")).to_be_visible()


def test_keys_are_given_and_recovered_with_a_word_of_warning(page: Page, office: ServedHeadOffice) -> None:
    journal = office.enrol(SampleJournal(origin=OriginId("reg07")).open())
    welcome(page, office)
    page.goto(f"/registers/{journal.origin}")
    page.get_by_role("link", name="Recover its database key…").click()
    expect(page.get_by_role("heading", name="What will happen")).to_be_visible()
    assert_accessible(page, "a lost database key")
    page.get_by_label("The word that the machine printed").fill("nonsense")
    page.get_by_role("button", name="Open the key").click()
    expect(page.get_by_role("alert")).to_contain_text("Copy it whole")
    expect(page.get_by_label("The word that the machine printed")).to_be_focused()
    page.get_by_role("link", name="Leave it as it is").click()
    page.get_by_role("link", name="Another key…").click()
    expect(page.get_by_text("Until it is used nothing changes")).to_be_visible()
    assert_accessible(page, "another key")
    page.get_by_role("button", name="Make the code").click()
    expect(page.locator("#code")).to_be_visible()
    assert_accessible(page, "the code for another key")
