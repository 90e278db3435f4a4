"""What checkout answers, as values."""

import msgspec

from holdfast.core.ids import DocumentNumber


class AlreadyRecorded(msgspec.Struct, frozen=True, kw_only=True):
    """A document of that type and external reference is here already; nothing was done (P2)."""

    type: str
    reference: str
    document: DocumentNumber
