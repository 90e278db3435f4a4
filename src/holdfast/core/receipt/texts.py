"""Every sentence that stands on a receipt, in one place, so that a language is one table.

The till's page has these among its own, so that screen and paper say the same.
"""

TEXTS: dict[str, str] = {
    "receipt.kind.sale": "Receipt",
    "receipt.kind.return": "Return",
    "receipt.number": "Number",
    "receipt.date": "Date",
    "receipt.business-date": "Business date",
    "receipt.register": "Register",
    "receipt.served-by": "Served by",
    "receipt.approved-by": "Approved by",
    "receipt.customer": "Customer",
    "receipt.points-earned": "Points earned with this",
    "receipt.points-back": "Points taken back",
    "receipt.tax-id": "Tax number {id}",
    "receipt.product": "Product",
    "receipt.amount": "Amount",
    "receipt.each": "{quantity} × {price}",
    "receipt.total": "Total",
    "receipt.rounding": "Rounding",
    "receipt.taxes": "Taxes",
    "receipt.tax": "Tax",
    "receipt.net": "Net",
    "receipt.gross": "Gross",
    "receipt.copy": "COPY, printed {at}",
    "receipt.at-register": "Register {register}",
    "receipt.thanks": "Thank you",
    "mail.subject": "Receipt {number} of {shop}",
    # what is said of a line
    "extra.price": "Price changed from {price}: {reason}",
    "extra.from": "From {number}",
    "extra.discount": "Discount",
    "extra.share": "Share of the discount",
    # tenders
    "pay.cash": "Cash",
    "pay.change": "Change",
    "pay.card": "Card",
    "pay.refunded.card": "Refunded to card",
    "pay.slip": "{name}, slip {reference}",
    "pay.paid": "Paid",
    "pay.by.gift_card": "Gift card …{end}",
    "pay.by.credit_memo": "Credit memo …{end}",
    "pay.by.points": "Points",
    "pay.by.on_account": "On account",
    "pay.back.gift_card": "Refunded to gift card …{end}",
    "pay.back.credit_memo": "Refunded to credit memo …{end}",
    "pay.back.points": "Refunded to points",
    "pay.back.on_account": "Refunded to the account",
    "value.balance": "{what}: balance {amount}",
    "value.memo": "Credit memo over {amount}, number:",
    "value.memo-keep": "Whoever brings this number can spend it. Keep it.",
    "pay.refunded": "Refunded",
    "pay.refunded.cash": "Refunded in cash",
    "pay.foreign": "{amount} at {rate}",
}


def text(key: str, /, **values: object) -> str:
    """The text for `key` with its blanks filled in."""
    found = TEXTS[key]
    return found.format(**values) if values else found
