"""A register's signed words: what it signed itself, and what head office signed for it.

Kept in `reference.db`, which may be lost and fetched again: one that is missing differs from nothing.
"""

import contextlib
from collections.abc import Iterable, Iterator

import apsw

from holdfast.core.ids import EpochId
from holdfast.core.journal.chain import SignedHead, head_holds
from holdfast.core.sync.messages import Receipt, receipt_holds
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config
from holdfast.infra.keys import DatabaseKey, SigningKey, verify
from holdfast.infra.sqlite import faults
from holdfast.register.sync.reference import Reference, read_reference
from holdfast.register.sync.trust import load_trust
from holdfast.register.till.database import QUERIES, read_till
from holdfast.register.till.places import place
from holdfast.register.verify import Difference, problems_of


def differing_signatures(home: RegisterHome) -> tuple[Difference, ...]:
    """Signed heads and receipts that do not verify, or that are not of this register's chain, and what of
    `reference.db` cannot be read.

    Faults as `read_till` and `read_reference` raise them, and of keys that are not there.
    """
    if not home.reference.exists():
        return ()
    config = load_config(home.config, RegisterConfig)
    key = DatabaseKey.load(home.database_key)
    with (
        contextlib.closing(read_reference(home, key)) as reference,
        contextlib.closing(read_till(home, key, config.origin)) as till,
    ):
        with faults(reference):
            damage = _damage(reference)
        with faults(till):
            chain = _Chain(till)
        with faults(reference):
            kept = Reference(reference, config.origin)
            heads, receipts = kept.signed_heads(), (*kept.receipts(), *kept.safe_receipts())
        check = _Check(home, chain)
        with faults(till):
            return (*damage, *check.heads(heads), *check.receipts(receipts))


def _damage(reference: apsw.Connection) -> list[Difference]:
    """It can be fetched again, and the register sets it aside by itself; a person is to hear of the disk."""
    return [
        Difference("file", f"SQLite finds reference.db damaged: {problem}.")
        for problem in problems_of(reference)
    ]


class _Chain:
    """The register's own chain, to hold signed positions against."""

    def __init__(self, till: apsw.Connection) -> None:
        self._till = till
        self._open_epoch = QUERIES.epoch_heads(till)[-1][1]

    def holds(self, epoch: EpochId, seq: int, hash: bytes) -> bool:
        """An entry that a restore lost cannot be compared; its epoch is not the open one any more."""
        n = QUERIES.epoch_n(self._till, epoch=epoch)
        held = None if n is None else QUERIES.hash_at(self._till, id=place(n, seq))
        if held is None:
            return epoch != self._open_epoch
        return held == hash


class _Check:
    def __init__(self, home: RegisterHome, chain: _Chain) -> None:
        self._signing = SigningKey.load(home.signing_key)
        self._trusted = load_trust(home).head_office_keys
        self._chain = chain

    def heads(self, heads: Iterable[SignedHead]) -> Iterator[Difference]:
        for head in heads:
            what = f"The signed head of epoch {head.epoch} at entry {head.seq}"
            own = head.key_id == self._signing.key_id
            if own and not head_holds(head, self._signing.public_bytes, verify):
                yield Difference("signature", f"{what} does not verify under this register's key.")
            if not self._chain.holds(head.epoch, head.seq, head.hash):
                yield Difference("signature", f"{what} is not of this chain.")

    def receipts(self, receipts: Iterable[Receipt]) -> Iterator[Difference]:
        for receipt in receipts:
            what = f"Head office's {receipt.level} receipt for entry {receipt.seq} of epoch {receipt.epoch}"
            key = self._trusted.get(receipt.key_id)
            if key is None or not receipt_holds(receipt, key, verify):
                yield Difference(
                    "receipt", f"{what} does not verify under a key that was pinned at enrolment."
                )
            if not self._chain.holds(receipt.epoch, receipt.seq, receipt.hash):
                yield Difference("receipt", f"{what} is not of this chain.")
