"""Whether more came back on a receipt than was sold on it: what only head office can know (PO8, PO3)."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from holdfast.core.ids import DocumentNumber
from holdfast.core.money import CURRENCIES, plain_amount

NAMED_MAX = 5
"""So many returns are named; of more, the last ones."""


class SoldLine(msgspec.Struct, frozen=True):
    """A line of the receipt."""

    line: int
    quantity_milli: int


class CameBack(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a return that names the receipt. Quantity and amount are positive."""

    document: DocumentNumber
    """The return's own number."""
    register: str
    date: str
    line: int
    """Of the receipt; 0 where only its code was known."""
    quantity_milli: int
    amount_minor: int


def returned_twice(
    receipt: DocumentNumber,
    sold: Sequence[SoldLine],
    total_minor: int,
    currency: str,
    returns: Sequence[CameBack],
) -> str | None:
    """What to tell people, naming the returns; None where no more came back than was sold.

    By line where the line is known, else by what was paid. `sold` is empty where the receipt's own document
    never arrived: then nothing can be said.
    """
    if not sold:
        return None
    quantity_milli = Counter({line.line: line.quantity_milli for line in sold})
    back_milli: Counter[int] = Counter()
    for back in returns:
        back_milli[back.line] += back.quantity_milli
    over_line = any(back_milli[line] > quantity_milli[line] for line in back_milli if line)
    back_minor = sum(back.amount_minor for back in returns)
    if not over_line and back_minor <= total_minor:
        return None
    numbers = dict.fromkeys(back.document for back in returns)
    by_number = {back.document: back for back in returns}
    named = ", ".join(
        f"{number} (register {by_number[number].register}, {by_number[number].date})"
        for number in list(numbers)[-NAMED_MAX:]
    )
    money = CURRENCIES.get(currency)
    paid, back_text = (
        (plain_amount(total_minor, money), plain_amount(back_minor, money))
        if money
        else (str(total_minor), str(back_minor))
    )
    return (
        f"On receipt {receipt} of {paid} goods for {back_text} came back, by {len(numbers)} returns: {named}"
    )
