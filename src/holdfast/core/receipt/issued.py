"""A concluded sale or return with what its entry says of it: all that a receipt is made from."""

import msgspec

from holdfast.core.ids import DocumentNumber, EpochId
from holdfast.core.sale import Sale


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """One document of a register, as its journal holds it."""

    sale: Sale
    type: str
    """`sale` or `return`: the type of its entry."""
    epoch: EpochId
    business_date: str
    """ISO; the document's own."""
    at_ms: int
    offset_min: int
    """Minutes east of UTC where it was concluded: the receipt says the time as the shop's clock did."""

    @property
    def document(self) -> DocumentNumber:
        return self.sale.document
