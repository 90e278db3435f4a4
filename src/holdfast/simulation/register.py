"""A simulated register: the shipped journal and sender over a simulated disk, clock and line."""

import random

from holdfast.core import business_day
from holdfast.core.ids import (
    CustomerNumber,
    DocumentNumber,
    IncarnationId,
    OriginId,
    Sku,
    TransactionId,
    epoch_id,
)
from holdfast.core.journal import epochs, writer
from holdfast.core.journal.chain import Signer, Verify
from holdfast.core.sale import ExternalDocument, Sale, SaleLine, TaxTotal, Tender
from holdfast.core.sync import messages
from holdfast.core.sync.cursors import accept_receipt, purge_through
from holdfast.core.sync.sender import EpochNeeded, Event, ReceiptGiven, Sender
from holdfast.simulation.disk import Database, DiskJournal, Mark
from holdfast.simulation.driver import POLICY, Driver
from holdfast.simulation.ledger import Fact, Ledger
from holdfast.simulation.network import Answer, Line
from holdfast.simulation.world import NodeClock, World, WorldRandomness

RETURN_WINDOW_ENTRIES = 10


class SimRegister:
    """One machine. A crash loses what is in memory; the database and the mark stay."""

    def __init__(
        self,
        world: World,
        ledger: Ledger,
        node: str,
        origin: OriginId,
        series: str,
        signer: Signer,
        line: Line,
        head_office_key: bytes,
        verify: Verify,
    ) -> None:
        self.world, self.ledger, self.node = world, ledger, node
        self.origin, self.series, self.signer, self.line = origin, series, signer, line
        self.clock = NodeClock(world)
        self.database = Database()
        self.mark: Mark | None = None
        self.alive = False
        self._head_office_key = head_office_key
        self._verify = verify
        self.journal = DiskJournal(origin, self.database, signer)
        self._driver: Driver | None = None

    # Life and death

    def start(self) -> None:
        """Power on: the mark against the database, offline too."""
        self.alive = True
        self.journal = DiskJournal(self.origin, self.database, self.signer)
        sender = Sender(self.journal, policy=POLICY, jitter=self.world.random.random)
        self._driver = Driver(self.world, self.node, sender, self.line, self._handle)
        head = self.database.head
        why = epochs.at_start(None if head is None else head.position, self.mark, self.database.hash_at)
        if why is not None:
            self.open_epoch(why)
        self._driver.pump()

    def crash(self) -> None:
        self.alive = False
        if self._driver is not None:
            self._driver.stop()

    # Writing

    def _stamp(self) -> writer.Stamp:
        at_ms = self.clock.now_ms()
        state = business_day.DayState(business_date=self.database.business_date or None)
        offer = business_day.DayOffer(at_ms, head_office_ms=None, offset_min=0)
        self.database.business_date = business_day.offered_date(state, offer)
        return writer.Stamp(at_ms=at_ms, offset_min=0, date=self.database.business_date)

    def open_epoch(self, why: epochs.OpenEpoch) -> None:
        head = self.database.head
        written = writer.open_epoch(
            self.origin,
            self.series,
            epoch_id(WorldRandomness(self.world).bytes(16)),
            None if head is None else head.position,
            why,
            self._stamp(),
            software="simulation",
            key_id=self.signer.key_id,
        )
        self._commit(written, "")

    def _commit(
        self, written: writer.Written, number: str, reference: str = "", total_minor: int = 0
    ) -> None:
        """The transaction, then the mark; a power cut may fall between the two."""
        self.database.store(written)
        self.ledger.acknowledge(
            Fact(
                node=self.node,
                origin=self.origin,
                epoch=written.head.epoch,
                seq=written.seq,
                hash=written.hash,
                data=written.data,
                type=written.type,
                number=number,
                reference=reference,
                total_minor=total_minor,
            )
        )
        self.world.trace(f"{self.node} writes {written.type} {written.seq}")
        if self.world.chance(0.98):
            self.mark = Mark(written.head.epoch, written.seq, written.hash)

    def sell(self, reference: str | None = None, *, description: str = "tea") -> None:
        """One document: a sale, now and then a return. Entering a known reference is no operation."""
        head = self.database.head
        if not self.alive or head is None:
            return
        if reference is not None:
            if reference in self.database.references:
                return
            self.database.references.add(reference)
        stamp = self._stamp()
        # What history says under a reference is the same wherever it is entered.
        chance = self.world.random if reference is None else random.Random(reference)
        sign = -1 if chance.random() < 0.1 else 1
        number = head.next_document(self.series)
        body = _sale(chance, number, stamp, sign, reference, description)
        kind = "sale" if sign > 0 else "return"
        written = writer.write(self.origin, head, kind, 1, body, stamp)
        self._commit(written, number, reference or "", body.total_minor)
        self.notify()

    def write_future_entry(self) -> None:
        """An entry of a type, or a version, that head office does not know yet."""
        head = self.database.head
        if not self.alive or head is None:
            return
        kind, version = self.world.random.choice((("sale", 9), ("hologram", 1)))
        body = messages.Challenge(nonce=b"?", incarnation=IncarnationId("?"), time_ms=0)
        stamp = self._stamp()
        name = kind if kind != "sale" else "day_opened"
        written = writer.write(self.origin, head, name, version, body, stamp)
        self._commit(written, "")
        self.notify()

    def purge(self) -> None:
        """Deletes what head office holds safe and no return can ask for."""
        for epoch in self.database.epochs:
            receipts = self.database.receipts.values()
            keep_from = epoch.head.seq - RETURN_WINDOW_ENTRIES + 1
            self.database.purge(epoch.epoch, purge_through(receipts, epoch.epoch, keep_from))

    # Sending

    def notify(self) -> None:
        if self.alive and self._driver is not None:
            self._driver.notify()

    def link_up(self) -> None:
        """The probe got an answer: try at once."""
        self.notify()

    def _handle(self, event: Event) -> None:
        if isinstance(event, ReceiptGiven):
            receipt = event.receipt
            if accept_receipt(receipt, self._head_office_key, self._verify, self.database.hash_at):
                self.database.receipts[(receipt.epoch, receipt.level)] = receipt
        elif isinstance(event, EpochNeeded):
            self.open_epoch(event.open)
            if self._driver is not None:
                self._driver.sender.relocate()

    def heartbeat(self) -> None:
        """The signed word about what is here and what is owed."""
        head = self.database.head
        if not self.alive or head is None:
            return
        applied = {
            epoch: given.seq for (epoch, level), given in self.database.receipts.items() if level == "applied"
        }
        owed = sum(epoch.head.seq - applied.get(epoch.epoch, 0) for epoch in self.database.epochs)
        statement = messages.encode(
            messages.Heartbeat(
                origin=self.origin,
                clock_ms=self.clock.now_ms(),
                offset_min=0,
                head=head.position,
                owed_count=owed,
                owed_minor=0,
                currency="GBP",
            )
        )
        signed = messages.SignedStatement(
            statement=statement,
            key_id=self.signer.key_id,
            signature=self.signer.sign(messages.heartbeat_statement(statement)),
        )
        self.line.call("heartbeat", messages.encode(signed), self._heard, lambda: None)

    def _heard(self, answer: Answer) -> None:
        if not self.alive or self._driver is None or answer.status != 200:
            return
        if messages.decode(answer.body, messages.HeartbeatReply).offer:
            self._driver.relocate()
        else:
            self._driver.notify()

    def drained(self) -> bool:
        """Does this register know every epoch of its own to be applied to the end."""
        return all(
            (receipt := self.database.receipts.get((epoch.epoch, "applied"))) is not None
            and receipt.seq >= epoch.head.seq
            for epoch in self.database.epochs
        )


def _sale(
    chance: random.Random,
    number: str,
    stamp: writer.Stamp,
    sign: int,
    reference: str | None,
    description: str,
) -> Sale:
    lines = tuple(
        SaleLine(
            line=line,
            sku=Sku(f"P{chance.randrange(30):02d}"),
            description=description,
            quantity_milli=sign * 1000 * chance.randrange(1, 5),
            unit_price_e4=0,
            amount_minor=sign * chance.randrange(1, 5_000),
            tax_code="S",
        )
        for line in range(1, chance.randrange(2, 5))
    )
    total = sum(line.amount_minor for line in lines)
    tax = total // 6
    return Sale(
        document=DocumentNumber(number),
        transaction=TransactionId(f"t{number}"),
        currency="GBP",
        lines=lines,
        taxes=(
            TaxTotal(tax_code="S", rate_e6=200_000, inclusive=True, net_minor=total - tax, tax_minor=tax),
        ),
        tenders=(Tender(kind="cash", amount_minor=total),),
        total_minor=total,
        began_at_ms=stamp.at_ms,
        customer=CustomerNumber("c1") if chance.random() < 0.3 else None,
        external=None
        if reference is None
        else ExternalDocument(reference=reference, business_date="2026-01-05"),
    )
