"""A till's page as a cashier uses it."""

import contextlib
import re
import time
from collections.abc import Iterator
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

WAIT_MS = 60_000
"""For a busy machine; nothing here is a measurement."""
SCANNER_GAP_MS, PERSON_GAP_MS = 5, 60
"""Between two keys. By this alone a scanner is told from a person."""
CASHIER = ("1", "1111")
MANAGER = ("9", "9999")

CLOCK = r"(\d{1,2} \w{3} )?\d\d:\d\d"
"""A time on the status line: with its date where that is not today's, as around midnight."""

MILK = "2000000010076"
CHEDDAR = "2000000010359"
CRISPS = "2000000011332"


class TillPage:
    """Sells on one till. Keys go to the page as a scanner or a keyboard sends them."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self._devtools = page.context.new_cdp_session(page)
        self._key_at_s = 0.0

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
            self.go_on()
        if self.page.locator("[hx-get='/cash/shift']").count():  # an earlier test closed the last one
            self.open_shift()
        if self.page.locator("[data-line]").count():
            self.void()

    def sign_in(self, who: tuple[str, str] = CASHIER) -> None:
        self.page.fill("#staff", who[0])
        self.page.fill("#pin", who[1])
        self.page.keyboard.press("Enter")
        self.arrive("#date, #scan, #start")
        self.read_start()

    def read_start(self) -> None:
        """What is told where there is no connection is read, and work goes on."""
        if self.page.locator("#start").count():
            expect(self.page.locator(".gate__card--told button")).to_be_focused()  # *Continue*, or *Close*
            self.page.keyboard.press("Enter")
            self.arrive("#date, #scan")

    def open_day(self) -> None:
        if self.page.locator("#date").count():
            self.page.click("button:has-text('Open the day')")
            self.arrive("#scan, #start")
            self.read_start()
        self.arrive("#scan")

    def arrive(self, sight: str) -> None:
        """On another page, its scripts at work."""
        self.page.wait_for_selector(sight)
        self.page.wait_for_load_state()

    def open_shift(self) -> None:
        """With the float that is offered; the day goes on."""
        self.page.click("[hx-get='/cash/shift']")
        self.page.wait_for_selector("#float")
        self.page.click("button:has-text('Open a shift')")
        expect(self.page.locator("#notice")).to_contain_text("in the drawer")

    def close_shift(self, total: str | None = None) -> None:
        """Count the drawer in total, or not a cent of it. Waits until what was over or short is told."""
        self.menu("Cash")
        self.page.click("text=Count and close the shift")
        self.page.wait_for_selector(".count")
        for field in self.page.locator("input[name^=total-]").all():
            field.fill("0")
        if total is not None:
            self.page.locator("input[name^=total-]").first.fill(total)
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector(".cash__confirm")
        self.page.click("button:has-text('Close the shift')")
        self.page.wait_for_selector("#verdict")

    def close_day(self) -> None:
        """With its shift, if one is open; on the page that opens the next one."""
        self.ask_to_close_day()
        self.arrive("#date")

    def ask_to_close_day(self) -> None:
        """With its shift, if one is open. What comes of it is not waited for."""
        self.menu("Cash")
        if self.page.locator("text=Count and close the shift").count():
            self.close_shift()
        self.menu("Close the day")
        self.dialog.locator("button:has-text('Close the day')").click()

    def menu(self, entry: str) -> None:
        """An entry of the menu under the person's name, and the question or the page it opens."""
        self.page.click("summary")
        self.page.click(f".menu__items >> text={entry}")
        sight = "#dialog dialog[open]" if entry == "Close the day" else ".cash__shift"
        self.page.wait_for_selector(sight)

    # ---- selling -----------------------------------------------------------------------------

    def scan(self, code: str, name: str) -> None:
        """As a scanner does. Waits until the line is there."""
        before = self.lines.count()
        self.send_code(code)
        expect(self.lines).to_have_count(before + 1)
        expect(self.lines.last).to_contain_text(name)

    def send_code(self, code: str) -> None:
        """As a scanner does: quick keys, then Enter. Waits for nothing."""
        self.keys(code + "\r", SCANNER_GAP_MS)

    def type(self, text: str) -> None:
        """As a person does."""
        self.keys(text, PERSON_GAP_MS)

    def keys(self, text: str, gap_ms: float) -> None:
        """Keys that were pressed so long after each other, however busy this machine is: each says when."""
        for place, key in enumerate(text):
            pause_ms = gap_ms if place else max(gap_ms, PERSON_GAP_MS)
            self._key_at_s = max(self._key_at_s + pause_ms / 1_000, 0 if place else time.time())
            name = "Enter" if key == "\r" else key
            code = ord(key.upper()) if key.isalnum() or key == "\r" else 0
            event = {"key": name, "windowsVirtualKeyCode": code, "timestamp": self._key_at_s}
            self._devtools.send("Input.dispatchKeyEvent", {"type": "keyDown", "text": key, **event})
            self._devtools.send("Input.dispatchKeyEvent", {"type": "keyUp", **event})

    def press(self, key: str, sight: str) -> None:
        """A key and what it brings.

        A warning in between is read, as a cashier does: a busy machine may hear nothing for a second of a
        line that is well, and warn of it.
        """
        wanted = self.page.locator(sight)
        while not wanted.count():
            self.page.keyboard.press(key)
            expect(wanted.or_(self.warning).first).to_be_visible()
            if self.warning.count():
                self.go_on()  # whose answer comes after that of the key, if it was heard

    def go_on(self) -> None:
        """The warning was read."""
        self.page.click("text=Continue")
        expect(self.warning).to_have_count(0)

    def pay_exact(self) -> str:
        """By keyboard; the receipt's number."""
        self.press("F9", "#amount")
        self.press("F9", "#number")
        return self.number()

    def pay(self, amount: str) -> None:
        """Type what the customer hands over."""
        self.press("F9", "#amount")
        self.type(amount)
        self.page.keyboard.press("Enter")

    def void(self) -> None:
        """Give the transaction up."""
        self.page.click("text=Void all")
        self.page.click("text=Void transaction")
        expect(self.lines).to_have_count(0)

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
            expect(self.status).to_contain_text(re.compile(text))

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
