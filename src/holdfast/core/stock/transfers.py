"""What became of a transfer: on its way, received, or a difference that has a name."""

import enum
from collections.abc import Sequence

import msgspec

from holdfast.core.ids import StoreId


class Became(enum.StrEnum):
    """Of one product of a transfer."""

    IN_TRANSIT = "in transit"
    RECEIVED = "received"
    SHORT = "received short"
    OVER = "received more than was sent"
    TWICE = "received twice"
    ELSEWHERE = "received at another store"
    UNLISTED = "received, and not among what was sent"
    NEVER_SENT = "received, and not sent yet"
    ENDED = "ended by head office"


class AtStore(msgspec.Struct, frozen=True, kw_only=True):
    """One store's part in one product of a transfer."""

    store: StoreId
    is_addressed: bool
    """What sent it names this store."""
    sent_milli: int
    """To this store."""
    received_milli: int
    """By this store."""
    receipts: int
    """Documents of this store that received something of the product."""
    ended_milli: int = 0
    """What head office moved on the way here; below zero: written off."""

    @property
    def left_milli(self) -> int:
        """On its way to this store still; below zero: received here without being sent here."""
        return self.sent_milli - self.received_milli + self.ended_milli


def became_of(is_sent: bool, stores: Sequence[AtStore]) -> Became:
    """`is_sent`: the document that sent the transfer is here. It may be owed still, and is received first."""
    sent_milli = sum(each.sent_milli for each in stores)
    received_milli = sum(each.received_milli for each in stores)
    receipts = sum(each.receipts for each in stores)
    if any(each.ended_milli for each in stores) and not any(each.left_milli for each in stores):
        return Became.ENDED
    if not is_sent:
        return Became.NEVER_SENT
    if any(each.receipts and not each.is_addressed for each in stores):
        return Became.ELSEWHERE
    if not sent_milli:
        return Became.UNLISTED
    if not receipts:
        return Became.IN_TRANSIT
    if received_milli == sent_milli:
        return Became.RECEIVED
    if received_milli < sent_milli:
        return Became.SHORT
    twice = receipts > 1 and received_milli == sent_milli * receipts
    return Became.TWICE if twice else Became.OVER
