"""A till's page as a cashier uses it."""

import contextlib
import re
from collections.abc import Iterator
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

WAIT_MS = 30_000
"""For a busy machine; nothing here is a measurement."""
CASHIER = ("1", "1111")
MANAGER = ("9", "9999")

MILK = "2000000010076"
CHEDDAR = "2000000010359"
CRISPS = "2000000011332"


class TillPage:
    """Sells on one till. Keys go to the page as a scanner or a keyboard sends them."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url

    @classmethod
    @contextlib.contextmanager
    def open(
        cls, browser: Browser, url: str, *, viewport: ViewportSize | None = None, dark: bool = False
    ) -> Iterator["TillPage"]:
        """In a browser of its own; a script error or a refused resource fails the test."""
        context = browser.new_context(
            viewport=viewport or {"width": 1280, "height": 800}, color_scheme="dark" if dark else "light"
        )
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        try:
            page.goto(url)
            yield cls(page, url)
            assert not errors, f"the page's scripts failed: {errors}"
        finally:
            context.close()

    # ---- before selling ----------------------------------------------------------------------

    def begin(self) -> None:
        """Signed in, the day open, nothing in the basket."""
        self.sign_in()
        self.open_day()
        if self.warning.count():  # of an outage in a transaction that an earlier test left open
            self.page.click("text=Continue")
            expect(self.warning).to_have_count(0, timeout=WAIT_MS)
        if self.page.locator("[data-line]").count():
            self.void()

    def sign_in(self, who: tuple[str, str] = CASHIER) -> None:
        self.page.fill("#staff", who[0])
        self.page.fill("#pin", who[1])
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector("#date, #scan")

    def open_day(self) -> None:
        if self.page.locator("#date").count():
            self.page.click("button:has-text('Open the day')")
        self.page.wait_for_selector("#scan")

    # ---- selling -----------------------------------------------------------------------------

    def scan(self, code: str, name: str) -> None:
        """As a scanner does: quick keys, then Enter. Waits until the line is there."""
        before = self.lines.count()
        self.page.keyboard.type(code)
        self.page.keyboard.press("Enter")
        expect(self.lines).to_have_count(before + 1, timeout=WAIT_MS)
        expect(self.lines.last).to_contain_text(name)

    def pay_exact(self) -> str:
        """By keyboard; the receipt's number."""
        self.page.keyboard.press("F9")
        self.page.wait_for_selector("#amount")
        self.page.keyboard.press("F9")
        return self.number()

    def pay(self, amount: str) -> None:
        """Type what the customer hands over."""
        if not self.page.locator("#amount").count():
            self.page.keyboard.press("F9")
            self.page.wait_for_selector("#amount")
        self.page.keyboard.type(amount)
        self.page.keyboard.press("Enter")

    def void(self) -> None:
        """Give the transaction up."""
        self.page.click("text=Void all")
        self.page.click("text=Void transaction")
        expect(self.lines).to_have_count(0, timeout=WAIT_MS)

    def number(self) -> str:
        """Of the receipt that was just given."""
        return self.page.inner_text("#number")

    def change(self) -> str:
        return self.page.inner_text("#change")

    # ---- looking -----------------------------------------------------------------------------

    @property
    def lines(self) -> Locator:
        return self.page.locator("[data-line]")

    @property
    def total(self) -> Locator:
        return self.page.locator("#total")

    @property
    def status(self) -> Locator:
        return self.page.locator("#status")

    @property
    def warning(self) -> Locator:
        return self.page.locator("#warning dialog[open]")

    @property
    def dialog(self) -> Locator:
        return self.page.locator("#dialog dialog[open]")

    def expect_status(self, *texts: str) -> None:
        """The status line says all of it, now or soon."""
        for text in texts:
            expect(self.status).to_contain_text(re.compile(text), timeout=WAIT_MS)

    def violations(self) -> list[dict[str, Any]]:
        """What axe finds wrong on the page."""
        found = Axe().run(self.page).response["violations"]
        return [
            {
                "rule": each["id"],
                "help": each["help"],
                "nodes": [node["html"][:200] for node in each["nodes"]],
            }
            for each in found
        ]

    def small_targets(self) -> list[str]:
        """Buttons and fields in sight that a finger would miss: less than 44 px high or wide."""
        return self.page.evaluate(
            """() => [...document.querySelectorAll("button, input:not([type=hidden]), summary, a")]
                .filter((element) => !element.matches("[type=checkbox], [type=radio]"))
                .map((element) => [element, element.getBoundingClientRect()])
                .filter(([, box]) => box.width && box.height && (box.width < 43.5 || box.height < 43.5))
                .map(([element, box]) => `${element.outerHTML.slice(0, 80)} ${box.width}x${box.height}`)"""
        )
