"""Hands for a page: what a person at a till or at head office does between two pictures."""

import contextlib
from collections.abc import Iterator

from playwright.sync_api import Browser, Page, ViewportSize

from scripts.screenshots.camera import Camera
from scripts.screenshots.listing import SMALL

WAIT_MS = 60_000
CASHIER, MANAGER = ("1", "1111"), ("9", "9999")


@contextlib.contextmanager
def page_of(browser: Browser, url: str, *, dark: bool = False, touch: bool = False) -> Iterator[Page]:
    """A browser of its own at the small size."""
    context = browser.new_context(
        viewport=ViewportSize(width=SMALL[0], height=SMALL[1]),
        color_scheme="dark" if dark else "light",
        has_touch=touch,
        locale="en-IE",
    )
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    page.goto(url)
    yield page
    context.close()


class Till:
    """A till's page, and the camera before it."""

    def __init__(self, page: Page, camera: Camera) -> None:
        self.page = page
        self.url = page.url
        self._camera = camera

    def shoot(self, name: str) -> None:
        """The till as it stands."""
        self._camera.take(self.page, name)

    def see(self, sight: str) -> None:
        """Until it is there."""
        self.page.wait_for_selector(sight)
        self.page.wait_for_load_state()

    def press(self, key: str, sight: str) -> None:
        """A key, and what it brings."""
        self.page.keyboard.press(key)
        self.see(sight)

    def click(self, what: str, sight: str) -> None:
        """A touch, and what it brings."""
        self.page.click(what)
        self.see(sight)

    def sign_in(self, who: tuple[str, str] = CASHIER) -> None:
        """Up to the next page, whichever it is."""
        self.page.fill("#staff", who[0])
        self.page.fill("#pin", who[1])
        self.press("Enter", "#date, #scan, #start")

    def sign_out(self) -> None:
        """Leave the till to the next."""
        self.page.click("summary")
        self.click("button:has-text('Sign out')", "#staff")

    def menu(self, entry: str, sight: str) -> None:
        """An entry of the menu under the person's name."""
        self.page.click("summary")
        self.click(f".menu__items >> text={entry}", sight)

    def scan(self, *codes: str) -> None:
        """Products into the basket, one line each."""
        for code in codes:
            before = self.page.locator("[data-line]").count()
            self.page.fill("#scan", code)
            self.page.keyboard.press("Enter")
            self.page.locator("[data-line]").nth(before).wait_for()

    def dialog(self, key: str, name: str) -> None:
        """A line's question, photographed and given up."""
        self.press(key, "#dialog dialog[open]")
        self.shoot(name)
        self.close()

    def close(self) -> None:
        """Give a question up."""
        self.page.keyboard.press("Escape")
        self.page.wait_for_selector("#dialog dialog[open]", state="detached")

    def approve(self, who: tuple[str, str] = MANAGER) -> None:
        """A manager's number and PIN, where they are asked for."""
        self.see("#manager")
        self.page.fill("#manager", who[0])
        self.page.fill("#manager-pin", who[1])
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector("#manager", state="detached")

    def sell(self, *codes: str) -> str:
        """A sale for cash, to the cent; its number."""
        self.scan(*codes)
        self.press("F9", "#amount")
        self.press("F9", "#number")
        number = self.page.inner_text("#number")
        self.press("Escape", ".shelf")
        return number
