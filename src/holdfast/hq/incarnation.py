"""Head office's incarnation: it changes when state was lost, and everybody notices (P2).

A new one makes registers take a snapshot of the feeds, and shows which receipts are of a former life.
"""

from holdfast.core.ids import ID_RANDOM_BYTES, IncarnationId, encode_id
from holdfast.hq.store.port import Transaction
from holdfast.infra.clock import Randomness


def new_incarnation(randomness: Randomness) -> IncarnationId:
    """An id that no life of any head office had."""
    return IncarnationId(encode_id(randomness.bytes(ID_RANDOM_BYTES)))


def begin_after_loss(
    transaction: Transaction, former: IncarnationId, randomness: Randomness, now_ms: int, detail: str
) -> IncarnationId:
    """A register showed a receipt of `former` over what is not here. The incarnation that counts now."""
    fresh = new_incarnation(randomness)
    current = transaction.begin_incarnation(former, fresh, now_ms, "lost-state", detail)
    if current == fresh:
        transaction.alert("lost-state", None, detail)
    return current
