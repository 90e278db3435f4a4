"""Held, applied, safe: what may be shown, and what may be deleted."""

from collections.abc import Iterable

from holdfast.core.ids import EpochId
from holdfast.core.journal.chain import Verify
from holdfast.core.journal.epochs import HashAt
from holdfast.core.sync.messages import Receipt, receipt_holds


def accept_receipt(receipt: Receipt, public_key: bytes, verify: Verify, hash_at: HashAt) -> bool:
    """May this origin rely on the receipt: head office signed it, over this very chain."""
    return receipt_holds(receipt, public_key, verify) and hash_at(receipt.epoch, receipt.seq) == receipt.hash


def purge_through(receipts: Iterable[Receipt], epoch: EpochId, keep_from_seq: int) -> int:
    """Highest seq of `epoch` that may be purged; 0: none.

    Only *safe* counts (P1): an applied entry is gone with the head office database that holds
    it. `keep_from_seq` is the first entry inside the return window, which stays.
    """
    safe = [receipt.seq for receipt in receipts if receipt.level == "safe" and receipt.epoch == epoch]
    return max(0, min(max(safe, default=0), keep_from_seq - 1))
