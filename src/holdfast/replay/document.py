"""A document of history to the body that the journal stores: the same structs as a cashier's sale."""

from collections.abc import Callable

from holdfast.core.ids import DocumentNumber, StaffId, TransactionId
from holdfast.core.invariants import broken_invariants
from holdfast.core.money import CURRENCIES, Currency, line_amount_minor
from holdfast.core.sale import (
    AccountAdjusted,
    ExternalDocument,
    Sale,
    SaleLine,
    StockAdjusted,
    StockLine,
    Tender,
)
from holdfast.core.tax import TaxKey, tax_totals
from holdfast.core.tender import IMPORTED
from holdfast.replay.history import HistoryDocument

BY = StaffId("replay")
"""Who entered it: nobody at a till."""
TAX = TaxKey("history", 0, True)
"""History does not say which tax its prices hold, so none is taken out of them."""
_RULE = "half-up"

Body = Sale | StockAdjusted | AccountAdjusted


def body_maker(document: HistoryDocument, currency: str) -> Callable[[DocumentNumber], Body]:
    """From a document number to the body; what does not depend on the number is done once."""
    money = CURRENCIES[currency]
    external = ExternalDocument(
        reference=document.reference, business_date=document.business_date, country=document.country
    )
    if document.type in ("sale", "return"):
        return _sale_maker(document, money, external)
    lines = _stock_lines(document)
    if document.type == "stock_adjusted":
        return lambda number: StockAdjusted(
            document=number,
            reason="written off in the history taken over",
            lines=lines,
            at_ms=document.began_at_ms,
            by=BY,
            customer=document.customer,
            external=external,
        )
    amount = sum(
        line_amount_minor(line.quantity_milli, line.unit_price_e4, money, _RULE) for line in document.lines
    )
    return lambda number: AccountAdjusted(
        document=number,
        reason="adjusted in the history taken over",
        currency=money.code,
        lines=lines,
        amount_minor=amount,
        at_ms=document.began_at_ms,
        by=BY,
        customer=document.customer,
        external=external,
    )


def _sale_maker(
    document: HistoryDocument, money: Currency, external: ExternalDocument
) -> Callable[[DocumentNumber], Sale]:
    lines = tuple(
        SaleLine(
            line=number,
            sku=line.sku,
            description=line.description,
            quantity_milli=line.quantity_milli,
            unit_price_e4=line.unit_price_e4,
            amount_minor=line_amount_minor(line.quantity_milli, line.unit_price_e4, money, _RULE),
            tax_code=TAX.code,
            scanned_s=line.scanned_s,
        )
        for number, line in enumerate(document.lines, 1)
    )
    total = sum(line.amount_minor for line in lines)
    taxes = tax_totals(((TAX, line.amount_minor) for line in lines), _RULE)

    def make(number: DocumentNumber) -> Sale:
        sale = Sale(
            document=number,
            transaction=TransactionId(f"history-{document.reference}"),
            currency=money.code,
            lines=lines,
            taxes=taxes,
            tenders=(Tender(kind=IMPORTED, amount_minor=total),),
            total_minor=total,
            began_at_ms=document.began_at_ms,
            by=BY,
            customer=document.customer,
            external=external,
        )
        broken = broken_invariants(sale)
        assert not broken, f"a document that does not add up: {broken}"
        return sale

    return make


def _stock_lines(document: HistoryDocument) -> tuple[StockLine, ...]:
    return tuple(
        StockLine(
            line=number,
            sku=line.sku,
            quantity_milli=line.quantity_milli,
            description=line.description,
            unit_price_e4=line.unit_price_e4,
        )
        for number, line in enumerate(document.lines, 1)
    )
