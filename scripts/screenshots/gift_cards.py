"""The pictures of gift cards and credit memos: sold, paid with, and what the line that drops does to both."""

import csv
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser

from holdfast.demo.chain import Chain
from holdfast.demo.line import LineMode
from scripts.screenshots.camera import Camera
from scripts.screenshots.driver import MANAGER, Till, page_of

REGISTER = "R01"


def photograph_gift_cards(browser: Browser, chain: Chain, camera: Camera) -> None:
    """R01 with one card, online and through an outage; its line is up afterwards."""
    number = _prepared(chain)
    with page_of(browser, chain.registers[REGISTER].url) as page:
        till = Till(page, camera)
        till.sign_in(MANAGER)
        if page.locator("#date").count():
            till.click("button:has-text('Open the day')", "#scan")
        till.click("nav >> text=Gift cards", "#card-number")
        till.shoot("till-gift-cards")
        page.fill("#card-number", number)
        till.press("Enter", "#card-amount")
        page.fill("#card-amount", "25")
        till.shoot("till-gift-card")
        till.press("Enter", "[data-line]")
        till.shoot("till-gift-sold")
        till.press("F9", "#amount")
        till.press("F9", "#number")
        till.see("text=the new balance is")
        till.shoot("till-gift-balance")
        till.press("Escape", ".shelf")
        till.scan("MILK1", "CHEDD")
        till.press("F9", "#amount")
        till.click(".currency:has-text('Gift card')", "#held-number")
        page.fill("#held-number", number)
        till.press("Enter", ".held__row")
        till.shoot("till-gift-held")
        chain.switch(REGISTER, LineMode.CUT)
        till.see("#warning dialog[open]")
        page.keyboard.press("Enter")
        page.wait_for_selector("#warning dialog[open]", state="detached")
        till.click(".held__row button:has-text('Take')", ".notice--bad")
        till.shoot("till-gift-offline")
        till.click("button:has-text('Take off')", ".notice--ok")
        till.press("Escape", ".shelf")
        till.click("text=Void all", "#dialog dialog[open]")
        till.click("text=Void transaction", ".shelf")
    chain.switch(REGISTER, LineMode.UP)


def _prepared(chain: Chain) -> str:
    """The number of a card that head office prepared."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "cards.csv"
        words = ["hq", "gift-cards", "make", "--count", "1", "--out", str(file)]
        home = ["--home", str(chain.head_office.home)]
        subprocess.run(
            [sys.executable, "-m", "holdfast", *words, *home], check=True, capture_output=True, timeout=120
        )
        with file.open(encoding="utf-8") as rows:
            return next(csv.DictReader(rows))["number"]
