"""The process that prints and mails: each receipt by itself at most once, and no address kept (PO8, P5)."""

import contextlib
import email
import email.policy
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiosmtpd.controller import Controller

from holdfast.core.ids import DocumentNumber
from holdfast.infra.clock import ManualClock
from holdfast.infra.config import RegisterConfig, RegisterHome, change_settings
from holdfast.infra.keys import DatabaseKey
from holdfast.register.checkout import Checkout
from holdfast.register.printing import MAIL_AGAIN_MS, Clerk, Desk, Postman
from holdfast.register.receipts import printers
from holdfast.register.receipts.jobs import (
    KICK_FAILED_SHOWN_MS,
    KICK_WITHIN_MS,
    MAIL_WAITS_MS,
    PRINT_WAITS_MS,
    PRINTS_WAITING_MAX,
    Jobs,
    open_jobs,
    z_name,
)
from holdfast.register.sync.reference import open_reference
from holdfast.register.web.carrying import printer_text
from tests.escpos_printer import FakePrinter
from tests.office import free_port
from tests.register_fixture import CASHIER, MANAGER, make_outbox, make_register, sell_one, selling
from tests.unit.core.shop import BEGAN_MS, done

ADDRESS = "ada@example.com"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printers, "DONE_S", 1.0)


@pytest.fixture
def printer() -> Iterator[FakePrinter]:
    with FakePrinter() as fake:
        yield fake


class Shop:
    """A register that sells, and beside it what prints and mails; started as often as a test likes."""

    def __init__(self, folder: Path, **settings: str | int | bool) -> None:
        self.home: RegisterHome = make_register(folder / "till")
        change_settings(self.home.config, RegisterConfig, settings)
        open_reference(self.home, DatabaseKey.load(self.home.database_key)).close()
        self.clock = ManualClock(BEGAN_MS)
        self._undo = ExitStack()
        self.checkout: Checkout = self._undo.enter_context(selling(self.home, self.clock))
        self.desk: Desk | None = None
        self.begin()

    def begin(self) -> None:
        """As after a restart of the process; the former one ended at some instruction."""
        if self.desk is not None:
            self.desk.close()
        self.desk = Desk(self.home, self.clock)

    def close(self) -> None:
        if self.desk is not None:
            self.desk.close()
        self._undo.close()

    @property
    def jobs(self) -> Jobs:
        assert self.desk is not None
        return self.desk.jobs

    def clerk(self) -> Clerk:
        assert self.desk is not None
        return Clerk(self.desk)

    def postman(self) -> Postman:
        assert self.desk is not None
        return Postman(self.desk)

    def sell(self) -> DocumentNumber:
        return sell_one(self.checkout).document

    def state(self, number: DocumentNumber) -> tuple[str, str]:
        found = self.jobs.print_of(number)
        assert found is not None
        return found.state, found.cause


@pytest.fixture
def shop(tmp_path: Path, printer: FakePrinter) -> Iterator[Shop]:
    opened = Shop(tmp_path, printer=printer.address)
    with contextlib.closing(opened):
        yield opened


# ---- printing ----------------------------------------------------------------------------------


def test_what_is_sold_prints_by_itself_once_and_nothing_of_before(shop: Shop, printer: FakePrinter) -> None:
    before = shop.sell()
    clerk = shop.clerk()
    numbers = [shop.sell(), shop.sell()]
    clerk.turn()
    pages = printer.await_pages(2)
    assert [number.encode() in page for number, page in zip(numbers, pages, strict=True)] == [True, True]
    assert not any(b"COPY" in page for page in pages)
    clerk.turn()
    assert len(printer.pages) == 2
    assert shop.jobs.print_of(before) is None
    assert [shop.state(number) for number in numbers] == [("printed", ""), ("printed", "")]


def test_a_restart_goes_on_where_it_was(shop: Shop, printer: FakePrinter) -> None:
    shop.clerk().turn()
    first = shop.sell()
    shop.begin()
    shop.clerk().turn()
    second = shop.sell()
    shop.begin()
    shop.clerk().turn()
    assert [
        number.encode() in page for number, page in zip((first, second), printer.await_pages(2), strict=True)
    ]
    shop.begin()
    shop.clerk().turn()
    assert len(printer.pages) == 2


@pytest.mark.parametrize(("state", "cause"), [({"paper": False}, "paper"), ({"cover_shut": False}, "cover")])
def test_a_receipt_waits_for_its_printer_and_prints_when_it_is_back(
    shop: Shop, printer: FakePrinter, state: dict[str, bool], cause: str
) -> None:
    clerk = shop.clerk()
    for name, value in state.items():
        setattr(printer, name, value)
    number = shop.sell()
    for _ in range(3):
        clerk.turn()
    assert shop.state(number) == ("waits", cause)
    assert shop.jobs.printer()[0] == cause
    assert printer.pages == []
    for name in state:
        setattr(printer, name, True)
    clerk.turn()
    printer.await_pages(1)
    assert shop.state(number) == ("printed", "")
    assert shop.jobs.printer()[0] == ""


def test_a_printer_that_was_switched_off_prints_what_waited_in_order(
    shop: Shop, printer: FakePrinter
) -> None:
    clerk = shop.clerk()
    printer.switch_off()
    numbers = [shop.sell() for _ in range(3)]
    clerk.turn()
    assert {shop.state(number) for number in numbers} == {("waits", "gone")}
    shop.begin()
    clerk = shop.clerk()
    printer.switch_on()
    clerk.turn()
    assert [number.encode() in page for number, page in zip(numbers, printer.await_pages(3), strict=True)]


def test_one_that_dies_half_way_is_for_a_person_and_holds_up_nobody(shop: Shop, printer: FakePrinter) -> None:
    clerk = shop.clerk()
    printer.dies_after = 200
    broken = shop.sell()
    clerk.turn()
    assert shop.state(broken)[0] == "unsure"
    printer.dies_after = None
    following = shop.sell()
    clerk.turn()
    assert shop.state(following) == ("printed", "")
    assert shop.state(broken)[0] == "unsure", "not again by itself"
    shop.jobs.print_again(broken, shop.clock.now_ms())
    clerk.turn()
    assert b"COPY, printed" in printer.await_pages(3)[-1]


def test_a_process_that_ends_in_the_middle_prints_nothing_twice(shop: Shop, printer: FakePrinter) -> None:
    shop.clerk()
    number = shop.sell()
    shop.jobs.take_in([number], 1 << 62, shop.clock.now_ms(), z_cursor=0)
    job = shop.jobs.next_print()
    assert job is not None
    shop.jobs.begin_print(job, shop.clock.now_ms())
    shop.begin()
    shop.clerk().turn()
    assert shop.state(number) == ("unsure", "stopped")
    assert printer.pages == []


def test_a_copy_says_so_each_time(shop: Shop, printer: FakePrinter) -> None:
    clerk = shop.clerk()
    number = shop.sell()
    clerk.turn()
    for _ in range(2):
        shop.jobs.print_again(number, shop.clock.now_ms())
    clerk.turn()
    original, *copies = printer.await_pages(3)
    assert b"COPY" not in original
    assert all(b"COPY, printed" in copy for copy in copies)


def test_who_has_gone_gets_no_receipt_and_too_many_do_not_wait(shop: Shop, printer: FakePrinter) -> None:
    clerk = shop.clerk()
    printer.paper = False
    old = shop.sell()
    clerk.turn()
    shop.clock.advance(PRINT_WAITS_MS + 1)
    fresh = [shop.sell() for _ in range(PRINTS_WAITING_MAX + 1)]
    clerk.turn()
    clerk.turn()
    assert shop.state(old)[0] == "given-up"
    assert shop.state(fresh[0])[0] == "given-up"
    assert shop.state(fresh[1])[0] == "waits"
    assert shop.jobs.prints_waiting() == PRINTS_WAITING_MAX


def test_a_printer_that_is_set_anew_begins_with_what_is_sold_then(shop: Shop, printer: FakePrinter) -> None:
    shop.clerk().turn()
    shop.jobs.no_printer()
    unprinted = shop.sell()
    shop.begin()
    clerk = shop.clerk()
    shop.sell()
    clerk.turn()
    printer.await_pages(1)
    assert shop.jobs.print_of(unprinted) is None


def test_a_queue_that_cannot_be_read_is_begun_anew_and_prints_nothing_again(
    shop: Shop, printer: FakePrinter
) -> None:
    shop.clerk().turn()
    shop.sell()
    assert shop.desk is not None
    shop.desk.close()
    shop.desk = None
    shop.home.receipts.write_bytes(b"no database" * 1_000)
    shop.begin()
    clerk = shop.clerk()
    number = shop.sell()
    clerk.turn()
    assert [number.encode() in page for page in printer.await_pages(1)] == [True]
    assert shop.home.receipts.with_name("receipts.db.damaged").exists()


# ---- reports -----------------------------------------------------------------------------------


def close_day(shop: Shop) -> None:
    """Close what is open, and open the next day."""
    done(shop.checkout.close_day(by=CASHIER))
    done(shop.checkout.open_day(by=CASHIER, approved_by=MANAGER))


def test_a_z_report_prints_by_itself_once_through_a_printer_without_paper_and_a_restart(
    shop: Shop, printer: FakePrinter
) -> None:
    close_day(shop)
    shop.clerk().turn()
    number = shop.sell()
    printer.paper = False
    close_day(shop)
    clerk = shop.clerk()
    clerk.turn()
    assert shop.state(z_name(2)) == ("waits", "paper")
    shop.clock.advance(PRINT_WAITS_MS + 1)
    clerk.turn()
    assert shop.state(number)[0] == "given-up", "its customer has gone"
    shop.begin()
    printer.paper = True
    shop.clerk().turn()
    [page] = printer.await_pages(1)
    assert b"Z report 2" in page
    assert b"COPY" not in page
    assert number.encode() in page, "its first and last receipt"
    assert shop.jobs.print_of(z_name(1)) is None, "closed before there was a printer"
    shop.begin()
    shop.clerk().turn()
    shop.jobs.print_z(1, shop.clock.now_ms())
    shop.clerk().turn()
    again = printer.await_pages(2)[-1]
    assert b"Z report 1" in again
    assert b"COPY, printed" in again
    assert len(printer.pages) == 2


def test_a_queue_of_before_reports_were_printed_goes_on_with_the_next_one(
    shop: Shop, printer: FakePrinter
) -> None:
    close_day(shop)
    shop.clerk().turn()
    shop.jobs._connection.execute("update cursor set z = null")  # pyright: ignore[reportPrivateUsage]
    shop.begin()
    clerk = shop.clerk()
    clerk.turn()
    close_day(shop)
    clerk.turn()
    assert b"Z report 2" in printer.await_pages(1)[0]
    assert shop.jobs.print_of(z_name(1)) is None


# ---- the drawer --------------------------------------------------------------------------------


def test_the_drawer_opens_once_for_each_act_and_never_for_a_copy(shop: Shop, printer: FakePrinter) -> None:
    clerk = shop.clerk()
    number = shop.sell()
    clerk.turn()
    assert printer.kicks == 1
    shop.jobs.print_again(number, shop.clock.now_ms())
    clerk.turn()
    shop.begin()
    shop.clerk().turn()
    printer.await_pages(2)
    assert printer.kicks == 1
    till = make_outbox(shop.home, shop.clock)
    till.open_drawer("no-sale")
    till.open_drawer("no-sale")  # the same act once more
    shop.clerk().turn()
    assert printer.kicks == 2
    printer.paper = False
    waits = shop.sell()
    shop.clerk().turn()
    assert (printer.kicks, shop.state(waits)) == (3, ("waits", "paper")), "change needs no paper"


def test_a_drawer_that_did_not_open_is_said_and_does_not_open_later(shop: Shop, printer: FakePrinter) -> None:
    till, clerk = make_outbox(shop.home, shop.clock), shop.clerk()
    printer.switch_off()
    shop.sell()
    clerk.turn()
    trouble = till.trouble()
    assert trouble is not None
    assert trouble.is_drawer_stuck
    printer.switch_on()
    clerk.turn()
    printer.await_pages(1)
    shop.sell()
    shop.clock.advance(KICK_WITHIN_MS)
    clerk.turn()
    printer.await_pages(2)
    assert printer.kicks == 0, "nobody stands before it any more"
    till.open_drawer("drop")
    kick = shop.jobs.next_kick()
    assert kick is not None
    shop.jobs.begin_kick(kick, shop.clock.now_ms())
    shop.begin()
    shop.clerk().turn()
    assert printer.kicks == 0, "the process ended at the pulse: nobody knows, and a person has the key"
    trouble = till.trouble()
    assert trouble is not None
    assert "use its key" in printer_text(trouble)
    shop.clock.advance(KICK_FAILED_SHOWN_MS + 1)
    assert till.trouble() is None


# ---- mailing -----------------------------------------------------------------------------------


@dataclass
class Mailbox:
    """A real mail server on loopback; a test tells it what to answer."""

    answer: str = "250 OK"
    recipient: str = "250 OK"
    mails: list[EmailMessage] = field(default_factory=list[EmailMessage])

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if self.recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            found = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(found, EmailMessage)
            self.mails.append(found)
        return self.answer


@dataclass
class MailShop:
    shop: Shop
    box: Mailbox
    controller: Controller

    def mail(self) -> DocumentNumber:
        number = self.shop.sell()
        assert self.shop.jobs.mail(number, ADDRESS, self.shop.clock.now_ms())
        return number

    def state(self, number: DocumentNumber) -> tuple[str, str]:
        found = self.shop.jobs.mail_of(number)
        assert found is not None
        return found.state, found.cause

    def kept(self) -> bool:
        """Whether the address stands anywhere in the queue."""
        rows = self.shop.jobs._connection.execute(  # pyright: ignore[reportPrivateUsage]
            "select count(*) from mail_job where address is not null"
        ).fetchall()
        return rows != [(0,)]


@pytest.fixture
def mail_shop(tmp_path: Path) -> Iterator[MailShop]:
    box, port = Mailbox(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    shop = Shop(
        tmp_path,
        mail_server=f"127.0.0.1:{port}",
        mail_security="none",
        mail_from="receipts@shop.example",
    )
    controller.start()
    with contextlib.closing(shop):
        yield MailShop(shop, box, controller)
    with contextlib.suppress(AssertionError, RuntimeError):
        controller.stop()


def test_a_receipt_is_mailed_with_its_code_and_the_address_forgotten(mail_shop: MailShop) -> None:
    number = mail_shop.mail()
    mail_shop.shop.postman().turn()
    [mail] = mail_shop.box.mails
    assert (mail["To"], mail["From"]) == (ADDRESS, "receipts@shop.example")
    assert number in mail["Subject"]
    assert number in mail["Message-ID"]
    plain = mail.get_body(("plain",))
    assert plain is not None
    assert number in plain.get_content()
    assert "Mug, blue" in plain.get_content()
    assert [part.get_content_type() for part in mail.walk() if part.get_content_maintype() == "image"] == [
        "image/png"
    ]
    assert mail_shop.state(number) == ("sent", "")
    assert not mail_shop.kept()


def test_a_line_that_is_away_is_waited_for(mail_shop: MailShop) -> None:
    mail_shop.controller.stop()
    number = mail_shop.mail()
    postman = mail_shop.shop.postman()
    postman.turn()
    assert mail_shop.state(number) == ("waits", "gone")
    assert mail_shop.kept()
    again = Controller(mail_shop.box, hostname="127.0.0.1", port=mail_shop.controller.port)
    again.start()
    try:
        postman.turn()
        assert mail_shop.box.mails == [], "not before its time"
        mail_shop.shop.clock.advance(MAIL_AGAIN_MS[0])
        postman.turn()
        assert mail_shop.state(number) == ("sent", "")
    finally:
        again.stop()


@pytest.mark.parametrize(
    ("answer", "recipient", "state"),
    [
        ("250 OK", "550 no such user ada@example.com", ("given-up", "address")),
        ("554 spam", "250 OK", ("given-up", "mail")),
        ("451 later", "250 OK", ("waits", "later")),
        ("250 OK", "450 busy", ("waits", "later")),
    ],
)
def test_what_the_mail_server_says_is_told_and_no_address_with_it(
    mail_shop: MailShop, answer: str, recipient: str, state: tuple[str, str]
) -> None:
    mail_shop.box.answer, mail_shop.box.recipient = answer, recipient
    number = mail_shop.mail()
    mail_shop.shop.postman().turn()
    assert mail_shop.state(number) == state
    assert mail_shop.kept() == (state[0] == "waits")


def test_an_address_is_kept_three_days_at_most(mail_shop: MailShop) -> None:
    mail_shop.controller.stop()
    number = mail_shop.mail()
    postman = mail_shop.shop.postman()
    postman.turn()
    mail_shop.shop.clock.advance(MAIL_WAITS_MS + 1)
    postman.turn()
    assert mail_shop.state(number) == ("given-up", "too-old")
    assert not mail_shop.kept()


def test_a_server_without_encryption_gets_no_receipt(tmp_path: Path, mail_shop: MailShop) -> None:
    """`starttls` is asked for and the server has none: nothing is sent in the clear."""
    shop = mail_shop.shop
    change_settings(shop.home.config, RegisterConfig, {"mail_security": "starttls"})
    shop.begin()
    number = mail_shop.mail()
    shop.postman().turn()
    assert mail_shop.state(number) == ("waits", "tls")
    assert mail_shop.box.mails == []


def test_no_address_is_in_the_journal_or_readable_on_the_disk(mail_shop: MailShop) -> None:
    mail_shop.mail()
    shop = mail_shop.shop
    for path in shop.home.data.iterdir():
        assert ADDRESS.encode() not in path.read_bytes(), path.name
    key = DatabaseKey.load(shop.home.database_key)
    with contextlib.closing(open_jobs(shop.home, key)) as jobs:
        assert jobs.execute("select address from mail_job").fetchall() == [(ADDRESS,)]
    entries = [shop.checkout.document(row.document) for row in shop.checkout.documents()]
    assert ADDRESS.encode() not in msgspec.json.encode(entries)
