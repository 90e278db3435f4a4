"""Head office's incarnation: it changes when state was lost, and everybody notices (P2).

A new one makes registers take a snapshot of the feeds, and shows which receipts are of a former life.
"""

from holdfast.core.ids import ID_RANDOM_BYTES, IncarnationId, encode_id
from holdfast.hq.store.port import Transaction
from holdfast.infra.clock import Randomness

NAME_CHARS_MAX = 64


def new_incarnation(randomness: Randomness) -> IncarnationId:
    """An id that no life of any head office had."""
    return IncarnationId(encode_id(randomness.bytes(ID_RANDOM_BYTES)))


def is_name(text: str) -> bool:
    """Whether what a register calls an incarnation can be the name of one."""
    return 0 < len(text) <= NAME_CHARS_MAX and text.isascii() and text.isprintable()


def begin_after_loss(
    transaction: Transaction,
    former: IncarnationId,
    randomness: Randomness,
    now_ms: int,
    detail: str,
    lost: IncarnationId | None = None,
) -> IncarnationId:
    """A register showed that what `former` held is lost. The incarnation that counts now.

    `lost`: a life that this database does not know, being older. It is remembered as a former one, so that
    what is left of it proves the loss once and not for ever.
    """
    fresh = new_incarnation(randomness)
    current = transaction.begin_incarnation(former, fresh, now_ms, "lost-state", detail, lost)
    if current == fresh:
        transaction.alert("lost-state" if lost is None else "lost-life", None, detail)
    return current
