"""A card taken on a standalone terminal: what a sale keeps of it, and how it is refunded (CP17, PO3).

The terminal has the payment, the till its reference as it stands on the slip. A card's number is never kept
(P9). It is an exact tender: no change comes from it, and a refund goes back to the payment that it came from,
never more than that one paid.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from holdfast.core.bounds import AMOUNT_MINOR_MAX
from holdfast.core.refusals import Refusal
from holdfast.core.sale import OriginalTender, Sale, Tender

CARD = "card_standalone"
"""The tender's kind."""
REFERENCE_CHARS_MAX = 32
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./#:-]*\Z")
_GROUPS = re.compile(r"[0-9]+(?:[ ./#:-][0-9]+)*")
_NUMBER_DIGITS_MIN, _NUMBER_DIGITS_MAX = 12, 19


class CardPayment(msgspec.Struct, frozen=True, kw_only=True):
    """A card payment of a receipt, and what of it was not refunded yet as far as this register knows."""

    original: OriginalTender
    reference: str
    left_minor: int


def card_tender(
    amount_minor: int, reference: str, original: OriginalTender | None = None
) -> Tender | Refusal:
    """What the terminal took, by its slip; paid back where negative, on the payment that it names."""
    if not 0 < abs(amount_minor) <= AMOUNT_MINOR_MAX:
        return Refusal("tender.amount", "How much did the terminal take? Enter an amount above zero.")
    reference = " ".join(reference.split())
    tender = Tender(kind=CARD, amount_minor=amount_minor, reference=reference, original=original)
    return card_refusal(tender) or tender


def card_refusal(tender: Tender) -> Refusal | None:
    """Why this is no tender of a card; None if it is, or of another kind."""
    if tender.kind != CARD:
        return None
    reference = tender.reference
    if not reference:
        return Refusal("tender.reference", "Type the reference that stands on the terminal's slip.")
    if holds_card_number(reference):
        return Refusal(
            "tender.card-number",
            "That looks like a card's number, and those are never kept. Type the slip's reference instead: "
            "its receipt or approval number.",
        )
    if len(reference) > REFERENCE_CHARS_MAX or not _REFERENCE.match(reference):
        return Refusal(
            "tender.reference",
            f"A slip's reference has letters and digits, {REFERENCE_CHARS_MAX} at most. Check it.",
        )
    if tender.amount_minor < 0 and tender.original is None:
        return Refusal(
            "tender.card-unknown",
            "No card payment of that receipt is known here. Pay it out in cash.",
        )
    return None


def holds_card_number(text: str) -> bool:
    """Whether some of its digits, together or in groups, could be the full number of a card."""
    return any(_is_luhn(digits) for groups in _GROUPS.findall(text) for digits in _candidates(groups))


def _candidates(groups: str) -> Iterator[str]:
    """Neighbouring groups as one number, and what of a longer run of digits could be one."""
    parts = re.split(r"[^0-9]", groups)
    for first in range(len(parts)):
        for last in range(first + 1, len(parts) + 1):
            digits = "".join(parts[first:last])
            if len(digits) > _NUMBER_DIGITS_MAX:
                break
            if len(digits) >= _NUMBER_DIGITS_MIN:
                yield digits
    for part in parts:
        if len(part) > _NUMBER_DIGITS_MAX:
            for start in range(len(part) - _NUMBER_DIGITS_MIN + 1):
                yield from (part[start : start + count] for count in (_NUMBER_DIGITS_MAX, 16, 15))


def _is_luhn(digits: str) -> bool:
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


# ---- refunds -----------------------------------------------------------------------------------


def card_payments(sale: Sale, refunded_minor: Mapping[int, int]) -> tuple[CardPayment, ...]:
    """What a sale's cards paid, less what was refunded; both by the tender's place, from 1."""
    return tuple(
        CardPayment(
            original=OriginalTender(document=sale.document, tender=place),
            reference=tender.reference,
            left_minor=tender.amount_minor - refunded_minor.get(place, 0),
        )
        for place, tender in enumerate(sale.tenders, 1)
        if tender.kind == CARD and tender.amount_minor > refunded_minor.get(place, 0)
    )


def to_refund(
    brought: Iterable[tuple[int, tuple[CardPayment, ...]]], tenders: Iterable[Tender]
) -> tuple[CardPayment, ...]:
    """What of a return is still to go back to cards, where its receipts are known: to them first.

    `brought`: what comes back of each receipt, as a positive sum, and its card payments. `tenders`: what this
    return refunded so far. `left_minor` of the answer is what is to go there.
    """
    done: dict[OriginalTender, int] = {}
    for tender in tenders:
        if tender.original is not None:
            done[tender.original] = done.get(tender.original, 0) - tender.amount_minor
    open_: list[CardPayment] = []
    for amount_minor, payments in brought:
        for payment in payments:
            share = min(amount_minor, payment.left_minor)
            amount_minor -= share
            if left := share - done.get(payment.original, 0):
                open_.append(msgspec.structs.replace(payment, left_minor=left))
    return tuple(payment for payment in open_ if payment.left_minor > 0)
