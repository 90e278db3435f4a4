"""How a receipt is on its way to paper or mail, in words: the small sign on its page (PO8)."""

from typing import Literal

import msgspec

from holdfast.core.ids import DocumentNumber
from holdfast.register.receipts.jobs import Mailed, Printed, z_number
from holdfast.register.receipts.outbox import Carried, Outbox, PrinterTrouble
from holdfast.register.web.messages import say

Weight = Literal["ok", "wait", "bad"]

_PAPER_WAITS = {
    "gone": "paper.waits.gone",
    "silent": "paper.waits.silent",
    "paper": "paper.waits.paper",
    "cover": "paper.waits.cover",
    "offline": "paper.waits.offline",
    "error": "paper.waits.error",
}
_PRINTER = {
    "gone": "printer.gone",
    "silent": "printer.silent",
    "paper": "printer.paper",
    "cover": "printer.cover",
    "offline": "printer.offline",
    "error": "printer.error",
    "low": "printer.low",
}
_MAIL_WAITS = {"login": "mail.waits.login", "tls": "mail.waits.tls"}
_MAIL_GIVEN_UP = {"address": "mail.given-up.address", "too-old": "mail.given-up.too-old"}


class Sign(msgspec.Struct, frozen=True):
    """One sentence about a receipt's way."""

    text: str
    weight: Weight
    can_try: bool = False
    """It waits for the printer, and somebody may have put paper in just now."""


def signs_of(carried: Carried, *, expected: bool = False) -> tuple[Sign, ...]:
    """`expected`: the receipt is new, and prints by itself in a moment."""
    printed = carried.print
    signs = [_printed(printed)] if printed else []
    if expected and printed is None:
        signs = [Sign(say("paper.printing"), "ok")]
    if carried.mail is not None:
        signs.append(_mailed(carried.mail))
    return tuple(signs)


def _printed(job: Printed) -> Sign:
    is_report = job.what != "receipt"
    match job.state:
        case "printed" if is_report:
            return Sign(say("paper.report.printed"), "ok")
        case "waits" if is_report and job.cause:
            cause = say(_PRINTER.get(job.cause, "printer.gone"))
            return Sign(say("paper.report.waits", cause=cause), "wait", can_try=True)
        case "printed":
            return Sign(say("paper.copy-printed" if job.is_copy else "paper.printed"), "ok")
        case "waits" if job.cause:
            return Sign(say(_PAPER_WAITS.get(job.cause, "paper.waits.gone")), "wait", can_try=True)
        case "unsure":
            return Sign(say("paper.unsure"), "bad")
        case "given-up":
            return Sign(say("paper.given-up"), "bad")
        case _:
            return Sign(say("paper.report.printing" if is_report else "paper.printing"), "ok")


def _mailed(job: Mailed) -> Sign:
    match job.state:
        case "sent":
            return Sign(say("mail.sent"), "ok")
        case "given-up":
            return Sign(say(_MAIL_GIVEN_UP.get(job.cause, "mail.given-up.mail")), "bad")
        case _ if job.cause:
            return Sign(say(_MAIL_WAITS.get(job.cause, "mail.waits.line")), "wait")
        case _:
            return Sign(say("mail.sending"), "ok")


def printer_text(trouble: PrinterTrouble | None) -> str:
    """For the bar that is always there; empty where nothing is wrong."""
    if trouble is None:
        return ""
    said: list[str] = [say("printer.drawer")] if trouble.is_drawer_stuck else []
    if trouble.cause:
        said.append(say(_PRINTER.get(trouble.cause, "printer.gone")))
    if trouble.waiting:
        said.append(
            say("printer.waiting.one" if trouble.waiting == 1 else "printer.waiting", count=trouble.waiting)
        )
    if trouble.unsure:
        said.append(say("printer.unsure", what=_what(trouble.unsure)))
    return " ".join(said)


def _what(job: Printed) -> str:
    """A receipt or a report, as it is called in a sentence."""
    match job.what:
        case "z":
            return say("z.name", number=z_number(job.document))
        case "x":
            return say("x.name")
        case _:
            return say("paper.receipt.is", number=job.document)


def event_of(number: DocumentNumber) -> str:
    """The stream's event that tells of one receipt."""
    return f"paper-{number}"


def parts_of(outbox: Outbox, number: DocumentNumber, *, expected: bool = False) -> dict[str, object]:
    """What `work/carry.html` shows."""
    return {
        "number": number,
        "event": event_of(number),
        "signs": signs_of(outbox.carried(number), expected=expected and outbox.has_printer),
        "has_printer": outbox.has_printer,
        "has_mail": outbox.has_mail,
    }
