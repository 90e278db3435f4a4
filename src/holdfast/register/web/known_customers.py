"""What this till knows of one customer: the feed's word, or its own where that is newer."""

from holdfast.core.customers import CustomerRow, newer_of
from holdfast.core.ids import CustomerNumber
from holdfast.register.checkout import Checkout
from holdfast.register.web.shelf import Shelf


def row_of(checkout: Checkout, shelf: Shelf, number: str) -> CustomerRow | None:
    """Of the number, or of whom it was merged into; None where nobody here knows it."""
    fed = shelf.customer(number)
    here = checkout.customer_here(CustomerNumber(number) if fed is None else fed.number)
    row = newer_of(here, fed)
    if row is not None and checkout.customer_forgotten(row.number):
        return CustomerRow(number=row.number, forgotten=True)
    return row


def name_of(checkout: Checkout, shelf: Shelf, number: str) -> str:
    """Empty where the person is not known here, or was forgotten."""
    row = row_of(checkout, shelf, number)
    return "" if row is None or row.details is None else row.details.name
