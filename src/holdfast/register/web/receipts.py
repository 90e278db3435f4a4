"""Receipts of this register: the model of `core.receipt` in its language, with its head and foot (PO8)."""

import io
from collections.abc import Callable

import segno

from holdfast.core.ids import StaffId
from holdfast.core.receipt.issued import Issued
from holdfast.core.receipt.model import Receipt, Shop, receipt_of
from holdfast.register.receipts.codes import CODE_ERROR
from holdfast.register.web.formats import Formats
from holdfast.register.web.messages import say
from holdfast.register.web.shelf import Shelf

HEAD_LINES_MAX, HEAD_CHARS_MAX = 12, 80
"""Of a receipt's head, address or foot; what is more is left out."""


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


def maker_of(fmt: Formats, shelf: Shelf, *, register: str, store: str) -> ReceiptMaker:
    """Receipts with what head office's parameters say of the shop, or else the store's code."""

    def lines(name: str, default: list[str]) -> tuple[str, ...]:
        return tuple(str(line)[:HEAD_CHARS_MAX] for line in shelf.parameter(name, default))[:HEAD_LINES_MAX]

    def shop() -> Shop:
        return Shop(
            register=register,
            header=lines("receipt.header", [store]),
            address=lines("receipt.address", []),
            tax_id=shelf.parameter("receipt.tax_id", "")[:HEAD_CHARS_MAX],
            footer=lines(
                "receipt.footer", [say("receipt.at-register", register=register), say("receipt.thanks")]
            ),
            tax_names=shelf.tax_names(),
        )

    def staff_name(number: str) -> str:
        found = shelf.staff(StaffId(number))
        return found.name if found else number

    return ReceiptMaker(fmt, shop=shop, staff_name=staff_name)


def code_image(code: str) -> bytes:
    """A receipt's code as a QR code, SVG: what a scanner reads when goods come back."""
    out = io.BytesIO()
    segno.make(code, error=CODE_ERROR).save(out, kind="svg", scale=3, border=1, light="#fff")
    return out.getvalue()
