"""Receipts of this register: the model of `core.receipt` in its language, with its head and foot (PO8)."""

import io
from collections.abc import Callable

import segno

from holdfast.core.receipt.issued import Issued
from holdfast.core.receipt.model import Receipt, Shop, receipt_of
from holdfast.register.web.formats import Formats

CODE_ERROR = "m"
"""Correction level: a fingerprint or a fold may take a seventh of the picture away."""


class ReceiptMaker:
    """Makes receipts in one register's language and with its store's head and foot, as they are now."""

    def __init__(self, fmt: Formats, *, shop: Callable[[], Shop], staff_name: Callable[[str], str]) -> None:
        self._fmt = fmt
        self._shop = shop
        self._staff_name = staff_name

    def receipt(self, issued: Issued, *, copy_at_ms: int | None = None) -> Receipt:
        """`copy_at_ms`: it was printed before, and is printed again then."""
        return receipt_of(
            issued, self._shop(), self._fmt, served_by=self._staff_name(issued.sale.by), copy_at_ms=copy_at_ms
        )


def code_image(code: str) -> bytes:
    """A receipt's code as a QR code, SVG: what a scanner reads when goods come back."""
    out = io.BytesIO()
    segno.make(code, error=CODE_ERROR).save(out, kind="svg", scale=3, border=1, light="#fff")
    return out.getvalue()
