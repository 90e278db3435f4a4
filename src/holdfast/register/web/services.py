"""Everything that the till's routes share, made once by `register/serve.py`."""

from collections.abc import Callable
from dataclasses import dataclass

from litestar.di import NamedDependency

from holdfast.core.ids import StaffId
from holdfast.infra.clock import Clock
from holdfast.infra.web import Wakeups
from holdfast.register.web.desk import Desk
from holdfast.register.web.formats import Formats
from holdfast.register.web.messages import say
from holdfast.register.web.pages import Pages
from holdfast.register.web.people import People
from holdfast.register.web.receipts import ReceiptPrinter
from holdfast.register.web.sessions import Sessions
from holdfast.register.web.shelf import Shelf
from holdfast.register.web.status import Status, status_of
from holdfast.register.web.watch import Watch


@dataclass(frozen=True)
class Services:
    """One register's till, as its routes see it."""

    desk: Desk
    shelf: Shelf
    people: People
    sessions: Sessions
    watch: Watch
    wakeups: Wakeups
    pages: Pages
    fmt: Formats
    printer: ReceiptPrinter
    clock: Clock
    send_now: Callable[[], None]
    """Ask the sync process to try at once."""
    in_use: Callable[[], None]
    """Tell it that somebody is at the till."""

    def status(self) -> Status:
        """The status line as of now."""
        watch = self.watch
        return status_of(
            watch.link, watch.owed, self.fmt, self.clock.now_ms(), sync_lost_ms=watch.sync_lost_ms()
        )

    def outage_since_ms(self) -> int | None:
        """Names the outage to warn of; None: there is none that nobody has read of."""
        outage = self.watch.outage
        return outage.since_ms if outage else None


Given = NamedDependency[Services]
"""How a handler asks for them."""


def printer_of(fmt: Formats, shelf: Shelf, *, register: str, store: str) -> ReceiptPrinter:
    """Receipts with the head and foot that head office's parameters give, or else the store's own name."""

    def lines(parameter: str, default: list[str]) -> list[str]:
        return [str(line)[:80] for line in shelf.parameter(parameter, default)][:12]

    def staff_name(number: str) -> str:
        found = shelf.staff(StaffId(number))
        return found.name if found else number

    return ReceiptPrinter(
        fmt,
        header=lambda: lines("receipt.header", [store]),
        footer=lambda: lines(
            "receipt.footer", [say("receipt.at-register", register=register), say("receipt.thanks")]
        ),
        tax_names=shelf.tax_names,
        staff_name=staff_name,
    )
