"""A register's signed words: what it signed itself, and what head office signed for it.

Kept in `reference.db`, which may be lost and fetched again: one that is missing differs from nothing.
"""

from collections.abc import Iterator

from holdfast.core.ids import EpochId
from holdfast.core.journal.chain import head_holds
from holdfast.core.sync.messages import Receipt, receipt_holds
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config
from holdfast.infra.keys import DatabaseKey, SigningKey, verify
from holdfast.infra.sqlite import faults
from holdfast.register.sync.reference import Reference, read_reference
from holdfast.register.sync.trust import load_trust
from holdfast.register.till.database import QUERIES, read_till
from holdfast.register.till.places import place
from holdfast.register.verify import Difference


def differing_signatures(home: RegisterHome) -> tuple[Difference, ...]:
    """Signed heads and receipts that do not verify, or that are not of this register's chain.

    Faults as `read_till` and `read_reference` raise them.
    """
    if not home.reference.exists():
        return ()
    config = load_config(home.config, RegisterConfig)
    key = DatabaseKey.load(home.database_key)
    till = read_till(home, key, config.origin)
    try:
        reference_connection = read_reference(home, key)
        try:
            with faults(till):
                check = _Check(home, till, Reference(reference_connection, config.origin))
                return tuple(check.differences())
        finally:
            reference_connection.close()
    finally:
        till.close()


class _Check:
    def __init__(self, home: RegisterHome, till: object, reference: Reference) -> None:
        self._signing = SigningKey.load(home.signing_key)
        self._trusted = load_trust(home).head_office_keys
        self._till = till
        self._open_epoch = QUERIES.epoch_heads(till)[-1][1]
        self._reference = reference

    def differences(self) -> Iterator[Difference]:
        for head in self._reference.signed_heads():
            what = f"The signed head of epoch {head.epoch} at entry {head.seq}"
            own = head.key_id == self._signing.key_id
            if own and not head_holds(head, self._signing.public_bytes, verify):
                yield Difference("signature", f"{what} does not verify under this register's key.")
            if not self._is_of_chain(head.epoch, head.seq, head.hash):
                yield Difference("signature", f"{what} is not of this chain.")
        for receipt in (*self._reference.receipts(), *self._reference.safe_receipts()):
            yield from self._receipt(receipt)

    def _receipt(self, receipt: Receipt) -> Iterator[Difference]:
        what = f"Head office's {receipt.level} receipt for entry {receipt.seq} of epoch {receipt.epoch}"
        key = self._trusted.get(receipt.key_id)
        if key is None or not receipt_holds(receipt, key, verify):
            yield Difference("receipt", f"{what} does not verify under a key that was pinned at enrolment.")
        if not self._is_of_chain(receipt.epoch, receipt.seq, receipt.hash):
            yield Difference("receipt", f"{what} is not of this chain.")

    def _is_of_chain(self, epoch: EpochId, seq: int, hash: bytes) -> bool:
        """An entry that a restore lost cannot be compared; its epoch is not the open one any more."""
        n = QUERIES.epoch_n(self._till, epoch=epoch)
        held = None if n is None else QUERIES.hash_at(self._till, id=place(n, seq))
        if held is None:
            return epoch != self._open_epoch
        return held == hash
