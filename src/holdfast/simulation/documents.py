"""What simulated registers write: sample sales, and entries of a version that is not out yet."""

import random

from holdfast.core.ids import CustomerNumber, DocumentNumber, IncarnationId, Sku, TransactionId
from holdfast.core.journal.bodies import TYPES
from holdfast.core.journal.entry import BodyRegistry
from holdfast.core.journal.writer import Stamp
from holdfast.core.sale import ExternalDocument, Sale, SaleLine, TaxTotal, Tender
from holdfast.core.sync.messages import Challenge

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
    chance: random.Random, number: str, stamp: Stamp, sign: int, reference: str | None, description: str
) -> Sale:
    """A document of two to four lines, in order in every sum."""
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
    return Sale(
        document=DocumentNumber(number),
        transaction=TransactionId(f"t{number}"),
        currency="GBP",
        lines=lines,
        taxes=(
            TaxTotal(tax_code="S", rate_e6=200_000, inclusive=True, net_minor=total - tax, tax_minor=tax),
        ),
        tenders=(Tender(kind="cash", amount_minor=total),),
        total_minor=total,
        began_at_ms=stamp.at_ms,
        customer=CustomerNumber("c1") if chance.random() < 0.3 else None,
        external=None
        if reference is None
        else ExternalDocument(reference=reference, business_date="2026-01-05"),
    )
