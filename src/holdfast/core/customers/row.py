"""One customer as head office's feed says it, and as the till knows it."""

import msgspec

from holdfast.core.bounds import id_refusal
from holdfast.core.customers.details import Details, details_refusal
from holdfast.core.ids import CustomerNumber
from holdfast.core.refusals import Refusal


class CustomerRow(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One row of the customers feed; key: the number.

    Exactly one of three: a customer with details, a number that was merged `into` another one, or one that
    was `forgotten`. The last stays in the feed for good, so that a register that comes back from a backup
    hears of it again.
    """

    number: CustomerNumber
    revision: int = 1
    """Grows with each change; of two words on one customer the higher counts."""
    details: Details | None = None
    into: CustomerNumber | None = None
    forgotten: bool = False


def customer_refusal(row: CustomerRow) -> Refusal | None:
    """Why a row of the feed cannot be used; None if it can."""
    if refusal := id_refusal("The customer's number", row.number):
        return refusal
    if (row.details is not None) + (row.into is not None) + row.forgotten != 1:
        return Refusal("customer.form", "A customer has details, or was merged, or was forgotten.")
    if row.into == row.number:
        return Refusal("customer.form", "A customer cannot be merged into itself.")
    return None if row.details is None else details_refusal(row.details)


def newer_of(here: CustomerRow | None, fed: CustomerRow | None) -> CustomerRow | None:
    """What counts of what this register wrote itself and what the feed says.

    Head office has the last word once it has heard of the change; that somebody was forgotten always counts.
    """
    if here is None or fed is None:
        return here or fed
    if fed.forgotten or fed.into is not None:
        return fed
    return fed if fed.revision >= here.revision else here
