"""The receipt as it is shown: what the law wants on it, as text (PO8)."""

import io
from collections.abc import Callable, Mapping, Sequence

import msgspec
import segno

from holdfast.core.sale import Sale, SaleLine, Tender
from holdfast.core.tender import CHANGE
from holdfast.register.checkout import DocumentRow
from holdfast.register.web.formats import Formats
from holdfast.register.web.messages import say
from holdfast.register.web.tendering import given

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class ReceiptLine(msgspec.Struct, frozen=True, kw_only=True):
    description: str
    tax_letter: str
    quantity: str
    unit_price: str
    amount: str
    extras: tuple[str, ...]


class ReceiptSum(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    amount: str
    is_total: bool = False


class ReceiptTax(msgspec.Struct, frozen=True, kw_only=True):
    letter: str
    name: str
    net: str
    tax: str
    gross: str


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the receipt's template prints."""

    sale: Sale
    kind: str
    at: str
    business_date_text: str
    served_by: str
    header: tuple[str, ...]
    footer: tuple[str, ...]
    lines: tuple[ReceiptLine, ...]
    sums: tuple[ReceiptSum, ...]
    taxes: tuple[ReceiptTax, ...]
    note: str
    given: tuple[ReceiptSum, ...]
    """Each tender as it passed over the counter, without change."""
    change_minor: int
    """What went back to the customer, positive."""

    @property
    def paid_minor(self) -> int:
        return sum(tender.amount_minor for tender in self.sale.tenders)


class ReceiptPrinter:
    """Makes receipts in one register's language and with its store's head and foot."""

    def __init__(
        self,
        fmt: Formats,
        *,
        header: Callable[[], Sequence[str]],
        footer: Callable[[], Sequence[str]],
        tax_names: Callable[[], Mapping[str, str]],
        staff_name: Callable[[str], str],
    ) -> None:
        self._fmt = fmt
        self._header = header
        self._footer = footer
        self._tax_names = tax_names
        self._staff_name = staff_name

    def receipt(self, sale: Sale, row: DocumentRow) -> Receipt:
        """`row` says when it was concluded and for which business date."""
        at = self._fmt.date_time(row.at_ms)
        date = self._fmt.date(row.business_date)
        return Receipt(
            sale=sale,
            kind=say("word.return" if row.type == "return" else "receipt.kind.sale"),
            at=at,
            business_date_text=date,
            served_by=self._staff_name(sale.by),
            header=tuple(self._header()),
            footer=tuple(self._footer()),
            lines=tuple(self._line(line, self._letter(sale, line)) for line in sale.lines),
            sums=tuple(self._sums(sale)),
            taxes=tuple(self._taxes(sale)),
            note=sale.note,
            given=tuple(self._tender(tender) for tender in sale.tenders if tender.kind != CHANGE),
            change_minor=-sum(tender.amount_minor for tender in sale.tenders if tender.kind == CHANGE),
        )

    def _letter(self, sale: Sale, line: SaleLine) -> str:
        codes = [tax.tax_code for tax in sale.taxes]
        return _LETTERS[codes.index(line.tax_code) % 26] if line.tax_code in codes else ""

    def _line(self, line: SaleLine, letter: str) -> ReceiptLine:
        return ReceiptLine(
            description=line.description,
            tax_letter=letter,
            quantity=self._fmt.quantity(line.quantity_milli, line.unit),
            unit_price=self._fmt.unit_price(line.unit_price_e4),
            amount=self._fmt.money(line.amount_minor),
            extras=tuple(line_extras(line, self._fmt)),
        )

    def _sums(self, sale: Sale) -> list[ReceiptSum]:
        money = self._fmt.money
        sums = [ReceiptSum(name=say("receipt.total"), amount=money(sale.total_minor), is_total=True)]
        if sale.rounding_minor:
            sums.append(ReceiptSum(name=say("receipt.rounding"), amount=money(sale.rounding_minor)))
        return sums + [self._tender(tender) for tender in sale.tenders]

    def _tender(self, tender: Tender) -> ReceiptSum:
        said = given(tender, self._fmt)
        return ReceiptSum(name=said.name, amount=said.amount)

    def _taxes(self, sale: Sale) -> list[ReceiptTax]:
        names, money = self._tax_names(), self._fmt.money
        return [
            ReceiptTax(
                letter=_LETTERS[at % 26],
                name=f"{names.get(tax.tax_code, tax.tax_code)} {self._fmt.rate(tax.rate_e6)}",
                net=money(tax.net_minor),
                tax=money(tax.tax_minor),
                gross=money(tax.net_minor + tax.tax_minor),
            )
            for at, tax in enumerate(sale.taxes)
        ]


def code_image(number: str) -> bytes:
    """The receipt's number as a QR code, SVG: what a scanner reads when goods come back."""
    out = io.BytesIO()
    segno.make(number, error="m").save(out, kind="svg", scale=3, border=1, light="#fff")
    return out.getvalue()


def line_extras(line: SaleLine, fmt: Formats) -> list[str]:
    """What else is to be said of a line: a changed price, what was taken off, whence it comes back."""
    extras = []
    if line.list_price_e4 is not None:
        extras.append(
            say("extra.price", price=fmt.unit_price(line.list_price_e4), reason=line.override_reason)
        )
    for discount in line.discounts:
        what = say("extra.discount" if discount.kind == "line" else "extra.share")
        percent = f" {fmt.percent(discount.percent_e2)}" if discount.percent_e2 else ""
        reason = f", {discount.reason}" if discount.reason else ""
        off = fmt.money(-discount.amount_minor).replace("-", "-\N{WORD JOINER}")  # a sign ends no line
        extras.append(f"{what}{percent}{reason}: {off}")
    if line.original is not None:
        extras.append(say("extra.from", number=line.original.document))
    if line.note:
        extras.append(line.note)
    return extras
