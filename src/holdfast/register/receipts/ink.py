"""A receipt as the bytes that an ESC/POS printer understands, made by python-escpos (PO8)."""

import tempfile
import unicodedata
from collections.abc import Sequence
from typing import Any

from holdfast.core.faults import ConfigurationFault
from holdfast.core.receipt.paper import PaperLine

QR_MODULE_DOTS = 4
"""About half a millimetre: a signed code is 25 mm wide on paper of 58 mm and more."""
_FEED_LINES = 4
"""Up to the edge where paper is torn off, without a cutter."""
_PLAIN = str.maketrans({"×": "x", "–": "-", "—": "-", "“": '"', "”": '"', "’": "'", "…": "...", "·": "-"})


def escpos() -> Any:
    """python-escpos. Imported here alone, and late: it reads half a megabyte of printers' manuals.

    On import it makes a folder for a pickle of those in the machine's temporary folder, and would read one
    that somebody else put there: it gets a folder of its own, which goes again.
    """
    former = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="holdfast-escpos-") as folder:
        tempfile.tempdir = folder
        try:
            import escpos.exceptions
            import escpos.printer
        finally:
            tempfile.tempdir = former
    return escpos


def ink(lines: Sequence[PaperLine], code: str, *, charset: str, cuts: bool) -> bytes:
    """The receipt's bytes. `code`: what its picture holds; where it stands, a line has the weight `code`.

    ConfigurationFault for a character set that ESC/POS printers do not have.
    """
    constants = escpos().constants
    device = escpos().printer.Dummy()
    device.hw("INIT")
    choose_charset(device, charset)
    for line in lines:
        if line.weight == "code":
            device.ln()
            device.set(align="center")
            device.qr(code, ec=constants.QR_ECLEVEL_M, size=QR_MODULE_DOTS, native=True)
            device.set(align="left")
            device.ln()
        device.set(bold=line.weight == "bold")
        device.text(written(line.text, device) + "\n")
    device.set(bold=False)
    device.cut() if cuts else device.ln(_FEED_LINES)
    return device.output


def choose_charset(device: Any, charset: str) -> None:
    """ConfigurationFault where no printer has it."""
    known = sorted(name for name in device.profile.get_code_pages() if name != "Unknown")
    if charset.upper() not in {name.upper() for name in known}:
        raise ConfigurationFault(
            f"printer_charset = {charset!r} is no character set of a receipt printer. There are: "
            f"{', '.join(known)}."
        )
    device.charcode(charset)


def written(text: str, device: Any) -> str:
    """The text in characters that the printer has: an accent less rather than a question mark."""
    encoder, encoding = device.magic.encoder, device.magic.encoding
    return "".join(
        character if encoder.can_encode(encoding, character) else _nearest(character) for character in text
    )


def _nearest(character: str) -> str:
    plain = unicodedata.normalize("NFKD", character.translate(_PLAIN))
    return "".join(part for part in plain if not unicodedata.combining(part)) or character
