"""What simulated registers write: sample sales, and entries of a version that is not out yet."""

import random
from collections.abc import Sequence

from holdfast.core.foreign_cash import CurrencyRate
from holdfast.core.ids import CustomerNumber, DocumentNumber, IncarnationId, Sku, TransactionId
from holdfast.core.journal.bodies import TYPES
from holdfast.core.journal.entry import BodyRegistry
from holdfast.core.journal.writer import Stamp
from holdfast.core.sale import ExternalDocument, Sale, SaleLine, TaxTotal, TransactionVoided
from holdfast.core.sync.messages import Challenge
from holdfast.simulation.payment import in_parts, pay

HISTORY_DATE = "2026-01-05"
"""Of every document that is taken over from another system."""

HOLOGRAM = Challenge(nonce=b"?", incarnation=IncarnationId("?"), time_ms=0)
"""The body of an entry that nobody of today knows."""

TOMORROW = BodyRegistry(
    {**TYPES, ("sale", 2): Sale, ("day_opened", 9): type(HOLOGRAM), ("hologram", 1): type(HOLOGRAM)}
)
"""What head office can read after its upgrade."""


def chance_of(chance: random.Random, reference: str | None) -> random.Random:
    """What history says under a reference is the same wherever it is entered."""
    return chance if reference is None else random.Random(reference)


def sample_sale(
    chance: random.Random,
    number: str,
    stamp: Stamp,
    sign: int,
    reference: str | None,
    description: str,
    rates: Sequence[CurrencyRate],
) -> Sale:
    """A document of one to four lines, in order in every sum, paid in one of many ways."""
    lines = tuple(
        SaleLine(
            line=line,
            sku=Sku(f"P{chance.randrange(30):02d}"),
            description=description,
            quantity_milli=sign * 1000 * chance.randrange(1, 5),
            unit_price_e4=0,
            amount_minor=sign * chance.randrange(1, 5_000),
            tax_code="S",
        )
        for line in range(1, chance.randrange(2, 5))
    )
    total = sum(line.amount_minor for line in lines)
    tax = total // 6
    customer = CustomerNumber("c1") if chance.random() < 0.3 else None
    settled = pay(chance, total, rates)  # last: rates differ from place to place, what is sold does not
    return Sale(
        document=DocumentNumber(number),
        transaction=TransactionId(f"t{number}"),
        currency="GBP",
        lines=lines,
        taxes=(
            TaxTotal(tax_code="S", rate_e6=200_000, inclusive=True, net_minor=total - tax, tax_minor=tax),
        ),
        tenders=settled.tenders,
        total_minor=total,
        rounding_minor=settled.rounding_minor,
        began_at_ms=stamp.at_ms,
        customer=customer,
        external=None
        if reference is None
        else ExternalDocument(reference=reference, business_date=HISTORY_DATE),
    )


def voided_sale(chance: random.Random, sale: Sale, rates: Sequence[CurrencyRate]) -> TransactionVoided:
    """The same lines given up, and what was taken of the payment given back."""
    return TransactionVoided(
        transaction=sale.transaction,
        currency=sale.currency,
        lines=sale.lines,
        began_at_ms=sale.began_at_ms,
        reason="changed his mind",
        given_back=in_parts(chance, sale.total_minor, rates),
    )
