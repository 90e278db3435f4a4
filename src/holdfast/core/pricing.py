"""Pricing: a basket to its totals, and to the document that the journal stores (PO1, PO2, PO3)."""

from collections.abc import Sequence

import msgspec

from holdfast.core.basket.held import values_of
from holdfast.core.basket.limits import Act, act_refusal
from holdfast.core.basket.line import (
    BasketLine,
    Charge,
    Reduction,
    charge,
    discount_of,
    reductions_minor,
    sale_line,
)
from holdfast.core.basket.value import Basket
from holdfast.core.bounds import id_refusal, text_refusal
from holdfast.core.central.entries import ValueMovement
from holdfast.core.ids import DocumentNumber
from holdfast.core.invariants import broken_invariants
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Discount, ExternalDocument, Sale, SaleLine, TaxTotal, Tender, TransactionVoided
from holdfast.core.tax import added_tax_minor, tax_totals
from holdfast.core.tender import Till, settle

_RULE = next(field.default for field in msgspec.structs.fields(Sale) if field.name == "rounding_rule")
"""The very object: an encoder leaves a default out by identity."""
_NO_VALUES = next(field.default for field in msgspec.structs.fields(Sale) if field.name == "values")


class Priced(msgspec.Struct, frozen=True):
    """A basket's totals in minor units; its lines are numbered as on the receipt."""

    lines: tuple[SaleLine, ...]
    voided_lines: tuple[SaleLine, ...]
    """Numbered on after the others; they count in no total."""
    taxes: tuple[TaxTotal, ...]
    discount_minor: int
    """All that was taken off, by line and total discounts."""
    added_tax_minor: int
    """Of exclusive taxes: on top of the lines."""
    total_minor: int
    """Σ line amounts + added tax; what is due before cash rounding."""


def price(basket: Basket) -> Priced:
    """What the basket comes to now."""
    money, rule = basket.money, basket.rounding_rule
    charges = [charge(line, money, rule) for line in basket.lines]
    shares = total_shares(basket, [charged.amount_minor for charged in charges])
    lines = [
        sale_line(line, number, charged, share)
        for number, (line, charged, share) in enumerate(zip(basket.lines, charges, shares, strict=True), 1)
    ]
    amounts = [line.amount_minor for line in lines]
    taxes = tax_totals(zip([line.tax for line in basket.lines], amounts, strict=True), rule)
    added = added_tax_minor(taxes)
    return Priced(
        lines=tuple(lines),
        voided_lines=_voided(basket, charges) if basket.voided_lines else (),
        taxes=taxes,
        discount_minor=sum([charged.gross_minor for charged in charges]) - sum(amounts),
        added_tax_minor=added,
        total_minor=sum(amounts) + added,
    )


def _voided(basket: Basket, charges: list[Charge]) -> tuple[SaleLine, ...]:
    def recorded(number: int, line: BasketLine) -> SaleLine:
        return sale_line(line, number, charge(line, basket.money, basket.rounding_rule))

    return tuple(recorded(number, line) for number, line in enumerate(basket.voided_lines, len(charges) + 1))


def total_shares(basket: Basket, amounts_minor: Sequence[int]) -> list[tuple[Discount, ...]]:
    """Each line's parts of the discounts on the total, given the lines' amounts before them."""
    if not basket.total_reductions:
        return [()] * len(amounts_minor)
    # Central value is no goods: nothing is taken off it.
    left = [0 if line.hold else amount for line, amount in zip(basket.lines, amounts_minor, strict=True)]
    shares: list[list[Discount]] = [[] for _ in left]
    taken = reductions_minor(basket.total_reductions, sum(left), basket.rounding_rule)
    for given, off_minor in zip(basket.total_reductions, taken, strict=True):
        left = _share_out(given, off_minor, left, shares)
    return [tuple(share) for share in shares]


def _share_out(given: Reduction, off_minor: int, left: list[int], shares: list[list[Discount]]) -> list[int]:
    parts = distribute(off_minor, left)
    for share, part in zip(shares, parts, strict=True):
        if part:
            share.append(discount_of("total", given, part))
    return [amount - part for amount, part in zip(left, parts, strict=True)]


def distribute(amount_minor: int, weights: Sequence[int]) -> list[int]:
    """Parts of an amount in proportion to weights, by largest remainder; the earlier line first.

    They sum to the amount exactly, and no part exceeds its weight while the amount does not
    exceed their sum.
    """
    assert amount_minor >= 0, "magnitudes are shared out"
    assert all(weight >= 0 for weight in weights), "weights are magnitudes"
    whole = sum(weights)
    if not amount_minor:
        return [0] * len(weights)
    assert whole > 0, "something to share the amount over"
    parts = [amount_minor * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(amount_minor * weights[i] % whole), i))
    for index in by_remainder[: amount_minor - sum(parts)]:
        parts[index] += 1
    assert sum(parts) == amount_minor, "what is shared out is the whole"
    return parts


def conclude(
    basket: Basket,
    tenders: Sequence[Tender],
    document: DocumentNumber,
    *,
    coin_minor: int | None = None,
    external: ExternalDocument | None = None,
    later: bool = False,
) -> Sale | Refusal:
    """The document to journal, under the entry type `basket.kind`. Nothing is durable yet (P1).

    Tenders are as the customer gave them, without change, after those that the basket holds;
    `coin_minor` is the country's smallest coin where it is not the currency's. `later`: the line is down, so
    balances of central value follow.
    """
    if not basket.lines:
        return Refusal("basket.empty", "There is nothing in this transaction. Add a line first.")
    if refusal := id_refusal("The document number", document) or _external_refusal(external):
        return refusal
    priced = price(basket)
    till = Till.of(basket.money, basket.rounding_rule, coin_minor)
    settled = settle(priced.total_minor, (*basket.tenders, *tenders), till)
    if isinstance(settled, Refusal):
        return settled
    sale = Sale(
        document=document,
        transaction=basket.transaction,
        currency=basket.currency,
        lines=priced.lines,
        taxes=priced.taxes,
        tenders=settled.tenders,
        total_minor=priced.total_minor,
        began_at_ms=basket.began_at_ms,
        rounding_minor=settled.rounding_minor,
        rounding_rule=_RULE if basket.rounding_rule == _RULE else basket.rounding_rule,
        by=basket.by,
        approved_by=basket.approved_by,
        customer=basket.customer,
        voided_lines=priced.voided_lines,
        note=basket.note,
        external=external,
        values=_values(basket, priced, settled.tenders, later) if basket.holds else _NO_VALUES,
    )
    broken = broken_invariants(sale)
    assert not broken, f"a document that does not add up: {broken}"
    return sale


def _values(
    basket: Basket, priced: Priced, tenders: Sequence[Tender], later: bool
) -> tuple[ValueMovement, ...]:
    return values_of(basket, [line.amount_minor for line in priced.lines], tenders, later=later)


def _external_refusal(external: ExternalDocument | None) -> Refusal | None:
    if external is None:
        return None
    return id_refusal("The other system's reference", external.reference) or text_refusal(
        "The country", external.country
    )


def void_transaction(basket: Basket, act: Act, reason: str) -> TransactionVoided | Refusal:
    """What to journal when the basket is given up; lines voided before are on record with it (PO2)."""
    if not basket.lines and not basket.voided_lines:
        return Refusal("basket.empty", "There is nothing in this transaction to void.")
    if refusal := text_refusal("The reason", reason) or act_refusal(act):
        return refusal
    priced = price(basket)
    return TransactionVoided(
        transaction=basket.transaction,
        currency=basket.currency,
        lines=priced.lines + priced.voided_lines,
        began_at_ms=basket.began_at_ms,
        reason=reason,
        by=act.by,
        approved_by=act.approved_by or basket.approved_by,
        given_back=tuple(tender for tender in basket.tenders if not tender.hold),
        held=tuple(hold.key for hold in basket.holds if not (hold.is_own or hold.grant)),
    )
