"""What became of a transfer: on its way, received, or a difference that has a name."""

import enum


class Became(enum.StrEnum):
    """Of one product of a transfer."""

    IN_TRANSIT = "in transit"
    RECEIVED = "received"
    SHORT = "received short"
    OVER = "received more than was sent"
    TWICE = "received twice"
    NEVER_SENT = "received, and not sent yet"


def became_of(sent_milli: int, received_milli: int, receipts: int) -> Became:
    """`receipts`: how many documents received something of that transfer.

    What was sent may itself be owed still: then it is received first.
    """
    if not sent_milli:
        return Became.NEVER_SENT
    if not receipts:
        return Became.IN_TRANSIT
    if received_milli == sent_milli:
        return Became.RECEIVED
    if received_milli < sent_milli:
        return Became.SHORT
    twice = receipts > 1 and received_milli == sent_milli * receipts
    return Became.TWICE if twice else Became.OVER
