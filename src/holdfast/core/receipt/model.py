"""The receipt as text: what the law wants on it, from a document and what is known of the shop (PO8)."""

from collections.abc import Mapping

import msgspec

from holdfast.core.loyalty.points import told_points
from holdfast.core.receipt.figures import Figures
from holdfast.core.receipt.issued import Issued
from holdfast.core.receipt.tenders import given
from holdfast.core.receipt.texts import text
from holdfast.core.sale import Sale, SaleLine, Tender
from holdfast.core.tender import CHANGE
from holdfast.core.totals import drawer_minor

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Shop(msgspec.Struct, frozen=True, kw_only=True):
    """What a receipt says of the shop, whatever was sold."""

    register: str
    header: tuple[str, ...]
    """The store's name first."""
    address: tuple[str, ...] = ()
    tax_id: str = ""
    footer: tuple[str, ...] = ()
    tax_names: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    """Tax code → its name."""


class ReceiptLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line as it was charged."""

    description: str
    tax_letter: str
    quantity: str
    unit_price: str
    amount: str
    extras: tuple[str, ...]


class ReceiptSum(msgspec.Struct, frozen=True, kw_only=True):
    """A name and an amount: the total, the rounding, a tender, the change."""

    name: str
    amount: str
    is_total: bool = False


class ReceiptTax(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the tax table."""

    letter: str
    name: str
    net: str
    tax: str
    gross: str


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that stands on a receipt, on screen, paper or in a mail."""

    sale: Sale
    kind: str
    copy: str
    """Said of what was printed before; empty on the original."""
    at: str
    business_date_text: str
    register: str
    served_by: str
    header: tuple[str, ...]
    address: tuple[str, ...]
    tax_id: str
    footer: tuple[str, ...]
    lines: tuple[ReceiptLine, ...]
    sums: tuple[ReceiptSum, ...]
    taxes: tuple[ReceiptTax, ...]
    note: str
    given: tuple[ReceiptSum, ...]
    """Each tender as it passed over the counter, without change."""
    change_minor: int
    """What went back to the customer, positive."""
    points_name: str = ""
    """What stands before the points; empty: the receipt says nothing of any (LY4)."""
    points: str = ""

    @property
    def cash_minor(self) -> int:
        """Home cash that came, less what went out."""
        return drawer_minor(self.sale)


def receipt_of(
    issued: Issued, shop: Shop, figures: Figures, *, served_by: str, copy_at_ms: int | None = None
) -> Receipt:
    """The receipt of a document; `copy_at_ms`: it was printed before, and is printed again then."""
    sale = issued.sale
    copy = ""
    if copy_at_ms is not None:
        copy = text("receipt.copy", at=figures.stamped(copy_at_ms, issued.offset_min))
    return Receipt(
        sale=sale,
        kind=text("receipt.kind.return" if issued.type == "return" else "receipt.kind.sale"),
        copy=copy,
        at=figures.stamped(issued.at_ms, issued.offset_min),
        business_date_text=figures.date(issued.business_date),
        register=shop.register,
        served_by=served_by,
        header=shop.header,
        address=shop.address,
        tax_id=text("receipt.tax-id", id=shop.tax_id) if shop.tax_id else "",
        footer=shop.footer,
        lines=tuple(_line(line, _letter(sale, line), figures) for line in sale.lines),
        sums=_sums(sale, figures),
        taxes=_taxes(sale, shop, figures),
        note=sale.note,
        given=tuple(_tender(tender, figures) for tender in sale.tenders if tender.kind != CHANGE),
        change_minor=-sum(tender.amount_minor for tender in sale.tenders if tender.kind == CHANGE),
        **_points(told_points(sale)),
    )


def _points(points: int) -> dict[str, str]:
    if not points:
        return {}
    name = text("receipt.points-earned" if points > 0 else "receipt.points-back")
    return {"points_name": name, "points": f"{abs(points)}"}


def _letter(sale: Sale, line: SaleLine) -> str:
    codes = [tax.tax_code for tax in sale.taxes]
    return _LETTERS[codes.index(line.tax_code) % 26] if line.tax_code in codes else ""


def _line(line: SaleLine, letter: str, figures: Figures) -> ReceiptLine:
    return ReceiptLine(
        description=line.description,
        tax_letter=letter,
        quantity=figures.quantity(line.quantity_milli, line.unit),
        unit_price=figures.unit_price(line.unit_price_e4),
        amount=figures.money(line.amount_minor),
        extras=tuple(line_extras(line, figures)),
    )


def _sums(sale: Sale, figures: Figures) -> tuple[ReceiptSum, ...]:
    sums = [ReceiptSum(name=text("receipt.total"), amount=figures.money(sale.total_minor), is_total=True)]
    if sale.rounding_minor:
        sums.append(ReceiptSum(name=text("receipt.rounding"), amount=figures.money(sale.rounding_minor)))
    return (*sums, *(_tender(tender, figures) for tender in sale.tenders))


def _tender(tender: Tender, figures: Figures) -> ReceiptSum:
    said = given(tender, figures)
    return ReceiptSum(name=said.name, amount=said.amount)


def _taxes(sale: Sale, shop: Shop, figures: Figures) -> tuple[ReceiptTax, ...]:
    return tuple(
        ReceiptTax(
            letter=_LETTERS[at % 26],
            name=f"{shop.tax_names.get(tax.tax_code, tax.tax_code)} {figures.rate(tax.rate_e6)}",
            net=figures.money(tax.net_minor),
            tax=figures.money(tax.tax_minor),
            gross=figures.money(tax.net_minor + tax.tax_minor),
        )
        for at, tax in enumerate(sale.taxes)
    )


def line_extras(line: SaleLine, figures: Figures) -> list[str]:
    """What else is to be said of a line: a changed price, what was taken off, whence it comes back."""
    extras: list[str] = []
    if line.list_price_e4 is not None:
        extras.append(
            text("extra.price", price=figures.unit_price(line.list_price_e4), reason=line.override_reason)
        )
    for discount in line.discounts:
        what = text("extra.discount" if discount.kind == "line" else "extra.share")
        percent = f" {figures.percent(discount.percent_e2)}" if discount.percent_e2 else ""
        reason = f", {discount.reason}" if discount.reason else ""
        off = figures.money(-discount.amount_minor).replace("-", "-\N{WORD JOINER}")  # a sign ends no line
        extras.append(f"{what}{percent}{reason}: {off}")
    if line.original is not None:
        extras.append(text("extra.from", number=line.original.document))
    if line.note:
        extras.append(line.note)
    return extras
