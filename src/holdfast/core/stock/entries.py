"""The bodies of stock's own documents: a count, and goods sent to another store or received from it.

What a sale, a return or an adjustment moves stands in `core.sale`. Quantities are thousandths of the unit.
"""

from typing import Annotated, Literal

import msgspec

from holdfast.core.bounds import Int64, Key, Text
from holdfast.core.ids import CustomerNumber, DocumentNumber, Sku, StaffId, StoreId
from holdfast.core.sale import ExternalDocument, StockLine

Way = Literal["sent", "received"]


class CountedLine(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """What was found of one product."""

    line: Int64
    sku: Annotated[Sku, msgspec.Meta(max_length=256)]
    quantity_milli: Int64
    """The figure that was counted, and no movement."""
    description: Text = ""
    unit_price_e4: Int64 = 0
    expected_milli: Int64 | None = None
    """What the till estimated at that moment; None: it knew nothing."""


class StockCounted(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """Body of `stock_counted`, version 1: so much lay in the store at `at_ms`.

    Head office makes a dated movement of the difference, and only head office can: it alone knows what all
    registers sold before.
    """

    document: Annotated[DocumentNumber, msgspec.Meta(max_length=256)]
    lines: tuple[CountedLine, ...]
    at_ms: Int64
    blind: bool = True
    """Nothing that was expected had been shown."""
    note: Text = ""
    by: StaffId = StaffId("")
    approved_by: StaffId = StaffId("")
    customer: CustomerNumber | None = None
    external: ExternalDocument | None = None


class StockTransferred(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """Body of `stock_transferred`, version 1: one end of a transfer between two stores."""

    document: Annotated[DocumentNumber, msgspec.Meta(max_length=256)]
    way: Way
    transfer: Key
    """The number of the document that sent it: of this one where it sends."""
    other: StoreId
    """The store at the other end."""
    lines: tuple[StockLine, ...]
    """Negative where they are sent, positive where they are received."""
    at_ms: Int64
    note: Text = ""
    by: StaffId = StaffId("")
    approved_by: StaffId = StaffId("")
    customer: CustomerNumber | None = None
    external: ExternalDocument | None = None
