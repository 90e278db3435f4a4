"""The receipt as text: what the law wants on it, from a document and what is known of the shop (PO8)."""

from collections.abc import Iterator, Mapping

import msgspec

from holdfast.core.central.accounts import NUMBERED, WORDS, Kind
from holdfast.core.central.numbers import spelled
from holdfast.core.central.sentences import balance_later
from holdfast.core.loyalty.points import told_points
from holdfast.core.receipt.figures import Figures
from holdfast.core.receipt.issued import Issued
from holdfast.core.receipt.tenders import given
from holdfast.core.receipt.texts import text
from holdfast.core.sale import Sale, SaleLine, TaxTotal, Tender
from holdfast.core.tax import NO_TURNOVER
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
    values: tuple[str, ...] = ()
    """What is to be said of gift cards and memos: their balances, or that those follow; a memo's number."""
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
        values=tuple(_values(sale, figures)),
        **_points(told_points(sale)),
    )


def _values(sale: Sale, figures: Figures) -> Iterator[str]:
    for movement in sale.values:
        if movement.kind is Kind.ON_ACCOUNT and movement.later:
            yield balance_later(WORDS[movement.kind])
        if movement.kind not in NUMBERED:
            continue
        if movement.number:
            yield text("value.memo", amount=figures.money(movement.amount))
            yield spelled(movement.number)
            yield text("value.memo-keep")
        elif not movement.later:
            what = f"{WORDS[movement.kind]} …{movement.number_end}"
            said = text("value.balance", what=what, amount=figures.money(movement.after))
            yield said[0].upper() + said[1:]
        if movement.later:
            yield balance_later(WORDS[movement.kind])


def _points(points: int) -> dict[str, str]:
    if not points:
        return {}
    name = text("receipt.points-earned" if points > 0 else "receipt.points-back")
    return {"points_name": name, "points": f"{abs(points)}"}


def _letter(sale: Sale, line: SaleLine) -> str:
    codes = [tax.tax_code for tax in _taxed(sale)]
    return _LETTERS[codes.index(line.tax_code) % 26] if line.tax_code in codes else ""


def _taxed(sale: Sale) -> list[TaxTotal]:
    """Value that is carried over bears no tax, and is no row of the table."""
    return [tax for tax in sale.taxes if tax.tax_code != NO_TURNOVER.code]


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
        for at, tax in enumerate(_taxed(sale))
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
