"""What the register keeps of head office's word: incarnations, receipts and the heads they cover.

The file's other subjects have modules of their own, named here too, so that `reference` is the one
door to `reference.db`: the catalogue, feeds, requests and the line's status.
"""

from collections.abc import Iterable, Mapping

import apsw

from holdfast.core.ids import EpochId, IncarnationId, KeyId, OriginId
from holdfast.core.journal.chain import SignedHead
from holdfast.core.sync.messages import Receipt
from holdfast.register.sync.catalogue import Catalogue, StaffMember
from holdfast.register.sync.database import QUERIES, read, write
from holdfast.register.sync.reference_file import open_reference, read_reference

__all__ = ["Catalogue", "Reference", "StaffMember", "open_reference", "read_reference"]


class Reference:
    """Receipts and incarnations over one connection; each thread has its own."""

    def __init__(self, connection: apsw.Connection, origin: OriginId) -> None:
        self._connection = connection
        self._origin = origin

    @property
    def connection(self) -> apsw.Connection:
        return self._connection

    def receipts(self) -> tuple[Receipt, ...]:
        """The furthest applied receipt of each epoch, whatever incarnation gave it.

        One of a former incarnation is offered too: it shows head office that it lost state.
        """
        return self._receipts("applied")

    def safe_receipts(self) -> tuple[Receipt, ...]:
        """The furthest safe receipt of each epoch, of the newest incarnation alone."""
        newest = self.incarnation()
        return tuple(given for given in self._receipts("safe") if given.incarnation == newest)

    def applied(self) -> Mapping[EpochId, int]:
        """Epoch → seq up to which head office, in its newest incarnation, has stored it."""
        return dict(read(self._connection, lambda: QUERIES.cursors(self._connection, level="applied")))

    def incarnation(self) -> IncarnationId | None:
        """The one that head office last said it is in."""
        return read(self._connection, lambda: QUERIES.newest_incarnation(self._connection))

    def see_incarnation(self, incarnation: IncarnationId, now_ms: int) -> bool:
        """Head office said, over an authenticated line, which incarnation it is in.

        False for a former one: it runs on a lost state and has not noticed yet, so its feeds and
        receipts count for nothing until it opens a new one.
        """
        if incarnation == self.incarnation():
            return True

        def note() -> bool:
            if QUERIES.incarnation_ordinal(self._connection, incarnation=incarnation) is not None:
                return False
            QUERIES.add_incarnation(self._connection, incarnation=incarnation, seen_ms=now_ms)
            return True

        return write(self._connection, note)

    def keep(self, receipts: Iterable[Receipt], head: SignedHead | None, now_ms: int) -> None:
        """Store verified receipts, and the head that head office took with them.

        Within one incarnation a receipt only goes forward; another incarnation's replaces a former one's,
        and a former one's replaces nothing.
        """

        def store() -> None:
            newest = QUERIES.newest_incarnation(self._connection)
            for receipt in receipts:
                if receipt.incarnation == newest:
                    self._put(receipt, now_ms)
            if head is not None:
                QUERIES.put_signed_head(
                    self._connection,
                    epoch=head.epoch,
                    seq=head.seq,
                    hash=head.hash,
                    key_id=head.key_id,
                    signature=head.signature,
                )

        write(self._connection, store)

    def signed_heads(self) -> tuple[SignedHead, ...]:
        """The furthest head of each epoch that head office took."""
        rows = read(self._connection, lambda: QUERIES.signed_heads(self._connection))
        return tuple(
            SignedHead(
                origin=self._origin,
                epoch=epoch,
                seq=seq,
                hash=hash,
                key_id=KeyId(key_id),
                signature=signature,
            )
            for epoch, seq, hash, key_id, signature in rows
        )

    def _put(self, receipt: Receipt, now_ms: int) -> None:
        kept = QUERIES.receipt_at(self._connection, epoch=receipt.epoch, level=receipt.level)
        if kept is not None and kept[0] == receipt.incarnation and kept[1] >= receipt.seq:
            return
        QUERIES.put_receipt(
            self._connection,
            epoch=receipt.epoch,
            level=receipt.level,
            incarnation=receipt.incarnation,
            seq=receipt.seq,
            hash=receipt.hash,
            key_id=receipt.key_id,
            signature=receipt.signature,
            at_ms=now_ms,
        )

    def _receipts(self, level: str) -> tuple[Receipt, ...]:
        rows = read(self._connection, lambda: QUERIES.receipts(self._connection, level=level))
        return tuple(
            Receipt(
                level=level,
                incarnation=IncarnationId(incarnation),
                origin=self._origin,
                epoch=EpochId(epoch),
                seq=seq,
                hash=hash,
                key_id=KeyId(key_id),
                signature=signature,
            )
            for epoch, _, incarnation, seq, hash, key_id, signature in rows
        )
