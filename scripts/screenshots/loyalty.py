"""The pictures of loyalty and on account: asked at a start, warned of, paid by; R02 alone has it."""

import time

from playwright.sync_api import Browser

from holdfast.core.loyalty.parameters import IN_USE
from holdfast.core.parameters import Scope
from holdfast.core.refusals import Refusal
from holdfast.demo.chain import Chain
from holdfast.demo.line import LineMode
from holdfast.hq.cli_parts import services_of
from holdfast.hq.parameters.book import Draft
from scripts.screenshots.camera import Camera
from scripts.screenshots.driver import WAIT_MS, Till, page_of

REGISTER = "R02"
CUSTOMER = "Ottilie Farthing"


def photograph_loyalty(browser: Browser, chain: Chain, camera: Camera) -> None:
    """R02 from online to a start with its line cut; afterwards it is as it was."""
    place = chain.registers[REGISTER]
    _in_use(chain, True)
    with page_of(browser, place.url) as page:
        till = Till(page, camera)
        till.sign_in()
        if page.locator("#date").count():
            till.click("button:has-text('Open the day')", "#scan")
        till.see(".status__line--loyalty-on")
        till.press("F11", "#who")
        till.click("button:has-text('Create a customer')", "#customer-name")
        page.fill("#customer-name", CUSTOMER)
        till.press("Enter", "#points")
        number = str(page.locator(".ticket__customer").get_attribute("hx-get")).rpartition("=")[2]
        till.sell("6*WATER", "CHEDD")
        _credit(chain, number)
        _choose(till)
        till.see("#points:has-text('points')")
        till.press("F11", "#who")
        till.click("button:has-text('Payment on account')", "#account-amount")
        till.shoot("till-account-payment")
        till.close()
        till.scan("MILK2", "SOURD")
        till.press("F9", "[hx-post='/pay/account']")
        till.shoot("till-pay-customer")
        till.press("Escape", ".shelf")
        chain.switch(REGISTER, LineMode.CUT)
        till.see("#warning dialog[open]")
        till.shoot("till-outage-loyalty")
        page.keyboard.press("Enter")
        page.wait_for_selector("#warning dialog[open]", state="detached")
        _choose(till)
        till.see(".loyalty-missing")
        till.shoot("till-loyalty-missing")
        till.click("text=Void all", "#dialog dialog[open]")
        till.click("text=Void transaction", ".shelf")
        till.sign_out()
        till.sign_in()
        till.see("#start")
        till.shoot("till-start-loyalty")
        till.press("Enter", "#scan")
    chain.switch(REGISTER, LineMode.UP)
    _in_use(chain, False)


def _choose(till: Till) -> None:
    till.press("F11", "#who")
    till.page.fill("#who", CUSTOMER)
    till.press("Enter", ".customer .button--primary")
    till.press("Enter", "#points")


def _in_use(chain: Chain, is_so: bool) -> None:
    draft = Draft(name=IN_USE, scope=Scope("register", REGISTER), value=is_so)
    with services_of(chain.head_office.home) as services:
        services.head_office.parameters.make(draft, by="ann", reason="Pilot")


def _credit(chain: Chain, number: str) -> None:
    """As soon as head office has heard of the customer."""
    deadline = time.monotonic() + WAIT_MS / 1_000
    with services_of(chain.head_office.home) as services:
        credit = services.head_office.credit
        while isinstance(credit.set_limit(number, 25_000, "EUR", by="ann", reason="Contract"), Refusal):
            assert time.monotonic() < deadline, "head office hears of the customer"
            time.sleep(0.1)
