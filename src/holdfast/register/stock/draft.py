"""A count, an adjustment or one end of a transfer while it is being written: how many of each product."""

import msgspec

from holdfast.core.ids import Sku
from holdfast.core.refusals import Refusal

LINES_MAX = 2_000
"""Of one entry; a longer list is two of them."""
QUANTITY_MILLI_MAX = 1_000_000_000_000
COUNT, ADJUST, SEND, RECEIVE = "count", "adjust", "send", "receive"
KINDS = (COUNT, ADJUST, SEND, RECEIVE)


class DraftLine(msgspec.Struct, frozen=True):
    sku: Sku
    description: str
    unit: str
    quantity_milli: int


class Draft(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What was scanned so far. Kept on disk with each change."""

    kind: str
    id: str = ""
    """Random, from when the list begins: concluded twice under it, it is one entry (P2). Empty: not begun, or
    kept by a version that knew none."""
    lines: tuple[DraftLine, ...] = ()
    transfer: str = ""
    """Of what is received: the number that sent it."""
    other: str = ""
    """The store at the other end of a transfer."""


def add(draft: Draft, sku: Sku, description: str, unit: str, quantity_milli: int) -> Draft | Refusal:
    """So much more of a product; it stands last, where whoever scans sees it."""
    known = next((line for line in draft.lines if line.sku == sku), None)
    total = quantity_milli + (known.quantity_milli if known else 0)
    if not -QUANTITY_MILLI_MAX < total < QUANTITY_MILLI_MAX:
        return Refusal("stock.quantity", "That is more than there can be. Check the quantity.")
    if known is None and len(draft.lines) >= LINES_MAX:
        return Refusal("stock.long", f"One list takes {LINES_MAX} products. Conclude it, then begin another.")
    rest = tuple(line for line in draft.lines if line.sku != sku)
    return msgspec.structs.replace(draft, lines=(*rest, DraftLine(sku, description, unit, total)))


def put(draft: Draft, sku: str, quantity_milli: int) -> Draft | Refusal:
    """So much of it, and no other figure."""
    if not 0 <= quantity_milli < QUANTITY_MILLI_MAX:
        return Refusal("stock.quantity", "That is more than there can be. Check the quantity.")
    lines = tuple(
        DraftLine(line.sku, line.description, line.unit, quantity_milli) if line.sku == sku else line
        for line in draft.lines
    )
    return msgspec.structs.replace(draft, lines=lines)


def without(draft: Draft, sku: str) -> Draft:
    return msgspec.structs.replace(draft, lines=tuple(line for line in draft.lines if line.sku != sku))
