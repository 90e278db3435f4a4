"""Receipts in a browser: on screen, on a printer, in a mailbox, and back by their code (PO8, PO4)."""

import contextlib
import email
import email.policy
import re
import time
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from playwright.sync_api import Browser, Page, expect

from holdfast.core.connection import Mode
from holdfast.demo.chain import Chain, Place
from holdfast.demo.line import LineMode
from holdfast.infra.config import RegisterConfig, RegisterHome, change_settings
from holdfast.infra.keys import DatabaseKey, SigningKey
from holdfast.register.sync.reference import Catalogue, read_reference
from tests.browser.conftest import wait_standing
from tests.browser.till_page import CASHIER, CHEDDAR, CRISPS, MANAGER, WAIT_MS, TillPage
from tests.escpos_printer import FakePrinter
from tests.office import free_port

ADDRESS = "ada@example.com"


class Mailbox:
    """A real mail server on loopback."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.controller = Controller(self, hostname="127.0.0.1", port=free_port())

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        found = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(found, EmailMessage)
        self.mails.append(found)
        return "250 OK"


class Surroundings:
    """What stands beside the till R02."""

    def __init__(self, chain: Chain, printer: FakePrinter, mailbox: Mailbox) -> None:
        self.chain = chain
        self.printer = printer
        self.mailbox = mailbox

    @property
    def place(self) -> Place:
        return self.chain.registers["R02"]


def set_up(place: Place, **settings: str | int | bool) -> None:
    """As `holdfast register printer set` and `mail set` do; a till takes it up when it is started."""
    change_settings(RegisterHome(place.home).config, RegisterConfig, settings)
    place.end()
    place.start()
    place.wait_ready()


@pytest.fixture(scope="module")
def beside(running_chain: Chain) -> Iterator[Surroundings]:
    """The register R02 with a printer and a mail server, until the module's last test."""
    mailbox = Mailbox()
    mailbox.controller.start()
    place = running_chain.registers["R02"]
    with FakePrinter() as printer:
        port = mailbox.controller.port
        set_up(
            place,
            printer=printer.address,
            mail_server=f"127.0.0.1:{port}",
            mail_security="none",
            mail_from="receipts@shop.example",
        )
        yield Surroundings(running_chain, printer, mailbox)
        set_up(place, printer="", mail_server="")
    mailbox.controller.stop()


@pytest.fixture
def printing_till(browser: Browser, chain: Chain, beside: Surroundings) -> Iterator[TillPage]:
    """R02, a cashier signed in, the printer well."""
    beside.printer.paper = True
    with TillPage.open(browser, beside.place.url) as page:
        page.begin()
        yield page


def signs(page: Page) -> Any:
    return expect(page.locator(".carry__signs"))


def test_a_receipt_is_on_screen_on_paper_and_in_the_mail(
    printing_till: TillPage, beside: Surroundings
) -> None:
    """PO8: and nothing of it is waited for."""
    page, already = printing_till.page, len(beside.printer.pages)
    printing_till.scan(CHEDDAR, "cheddar")
    number = printing_till.pay_exact()
    signs(page).to_contain_text("The receipt is printed.")
    printed = beside.printer.await_pages(already + 1)[-1]
    assert number.encode() in printed
    assert b"COPY" not in printed
    assert beside.printer.kicks, "cash goes into the drawer"
    for wanted in (number, "cheddar", "Business date", "Served by"):
        expect(page.locator(".paper")).to_contain_text(wanted)
    page.click("summary:has-text('E-mail')")
    page.fill("#mail-address", "no address")
    page.keyboard.press("Enter")
    expect(page.locator(".carry .notice--bad")).to_contain_text("name@example.com")
    page.fill("#mail-address", ADDRESS)
    page.keyboard.press("Enter")
    signs(page).to_contain_text("The receipt is mailed.")
    [mail] = beside.mailbox.mails
    assert (mail["To"], number in mail["Subject"]) == (ADDRESS, True)
    assert not printing_till.violations()
    assert not printing_till.small_targets()


def test_a_receipt_waits_for_its_printer_and_no_sale_does(
    printing_till: TillPage, beside: Surroundings
) -> None:
    """PO8: out of paper is told on the receipt and in the bar; what waits prints once the paper is in."""
    page, printer, already = printing_till.page, beside.printer, len(beside.printer.pages)
    printer.paper = False
    printing_till.scan(CRISPS, "crisps")
    first = printing_till.pay_exact()
    signs(page).to_contain_text("Receipt waits: the printer is out of paper.")
    printing_till.expect_status("Printer out of paper")
    printing_till.scan(CRISPS, "crisps")
    second = printing_till.pay_exact()
    assert first != second
    signs(page).to_contain_text("Receipt waits")
    assert not printing_till.violations()
    assert not printing_till.small_targets()
    printer.paper = True
    page.click("text=Print what waits")
    expect(page.locator("#notice")).to_contain_text("Trying the printer now.")
    signs(page).to_contain_text("The receipt is printed.")
    pages = printer.await_pages(already + 2)[already:]
    assert [number.encode() in page for number, page in zip((first, second), pages, strict=True)] == [
        True
    ] * 2
    expect(printing_till.status).not_to_contain_text("Printer")


def test_a_receipt_is_printed_again_and_says_that_it_is_a_copy(
    printing_till: TillPage, beside: Surroundings
) -> None:
    """PO4: by keyboard alone, from the list of receipts."""
    page = printing_till.page
    printing_till.scan(CRISPS, "crisps")
    number = printing_till.pay_exact()
    signs(page).to_contain_text("The receipt is printed.")
    already = len(beside.printer.pages)
    printing_till.press("F10", ".document")
    page.locator(f".document:has-text('{number}')").focus()
    page.keyboard.press("Enter")
    page.locator("button:has-text('Print again')").focus()
    page.keyboard.press("Enter")
    signs(page).to_contain_text("The copy is printed.")
    copy = beside.printer.await_pages(already + 1)[-1]
    assert b"COPY, printed" in copy
    assert number.encode() in copy


def test_reports_are_printed_and_wait_for_the_printer(browser: Browser, beside: Surroundings) -> None:
    """PO5: an X report by keyboard; a Z report by itself once there is paper, and again on its page."""
    printer = beside.printer
    printer.paper = True
    with TillPage.open(browser, beside.place.url) as till:
        till.sign_in(MANAGER)
        till.open_day()
        page = till.page
        till.menu("Cash")
        kicks = printer.kicks
        page.click("text=Open the drawer")
        page.click(".chip >> nth=0")
        page.click("#dialog button:has-text('Open the drawer')")
        expect(page.locator("#notice")).to_contain_text("The drawer opens. It is on record.")
        page.locator("[hx-post='/cash/x']").focus()
        page.keyboard.press("Enter")
        page.locator("[hx-post='/cash/x/print']").focus()
        page.keyboard.press("Enter")
        signs(page).to_contain_text("The report is printed.")
        assert b"X report" in printer.pages[-1]
        assert printer.kicks == kicks + 1, "before what is printed"
        assert not till.violations()
        assert not till.small_targets()
        printer.paper, already = False, len(printer.pages)
        till.close_day()
        expect(page.locator(".notice--ok")).to_contain_text("It prints by itself.")
        till.expect_status("Printer out of paper. 1 waits to be printed.")
        printer.paper = True
        page.click("text=Print Z report")
        till.arrive(".paper")
        signs(page).to_contain_text("The report is printed.")
        [z] = printer.await_pages(already + 1)[already:]
        assert (page.locator(".paper__kind").text_content() or "-").encode() in z
        assert b"COPY" not in z
        page.click("text=Print again")
        signs(page).to_contain_text("The report is printed.")
        assert b"COPY, printed" in printer.await_pages(already + 2)[-1]
        assert not till.violations()
        assert not till.small_targets()


def code_on(printed: bytes) -> str:
    """As a scanner reads it off the paper."""
    found = re.search(rb"HF1[0-9A-Z]{100,}", printed)
    assert found is not None, printed
    return found[0].decode()


def await_key(reader: Place, signer: Place) -> None:
    """Until a register has heard of another one's key."""
    home = RegisterHome(reader.home)
    key_id = SigningKey.load(RegisterHome(signer.home).signing_key).key_id
    deadline = time.monotonic() + WAIT_MS / 1_000
    while time.monotonic() < deadline:
        with contextlib.closing(read_reference(home, DatabaseKey.load(home.database_key))) as reference:
            if Catalogue(reference).register_key(key_id) is not None:
                return
        time.sleep(0.1)
    raise AssertionError("the feed of registers' keys does not arrive")


def test_goods_come_back_on_another_tills_code_and_never_twice(
    till: TillPage, printing_till: TillPage, beside: Surroundings
) -> None:
    """PO8, PO3: the paper of R02 at R01, which has never seen that sale, with the line cut; a forged code is
    refused."""
    already = len(beside.printer.pages)
    printing_till.scan(CRISPS, "crisps")
    printing_till.scan(CRISPS, "crisps")
    number = printing_till.pay_exact()
    code = code_on(beside.printer.await_pages(already + 1)[-1])
    await_key(beside.chain.registers["R01"], beside.place)
    beside.chain.switch("R01", LineMode.CUT)
    wait_standing(beside.chain, "R01", lambda standing: standing.mode == Mode.OFFLINE.value)
    page = till.page
    till.send_code(code)
    expect(page.locator("#notice")).to_contain_text(f"Receipt {number}")
    expect(page.locator("#notice")).to_contain_text("is genuine")
    till.scan(CRISPS, "crisps")
    till.scan(CRISPS, "crisps")
    till.send_code(CRISPS)
    expect(page.locator("#notice")).to_contain_text("only")
    expect(till.lines).to_have_count(2)
    till.press("F9", ".payment__exact")
    page.click("text=in cash")
    page.wait_for_selector("#number")
    expect(page.locator(".paper")).to_contain_text(f"From {number}")
    till.press("Escape", "#scan")
    till.send_code(code)
    expect(page.locator("#notice")).to_contain_text("was used already")
    changed = "0" if code[40] != "0" else "1"
    till.send_code(code[:40] + changed + code[41:])
    expect(page.locator("#notice")).to_contain_text("forged")
    expect(till.lines).to_have_count(0)


def test_the_page_of_a_receipt_is_in_order_dark_and_large(browser: Browser, beside: Surroundings) -> None:
    """At the largest size, in the dark, with the question for an address open."""
    with TillPage.open(
        browser, beside.place.url, viewport={"width": 1920, "height": 1080}, dark=True
    ) as till:
        till.sign_in(CASHIER)
        till.press("F10", ".document")
        till.page.locator(".document").first.click()
        till.page.click("summary:has-text('E-mail')")
        expect(till.page.locator("#mail-address")).to_be_visible()
        assert not till.violations()
        assert not till.small_targets()
