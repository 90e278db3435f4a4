"""Small journals made through the shipped writer, for tests of everything that reads one."""

from dataclasses import dataclass, field

from holdfast.core.ids import DocumentNumber, EpochId, OriginId, Sku, TransactionId, epoch_id
from holdfast.core.journal import writer
from holdfast.core.journal.chain import ZERO_HASH, Position, SignedHead, sign_head
from holdfast.core.journal.epochs import OpenEpoch
from holdfast.core.sale import ExternalDocument, Sale, SaleLine, TaxTotal, Tender
from holdfast.core.sync.batch import StoredEntry, encode_batch, proved_count
from holdfast.core.sync.messages import Receipt
from holdfast.core.sync.ports import Piece
from holdfast.infra.keys import SigningKey

ORIGIN = OriginId("reg01")
STAMP = writer.Stamp(at_ms=1_790_000_000_000, offset_min=60, date="2026-09-21")


def signing_key(n: int = 1) -> SigningKey:
    return SigningKey(bytes([n]) * 32)


def sale(
    number: str,
    *,
    total_minor: int = 250,
    description: str = "Tea",
    reference: str | None = None,
    tenders: tuple[Tender, ...] | None = None,
) -> Sale:
    """A sale of two lines that adds up."""
    lines = (
        SaleLine(
            line=1, sku=Sku("A1"), description=description, quantity_milli=1000, unit_price_e4=10_000,
            amount_minor=100, tax_code="S",
        ),
        SaleLine(
            line=2, sku=Sku("B2"), description="Cake", quantity_milli=2000, unit_price_e4=7_500,
            amount_minor=total_minor - 100, tax_code="S",
        ),
    )  # fmt: skip
    tax = total_minor // 6
    return Sale(
        document=DocumentNumber(number),
        transaction=TransactionId("t-" + number),
        currency="GBP",
        lines=lines,
        taxes=(
            TaxTotal(
                tax_code="S", rate_e6=200_000, inclusive=True, net_minor=total_minor - tax, tax_minor=tax
            ),
        ),
        tenders=tenders or (Tender(kind="cash", amount_minor=total_minor),),
        total_minor=total_minor,
        began_at_ms=STAMP.at_ms,
        external=None
        if reference is None
        else ExternalDocument(reference=reference, business_date=STAMP.date),
    )


@dataclass
class SampleJournal:
    """An in-memory journal of one origin: a `JournalView` that signs where it is cut."""

    key: SigningKey = field(default_factory=signing_key)
    origin: OriginId = ORIGIN
    epochs: dict[EpochId, list[StoredEntry]] = field(default_factory=dict[EpochId, list[StoredEntry]])
    head: writer.Head | None = None
    kept: list[Receipt] = field(default_factory=list[Receipt])

    def open(self, random: int = 1, cause: str = "enrolled", claimed_seq: int = 0) -> "SampleJournal":
        return self.open_for(OpenEpoch(cause, claimed_seq, "test"), random)

    def open_for(self, why: OpenEpoch, random: int) -> "SampleJournal":
        parent = None if self.head is None else self.head.position
        epoch = epoch_id(bytes([random]) * 16)
        self._store(
            writer.open_epoch(
                self.origin, "R01", epoch, parent, why, STAMP, software="test", key_id=self.key.key_id
            )
        )
        return self

    def sell(self, count: int = 1, **fields: object) -> "SampleJournal":
        for _ in range(count):
            assert self.head is not None
            number = self.head.next_document("R01")
            self._store(writer.write(self.origin, self.head, "sale", 1, sale(number, **fields), STAMP))  # type: ignore[arg-type]
        return self

    def append(self, type: str, version: int, body: object) -> "SampleJournal":
        assert self.head is not None
        self._store(writer.write(self.origin, self.head, type, version, body, STAMP))  # type: ignore[arg-type]
        return self

    def _store(self, written: writer.Written) -> None:
        self.epochs.setdefault(written.head.epoch, []).append(
            StoredEntry(written.seq, written.hash, written.data)
        )
        self.head = written.head

    def copy(self) -> "SampleJournal":
        """The same database on another machine."""
        return SampleJournal(
            self.key, self.origin, {epoch: list(entries) for epoch, entries in self.epochs.items()}, self.head
        )

    # JournalView

    def signed(self, epoch: EpochId, entry: StoredEntry) -> SignedHead:
        return sign_head(self.origin, epoch, entry.seq, entry.hash, self.key)

    def heads(self) -> list[SignedHead]:
        return [self.signed(epoch, entries[-1]) for epoch, entries in self.epochs.items()]

    def hash_at(self, epoch: EpochId, seq: int) -> bytes | None:
        entries = self.epochs.get(epoch, [])
        return entries[seq - 1].hash if 1 <= seq <= len(entries) else None

    def first_seq(self, epoch: EpochId) -> int:
        return 1

    def piece(self, epoch: EpochId, first_seq: int, entries_max: int, bytes_max: int) -> Piece | None:
        entries = tuple(self.epochs.get(epoch, [])[first_seq - 1 : first_seq - 1 + entries_max])
        entries = entries[: proved_count(entries)]
        if not entries:
            return None
        return Piece(
            self.hash_at(epoch, first_seq - 1) or ZERO_HASH, entries, self.signed(epoch, entries[-1])
        )

    def receipts(self) -> list[Receipt]:
        return self.kept

    # Shortcuts for tests

    @property
    def epoch(self) -> EpochId:
        assert self.head is not None
        return self.head.epoch

    @property
    def position(self) -> Position:
        assert self.head is not None
        return self.head.position

    def batch(self, first_seq: int = 1, count: int = 1_000, epoch: EpochId | None = None) -> bytes:
        epoch = epoch or self.epoch
        piece = self.piece(epoch, first_seq, count, 1 << 22)
        assert piece is not None
        return encode_batch(self.origin, epoch, piece.previous_hash, piece.entries, piece.head)
