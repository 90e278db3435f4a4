"""The demo's page with the switches, as a person uses it."""

import threading
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from holdfast.demo.board import create_board
from holdfast.demo.chain import Chain
from holdfast.demo.purse import Card, Purse
from holdfast.infra.web import Wakeups, free_port, serve
from tests.browser.till_page import WAIT_MS


@pytest.fixture
def board_url(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The page, served beside the running chain, with the numbers that a visitor finds."""
    cards = tuple(Card(f"{number:018}") for number in range(4))
    monkeypatch.setattr(chain, "purse", Purse(cards, Card("9" * 18, "1234"), "8" * 18))
    port = free_port()
    ready = threading.Event()
    ends: list[Callable[[], None]] = []
    server = threading.Thread(
        target=serve,
        args=(create_board(chain),),
        kwargs={
            "host": "127.0.0.1",
            "port": port,
            "wakeups": Wakeups(),
            "on_ready": lambda _: ready.set(),
            "hand_stop": ends.append,
        },
    )
    server.start()
    assert ready.wait(WAIT_MS / 1_000)
    yield f"http://127.0.0.1:{port}"
    ends[0]()
    server.join(WAIT_MS / 1_000)


def test_a_person_cuts_and_mends_a_line(browser: Browser, board_url: str) -> None:
    context = browser.new_context(color_scheme="light")
    page = context.new_page()
    page.goto(board_url)
    wire = page.locator(".wire", has=page.get_by_role("heading", name="Register R02"))
    expect(wire.locator(".tag")).to_have_text("online")
    assert not Axe().run(page).response["violations"]
    wire.get_by_role("button", name="Black hole").click()
    expect(wire.get_by_role("button", name="Black hole")).to_have_attribute("aria-pressed", "true")
    expect(wire.locator(".tag")).to_have_text("offline")
    assert not Axe().run(page).response["violations"]
    page.emulate_media(color_scheme="dark")
    assert not Axe().run(page).response["violations"]
    for _ in range(3):  # the lines are drawn anew each second, and after each press
        page.wait_for_timeout(1_100)
        expect(wire.get_by_role("button", name="Black hole")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(wire.get_by_role("button", name="Slow")).to_be_focused()
    wire.get_by_role("button", name="Up").click()
    expect(wire.locator(".tag")).to_have_text("online")
    context.close()


def test_a_finger_that_rests_on_a_switch_presses_it(browser: Browser, board_url: str) -> None:
    """The lines are drawn anew meanwhile: the switch is still the same one when it is let go."""
    context = browser.new_context()
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    page.goto(board_url)
    button = page.locator("#R02-slow")
    button.hover()
    page.mouse.down()
    for _ in range(2):
        with page.expect_response("**/lines"):
            pass
    page.mouse.up()
    expect(button).to_have_attribute("aria-pressed", "true")
    context.close()
